//! Verifying a store: every table and every count against a recount of `pages_by_time`.
//!
//! Each table is scanned once and digested hour by hour; only the hours whose digests differ are looked at row by row.
//! What differs is looked at again before it is told, so that pages that arrive meanwhile do not count as differences.
//! (While many pages come to hours that are over since long, as in a replay, a second look may still find what a third does
//! not.)
//! Memory: digests of all hours, the pages of one hour, the groups of one partition.
//!
//! Of one creation in `pages_by_time` the largest version counts. A row of another author with a smaller version may stay
//! in the tables that have the author in their key, as the rules of the tables allow it, and so may what counts of that
//! author; and in `pages_by_title` one under another title. `pages_by_id` may lack a creation of which it has a newer one. Lists may hold more than the pages say.

mod difference;
mod digest;
mod hours;
mod naming;
mod partitions;
mod periods;
mod repair;
mod tally;
#[cfg(test)]
pub(crate) mod tests;

pub use difference::{AccountsOf, Difference};
pub use repair::{Overrule, repair};

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, Page, WikiId};
use crate::period::Period;
use crate::query::{CountQuery, DomainRow, PageList, PageQuery, Series};
use crate::store::{OddRow, Scan, Sealing, Store, StoreError};
use crate::tables::Table;
use chrono::{DateTime, TimeDelta, Utc};
use digest::Digests;
use hours::HourPages;
use partitions::Partitions;
use repair::Wanted;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Rows of one part of a scan.
const PART: usize = 5_000;
/// The tables, and then the longer periods.
const STEPS: usize = Table::ALL.len() + 1;
/// Where counts lag behind pages, those of a period are compared this long after its end.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(10);
/// Passes of sealing before counts are compared; more than any number of pages needs.
const MAX_SEALINGS: usize = 10_000;

/// Passes after which what is left is not waited for.
const MAX_IDLE: usize = 3;

/// What is told while a store is verified.
#[derive(Debug)]
pub enum Event<'a> {
    /// Something differs.
    Difference(&'a Difference),
    /// How far it is.
    Progress(Progress),
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A table of pages, and the counts of its partitions.
    Table(Table),
    /// The counts of days, months and years.
    Periods,
}

impl Reading {
    /// The table's name, or what stands for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table(table) => table.name(),
            Self::Periods => "days, months and years",
        }
    }
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is read.
    pub reading: Reading,
    /// Rows read, of all tables.
    pub rows: u64,
    /// Roughly which share of all work is done, from 0 to 1.
    pub share: f64,
}

/// What a verification found.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Pages in `pages_by_time`.
    pub pages: u64,
    /// Rows read, of all tables.
    pub rows: u64,
    /// How much differs.
    pub differences: u64,
    /// Hours before it are frozen and were not looked at.
    pub frozen: Hour,
    /// Counts of periods that end later were not compared; none where all were.
    pub counted_until: Option<DateTime<Utc>>,
    wanted: Wanted,
}

/// Who hears of it.
pub type Tell<'a> = dyn FnMut(Event<'_>) + Send + 'a;

/// Verifies `store`. The present is `now`.
///
/// # Errors
/// The store's.
pub async fn verify(store: &dyn Store, now: DateTime<Utc>, tell: &mut Tell<'_>) -> Result<Verified, StoreError> {
    seal(store, now).await?;
    let until = store.counts_as_of().await?.map(|_| Until { end: now - SETTLED_AFTER, now, begun: Instant::now() });
    let from = store.retention().await?.frozen_before(now);
    let counted_until = until.map(|until| until.end);
    let found = Verified { pages: 0, rows: 0, differences: 0, frozen: from, counted_until, wanted: Wanted::from(from) };
    let mut run = Run { store, span: Span { from, until }, tell, found, steps_done: 0.0, domains: BTreeMap::new() };
    let truth = run.read_hours().await?;
    run.found.pages = truth.count();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::PagesByTime) {
        let digests = run.read_table(table).await?;
        let differing = truth.differing(&digests);
        run.name_rows(table, &differing, &truth, &digests).await?;
    }
    run.check_lists(&truth).await?;
    run.check_periods(&truth).await?;
    Ok(run.found)
}

/// Has the counts taken that await it, so that they can be compared.
async fn seal(store: &dyn Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut idle = 0;
    for _ in 0..MAX_SEALINGS {
        // What cannot be read cannot be counted: it is told as a row that differs, and mended.
        let pass = readable_pass(store.seal_counts(now).await)?;
        // The running hour rests between its sealings, and is not compared.
        idle = if pass.sealed == 0 { idle + 1 } else { 0 };
        if pass.left == 0 || idle == MAX_IDLE {
            break;
        }
    }
    Ok(())
}

/// The same before something is looked at again: pages may have come to a period that was counted.
async fn catch_up(store: &dyn Store, until: Option<Until>) -> Result<(), StoreError> {
    match until {
        Some(until) => seal(store, until.present()).await,
        None => Ok(()),
    }
}

/// A pass that met rows which cannot be read: their hours are left, for ever if nothing mends them.
fn readable_pass(pass: Result<Sealing, StoreError>) -> Result<Sealing, StoreError> {
    match pass {
        Err(StoreError::Corrupt(_)) => Ok(Sealing { left: 1, ..Sealing::default() }),
        pass => pass,
    }
}

/// Counts of periods that end later are not compared.
#[derive(Debug, Clone, Copy)]
struct Until {
    end: DateTime<Utc>,
    /// The present when the verification began.
    now: DateTime<Utc>,
    begun: Instant,
}

impl Until {
    /// A verification may take hours.
    fn present(&self) -> DateTime<Utc> {
        self.now + self.begun.elapsed()
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Hours before it are frozen: their pages may be gone, their counts stay. Nothing of them is looked at.
    from: Hour,
    /// Counts of periods that end later are not compared; none where counts are as new as the pages.
    until: Option<Until>,
}

impl Span {
    fn holds(&self, page: &Page) -> bool {
        Hour::of(page.created_at) >= self.from
    }

    fn is_settled(&self, period: Period) -> bool {
        self.until.is_none_or(|until| period.is_over(until.end))
    }

    /// All hours that may be compared.
    fn hours(&self) -> HourRange {
        HourRange { from: self.from, ..HourRange::ALL }
    }
}

/// A verification under way.
struct Run<'a, 'b> {
    store: &'a dyn Store,
    span: Span,
    tell: &'a mut Tell<'b>,
    found: Verified,
    steps_done: f64,
    /// The wikis that have pages, with the largest database name.
    domains: BTreeMap<Domain, WikiId>,
}

impl Run<'_, '_> {
    fn report(&mut self, difference: &Difference) {
        self.found.differences += 1;
        self.found.wanted.add(difference);
        (self.tell)(Event::Difference(difference));
    }

    fn report_all(&mut self, differences: Vec<Difference>) {
        differences.iter().for_each(|difference| self.report(difference));
    }

    /// Reads `pages_by_time` hour by hour, and compares the counts of each hour.
    async fn read_hours(&mut self) -> Result<Digests, StoreError> {
        let mut truth = Digests::default();
        let mut hour: Option<HourPages> = None;
        let mut scanning = Scanning::of(self.store, Scan::Table(Table::PagesByTime));
        while let Some(rows) = scanning.next().await? {
            self.found.rows += rows.len() as u64;
            self.progress(Reading::Table(Table::PagesByTime), scanning.share);
            for page in self.pages_of(Table::PagesByTime, rows) {
                let of = Hour::of(page.created_at);
                if let Some(whole) = hour.take_if(|pages| pages.hour != of) {
                    self.finish_hour(whole, &mut truth).await?;
                }
                hour.get_or_insert_with(|| HourPages::of(of)).pages.push(page);
            }
        }
        if let Some(whole) = hour {
            self.finish_hour(whole, &mut truth).await?;
        }
        self.steps_done += 1.0;
        Ok(truth)
    }

    async fn finish_hour(&mut self, hour: HourPages, truth: &mut Digests) -> Result<(), StoreError> {
        for page in hour.winners() {
            truth.add(page);
            let wiki = self.domains.entry(page.domain.clone()).or_insert_with(|| page.wiki.clone());
            if *wiki < page.wiki {
                *wiki = page.wiki.clone();
            }
        }
        let differences = hours::check_counts(self.store, hour, self.span).await?;
        self.report_all(differences);
        Ok(())
    }

    /// Reads another table, and compares the counts and accounts of its partitions.
    async fn read_table(&mut self, table: Table) -> Result<Digests, StoreError> {
        let mut digests = Digests::default();
        let mut partitions = Partitions::of(self.store, table, self.span);
        let mut scanning = Scanning::of(self.store, Scan::Table(table));
        while let Some(rows) = scanning.next().await? {
            self.found.rows += rows.len() as u64;
            self.progress(Reading::Table(table), scanning.share);
            for page in self.pages_of(table, rows) {
                digests.add(&page);
                let found = partitions.add(page).await?;
                self.report_all(found);
            }
        }
        let found = partitions.finish().await?;
        self.report_all(found);
        self.steps_done += 1.0;
        Ok(digests)
    }

    /// The pages of rows that may be compared; what is no page's is told.
    fn pages_of(&mut self, table: Table, rows: Vec<Result<Page, OddRow>>) -> Vec<Page> {
        let mut pages = Vec::with_capacity(rows.len());
        for row in rows {
            match row {
                Ok(page) => pages.extend(self.span.holds(&page).then_some(page)),
                Err(odd) if odd.hour.is_some_and(|hour| hour < self.span.from) => {}
                Err(odd) => self.report(&Difference::Odd(table, odd)),
            }
        }
        pages
    }

    fn progress(&mut self, reading: Reading, share_of_step: f64) {
        let share = (self.steps_done + share_of_step) / STEPS as f64;
        (self.tell)(Event::Progress(Progress { reading, rows: self.found.rows, share }));
    }

    /// The lists of wikis and of hours must hold what the pages say.
    async fn check_lists(&mut self, truth: &Digests) -> Result<(), StoreError> {
        let listed: BTreeMap<Domain, WikiId> =
            self.store.domains().await?.into_iter().map(|DomainRow { domain, wiki }| (domain, wiki)).collect();
        for (domain, wanted) in std::mem::take(&mut self.domains) {
            let stored = listed.get(&domain);
            // A larger one was that of a version that made way.
            if stored.is_none_or(|stored| *stored < wanted) {
                let stored = stored.cloned();
                self.report(&Difference::Domain { domain: domain.clone(), stored, wanted: Some(wanted.clone()) });
            }
            self.domains.insert(domain, wanted);
        }
        for (domain, wiki) in listed.iter().filter(|(domain, _)| !self.domains.contains_key(domain)).collect::<Vec<_>>()
        {
            let newest = PageQuery::newest(PageList::Domain(domain.clone()), 1);
            if readable(self.store.list_pages(&newest).await)?.pages.is_empty() && !self.had_pages(domain).await? {
                self.report(&Difference::Domain { domain: domain.clone(), stored: Some(wiki.clone()), wanted: None });
            }
        }
        let hours: BTreeSet<Hour> = self.store.listed_hours().await?.into_iter().collect();
        for hour in truth.hours().filter(|hour| !hours.contains(hour)) {
            self.report(&Difference::UnlistedHour(hour));
        }
        Ok(())
    }
}

impl Run<'_, '_> {
    /// Whether pages of a wiki are counted in hours whose pages may be gone.
    async fn had_pages(&self, domain: &Domain) -> Result<bool, StoreError> {
        let frozen = HourRange { from: Hour::MIN, to: self.span.from };
        let query = CountQuery::total(Series::Domain(domain.clone()), frozen);
        let counts = readable(self.store.counts(&query).await)?.unwrap_or_default();
        Ok(counts.iter().any(|count| count.page_count > 0))
    }
}

/// An answer, or none where the store finds what no writer wrote: the row that is wrong is told by itself.
fn readable<T: Default>(answer: Result<T, StoreError>) -> Result<T, StoreError> {
    match answer {
        Err(StoreError::Corrupt(_)) => Ok(T::default()),
        other => other,
    }
}

/// A scan, part by part.
struct Scanning<'a> {
    store: &'a dyn Store,
    scan: Scan,
    next: Option<crate::store::ScanPosition>,
    is_at_end: bool,
    share: f64,
}

impl<'a> Scanning<'a> {
    fn of(store: &'a dyn Store, scan: Scan) -> Self {
        Self { store, scan, next: None, is_at_end: false, share: 0.0 }
    }

    /// The next rows; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<Result<Page, OddRow>>>, StoreError> {
        if self.is_at_end {
            return Ok(None);
        }
        let part = self.store.scan(self.scan, self.next.as_ref(), PART).await?;
        self.is_at_end = part.next.is_none();
        (self.next, self.share) = (part.next, part.share);
        Ok(Some(part.rows))
    }
}
