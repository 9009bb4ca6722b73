//! Writing pages: all tables side by side, single rows at low rate, batches of one table under load.

use crate::hour::Hour;
use crate::page::{Domain, Page, WikiId};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::hours::{YEARS, year_of};
use crate::store::cassandra::rows::{HourInsertRow, InsertRow, PageTexts};
use crate::store::cassandra::statements::{BATCH_ROWS, TableInserts};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::cluster::ClusterState;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Up to so many pages go as single rows: each alone is faster than a batch of few.
const FEW_PAGES: usize = 3;
/// What a batch's rows may weigh: the node warns at 5 KiB.
const BATCH_BYTES: usize = 4 * 1024;
/// What a row weighs beside its texts: the other values, and each cell's timestamps as the node counts them.
const ROW_BYTES: usize = 230;
/// Requests in flight of one call.
const IN_FLIGHT: usize = 32;
/// Wikis and hours that are remembered at most; beyond it they are written again.
const MAX_REMEMBERED: usize = 100_000;

/// The wikis and hours that this process has written.
#[derive(Default)]
pub(super) struct Remembered(Mutex<HashSet<Shelved>>);

/// A row that many pages share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shelved {
    Domain(Domain, WikiId),
    Hour(Hour),
}

impl Remembered {
    /// The shared rows of these pages that were not written yet.
    fn missing(&self, pages: &[Page]) -> Vec<Shelved> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing: Vec<Shelved> = Vec::new();
        let mut seen: HashSet<Shelved> = HashSet::new();
        for page in pages {
            let domain = Shelved::Domain(page.domain.clone(), page.wiki.clone());
            for row in [domain, Shelved::Hour(Hour::of(page.created_at))] {
                if !known.contains(&row) && seen.insert(row.clone()) {
                    missing.push(row);
                }
            }
        }
        missing
    }

    fn remember(&self, written: Vec<Shelved>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.extend(written);
    }
}

/// Writes the rows of all tables for each page.
pub(super) async fn write_pages(store: &CassandraStore, pages: &[Page]) -> Result<(), StoreError> {
    let texts: Vec<PageTexts<'_>> = pages.iter().map(PageTexts::of).collect();
    let missing = store.remembered.missing(pages);
    let shared: Vec<_> = missing.iter().map(|row| write_shared(store, row)).collect();
    let shared = stream::iter(shared).buffer_unordered(IN_FLIGHT).try_collect::<()>();
    let requests: Vec<_> = plan(store, &texts).into_iter().map(|request| send(store, request)).collect();
    let rows = stream::iter(requests).buffer_unordered(IN_FLIGHT).try_collect::<()>();
    futures::try_join!(rows, shared)?;
    store.remembered.remember(missing);
    Ok(())
}

async fn write_shared(store: &CassandraStore, row: &Shelved) -> Result<(), StoreError> {
    let (session, statements) = (&store.session, &store.statements);
    match row {
        Shelved::Domain(domain, wiki) => {
            let values = (domain.as_str(), wiki.as_str());
            session.execute_unpaged(&statements.put_domain, values).await.map_err(of_request)?;
        }
        Shelved::Hour(hour) => {
            let year = year_of(*hour);
            session.execute_unpaged(&statements.put_hour, (YEARS, &year)).await.map_err(of_request)?;
            session.execute_unpaged(&statements.put_hour, (&year, hour.to_string())).await.map_err(of_request)?;
        }
    }
    Ok(())
}

/// Rows of one table that go in one request.
struct Request<'a> {
    inserts: &'a TableInserts,
    rows: Vec<&'a PageTexts<'a>>,
}

/// The requests of all tables, in turn, so that no table lags another.
fn plan<'a>(store: &'a CassandraStore, texts: &'a [PageTexts<'a>]) -> Vec<Request<'a>> {
    let cluster = store.session.get_cluster_state();
    let mut tables: Vec<_> = store
        .statements
        .inserts
        .iter()
        .map(|inserts| {
            let chunks = if texts.len() <= FEW_PAGES {
                texts.iter().map(|row| vec![row]).collect()
            } else {
                by_replicas(&cluster, inserts, texts).into_iter().flat_map(chunks_of).collect::<Vec<_>>()
            };
            chunks.into_iter().map(move |rows| Request { inserts, rows })
        })
        .collect();
    let mut requests = Vec::new();
    loop {
        let before = requests.len();
        requests.extend(tables.iter_mut().filter_map(Iterator::next));
        if requests.len() == before {
            return requests;
        }
    }
}

/// The rows by the nodes that keep them, so that a batch asks no other: on one node all together.
fn by_replicas<'a>(
    cluster: &ClusterState,
    inserts: &TableInserts,
    texts: &'a [PageTexts<'a>],
) -> Vec<Vec<&'a PageTexts<'a>>> {
    if cluster.get_nodes_info().len() <= 1 {
        return vec![texts.iter().collect()];
    }
    let mut groups: BTreeMap<Vec<_>, Vec<&PageTexts<'_>>> = BTreeMap::new();
    for row in texts {
        groups.entry(replicas_of(cluster, inserts, row)).or_default().push(row);
    }
    groups.into_values().collect()
}

/// The nodes that keep a row; none where the driver cannot tell, then such rows share batches.
fn replicas_of(cluster: &ClusterState, inserts: &TableInserts, row: &PageTexts<'_>) -> Vec<u128> {
    let statement = &inserts.single;
    let token = if inserts.table.is_by_hour() {
        statement.calculate_token(&HourInsertRow::from(row))
    } else {
        statement.calculate_token(&InsertRow::from(row))
    };
    let (Ok(Some(token)), Some(table)) = (token, statement.get_table_spec()) else { return Vec::new() };
    let nodes = cluster.get_token_endpoints(table.ks_name(), table.table_name(), token);
    let mut nodes: Vec<u128> = nodes.iter().map(|(node, _)| node.host_id.as_u128()).collect();
    nodes.sort_unstable();
    nodes
}

/// Cuts rows into batches of at most 10 rows and 4 KiB; a row that is larger goes alone.
fn chunks_of<'a>(rows: Vec<&'a PageTexts<'a>>) -> Vec<Vec<&'a PageTexts<'a>>> {
    let mut chunks: Vec<Vec<&PageTexts<'_>>> = Vec::new();
    let mut bytes = BATCH_BYTES;
    for row in rows {
        let weight = row.weight();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < BATCH_ROWS && bytes + weight <= BATCH_BYTES => {
                chunk.push(row);
                bytes += weight;
            }
            _ => {
                chunks.push(vec![row]);
                bytes = weight;
            }
        }
    }
    chunks
}

impl<'a> PageTexts<'a> {
    fn of(page: &'a Page) -> Self {
        Self {
            page,
            page_id: page.page_id.to_string(),
            user_id: page.user_id.to_string(),
            date_hour: Hour::of(page.created_at).to_string(),
        }
    }

    /// About what the node counts for its row.
    fn weight(&self) -> usize {
        let page = self.page;
        let texts =
            page.user_name.len() + page.domain.as_str().len() + page.page_title.len() + page.wiki.as_str().len();
        let ids = self.page_id.len() + self.user_id.len() + page.event_id.as_ref().map_or(0, String::len);
        texts + ids + self.date_hour.len() + ROW_BYTES
    }
}

async fn send(store: &CassandraStore, request: Request<'_>) -> Result<(), StoreError> {
    if request.inserts.table.is_by_hour() {
        send_rows(store, request.inserts, request.rows.into_iter().map(HourInsertRow::from).collect()).await
    } else {
        send_rows(store, request.inserts, request.rows.into_iter().map(InsertRow::from).collect()).await
    }
}

async fn send_rows<R>(store: &CassandraStore, inserts: &TableInserts, rows: Vec<R>) -> Result<(), StoreError>
where
    R: scylla::serialize::row::SerializeRow,
{
    let sent = match rows.as_slice() {
        [row] => store.session.execute_unpaged(&inserts.single, row).await,
        _ => store.session.batch(&inserts.batches[rows.len() - 2], &rows).await,
    };
    sent.map(drop).map_err(of_request)
}
