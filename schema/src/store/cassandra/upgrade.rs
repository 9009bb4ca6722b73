//! From an older layout: its pages are written again, hour by hour and the newest first, so that the tables that it did not
//! have hold them too and the counts are taken as they always are.
//!
//! The sealer does it beside the writer. Meanwhile whatever those tables would answer is unavailable, and all else answers.
//! Any number of processes may do it, and each may end at any point: an hour that is written again is as it was. Writers of
//! the older version must have ended, for they fill no new table.

use crate::hour::Hour;
use crate::page::Page;
use crate::query::{ListOrder, PageList};
use crate::store::cassandra::errors::{of_request, of_value};
use crate::store::cassandra::hours::HourWalk;
use crate::store::cassandra::rows::texts_of;
use crate::store::cassandra::scan::scan;
use crate::store::cassandra::slices::{PAGE_ROWS, collect};
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::write::write_pages;
use crate::store::cassandra::{CassandraStore, Scan};
use crate::store::{OddRow, StoreError};
use chrono::{DateTime, Utc};
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use std::sync::atomic::{AtomicBool, Ordering};

/// What layout 2 added.
const LAYOUT: &str = "2";
/// Pages of one step: a few seconds, then the counts have their turn.
pub(super) const STEP_PAGES: usize = 20_000;

pub(super) struct Upgrade {
    put: PreparedStatement,
    get: PreparedStatement,
    /// Once seen at its end it needs no look any more.
    is_done: AtomicBool,
}

impl Upgrade {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            put: it.put_at("upgrades", "layout, next_hour").await?,
            get: it.read("next_hour", "upgrades", "layout = ?").await?,
            is_done: AtomicBool::new(false),
        })
    }
}

/// Has all pages written again. Where that has begun it goes on.
pub(super) async fn begin(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    let upgrade = Upgrade::prepare(&Preparer { session, keyspace }).await?;
    note(session, &upgrade, Some(Hour::MAX)).await
}

/// Notes where to go on; none at the end.
async fn note(session: &Session, upgrade: &Upgrade, next: Option<Hour>) -> Result<(), StoreError> {
    // Of two processes the one that is further stays, whichever wrote last.
    let timestamp = Hour::MAX.count() - next.map_or(-1, Hour::count);
    let name = next.map_or_else(String::new, |hour| hour.to_string());
    session.execute_unpaged(&upgrade.put, (LAYOUT, name, timestamp)).await.map_err(of_request)?;
    Ok(())
}

/// The newest hour that is not written again yet; none where all are.
async fn load_next(store: &CassandraStore) -> Result<Option<Hour>, StoreError> {
    let upgrade = &store.upgrade;
    if upgrade.is_done.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let names = collect(&store.session, &upgrade.get, (LAYOUT,), texts_of).await?;
    let next = match names.first().filter(|name| !name.is_empty()) {
        Some(name) => Some(name.parse().map_err(of_value)?),
        None => None,
    };
    if next.is_none() {
        upgrade.is_done.store(true, Ordering::Relaxed);
    }
    Ok(next)
}

/// Refuses to read the new tables before they hold all pages.
pub(super) async fn check_done(store: &CassandraStore) -> Result<(), StoreError> {
    let Some(next) = load_next(store).await? else { return Ok(()) };
    let how_far = if next == Hour::MAX { String::new() } else { format!("; those after {next} are done") };
    Err(StoreError::Unavailable(format!(
        "the pages stored by an older version are being entered into the tables of accounts{how_far}"
    )))
}

/// As [`check_done`], for a list that lies in a new table.
pub(super) async fn check_list(store: &CassandraStore, list: &PageList) -> Result<(), StoreError> {
    if matches!(list, PageList::User(..)) { check_done(store).await } else { Ok(()) }
}

/// Writes the next hours again, until `max_pages` are written or more; false when nothing is left.
pub(super) async fn proceed(store: &CassandraStore, now: DateTime<Utc>, max_pages: usize) -> Result<bool, StoreError> {
    let Some(next) = load_next(store).await? else { return Ok(false) };
    let mut hours = HourWalk::begin(store, ListOrder::NewestFirst, Hour::MIN, next).await?;
    let mut written = 0;
    while let Some(hour) = hours.next().await? {
        if written >= max_pages {
            note(&store.session, &store.upgrade, Some(hour)).await?;
            tracing::info!(after = %hour, "pages stored by an older version are being entered, the newest first");
            return Ok(true);
        }
        written += write_hour(store, hour, now).await?;
    }
    note(&store.session, &store.upgrade, None).await?;
    tracing::info!("the pages stored by an older version are entered");
    Ok(false)
}

/// Writes an hour's pages again; gives how many.
async fn write_hour(store: &CassandraStore, hour: Hour, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let (mut written, mut position) = (0, None);
    loop {
        let part = scan(store, Scan::Hour(hour), position.as_ref(), PAGE_ROWS).await?;
        // What is no page's row is left alone; verifying tells of it.
        let pages: Vec<Page> = part.rows.into_iter().filter_map(Result::<Page, OddRow>::ok).collect();
        write_pages(store, &pages, now).await?;
        written += pages.len();
        position = part.next;
        if position.is_none() {
            return Ok(written);
        }
    }
}
