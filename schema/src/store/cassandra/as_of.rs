//! What is counted: all that was written before the last pass began that left nothing uncounted, and of what came later
//! what is not marked any more.

use crate::hour::{Hour, HourRange};
use crate::period::{PeriodRange, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::hours::stored_years;
use crate::store::cassandra::marks::{self, SHORTEST_FIRST};
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use chrono::{DateTime, Utc};
use scylla::statement::prepared::PreparedStatement;

/// Marks of one length that a request reads: there are more under a backlog only.
const MOST_MARKS: usize = 500;

pub(super) struct Statements {
    put: PreparedStatement,
    get: PreparedStatement,
}

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            put: it.put_at("counted", "shelf, as_of").await?,
            get: it.read("as_of", "counted", "shelf = 'all'").await?,
        })
    }
}

/// Notes that what was written before `time` is counted. Of several sealers the latest time stays: it is the write
/// timestamp.
pub(super) async fn put(store: &CassandraStore, time: DateTime<Utc>) -> Result<(), StoreError> {
    let values = ("all", time, time.timestamp_micros());
    store.session.execute_unpaged(&store.rollups.as_of.put, values).await.map_err(of_request)?;
    Ok(())
}

/// 1970 where no pass came to its end yet.
pub(super) async fn load(store: &CassandraStore) -> Result<DateTime<Utc>, StoreError> {
    let times = collect(&store.session, &store.rollups.as_of.get, (), |rows, all| {
        for row in rows.rows::<(DateTime<Utc>,)>()? {
            all.push(row?.0);
        }
        Ok(())
    });
    Ok(times.await?.into_iter().next().unwrap_or(DateTime::UNIX_EPOCH))
}

/// Periods whose counts may be behind their pages: the hours since the last whole pass, and what is marked. All hours where
/// that is too much to tell.
pub(super) async fn uncounted(store: &CassandraStore) -> Result<Vec<PeriodRange>, StoreError> {
    let since = Hour::of(load(store).await?);
    let years = stored_years(store).await?;
    let hours_from = |from| PeriodRange { unit: TimeUnit::Hour, hours: HourRange { from, to: Hour::MAX } };
    let mut uncounted = vec![hours_from(since)];
    // In this order: who takes an hour's mark away has marked its day before.
    for unit in SHORTEST_FIRST {
        let Some(marked) = marks::list(store, unit, &years, MOST_MARKS).await? else {
            return Ok(vec![hours_from(Hour::MIN)]);
        };
        uncounted.extend(marked.into_iter().map(|period| PeriodRange { unit, hours: period.hours() }));
    }
    Ok(uncounted)
}
