//! Counts, by reading the rows of the hours asked for page by page: exact but slow, until rollups hold them.

use crate::hour::Hour;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::query::{Count, CountQuery, PageList, PageQuery, Series, TimeSpan, UserCount};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::list::list_pages;
use crate::wiki::ProjectFamily;
use std::collections::BTreeMap;

/// Pages read at once.
const SLICE: usize = 5_000;

/// The counts of a query, by hour.
pub(super) async fn counts(store: &CassandraStore, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
    let list = match query.series.clone() {
        Series::All | Series::Domains => PageList::All,
        Series::Domain(domain) => PageList::Domain(domain),
        Series::User(domain, user_id) => PageList::User(domain, user_id),
        Series::UserName(user_name) => PageList::UserName(user_name),
    };
    let pages = PageQuery { during: TimeSpan::of_hours(query.hours), ..PageQuery::newest(list, SLICE) };
    let mut groups: BTreeMap<Count, u64> = BTreeMap::new();
    each_page(store, pages, |page| {
        let period = Period::of(TimeUnit::Hour, Hour::of(page.created_at));
        let project_family = ProjectFamily::of(&page.domain);
        let domain = (query.series != Series::All).then_some(page.domain);
        let Page { namespace, is_bot, is_redirect, .. } = page;
        let count = Count { period, domain, project_family, namespace, is_bot, is_redirect, page_count: 0 };
        *groups.entry(count).or_default() += 1;
    })
    .await?;
    let counted = |(count, page_count)| Count { page_count, ..count };
    Ok((groups.len() <= query.max_rows).then(|| groups.into_iter().map(counted).collect()))
}

/// The accounts that created pages in a period.
pub(super) async fn user_counts(store: &CassandraStore, period: Period) -> Result<Vec<UserCount>, StoreError> {
    let pages = PageQuery { during: TimeSpan::of_hours(period.hours()), ..PageQuery::newest(PageList::All, SLICE) };
    let mut users: BTreeMap<UserCount, u64> = BTreeMap::new();
    each_page(store, pages, |page| {
        let Page { user_name, domain, user_id, namespace, is_bot, is_redirect, .. } = page;
        let user = UserCount { user_name, domain, user_id, namespace, is_bot, is_redirect, page_count: 0 };
        *users.entry(user).or_default() += 1;
    })
    .await?;
    Ok(users.into_iter().map(|(user, page_count)| UserCount { page_count, ..user }).collect())
}

async fn each_page(
    store: &CassandraStore,
    mut query: PageQuery,
    mut visit: impl FnMut(Page),
) -> Result<(), StoreError> {
    loop {
        let slice = list_pages(store, &query).await?;
        slice.pages.into_iter().for_each(&mut visit);
        if slice.next.is_none() {
            return Ok(());
        }
        query.after = slice.next;
    }
}
