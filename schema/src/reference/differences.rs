//! A store compared with the reference: every read that the reference's pages can be found by.

use crate::counts::{count_pages, hourly_counts};
use crate::hour::{Hour, HourRange};
use crate::page::{Domain, Page, PageId, UserId};
use crate::period::{Period, TimeUnit};
use crate::query::{ListOrder, PageFilter, PageList, PageQuery, Series, TimeSpan};
use crate::reference::Reference;
use crate::store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;

/// Whether the store holds more than the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing more: lists of all wikis are compared too.
    Whole,
    /// Pages of others too, but in other hours, on other wikis and by other accounts.
    Part,
}

/// Differences that are worth reading.
const SHOWN: usize = 20;
/// Pages asked for at once.
const SLICE: usize = 500;
/// Pages of one title.
const UNDER_A_TITLE: usize = 100;

/// What `store` answers differently from `reference`, each in a line; empty when all is right.
///
/// # Errors
/// When the store does not answer.
pub async fn differences(store: &dyn Store, reference: &Reference, scope: Scope) -> Result<Vec<String>, StoreError> {
    let mut found = Found::default();
    compare_lists(store, reference, scope, &mut found).await?;
    compare_keys(store, reference, &mut found).await?;
    compare_titles(store, reference, &mut found).await?;
    compare_names(store, reference, &mut found).await?;
    compare_hours(store, reference, &mut found).await?;
    compare_domains(store, reference, scope, &mut found).await?;
    compare_counts(store, reference, scope, &mut found).await?;
    Ok(found.0)
}

/// All pages of a query, read slice by slice to the end of the list.
///
/// # Errors
/// When the store does not answer, or goes round in circles.
pub async fn read_list(store: &dyn Store, mut query: PageQuery) -> Result<Vec<Page>, StoreError> {
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let slice = store.list_pages(&query).await?;
        if slice.pages.len() > query.limit {
            return Err(StoreError::Corrupt(format!("{} pages of {} asked", slice.pages.len(), query.limit)));
        }
        pages.extend(slice.pages);
        match slice.next {
            None => return Ok(pages),
            next if next == query.after => return Err(StoreError::Corrupt(format!("no way on behind {next:?}"))),
            next => query.after = next,
        }
    }
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn compare<T: PartialEq + Debug>(&mut self, what: impl FnOnce() -> String, stored: &T, wanted: &T) {
        if stored != wanted && self.0.len() < SHOWN {
            self.0.push(format!("{}\n    stored {stored:?}\n    wanted {wanted:?}", what()));
        }
    }

    /// Names the first row that differs: the lists can be long.
    fn compare_rows<T: PartialEq + Debug>(&mut self, what: impl FnOnce() -> String, stored: &[T], wanted: &[&T]) {
        let first = stored.iter().zip(wanted).position(|(a, b)| a != *b).unwrap_or(stored.len().min(wanted.len()));
        let lengths = format!("{} stored, {} wanted, from {first} on", stored.len(), wanted.len());
        self.compare(|| format!("{} ({lengths})", what()), &stored.get(first), &wanted.get(first).copied());
    }

    fn compare_all<T: PartialEq + Debug>(&mut self, what: impl FnOnce() -> String, stored: &[T], wanted: &[T]) {
        self.compare_rows(what, stored, &wanted.iter().collect::<Vec<_>>());
    }
}

async fn compare_lists(
    store: &dyn Store,
    reference: &Reference,
    scope: Scope,
    found: &mut Found,
) -> Result<(), StoreError> {
    for (list, wanted) in reference.lists() {
        if list == PageList::All && scope == Scope::Part {
            continue;
        }
        compare_list(store, PageQuery::newest(list, SLICE), wanted, found).await?;
    }
    Ok(())
}

/// From both ends; `wanted` is newest first.
async fn compare_list(
    store: &dyn Store,
    query: PageQuery,
    mut wanted: Vec<&Page>,
    found: &mut Found,
) -> Result<(), StoreError> {
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
        let query = PageQuery { order, ..query.clone() };
        let stored = read_list(store, query.clone()).await?;
        found.compare_rows(|| format!("{:?} of {:?}, {order:?}", query.list, query.during), &stored, &wanted);
        wanted.reverse();
    }
    Ok(())
}

/// The newest pages under each title.
async fn compare_titles(store: &dyn Store, reference: &Reference, found: &mut Found) -> Result<(), StoreError> {
    let mut titles: HashMap<(&Domain, &str), Vec<&Page>> = HashMap::new();
    for page in reference.pages() {
        titles.entry((&page.domain, &page.page_title)).or_default().push(page);
    }
    for ((domain, title), pages) in titles {
        let wanted = Reference::of(pages).pages_by_title(domain, title, UNDER_A_TITLE);
        let stored = store.pages_by_title(domain, title, UNDER_A_TITLE).await?;
        found.compare_all(|| format!("pages of {domain} under {title:?}"), &stored, &wanted);
    }
    Ok(())
}

async fn compare_keys(store: &dyn Store, reference: &Reference, found: &mut Found) -> Result<(), StoreError> {
    let mut newest: HashMap<PageId, Vec<Page>> = HashMap::new();
    for page_id in reference.pages().map(|page| page.page_id).collect::<BTreeSet<_>>() {
        newest.insert(page_id, store.pages_by_id(page_id).await?);
    }
    let mut wanted: HashMap<(PageId, &Domain), &Page> = HashMap::new();
    for page in reference.pages() {
        let first = wanted.entry((page.page_id, &page.domain)).or_insert(page);
        if page.created_at > first.created_at {
            *first = page;
        }
    }
    for (page_id, stored) in &newest {
        let mut wanted: Vec<&Page> =
            wanted.iter().filter(|(key, _)| key.0 == *page_id).map(|(_, page)| *page).collect();
        wanted.sort_by_key(|page| &page.domain);
        found.compare_rows(|| format!("pages by id {page_id}"), stored, &wanted);
    }
    let keys: Vec<(Domain, PageId)> =
        wanted.keys().map(|(page_id, domain)| (Domain::clone(domain), *page_id)).collect();
    for keys in keys.chunks(SLICE) {
        for ((domain, page_id), stored) in keys.iter().zip(store.load_pages(keys).await?) {
            let wanted = wanted.get(&(*page_id, domain)).copied();
            found.compare(|| format!("page {domain} {page_id}"), &stored.as_ref(), &wanted);
        }
    }
    Ok(())
}

async fn compare_names(store: &dyn Store, reference: &Reference, found: &mut Found) -> Result<(), StoreError> {
    let lists = reference.lists();
    let accounts: Vec<(Domain, UserId)> = lists
        .keys()
        .filter_map(
            |list| if let PageList::User(domain, user_id) = list { Some((domain.clone(), *user_id)) } else { None },
        )
        .collect();
    for keys in accounts.chunks(SLICE) {
        for ((domain, user_id), stored) in keys.iter().zip(store.load_users(keys).await?) {
            let wanted = lists[&PageList::User(domain.clone(), *user_id)].first().copied();
            found.compare(|| format!("user {domain} {user_id}"), &stored.as_ref(), &wanted);
        }
    }
    for (list, pages) in &lists {
        let part = Reference::of(pages.iter().copied());
        match list {
            PageList::UserId(user_id) => {
                let stored = store.users_by_id(*user_id).await?;
                found.compare(|| format!("users by id {user_id}"), &stored, &part.users_by_id(*user_id));
            }
            PageList::UserName(name) => {
                let stored = store.users_by_name(name).await?;
                found.compare(|| format!("users by name {name:?}"), &stored, &part.users_by_name(name));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn compare_hours(store: &dyn Store, reference: &Reference, found: &mut Found) -> Result<(), StoreError> {
    let all = PageFilter::default();
    let mut hours: HashMap<Hour, Reference> = HashMap::new();
    for page in reference.pages() {
        hours.entry(Hour::of(page.created_at)).or_default().write(page);
    }
    for (hour, part) in hours {
        let range = HourRange::of(hour);
        let query = PageQuery { during: TimeSpan::of_hours(range), ..PageQuery::newest(PageList::All, SLICE) };
        compare_list(store, query, part.list(&PageList::All), found).await?;
        let users = store.user_counts(Period::of(TimeUnit::Hour, hour)).await?;
        found.compare_all(|| format!("users of {hour}"), &users, &part.user_counts(range));
        let counts = hourly_counts(store, Series::Domains, range).await?;
        found.compare_all(
            || format!("counts of {hour}"),
            &counts,
            &part.counts(&Series::Domains, range, TimeUnit::Hour),
        );
        let stored = count_pages(store, &PageList::All, range, &all).await?;
        found.compare(|| format!("count of {hour}"), &stored, &part.count_pages(&PageList::All, range, &all));
    }
    Ok(())
}

async fn compare_domains(
    store: &dyn Store,
    reference: &Reference,
    scope: Scope,
    found: &mut Found,
) -> Result<(), StoreError> {
    let wanted = reference.domains();
    let names: Vec<Domain> = wanted.iter().map(|row| row.domain.clone()).collect();
    let stored: Vec<_> = store.load_domains(&names).await?.into_iter().flatten().collect();
    found.compare_all(|| "wikis by name".into(), &stored, &wanted);
    let mut listed = store.domains().await?;
    if scope == Scope::Part {
        listed.retain(|row| names.binary_search(&row.domain).is_ok());
    }
    found.compare_all(|| "wikis listed".into(), &listed, &wanted);
    Ok(())
}

/// Each list's count over all time, and its counts by hour.
async fn compare_counts(
    store: &dyn Store,
    reference: &Reference,
    scope: Scope,
    found: &mut Found,
) -> Result<(), StoreError> {
    let (all, ever) = (PageFilter::default(), HourRange::ALL);
    for (list, pages) in reference.lists() {
        if list == PageList::All && scope == Scope::Part {
            continue;
        }
        let part = Reference::of(pages.iter().copied());
        let stored = count_pages(store, &list, ever, &all).await?;
        found.compare(|| format!("count of {list:?}"), &stored, &part.count_pages(&list, ever, &all));
        if let Some(series) = list.series() {
            let stored = hourly_counts(store, series.clone(), ever).await?;
            found.compare_all(|| format!("counts of {series:?}"), &stored, &part.counts(&series, ever, TimeUnit::Hour));
        }
    }
    Ok(())
}
