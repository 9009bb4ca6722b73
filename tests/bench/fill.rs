//! Stores of a given size: the sample's pages over as many days as the stream would take for them, on 1,000 wikis.

use crate::people::of_many;
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use schema::clock::{Clock, SystemClock};
use schema::page::{Page, PageId};
use schema::store::{PipelineRecord, Store};
use std::time::Instant;

/// Pages a day: what the stream gives.
const PAGES_A_DAY: usize = 150_000;
/// Wikis that get one page each, beside those of the sample.
const MORE_WIKIS: usize = 1_000;
const BATCH: usize = 2_000;
/// The record of the days that are written.
const FILLED: &str = "bench-filled";
/// Batches in flight, as the writer has them.
const IN_FLIGHT: usize = 4;

/// `count` pages up to `now`, oldest first, cut into days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    pub(crate) count: usize,
    pub(crate) now: DateTime<Utc>,
}

impl Pages {
    fn days(self) -> usize {
        self.count.div_ceil(PAGES_A_DAY)
    }

    /// The pages of one day; the last day ends now.
    fn of_day(self, day: usize) -> impl Iterator<Item = Page> {
        let left = self.count - day * PAGES_A_DAY;
        let end = self.now - TimeDelta::days(i64::try_from(self.days() - 1 - day).expect("a few days"));
        let seed = crate::SEED + day as u64;
        let events = ingest::sample::history(seed, left.min(PAGES_A_DAY), end);
        let clean = |event: bytes::Bytes| ingest::clean::clean(&event).expect("sample events are clean");
        let number = move |n: usize| (day * PAGES_A_DAY + n) as u64;
        (0..).zip(events.map(clean)).map(move |(n, page)| of_many(of_own(page, day, n), number(n)))
    }

    /// All pages.
    pub(crate) fn all(self) -> impl Iterator<Item = Page> {
        (0..self.days()).flat_map(move |day| self.of_day(day))
    }

    /// Over how many hours they are spread.
    pub(crate) fn hours(self) -> i64 {
        24 * i64::try_from(self.days()).expect("a few days")
    }

    /// When half of the pages had been created.
    pub(crate) fn middle(self) -> DateTime<Utc> {
        self.now - TimeDelta::hours(self.hours() / 2)
    }
}

/// Another page than those of other days; the first ones on wikis of their own.
fn of_own(page: Page, day: usize, number: usize) -> Page {
    let page_id = page.page_id.get() + day as u64 * 1_000_000_000;
    let page = Page { page_id: PageId::new(page_id).expect("within the limits"), ..page };
    if day > 0 || number >= MORE_WIKIS {
        return page;
    }
    let (domain, wiki) = (format!("w{number}.wikipedia.org"), format!("w{number}wiki"));
    Page { domain: domain.parse().expect("a domain"), wiki: wiki.parse().expect("a database name"), ..page }
}

/// Writes the days that are missing, and has them counted; pages per second of what was written, none where nothing was.
pub(crate) async fn fill(store: &dyn Store, pages: Pages) -> anyhow::Result<Option<f64>> {
    let from = days_filled(store).await?;
    let (begun, mut written) = (Instant::now(), 0);
    for day in from..pages.days() {
        let batches: Vec<Vec<Page>> = chunks(pages.of_day(day));
        written += batches.iter().map(Vec::len).sum::<usize>();
        let writes = batches.iter().map(|batch| store.write_pages(batch, SystemClock.now()));
        stream::iter(writes).buffer_unordered(IN_FLIGHT).map_ok(drop).try_collect::<()>().await?;
        note_filled(store, day + 1).await?;
        if pages.days() > 10 {
            eprintln!("    day {} of {}, {:.0} s", day + 1, pages.days(), begun.elapsed().as_secs_f64());
        }
    }
    let rate = written as f64 / begun.elapsed().as_secs_f64();
    count_all(store, pages.now).await?;
    Ok((written > 0).then_some(rate))
}

/// Whole days that an earlier run, which may have been interrupted, wrote.
async fn days_filled(store: &dyn Store) -> anyhow::Result<usize> {
    let records = store.records(FILLED).await?;
    let record = records.iter().find(|record| record.key == FILLED);
    record.map_or(Ok(0), |record| Ok(std::str::from_utf8(&record.payload)?.parse()?))
}

async fn note_filled(store: &dyn Store, days: usize) -> anyhow::Result<()> {
    let payload = days.to_string().into();
    let record = PipelineRecord { kind: FILLED.into(), key: FILLED.into(), payload };
    Ok(store.put_record(&record).await?)
}

async fn count_all(store: &dyn Store, now: DateTime<Utc>) -> anyhow::Result<()> {
    let begun = Instant::now();
    // By the clock of tomorrow the running hour is over: nothing waits.
    while store.seal_counts(now + TimeDelta::days(1)).await.context("sealing")?.left > 0 {
        anyhow::ensure!(begun.elapsed().as_secs() < 3_600, "the counts are not sealed after an hour");
    }
    Ok(())
}

fn chunks(pages: impl Iterator<Item = Page>) -> Vec<Vec<Page>> {
    let mut batches: Vec<Vec<Page>> = Vec::new();
    for page in pages {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH => batch.push(page),
            _ => batches.push(vec![page]),
        }
    }
    batches
}
