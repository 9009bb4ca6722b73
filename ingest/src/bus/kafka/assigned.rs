//! What a group member holds: its partitions, each with its assignment, and how far each may be committed.

use super::held::{Held, Loss};
use super::survey::{Answers, Question, offsets};
use crate::bus::Position;
use chrono::{DateTime, Utc};
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
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

impl Assigned {
    pub(super) fn new(topic: String) -> Self {
        Self { topic, is_paused: AtomicBool::new(false), held: Mutex::default() }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// The place of a record just received, published at `time`; none when its partition is not held any more.
    pub(super) fn receive(&self, partition: i32, offset: i64, time: Option<DateTime<Utc>>) -> Option<Position> {
        let mut held = self.lock();
        let held = held.get_mut(&partition)?;
        held.receive(offset, time);
        Some(Position { partition, assignment: held.assignment, offset })
    }

    pub(super) fn holds(&self, position: Position) -> bool {
        self.lock().get(&position.partition).is_some_and(|held| held.assignment == position.assignment)
    }

    pub(super) fn finish(&self, position: Position) {
        let mut held = self.lock();
        let held = held.get_mut(&position.partition).filter(|held| held.assignment == position.assignment);
        if let Some(held) = held {
            held.finish(position.offset);
        }
    }

    /// What is done and not yet sent; from then on it counts as sent, until a commit fails.
    pub(super) fn take_dirty(&self) -> Option<TopicPartitionList> {
        let mut held = self.lock();
        let dirty = held.iter_mut().filter(|(_, held)| held.is_dirty);
        let done = dirty.map(|(partition, held)| {
            held.is_dirty = false;
            (*partition, held.done)
        });
        offsets(&self.topic, done)
    }

    /// All that is done, sent or not.
    pub(super) fn all_done(&self) -> Option<TopicPartitionList> {
        offsets(&self.topic, self.lock().iter().map(|(partition, held)| (*partition, held.done)))
    }

    pub(super) fn mark_dirty(&self) {
        self.lock().values_mut().for_each(|held| held.is_dirty = held.done.is_some());
    }

    /// What the brokers are to be asked now: one question for each partition.
    pub(super) fn questions(&self) -> Vec<Question> {
        let mut held = self.lock();
        let ask = |(partition, held): (&i32, &mut Held)| Question {
            partition: *partition,
            assignment: held.assignment,
            wants_commit: held.ask(),
        };
        held.iter_mut().map(ask).collect()
    }

    /// What the brokers' answers say is lost, by partition.
    pub(super) fn learn(&self, answers: &Answers) -> Vec<(i32, Loss)> {
        let mut held = self.lock();
        let mut losses = Vec::new();
        for (question, told) in answers {
            let held = held.get_mut(&question.partition).filter(|held| held.assignment == question.assignment);
            let lost = held.map(|held| held.learn(told)).unwrap_or_default();
            losses.extend(lost.into_iter().map(|loss| (question.partition, loss)));
        }
        losses
    }

    /// Whether records may be missing before what was received.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.lock().values().any(Held::is_in_doubt)
    }

    /// Records between what was received and the ends; none while an end is not known.
    pub(super) fn lag(&self) -> Option<u64> {
        let held = self.lock();
        if held.is_empty() { None } else { held.values().map(Held::lag).sum() }
    }

    fn assign(&self, partitions: &TopicPartitionList) {
        let mut held = self.lock();
        for element in partitions.elements() {
            held.insert(element.partition(), Held::new(ASSIGNMENTS.fetch_add(1, Ordering::Relaxed) + 1));
        }
    }

    /// Commits what is done of partitions that go to another member; too late when they were lost already.
    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let gone: Vec<_> = {
            let mut held = self.lock();
            let numbers = partitions.elements().into_iter().map(|element| element.partition()).collect::<Vec<_>>();
            numbers.into_iter().filter_map(|p| held.remove(&p).map(|held| (p, held.done))).collect()
        };
        let Some(list) = offsets(&self.topic, gone.into_iter()).filter(|_| !consumer.assignment_lost()) else { return };
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
