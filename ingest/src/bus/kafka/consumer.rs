//! One member of a consumer group.

use super::assigned::Assigned;
use super::errors::{bus_error, topic_error};
use super::losses::Losses;
use super::survey::{Answers, Survey};
use crate::bus::{BusError, Consumer, Position, RECEIVE_BYTES, Received, Record};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::FutureExt;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long what is done may wait to be committed, in company.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// How long leaving may take: the process must have ended within 10 s.
const CLOSE_WITHIN: Duration = Duration::from_millis(1_500);

pub(super) struct KafkaConsumer {
    client: Arc<StreamConsumer<Assigned>>,
    commit_at: Instant,
    /// Received and not yet given out: nothing is while it is in doubt whether records are missing before it.
    ready: VecDeque<Received>,
    survey: Survey,
    losses: Losses,
    /// An error met after records were taken: told at the next call.
    failed: Option<BusError>,
}

impl KafkaConsumer {
    pub(super) fn join(config: &ClientConfig, topic: String, losses: Losses) -> Result<Self, BusError> {
        let client =
            StreamConsumer::from_config_and_context(config, Assigned::new(topic.clone())).map_err(bus_error)?;
        client.subscribe(&[&topic]).map_err(bus_error)?;
        Ok(Self {
            client: Arc::new(client),
            commit_at: Instant::now(),
            ready: VecDeque::new(),
            survey: Survey::new(),
            losses,
            failed: None,
        })
    }

    fn assigned(&self) -> &Assigned {
        self.client.client().context()
    }

    /// Sends what is done on its way, at most every 200 ms; does not wait for the answer.
    fn commit_if_due(&mut self) -> Result<(), BusError> {
        if Instant::now() < self.commit_at {
            return Ok(());
        }
        self.commit_at = Instant::now() + COMMIT_EVERY;
        let Some(offsets) = self.assigned().take_dirty() else { return Ok(()) };
        self.client.commit(&offsets, CommitMode::Async).or_else(|error| {
            self.assigned().mark_dirty();
            match topic_error(self.assigned().topic(), error) {
                BusError::Unavailable(why) => {
                    tracing::warn!(why, "a commit could not be sent: it is sent again");
                    Ok(())
                }
                hopeless => Err(hopeless),
            }
        })
    }

    /// The record with its place; none of a partition that is not held, or where the client will go on by itself.
    fn place(&self, message: Result<BorrowedMessage<'_>, KafkaError>) -> Result<Option<Received>, BusError> {
        let message = match message {
            Ok(message) => message,
            Err(error) => match topic_error(self.assigned().topic(), error) {
                BusError::Unavailable(why) => {
                    tracing::warn!(why, "receiving is interrupted; the client tries again by itself");
                    return Ok(None);
                }
                hopeless => return Err(hopeless),
            },
        };
        let time = message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis);
        let position = self.assigned().receive(message.partition(), message.offset(), time);
        Ok(position.map(|position| Received { record: record(&message), position }))
    }

    /// What has been fetched already, without waiting.
    fn take_fetched(&mut self, max: usize) {
        let mut bytes: usize = self.ready.iter().map(|received| received.record.size()).sum();
        while self.ready.len() < max && bytes < RECEIVE_BYTES {
            let Some(message) = self.client.recv().now_or_never() else { return };
            match self.place(message) {
                Ok(received) => {
                    bytes += received.as_ref().map_or(0, |received| received.record.size());
                    self.ready.extend(received);
                }
                Err(error) => {
                    self.failed = Some(error);
                    return;
                }
            }
        }
    }

    fn is_paused(&self) -> bool {
        self.assigned().is_paused.load(Ordering::Relaxed)
    }

    /// At most `max` of what came; none while a gap before it may have to be recorded.
    fn give_out(&mut self, max: usize) -> Option<Vec<Received>> {
        let may_go = !self.is_paused() && self.losses.is_all_recorded() && !self.assigned().is_in_doubt();
        (may_go && !self.ready.is_empty()).then(|| self.ready.drain(..max.min(self.ready.len())).collect())
    }

    fn learn(&mut self, answers: &Answers) {
        for (partition, loss) in self.assigned().learn(answers) {
            let topic = self.client.client().context().topic();
            self.losses.record(topic, partition, loss);
        }
        self.hurry_if_in_doubt();
    }

    fn hurry_if_in_doubt(&mut self) {
        if self.assigned().is_in_doubt() {
            self.survey.hurry();
        }
    }
}

/// Copied out of the client's memory, which a kept message would hold whole.
pub(super) fn record(message: &BorrowedMessage<'_>) -> Record {
    Record {
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
        payload: Bytes::copy_from_slice(message.payload().unwrap_or_default()),
    }
}

#[async_trait]
impl Consumer for KafkaConsumer {
    async fn receive(&mut self, max: usize) -> Result<Vec<Received>, BusError> {
        loop {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.commit_if_due()?;
            self.survey.start_if_due(&self.client);
            if let Some(batch) = self.give_out(max) {
                return Ok(batch);
            }
            // A paused member goes on polling for its membership's sake; what is in doubt soon is not.
            let polls = self.ready.is_empty() || self.is_paused();
            tokio::select! {
                message = self.client.recv(), if polls => {
                    let Some(first) = self.place(message)? else { continue };
                    self.ready.push_back(first);
                    self.take_fetched(max);
                    self.hurry_if_in_doubt();
                }
                answers = self.survey.answers() => self.learn(&answers?),
                recorded = self.losses.recorded() => recorded?,
                () = sleep_until(self.commit_at) => {}
            }
        }
    }

    fn commit(&mut self, position: Position) -> Result<(), BusError> {
        self.assigned().finish(position);
        self.commit_if_due()
    }

    fn holds(&self, position: Position) -> bool {
        self.assigned().holds(position)
    }

    fn set_paused(&mut self, paused: bool) -> Result<(), BusError> {
        self.assigned().is_paused.store(paused, Ordering::Relaxed);
        let partitions = self.client.assignment().map_err(bus_error)?;
        if paused { self.client.pause(&partitions) } else { self.client.resume(&partitions) }.map_err(bus_error)
    }

    fn lag(&self) -> Option<u64> {
        self.assigned().lag()
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        let Self { client, survey, .. } = *self;
        let leaving = async {
            survey.end().await; // it holds the client
            let leave = tokio::task::spawn_blocking(move || {
                let offsets = client.client().context().all_done();
                let committed = offsets.map_or(Ok(()), |offsets| client.commit(&offsets, CommitMode::Sync));
                drop(client); // leaves the group
                committed.map_err(bus_error)
            });
            leave.await
        };
        match timeout(CLOSE_WITHIN, leaving).await {
            Ok(Ok(committed)) => committed,
            Ok(Err(error)) => Err(BusError::Unavailable(error.to_string())),
            Err(_) => Err(BusError::Unavailable("the group could not be left in time".into())),
        }
    }
}
