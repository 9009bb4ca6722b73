//! The order in which a store first committed its pages: what the live feed goes on by after a restart.

use crate::page::{Page, PageKey};
use xxhash_rust::xxh3::xxh3_64;

/// A place in that order: behind the page that was committed as `number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// Rises with each page; never given to two.
    pub number: i64,
    /// Tells this place from that of another store with the same number.
    pub mark: u64,
}

/// Pages with the places behind them, in the order of their commits.
pub type Committed = Vec<(Commit, Page)>;

impl Commit {
    /// The place behind a page, or behind one that is no longer known, of the store with this identity.
    pub(super) fn new(identity: &[u8], number: i64, page: Option<&PageKey>) -> Self {
        let key = page.map(|key| format!("{}:{}:{}", key.created_at.timestamp(), key.page_id, key.domain));
        let text = [identity, &number.to_be_bytes(), key.unwrap_or_default().as_bytes()].concat();
        Self { number, mark: xxh3_64(&text) }
    }
}
