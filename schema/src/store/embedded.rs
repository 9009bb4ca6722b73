//! The embedded store: one SQLite file, one writer thread, a few readers. Knows nothing of who writes or asks.
//!
//! A page is stored once and indexed in the order of each table (`layout.sql`). All calls to the database run on
//! threads of their own, so that no async thread waits for a disk.

mod awaiting;
mod batch;
mod commits;
mod counting;
mod counts;
mod error;
mod event_ids;
mod expiry;
mod indexes;
mod layout;
mod lists;
mod lookups;
mod names;
mod readers;
mod rebuild;
mod rollup;
mod rows;
mod scan;
#[cfg(test)]
mod tests;
mod titles;
mod writer;

use crate::hour::Hour;
use crate::page::{Domain, Page, PageId, UserId};
use crate::period::Period;
use crate::query::{Count, CountQuery, DomainRow, PageQuery, PageSlice, UserCount};
use crate::retention::{Keep, Retention};
use crate::store::rows_read::RowsRead;
use crate::store::{
    Call, Commit, Committed, Durability, Migration, PipelineRecord, Reads, Repair, Scan, ScanPosition, Scanned,
    Sealing, Store, StoreError,
};
use async_trait::async_trait;
use awaiting::Work;
use batch::Counting;
use chrono::{DateTime, Utc};
use readers::Readers;
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;
use writer::{Change, Writer};

/// The file within the store's folder.
pub const DATABASE_FILE: &str = "pagetrack.db";

/// A store in one folder of this machine, used by one process at a time.
#[derive(Debug)]
pub struct EmbeddedStore {
    // Dropped in this order: the writer finishes what it accepted, the readers close, the folder is free.
    writer: Writer,
    readers: Readers,
    rows_read: RowsRead,
    _lock: File,
}

impl EmbeddedStore {
    /// Opens `folder`, creating it and its database when `migration` says so.
    ///
    /// # Errors
    /// `Unsupported` when the folder cannot be written or is in use, or its database is another program's, a newer
    /// version's or the sample's; `Unavailable` when the machine is out of threads or disk.
    pub async fn open(folder: &Path, migration: Migration, durability: Durability) -> Result<Self, StoreError> {
        let open = move |path: &Path| layout::open_writer(path, migration, durability);
        Self::open_with(folder, migration, Counting::On, open).await
    }

    /// As [`Self::open`], but the store's counts stay as they are: only to measure what counting costs.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_uncounted(folder: &Path) -> Result<Self, StoreError> {
        let open = |path: &Path| layout::open_writer(path, Migration::Apply, Durability::Process);
        Self::open_with(folder, Migration::Apply, Counting::Off, open).await
    }

    /// Makes the sample's store in `folder` anew. An earlier sample is removed once the folder is this process's.
    ///
    /// # Errors
    /// As [`Self::open`], and `Unsupported` when the database there is not a sample's.
    pub async fn open_sample(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, Migration::Apply, Counting::On, layout::open_sample_writer).await
    }

    async fn open_with(
        folder: &Path,
        migration: Migration,
        counting: Counting,
        open_writer: impl FnOnce(&Path) -> Result<Connection, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let folder = folder.to_path_buf();
        let open = move || {
            let lock = layout::lock_folder(&folder, migration)?;
            let path = folder.join(DATABASE_FILE);
            let connection = open_writer(&path)?;
            let readers = Readers::open(&path)?;
            Ok(Self {
                writer: Writer::start(connection, counting)?,
                readers,
                rows_read: RowsRead::default(),
                _lock: lock,
            })
        };
        let opened = tokio::task::spawn_blocking(open).await;
        opened.map_err(|e| StoreError::Unavailable(format!("the embedded store's opening was cut off: {e}")))?
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn write_pages(&self, pages: &[Page], now: DateTime<Utc>) -> Result<Hour, StoreError> {
        if pages.is_empty() {
            return Ok(Hour::MIN);
        }
        self.writer.write(Change::Pages(pages.to_vec(), now)).await
    }

    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError> {
        let query = query.clone();
        self.rows_read.of(Call::ListPages, self.readers.read(move |db| lists::list_pages(db, &query))).await
    }

    async fn load_pages(&self, keys: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError> {
        let keys = keys.to_vec();
        self.rows_read.of(Call::LoadPages, self.readers.read(move |db| lookups::load_pages(db, &keys))).await
    }

    async fn load_users(&self, keys: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError> {
        let keys = keys.to_vec();
        self.rows_read.of(Call::LoadUsers, self.readers.read(move |db| lookups::load_users(db, &keys))).await
    }

    async fn load_domains(&self, names: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError> {
        let names = names.to_vec();
        self.rows_read.of(Call::LoadDomains, self.readers.read(move |db| lookups::load_domains(db, &names))).await
    }

    async fn pages_by_id(&self, page_id: PageId) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::PagesById, self.readers.read(move |db| lookups::pages_by_id(db, page_id))).await
    }

    async fn pages_by_title(&self, domain: &Domain, page_title: &str, limit: usize) -> Result<Vec<Page>, StoreError> {
        let (domain, page_title) = (domain.clone(), page_title.to_owned());
        let read = move |db: &Connection| titles::pages_by_title(db, &domain, &page_title, limit);
        self.rows_read.of(Call::PagesByTitle, self.readers.read_after(Work::Indexing, read)).await
    }

    async fn users_by_id(&self, user_id: UserId) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::UsersById, self.readers.read(move |db| lookups::users_by_id(db, user_id))).await
    }

    async fn users_by_name(&self, user_name: &str) -> Result<Vec<Page>, StoreError> {
        let user_name = user_name.to_owned();
        self.rows_read.of(Call::UsersByName, self.readers.read(move |db| lookups::users_by_name(db, &user_name))).await
    }

    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        self.rows_read.of(Call::Domains, self.readers.read(lookups::domains)).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
        let query = query.clone();
        self.rows_read
            .of(Call::Counts, self.readers.read_after(Work::Counting, move |db| counts::counts(db, &query)))
            .await
    }

    async fn user_counts(&self, period: Period) -> Result<Vec<UserCount>, StoreError> {
        self.rows_read
            .of(Call::UserCounts, self.readers.read_after(Work::Counting, move |db| counts::user_counts(db, period)))
            .await
    }

    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    /// A write's transaction holds its counts. Only what a store of before had not counted, or not entered by its title, is
    /// waited for, a moment.
    async fn seal_counts(&self, _: DateTime<Utc>) -> Result<Sealing, StoreError> {
        awaiting::wait(&self.readers).await
    }

    async fn retention(&self) -> Result<Retention, StoreError> {
        self.readers.read(expiry::load).await
    }

    async fn set_keep(&self, keep: Keep, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.writer.write(Change::Keep(keep, now)).await.map(drop)
    }

    async fn remove_expired(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.readers.read(move |db| expiry::is_due(db, now)).await? {
            self.writer.write(Change::RemoveExpired(now)).await?;
        }
        Ok(())
    }

    async fn put_record(&self, record: &PipelineRecord) -> Result<(), StoreError> {
        self.writer.write(Change::Record(record.clone())).await.map(drop)
    }

    async fn records(&self, kind: &str) -> Result<Vec<PipelineRecord>, StoreError> {
        let kind = kind.to_owned();
        self.rows_read.of(Call::Records, self.readers.read(move |db| lookups::records(db, &kind))).await
    }

    fn has_commit_order(&self) -> bool {
        true
    }

    async fn last_commit(&self) -> Result<Commit, StoreError> {
        self.readers.read(commits::last).await
    }

    async fn list_committed(&self, after: Commit, limit: usize) -> Result<Option<Committed>, StoreError> {
        self.rows_read.of(Call::ListCommitted, self.readers.read(move |db| commits::list(db, after, limit))).await
    }

    async fn scan(&self, scan: Scan, from: Option<&ScanPosition>, limit: usize) -> Result<Scanned, StoreError> {
        let from = from.cloned();
        self.readers.read(move |db| scan::scan(db, scan, from.as_ref(), limit)).await
    }

    async fn listed_hours(&self) -> Result<Vec<Hour>, StoreError> {
        self.readers.read(scan::listed_hours).await
    }

    async fn repair(&self, step: Repair, _: DateTime<Utc>) -> Result<(), StoreError> {
        self.writer.write(Change::Repair(step)).await.map(drop)
    }

    fn rows_read(&self) -> Vec<Reads> {
        self.rows_read.load()
    }
}
