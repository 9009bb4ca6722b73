//! The lists of pages: keyset pages in each list's order.
//!
//! A slice begins behind a position. An end of the time span is one too: nothing lies between `(to, "", "")` and the
//! first page before `to`, nor between `(from, "", "")` and the first page from `from` on. So each list has one statement
//! for each direction.

use crate::hour::Hour;
use crate::page::{Page, PageKey};
use crate::query::{ListOrder, PageList, PageQuery, PageSlice};
use crate::store::StoreError;
use crate::store::cassandra::hours::HourWalk;
use crate::store::cassandra::lookup::is_key;
use crate::store::cassandra::rows::pages_of;
use crate::store::cassandra::slices::visit_pages;
use crate::store::cassandra::{CassandraStore, retention, upgrade};
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use std::ops::ControlFlow;

/// Rows that are read at once while a filter drops some.
const FILTERED_PAGE_ROWS: usize = 500;

/// A partition that holds pages in the order of a list.
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

/// Between which positions of a list, and in which order.
pub(super) struct Bounds {
    order: ListOrder,
    /// Behind this time, page id and domain.
    at: DateTime<Utc>,
    page_id: String,
    domain: String,
    /// Up to this end of the time span.
    until: DateTime<Utc>,
}

impl Bounds {
    /// The whole list, newest first, down to `begin`.
    pub(super) fn down_to(begin: DateTime<Utc>) -> Self {
        Self::between(ListOrder::NewestFirst, begin, DateTime::<Utc>::MAX_UTC)
    }

    /// From `from` (included) to `to` (not included).
    pub(super) fn between(order: ListOrder, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let (at, until) = match order {
            ListOrder::NewestFirst => (to, from),
            ListOrder::OldestFirst => (from, to),
        };
        Self { order, at, page_id: String::new(), domain: String::new(), until }
    }

    /// What a question asks for of the pages from `begin` on.
    fn of(query: &PageQuery, begin: DateTime<Utc>) -> Self {
        let from = query.during.from.map_or(begin, |from| ceil_seconds(from).max(begin));
        let to = query.during.to.map_or(DateTime::<Utc>::MAX_UTC, ceil_seconds);
        let all = Self::between(query.order, from, to);
        let is_within = |key: &&PageKey| match query.order {
            ListOrder::NewestFirst => key.created_at < to,
            ListOrder::OldestFirst => key.created_at >= from,
        };
        match query.after.as_ref().filter(is_within) {
            Some(key) => {
                let (page_id, domain) = (key.page_id.to_string(), key.domain.to_string());
                Self { at: key.created_at, page_id, domain, ..all }
            }
            None => all,
        }
    }

    /// The first and the last hour that they touch.
    fn hours(&self) -> (Hour, Hour) {
        let (at, until) = (Hour::of(self.at), Hour::of(self.until));
        match self.order {
            ListOrder::NewestFirst => (until, at),
            ListOrder::OldestFirst => (at, until),
        }
    }
}

/// Pages have whole seconds; a bound within a second stands for the next one.
fn ceil_seconds(time: DateTime<Utc>) -> DateTime<Utc> {
    let whole = time.with_nanosecond(0).unwrap_or(time);
    if whole < time { whole.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(time) } else { time }
}

/// Calls `visit` with each page of a partition within `bounds`, in their order, until it breaks.
pub(super) async fn visit_partition<B>(
    store: &CassandraStore,
    partition: &Partition,
    bounds: &Bounds,
    page_rows: usize,
    mut visit: impl FnMut(Page) -> ControlFlow<B> + Send,
) -> Result<Option<B>, StoreError> {
    let (session, statements) = (&store.session, &store.statements);
    let Bounds { order, at, page_id, domain, until } = bounds;
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
            let values = (name, at, page_id, until);
            visit_pages(session, statements.by_domain.of(*order), values, page_rows, each).await
        }
        Partition::UserId(id) => {
            let values = (id, at, page_id, domain, until);
            visit_pages(session, statements.by_user_id.of(*order), values, page_rows, each).await
        }
        Partition::Account(name, id) => {
            let values = (name, id, at, page_id, until);
            visit_pages(session, statements.by_account.of(*order), values, page_rows, each).await
        }
        Partition::UserName(name) if !is_key(name) => Ok(None),
        Partition::UserName(name) => {
            let values = (name, at, domain, page_id, until);
            visit_pages(session, statements.by_user_name.of(*order), values, page_rows, each).await
        }
        Partition::Hour(hour) => {
            let values = (hour.to_string(), at, domain, page_id, until);
            visit_pages(session, statements.by_hour.of(*order), values, page_rows, each).await
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
        Self { query, most: query.most_rows(), read: 0, pages: Vec::new(), last: None }
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

    /// How many rows to read at once: equal parts of what may be read, so that the last one goes no further.
    fn page_rows(&self) -> usize {
        let left = self.most.saturating_sub(self.read);
        let parts = if self.query.filter.is_empty() { 1 } else { left.div_ceil(FILTERED_PAGE_ROWS).max(1) };
        left.div_ceil(parts)
    }

    fn end(self, next: Option<PageKey>) -> PageSlice {
        PageSlice { pages: self.pages, next, rows_read: self.read }
    }
}

/// A part of a list.
pub(super) async fn list_pages(store: &CassandraStore, query: &PageQuery) -> Result<PageSlice, StoreError> {
    if query.limit == 0 {
        return Ok(PageSlice::default());
    }
    upgrade::check_list(store, &query.list).await?;
    let bounds = Bounds::of(query, retention::first_kept(store).await?);
    let Some(partition) = Partition::of(&query.list) else { return list_all(store, query, &bounds).await };
    let mut reading = Reading::begin(query);
    let rows = reading.page_rows();
    let next = visit_partition(store, &partition, &bounds, rows, |page| reading.take(page)).await?;
    Ok(reading.end(next.flatten()))
}

/// The list of all wikis, from hour to hour of those that have pages.
async fn list_all(store: &CassandraStore, query: &PageQuery, bounds: &Bounds) -> Result<PageSlice, StoreError> {
    let (first, last) = bounds.hours();
    let mut hours = HourWalk::begin(store, query.order, first, last).await?;
    let mut reading = Reading::begin(query);
    while let Some(hour) = hours.next().await? {
        let rows = reading.page_rows();
        let hour = Partition::Hour(hour);
        if let Some(next) = visit_partition(store, &hour, bounds, rows, |page| reading.take(page)).await? {
            return Ok(reading.end(next));
        }
    }
    Ok(reading.end(None))
}
