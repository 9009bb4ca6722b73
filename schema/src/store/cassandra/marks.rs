//! Marks: which periods have rows that are not counted yet.
//!
//! A writer marks an hour once its rows are acknowledged, a sealer the longer period once the shorter's head is flipped:
//! never before, or the mark could be taken away by a sealing that did not see the rows. There is one row per period and
//! incarnation. Its write timestamp is the incarnation's sequence number: a later mark replaces it, and a delete with the
//! number that was read hides that mark and all before it, those still on their way too, and none behind it.

use crate::period::{Period, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::periods::{name_of, parse_name, shelf_of, shelves_of};
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::statement::prepared::PreparedStatement;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

/// Requests in flight of one call.
const IN_FLIGHT: usize = 32;

pub(super) struct Statements {
    put: PreparedStatement,
    marked: PreparedStatement,
    of_period: PreparedStatement,
    delete: PreparedStatement,
}

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        let delete =
            "DELETE FROM {keyspace}.marks USING TIMESTAMP ? WHERE shelf = ? AND period = ? AND incarnation = ?";
        Ok(Self {
            put: it.put_at("marks", "shelf, period, incarnation, number").await?,
            marked: it.read("period", "marks", "shelf IN ?").await?,
            of_period: it.read("incarnation, number", "marks", "shelf = ? AND period = ?").await?,
            delete: it.prepare(delete).await?,
        })
    }
}

/// Whoever marks: a random name, and the number of its last mark.
pub(super) struct Incarnation {
    name: i64,
    last: AtomicI64,
}

impl Incarnation {
    /// A new one: what an earlier process had in flight must not be mistaken for ours.
    pub(super) fn random() -> Self {
        Self { name: rand::random(), last: AtomicI64::new(0) }
    }

    fn next_number(&self) -> i64 {
        self.last.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// A mark as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    period: Period,
    incarnation: i64,
    number: i64,
}

/// Marks periods. To be called only once what is to be counted can be read by all.
pub(super) async fn set(store: &CassandraStore, periods: &BTreeSet<Period>) -> Result<(), StoreError> {
    let (session, put, incarnation) = (&store.session, &store.rollups.marks.put, &store.sealer.incarnation);
    let number = incarnation.next_number();
    let writes: Vec<_> = periods
        .iter()
        .map(|period| {
            let values = (shelf_of(*period), name_of(*period), incarnation.name, number, number);
            session.execute_unpaged(put, values)
        })
        .collect();
    stream::iter(writes).buffer_unordered(IN_FLIGHT).map_ok(drop).try_collect::<()>().await.map_err(of_request)
}

/// The marked periods of this length in these years.
pub(super) async fn list(
    store: &CassandraStore,
    unit: TimeUnit,
    years: &[Period],
) -> Result<BTreeSet<Period>, StoreError> {
    let names = collect(&store.session, &store.rollups.marks.marked, (shelves_of(unit, years),), |rows, all| {
        for row in rows.rows::<(&str,)>()? {
            all.push(parse_name(row?.0)?);
        }
        Ok(())
    });
    Ok(names.await?.into_iter().collect())
}

/// The marks of one period.
pub(super) async fn of_period(store: &CassandraStore, period: Period) -> Result<Vec<Mark>, StoreError> {
    let values = (shelf_of(period), name_of(period));
    collect(&store.session, &store.rollups.marks.of_period, values, |rows, all| {
        for row in rows.rows::<(i64, i64)>()? {
            let (incarnation, number) = row?;
            all.push(Mark { period, incarnation, number });
        }
        Ok(())
    })
    .await
}

/// Takes back marks that were read, and with each what its incarnation sent before it.
pub(super) async fn delete(store: &CassandraStore, marks: &[Mark]) -> Result<(), StoreError> {
    let deletes: Vec<_> = marks
        .iter()
        .map(|mark| {
            let values = (mark.number, shelf_of(mark.period), name_of(mark.period), mark.incarnation);
            store.session.execute_unpaged(&store.rollups.marks.delete, values)
        })
        .collect();
    stream::iter(deletes).buffer_unordered(IN_FLIGHT).map_ok(drop).try_collect::<()>().await.map_err(of_request)
}
