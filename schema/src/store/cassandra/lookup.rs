//! Single pages, accounts and wikis by their keys: point reads, a bounded number at once.

use crate::page::{Domain, Page, PageId, UserId};
use crate::query::{DomainRow, ListOrder};
use crate::store::StoreError;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::list::{Bounds, Partition, visit_partition};
use crate::store::cassandra::rows::{pages_of, texts_of};
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::{CassandraStore, retention, upgrade};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::response::query_result::QueryRowsResult;
use std::ops::ControlFlow;

/// The most that the node takes as part of a key, bytes.
const MAX_KEY_BYTES: usize = 65_535;
/// Reads at once of one call: facts of the node, 64 in flight answer as fast as it can.
const READS_AT_ONCE: usize = 64;
/// Rows that are read at once in search of an account's newest under a name: nearly always the first is it.
const SEARCH_PAGE_ROWS: usize = 10;

/// Whether a text alone can be a key: the node refuses others, and so there are no rows of them. Beside another column it
/// may be empty.
pub(super) fn is_key(text: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&text.len())
}

/// The newest creation of each page.
pub(super) async fn load_pages(
    store: &CassandraStore,
    keys: &[(Domain, PageId)],
) -> Result<Vec<Option<Page>>, StoreError> {
    let reads: Vec<_> = keys.iter().map(|(domain, page_id)| load_page(store, domain, *page_id)).collect();
    stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
}

async fn load_page(store: &CassandraStore, domain: &Domain, page_id: PageId) -> Result<Option<Page>, StoreError> {
    let values = (page_id.to_string(), domain.as_str());
    let (pages, first) =
        (collect(&store.session, &store.statements.page, values, push_pages), retention::first_kept(store));
    let (pages, first) = futures::try_join!(pages, first)?;
    Ok(pages.into_iter().next().filter(|page| page.created_at >= first))
}

fn push_pages(rows: &QueryRowsResult, all: &mut Vec<Page>) -> Result<(), StoreError> {
    for page in pages_of(rows)? {
        all.push(page?);
    }
    Ok(())
}

/// The newest page of each account: the first of its partition.
pub(super) async fn load_users(
    store: &CassandraStore,
    keys: &[(Domain, UserId)],
) -> Result<Vec<Option<Page>>, StoreError> {
    upgrade::check_accounts(store).await?;
    let reads: Vec<_> = keys.iter().map(|(domain, user_id)| load_user(store, domain, *user_id)).collect();
    stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
}

async fn load_user(store: &CassandraStore, domain: &Domain, user_id: UserId) -> Result<Option<Page>, StoreError> {
    let account = Partition::Account(domain.to_string(), user_id.to_string());
    let bounds = Bounds::down_to(retention::first_kept(store).await?);
    visit_partition(store, &account, &bounds, 1, ControlFlow::Break).await
}

/// Every page with this number: the partition's order is by wiki.
pub(super) async fn pages_by_id(store: &CassandraStore, page_id: PageId) -> Result<Vec<Page>, StoreError> {
    let first = retention::first_kept(store).await?;
    let mut pages =
        collect(&store.session, &store.statements.pages_with_id, (page_id.to_string(),), push_pages).await?;
    pages.retain(|page| page.created_at >= first);
    Ok(pages)
}

/// The creations under this title: the first of their partition.
pub(super) async fn pages_by_title(
    store: &CassandraStore,
    domain: &Domain,
    page_title: &str,
    limit: usize,
) -> Result<Vec<Page>, StoreError> {
    upgrade::check_titles(store).await?;
    // The node takes no limit of 0.
    if limit == 0 || page_title.len() > MAX_KEY_BYTES {
        return Ok(Vec::new());
    }
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let values = (domain.as_str(), page_title, retention::first_kept(store).await?, limit);
    collect(&store.session, &store.statements.pages_with_title, values, push_pages).await
}

/// The newest page of each account with this number: the partition's order is by wiki.
pub(super) async fn users_by_id(store: &CassandraStore, user_id: UserId) -> Result<Vec<Page>, StoreError> {
    upgrade::check_accounts(store).await?;
    let names = collect(&store.session, &store.statements.accounts_with_id, (user_id.to_string(),), texts_of).await?;
    let keys: Vec<_> =
        names.iter().map(|name| Ok((name.parse().map_err(of_value)?, user_id))).collect::<Result<_, StoreError>>()?;
    // An account whose page is not there yet (a page's rows are written side by side) is left out until it is.
    Ok(load_users(store, &keys).await?.into_iter().flatten().collect())
}

/// An account that had a name, and the last day on which it made a page under it.
struct NamedAccount {
    domain: Domain,
    user_id: UserId,
    newest_day: NaiveDate,
}

/// The newest page of each account under this name: the partition's order is by wiki, then number.
pub(super) async fn users_by_name(store: &CassandraStore, user_name: &str) -> Result<Vec<Page>, StoreError> {
    upgrade::check_accounts(store).await?;
    if !is_key(user_name) {
        return Ok(Vec::new());
    }
    let statement = &store.statements.accounts_with_name;
    let accounts = collect(&store.session, statement, (user_name,), push_accounts).await?;
    let reads: Vec<_> = accounts.into_iter().map(|account| newest_under_name(store, user_name, account)).collect();
    let newest: Vec<Option<Page>> = stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await?;
    Ok(newest.into_iter().flatten().collect())
}

fn push_accounts(rows: &QueryRowsResult, all: &mut Vec<NamedAccount>) -> Result<(), StoreError> {
    for row in rows.rows::<(&str, &str, NaiveDate)>()? {
        let (domain, user_id, newest_day) = row?;
        let (domain, user_id) = (domain.parse().map_err(of_value)?, user_id.parse().map_err(of_value)?);
        all.push(NamedAccount { domain, user_id, newest_day });
    }
    Ok(())
}

/// The first page of that day, unless the account got another name on it: then the day's pages under that are passed over.
async fn newest_under_name(
    store: &CassandraStore,
    user_name: &str,
    account: NamedAccount,
) -> Result<Option<Page>, StoreError> {
    let NamedAccount { domain, user_id, newest_day } = account;
    let day = newest_day.and_time(NaiveTime::MIN).and_utc();
    let (begin, end) = (day.max(retention::first_kept(store).await?), day + TimeDelta::days(1));
    if begin >= end {
        return Ok(None);
    }
    let bounds = Bounds::between(ListOrder::NewestFirst, begin, end);
    let account = Partition::Account(domain.to_string(), user_id.to_string());
    visit_partition(store, &account, &bounds, SEARCH_PAGE_ROWS, |page| {
        if page.user_name == user_name { ControlFlow::Break(page) } else { ControlFlow::Continue(()) }
    })
    .await
}

/// The wikis of these names.
pub(super) async fn load_domains(
    store: &CassandraStore,
    names: &[Domain],
) -> Result<Vec<Option<DomainRow>>, StoreError> {
    let reads: Vec<_> = names.iter().map(|name| load_domain(store, name)).collect();
    stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
}

async fn load_domain(store: &CassandraStore, name: &Domain) -> Result<Option<DomainRow>, StoreError> {
    let found = collect(&store.session, &store.statements.domain, (name.as_str(),), push_domains).await?;
    Ok(found.into_iter().next())
}

/// All wikis: the partition's order is by name.
pub(super) async fn domains(store: &CassandraStore) -> Result<Vec<DomainRow>, StoreError> {
    collect(&store.session, &store.statements.domains, (), push_domains).await
}

fn push_domains(rows: &QueryRowsResult, all: &mut Vec<DomainRow>) -> Result<(), StoreError> {
    for row in rows.rows::<(&str, &str)>()? {
        let (domain, wiki) = row?;
        all.push(DomainRow { domain: domain.parse().map_err(of_value)?, wiki: wiki.parse().map_err(of_value)? });
    }
    Ok(())
}
