//! A store that stops answering: the first lists come from a real one, then nothing does.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schema::hour::Hour;
use schema::page::{Domain, Page, PageId, UserId};
use schema::period::Period;
use schema::query::{Count, CountQuery, DomainRow, PageQuery, PageSlice, UserCount};
use schema::retention::{Keep, Retention};
use schema::store::{PipelineRecord, Reads, Repair, Scan, ScanPosition, Scanned, Sealing, Store, StoreError};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers `lists` slices of lists from `inner`, and fails with a text that no client may see.
pub(crate) struct StoppingStore {
    inner: Arc<dyn Store>,
    lists: usize,
    is_silent: bool,
    asked: AtomicUsize,
}

impl StoppingStore {
    /// A store that answers so many slices.
    pub(crate) fn after(inner: Arc<dyn Store>, lists: usize) -> Self {
        Self { inner, lists, is_silent: false, asked: AtomicUsize::new(0) }
    }

    /// One that says nothing more behind them.
    pub(crate) fn silent_after(inner: Arc<dyn Store>, lists: usize) -> Self {
        Self { is_silent: true, ..Self::after(inner, lists) }
    }

    /// How many slices were asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn gone<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("node 10.1.2.3 is gone".into()))
}

#[async_trait]
impl Store for StoppingStore {
    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) < self.lists {
            return self.inner.list_pages(query).await;
        }
        if self.is_silent { pending().await } else { gone() }
    }

    fn rows_read(&self) -> Vec<Reads> {
        self.inner.rows_read()
    }

    async fn write_pages(&self, _: &[Page], _: DateTime<Utc>) -> Result<Hour, StoreError> {
        gone()
    }

    async fn load_pages(&self, _: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError> {
        gone()
    }

    async fn load_users(&self, _: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError> {
        gone()
    }

    async fn load_domains(&self, _: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError> {
        gone()
    }

    async fn pages_by_id(&self, _: PageId) -> Result<Vec<Page>, StoreError> {
        gone()
    }

    async fn pages_by_title(&self, _: &Domain, _: &str, _: usize) -> Result<Vec<Page>, StoreError> {
        gone()
    }

    async fn users_by_id(&self, _: UserId) -> Result<Vec<Page>, StoreError> {
        gone()
    }

    async fn users_by_name(&self, _: &str) -> Result<Vec<Page>, StoreError> {
        gone()
    }

    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        gone()
    }

    async fn counts(&self, _: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
        gone()
    }

    async fn user_counts(&self, _: Period) -> Result<Vec<UserCount>, StoreError> {
        gone()
    }

    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        gone()
    }

    async fn seal_counts(&self, _: DateTime<Utc>) -> Result<Sealing, StoreError> {
        gone()
    }

    async fn retention(&self) -> Result<Retention, StoreError> {
        gone()
    }

    async fn set_keep(&self, _: Keep, _: DateTime<Utc>) -> Result<(), StoreError> {
        gone()
    }

    async fn remove_expired(&self, _: DateTime<Utc>) -> Result<(), StoreError> {
        gone()
    }

    async fn put_record(&self, _: &PipelineRecord) -> Result<(), StoreError> {
        gone()
    }

    async fn records(&self, _: &str) -> Result<Vec<PipelineRecord>, StoreError> {
        gone()
    }

    async fn scan(&self, _: Scan, _: Option<&ScanPosition>, _: usize) -> Result<Scanned, StoreError> {
        gone()
    }

    async fn listed_hours(&self) -> Result<Vec<Hour>, StoreError> {
        gone()
    }

    async fn repair(&self, _: Repair, _: DateTime<Utc>) -> Result<(), StoreError> {
        gone()
    }
}
