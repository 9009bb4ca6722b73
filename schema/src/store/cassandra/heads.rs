//! Heads: which generation of counts is a period's. Flipped by compare-and-set, so that of two sealers one wins.

use crate::clock::{Clock, SystemClock};
use crate::period::{Period, PeriodRange};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::periods::{OnShelf, head_shelf_of, name_of, on_head_shelves, parse_name};
use crate::store::cassandra::rollup_statements::ON_SHELF;
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::response::query_result::QueryRowsResult;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::{CqlValue, Row};

/// Shelves read side by side.
const SHELVES_AT_ONCE: usize = 8;

pub(super) struct Statements {
    current: PreparedStatement,
    on_shelf: PreparedStatement,
    first: PreparedStatement,
    flip: PreparedStatement,
    put_derived: PreparedStatement,
}

const COLUMNS: &str = "period, version, generation, derived";

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        let first =
            "INSERT INTO {keyspace}.heads (shelf, period, version, generation) VALUES (?, ?, ?, ?) IF NOT EXISTS";
        let flip =
            "UPDATE {keyspace}.heads SET version = ?, generation = ? WHERE shelf = ? AND period = ? IF version = ?";
        let put_derived = "UPDATE {keyspace}.heads USING TIMESTAMP ? SET derived = ? WHERE shelf = ? AND period = ?";
        let mut current = it.read(COLUMNS, "heads", "shelf = ? AND period = ?").await?;
        current.set_consistency(Consistency::LocalSerial);
        Ok(Self {
            current,
            on_shelf: it.read(COLUMNS, "heads", ON_SHELF).await?,
            first: it.conditional(first).await?,
            flip: it.conditional(flip).await?,
            put_derived: it.prepare(put_derived).await?,
        })
    }
}

/// A period's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) period: Period,
    /// More with each sealing: the time of it in microseconds, as of any write that gives none, so that its derived rows
    /// replace what a hand wrote before, and what stands of a head that was lost.
    pub(super) version: i64,
    /// Where its counts are.
    pub(super) generation: i64,
    /// The last version whose derived rows are all written.
    pub(super) derived: Option<i64>,
}

impl Head {
    /// Whether the derived rows are those of this generation, none missing.
    pub(super) fn is_derived(&self) -> bool {
        self.derived == Some(self.version)
    }
}

fn push_heads(rows: &QueryRowsResult, all: &mut Vec<Head>) -> Result<(), StoreError> {
    for row in rows.rows::<(&str, i64, i64, Option<i64>)>()? {
        let (period, version, generation, derived) = row?;
        all.push(Head { period: parse_name(period)?, version, generation, derived });
    }
    Ok(())
}

/// The head that the next flip is compared with: a serial read.
pub(super) async fn load_current(store: &CassandraStore, period: Period) -> Result<Option<Head>, StoreError> {
    let values = (head_shelf_of(period), name_of(period));
    Ok(collect(&store.session, &store.rollups.heads.current, values, push_heads).await?.into_iter().next())
}

/// The heads of a range, in order of time.
pub(super) async fn in_range(store: &CassandraStore, range: PeriodRange) -> Result<Vec<Head>, StoreError> {
    let read = async |part: OnShelf| {
        let values = (&part.shelf, &part.from, &part.to);
        collect(&store.session, &store.rollups.heads.on_shelf, values, push_heads).await
    };
    let reads: Vec<_> = on_head_shelves(range).into_iter().map(read).collect();
    stream::iter(reads).buffered(SHELVES_AT_ONCE).try_concat().await
}

/// Makes `generation` the period's if `old` still is its head. Gives the new head, none where another sealer won.
///
/// An error leaves open whether it happened: the next sealing reads the head again.
pub(super) async fn flip(
    store: &CassandraStore,
    period: Period,
    old: Option<Head>,
    generation: i64,
) -> Result<Option<Head>, StoreError> {
    // One at a time within a process: heads of one shelf share a partition, in which proposals collide.
    let _turn = store.sealer.flips.lock().await;
    let (shelf, name) = (head_shelf_of(period), name_of(period));
    let (version, session) = (next_version(old.as_ref()), &store.session);
    let answer = match old {
        None => session.execute_unpaged(&store.rollups.heads.first, (shelf, name, version, generation)).await,
        Some(old) => {
            session.execute_unpaged(&store.rollups.heads.flip, (version, generation, shelf, name, old.version)).await
        }
    };
    let row: Row = answer.map_err(of_request)?.into_rows_result()?.first_row()?;
    let is_ours = matches!(row.columns.first(), Some(Some(CqlValue::Boolean(true))));
    Ok(is_ours.then_some(Head { period, version, generation, derived: old.and_then(|old| old.derived) }))
}

/// Notes that all derived rows of a version are written. The version is the write timestamp: a slower sealer's stays below.
pub(super) async fn set_derived(store: &CassandraStore, head: &Head) -> Result<(), StoreError> {
    let values = (head.version, head.version, head_shelf_of(head.period), name_of(head.period));
    store.session.execute_unpaged(&store.rollups.heads.put_derived, values).await.map_err(of_request)?;
    Ok(())
}

/// The version behind a head's: whatever the clock says, a larger one.
fn next_version(old: Option<&Head>) -> i64 {
    let now = SystemClock.now().timestamp_micros();
    old.map_or(now, |head| now.max(head.version + 1))
}

/// Has the next sealing of a period write all of its derived rows, not only those that differ: the same counts, under a
/// version of which no derived rows are written. A sealing that has read the head already loses.
pub(super) async fn doubt_derived(store: &CassandraStore, period: Period) -> Result<(), StoreError> {
    while let Some(head) = load_current(store, period).await?.filter(Head::is_derived) {
        if flip(store, period, Some(head), head.generation).await?.is_some() {
            break;
        }
    }
    Ok(())
}
