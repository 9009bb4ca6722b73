//! The seam between the pipeline and its storage: one trait, chosen by URL in one `match`.
//!
//! Below [`open`] nothing asks which store it got.

pub mod cassandra;
mod commits;
pub mod conformance;
pub mod embedded;
mod rows_read;
mod scan;

use crate::hour::Hour;
use crate::page::{Domain, Page, PageId, UserId};
use crate::period::{Period, PeriodRange};
use crate::query::{Count, CountQuery, DomainRow, PageQuery, PageSlice, Series, UserCount};
use crate::retention::{Keep, Retention};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
pub use commits::{Commit, Committed};
pub use rows_read::{Call, Reads};
pub use scan::{OddRow, Repair, Scan, ScanPosition, Scanned};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Why a store could not answer, named by what the caller does about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Retry later: the store cannot be reached or did not answer in time.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// Report: what is stored is not what was written.
    #[error("store corrupt: {0}")]
    Corrupt(String),
    /// Fix the configuration: another version's layout, missing rights, an unusable folder.
    #[error("{0}")]
    Unsupported(String),
}

/// A named record of the pipeline's own: last value per key wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRecord {
    /// What kind of record: the name of the topic that would hold it on a durable bus.
    pub kind: String,
    /// Its key within the kind.
    pub key: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// What a pass of [`Store::seal_counts`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealing {
    /// Periods whose counts were taken anew; a step in bringing an older layout up is one more.
    pub sealed: usize,
    /// Periods left for a later pass.
    pub left: usize,
    /// For how long the next pass had better wait, so that counting takes little from a store that is written to fast.
    pub rest: Duration,
}

/// The record that holds a store's [`Retention`].
const RETENTION: &str = "retention";

/// What such a record says.
fn parse_retention(payload: &[u8]) -> Result<Retention, StoreError> {
    serde_json::from_slice(payload)
        .map_err(|error| StoreError::Corrupt(format!("the record of the retention: {error}")))
}

fn retention_payload(retention: &Retention) -> Vec<u8> {
    serde_json::to_vec(retention).expect("a retention is JSON")
}

/// Whether a store creates missing tables when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migration {
    /// Create what is missing (`pagetrack run`, `pagetrack migrate`).
    Apply,
    /// Wait up to 15 s for the tables, then stop with the command to run.
    Expect,
}

/// Where pages are kept and read. Every write may be repeated, in any order, without effect.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes the rows of all tables for each page, but those of frozen hours: all before the hour that it gives. When it
    /// returns the rows are durable and can be read. Of two pages with one key the larger version stays, with all its
    /// cells.
    ///
    /// # Errors
    /// After an error any part may have been written; writing again is right.
    async fn write_pages(&self, pages: &[Page], now: DateTime<Utc>) -> Result<Hour, StoreError>;

    /// A part of a list, from either end. Reads at most [`crate::query::MAX_ROWS_READ`] rows, or `limit` + 1 if that is
    /// more.
    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError>;

    /// The newest creation of each page, in the order asked.
    async fn load_pages(&self, keys: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError>;

    /// The newest page of each account, in the order asked: what is known of the account.
    async fn load_users(&self, keys: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError>;

    /// The wikis of these names, in the order asked.
    async fn load_domains(&self, names: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError>;

    /// Every page with this number, one per wiki, by domain.
    async fn pages_by_id(&self, page_id: PageId) -> Result<Vec<Page>, StoreError>;

    /// The creations on a wiki under exactly this title, newest first, ties by page id descending: at most `limit`. A title
    /// may be given again once its page was deleted or moved.
    async fn pages_by_title(&self, domain: &Domain, page_title: &str, limit: usize) -> Result<Vec<Page>, StoreError>;

    /// The newest page of each account with this number, by domain.
    async fn users_by_id(&self, user_id: UserId) -> Result<Vec<Page>, StoreError>;

    /// The newest page of each account under this name, by domain.
    async fn users_by_name(&self, user_name: &str) -> Result<Vec<Page>, StoreError>;

    /// All wikis on which pages were created, by domain.
    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError>;

    /// The counts of a series, in no order: the fewest that make up the hours with periods of the query's length and
    /// shorter. None where these are more than the query allows.
    async fn counts(&self, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError>;

    /// The counts of several series together; of one domain and group they may be put together. None where they are more
    /// than `max_rows`.
    async fn counts_of_each(
        &self,
        all: &[Series],
        periods: PeriodRange,
        max_rows: usize,
    ) -> Result<Option<Vec<Count>>, StoreError> {
        let mut counts = Vec::new();
        for series in all.iter().cloned() {
            let max_rows = max_rows - counts.len();
            let query = CountQuery { series, hours: periods.hours, unit: periods.unit, max_rows };
            let Some(found) = self.counts(&query).await? else { return Ok(None) };
            counts.extend(found);
        }
        Ok(Some(counts))
    }

    /// The accounts that created pages in an hour or a day, in the order of [`UserCount`].
    async fn user_counts(&self, period: Period) -> Result<Vec<UserCount>, StoreError>;

    /// Up to when pages written are counted; none where counts are as new as the pages. To be asked before the counts.
    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Periods whose counts may be behind their pages, and with them those of longer ones, in no order; none in a store that
    /// counts as it writes. To be asked before the counts.
    async fn uncounted(&self) -> Result<Vec<PeriodRange>, StoreError> {
        Ok(Vec::new())
    }

    /// Brings the counts closer to the pages written, in a store whose writes do not do that themselves: one pass over
    /// what has changed. May be called by any number of processes at once.
    async fn seal_counts(&self, now: DateTime<Utc>) -> Result<Sealing, StoreError>;

    /// How long pages are kept, and what is frozen.
    async fn retention(&self) -> Result<Retention, StoreError>;

    /// Sets how long pages are kept, for all processes. To be called by those that may make tables, one at a time.
    async fn set_keep(&self, keep: Keep, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Has pages removed that were kept long enough, in a store whose rows do not go by themselves: bit by bit, while it
    /// writes and reads.
    async fn remove_expired(&self, now: DateTime<Utc>) -> Result<(), StoreError>;

    /// Keeps a record of the pipeline's own, replacing one of the same kind and key.
    async fn put_record(&self, record: &PipelineRecord) -> Result<(), StoreError>;

    /// The records of a kind, by key.
    async fn records(&self, kind: &str) -> Result<Vec<PipelineRecord>, StoreError>;

    /// Whether the store knows in which order it committed its pages.
    fn has_commit_order(&self) -> bool {
        false
    }

    /// The place behind all pages in the order of their commits.
    ///
    /// # Errors
    /// `Unsupported` by a store that has no such order.
    async fn last_commit(&self) -> Result<Commit, StoreError> {
        Err(StoreError::Unsupported("this store does not order its commits".into()))
    }

    /// At most `limit` pages behind `after`, in the order of their first commits. None where that is no place of this
    /// store, or where pages behind it have been removed.
    ///
    /// # Errors
    /// `Unsupported` by a store that has no such order.
    async fn list_committed(&self, _after: Commit, _limit: usize) -> Result<Option<Committed>, StoreError> {
        Err(StoreError::Unsupported("this store does not order its commits".into()))
    }

    /// What this store's calls read since it was opened.
    fn rows_read(&self) -> Vec<Reads>;

    /// A part of a scan, behind `from`. Reads whole tables, which no request may do: for verifying only.
    async fn scan(&self, scan: Scan, from: Option<&ScanPosition>, limit: usize) -> Result<Scanned, StoreError>;

    /// The hours that the store lists as those that have pages, in no order. For verifying only.
    async fn listed_hours(&self) -> Result<Vec<Hour>, StoreError>;

    /// Does a step of a repair; may be repeated. Leaves frozen hours as they are.
    async fn repair(&self, step: Repair, now: DateTime<Utc>) -> Result<(), StoreError>;
}

/// Where a store is: `embedded:./data` or `cassandra://host[:port][,host…]/keyspace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A folder of this machine.
    Embedded(PathBuf),
    /// A Cassandra cluster.
    Cassandra {
        /// Contact points, `host:port`.
        nodes: Vec<String>,
        /// The keyspace's name.
        keyspace: String,
    },
}

const STORE_URL_FORM: &str = "use embedded:FOLDER or cassandra://HOST[:PORT][,HOST…]/KEYSPACE";

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = |why: &str| format!("{why} in {text:?}; {STORE_URL_FORM}");
        if let Some(folder) = text.strip_prefix("embedded:") {
            return if folder.is_empty() { Err(error("no folder")) } else { Ok(Self::Embedded(folder.into())) };
        }
        let rest = text.strip_prefix("cassandra://").ok_or_else(|| error("unknown kind of store"))?;
        let (hosts, keyspace) = rest.split_once('/').ok_or_else(|| error("no keyspace"))?;
        let nodes = parse_hosts(hosts, 9042).map_err(|why| error(&why))?;
        let is_name = (1..=48).contains(&keyspace.len())
            && keyspace.starts_with(|c: char| c.is_ascii_lowercase())
            && keyspace.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            return Err(error("a keyspace's name must be a-z, 0-9 and _, at most 48, a letter first:"));
        }
        Ok(Self::Cassandra { nodes, keyspace: keyspace.into() })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(folder) => write!(f, "embedded:{}", folder.display()),
            Self::Cassandra { nodes, keyspace } => write!(f, "cassandra://{}/{keyspace}", nodes.join(",")),
        }
    }
}

/// Parses `host[:port][,host[:port]…]` into `host:port` each.
///
/// # Errors
/// Says in words what is missing or malformed.
pub fn parse_hosts(text: &str, default_port: u16) -> Result<Vec<String>, String> {
    text.split(',').map(|entry| parse_host(entry, default_port)).collect()
}

fn parse_host(entry: &str, default_port: u16) -> Result<String, String> {
    let (host, port) = match entry.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| format!("port {port:?} is not 1 to 65535"))?),
        None => (entry, default_port),
    };
    let is_host = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_[]:".contains(&b));
    if is_host && port > 0 { Ok(format!("{host}:{port}")) } else { Err(format!("{entry:?} is not a host")) }
}

/// Opens the store at `url`.
///
/// # Errors
/// `Unavailable` when it cannot be reached within 15 s, `Unsupported` when its folder, rights or layout
/// do not serve.
pub async fn open(url: &StoreUrl, migration: Migration, durability: Durability) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        StoreUrl::Embedded(folder) => Ok(Arc::new(embedded::EmbeddedStore::open(folder, migration, durability).await?)),
        StoreUrl::Cassandra { nodes, keyspace } => {
            // On the heap: the driver's futures nest too deep for the compiler to lay out whatever awaits them.
            let opening = Box::pin(cassandra::CassandraStore::open(nodes, keyspace, migration));
            Ok(Arc::new(opening.await?))
        }
    }
}

/// Makes the store of the recorded sample in `folder` anew. It is embedded wherever the live one is.
///
/// # Errors
/// As [`open`], and `Unsupported` when the folder holds a database that is not a sample's.
pub async fn open_sample(folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(embedded::EmbeddedStore::open_sample(folder).await?))
}

/// What a returned write of the embedded store survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A killed process; after a power cut the last moments are gone together with the resume position.
    Process,
    /// A power cut too: needed where the position is kept elsewhere (behind Kafka).
    Power,
}
