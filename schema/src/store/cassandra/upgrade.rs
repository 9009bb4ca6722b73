//! From an older layout: its pages are entered, hour by hour and the newest first, into the tables that it did not have.
//! Those of layout 1 are written again as a whole, so that the counts are taken as they always are; of layout 2 the rows by
//! title alone.
//!
//! The sealer does it beside the writer. Meanwhile lists and lookups of those tables are unavailable, counts are of what is
//! entered so far (and say that they are complete up to 1970), and all else answers. Any number of processes may do it, and
//! each may end at any point: an hour that is written again is as it was. Writers of the older version must have ended, for
//! they fill no new table.

use crate::hour::Hour;
use crate::page::Page;
use crate::query::{ListOrder, PageList};
use crate::store::cassandra::errors::{of_request, of_value};
use crate::store::cassandra::hours::HourWalk;
use crate::store::cassandra::rows::texts_of;
use crate::store::cassandra::scan::scan;
use crate::store::cassandra::slices::{PAGE_ROWS, collect};
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::write::{write_pages, write_table};
use crate::store::cassandra::{CassandraStore, Scan};
use crate::store::{OddRow, StoreError};
use crate::tables::Table;
use chrono::{DateTime, Utc};
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use std::sync::atomic::{AtomicBool, Ordering};

/// The layout behind the first: it has no `pages_by_title`.
const WITHOUT_TITLES: i32 = 2;
/// The layout behind that: its marks tell no minutes, and nothing is to be entered.
const WITHOUT_MINUTES: i32 = 3;
/// Pages of one step: a few seconds, then the counts have their turn.
pub(super) const STEP_PAGES: usize = 20_000;

/// What a layout added, into which the pages of older ones are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// The tables of accounts and the counts: layout 2.
    Accounts,
    /// `pages_by_title`: layout 3.
    Titles,
}

impl Added {
    const ALL: [Added; 2] = [Added::Accounts, Added::Titles];

    /// Its row in the table of upgrades.
    fn layout(self) -> &'static str {
        match self {
            Self::Accounts => "2",
            Self::Titles => "3",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Accounts => "the tables of accounts",
            Self::Titles => "the table of titles",
        }
    }
}

pub(super) struct Upgrade {
    put: PreparedStatement,
    get: PreparedStatement,
    /// Once seen at its end it needs no look any more.
    is_done: [AtomicBool; Added::ALL.len()],
}

impl Upgrade {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            put: it.put_at("upgrades", "layout, next_hour").await?,
            get: it.read("next_hour", "upgrades", "layout = ?").await?,
            is_done: Default::default(),
        })
    }
}

/// Has the pages of this older layout entered. Where that has begun it goes on.
pub(super) async fn begin(session: &Session, keyspace: &str, version: Option<i32>) -> Result<(), StoreError> {
    if version == Some(WITHOUT_MINUTES) {
        return Ok(());
    }
    let upgrade = Upgrade::prepare(&Preparer { session, keyspace }).await?;
    // What is written as a whole has its row by title too.
    let added = if version == Some(WITHOUT_TITLES) { Added::Titles } else { Added::Accounts };
    note(session, &upgrade, added, Some(Hour::MAX)).await
}

/// Notes where to go on; none at the end.
async fn note(session: &Session, upgrade: &Upgrade, added: Added, next: Option<Hour>) -> Result<(), StoreError> {
    // Of two processes the one that is further stays, whichever wrote last.
    let timestamp = Hour::MAX.count() - next.map_or(-1, Hour::count);
    let name = next.map_or_else(String::new, |hour| hour.to_string());
    session.execute_unpaged(&upgrade.put, (added.layout(), name, timestamp)).await.map_err(of_request)?;
    Ok(())
}

/// The newest hour that is not entered yet; none where all are.
async fn load_next(store: &CassandraStore, added: Added) -> Result<Option<Hour>, StoreError> {
    let (upgrade, is_done) = (&store.upgrade, &store.upgrade.is_done[added as usize]);
    if is_done.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let names = collect(&store.session, &upgrade.get, (added.layout(),), texts_of).await?;
    let next = match names.first().filter(|name| !name.is_empty()) {
        Some(name) => Some(name.parse().map_err(of_value)?),
        None => None,
    };
    if next.is_none() {
        is_done.store(true, Ordering::Relaxed);
    }
    Ok(next)
}

/// Refuses to read the tables of accounts before they hold all pages.
pub(super) async fn check_accounts(store: &CassandraStore) -> Result<(), StoreError> {
    check(store, Added::Accounts).await
}

/// The same of the table of titles.
pub(super) async fn check_titles(store: &CassandraStore) -> Result<(), StoreError> {
    check_accounts(store).await?;
    check(store, Added::Titles).await
}

async fn check(store: &CassandraStore, added: Added) -> Result<(), StoreError> {
    let Some(next) = load_next(store, added).await? else { return Ok(()) };
    let how_far = if next == Hour::MAX { String::new() } else { format!("; those after {next} are done") };
    let into = added.words();
    Err(StoreError::Unavailable(format!("the pages stored by an older version are being entered into {into}{how_far}")))
}

/// As [`check_accounts`], for a list that lies in a new table.
pub(super) async fn check_list(store: &CassandraStore, list: &PageList) -> Result<(), StoreError> {
    if matches!(list, PageList::User(..)) { check_accounts(store).await } else { Ok(()) }
}

/// Enters the next hours, until `max_pages` are written or more; gives what is not whole yet.
pub(super) async fn proceed(
    store: &CassandraStore,
    now: DateTime<Utc>,
    max_pages: usize,
) -> Result<Option<Added>, StoreError> {
    for added in Added::ALL {
        if let Some(next) = load_next(store, added).await?
            && !enter(store, added, next, now, max_pages).await?
        {
            return Ok(Some(added));
        }
    }
    Ok(None)
}

/// Enters hours from `next` on; whether all are entered.
async fn enter(
    store: &CassandraStore,
    added: Added,
    next: Hour,
    now: DateTime<Utc>,
    max_pages: usize,
) -> Result<bool, StoreError> {
    let mut hours = HourWalk::begin(store, ListOrder::NewestFirst, Hour::MIN, next).await?;
    let mut written = 0;
    while let Some(hour) = hours.next().await? {
        if written >= max_pages {
            note(&store.session, &store.upgrade, added, Some(hour)).await?;
            tracing::info!(after = %hour, into = added.words(), "pages stored by an older version are being entered");
            return Ok(false);
        }
        written += write_hour(store, added, hour, now).await?;
    }
    note(&store.session, &store.upgrade, added, None).await?;
    tracing::info!(into = added.words(), "the pages stored by an older version are entered");
    Ok(true)
}

/// Writes an hour's pages again; gives how many.
async fn write_hour(store: &CassandraStore, added: Added, hour: Hour, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let (mut written, mut position) = (0, None);
    loop {
        let part = scan(store, Scan::Hour(hour), position.as_ref(), PAGE_ROWS).await?;
        // What is no page's row is left alone; verifying tells of it.
        let pages: Vec<Page> = part.rows.into_iter().filter_map(Result::<Page, OddRow>::ok).collect();
        match added {
            Added::Accounts => drop(write_pages(store, &pages, now).await?),
            Added::Titles => write_table(store, Table::PagesByTitle, &pages, now).await?,
        }
        written += pages.len();
        position = part.next;
        if position.is_none() {
            return Ok(written);
        }
    }
}
