//! The Cassandra store: each page in all tables, read by the partition that answers.
//!
//! Rows carry [`Page::version`] as write timestamp, so writes may be repeated in any order. Until rollups exist counts are
//! taken by reading the clustering slices of the hours asked for, page by page: exact, but slow.

mod batches;
mod counts;
mod errors;
mod hours;
mod layout;
mod list;
mod lookup;
mod records;
mod rows;
mod session;
mod slices;
mod statements;
mod write;

#[cfg(test)]
mod tests;

use crate::page::{Domain, Page, PageId, UserId};
use crate::period::Period;
use crate::query::{Count, CountQuery, DomainRow, PageQuery, PageSlice, UserCount};
use crate::store::{Migration, PipelineRecord, Sealing, Store, StoreError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use scylla::client::session::Session;
use statements::Statements;
use tokio::time::Instant;
use write::Remembered;

/// A keyspace of a Cassandra cluster.
pub struct CassandraStore {
    session: Session,
    statements: Statements,
    remembered: Remembered,
}

impl CassandraStore {
    /// Connects to the cluster of `nodes` (`host:port`) and opens `keyspace` in it.
    ///
    /// [`Migration::Apply`] creates what is missing, one statement after another: the keyspace with SimpleStrategy and a
    /// replication factor of min(nodes, 3), and the tables. A keyspace that exists keeps its replication.
    ///
    /// # Errors
    /// `Unavailable` when no node answers within 12 s; `Unsupported` when the keyspace holds other tables (the original's
    /// or a newer version's), has none and none may be created, or rights are missing.
    pub async fn open(nodes: &[String], keyspace: &str, migration: Migration) -> Result<Self, StoreError> {
        let until = Instant::now() + session::START_WITHIN;
        let session = session::connect(nodes, until).await?;
        let url = format!("cassandra://{}/{keyspace}", nodes.join(","));
        match migration {
            Migration::Apply => layout::apply(&session, keyspace).await?,
            Migration::Expect => layout::expect(&session, keyspace, &url, until).await?,
        }
        let statements = Statements::prepare(&session, keyspace).await?;
        Ok(Self { session, statements, remembered: Remembered::default() })
    }
}

#[async_trait]
impl Store for CassandraStore {
    async fn write_pages(&self, pages: &[Page]) -> Result<(), StoreError> {
        write::write_pages(self, pages).await
    }

    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError> {
        list::list_pages(self, query).await
    }

    async fn load_pages(&self, keys: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError> {
        lookup::load_pages(self, keys).await
    }

    async fn load_users(&self, keys: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError> {
        lookup::load_users(self, keys).await
    }

    async fn load_domains(&self, names: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError> {
        lookup::load_domains(self, names).await
    }

    async fn pages_by_id(&self, page_id: PageId) -> Result<Vec<Page>, StoreError> {
        lookup::pages_by_id(self, page_id).await
    }

    async fn users_by_id(&self, user_id: UserId) -> Result<Vec<Page>, StoreError> {
        lookup::users_by_id(self, user_id).await
    }

    async fn users_by_name(&self, user_name: &str) -> Result<Vec<Page>, StoreError> {
        lookup::users_by_name(self, user_name).await
    }

    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        lookup::domains(self).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
        counts::counts(self, query).await
    }

    async fn user_counts(&self, period: Period) -> Result<Vec<UserCount>, StoreError> {
        counts::user_counts(self, period).await
    }

    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    async fn seal_counts(&self, _: DateTime<Utc>) -> Result<Sealing, StoreError> {
        Ok(Sealing::default())
    }

    async fn put_record(&self, record: &PipelineRecord) -> Result<(), StoreError> {
        records::put(self, record).await
    }

    async fn records(&self, kind: &str) -> Result<Vec<PipelineRecord>, StoreError> {
        records::of_kind(self, kind).await
    }
}
