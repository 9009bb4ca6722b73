//! Which pages were told lately: bounded in time and in number.

use chrono::{DateTime, TimeDelta, Utc};
use schema::page::PageKey;
use std::collections::{HashSet, VecDeque};
use xxhash_rust::xxh3::xxh3_128;

/// Keys with the time they were first met.
pub(super) struct Recent {
    remembered: TimeDelta,
    most: usize,
    keys: HashSet<u128>,
    order: VecDeque<(DateTime<Utc>, u128)>,
}

impl Recent {
    /// Knows a key for `remembered` after it was first met; beyond `most` keys the oldest are forgotten early.
    pub(super) fn new(remembered: TimeDelta, most: usize) -> Self {
        Self { remembered, most, keys: HashSet::new(), order: VecDeque::new() }
    }

    /// Whether the key is new.
    pub(super) fn insert(&mut self, key: &PageKey, now: DateTime<Utc>) -> bool {
        self.forget(now);
        let text = format!("{}:{}:{}", key.domain, key.page_id, key.created_at.timestamp());
        let hash = xxh3_128(text.as_bytes());
        let is_new = self.keys.insert(hash);
        if is_new {
            self.order.push_back((now, hash));
        }
        is_new
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        while let Some((met, hash)) = self.order.front() {
            if now - *met < self.remembered && self.order.len() < self.most {
                break;
            }
            self.keys.remove(hash);
            self.order.pop_front();
        }
    }
}
