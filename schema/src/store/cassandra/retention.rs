//! How long rows are kept: each carries its end from when it is written (`USING TTL`), so that the node drops it by itself.
//!
//! What is set is a record of the keyspace, which every process reads again after some seconds; what may have been written
//! in between is allowed for ([`Retention::with`]).

use crate::hour::Hour;
use crate::retention::{Keep, Removal, Retention};
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::{CassandraStore, as_of, records, upgrade};
use crate::store::{PipelineRecord, RETENTION, StoreError, parse_retention, retention_payload};
use crate::tables::Table;
use chrono::{DateTime, TimeDelta, Utc};
use scylla::client::session::Session;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long what was read of it is taken for true.
const READ_EVERY: Duration = Duration::from_secs(10);
/// Marks of hours are sealed for so long after these froze: what was written just before is counted, and all rows are
/// there for half a day more.
const STILL_SEALED: TimeDelta = TimeDelta::hours(12);
/// The most that the node takes: 20 years.
const MOST_SECONDS: u32 = 630_720_000;
/// The last end of a row that nodes of version 4 take, and those of version 5 that are set as they are: in January 2038.
const LAST_END: i64 = 2_147_483_646;
/// Rows that are over are passed over by reads until they are compacted away, which they may be after this time. Nothing
/// else is ever deleted from these tables.
const GRACE_SECONDS: u32 = 86_400;

/// What was last read.
#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Instant, Retention, DateTime<Utc>)>>);

impl Known {
    fn fresh(&self) -> Option<(Retention, DateTime<Utc>)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, retention, begin) = known.as_ref().filter(|(read_at, ..)| read_at.elapsed() < READ_EVERY)?;
        Some((retention.clone(), *begin))
    }

    pub(super) fn set(&self, known: Option<(Instant, Retention, DateTime<Utc>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// What is known of the retention.
pub(super) async fn load(store: &CassandraStore) -> Result<Retention, StoreError> {
    known(store).await.map(|(retention, _)| retention)
}

/// Before it no pages are to be read: those that were kept long enough by the last counted time. Rows that are over cost a
/// read as much as others, and those that an older setting kept longer are not to be seen.
pub(super) async fn first_kept(store: &CassandraStore) -> Result<DateTime<Utc>, StoreError> {
    known(store).await.map(|(_, begin)| begin)
}

async fn known(store: &CassandraStore) -> Result<(Retention, DateTime<Utc>), StoreError> {
    if let Some(known) = store.retention.fresh() {
        return Ok(known);
    }
    let read_at = Instant::now();
    let retention = read(store).await?;
    let begin = if retention == Retention::default() {
        DateTime::<Utc>::MIN_UTC
    } else {
        retention.expired_before(as_of::load(store).await?).start()
    };
    store.retention.set(Some((read_at, retention.clone(), begin)));
    Ok((retention, begin))
}

async fn read(store: &CassandraStore) -> Result<Retention, StoreError> {
    let records = records::of_kind(store, RETENTION).await?;
    records.first().map_or_else(|| Ok(Retention::default()), |record| parse_retention(&record.payload))
}

/// Sets how long rows are kept that are written from now on.
pub(super) async fn set_keep(store: &CassandraStore, keep: Keep, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = read(store).await?;
    if before.keep() == keep {
        return Ok(());
    }
    if keep != Keep::All
        && let Err(StoreError::Unavailable(why)) = upgrade::check_titles(store).await
    {
        // What is frozen is entered and counted no more.
        return Err(StoreError::Unavailable(format!("{why}; keep all until they are")));
    }
    tracing::info!(before = %before.keep(), now = %keep, "how long pages are kept is changed");
    if before.keep() == Keep::All {
        shorten_grace(&store.session, &store.keyspace).await?;
    }
    let payload = retention_payload(&before.with(keep, now, Removal::ByRow));
    records::put(store, &PipelineRecord { kind: RETENTION.into(), key: String::new(), payload }).await?;
    store.retention.set(None);
    Ok(())
}

/// Gives tables that a newer layout added the grace of the others, where pages have an end.
pub(super) async fn set_grace(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    let cql = format!("SELECT payload FROM {keyspace}.pipeline_records WHERE kind = ?");
    let answer = session.query_unpaged(cql, (RETENTION,)).await.map_err(of_request)?.into_rows_result()?;
    let Some(record) = answer.rows::<(Vec<u8>,)>()?.next() else { return Ok(()) };
    let (payload,) = record?;
    if parse_retention(&payload)?.keep() == Keep::All { Ok(()) } else { shorten_grace(session, keyspace).await }
}

async fn shorten_grace(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    for table in Table::ALL {
        let name = table.name();
        let statement = format!("ALTER TABLE {keyspace}.{name} WITH gc_grace_seconds = {GRACE_SECONDS}");
        session.query_unpaged(statement, ()).await.map_err(of_request)?;
    }
    Ok(())
}

/// Seconds from now for which a page's row is kept; 0 is for ever.
pub(super) fn ttl_of_page(retention: &Retention, created_at: DateTime<Utc>, now: DateTime<Utc>) -> i32 {
    ttl(retention.seconds_left(Hour::of(created_at), created_at, now), now)
}

/// The same for an hour in the list of hours: as long as any page of it.
pub(super) fn ttl_of_hour(retention: &Retention, hour: Hour, now: DateTime<Utc>) -> i32 {
    ttl(retention.seconds_left(hour, hour.end(), now), now)
}

fn ttl(seconds: Option<u32>, now: DateTime<Utc>) -> i32 {
    let until_last = u32::try_from(LAST_END - now.timestamp()).ok().filter(|seconds| *seconds > 0);
    let most = until_last.map_or(MOST_SECONDS, |seconds| seconds.min(MOST_SECONDS));
    let seconds = seconds.map_or(0, |seconds| seconds.min(most));
    i32::try_from(seconds).expect("20 years are fewer seconds than i32 has numbers")
}

/// The time by which hours must have frozen for their marks to be taken away unsealed.
pub(super) fn sealed_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now - STILL_SEALED
}
