//! How late the counts of a full hour are on Cassandra, while 50 pages a second come and a sealer runs as beside a writer.

use crate::distributed::Cluster;
use crate::people;
use crate::table::{Table, Wanted, percentile};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use schema::counts::count_pages;
use schema::hour::{Hour, HourRange};
use schema::page::{Page, PageId};
use schema::query::{PageFilter, PageList};
use schema::store::Store;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};

const A_SECOND: usize = 50;
/// Pages of an hour at that rate.
const AN_HOUR: usize = A_SECOND * 3_600;
/// How long is measured, at the hour's end.
const LASTS: usize = 20;
/// Batches a second.
const BATCHES: usize = 10;
/// Of the sealer beside a writer.
const PASS_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Of what is stored fast: pages that warm up the node, pages of a batch, batches in flight as the writer has them.
const WARMING: usize = 40_000;
const BATCH: usize = 500;
const IN_FLIGHT: usize = 4;

/// When so many pages were stored, or counted.
type Reached = Vec<(Instant, u64)>;

/// The longest time from a page's storing to its count.
pub(crate) async fn measure(cluster: &Cluster, now: DateTime<Utc>, table: &mut Table) -> anyhow::Result<()> {
    let store = cluster.open_store().await?;
    let store = store.as_ref();
    let hour = Hour::of(now).plus(-1);
    // The hour is not over yet, so that it is sealed as it grows.
    let now = hour.end() - TimeDelta::seconds(1);
    let pages = pages_of(hour);
    let (before, coming) = pages.split_at(AN_HOUR - LASTS * A_SECOND);
    compare_rates(store, hour, now, table).await?;
    write_all(store, before, now).await?;
    let begun = Instant::now();
    let pass = store.seal_counts(now).await?;
    anyhow::ensure!(pass.sealed > 0, "the hour was not counted");
    let first = begun.elapsed().as_secs_f64();
    let (stored, counted) = tokio::select! {
        Err(error) = keep_sealing(store, now) => return Err(error),
        reached = async { tokio::try_join!(write(store, now, coming, before.len()), count(store, hour)) } => reached?,
    };
    let counted_at = |count| counted.iter().find(|(_, counted)| *counted >= count).map(|(at, _)| *at);
    let mut delays: Vec<f64> = stored
        .iter()
        .filter_map(|(at, count)| Some(counted_at(*count)?.saturating_duration_since(*at).as_secs_f64()))
        .collect();
    anyhow::ensure!(delays.len() == stored.len(), "not all pages were counted");
    let of = "Cassandra, an hour of 180,000 pages";
    table.add(&format!("{of}: counting all of it"), Wanted::Stated, first, "s");
    let what = format!("{of}: written → counted, 50/s, longest");
    table.add(&what, Wanted::AtMost(5.0), percentile(&mut delays, 100), "s");
    cluster.drop_tables().await
}

/// Writes the two hours before, one after the other, as a backlog is worked off: into tables without a sealer, with one, and
/// without again.
async fn compare_rates(counted: &dyn Store, hour: Hour, now: DateTime<Utc>, table: &mut Table) -> anyhow::Result<()> {
    let cluster = Cluster::present("alone")?;
    let alone = cluster.open_store().await?;
    let [first, second] = [-2, -1].map(|hours| pages_of(hour.plus(hours)));
    write_all(&*alone, &pages_of(hour.plus(-3))[..WARMING], now).await?;
    let before = write_all(&*alone, &first, now).await?;
    let pages = [first, second.clone()].concat();
    let begun = Instant::now();
    let beside = tokio::select! {
        Err(error) = keep_sealing(counted, now) => return Err(error),
        rate = write_all(counted, &pages, now) => rate?,
    };
    anyhow::ensure!(count_pages(counted, &PageList::All, HourRange::ALL, &PageFilter::default()).await? > 0, "no pass");
    while counted.seal_counts(now).await?.left > 0 {}
    let until_counted = pages.len() as f64 / begun.elapsed().as_secs_f64();
    let after = write_all(&*alone, &second, now).await?;
    eprintln!("  pages/s in turn: {before:.0} alone, {beside:.0} while they are counted, {after:.0} alone");
    let alone = f64::midpoint(before, after);
    let what = "Cassandra: writing while it is counted ÷ writing alone";
    table.add(what, Wanted::AtLeast(0.85), beside / alone, "×");
    let what = "Cassandra: the same until all is counted ÷ writing alone";
    table.add(what, Wanted::AtLeast(0.85), until_counted / alone, "×");
    cluster.drop_tables().await
}

/// Pages per second.
async fn write_all(store: &dyn Store, pages: &[Page], now: DateTime<Utc>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let writes = pages.chunks(BATCH).map(|batch| store.write_pages(batch, now));
    stream::iter(writes).buffer_unordered(IN_FLIGHT).map_ok(drop).try_collect::<()>().await?;
    Ok(pages.len() as f64 / begun.elapsed().as_secs_f64())
}

/// The sample's pages, put into one hour and numbered anew: no two hours of a day have the same.
fn pages_of(hour: Hour) -> Vec<Page> {
    let step = TimeDelta::hours(1) / i32::try_from(AN_HOUR).expect("some thousands");
    let events = ingest::sample::history(crate::SEED, AN_HOUR, hour.end());
    let first = 1 + AN_HOUR as u64 * hour.count().rem_euclid(24).unsigned_abs();
    let page = |(n, event): (i32, bytes::Bytes)| {
        let page = ingest::clean::clean(&event).expect("sample events are clean");
        let number = first + u64::from(n.unsigned_abs());
        let page_id = PageId::new(number).expect("within the limits");
        people::of_many(Page { created_at: hour.start() + step * n, page_id, ..page }, number)
    };
    (0..).zip(events).map(page).collect()
}

async fn keep_sealing(store: &dyn Store, now: DateTime<Utc>) -> anyhow::Result<Infallible> {
    loop {
        let pass = store.seal_counts(now).await?;
        sleep(pass.rest.max(PASS_EVERY)).await;
    }
}

async fn write(store: &dyn Store, now: DateTime<Utc>, pages: &[Page], before: usize) -> anyhow::Result<Reached> {
    let (mut stored, mut reached) = (before as u64, Reached::new());
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(BATCHES)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for batch in pages.chunks(A_SECOND / BATCHES) {
        tick.tick().await;
        store.write_pages(batch, now).await?;
        stored += batch.len() as u64;
        reached.push((Instant::now(), stored));
    }
    Ok(reached)
}

/// Looks until all pages are counted.
async fn count(store: &dyn Store, hour: Hour) -> anyhow::Result<Reached> {
    let (hours, deadline) = (HourRange { from: hour, to: hour.plus(1) }, Instant::now() + Duration::from_secs(240));
    let (mut reached, mut tick) = (Reached::new(), interval(LOOK_EVERY));
    loop {
        tick.tick().await;
        let counted = count_pages(store, &PageList::All, hours, &PageFilter::default()).await?;
        reached.push((Instant::now(), counted));
        if counted >= AN_HOUR as u64 {
            return Ok(reached);
        }
        anyhow::ensure!(Instant::now() < deadline, "{counted} pages are counted after four minutes");
    }
}
