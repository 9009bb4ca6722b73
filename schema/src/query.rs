//! Questions to a store: which pages, which hours, which counts. Pure; the stores answer them.

use crate::hour::HourRange;
use crate::page::{Domain, Page, PageKey, UserId, WikiId};
use crate::period::{Period, TimeUnit};
use crate::wiki::ProjectFamily;
use chrono::{DateTime, Utc};

/// A list of pages that a store holds in order. The ties are those of newest first; oldest first is the exact reverse.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PageList {
    /// All wikis (`latest_pages`). Ties of one second: domain, then page id, both descending.
    All,
    /// One wiki (`pages_by_domain`). Ties: page id descending.
    Domain(Domain),
    /// Every account with this number, on any wiki (`pages_by_user`). Ties: page id, then domain, descending.
    UserId(UserId),
    /// One account (`pages_by_account`). Ties: page id descending.
    User(Domain, UserId),
    /// One person on all wikis (`pages_by_user_name`). Ties: domain, then page id, descending.
    UserName(String),
}

impl PageList {
    /// The one series that counts its pages; none for a number, which is of many accounts.
    pub fn series(&self) -> Option<Series> {
        match self {
            Self::All => Some(Series::All),
            Self::Domain(domain) => Some(Series::Domain(domain.clone())),
            Self::UserId(_) => None,
            Self::User(domain, user_id) => Some(Series::User(domain.clone(), *user_id)),
            Self::UserName(user_name) => Some(Series::UserName(user_name.clone())),
        }
    }
}

/// Times from `from` (included) to `to` (not included); either may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TimeSpan {
    /// Included.
    pub from: Option<DateTime<Utc>>,
    /// Not included.
    pub to: Option<DateTime<Utc>>,
}

impl TimeSpan {
    /// The whole hours of `range`.
    pub fn of_hours(range: HourRange) -> Self {
        Self { from: Some(range.from.start()), to: Some(range.to.start()) }
    }

    /// Whether `time` lies within.
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

/// Which pages: all conditions given must hold; an empty list is no condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PageFilter {
    /// true: only bots' pages; false: without them.
    pub is_bot: Option<bool>,
    /// true: only redirects; false: without them.
    pub is_redirect: Option<bool>,
    /// Any of these namespaces.
    pub namespaces: Vec<i32>,
    /// Any of these wikis.
    pub domains: Vec<Domain>,
    /// Any of these families.
    pub project_families: Vec<ProjectFamily>,
}

impl PageFilter {
    /// Whether every page passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `page` passes.
    pub fn matches(&self, page: &Page) -> bool {
        self.matches_group(&page.domain, page.namespace, page.is_bot, page.is_redirect)
    }

    /// Whether pages of these properties pass.
    fn matches_group(&self, domain: &Domain, namespace: i32, is_bot: bool, is_redirect: bool) -> bool {
        self.matches_kind(namespace, is_bot, is_redirect)
            && (self.domains.is_empty() || self.domains.contains(domain))
            && (self.project_families.is_empty() || self.project_families.contains(&ProjectFamily::of(domain)))
    }

    fn matches_kind(&self, namespace: i32, is_bot: bool, is_redirect: bool) -> bool {
        self.is_bot.is_none_or(|wanted| wanted == is_bot)
            && self.is_redirect.is_none_or(|wanted| wanted == is_redirect)
            && (self.namespaces.is_empty() || self.namespaces.contains(&namespace))
    }

    /// Whether the pages of a count pass. Where wikis are not kept apart, none passes a condition on them.
    pub fn matches_count(&self, count: &Count) -> bool {
        self.matches_kind(count.namespace, count.is_bot, count.is_redirect)
            && (self.domains.is_empty() || count.domain.as_ref().is_some_and(|domain| self.domains.contains(domain)))
            && (self.project_families.is_empty() || self.project_families.contains(&count.project_family))
    }

    /// Whether the pages of a user's count pass.
    pub fn matches_user_count(&self, count: &UserCount) -> bool {
        self.matches_group(&count.domain, count.namespace, count.is_bot, count.is_redirect)
    }
}

/// From which end a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ListOrder {
    /// As the lists stand.
    #[default]
    NewestFirst,
    /// From their other end.
    OldestFirst,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageQuery {
    /// The list.
    pub list: PageList,
    /// From which end it is read.
    pub order: ListOrder,
    /// Only pages created within.
    pub during: TimeSpan,
    /// Only pages that pass.
    pub filter: PageFilter,
    /// Only pages behind this one in the order of reading. It need not exist.
    pub after: Option<PageKey>,
    /// At most so many.
    pub limit: usize,
    /// Rows read at most while the filter drops some; 2 at least.
    pub max_rows: usize,
}

impl PageQuery {
    /// Rows to be read at most: one more than are shown tells whether the list goes on.
    pub fn most_rows(&self) -> usize {
        if self.filter.is_empty() { self.limit.saturating_add(1) } else { self.max_rows.max(2) }
    }

    /// The newest `limit` pages of `list`.
    pub fn newest(list: PageList, limit: usize) -> Self {
        let (order, during, filter) = (ListOrder::NewestFirst, TimeSpan::default(), PageFilter::default());
        Self { list, order, during, filter, after: None, limit, max_rows: MAX_ROWS_READ }
    }

    /// The oldest `limit` pages of `list`.
    pub fn oldest(list: PageList, limit: usize) -> Self {
        Self { order: ListOrder::OldestFirst, ..Self::newest(list, limit) }
    }
}

/// Rows that one request for a list reads at most while a filter drops them.
pub const MAX_ROWS_READ: usize = 2_000;

/// The answer to a [`PageQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageSlice {
    /// In the order of reading. Can be fewer than asked, even none, while `next` is given.
    pub pages: Vec<Page>,
    /// Where the next slice begins (as `after`); none at the end of the list.
    pub next: Option<PageKey>,
    /// Rows that were read for it.
    pub rows_read: usize,
}

/// Whose pages are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// All wikis together, families apart.
    All,
    /// All wikis, each by itself.
    Domains,
    /// One wiki.
    Domain(Domain),
    /// One account.
    User(Domain, UserId),
    /// One person on all wikis, these apart.
    UserName(String),
}

impl Series {
    /// The series of all wikis' pages that pass a condition on wikis: all together, or those that it names.
    pub fn of_all(filter: &PageFilter) -> Vec<Self> {
        if filter.domains.is_empty() { vec![Self::All] } else { Self::of_each(filter) }
    }

    /// The same, each wiki by itself.
    pub fn of_each(filter: &PageFilter) -> Vec<Self> {
        match filter.domains.as_slice() {
            [] => vec![Self::Domains],
            named => named.iter().cloned().map(Self::Domain).collect(),
        }
    }

    /// The list whose pages are counted.
    pub fn list(&self) -> PageList {
        match self {
            Self::All | Self::Domains => PageList::All,
            Self::Domain(domain) => PageList::Domain(domain.clone()),
            Self::User(domain, user_id) => PageList::User(domain.clone(), *user_id),
            Self::UserName(user_name) => PageList::UserName(user_name.clone()),
        }
    }
}

/// Which counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CountQuery {
    /// Whose.
    pub series: Series,
    /// In which hours.
    pub hours: HourRange,
    /// No count is of a longer period.
    pub unit: TimeUnit,
    /// Rows read at most; several may make up a count.
    pub max_rows: usize,
}

impl CountQuery {
    /// The fewest counts that add up to a total.
    pub fn total(series: Series, hours: HourRange) -> Self {
        Self { series, hours, unit: TimeUnit::Year, max_rows: usize::MAX }
    }

    /// Counts by hour.
    pub fn hourly(series: Series, hours: HourRange) -> Self {
        Self { series, hours, unit: TimeUnit::Hour, max_rows: usize::MAX }
    }
}

/// Pages of one group in one period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// The period.
    pub period: Period,
    /// The wiki; none in [`Series::All`].
    pub domain: Option<Domain>,
    /// The wiki's family.
    pub project_family: ProjectFamily,
    /// The namespace's number.
    pub namespace: i32,
    /// Bots' pages or others.
    pub is_bot: bool,
    /// Redirects or others.
    pub is_redirect: bool,
    /// How many pages; never 0 in an answer.
    pub page_count: u64,
}

/// Pages of one account under one name and of one group in one period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserCount {
    /// The name the account had.
    pub user_name: String,
    /// The wiki.
    pub domain: Domain,
    /// The account's number.
    pub user_id: UserId,
    /// The namespace's number.
    pub namespace: i32,
    /// Made as a bot or not.
    pub is_bot: bool,
    /// Redirects or others.
    pub is_redirect: bool,
    /// How many pages; never 0 in an answer.
    pub page_count: u64,
}

/// A wiki on which pages were created.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DomainRow {
    /// The wiki's host name.
    pub domain: Domain,
    /// Its database name.
    pub wiki: WikiId,
}
