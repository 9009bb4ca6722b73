//! The Cassandra store: each page in all tables, read by the partition that answers.
//!
//! Rows carry [`Page::version`] as write timestamp, so writes may be repeated in any order. Counts are taken anew for each
//! period that a write marks ([`seal`]), since there is no transaction over tables.

mod arrivals;
mod as_of;
mod batches;
mod counts;
mod derived;
mod errors;
mod generations;
mod heads;
mod hours;
mod incarnation;
mod layout;
mod list;
mod lookup;
mod many_rows;
mod marks;
mod merge;
mod old;
mod pass;
mod periods;
mod records;
mod retention;
mod rollup_statements;
mod rows;
mod scan;
mod seal;
mod sealed;
mod sealer;
mod session;
mod slices;
mod statements;
mod tallies;
mod tally;
mod upgrade;
mod write;

#[cfg(test)]
mod tests;

use crate::hour::Hour;
use crate::page::{Domain, Page, PageId, UserId};
use crate::period::{Period, PeriodRange};
use crate::query::{Count, CountQuery, DomainRow, PageQuery, PageSlice, Series, UserCount};
use crate::retention::{Keep, Retention};
use crate::store::rows_read::RowsRead;
use crate::store::{
    Call, Migration, PipelineRecord, Reads, Repair, Scan, ScanPosition, Scanned, Sealing, Store, StoreError,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollup_statements::RollupStatements;
use scan::Scans;
use scylla::client::session::Session;
use sealer::Sealer;
use statements::{Preparer, Statements};
use tokio::time::Instant;
use upgrade::Upgrade;
use write::Remembered;

/// A keyspace of a Cassandra cluster.
pub struct CassandraStore {
    session: Session,
    statements: Statements,
    rollups: RollupStatements,
    remembered: Remembered,
    sealer: Sealer,
    scans: Scans,
    keyspace: String,
    retention: retention::Known,
    upgrade: Upgrade,
    rows_read: RowsRead,
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
        let session = session::connect(nodes, keyspace, until).await?;
        let url = format!("cassandra://{}/{keyspace}", nodes.join(","));
        match migration {
            Migration::Apply => layout::apply(&session, keyspace).await?,
            Migration::Expect => layout::expect(&session, keyspace, &url, until).await?,
        }
        session::learn_replication(&session).await?;
        let statements = Statements::prepare(&session, keyspace).await?;
        let it = Preparer { session: &session, keyspace };
        let rollups = RollupStatements::prepare(&it).await?;
        let upgrade = Upgrade::prepare(&it).await?;
        Ok(Self {
            session,
            statements,
            rollups,
            remembered: Remembered::default(),
            sealer: Sealer::new(),
            scans: Scans::of(keyspace),
            keyspace: keyspace.into(),
            retention: retention::Known::default(),
            upgrade,
            rows_read: RowsRead::default(),
        })
    }
}

#[async_trait]
impl Store for CassandraStore {
    async fn write_pages(&self, pages: &[Page], now: DateTime<Utc>) -> Result<Hour, StoreError> {
        self.sealer.arrivals.add(pages.len());
        write::write_pages(self, pages, now).await
    }

    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError> {
        self.rows_read.of(Call::ListPages, list::list_pages(self, query)).await
    }

    async fn load_pages(&self, keys: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError> {
        self.rows_read.of(Call::LoadPages, lookup::load_pages(self, keys)).await
    }

    async fn load_users(&self, keys: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError> {
        self.rows_read.of(Call::LoadUsers, lookup::load_users(self, keys)).await
    }

    async fn load_domains(&self, names: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError> {
        self.rows_read.of(Call::LoadDomains, lookup::load_domains(self, names)).await
    }

    async fn pages_by_id(&self, page_id: PageId) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::PagesById, lookup::pages_by_id(self, page_id)).await
    }

    async fn pages_by_title(&self, domain: &Domain, page_title: &str, limit: usize) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::PagesByTitle, lookup::pages_by_title(self, domain, page_title, limit)).await
    }

    async fn users_by_id(&self, user_id: UserId) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::UsersById, lookup::users_by_id(self, user_id)).await
    }

    async fn users_by_name(&self, user_name: &str) -> Result<Vec<Page>, StoreError> {
        self.rows_read.of(Call::UsersByName, lookup::users_by_name(self, user_name)).await
    }

    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        self.rows_read.of(Call::Domains, lookup::domains(self)).await
    }

    async fn counts(&self, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
        self.rows_read.of(Call::Counts, counts::counts(self, query)).await
    }

    async fn counts_of_each(
        &self,
        all: &[Series],
        periods: PeriodRange,
        max_rows: usize,
    ) -> Result<Option<Vec<Count>>, StoreError> {
        self.rows_read.of(Call::Counts, counts::counts_of_each(self, all, periods, max_rows)).await
    }

    async fn user_counts(&self, period: Period) -> Result<Vec<UserCount>, StoreError> {
        self.rows_read.of(Call::UserCounts, counts::user_counts(self, period)).await
    }

    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        as_of::load(self).await.map(Some)
    }

    async fn uncounted(&self) -> Result<Vec<PeriodRange>, StoreError> {
        self.rows_read.of(Call::Uncounted, as_of::uncounted(self)).await
    }

    async fn seal_counts(&self, now: DateTime<Utc>) -> Result<Sealing, StoreError> {
        pass::seal_counts(self, now).await
    }

    async fn retention(&self) -> Result<Retention, StoreError> {
        retention::load(self).await
    }

    async fn set_keep(&self, keep: Keep, now: DateTime<Utc>) -> Result<(), StoreError> {
        retention::set_keep(self, keep, now).await
    }

    /// The node drops each row when its time is over.
    async fn remove_expired(&self, _: DateTime<Utc>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn put_record(&self, record: &PipelineRecord) -> Result<(), StoreError> {
        records::put(self, record).await
    }

    async fn records(&self, kind: &str) -> Result<Vec<PipelineRecord>, StoreError> {
        self.rows_read.of(Call::Records, records::of_kind(self, kind)).await
    }

    async fn scan(&self, scan: Scan, from: Option<&ScanPosition>, limit: usize) -> Result<Scanned, StoreError> {
        scan::scan(self, scan, from, limit).await
    }

    async fn listed_hours(&self) -> Result<Vec<Hour>, StoreError> {
        scan::listed_hours(self).await
    }

    async fn repair(&self, step: Repair, now: DateTime<Utc>) -> Result<(), StoreError> {
        scan::repair(self, step, now).await
    }

    fn rows_read(&self) -> Vec<Reads> {
        self.rows_read.load()
    }
}
