//! Asking the brokers, beside the receiving, where a member's partitions begin and end and what the group committed.

use super::assigned::Assigned;
use super::errors::bus_error;
use super::held::{Mark, Told};
use crate::bus::BusError;
use chrono::DateTime;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const ASK_EVERY: Duration = Duration::from_secs(2);
/// For all partitions together. A process that ends waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// A partition to ask about.
pub(super) struct Question {
    pub(super) partition: i32,
    pub(super) assignment: u64,
    /// Whether the group's commit is wanted, too.
    pub(super) wants_commit: bool,
}

pub(super) type Answers = Vec<(Question, Told)>;

/// Asks every 2 s, one question at a time, on a thread that may block.
pub(super) struct Survey {
    ask_at: Instant,
    running: Option<JoinHandle<Result<Answers, KafkaError>>>,
}

impl Survey {
    pub(super) fn new() -> Self {
        Self { ask_at: Instant::now(), running: None }
    }

    /// The next question does not wait for its time.
    pub(super) fn hurry(&mut self) {
        self.ask_at = Instant::now();
    }

    pub(super) fn start_if_due(&mut self, client: &Arc<StreamConsumer<Assigned>>) {
        if self.running.is_some() || Instant::now() < self.ask_at {
            return;
        }
        let questions = client.client().context().questions();
        if questions.is_empty() {
            return;
        }
        self.ask_at = Instant::now() + ASK_EVERY;
        let client = Arc::clone(client);
        self.running = Some(tokio::task::spawn_blocking(move || ask(&client, questions)));
    }

    /// What the brokers answered; nothing when they did not. Dropping the future loses nothing.
    ///
    /// # Errors
    /// What asking again does not mend.
    pub(super) async fn answers(&mut self) -> Result<Answers, BusError> {
        let Some(running) = &mut self.running else { return pending().await };
        let ended = running.await;
        self.running = None;
        let answered = match ended {
            Ok(answered) => answered.map_err(bus_error),
            Err(error) => Err(BusError::Unavailable(error.to_string())),
        };
        match answered {
            Err(BusError::Unavailable(why)) => {
                tracing::warn!(why, "the ends of the partitions are not known: asking again");
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// Waits for what was asked; nobody needs the answer any more.
    pub(super) async fn end(self) {
        if let Some(running) = self.running {
            drop(running.await);
        }
    }
}

fn ask(client: &StreamConsumer<Assigned>, questions: Vec<Question>) -> Result<Answers, KafkaError> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    let left = || deadline.saturating_duration_since(Instant::now());
    let topic = client.client().context().topic();
    let mut wanted = TopicPartitionList::new();
    questions.iter().filter(|question| question.wants_commit).for_each(|question| {
        wanted.add_partition(topic, question.partition);
    });
    let commits = if wanted.count() == 0 { HashMap::new() } else { marks(&client.committed_offsets(wanted, left())?)? };
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        let (low, end) = client.fetch_watermarks(topic, question.partition, left())?;
        let committed = commits.get(&question.partition).copied();
        answers.push((question, Told { committed, low, end }));
    }
    Ok(answers)
}

/// The commits of the partitions that have one, with the times that [`offsets`] wrote.
fn marks(commits: &TopicPartitionList) -> Result<HashMap<i32, Mark>, KafkaError> {
    let mut marks = HashMap::new();
    for element in commits.elements() {
        element.error()?;
        if let Offset::Offset(next) = element.offset() {
            let time = DateTime::parse_from_rfc3339(element.metadata()).ok().map(|time| time.to_utc());
            marks.insert(element.partition(), Mark { next, time });
        }
    }
    Ok(marks)
}

/// A commit of what is done. Its metadata is the time of the last done record: where a gap would begin.
pub(super) fn offsets(topic: &str, done: impl Iterator<Item = (i32, Option<Mark>)>) -> Option<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, done) in done {
        let Some(done) = done else { continue };
        let mut element = list.add_partition(topic, partition);
        element.set_offset(Offset::Offset(done.next)).expect("an offset is not negative");
        if let Some(time) = done.time {
            element.set_metadata(time.to_rfc3339());
        }
    }
    (list.count() > 0).then_some(list)
}
