//! Figures of stores by their size: whether an answer's time, the rate or the memory grows with what is stored.

use crate::ask::wait_for_any_answer;
use crate::distributed::Cluster;
use crate::embedded::{arguments, free_port, pipeline};
use crate::fill::{Pages, fill};
use crate::people::event_of_own;
use crate::reads::reads;
use crate::table::{Table, Wanted};
use crate::walk::{self, ARRIVE_EVERY};
use anyhow::bail;
use bytes::Bytes;
use chrono::Utc;
use rusqlite::Connection;
use schema::clock::{Clock, SystemClock};
use schema::page::Page;
use schema::store::embedded::DATABASE_FILE;
use schema::store::{Durability, Migration, StoreUrl};
use std::path::Path;
use std::time::Duration;
use tests::process::Process;
use tests::stream_server::StreamServer;
use tokio::time::interval;

/// What the 99th percentiles of the small store are compared by.
type Times = Vec<f64>;

/// Growth below so many milliseconds is noise of the machine.
const NOISE_MS: f64 = 1.0;

/// Events that come to a store that is filled.
const COMING: usize = 100_000;

/// Figures of an embedded store in `folder`; those of a smaller one are what they are compared with.
pub(crate) async fn embedded(
    folder: &Path,
    pages: Pages,
    smaller: Option<&Times>,
    table: &mut Table,
) -> anyhow::Result<Times> {
    let name = format!("embedded, {} pages", figure(pages.count));
    eprintln!("  {name}: filling");
    let url = StoreUrl::Embedded(folder.join("data"));
    let store = schema::store::open(&url, Migration::Apply, Durability::Process).await?;
    if let Some(rate) = fill(&*store, pages).await? {
        let what = format!("{name}: into the store, all tables and counts");
        table.add(&what, Wanted::AtLeast(rate_wanted(pages)), rate, "pages/s");
    }
    drop(store);
    table.add(&format!("{name}: on disk"), Wanted::AtMost(600.0), bytes_a_page(folder)?, "bytes a page");

    let stream = StreamServer::start().await;
    let port = free_port()?;
    let mut process = Process::start("pagetrack", &arguments(folder, stream.url().as_str(), port), folder)?;
    let base = format!("http://127.0.0.1:{port}");
    wait_for_any_answer(&base).await?;
    let times = measure_reads(&name, &base, pages, false, smaller, table).await?;
    table.add(&format!("{name}: peak memory of these reads"), Wanted::AtMost(256.0), process.peak_memory_mb()?, "MB");
    if pages.count == crate::MILLION {
        let arrivals = async {
            stream.wait_for_visits(1).await;
            let mut tick = interval(ARRIVE_EVERY);
            for arrivals in walk::arrivals(pages) {
                arrivals.into_iter().for_each(|(event, page)| stream.publish(page.created_at, event));
                tick.tick().await;
            }
            bail!("they come without end")
        };
        walk::measure(&name, &base, pages, arrivals, table).await?;
    }
    process.stop(Duration::from_secs(15)).await?;
    if smaller.is_some() {
        measure_rate(&name, folder, pages, table).await?;
    }
    Ok(times)
}

/// The whole pipeline of one process, from the stream on, over a store that is filled.
async fn measure_rate(name: &str, folder: &Path, pages: Pages, table: &mut Table) -> anyhow::Result<()> {
    let (rate, peak) = pipeline(folder, &coming()?).await?;
    let what = format!("{name}: stream → readable, {} more", figure(COMING));
    table.add(&what, Wanted::AtLeast(rate_wanted(pages)), rate, "events/s");
    let what = format!("{name}: peak memory meanwhile");
    table.add(&what, Wanted::AtMost(256.0), peak, "MB");
    Ok(())
}

/// Events of the present whose pages no earlier run has told.
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
fn coming() -> anyhow::Result<Vec<Bytes>> {
    let now = Utc::now();
    let first = now.timestamp().unsigned_abs() * COMING as u64;
    let events = ingest::sample::history(crate::SEED, COMING, now);
    (first..).zip(events).map(|(number, event)| event_of_own(&event, number)).collect()
}

fn rate_wanted(pages: Pages) -> f64 {
    if pages.count > 1_000_000 { 10_000.0 } else { 15_000.0 }
}

/// Figures of a keyspace on the real cluster.
pub(crate) async fn cassandra(
    cluster: &Cluster,
    pages: Pages,
    smaller: Option<&Times>,
    table: &mut Table,
) -> anyhow::Result<Times> {
    let name = format!("Cassandra, {} pages", figure(pages.count));
    eprintln!("  {name}: filling");
    let store = cluster.open_store().await?;
    if let Some(rate) = fill(&*store, pages).await? {
        table.add(&format!("{name}: into the tables"), Wanted::Stated, rate, "pages/s");
    }
    cluster.wait_for_rest().await?;
    let folder = tempfile::tempdir()?;
    let listen = format!("127.0.0.1:{}", free_port()?);
    let mut serve = cluster.start("pagetrack", &["serve", "--listen", &listen], folder.path())?;
    let base = format!("http://{listen}");
    wait_for_any_answer(&base).await?;
    let times = measure_reads(&name, &base, pages, true, smaller, table).await?;
    if pages.count == crate::MILLION {
        let arrivals = async {
            let mut tick = interval(ARRIVE_EVERY);
            for arrivals in walk::arrivals(pages) {
                let arrivals: Vec<Page> = arrivals.into_iter().map(|(_, page)| page).collect();
                store.write_pages(&arrivals, SystemClock.now()).await?;
                tick.tick().await;
            }
            bail!("they come without end")
        };
        walk::measure(&name, &base, pages, arrivals, table).await?;
    }
    serve.stop(Duration::from_secs(15)).await?;
    Ok(times)
}

async fn measure_reads(
    name: &str,
    base: &str,
    pages: Pages,
    is_cassandra: bool,
    smaller: Option<&Times>,
    table: &mut Table,
) -> anyhow::Result<Times> {
    let client = reqwest::Client::new();
    let mut times = Times::new();
    for (i, read) in reads(pages).into_iter().enumerate() {
        let wanted = if is_cassandra { read.wanted.1 } else { read.wanted.0 };
        let time = read.measure(&client, base).await?;
        table.add(&format!("{name}: {}, p99", read.what), Wanted::AtMost(wanted), time, "ms");
        if let (Some(growth), Some(small)) = (read.growth, smaller.and_then(|times| times.get(i))) {
            let wanted = if time - small < NOISE_MS { Wanted::NoiseAtMost(growth) } else { Wanted::AtMost(growth) };
            table.add(&format!("{name}: {}, ÷ 10,000 pages", read.what), wanted, time / small, "×");
        }
        times.push(time);
    }
    Ok(times)
}

/// The database's bytes by page; says which tables take them.
fn bytes_a_page(folder: &Path) -> anyhow::Result<f64> {
    let path = folder.join("data").join(DATABASE_FILE);
    let db = Connection::open(&path)?;
    db.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
    // An earlier run may have brought more than it was filled with.
    let pages: f64 = db.query_row("SELECT CAST(count(*) AS REAL) FROM pages", [], |row| row.get(0))?;
    let mut sizes =
        db.prepare("SELECT name, sum(pgsize) AS size FROM dbstat GROUP BY name ORDER BY size DESC LIMIT 16")?;
    let rows = sizes.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?)))?;
    for row in rows {
        let (name, size) = row?;
        eprintln!("    {name}: {:.1} bytes a page", size / pages);
    }
    Ok(std::fs::metadata(&path)?.len() as f64 / pages)
}

fn figure(count: usize) -> String {
    if count >= 1_000_000 { format!("{} million", count / 1_000_000) } else { format!("{},000", count / 1_000) }
}
