//! What a group member holds: its partitions, each with its assignment, and how far each may be committed.

use crate::bus::Position;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Counts the assignments of this process, so that no two members share a number.
static ASSIGNMENTS: AtomicU64 = AtomicU64::new(0);

/// The member's side of the group protocol; the client calls it while it is polled.
pub(super) struct Assigned {
    topic: String,
    pub(super) is_paused: AtomicBool,
    held: Mutex<HashMap<i32, Held>>,
}

#[derive(Default)]
struct Held {
    assignment: u64,
    /// The offset after the last done record.
    done: Option<i64>,
    /// Whether `done` was not sent yet, or its commit failed.
    is_dirty: bool,
    /// The offset after the last received record, or where fetching began.
    received: Option<i64>,
    /// The partition's end, as last heard.
    end: Option<i64>,
}

impl Assigned {
    pub(super) fn new(topic: String) -> Self {
        Self { topic, is_paused: AtomicBool::new(false), held: Mutex::default() }
    }

    /// The place of a record just received; none when its partition is not held any more.
    pub(super) fn receive(&self, partition: i32, offset: i64) -> Option<Position> {
        let mut held = self.lock();
        let held = held.get_mut(&partition)?;
        held.received = Some(offset + 1);
        Some(Position { partition, assignment: held.assignment, offset })
    }

    pub(super) fn holds(&self, position: Position) -> bool {
        self.lock().get(&position.partition).is_some_and(|held| held.assignment == position.assignment)
    }

    pub(super) fn finish(&self, position: Position) {
        let mut held = self.lock();
        let held = held.get_mut(&position.partition).filter(|held| held.assignment == position.assignment);
        let Some(held) = held else { return };
        if held.done.is_none_or(|done| done <= position.offset) {
            held.done = Some(position.offset + 1);
            held.is_dirty = true;
        }
    }

    /// What is done and not yet sent; from then on it counts as sent, until a commit fails.
    pub(super) fn take_dirty(&self) -> Option<TopicPartitionList> {
        let mut held = self.lock();
        let dirty = held.iter_mut().filter(|(_, held)| held.is_dirty);
        let done: Vec<_> = dirty
            .map(|(partition, held)| {
                held.is_dirty = false;
                (*partition, held.done)
            })
            .collect();
        self.offsets(done.into_iter())
    }

    /// All that is done, sent or not.
    pub(super) fn all_done(&self) -> Option<TopicPartitionList> {
        self.offsets(self.lock().iter().map(|(partition, held)| (*partition, held.done)))
    }

    pub(super) fn mark_dirty(&self) {
        self.lock().values_mut().for_each(|held| held.is_dirty = held.done.is_some());
    }

    /// Records between what was received and the ends; none while an end is not known.
    pub(super) fn lag(&self) -> Option<u64> {
        let held = self.lock();
        let behind = |held: &Held| u64::try_from(held.end? - held.received?).ok();
        if held.is_empty() { None } else { held.values().map(behind).sum() }
    }

    fn offsets(&self, done: impl Iterator<Item = (i32, Option<i64>)>) -> Option<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, done) in done {
            let Some(done) = done else { continue };
            list.add_partition_offset(&self.topic, partition, Offset::Offset(done)).expect("an offset is not negative");
        }
        (list.count() > 0).then_some(list)
    }

    fn assign(&self, partitions: &TopicPartitionList) {
        let mut held = self.lock();
        for element in partitions.elements() {
            let assignment = ASSIGNMENTS.fetch_add(1, Ordering::Relaxed) + 1;
            held.insert(element.partition(), Held { assignment, ..Held::default() });
        }
    }

    /// Commits what is done of partitions that go to another member; too late when they were lost already.
    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let gone: Vec<(i32, Option<i64>)> = {
            let mut held = self.lock();
            let numbers = partitions.elements().into_iter().map(|element| element.partition()).collect::<Vec<_>>();
            numbers.into_iter().filter_map(|p| held.remove(&p).map(|held| (p, held.done))).collect()
        };
        let Some(list) = self.offsets(gone.into_iter()).filter(|_| !consumer.assignment_lost()) else { return };
        if let Err(error) = consumer.commit(&list, CommitMode::Sync) {
            tracing::warn!(%error, topic = self.topic, "revoked partitions were not committed: their last records come again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Held>> {
        self.held.lock().expect("no holder of this lock panics")
    }
}

impl ClientContext for Assigned {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, topic = self.topic, "kafka consumer");
    }

    fn stats(&self, statistics: Statistics) {
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let mut held = self.lock();
        for (partition, stats) in &topic.partitions {
            let Some(held) = held.get_mut(partition) else { continue };
            held.end = [stats.ls_offset, stats.hi_offset].into_iter().find(|offset| *offset >= 0).or(held.end);
            let began_at = stats.next_offset - stats.fetchq_cnt;
            held.received = held.received.or((stats.next_offset >= 0 && began_at >= 0).then_some(began_at));
        }
    }
}

impl ConsumerContext for Assigned {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => self.assign(partitions),
            Rebalance::Revoke(partitions) => self.revoke(consumer, partitions),
            Rebalance::Error(error) => tracing::warn!(%error, topic = self.topic, "the group could not be balanced"),
        }
    }

    /// A paused member stays paused on partitions that it gets meanwhile.
    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        if self.is_paused.load(Ordering::Relaxed)
            && let Err(error) = consumer.pause(partitions)
        {
            tracing::warn!(%error, topic = self.topic, "new partitions could not be paused");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, topic = self.topic, "a commit failed: it is sent again");
            self.mark_dirty();
        }
    }
}
