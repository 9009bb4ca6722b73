//! Which rows differ in the hours whose digests do.

use crate::hour::Hour;
use crate::page::{Page, PageKey, UserId};
use crate::store::{Scan, Store, StoreError};
use crate::tables::Table;
use crate::verify::digest::Digests;
use crate::verify::hours::HourPages;
use crate::verify::partitions::load_row;
use crate::verify::{Difference, Run, Scanning};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet};

/// Pages of hours that are looked at in one scan.
const PAGES_AT_ONCE: u64 = 200_000;
/// So many pages are looked up one by one rather than found by a scan of the whole table; fewer in tests, which try both.
const MOST_LOOKED_UP: u64 = if cfg!(test) { 60 } else { 20_000 };
/// Rows that are looked up side by side.
const ROWS_AT_ONCE: usize = 32;
/// When a table has so many differing rows, the hours that are left are told as wholes.
const MOST_NAMED: u64 = 10_000;

/// The winners of some hours.
type Truth = HashMap<PageKey, Page>;

impl Run<'_, '_> {
    /// Tells what differs in `hours` of a table.
    pub(super) async fn name_rows(
        &mut self,
        table: Table,
        hours: &[Hour],
        truth: &Digests,
        digests: &Digests,
    ) -> Result<(), StoreError> {
        let before = self.found.differences;
        let mut left = hours;
        while !left.is_empty() {
            if self.found.differences - before > MOST_NAMED {
                self.tell_hours(table, left, truth, digests);
                return Ok(());
            }
            let (some, rest) = left.split_at(fitting(left, truth, digests));
            left = rest;
            let pages: u64 = some.iter().map(|hour| truth.of(*hour).count).sum();
            if table == Table::PagesById || pages <= MOST_LOOKED_UP {
                self.look_rows_up(table, some, digests).await?;
            } else {
                let candidates = candidates(self.store, table, some).await?;
                self.tell_candidates(table, candidates).await?;
            }
        }
        Ok(())
    }

    fn tell_hours(&mut self, table: Table, hours: &[Hour], truth: &Digests, digests: &Digests) {
        for hour in hours {
            let (stored, wanted) = (digests.of(*hour).count, truth.of(*hour).count);
            self.report(&Difference::Hour { table, hour: *hour, stored, wanted });
        }
    }

    /// Looks the row of each page up, and scans the table only where it had more rows of an hour than these: for few pages,
    /// as in an hour to which pages come meanwhile. And in `pages_by_id`, where many hours differ rightly: of a page that
    /// was made again it has the newest creation.
    async fn look_rows_up(&mut self, table: Table, hours: &[Hour], digests: &Digests) -> Result<(), StoreError> {
        let (mut differing, mut to_scan) = (Vec::new(), Vec::new());
        for hour in hours {
            let pages = HourPages::load(self.store, *hour).await?;
            let rows: Vec<_> = pages.winners().map(|page| with_row(self.store, table, page)).collect();
            let rows: Vec<_> = stream::iter(rows).buffered(ROWS_AT_ONCE).try_collect().await?;
            let of_hour = rows.iter().filter(|(page, row)| row.as_ref().is_some_and(|row| row.key() == page.key()));
            let found = of_hour.count() as u64;
            // Where pages may have come since the table was read, more are no wonder.
            let may_grow = self.span.until.is_some_and(|until| hour.end() > until.end);
            if found < digests.of(*hour).count || (found > digests.of(*hour).count && !may_grow) {
                to_scan.push(*hour);
            }
            let differs = |(page, row): &(&Page, Option<Page>)| difference(table, Some(page), row.as_ref()).is_some();
            differing.extend(rows.into_iter().filter(differs).map(|(page, _)| page.clone()));
        }
        if !to_scan.is_empty() {
            let truth = load_truth(self.store, &to_scan).await?;
            let scanned = candidates(self.store, table, &to_scan).await?;
            differing.extend(scanned.into_iter().filter(|page| truth.get(&page.key()) != Some(page)));
        }
        self.tell_candidates(table, differing).await
    }

    /// Looks at each once more, and tells what still differs.
    async fn tell_candidates(&mut self, table: Table, candidates: Vec<Page>) -> Result<(), StoreError> {
        let mut hours: Vec<Hour> = candidates.iter().map(|page| Hour::of(page.created_at)).collect();
        hours.sort_unstable();
        hours.dedup();
        let truth = load_truth(self.store, &hours).await?;
        let mut told = HashSet::new();
        for page in &candidates {
            let wanted = truth.get(&page.key());
            let stored = load_row(self.store, table, page).await?;
            // One line for a page, though both its right row and a wrong one were candidates.
            let found = difference(table, wanted, stored.as_ref());
            if let Some(difference) = found.filter(|_| told.insert(row_of(table, page))) {
                self.report(&difference);
            }
        }
        Ok(())
    }
}

async fn with_row<'p>(store: &dyn Store, table: Table, page: &'p Page) -> Result<(&'p Page, Option<Page>), StoreError> {
    Ok((page, load_row(store, table, page).await?))
}

/// How many of the hours are looked at in one scan: at least one.
fn fitting(hours: &[Hour], truth: &Digests, digests: &Digests) -> usize {
    let mut pages = 0;
    let fits = |hour: &&Hour| {
        pages += truth.of(**hour).count + digests.of(**hour).count;
        pages <= PAGES_AT_ONCE
    };
    hours.iter().take_while(fits).count().max(1)
}

async fn load_truth(store: &dyn Store, hours: &[Hour]) -> Result<Truth, StoreError> {
    let mut truth = Truth::new();
    for hour in hours {
        let pages = HourPages::load(store, *hour).await?;
        truth.extend(pages.winners().map(|page| (page.key(), page.clone())));
    }
    Ok(truth)
}

/// Pages of these hours that the table has otherwise than `pages_by_time`, as the one or the other has them.
async fn candidates(store: &dyn Store, table: Table, hours: &[Hour]) -> Result<Vec<Page>, StoreError> {
    let mut missing = load_truth(store, hours).await?;
    let hours: HashSet<Hour> = hours.iter().copied().collect();
    let mut candidates = Vec::new();
    let mut scanning = Scanning::of(store, Scan::Table(table));
    while let Some(rows) = scanning.next().await? {
        for page in rows.into_iter().flatten().filter(|page| hours.contains(&Hour::of(page.created_at))) {
            if missing.get(&page.key()) == Some(&page) {
                missing.remove(&page.key());
            } else {
                candidates.push(page);
            }
        }
    }
    candidates.extend(missing.into_values());
    Ok(candidates)
}

/// Which row of a table a page is: the creation's, and where others of other authors or titles may stay beside it, whose.
fn row_of(table: Table, page: &Page) -> (PageKey, Option<UserId>, String) {
    match table {
        Table::PagesByTitle => (page.key(), None, page.page_title.clone()),
        _ => (page.key(), Some(page.user_id), page.user_name.clone()),
    }
}

/// How the row of a creation, if there is one, differs from the page of `pages_by_time`, if there is one.
fn difference(table: Table, wanted: Option<&Page>, stored: Option<&Page>) -> Option<Difference> {
    match (wanted, stored) {
        (None, None) => None,
        (None, Some(stored)) => Some(Difference::Extra(table, stored.clone().into())),
        (Some(wanted), None) => Some(Difference::Missing(table, wanted.clone().into())),
        (Some(wanted), Some(stored)) if wanted == stored || may_stay(table, wanted, stored) => None,
        (Some(wanted), Some(stored)) => {
            Some(Difference::Different { table, wanted: wanted.clone().into(), stored: stored.clone().into() })
        }
    }
}

/// Whether the rules allow the row: a newer creation by the page's number, or the row of an author or title that lost.
fn may_stay(table: Table, wanted: &Page, stored: &Page) -> bool {
    let has_author_in_key = matches!(table, Table::PagesByUser | Table::PagesByAccount | Table::PagesByUserName);
    let is_of_other = (wanted.user_id, &wanted.user_name) != (stored.user_id, &stored.user_name);
    let has_other_title = wanted.page_title != stored.page_title;
    match table {
        Table::PagesById => stored.created_at > wanted.created_at,
        Table::PagesByTitle => has_other_title && stored.version < wanted.version,
        _ => has_author_in_key && is_of_other && stored.version < wanted.version,
    }
}
