//! A pass over all marks: hours first, then what is made of them; and what it proves.
//!
//! Longer periods are sealed once they are over: until then readers put their parts together, and their marks wait.

use crate::hour::Hour;
use crate::period::{Period, PeriodRange, TimeUnit};
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::hours::stored_years;
use crate::store::cassandra::seal::{Outcome, seal};
use crate::store::cassandra::upgrade::Added;
use crate::store::cassandra::{as_of, heads, marks, old, retention, upgrade};
use crate::store::{Sealing, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Periods sealed side by side: each holds an hour's people.
const AT_ONCE: usize = 3;
/// Hours of one pass, so that under backlog the running hour has its turn: the newest come first.
const MAX_HOURS: usize = 64;
/// A longer period is left to its parts for so long behind its end, or each of its last late pages would seal it anew.
const SETTLES: TimeDelta = TimeDelta::minutes(10);

/// One pass.
pub(super) async fn seal_counts(store: &CassandraStore, now: DateTime<Utc>) -> Result<Sealing, StoreError> {
    let entering = upgrade::proceed(store, now, upgrade::STEP_PAGES).await?;
    let years = stored_years(store).await?;
    let frozen = retention::load(store).await?.frozen_before(retention::sealed_until(now));
    let mut pass = Pass {
        store,
        now,
        begun: Instant::now(),
        marked: BTreeMap::new(),
        sealed: 0,
        left: BTreeSet::new(),
        failed: None,
    };
    // In this order: who takes an hour's mark away has marked its day before.
    for unit in marks::SHORTEST_FIRST {
        pass.marked.insert(unit, marks::list(store, unit, &years, usize::MAX).await?.unwrap_or_default());
    }
    pass.pass_over_frozen(frozen).await?;
    // A longer period is sealed from its sealed parts.
    for unit in marks::SHORTEST_FIRST {
        let due = if unit == TimeUnit::Hour { pass.due_hours().await? } else { pass.due(unit).await? };
        pass.seal_all(due).await;
    }
    if store.sealer.is_time_to_remove() {
        old::remove(store).await?;
    }
    if let Some(error) = pass.failed {
        return Err(error);
    }
    // Titles are not counted.
    if entering != Some(Added::Accounts) && pass.left.is_empty() {
        as_of::put(store, now).await?;
    }
    // A step of an upgrade is something done: who waits for all of it goes on.
    let step = usize::from(entering.is_some());
    let rest = store.sealer.arrivals.rest_after(pass.begun.elapsed());
    // An older layout's pages are entered without a break: until then some reads are unavailable.
    let rest = if entering.is_some() { Duration::ZERO } else { rest };
    Ok(Sealing { sealed: pass.sealed + step, left: pass.left.len() + step, rest })
}

struct Pass<'a> {
    store: &'a CassandraStore,
    /// The present when it began.
    now: DateTime<Utc>,
    begun: Instant,
    /// What was marked when the pass began, and what it marked itself.
    marked: BTreeMap<TimeUnit, BTreeSet<Period>>,
    sealed: usize,
    /// What waits for another pass.
    left: BTreeSet<Period>,
    failed: Option<StoreError>,
}

impl Pass<'_> {
    /// Takes the marks away of hours whose rows may be gone: their counts stay as they are. Their days are marked first, as
    /// by a sealing, which may have ended before that.
    async fn pass_over_frozen(&mut self, frozen: Hour) -> Result<(), StoreError> {
        let marked = self.marked.entry(TimeUnit::Hour).or_default();
        let open = marked.split_off(&Period { start: frozen, unit: TimeUnit::Hour });
        let frozen = std::mem::replace(marked, open);
        let days: BTreeSet<Period> = frozen.iter().filter_map(|hour| hour.longer()).collect();
        marks::set_longer(self.store, &days).await?;
        self.marked.entry(TimeUnit::Day).or_default().extend(days);
        for hour in frozen {
            marks::delete(self.store, &marks::of_period(self.store, hour).await?).await?;
        }
        Ok(())
    }

    /// The marked hours that are sealed now, the newest first.
    async fn due_hours(&mut self) -> Result<Vec<Period>, StoreError> {
        let marked = self.marked.remove(&TimeUnit::Hour).unwrap_or_default();
        let mut due = Vec::new();
        for hour in marked.into_iter().rev() {
            if due.len() == MAX_HOURS || (!hour.is_over(self.now) && self.waits(hour).await?) {
                self.left.insert(hour);
            } else {
                due.push(hour);
            }
        }
        Ok(due)
    }

    /// Whether an hour that is not over rests, or is left to another sealer.
    async fn waits(&self, hour: Period) -> Result<bool, StoreError> {
        let sealer = &self.store.sealer;
        if sealer.rests(hour.start) {
            return Ok(true);
        }
        let heads = heads::in_range(self.store, PeriodRange { unit: hour.unit, hours: hour.hours() }).await?;
        // Who flips and comes no further leaves it to others.
        let finished = heads.first().filter(|head| head.is_derived());
        Ok(finished.is_some_and(|head| sealer.is_anothers(hour.start, head.generation)))
    }

    /// The marked longer periods that are sealed now: those whose parts are done.
    async fn due(&mut self, unit: TimeUnit) -> Result<Vec<Period>, StoreError> {
        let mut due = Vec::new();
        for period in self.marked.remove(&unit).unwrap_or_default() {
            if !self.is_ripe(period).await? {
                continue;
            }
            if self.has_left(period) {
                self.left.insert(period);
            } else {
                due.push(period);
            }
        }
        Ok(due)
    }

    /// Whether a part of a longer period waits.
    fn has_left(&self, period: Period) -> bool {
        let first_of = |start| Period { start, unit: TimeUnit::Hour };
        self.left.range(first_of(period.start)..first_of(period.hours().to)).next().is_some()
    }

    /// Whether a longer period is to be sealed: it is over, or readers use it or a longer one already (a sealer whose clock
    /// was ahead sealed that).
    async fn is_ripe(&self, period: Period) -> Result<bool, StoreError> {
        if period.is_over(self.now - SETTLES) {
            return Ok(true);
        }
        for period in std::iter::successors(Some(period), |period| period.longer()) {
            if heads::load_current(self.store, period).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn seal_all(&mut self, due: Vec<Period>) {
        let (store, now) = (self.store, self.now);
        let sealings = due.into_iter().map(async |period| {
            let begun = Instant::now();
            (period, seal(store, period).await, begun.elapsed())
        });
        let sealings: Vec<_> = stream::iter(sealings).buffer_unordered(AT_ONCE).collect().await;
        for (period, outcome, took) in sealings {
            if period.unit == TimeUnit::Hour && !period.is_over(now) {
                // Where the next one reads but minutes it is cheap; and what failed is tried again soon: whether a node that
                // does not answer is spared is for who calls.
                let is_dear = matches!(outcome, Ok(Outcome::Sealed | Outcome::TooLong));
                let is_dear = is_dear && !store.sealer.tallies.is_new(period.start);
                store.sealer.rest(period.start, if is_dear { took } else { Duration::ZERO });
            }
            match outcome {
                // Also where another sealer did it: the longer period was marked before the mark went away.
                Ok(outcome @ (Outcome::Sealed | Outcome::Unmarked)) => {
                    self.sealed += usize::from(outcome == Outcome::Sealed);
                    if let Some(longer) = period.longer() {
                        self.marked.entry(longer.unit).or_default().insert(longer);
                    }
                }
                Ok(Outcome::Lost | Outcome::TooLong) => {
                    self.left.insert(period);
                }
                Err(error) => {
                    self.left.insert(period);
                    self.failed.get_or_insert(error);
                }
            }
        }
    }
}
