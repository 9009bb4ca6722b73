//! Which rows go in one request: single rows at low rate, batches of one table under load.

use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::rows::{HourInsertRow, InsertRow, PageTexts};
use crate::store::cassandra::statements::{MIXED_ROWS, PARTITION_ROWS, TableInserts};
use crate::tables::Table;
use scylla::cluster::ClusterState;
use std::collections::BTreeMap;

/// Up to so many pages go as single rows: each alone is faster than a batch of few.
const FEW_PAGES: usize = 3;
/// What the rows of a batch over several partitions may weigh: the node warns at 5 KiB.
const MIXED_BYTES: usize = 4 * 1024;
/// What the rows of a batch inside one partition may weigh: ordinary rows take a third of it, and the node refuses a
/// mutation of half a commit log segment, for which the writer would wait for ever.
const PARTITION_BYTES: usize = 128 * 1024;
/// What a row weighs beside its texts: the other values, and each cell's timestamps as the node counts them.
const ROW_BYTES: usize = 230;

/// Rows of one table that go in one request.
pub(super) struct Request<'a> {
    pub(super) inserts: &'a TableInserts,
    pub(super) rows: Vec<&'a PageTexts<'a>>,
}

/// The requests of all tables, or of one, in turn, so that no table lags another.
pub(super) fn plan<'a>(store: &'a CassandraStore, texts: &'a [PageTexts<'a>], only: Option<Table>) -> Vec<Request<'a>> {
    let cluster = store.session.get_cluster_state();
    let mut tables: Vec<_> = store
        .statements
        .inserts
        .iter()
        .filter(|inserts| only.is_none_or(|table| inserts.table == table))
        .map(|inserts| {
            let chunks = if texts.len() <= FEW_PAGES {
                texts.iter().map(|row| vec![row]).collect()
            } else {
                by_replicas(&cluster, inserts, texts)
                    .into_iter()
                    .flat_map(|rows| chunks_of(inserts.table, rows))
                    .collect::<Vec<_>>()
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

/// Cuts rows into batches, those of one partition side by side, since the node writes these as one. A row that is
/// too large for any batch goes alone.
fn chunks_of<'a>(table: Table, mut rows: Vec<&'a PageTexts<'a>>) -> Vec<Vec<&'a PageTexts<'a>>> {
    rows.sort_by(|a, b| a.partition(table).cmp(&b.partition(table)));
    let mut chunks: Vec<Vec<&PageTexts<'_>>> = Vec::new();
    let mut bytes = 0;
    for of_one in rows.chunk_by(|a, b| a.partition(table) == b.partition(table)) {
        for (part, weight) in parts_of(of_one) {
            match chunks.last_mut() {
                Some(chunk) if chunk.len() + part.len() <= MIXED_ROWS && bytes + weight <= MIXED_BYTES => {
                    chunk.extend(part);
                    bytes += weight;
                }
                _ => {
                    chunks.push(part.to_vec());
                    bytes = weight;
                }
            }
        }
    }
    chunks
}

/// Cuts the rows of one partition into what one mutation may hold, each part with its weight.
fn parts_of<'s, 'a>(mut rows: &'s [&'a PageTexts<'a>]) -> impl Iterator<Item = (&'s [&'a PageTexts<'a>], usize)> {
    std::iter::from_fn(move || {
        let (mut count, mut bytes) = (0, 0);
        for weight in rows.iter().take(PARTITION_ROWS).map(|row| row.weight()) {
            if count > 0 && bytes + weight > PARTITION_BYTES {
                break;
            }
            count += 1;
            bytes += weight;
        }
        let (part, rest) = rows.split_at(count);
        rows = rest;
        (count > 0).then_some((part, bytes))
    })
}

impl PageTexts<'_> {
    /// The key of its row's partition: one column, or two.
    fn partition(&self, table: Table) -> (&str, &str) {
        match table {
            Table::PagesById => (&self.page_id, ""),
            Table::PagesByUser => (&self.user_id, ""),
            Table::PagesByUserName => (&self.page.user_name, ""),
            Table::PagesByAccount => (self.page.domain.as_str(), &self.user_id),
            Table::PagesByDomain => (self.page.domain.as_str(), ""),
            Table::PagesByTitle => (self.page.domain.as_str(), &self.page.page_title),
            Table::PagesByTime | Table::LatestPages => (&self.date_hour, ""),
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

#[cfg(test)]
mod tests;
