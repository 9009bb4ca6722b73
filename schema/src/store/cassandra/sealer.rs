//! What a store's process knows of its own sealings: who it marks as, how long the running hour rests, when old generations
//! were last removed.

use crate::hour::Hour;
use crate::period::Period;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::arrivals::Arrivals;
use crate::store::cassandra::incarnation::Incarnation;
use crate::store::cassandra::old::SLOT_LASTS;
use crate::store::cassandra::seal::Step;
use crate::store::cassandra::tallies::Tallies;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The running hour is sealed at most so often.
const REST_AT_LEAST: Duration = Duration::from_secs(2);
/// Where that is cheap its pages are counted within so long: what came just behind the start of one sealing waits for its
/// end, the rest and the next one. The pass that does it begins within another second.
const COUNTED_WITHIN: Duration = Duration::from_secs(4);
/// What is cheap: up to here a third of the time may go into it.
pub(super) const CHEAP: Duration = Duration::from_secs(1);
/// What is not rests so many times as long as it took.
pub(super) const REST_TIMES: u32 = 20;
/// An hour that is not over is another sealer's for so long behind each of its sealings: more than it rests between those
/// that are cheap.
const ANOTHERS_FOR: Duration = Duration::from_secs(6);
/// For how long it is remembered whose an hour is.
const REMEMBERED_FOR: Duration = Duration::from_secs(7_200);
/// How often old generations are looked for.
const REMOVES_EVERY: Duration = Duration::from_secs(60);

/// The state of this process' sealings.
pub(super) struct Sealer {
    pub(super) incarnation: Incarnation,
    pub(super) tallies: Tallies,
    pub(super) arrivals: Arrivals,
    /// Held while a head is flipped.
    pub(super) flips: tokio::sync::Mutex<()>,
    /// When each hour may be sealed again that is not over.
    rests_until: Mutex<HashMap<Hour, Instant>>,
    /// Who sealed each hour last, of those that this process looked at lately.
    seen: Mutex<HashMap<Hour, Seen>>,
    removed_at: Mutex<Option<Instant>>,
    /// The slot in which this process notes generations now, and when it was opened.
    slot: Mutex<(i64, Instant)>,
    /// When this process first saw each slot.
    slots: Mutex<HashMap<i64, Instant>>,
    #[cfg(test)]
    pub(super) hook: Mutex<Option<Hook>>,
}

/// A head as this process saw it.
struct Seen {
    generation: i64,
    is_anothers: bool,
    at: Instant,
}

/// What a test does behind a step.
#[cfg(test)]
pub(super) type Hook =
    std::sync::Arc<dyn Fn(Step, Period) -> futures::future::BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;

impl Sealer {
    pub(super) fn new() -> Self {
        Self {
            incarnation: Incarnation::random(),
            tallies: Tallies::default(),
            arrivals: Arrivals::new(),
            flips: tokio::sync::Mutex::default(),
            rests_until: Mutex::default(),
            seen: Mutex::default(),
            removed_at: Mutex::default(),
            slot: Mutex::new((rand::random(), Instant::now())),
            slots: Mutex::default(),
            #[cfg(test)]
            hook: Mutex::default(),
        }
    }

    /// Whether an hour that is not over was sealed so lately that it waits.
    pub(super) fn rests(&self, hour: Hour) -> bool {
        let rests_until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        rests_until.get(&hour).is_some_and(|until| Instant::now() < *until)
    }

    /// After the sealing of an hour that is not over.
    pub(super) fn rest(&self, hour: Hour, took: Duration) {
        let mut rests_until = self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        rests_until.retain(|_, until| now < *until);
        rests_until.insert(hour, now + rest_after(took));
    }

    /// Whether another sealer is at an hour: its head, which names `generation` now, has changed lately and not by us. Two
    /// would count the same, and each of them all of it, for the other has taken marks away.
    pub(super) fn is_anothers(&self, hour: Hour, generation: i64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, seen| seen.at.elapsed() < REMEMBERED_FOR);
        let at = Instant::now();
        // Who it was before we looked at first may have ended since long.
        let known = seen.entry(hour).or_insert(Seen { generation, is_anothers: false, at });
        if known.generation != generation {
            *known = Seen { generation, is_anothers: true, at };
        }
        known.is_anothers && known.at.elapsed() < ANOTHERS_FOR
    }

    /// After the sealing of an hour: `generation` is ours.
    pub(super) fn sealed(&self, hour: Hour, generation: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, seen| seen.at.elapsed() < REMEMBERED_FOR);
        seen.insert(hour, Seen { generation, is_anothers: false, at: Instant::now() });
    }

    /// The slot in which generations are noted now.
    pub(super) fn slot(&self) -> i64 {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.1.elapsed() >= SLOT_LASTS {
            *slot = (rand::random(), Instant::now());
        }
        slot.0
    }

    /// Those of the slots that this process has seen for so long; the others are seen from now on.
    pub(super) fn seen_for(&self, slots: &[i64], long: Duration) -> Vec<i64> {
        let mut seen = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|slot, _| slots.contains(slot));
        let now = Instant::now();
        slots.iter().copied().filter(|slot| now - *seen.entry(*slot).or_insert(now) >= long).collect()
    }

    /// As if all that it remembers of removals were so much older.
    #[cfg(test)]
    pub(super) fn grow_older(&self, by: Duration) {
        *self.removed_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut seen = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        seen.values_mut().for_each(|at| *at -= by);
    }

    /// Whether it is time to look for old generations; says so once.
    pub(super) fn is_time_to_remove(&self) -> bool {
        let mut removed_at = self.removed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = removed_at.is_none_or(|at| at.elapsed() >= REMOVES_EVERY);
        if is_time {
            *removed_at = Some(Instant::now());
        }
        is_time
    }
}

fn rest_after(took: Duration) -> Duration {
    let rest = took * REST_TIMES;
    let rest = if took <= CHEAP { rest.min(COUNTED_WITHIN - 2 * took) } else { rest };
    rest.max(REST_AT_LEAST)
}

impl CassandraStore {
    /// Behind a step of a sealing: where tests stop it or let others in between.
    #[cfg(test)]
    pub(super) async fn reached(&self, step: Step, period: Period) -> Result<(), StoreError> {
        let hook = self.sealer.hook.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match hook {
            Some(hook) => hook(step, period).await,
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    pub(super) async fn reached(&self, _: Step, _: Period) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_hour_is_counted_within_seconds_while_that_is_cheap() {
        let rests = [0, 50, 100, 150, 500, 1_000, 1_001, 3_000].map(|took| {
            let rest = rest_after(Duration::from_millis(took));
            rest.as_millis()
        });
        assert_eq!(rests, [2_000, 2_000, 2_000, 3_000, 3_000, 2_000, 20_020, 60_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_one_process_s_and_for_ten_minutes() {
        let (sealer, other) = (Sealer::new(), Sealer::new());
        let slot = sealer.slot();
        assert_ne!(slot, other.slot());
        tokio::time::advance(SLOT_LASTS - Duration::from_secs(1)).await;
        assert_eq!(sealer.slot(), slot);
        let long = Duration::from_secs(5);
        assert_eq!(other.seen_for(&[slot], long), [0; 0]);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_ne!(sealer.slot(), slot);
        assert_eq!(other.seen_for(&[slot, 1], long), [0; 0]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(other.seen_for(&[slot, 1], long), [slot]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_is_left_to_another_sealer_while_that_is_at_it() {
        let (sealer, hour) = (Sealer::new(), "2025-05-18-10".parse().unwrap());
        let wait = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
        assert!(!sealer.is_anothers(hour, 1), "whose it was is not known");
        sealer.sealed(hour, 2);
        assert!(!sealer.is_anothers(hour, 2));
        assert!(sealer.is_anothers(hour, 3), "another one was faster");
        wait(5).await;
        assert!(sealer.is_anothers(hour, 3));
        assert!(sealer.is_anothers(hour, 4), "and goes on");
        wait(5).await;
        assert!(sealer.is_anothers(hour, 4));
        wait(2).await;
        assert!(!sealer.is_anothers(hour, 4), "it has ended");
        sealer.sealed(hour, 5);
        assert!(!sealer.is_anothers(hour, 5));
    }
}
