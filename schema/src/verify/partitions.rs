//! The partitions of a table while it is scanned: their counts, and the accounts that they find.

use crate::page::{Domain, Page, UserId};
use crate::query::{PageList, PageQuery, Series, TimeSpan};
use crate::store::{Store, StoreError};
use crate::tables::Table;
use crate::verify::tally::{Tally, Wikis, series_differences};
use crate::verify::{AccountsOf, Difference, PART, Span, catch_up, readable};
use chrono::TimeDelta;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, TryStreamExt};
use std::collections::BTreeMap;

/// Partitions compared side by side.
const AT_ONCE: usize = 32;

/// Takes a table's pages in its order, and compares each partition when it is whole.
pub(super) struct Partitions<'a> {
    store: &'a dyn Store,
    table: Table,
    span: Span,
    open: Option<Partition>,
    checks: FuturesUnordered<BoxFuture<'a, Result<Vec<Difference>, StoreError>>>,
}

/// The newest page of each account, in the order of the store's answers.
pub(super) type Newest = BTreeMap<(Domain, UserId), Page>;

struct Partition {
    first: Page,
    tally: Tally,
    newest: Newest,
}

impl<'a> Partitions<'a> {
    pub(super) fn of(store: &'a dyn Store, table: Table, span: Span) -> Self {
        Self { store, table, span, open: None, checks: FuturesUnordered::new() }
    }

    /// Takes a page; what differs in partitions before it.
    pub(super) async fn add(&mut self, page: Page) -> Result<Vec<Difference>, StoreError> {
        if !is_compared(self.table) {
            return Ok(Vec::new());
        }
        let is_of_open = |open: &Partition| is_same_partition(self.table, &open.first, &page);
        let mut found = Vec::new();
        if self.open.as_ref().is_some_and(|open| !is_of_open(open)) {
            self.close();
            while self.checks.len() > AT_ONCE {
                found.extend(self.checks.try_next().await?.unwrap_or_default());
            }
        }
        let open = self.open.get_or_insert_with(|| Partition {
            first: page.clone(),
            tally: Tally::default(),
            newest: Newest::new(),
        });
        open.tally.add(&page, Wikis::Apart);
        if accounts_of(self.table, &page).is_some() {
            open.newest.entry((page.domain.clone(), page.user_id)).or_insert(page);
        }
        Ok(found)
    }

    /// What differs in the partitions that are left.
    pub(super) async fn finish(mut self) -> Result<Vec<Difference>, StoreError> {
        self.close();
        self.checks.try_concat().await
    }

    fn close(&mut self) {
        if let Some(whole) = self.open.take() {
            let check = Check { store: self.store, table: self.table, span: self.span };
            self.checks.push(async move { check.compare(whole).await }.boxed());
        }
    }
}

fn is_compared(table: Table) -> bool {
    matches!(table, Table::PagesByDomain | Table::PagesByUser | Table::PagesByAccount | Table::PagesByUserName)
}

fn is_same_partition(table: Table, a: &Page, b: &Page) -> bool {
    match table {
        Table::PagesByDomain => a.domain == b.domain,
        Table::PagesByUser => a.user_id == b.user_id,
        Table::PagesByAccount => a.user_id == b.user_id && a.domain == b.domain,
        Table::PagesByUserName => a.user_name == b.user_name,
        Table::PagesById | Table::PagesByTime | Table::LatestPages | Table::PagesByTitle => false,
    }
}

/// The list of a page in a table.
pub(super) fn list_of(table: Table, page: &Page) -> PageList {
    match table {
        Table::PagesByDomain => PageList::Domain(page.domain.clone()),
        Table::PagesByUser => PageList::UserId(page.user_id),
        Table::PagesByAccount => PageList::User(page.domain.clone(), page.user_id),
        Table::PagesByUserName => PageList::UserName(page.user_name.clone()),
        Table::PagesById | Table::PagesByTime | Table::LatestPages | Table::PagesByTitle => PageList::All,
    }
}

/// The series that a partition is.
fn series_of(table: Table, page: &Page) -> Option<Series> {
    match table {
        Table::PagesByDomain => Some(Series::Domain(page.domain.clone())),
        Table::PagesByAccount => Some(Series::User(page.domain.clone(), page.user_id)),
        Table::PagesByUserName => Some(Series::UserName(page.user_name.clone())),
        _ => None,
    }
}

/// Whose accounts a partition finds.
fn accounts_of(table: Table, page: &Page) -> Option<AccountsOf> {
    match table {
        Table::PagesByUser => Some(AccountsOf::Id(page.user_id)),
        Table::PagesByUserName => Some(AccountsOf::Name(page.user_name.clone())),
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Check<'a> {
    store: &'a dyn Store,
    table: Table,
    span: Span,
}

impl Check<'_> {
    async fn compare(self, whole: Partition) -> Result<Vec<Difference>, StoreError> {
        let (counts, accounts) = (self.count_differences(&whole).await?, self.account_difference(&whole).await?);
        if counts.is_empty() && accounts.is_none() {
            return Ok(counts);
        }
        self.compare_again(&whole.first).await
    }

    /// Pages may have come since, and of rows that lost it is open whether they are counted and whether they are found.
    async fn compare_again(self, first: &Page) -> Result<Vec<Difference>, StoreError> {
        catch_up(self.store, self.span.until).await?;
        let mut pages = load_list(self.store, &list_of(self.table, first)).await?;
        pages.retain(|page| self.span.holds(page));
        let again = partition_of(first, pages.iter());
        let (mut counts, mut accounts) =
            (self.count_differences(&again).await?, self.account_difference(&again).await?);
        let differs = !counts.is_empty() || accounts.is_some();
        if differs && self.table != Table::PagesByDomain {
            let mut winners = Vec::new();
            for page in &pages {
                winners.extend(self.has_won(page).await?.then_some(page));
            }
            let without_losers = partition_of(first, winners.iter().copied());
            if winners.len() < pages.len() && self.count_differences(&without_losers).await?.is_empty() {
                counts.clear();
            }
            if winners.len() < pages.len() && self.account_difference(&without_losers).await?.is_none() {
                accounts = None;
            }
        }
        Ok(counts.into_iter().chain(accounts).collect())
    }

    async fn count_differences(&self, whole: &Partition) -> Result<Vec<Difference>, StoreError> {
        match series_of(self.table, &whole.first) {
            Some(series) => series_differences(self.store, &series, &whole.tally, self.span).await,
            None => Ok(Vec::new()),
        }
    }

    async fn account_difference(&self, whole: &Partition) -> Result<Option<Difference>, StoreError> {
        let Some(accounts) = accounts_of(self.table, &whole.first) else { return Ok(None) };
        let stored = match &accounts {
            AccountsOf::Id(user_id) => readable(self.store.users_by_id(*user_id).await)?,
            AccountsOf::Name(name) => readable(self.store.users_by_name(name).await)?,
        };
        // Of accounts whose newest page is in a frozen hour nothing is known.
        let stored = newest_by_account(stored.iter().filter(|page| self.span.holds(page)));
        // A later page, or another account, came while the table was read; its rows are compared by themselves.
        let is_later =
            |stored: &Page, page: &Page| (stored.created_at, stored.page_id) > (page.created_at, page.page_id);
        let finds = |stored: &Page, page: &Page| stored == page || is_later(stored, page);
        let differs =
            whole.newest.iter().any(|(account, page)| !stored.get(account).is_some_and(|stored| finds(stored, page)));
        Ok(differs.then_some(Difference::Accounts(accounts)))
    }

    /// Whether the table of wikis has this page, and not one of a larger version.
    async fn has_won(&self, page: &Page) -> Result<bool, StoreError> {
        let stored = load_row(self.store, Table::PagesByDomain, page).await?;
        Ok(stored.is_none_or(|stored| stored.version <= page.version))
    }
}

fn partition_of<'p>(first: &Page, pages: impl Iterator<Item = &'p Page> + Clone) -> Partition {
    let tally = Tally::of(pages.clone(), Wikis::Apart);
    Partition { first: first.clone(), tally, newest: newest_by_account(pages) }
}

/// The first page of each account.
pub(super) fn newest_by_account<'p>(pages: impl Iterator<Item = &'p Page>) -> Newest {
    let mut newest = Newest::new();
    for page in pages {
        newest.entry((page.domain.clone(), page.user_id)).or_insert_with(|| page.clone());
    }
    newest
}

/// A whole list.
pub(super) async fn load_list(store: &dyn Store, list: &PageList) -> Result<Vec<Page>, StoreError> {
    let mut query = PageQuery::newest(list.clone(), PART);
    let mut pages = Vec::new();
    loop {
        let slice = readable(store.list_pages(&query).await)?;
        pages.extend(slice.pages);
        if slice.next.is_none() {
            return Ok(pages);
        }
        query.after = slice.next;
    }
}

/// The row of a page in a table that is not `pages_by_time`.
pub(super) async fn load_row(store: &dyn Store, table: Table, page: &Page) -> Result<Option<Page>, StoreError> {
    if table == Table::PagesById {
        return Ok(readable(store.load_pages(&[(page.domain.clone(), page.page_id)]).await)?.pop().flatten());
    }
    if table == Table::PagesByTitle {
        let under_title = readable(store.pages_by_title(&page.domain, &page.page_title, PART).await)?;
        return Ok(under_title.into_iter().find(|row| row.key() == page.key()));
    }
    let during = TimeSpan { from: Some(page.created_at), to: Some(page.created_at + TimeDelta::seconds(1)) };
    let mut query = PageQuery { during, ..PageQuery::newest(list_of(table, page), PART) };
    loop {
        let slice = readable(store.list_pages(&query).await)?;
        if let Some(row) = slice.pages.into_iter().find(|row| row.key() == page.key()) {
            return Ok(Some(row));
        }
        if slice.next.is_none() {
            return Ok(None);
        }
        query.after = slice.next;
    }
}
