//! The events of the last ten minutes, by hash, so that the overlap of each reconnect is not handed on twice. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashSet, VecDeque};

const KEEP: TimeDelta = TimeDelta::minutes(10);
/// At most 6 MB; more than ten minutes of any rate that was seen.
const MAX_KEPT: usize = 100_000;

/// What was seen lately.
#[derive(Debug, Default)]
pub(super) struct Recent {
    order: VecDeque<(DateTime<Utc>, u128)>,
    hashes: HashSet<u128>,
}

impl Recent {
    /// Whether `hash` was not seen in the ten minutes before `now`; it is from now on.
    pub(super) fn insert(&mut self, hash: u128, now: DateTime<Utc>) -> bool {
        while self.order.len() >= MAX_KEPT || self.order.front().is_some_and(|(at, _)| now - *at > KEEP) {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.hashes.remove(&oldest);
        }
        let is_new = self.hashes.insert(hash);
        if is_new {
            self.order.push_back((now, hash));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once_in_ten_minutes() {
        let mut recent = Recent::default();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert!(recent.insert(1, at(0)));
        assert!(!recent.insert(1, at(600)));
        assert!(recent.insert(1, at(601)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::default();
        let now = DateTime::UNIX_EPOCH;
        for hash in 0..250_000 {
            recent.insert(hash, now);
        }
        assert_eq!((recent.order.len(), recent.hashes.len()), (MAX_KEPT, MAX_KEPT));
        assert!(!recent.insert(249_999, now) && recent.insert(0, now));
    }
}
