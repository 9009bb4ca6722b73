//! Marks: which periods have rows that are not counted yet.
//!
//! A writer marks an hour once its rows are acknowledged, a sealer the longer period once the shorter's head is flipped:
//! never before, or the mark could be taken away by a sealing that did not see the rows. There is one row per period and
//! incarnation. Its write timestamp is the incarnation's sequence number: a later mark replaces it, and a delete with the
//! number that was read hides that mark and all before it, those still on their way too, and none behind it. An hour's mark
//! says also to which minutes its incarnation wrote lately, with those of the marks that it replaces.

use crate::hour::Hour;
use crate::period::{Period, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::incarnation::{Minute, Part, Touched};
use crate::store::cassandra::periods::{name_of, parse_name, shelf_of, shelves_of};
use crate::store::cassandra::slices::{collect, collect_until};
use crate::store::cassandra::statements::Preparer;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::statement::prepared::PreparedStatement;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

/// The order in which marks are read and taken away: who takes one away has marked the longer period before.
pub(super) const SHORTEST_FIRST: [TimeUnit; 4] = [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Month, TimeUnit::Year];

/// Shelves of one request: those of a year's hours. Nodes may refuse more than 20.
const SHELVES_OF_A_READ: usize = 12;

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
            put: it.put_at("marks", "shelf, period, incarnation, number, since, minutes").await?,
            marked: it.read("period", "marks", "shelf IN ?").await?,
            of_period: it.read("incarnation, number, since, minutes", "marks", "shelf = ? AND period = ?").await?,
            delete: it.prepare(delete).await?,
        })
    }
}

/// A mark as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    period: Period,
    pub(super) incarnation: i64,
    pub(super) number: i64,
    /// None by a program that did not know of minutes.
    pub(super) touched: Option<Touched>,
}

/// Marks hours, and what of each. To be called only once what is to be counted can be read by all.
pub(super) async fn set(store: &CassandraStore, hours: &BTreeMap<Hour, Part>) -> Result<(), StoreError> {
    let incarnation = &store.sealer.incarnation;
    let marks = hours.iter().map(|(hour, part)| {
        let (number, touched) = incarnation.touch(*hour, part);
        put(store, Period { start: *hour, unit: TimeUnit::Hour }, number, touched)
    });
    let marks: Vec<_> = marks.collect();
    stream::iter(marks).buffer_unordered(IN_FLIGHT).try_collect().await
}

/// Marks longer periods, as [`set`] does hours.
pub(super) async fn set_longer(store: &CassandraStore, periods: &BTreeSet<Period>) -> Result<(), StoreError> {
    let number = store.sealer.incarnation.next_number();
    let marks: Vec<_> = periods.iter().map(|period| put(store, *period, number, Touched::default())).collect();
    stream::iter(marks).buffer_unordered(IN_FLIGHT).try_collect().await
}

async fn put(store: &CassandraStore, period: Period, number: i64, touched: Touched) -> Result<(), StoreError> {
    let (incarnation, Touched { since, minutes }) = (store.sealer.incarnation.name, touched);
    let values = (shelf_of(period), name_of(period), incarnation, number, since, minutes, number);
    store.session.execute_unpaged(&store.rollups.marks.put, values).await.map(drop).map_err(of_request)
}

/// The marked periods of this length in these years; none where they have more than `most` marks, of which some more than
/// that are read.
pub(super) async fn list(
    store: &CassandraStore,
    unit: TimeUnit,
    years: &[Period],
    most: usize,
) -> Result<Option<BTreeSet<Period>>, StoreError> {
    let (session, marked) = (&store.session, &store.rollups.marks.marked);
    let shelves = shelves_of(unit, years);
    let read = |shelves: Vec<String>| {
        collect_until(session, marked, (shelves,), most, |rows, all| {
            for row in rows.rows::<(&str,)>()? {
                all.push(parse_name(row?.0)?);
            }
            Ok(())
        })
    };
    let reads: Vec<_> = shelves.chunks(SHELVES_OF_A_READ).map(|shelves| read(shelves.to_vec())).collect();
    // Those of a bound one by one: each reads up to it.
    let at_once = if most == usize::MAX { IN_FLIGHT } else { 1 };
    let mut reading = pin!(stream::iter(reads).buffer_unordered(at_once));
    let mut names = Vec::new();
    while let Some(more) = reading.try_next().await? {
        names.extend(more);
        // A period has as many as incarnations wrote to it, so those that were read may be of few.
        if names.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(names.into_iter().collect()))
}

/// The marks of one period.
pub(super) async fn of_period(store: &CassandraStore, period: Period) -> Result<Vec<Mark>, StoreError> {
    let values = (shelf_of(period), name_of(period));
    collect(&store.session, &store.rollups.marks.of_period, values, |rows, all| {
        for row in rows.rows::<(i64, i64, Option<i64>, Option<BTreeMap<Minute, i64>>)>()? {
            let (incarnation, number, since, minutes) = row?;
            let touched = since.map(|since| Touched { since, minutes: minutes.unwrap_or_default() });
            all.push(Mark { period, incarnation, number, touched });
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
