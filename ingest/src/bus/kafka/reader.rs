//! Reading without a group: the last record of each key, and where partitions begin and end.

use super::consumer::record;
use super::errors::bus_error;
use crate::bus::{BusError, Record};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The library logs the end of a partition, which is what a reader reads to, as an error.
struct Reading;

impl ClientContext for Reading {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "a reader's client");
        }
    }
}

impl ConsumerContext for Reading {}

/// The last record of each key, up to the ends of the partitions as they are now.
pub(super) async fn read_compacted(mut config: ClientConfig, topic: String) -> Result<Vec<Record>, BusError> {
    config.set("enable.partition.eof", "true");
    let read = tokio::task::spawn_blocking(move || read_to_the_end(&config.create_with_context(Reading)?, &topic));
    read.await.map_err(|error| BusError::Unavailable(error.to_string()))?.map_err(bus_error)
}

fn read_to_the_end(consumer: &BaseConsumer<Reading>, topic: &str) -> Result<Vec<Record>, KafkaError> {
    let (mut from, mut open) = (TopicPartitionList::new(), HashSet::new());
    for (partition, (begin, end)) in ends(consumer, topic)? {
        if begin < end {
            from.add_partition_offset(topic, partition, Offset::Offset(begin))?;
            open.insert(partition);
        }
    }
    consumer.assign(&from)?;
    let mut last = BTreeMap::new();
    while !open.is_empty() {
        match consumer.poll(ANSWER_WITHIN) {
            None => return Err(KafkaError::NoMessageReceived),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) => return Err(error),
            Some(Ok(message)) => {
                let record = record(&message);
                match message.payload() {
                    Some(_) => last.insert(record.key.clone(), record),
                    None => last.remove(&record.key),
                };
            }
        }
    }
    Ok(last.into_values().collect())
}

/// Each partition with the offsets of its first record and after its last.
pub(super) type Ends = Vec<(i32, (i64, i64))>;

pub(super) fn ends<X: ConsumerContext, C: Consumer<X>>(consumer: &C, topic: &str) -> Result<Ends, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN)?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id());
    partitions.map(|p| ends_of(consumer, topic, p).map(|ends| (p, ends))).collect()
}

/// A broker may still learn that it leads a partition that was made just now: it is asked again.
fn ends_of<X: ConsumerContext, C: Consumer<X>>(
    consumer: &C,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), KafkaError> {
    let deadline = Instant::now() + ANSWER_WITHIN;
    loop {
        match consumer.fetch_watermarks(topic, partition, ANSWER_WITHIN) {
            Err(error)
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NotLeaderForPartition)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(ASK_AGAIN_AFTER);
            }
            answered => return answered,
        }
    }
}
