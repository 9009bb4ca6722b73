//! Up to when pages written are counted: when the last pass began that left nothing uncounted.

use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use chrono::{DateTime, Utc};
use scylla::statement::prepared::PreparedStatement;

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
