//! Single pages, accounts and wikis by their keys: point reads, a bounded number at once.

use crate::page::{Domain, Page, PageId, UserId};
use crate::query::{DomainRow, PageList};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::list::{Bounds, Partition, visit_partition};
use crate::store::cassandra::rows::pages_of;
use crate::store::cassandra::slices::{PAGE_ROWS, collect};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::response::query_result::QueryRowsResult;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Reads at once of one call: facts of the node, 64 in flight answer as fast as it can.
const READS_AT_ONCE: usize = 64;

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
    let pages = collect(&store.session, &store.statements.page, values, push_pages).await?;
    Ok(pages.into_iter().next())
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
    let reads: Vec<_> = keys.iter().map(|(domain, user_id)| load_user(store, domain, *user_id)).collect();
    stream::iter(reads).buffered(READS_AT_ONCE).try_collect().await
}

async fn load_user(store: &CassandraStore, domain: &Domain, user_id: UserId) -> Result<Option<Page>, StoreError> {
    let account = Partition::Account(domain.to_string(), user_id.to_string());
    visit_partition(store, &account, &Bounds::open(), 1, ControlFlow::Break).await
}

/// Every page with this number: the partition's order is by wiki.
pub(super) async fn pages_by_id(store: &CassandraStore, page_id: PageId) -> Result<Vec<Page>, StoreError> {
    collect(&store.session, &store.statements.pages_with_id, (page_id.to_string(),), push_pages).await
}

/// The newest page of each account of a list, by wiki. Reads the whole partition, page by page.
pub(super) async fn newest_by_account(store: &CassandraStore, list: &PageList) -> Result<Vec<Page>, StoreError> {
    let Some(partition) = Partition::of(list) else { return Ok(Vec::new()) };
    let mut newest: BTreeMap<(Domain, UserId), Page> = BTreeMap::new();
    visit_partition::<()>(store, &partition, &Bounds::open(), PAGE_ROWS, |page| {
        newest.entry((page.domain.clone(), page.user_id)).or_insert(page);
        ControlFlow::Continue(())
    })
    .await?;
    Ok(newest.into_values().collect())
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
