//! Mending what a verification found.
//!
//! `pages_by_time` is taken for true; but a page that only another table has is a page, and of two versions of one
//! creation the larger is right. So nothing is lost by a repair: such pages are written into all tables.

use crate::hour::Hour;
use crate::page::{Page, PageKey};
use crate::query::{DomainRow, PageList};
use crate::store::{Repair, Store, StoreError};
use crate::tables::Table;
use crate::verify::hours::HourPages;
use crate::verify::partitions::{load_list, newest_by_account};
use crate::verify::{AccountsOf, Difference, Verified, readable};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};

/// Pages written at once.
const BATCH: usize = 1_000;
/// Pages that are kept to be written; beyond, their hours are.
const MOST_PAGES: usize = 100_000;

/// What is to be mended.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Hours before it are left as they are.
    from: Hour,
    tables: BTreeSet<Table>,
    pages: Vec<Page>,
    /// Hours whose pages are all to be written again.
    hours: BTreeSet<Hour>,
    counts: BTreeSet<Hour>,
    domains: Vec<DomainRow>,
    unlisted: Vec<Hour>,
    accounts: Vec<AccountsOf>,
}

impl Wanted {
    /// Nothing yet; of hours from `from` on.
    pub(super) fn from(from: Hour) -> Self {
        let (tables, pages, hours, counts) = <(BTreeSet<_>, Vec<_>, BTreeSet<_>, BTreeSet<_>)>::default();
        Self { from, tables, pages, hours, counts, domains: Vec::new(), unlisted: Vec::new(), accounts: Vec::new() }
    }

    pub(super) fn add(&mut self, difference: &Difference) {
        match difference {
            Difference::Missing(table, page) | Difference::Extra(table, page) => self.add_page(*table, page),
            Difference::Different { table, wanted, stored } => {
                let is_newer = stored.version > wanted.version && has_version_of_event(stored);
                let right = if is_newer { stored } else { wanted };
                self.add_page(*table, right);
            }
            Difference::Odd(table, _) => drop(self.tables.insert(*table)),
            Difference::Hour { table, hour, .. } => {
                self.tables.insert(*table);
                self.hours.insert(*hour);
            }
            Difference::Domain { domain, wanted, .. } => {
                let row = wanted.clone().map(|wiki| DomainRow { domain: domain.clone(), wiki });
                self.domains.extend(row);
            }
            Difference::UnlistedHour(hour) => self.unlisted.push(*hour),
            Difference::Accounts(accounts) => self.accounts.push(accounts.clone()),
            Difference::Count { count, .. } => drop(self.counts.insert(count.period.start.max(self.from))),
            Difference::UserCount { period, .. } => drop(self.counts.insert(period.start.max(self.from))),
        }
    }

    fn add_page(&mut self, table: Table, page: &Page) {
        // Which of the two lacks or spoils it is not known.
        self.tables.extend([table, Table::PagesByTime]);
        if self.pages.len() < MOST_PAGES {
            self.pages.push(page.clone());
        } else {
            self.hours.insert(Hour::of(page.created_at));
        }
    }
}

/// Whether no hand has changed the title since: an event's version lies within the second of its page.
fn has_version_of_event(page: &Page) -> bool {
    (0..1_000_000).contains(&(page.version - page.created_at.timestamp_micros()))
}

/// As which version rows are written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrule {
    /// Their own.
    Nothing,
    /// The present's: a row that a hand changed or deleted later than its page was made is not mended by its own version.
    LaterChanges,
}

/// Mends what `found` says.
///
/// # Errors
/// The store's. May be done again.
pub async fn repair(
    store: &dyn Store,
    found: &Verified,
    overrule: Overrule,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wanted = &found.wanted;
    let to = Writing { store, overrule, now };
    // Before the tables: where these are indexes, they are made of the names.
    store.repair(Repair::Domains(wanted.domains.clone()), now).await?;
    // What is counted and stands in no table, a store that keeps pages once has lost from its tables.
    let has_only_counts = wanted.tables.is_empty() && !wanted.counts.is_empty();
    for table in Table::ALL.into_iter().filter(|table| has_only_counts || wanted.tables.contains(table)) {
        store.repair(Repair::Table(table), now).await?;
    }
    to.write(wanted.pages.clone()).await?;
    for hour in &wanted.hours {
        to.write(HourPages::load(store, *hour).await?.winners().cloned().collect()).await?;
    }
    store.repair(Repair::Hours(wanted.unlisted.clone()), now).await?;
    for accounts in wanted.accounts.chunks(BATCH) {
        store.repair(Repair::Accounts(newest_of(store, accounts).await?), now).await?;
    }
    if !wanted.counts.is_empty() {
        store.repair(Repair::Counts(wanted.counts.iter().copied().collect()), now).await?;
    }
    Ok(())
}

/// The newest page of each account, as the tables of numbers and of names have them.
async fn newest_of(store: &dyn Store, accounts: &[AccountsOf]) -> Result<Vec<Page>, StoreError> {
    let mut newest = Vec::new();
    for of in accounts {
        let list = match of {
            AccountsOf::Id(user_id) => PageList::UserId(*user_id),
            AccountsOf::Name(name) => PageList::UserName(name.clone()),
        };
        newest.extend(newest_by_account(load_list(store, &list).await?.iter()).into_values());
    }
    Ok(newest)
}

/// Where and how pages are written again.
struct Writing<'a> {
    store: &'a dyn Store,
    overrule: Overrule,
    now: DateTime<Utc>,
}

impl Writing<'_> {
    async fn write(&self, pages: Vec<Page>) -> Result<(), StoreError> {
        let (mut pages, mut newer) = (largest_versions(pages), Vec::new());
        if self.overrule == Overrule::LaterChanges {
            // By a page's number its newest creation must be found: that one has to overrule the others, of those that are
            // written too.
            pages.sort_by_key(|page| page.created_at);
            let keys: Vec<_> = pages.iter().map(|page| (page.domain.clone(), page.page_id)).collect();
            let newest = readable(self.store.load_pages(&keys).await)?.into_iter().flatten();
            let times: HashMap<_, _> = keys.into_iter().zip(pages.iter().map(|page| page.created_at)).collect();
            newer.extend(newest.filter(|page| times[&(page.domain.clone(), page.page_id)] < page.created_at));
            let version = self.now.timestamp_micros();
            let mut ranks: HashMap<_, i64> = HashMap::new();
            for page in pages.iter_mut().chain(&mut newer) {
                let rank = ranks.entry((page.domain.clone(), page.page_id)).or_default();
                page.version = page.version.max(version + *rank);
                *rank += 1;
            }
        }
        for batch in pages.chunks(BATCH).chain(newer.chunks(BATCH)) {
            self.store.repair(Repair::Pages(batch.to_vec()), self.now).await?;
        }
        Ok(())
    }
}

/// Of two versions of one creation the larger one: written as one version, each would stay under its author or title.
fn largest_versions(pages: Vec<Page>) -> Vec<Page> {
    let mut largest: HashMap<PageKey, Page> = HashMap::new();
    for page in pages {
        let known = largest.get(&page.key()).map_or(i64::MIN, |known| known.version);
        if page.version > known {
            largest.insert(page.key(), page);
        }
    }
    largest.into_values().collect()
}
