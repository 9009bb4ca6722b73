//! The bus on Apache Kafka: durable topics, consumer groups, manual commits.
//!
//! Topics and groups are named `PREFIX.name`, or `name` without a prefix.

mod assigned;
mod config;
mod consumer;
mod errors;
mod follower;
mod held;
mod losses;
mod publisher;
mod reader;
mod survey;
mod topics;

use super::{Bus, BusError, Consumer, Delivery, FeedPosition, Follower, Record, Topic};
use async_trait::async_trait;
use consumer::KafkaConsumer;
use losses::Losses;
use publisher::Publisher;
use std::sync::Arc;
use topics::{ensure_topics, topic_name};

/// A Kafka cluster.
pub struct KafkaBus {
    brokers: Vec<String>,
    prefix: String,
    /// The topics' names on the cluster, in the order of [`Topic::ALL`].
    names: [String; Topic::ALL.len()],
    publisher: Arc<Publisher>,
}

impl KafkaBus {
    /// Connects, and creates the topics that are missing.
    ///
    /// # Errors
    /// Within 15 s: `Unavailable` when no broker answers, `Unsupported` when topics are missing and may not be created.
    pub async fn open(brokers: &[String], prefix: &str) -> Result<Arc<Self>, BusError> {
        ensure_topics(&config::client(brokers), prefix).await?;
        let publisher = Arc::new(Publisher::new(&config::producer(brokers))?);
        let names = Topic::ALL.map(|topic| topic_name(prefix, topic));
        Ok(Arc::new(Self { brokers: brokers.to_vec(), prefix: prefix.into(), names, publisher }))
    }

    fn name(&self, topic: Topic) -> &str {
        &self.names[topic as usize]
    }

    fn group(&self, group: &str) -> String {
        if self.prefix.is_empty() { format!("pagetrack.{group}") } else { format!("{}.{group}", self.prefix) }
    }

    /// A name for a reader that joins no group: it never reaches the brokers' group lists.
    fn reader(&self) -> rdkafka::ClientConfig {
        config::reader(&self.brokers, &self.group("reader"))
    }

    fn follower(&self) -> rdkafka::ClientConfig {
        config::follower(&self.brokers, &self.group("reader"))
    }
}

#[async_trait]
impl Bus for KafkaBus {
    async fn publish(&self, topic: Topic, record: Record) -> Result<Delivery, BusError> {
        record.check_size(topic)?;
        self.publisher.publish(self.name(topic), &record).await
    }

    async fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Consumer>, BusError> {
        let config = config::member(&self.brokers, &self.group(group));
        let losses = Losses::new(Arc::clone(&self.publisher), self.name(Topic::Positions).into());
        Ok(Box::new(KafkaConsumer::join(&config, self.name(topic).into(), losses)?))
    }

    async fn follow(&self, topic: Topic) -> Result<Box<dyn Follower>, BusError> {
        Ok(Box::new(follower::follow(self.follower(), self.name(topic).into()).await?))
    }

    async fn follow_from(&self, topic: Topic, at: &FeedPosition) -> Result<Option<Box<dyn Follower>>, BusError> {
        let follower = follower::follow_from(self.follower(), self.name(topic).into(), at.clone()).await?;
        Ok(follower.map(|follower| Box::new(follower) as Box<dyn Follower>))
    }

    async fn read_compacted(&self, topic: Topic) -> Result<Vec<Record>, BusError> {
        reader::read_compacted(self.reader(), self.name(topic).into()).await
    }
}

#[cfg(test)]
mod tests;
