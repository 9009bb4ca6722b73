//! Rows read: what each call of a store costs, whatever else is stored.
//!
//! A store's calls are counted where rows come from the database, also those that the call then drops.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

/// A reading call of [`Store`](crate::store::Store).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// `list_pages`
    ListPages,
    /// `load_pages`
    LoadPages,
    /// `load_users`
    LoadUsers,
    /// `load_domains`
    LoadDomains,
    /// `pages_by_id`
    PagesById,
    /// `pages_by_title`
    PagesByTitle,
    /// `users_by_id`
    UsersById,
    /// `users_by_name`
    UsersByName,
    /// `domains`
    Domains,
    /// `counts`
    Counts,
    /// `user_counts`
    UserCounts,
    /// `uncounted`
    Uncounted,
    /// `records`
    Records,
    /// `list_committed`
    ListCommitted,
}

impl Call {
    /// All of them.
    pub const ALL: [Call; 14] = [
        Call::ListPages,
        Call::LoadPages,
        Call::LoadUsers,
        Call::LoadDomains,
        Call::PagesById,
        Call::PagesByTitle,
        Call::UsersById,
        Call::UsersByName,
        Call::Domains,
        Call::Counts,
        Call::UserCounts,
        Call::Uncounted,
        Call::Records,
        Call::ListCommitted,
    ];

    /// The method's name.
    pub const fn name(self) -> &'static str {
        match self {
            Call::ListPages => "list_pages",
            Call::LoadPages => "load_pages",
            Call::LoadUsers => "load_users",
            Call::LoadDomains => "load_domains",
            Call::PagesById => "pages_by_id",
            Call::PagesByTitle => "pages_by_title",
            Call::UsersById => "users_by_id",
            Call::UsersByName => "users_by_name",
            Call::Domains => "domains",
            Call::Counts => "counts",
            Call::UserCounts => "user_counts",
            Call::Uncounted => "uncounted",
            Call::Records => "records",
            Call::ListCommitted => "list_committed",
        }
    }
}

/// What one kind of call read since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// Which.
    pub call: Call,
    /// Calls that came to their end, failed ones too.
    pub calls: u64,
    /// Rows that they read.
    pub rows: u64,
}

/// The sums of a store's calls.
#[derive(Debug, Default)]
pub(super) struct RowsRead([Sums; Call::ALL.len()]);

#[derive(Debug, Default)]
struct Sums {
    calls: AtomicU64,
    rows: AtomicU64,
}

tokio::task_local! {
    /// Rows read so far by the call under way.
    static OF_CALL: Cell<u64>;
}

impl RowsRead {
    /// Runs a call, and adds what it reads.
    pub(super) async fn of<T>(&self, call: Call, reading: impl Future<Output = T>) -> T {
        let (answer, rows) = OF_CALL
            .scope(Cell::new(0), async {
                let answer = reading.await;
                (answer, OF_CALL.with(Cell::get))
            })
            .await;
        let sums = &self.0[call as usize];
        sums.calls.fetch_add(1, Ordering::Relaxed);
        sums.rows.fetch_add(rows, Ordering::Relaxed);
        answer
    }

    /// The sums by now.
    pub(super) fn load(&self) -> Vec<Reads> {
        let reads = |call: Call| {
            let sums = &self.0[call as usize];
            Reads { call, calls: sums.calls.load(Ordering::Relaxed), rows: sums.rows.load(Ordering::Relaxed) }
        };
        Call::ALL.into_iter().map(reads).collect()
    }
}

/// Adds rows to the call under way; outside of one (writing, sealing, verifying) nobody counts.
pub(super) fn add(rows: u64) {
    // Fails only outside of a call.
    let _ = OF_CALL.try_with(|sum| sum.set(sum.get() + rows));
}
