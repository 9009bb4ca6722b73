//! Counts, by reading the rows of the hours asked for page by page: exact but slow, until rollups hold them.

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, UserId};
use crate::query::{HourCount, HourUser, PageFilter};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::hours::{Direction, HourWalk};
use crate::store::cassandra::slices::{PAGE_ROWS, visit_pages};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::response::query_result::QueryRowsResult;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Hours that one call reads at once.
const HOURS_AT_ONCE: usize = 4;

/// Pages by wiki, namespace, bot, redirect.
type Groups = BTreeMap<(String, i32, bool, bool), u64>;

/// Adds the rows of one page of an answer to their groups.
fn add_groups(rows: &QueryRowsResult, groups: &mut Groups) -> Result<(), StoreError> {
    for row in rows.rows::<(&str, i32, bool, bool)>()? {
        let (domain, namespace, is_bot, is_redirect) = row?;
        *groups.entry((domain.into(), namespace, is_bot, is_redirect)).or_default() += 1;
    }
    Ok(())
}

/// How many pages one wiki, or all, have in these hours.
pub(super) async fn count_pages(
    store: &CassandraStore,
    domain: Option<&Domain>,
    hours: HourRange,
    filter: &PageFilter,
) -> Result<u64, StoreError> {
    let Some(domain) = domain else {
        let counts = hour_counts(store, hours).await?;
        let passing = counts.iter().filter(|c| filter.matches_group(&c.domain, c.namespace, c.is_bot, c.is_redirect));
        return Ok(passing.map(|c| c.page_count).sum());
    };
    let mut groups = Groups::new();
    let values = (domain.as_str(), hours.from.start(), hours.to.start());
    visit_pages::<()>(&store.session, &store.statements.groups_of_domain, values, PAGE_ROWS, |rows| {
        add_groups(rows, &mut groups)?;
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    let passing = groups.iter().filter(|((_, namespace, is_bot, is_redirect), _)| {
        filter.matches_group(domain, *namespace, *is_bot, *is_redirect)
    });
    Ok(passing.map(|(_, count)| count).sum())
}

/// Pages per hour and group.
pub(super) async fn hour_counts(store: &CassandraStore, range: HourRange) -> Result<Vec<HourCount>, StoreError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let mut walk = HourWalk::begin(store, Direction::OldestFirst, range.from, range.to.plus(-1)).await?;
    let mut reads = Vec::new();
    while let Some(hour) = walk.next().await? {
        reads.push(counts_of_hour(store, hour));
    }
    let counts: Vec<Vec<HourCount>> = stream::iter(reads).buffered(HOURS_AT_ONCE).try_collect().await?;
    Ok(counts.into_iter().flatten().collect())
}

async fn counts_of_hour(store: &CassandraStore, hour: Hour) -> Result<Vec<HourCount>, StoreError> {
    let mut groups = Groups::new();
    visit_pages::<()>(&store.session, &store.statements.groups_of_hour, (hour.to_string(),), PAGE_ROWS, |rows| {
        add_groups(rows, &mut groups)?;
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    let count = |((domain, namespace, is_bot, is_redirect), page_count): ((String, _, _, _), _)| {
        let domain = domain.parse().map_err(of_value)?;
        Ok(HourCount { hour, domain, namespace, is_bot, is_redirect, page_count })
    };
    groups.into_iter().map(count).collect()
}

/// The accounts that created pages in an hour.
pub(super) async fn hour_users(store: &CassandraStore, hour: Hour) -> Result<Vec<HourUser>, StoreError> {
    let mut users: BTreeMap<(UserId, Domain, String), (u64, u64)> = BTreeMap::new();
    visit_pages::<()>(&store.session, &store.statements.users_of_hour, (hour.to_string(),), PAGE_ROWS, |rows| {
        for row in rows.rows::<(&str, &str, &str, bool)>()? {
            let (user_id, domain, user_name, is_bot) = row?;
            let account = (user_id.parse().map_err(of_value)?, domain.parse().map_err(of_value)?, user_name.into());
            let (pages, bot_pages) = users.entry(account).or_default();
            *pages += 1;
            *bot_pages += u64::from(is_bot);
        }
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    let user = |((user_id, domain, user_name), (page_count, bot_page_count))| HourUser {
        user_id,
        domain,
        user_name,
        page_count,
        bot_page_count,
    };
    Ok(users.into_iter().map(user).collect())
}
