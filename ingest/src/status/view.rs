//! What a process knows of all stages, its own and others', from the topic `status`.

use super::{StageCounts, StageName, StageStatus};
use crate::bus::{Bus, BusError, Followed, Follower, Record, Topic, keep_following};
use chrono::{DateTime, TimeDelta, Utc};
use schema::clock::Clock;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A stage not heard of for so long is unknown, never 0.
const UNKNOWN_AFTER: TimeDelta = TimeDelta::seconds(10);

/// The newest state of every stage instance heard of within 10 s.
pub struct PipelineView {
    clock: Arc<dyn Clock>,
    heard: Mutex<BTreeMap<(StageName, String), Heard>>,
    changes: watch::Sender<u64>,
}

struct Heard {
    at: DateTime<Utc>,
    status: StageStatus,
}

impl PipelineView {
    /// A view that has heard nothing.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, heard: Mutex::default(), changes: watch::Sender::new(0) })
    }

    /// Reads what was last told, then listens until shutdown. A bus that is away for a while is waited for.
    ///
    /// # Errors
    /// What waiting does not mend.
    pub async fn follow(self: Arc<Self>, bus: Arc<dyn Bus>, shutdown: CancellationToken) -> Result<(), BusError> {
        keep_following("the stages' states", &shutdown, || self.listen(bus.as_ref())).await
    }

    /// One entry per instance heard of within 10 s, by stage.
    pub fn stages(&self) -> Vec<StageStatus> {
        let oldest = self.clock.now() - UNKNOWN_AFTER;
        self.lock().values().filter(|heard| heard.at >= oldest).map(|heard| heard.status.clone()).collect()
    }

    /// A stage's instances added up; none when it was not heard of for 10 s.
    pub fn stage(&self, stage: StageName) -> Option<StageStatus> {
        self.stages().into_iter().filter(|status| status.stage == stage).reduce(add)
    }

    /// Ticks with each state heard.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn listen(&self, bus: &dyn Bus) -> Result<Infallible, BusError> {
        let mut follower = bus.follow(Topic::Status).await?;
        self.read(bus).await?;
        loop {
            self.hear_next(bus, follower.as_mut()).await?;
        }
    }

    async fn hear_next(&self, bus: &dyn Bus, follower: &mut dyn Follower) -> Result<(), BusError> {
        match follower.next().await? {
            Followed::Record(record) => self.hear(&record, |_| self.clock.now()),
            Followed::Missed(_) => self.read(bus).await?,
        }
        Ok(())
    }

    /// What lies in the topic may be old, so its own time counts; what is heard live is present whatever the
    /// clock of its process says.
    async fn read(&self, bus: &dyn Bus) -> Result<(), BusError> {
        for record in bus.read_compacted(Topic::Status).await? {
            self.hear(&record, |status| status.at);
        }
        Ok(())
    }

    fn hear(&self, record: &Record, heard_at: impl Fn(&StageStatus) -> DateTime<Utc>) {
        let status: StageStatus = match serde_json::from_slice(&record.payload) {
            Ok(status) => status,
            Err(error) => return tracing::warn!(%error, "a record of the topic status is not a state"),
        };
        let at = heard_at(&status);
        let oldest = self.clock.now() - UNKNOWN_AFTER;
        let mut heard = self.lock();
        heard.retain(|_, heard| heard.at >= oldest);
        let key = (status.stage, status.instance.clone());
        if at >= oldest && heard.get(&key).is_none_or(|known| known.status.at <= status.at) {
            heard.insert(key, Heard { at, status });
        }
        drop(heard);
        self.changes.send_modify(|ticks| *ticks += 1);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(StageName, String), Heard>> {
        self.heard.lock().expect("no holder of this lock panics")
    }
}

fn add(a: StageStatus, b: StageStatus) -> StageStatus {
    let newest = if a.last_event_at >= b.last_event_at { &a } else { &b };
    StageStatus {
        stage: a.stage,
        instance: format!("{},{}", a.instance, b.instance),
        at: a.at.max(b.at),
        events_per_second: a.events_per_second + b.events_per_second,
        lag_records: a.lag_records.zip(b.lag_records).map(|(a, b)| a + b).or(a.lag_records).or(b.lag_records),
        last_event_at: newest.last_event_at,
        lag_seconds: newest.lag_seconds,
        last_canary_at: a.last_canary_at.max(b.last_canary_at),
        counts: add_counts(a.counts, b.counts),
        source: if a.at >= b.at { a.source.or(b.source) } else { b.source.or(a.source) },
    }
}

fn add_counts(mut a: StageCounts, b: StageCounts) -> StageCounts {
    for (reason, theirs) in b.by_reason {
        let ours = a.by_reason.entry(reason).or_insert(super::ReasonCount { count: 0, last_at: theirs.last_at });
        ours.count += theirs.count;
        ours.last_at = ours.last_at.max(theirs.last_at);
    }
    StageCounts {
        in_count: a.in_count + b.in_count,
        out_count: a.out_count + b.out_count,
        rejected_count: a.rejected_count + b.rejected_count,
        excluded_count: a.excluded_count + b.excluded_count,
        canary_count: a.canary_count + b.canary_count,
        in_flight_count: a.in_flight_count + b.in_flight_count,
        by_reason: a.by_reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::RejectReason;
    use crate::status::{Outcome, StageMeter};
    use schema::clock::FixedClock;

    fn told(meter: &StageMeter) -> Record {
        Record { key: String::new(), payload: serde_json::to_vec(&meter.snapshot()).unwrap().into() }
    }

    #[test]
    fn instances_add_up_and_fall_silent() {
        let clock = Arc::new(FixedClock::at(1_750_000_000));
        let view = PipelineView::new(clock.clone());
        assert_eq!(view.stage(StageName::Writer), None);
        let meters = [0, 1].map(|_| StageMeter::new(StageName::Writer, clock.clone()));
        for meter in &meters {
            meter.take(3);
            meter.finish(Outcome::Rejected(RejectReason::InvalidJson));
            meter.set_lag_records(Some(5));
            view.hear(&told(meter), |_| clock.now());
        }
        let both = view.stage(StageName::Writer).unwrap();
        assert_eq!((both.counts.in_count, both.counts.in_flight_count, both.lag_records), (6, 4, Some(10)));
        assert_eq!(both.counts.by_reason[&RejectReason::InvalidJson].count, 2);
        clock.set(clock.now() + TimeDelta::seconds(8));
        view.hear(&told(&meters[0]), |_| clock.now());
        clock.set(clock.now() + TimeDelta::seconds(3));
        assert_eq!(view.stages().len(), 1, "the silent one is unknown, not 0");
        assert_eq!(view.stage(StageName::Cleaner), None);
        assert_eq!(*view.changes().borrow(), 3);
    }

    #[test]
    fn an_old_state_is_not_the_present() {
        let clock = Arc::new(FixedClock::at(1_750_000_000));
        let view = PipelineView::new(clock.clone());
        let meter = StageMeter::new(StageName::Producer, clock.clone());
        let record = told(&meter);
        clock.set(clock.now() + TimeDelta::seconds(60));
        view.hear(&record, |status| status.at);
        view.hear(&Record { key: "producer:1".into(), payload: "{".into() }, |status| status.at);
        assert!(view.stages().is_empty());
    }
}
