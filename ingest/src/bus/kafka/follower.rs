//! Following a topic without a group: from its ends on, or from a position.
//!
//! A position names, for each partition, the offset that comes next and a hash of the topic and the record before it. A
//! follower that goes on from there reads that record again: so it knows the topic as the one that the position is of.

use super::consumer::record;
use super::errors::bus_error;
use super::reader::{ANSWER_WITHIN, Ends, ends};
use crate::bus::position::FeedPlace;
use crate::bus::{BusError, FeedPosition, Followed, Follower, IsWanted, Record};
use async_trait::async_trait;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use std::collections::{BTreeMap, VecDeque};
use tokio::time::timeout;
use xxhash_rust::xxh3::xxh3_64;

pub(super) struct KafkaFollower {
    /// There until it is dropped.
    consumer: Option<StreamConsumer>,
    /// Of the topic: part of each record's mark.
    topic_mark: u64,
    position: FeedPosition,
    /// Received, and not yet given.
    ready: VecDeque<Heard>,
}

struct Heard {
    record: Record,
    partition: i32,
    offset: i64,
    mark: u64,
}

impl Heard {
    /// Two topics may have the same record at the same offset, published within one millisecond.
    fn new(message: &BorrowedMessage<'_>, topic_mark: u64) -> Self {
        let record = record(message);
        let time = message.timestamp().to_millis().unwrap_or_default();
        let bytes =
            [&topic_mark.to_be_bytes()[..], &time.to_be_bytes(), record.key.as_bytes(), &record.payload].concat();
        Self { partition: message.partition(), offset: message.offset(), mark: xxh3_64(&bytes), record }
    }
}

/// Begins at the ends of all partitions as they are now: what is published after this returns is heard.
pub(super) async fn follow(config: ClientConfig, topic: String) -> Result<KafkaFollower, BusError> {
    blocking(move || {
        let consumer: StreamConsumer = config.create()?;
        let ends = ends(&consumer, &topic)?;
        let mark = mark_of(&consumer, &topic);
        let places = ends.iter().map(|(partition, (_, end))| FeedPlace { partition: *partition, next: *end, mark });
        let position = FeedPosition::new(places.collect());
        assign(&consumer, &topic, position.places().iter().map(|place| (place.partition, place.next)))?;
        Ok(KafkaFollower { consumer: Some(consumer), topic_mark: mark, position, ready: VecDeque::new() })
    })
    .await
}

/// Begins behind a position; none where a partition does not reach there or no longer holds it, or holds another record.
pub(super) async fn follow_from(
    config: ClientConfig,
    topic: String,
    at: FeedPosition,
) -> Result<Option<KafkaFollower>, BusError> {
    let found = blocking(move || {
        let consumer: StreamConsumer = config.create()?;
        let (ends, mark) = (ends(&consumer, &topic)?, mark_of(&consumer, &topic));
        let Some(begins) = begins(&ends, &at, mark) else { return Ok(None) };
        let mut position = at;
        for begin in &begins {
            position.advance(begin.place.partition, begin.place.next, begin.place.mark);
        }
        assign(&consumer, &topic, begins.iter().map(|begin| (begin.place.partition, begin.first)))?;
        Ok(Some((
            begins,
            KafkaFollower { consumer: Some(consumer), topic_mark: mark, position, ready: VecDeque::new() },
        )))
    });
    let Some((begins, mut follower)) = found.await? else { return Ok(None) };
    let is_known = timeout(ANSWER_WITHIN, follower.knows(&begins)).await;
    let no_answer = |_| BusError::Unavailable("the records at a position do not come".into());
    Ok(is_known.map_err(no_answer)??.then_some(follower))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, BusError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BusError::Unavailable(error.to_string()))?.map_err(bus_error)
}

/// The mark of a place in front of which nothing was heard: it tells the topic, not the record.
fn mark_of(consumer: &StreamConsumer, topic: &str) -> u64 {
    let cluster = consumer.client().fetch_cluster_id(ANSWER_WITHIN).unwrap_or_default();
    xxh3_64(format!("{cluster}\0{topic}").as_bytes())
}

fn assign(consumer: &StreamConsumer, topic: &str, from: impl Iterator<Item = (i32, i64)>) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in from {
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    consumer.assign(&list)
}

/// Where to begin in a partition.
#[derive(Debug, PartialEq)]
struct Begin {
    /// The first offset that is read.
    first: i64,
    place: FeedPlace,
}

/// Where to begin; none where the topic does not have what the position needs. A partition that the position does not
/// name has been added since.
fn begins(ends: &Ends, at: &FeedPosition, topic_mark: u64) -> Option<Vec<Begin>> {
    let is_there = |place: &FeedPlace| ends.iter().any(|(partition, _)| *partition == place.partition);
    let begin = |(partition, (low, end)): &(i32, (i64, i64))| {
        let place = at.places().iter().find(|place| place.partition == *partition);
        let Some(place) = place else {
            let place = FeedPlace { partition: *partition, next: 0, mark: topic_mark };
            return (*low == 0).then_some(Begin { first: 0, place });
        };
        let first = if place.mark == topic_mark { place.next } else { place.next.checked_sub(1)? };
        (*low <= first && place.next <= *end).then_some(Begin { first, place: *place })
    };
    let all_there = !at.places().is_empty() && at.places().iter().all(is_there);
    all_there.then(|| ends.iter().map(begin).collect()).flatten()
}

impl KafkaFollower {
    /// Reads the records before the position again, and says whether they are those that it was made of.
    async fn knows(&mut self, begins: &[Begin]) -> Result<bool, BusError> {
        let before = begins.iter().filter(|begin| begin.first < begin.place.next);
        let mut before: BTreeMap<i32, &FeedPlace> = before.map(|begin| (begin.place.partition, &begin.place)).collect();
        while !before.is_empty() {
            let heard = self.receive().await?;
            match before.remove(&heard.partition) {
                Some(place) if place.mark != heard.mark || place.next != heard.offset + 1 => return Ok(false),
                Some(_) => {}
                None => self.ready.push_back(heard),
            }
        }
        Ok(true)
    }

    async fn receive(&self) -> Result<Heard, BusError> {
        let consumer = self.consumer.as_ref().expect("it is not dropped yet");
        loop {
            match consumer.recv().await.map_err(bus_error) {
                Ok(message) => return Ok(Heard::new(&message, self.topic_mark)),
                Err(BusError::Unavailable(why)) => {
                    tracing::warn!(why, "following is interrupted; the client tries again by itself");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Moves on to a record that came; how many before it did not, for the topic no longer had them.
    fn reach(&mut self, heard: &Heard) -> u64 {
        let places = self.position.places();
        let next = places.iter().find(|place| place.partition == heard.partition).map_or(0, |place| place.next);
        let missed = u64::try_from(heard.offset - next).unwrap_or(0);
        if missed > 0 {
            self.position.advance(heard.partition, heard.offset, heard.mark);
        }
        missed
    }
}

/// Leaving the brokers takes a moment, which no task of the runtime is to wait for.
impl Drop for KafkaFollower {
    fn drop(&mut self) {
        let consumer = self.consumer.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(consumer));
        }
    }
}

#[async_trait]
impl Follower for KafkaFollower {
    async fn next(&mut self) -> Result<Followed, BusError> {
        let heard = match self.ready.pop_front() {
            Some(heard) => heard,
            None => self.receive().await?,
        };
        let missed = self.reach(&heard);
        if missed > 0 {
            self.ready.push_front(heard);
            return Ok(Followed::Missed(missed));
        }
        self.position.advance(heard.partition, heard.offset + 1, heard.mark);
        Ok(Followed::Record(heard.record))
    }

    async fn pass_over(&mut self, is_wanted: &IsWanted<'_>) -> Result<(), BusError> {
        let heard = match self.ready.pop_front() {
            Some(heard) => heard,
            None => self.receive().await?,
        };
        let mut behind = self.position.clone();
        behind.advance(heard.partition, heard.offset + 1, heard.mark);
        if is_wanted(&behind) {
            self.ready.push_front(heard);
        } else {
            self.position = behind;
        }
        Ok(())
    }

    fn position(&self) -> FeedPosition {
        self.position.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: u64 = 99;

    fn place(partition: i32, next: i64, mark: u64) -> FeedPlace {
        FeedPlace { partition, next, mark }
    }

    /// Where reading begins in each partition of a topic with offsets 10 to 20 and 0 to 5.
    fn check(places: &[FeedPlace], expect: Option<[i64; 2]>) {
        let ends = vec![(0, (10, 20)), (1, (0, 5))];
        let begins = begins(&ends, &FeedPosition::new(places.to_vec()), TOPIC);
        let firsts = begins.map(|begins| begins.iter().map(|begin| begin.first).collect::<Vec<_>>());
        assert_eq!(firsts.as_deref(), expect.as_ref().map(|firsts| &firsts[..]), "{places:?}");
    }

    #[test]
    fn a_position_begins_at_the_record_before_it() {
        check(&[place(0, 11, 1), place(1, 5, 1)], Some([10, 4]));
        check(&[place(0, 20, 1), place(1, 0, TOPIC)], Some([19, 0]));
        check(&[place(0, 10, TOPIC), place(1, 5, TOPIC)], Some([10, 5]));
        // A partition that was added since.
        check(&[place(0, 15, 1)], Some([14, 0]));
    }

    #[test]
    fn what_a_topic_does_not_hold_is_no_position() {
        check(&[place(0, 10, 1), place(1, 5, 1)], None); // the record before is gone
        check(&[place(0, 9, TOPIC), place(1, 5, 1)], None);
        check(&[place(0, 21, 1), place(1, 5, 1)], None); // not yet reached
        check(&[place(0, 15, 1), place(1, 0, 1)], None); // no record before the first
        check(&[place(0, 15, 1), place(1, 5, 1), place(2, 0, TOPIC)], None);
        check(&[place(1, 5, 1)], None); // of the other partition the beginning is gone
        check(&[place(0, i64::MIN, 1), place(1, 5, 1)], None);
        check(&[], None);
    }
}
