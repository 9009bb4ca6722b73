//! The counters of one stage, under one lock, and their publishing.

use super::{ReasonCount, SourceStatus, StageCounts, StageName, StageStatus};
use crate::bus::{Bus, BusError, Record, Topic};
use crate::clean::RejectReason;
use chrono::{DateTime, Utc};
use schema::clock::Clock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a process tells its state.
const PUBLISH_EVERY: Duration = Duration::from_secs(2);
/// Over how many seconds the rate is taken.
const RATE_SECONDS: i64 = 10;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Handed on, durable in the next place.
    Delivered {
        /// The event's own time, where known.
        event_at: Option<DateTime<Utc>>,
    },
    /// Faulty: recorded in `rejected`.
    Rejected(RejectReason),
    /// Left out on purpose, for want of an account.
    Excluded(RejectReason),
    /// The stream's own test event.
    Canary,
}

/// Counts what one stage of this process does. At any instant
/// `in = out + rejected + excluded + canaries + in_flight`.
pub struct StageMeter {
    clock: Arc<dyn Clock>,
    stage: StageName,
    instance: String,
    started_at: DateTime<Utc>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: StageCounts,
    /// Second since 1970 and events handed on in it, oldest first.
    recent: VecDeque<(i64, u64)>,
    lag_records: Option<u64>,
    last_event_at: Option<DateTime<Utc>>,
    lag_seconds: Option<f64>,
    last_canary_at: Option<DateTime<Utc>>,
    source: Option<SourceStatus>,
}

impl StageMeter {
    /// A meter at zero, under a random instance name.
    pub fn new(stage: StageName, clock: Arc<dyn Clock>) -> Arc<Self> {
        let instance = format!("{:08x}", rand::random::<u32>());
        Arc::new(Self { started_at: clock.now(), clock, stage, instance, state: Mutex::default() })
    }

    /// So many records were taken in.
    pub fn take(&self, records: u64) {
        let mut state = self.lock();
        state.counts.in_count += records;
        state.counts.in_flight_count += records;
    }

    /// One record taken in is done.
    pub fn finish(&self, outcome: Outcome) {
        self.finish_all(std::slice::from_ref(&outcome));
    }

    /// So many records taken in are delivered; `newest_event` is the newest one's own time.
    pub fn finish_many(&self, delivered: u64, newest_event: Option<DateTime<Utc>>) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.deliver(delivered, newest_event, now);
        state.land(delivered);
    }

    /// Records taken in are done, each with its outcome; readers see all of it or nothing.
    pub fn finish_all(&self, outcomes: &[Outcome]) {
        let now = self.clock.now();
        let mut state = self.lock();
        for outcome in outcomes {
            state.count(*outcome, now);
        }
        state.land(outcomes.len() as u64);
    }

    /// What the producer knows of its source.
    pub fn set_source(&self, source: SourceStatus) {
        self.lock().source = Some(source);
    }

    /// How many records wait in the stage's input; none where not known.
    pub fn set_lag_records(&self, lag: Option<u64>) {
        self.lock().lag_records = lag;
    }

    /// The state now.
    pub fn snapshot(&self) -> StageStatus {
        let at = self.clock.now();
        let state = self.lock();
        StageStatus {
            stage: self.stage,
            instance: self.instance.clone(),
            at,
            counts: state.counts.clone(),
            events_per_second: state.rate(at, self.started_at),
            lag_records: state.lag_records,
            last_event_at: state.last_event_at,
            lag_seconds: state.lag_seconds,
            last_canary_at: state.last_canary_at,
            source: state.source.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    fn count(&mut self, outcome: Outcome, now: DateTime<Utc>) {
        match outcome {
            Outcome::Delivered { event_at } => self.deliver(1, event_at, now),
            Outcome::Rejected(reason) => {
                self.counts.rejected_count += 1;
                self.count_reason(reason, now);
            }
            Outcome::Excluded(reason) => {
                self.counts.excluded_count += 1;
                self.count_reason(reason, now);
            }
            Outcome::Canary => {
                self.counts.canary_count += 1;
                self.last_canary_at = Some(now);
                self.count_reason(RejectReason::Canary, now);
            }
        }
    }

    fn count_reason(&mut self, reason: RejectReason, now: DateTime<Utc>) {
        let entry = self.counts.by_reason.entry(reason).or_insert(ReasonCount { count: 0, last_at: now });
        entry.count += 1;
        entry.last_at = now;
    }

    fn deliver(&mut self, records: u64, newest_event: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.counts.out_count += records;
        let second = now.timestamp();
        match self.recent.back_mut() {
            Some((at, count)) if *at == second => *count += records,
            _ => self.recent.push_back((second, records)),
        }
        while self.recent.front().is_some_and(|(at, _)| *at <= second - RATE_SECONDS) {
            self.recent.pop_front();
        }
        if let Some(event_at) = newest_event.filter(|at| self.last_event_at.is_none_or(|last| *at >= last)) {
            self.last_event_at = Some(event_at);
            self.lag_seconds = Some((now - event_at).num_milliseconds().max(0) as f64 / 1000.0);
        }
    }

    fn land(&mut self, records: u64) {
        let left = self.counts.in_flight_count.checked_sub(records);
        self.counts.in_flight_count = left.expect("records are taken in before they are finished");
    }

    fn rate(&self, now: DateTime<Utc>, started_at: DateTime<Utc>) -> f64 {
        let second = now.timestamp();
        let handed_on: u64 =
            self.recent.iter().filter(|(at, _)| *at > second - RATE_SECONDS).map(|(_, count)| count).sum();
        let seconds = (now - started_at).num_seconds().clamp(1, RATE_SECONDS);
        handed_on as f64 / seconds as f64
    }
}

/// Publishes the meter's state every 2 s, and once more at shutdown.
///
/// A bus that is away for a while is waited for.
///
/// # Errors
/// What waiting does not mend.
pub async fn publish_status(
    bus: Arc<dyn Bus>,
    meter: Arc<StageMeter>,
    shutdown: CancellationToken,
) -> Result<(), BusError> {
    let mut ticks = tokio::time::interval(PUBLISH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            () = shutdown.cancelled() => true,
            _ = ticks.tick() => false,
        };
        match tokio::time::timeout(PUBLISH_EVERY, publish_once(bus.as_ref(), &meter)).await {
            Ok(Ok(())) => {}
            Ok(Err(BusError::Unavailable(why))) => tracing::warn!(why, "the state was not published"),
            Ok(Err(error)) => return if is_last { Ok(()) } else { Err(error) },
            Err(_) => tracing::warn!("the state was not published within {PUBLISH_EVERY:?}"),
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn publish_once(bus: &dyn Bus, meter: &StageMeter) -> Result<(), BusError> {
    let status = meter.snapshot();
    let payload = serde_json::to_vec(&status).expect("a status is JSON");
    let stage = format!("{:?}", status.stage).to_lowercase();
    let record = Record { key: format!("{stage}:{}", status.instance), payload: payload.into() };
    bus.publish(Topic::Status, record).await?.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::clock::FixedClock;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn is_conserved(counts: &StageCounts) -> bool {
        let done = counts.out_count + counts.rejected_count + counts.excluded_count + counts.canary_count;
        let by_reason: u64 = counts.by_reason.values().map(|reason| reason.count).sum();
        counts.in_count == done + counts.in_flight_count
            && by_reason == counts.rejected_count + counts.excluded_count + counts.canary_count
    }

    fn work(meter: &StageMeter, seed: usize) {
        for round in 0..2_000 {
            meter.take(4);
            match (round + seed) % 4 {
                0 => meter.finish_many(3, None),
                1 => {
                    meter.finish_all(&[Outcome::Canary, Outcome::Rejected(RejectReason::InvalidJson), Outcome::Canary])
                }
                2 => meter.finish_all(&[Outcome::Excluded(RejectReason::AnonymousCreator); 3]),
                _ => meter.finish_all(&[Outcome::Delivered { event_at: None }; 3]),
            }
            meter.finish(Outcome::Delivered { event_at: None });
        }
    }

    #[test]
    fn what_came_in_is_somewhere_at_every_instant() {
        let meter = StageMeter::new(StageName::Cleaner, Arc::new(FixedClock::at(1_750_000_000)));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            let counts = meter.snapshot().counts;
                            assert!(is_conserved(&counts), "{counts:?}");
                        }
                    })
                })
                .collect();
            let writers: Vec<_> =
                (0..4).map(|seed| (seed, &meter)).map(|(s, m)| scope.spawn(move || work(m, s))).collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
        let counts = meter.snapshot().counts;
        assert!(is_conserved(&counts));
        assert_eq!((counts.in_count, counts.in_flight_count), (32_000, 0));
    }

    #[test]
    fn rate_and_lag_follow_the_clock() {
        let clock = Arc::new(FixedClock::at(1_750_000_000));
        let meter = StageMeter::new(StageName::Writer, clock.clone());
        let start = clock.now();
        meter.take(30);
        clock.set(start + chrono::TimeDelta::seconds(20));
        meter.finish_many(20, Some(start + chrono::TimeDelta::milliseconds(18_500)));
        let status = meter.snapshot();
        assert_eq!((status.events_per_second, status.lag_seconds), (2.0, Some(1.5)));
        clock.set(start + chrono::TimeDelta::seconds(31));
        assert_eq!(meter.snapshot().events_per_second, 0.0);
    }
}
