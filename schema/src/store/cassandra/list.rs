//! The lists of pages: keyset pages in each list's order.
//!
//! A slice begins behind a position. An end of the time span is one too: nothing lies between `(to, "", "")` and the
//! first page before `to`. So each list has one statement.

use crate::hour::Hour;
use crate::page::{Page, PageKey};
use crate::query::{MAX_ROWS_READ, PageList, PageQuery, PageSlice};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::hours::{Direction, HourWalk};
use crate::store::cassandra::rows::pages_of;
use crate::store::cassandra::slices::visit_pages;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use std::ops::ControlFlow;

/// Rows that are read at once while a filter drops some.
const FILTERED_PAGE_ROWS: usize = 500;

/// A partition that holds pages newest first.
pub(super) enum Partition {
    Domain(String),
    UserId(String),
    Account(String, String),
    UserName(String),
    Hour(Hour),
}

impl Partition {
    /// The partition of a list; none where it goes over many.
    pub(super) fn of(list: &PageList) -> Option<Self> {
        match list {
            PageList::All => None,
            PageList::Domain(domain) => Some(Self::Domain(domain.to_string())),
            PageList::UserId(user_id) => Some(Self::UserId(user_id.to_string())),
            PageList::User(domain, user_id) => Some(Self::Account(domain.to_string(), user_id.to_string())),
            PageList::UserName(name) => Some(Self::UserName(name.clone())),
        }
    }
}

/// Between which positions of a list.
pub(super) struct Bounds {
    before: DateTime<Utc>,
    page_id: String,
    domain: String,
    from: DateTime<Utc>,
}

impl Bounds {
    /// The whole list.
    pub(super) fn open() -> Self {
        let (before, from) = (DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC);
        Self { before, page_id: String::new(), domain: String::new(), from }
    }

    fn of(query: &PageQuery) -> Self {
        let open = Self::open();
        let from = query.during.from.map_or(open.from, ceil_seconds);
        let before = query.during.to.map_or(open.before, ceil_seconds);
        match &query.after {
            Some(key) if key.created_at < before => {
                Self { before: key.created_at, page_id: key.page_id.to_string(), domain: key.domain.to_string(), from }
            }
            _ => Self { before, from, ..open },
        }
    }
}

/// Pages have whole seconds; a bound within a second stands for the next one.
fn ceil_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    let whole = time.with_nanosecond(0).unwrap_or(time);
    if whole < time { whole.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(time) } else { time }
}

/// Calls `visit` with each page of a partition within `bounds`, newest first, until it breaks.
pub(super) async fn visit_partition<B>(
    store: &CassandraStore,
    partition: &Partition,
    bounds: &Bounds,
    page_rows: usize,
    mut visit: impl FnMut(Page) -> ControlFlow<B> + Send,
) -> Result<Option<B>, StoreError> {
    let (session, statements) = (&store.session, &store.statements);
    let Bounds { before, page_id, domain, from } = bounds;
    let each = |rows: &_| {
        for page in pages_of(rows)? {
            if let ControlFlow::Break(found) = visit(page?) {
                return Ok(ControlFlow::Break(found));
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    match partition {
        Partition::Domain(name) => {
            visit_pages(session, &statements.by_domain.newest, (name, before, page_id, from), page_rows, each).await
        }
        Partition::UserId(id) => {
            let values = (id, before, page_id, domain, from);
            visit_pages(session, &statements.by_user_id.newest, values, page_rows, each).await
        }
        Partition::Account(name, id) => {
            let values = (name, id, before, page_id, from);
            visit_pages(session, &statements.by_account.newest, values, page_rows, each).await
        }
        Partition::UserName(name) => {
            let values = (name, before, domain, page_id, from);
            visit_pages(session, &statements.by_user_name.newest, values, page_rows, each).await
        }
        Partition::Hour(hour) => {
            let values = (hour.to_string(), before, domain, page_id, from);
            visit_pages(session, &statements.by_hour.newest, values, page_rows, each).await
        }
    }
}

/// A slice while it is read. One row more than shown is read, to tell whether the list goes on.
struct Reading<'a> {
    query: &'a PageQuery,
    /// Rows to read at most.
    most: usize,
    read: usize,
    pages: Vec<Page>,
    /// The last row that was read.
    last: Option<PageKey>,
}

impl<'a> Reading<'a> {
    fn begin(query: &'a PageQuery) -> Self {
        let wanted = query.limit.saturating_add(1);
        let most = if query.filter.is_empty() { wanted } else { wanted.max(MAX_ROWS_READ) };
        Self { query, most, read: 0, pages: Vec::new(), last: None }
    }

    /// Takes a row; breaks with where the next slice begins.
    fn take(&mut self, page: Page) -> ControlFlow<Option<PageKey>> {
        let passes = self.query.filter.matches(&page);
        self.read += 1;
        if self.read == self.most || (passes && self.pages.len() == self.query.limit) {
            return ControlFlow::Break(self.last.take());
        }
        self.last = Some(page.key());
        if passes {
            self.pages.push(page);
        }
        ControlFlow::Continue(())
    }

    fn page_rows(&self) -> usize {
        let left = self.most.saturating_sub(self.read);
        if self.most > self.query.limit.saturating_add(1) { left.min(FILTERED_PAGE_ROWS) } else { left }
    }
}

/// A part of a list.
pub(super) async fn list_pages(store: &CassandraStore, query: &PageQuery) -> Result<PageSlice, StoreError> {
    if query.limit == 0 {
        return Ok(PageSlice::default());
    }
    let bounds = Bounds::of(query);
    let Some(partition) = Partition::of(&query.list) else { return list_all(store, query, &bounds).await };
    let mut reading = Reading::begin(query);
    let rows = reading.page_rows();
    let next = visit_partition(store, &partition, &bounds, rows, |page| reading.take(page)).await?;
    Ok(PageSlice { pages: reading.pages, next: next.flatten() })
}

/// The list of all wikis, from the newest hour that has pages to the oldest.
async fn list_all(store: &CassandraStore, query: &PageQuery, bounds: &Bounds) -> Result<PageSlice, StoreError> {
    let (first, last) = (Hour::of(bounds.from), Hour::of(bounds.before));
    let mut hours = HourWalk::begin(store, Direction::NewestFirst, first, last).await?;
    let mut reading = Reading::begin(query);
    while let Some(hour) = hours.next().await? {
        let rows = reading.page_rows();
        let hour = Partition::Hour(hour);
        if let Some(next) = visit_partition(store, &hour, bounds, rows, |page| reading.take(page)).await? {
            return Ok(PageSlice { pages: reading.pages, next });
        }
    }
    Ok(PageSlice { pages: reading.pages, next: None })
}

/// The last page of a list.
pub(super) async fn oldest_page(store: &CassandraStore, list: &PageList) -> Result<Option<Page>, StoreError> {
    if let Some(partition) = Partition::of(list) {
        return oldest_of(store, &partition).await;
    }
    let mut hours = HourWalk::begin(store, Direction::OldestFirst, Hour::MIN, Hour::MAX).await?;
    while let Some(hour) = hours.next().await? {
        if let Some(page) = oldest_of(store, &Partition::Hour(hour)).await? {
            return Ok(Some(page));
        }
    }
    Ok(None)
}

async fn oldest_of(store: &CassandraStore, partition: &Partition) -> Result<Option<Page>, StoreError> {
    let (session, statements) = (&store.session, &store.statements);
    let first = |rows: &_| match pages_of(rows)?.next() {
        Some(page) => Ok(ControlFlow::Break(page?)),
        None => Ok(ControlFlow::Continue(())),
    };
    match partition {
        Partition::Domain(name) => visit_pages(session, &statements.by_domain.oldest, (name,), 1, first).await,
        Partition::UserId(id) => visit_pages(session, &statements.by_user_id.oldest, (id,), 1, first).await,
        Partition::Account(name, id) => visit_pages(session, &statements.by_account.oldest, (name, id), 1, first).await,
        Partition::UserName(name) => visit_pages(session, &statements.by_user_name.oldest, (name,), 1, first).await,
        Partition::Hour(hour) => visit_pages(session, &statements.by_hour.oldest, (hour.to_string(),), 1, first).await,
    }
}
