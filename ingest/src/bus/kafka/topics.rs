//! The topics: their names on the cluster, and their creation where they are missing.

use super::errors::{bus_error, no_right};
use crate::bus::{BusError, MAX_RECORD_BYTES, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Within this a start has succeeded or said why not.
const OPEN_WITHIN: Duration = Duration::from_secs(12);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How many processes of a stage share the work at most.
const PARTITIONS: i32 = 6;
const MAX_REPLICATION: usize = 3;
/// A state is of interest for seconds; without this the instances of years would be kept.
const STATUS_RETENTION_MS: &str = "86400000";

type Admin = Arc<AdminClient<DefaultClientContext>>;

/// The topic's name on the cluster.
pub(super) fn topic_name(prefix: &str, topic: Topic) -> String {
    if prefix.is_empty() { topic.name().into() } else { format!("{prefix}.{}", topic.name()) }
}

/// Creates what is missing and waits until all topics can be used.
pub(super) async fn ensure_topics(config: &ClientConfig, prefix: &str) -> Result<(), BusError> {
    let admin: Admin = Arc::new(config.create().map_err(|e| BusError::Unsupported(e.to_string()))?);
    let deadline = Instant::now() + OPEN_WITHIN;
    let brokers = config.get("bootstrap.servers").unwrap_or_default().to_owned();
    let metadata = metadata(&admin, deadline).await.map_err(|error| {
        BusError::Unavailable(format!("no Kafka broker answers at {brokers} ({error}): start it or correct --bus"))
    })?;
    let missing = missing(&metadata, prefix);
    if missing.is_empty() {
        return Ok(());
    }
    create(&admin, &missing, metadata.brokers().len(), prefix).await?;
    loop {
        let metadata = self::metadata(&admin, deadline).await.map_err(bus_error)?;
        let missing = self::missing(&metadata, prefix);
        let Some(topic) = missing.first() else { return Ok(()) };
        if Instant::now() >= deadline {
            let name = topic_name(prefix, *topic);
            // Brokers list no topic to those who may not describe it.
            let is_listed = metadata.topics().iter().any(|topic| topic.name() == name);
            return Err(if is_listed {
                BusError::Unavailable(format!("the topic {name} at {brokers} has no leader yet: try again"))
            } else {
                no_right(&format!("to describe the topic {name}"))
            });
        }
        sleep(ASK_AGAIN_AFTER).await;
    }
}

async fn metadata(admin: &Admin, deadline: Instant) -> Result<Metadata, KafkaError> {
    let admin = Arc::clone(admin);
    let within = deadline.saturating_duration_since(Instant::now()).max(ASK_AGAIN_AFTER);
    tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, within))
        .await
        .map_err(|_| KafkaError::Canceled)?
}

/// The topics that are not there or have a partition without a leader.
fn missing(metadata: &Metadata, prefix: &str) -> Vec<Topic> {
    let serves = |name: &str| {
        metadata.topics().iter().any(|topic| {
            topic.name() == name && !topic.partitions().is_empty() && topic.partitions().iter().all(|p| p.leader() >= 0)
        })
    };
    Topic::ALL.into_iter().filter(|topic| !serves(&topic_name(prefix, *topic))).collect()
}

async fn create(admin: &Admin, topics: &[Topic], brokers: usize, prefix: &str) -> Result<(), BusError> {
    let names: Vec<String> = topics.iter().map(|topic| topic_name(prefix, *topic)).collect();
    let max_bytes = (MAX_RECORD_BYTES + 64 * 1024).to_string();
    let wanted: Vec<NewTopic<'_>> =
        topics.iter().zip(&names).map(|(topic, name)| new_topic(*topic, name, brokers, &max_bytes)).collect();
    let options = AdminOptions::new().request_timeout(Some(OPEN_WITHIN)).operation_timeout(Some(OPEN_WITHIN));
    for result in admin.create_topics(&wanted, &options).await.map_err(bus_error)? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                let why = format!("cannot create the topic {name} ({code}): create it or give this user the right to");
                return Err(BusError::Unsupported(why));
            }
        }
    }
    Ok(())
}

fn new_topic<'a>(topic: Topic, name: &'a str, brokers: usize, max_bytes: &'a str) -> NewTopic<'a> {
    let partitions = if matches!(topic, Topic::Input | Topic::Processed) { PARTITIONS } else { 1 };
    let replication = brokers.clamp(1, MAX_REPLICATION);
    let replicas = i32::try_from(replication).expect("at most three");
    let mut wanted =
        NewTopic::new(name, partitions, TopicReplication::Fixed(replicas)).set("max.message.bytes", max_bytes);
    if replication >= 3 {
        wanted = wanted.set("min.insync.replicas", "2");
    }
    match topic {
        Topic::Status => {
            compacted(wanted).set("cleanup.policy", "compact,delete").set("retention.ms", STATUS_RETENTION_MS)
        }
        Topic::Rejected | Topic::Positions => compacted(wanted).set("cleanup.policy", "compact"),
        Topic::Input | Topic::Processed | Topic::Stored => wanted,
    }
}

/// Compaction passes over the segment that is written to, a gigabyte or a week by default; readers start by reading
/// all of such a topic, so its segments are small and cleaned soon.
fn compacted(topic: NewTopic<'_>) -> NewTopic<'_> {
    topic
        .set("segment.bytes", "4194304")
        .set("segment.ms", "600000")
        .set("min.cleanable.dirty.ratio", "0.1")
        .set("max.compaction.lag.ms", "600000")
}
