//! The bus within one process: bounded queues between stages; what must last is kept by the store.
//!
//! A record stays in its queue until the topic's consumer commits it, and only then does its delivery resolve. So
//! nothing is durable here, and nothing needs to be: whoever published keeps its own input until then.

mod commits;
mod feed;
mod queue;

use super::{Bus, BusError, Consumer, Delivery, FeedPosition, Follower, Record, Topic};
use async_trait::async_trait;
use commits::Commits;
use feed::{Feed, Unheard};
use queue::Queue;
use schema::store::{PipelineRecord, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How many records a queue holds, received ones included.
const MAX_RECORDS: usize = 8_192;
/// How many bytes a queue holds.
const MAX_BYTES: usize = 16 << 20;

/// Queues for `input` and `processed`, a feed for each topic, the store for what lasts.
pub struct MemoryBus {
    store: Arc<dyn Store>,
    input: Arc<Queue>,
    processed: Arc<Queue>,
    feeds: [Feed; Topic::ALL.len()],
    /// Instead of a feed of `stored`, where the store itself knows the order.
    commits: Option<Commits>,
    status: Mutex<BTreeMap<String, Record>>,
}

impl MemoryBus {
    /// A bus with empty queues; `store` keeps `rejected` and `positions`.
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        let queue = || Queue::new(MAX_RECORDS, MAX_BYTES);
        let feed = |topic| Feed::new(if topic == Topic::Stored { Unheard::Kept } else { Unheard::Dropped });
        let commits = store.has_commit_order().then(|| Commits::new(Arc::clone(&store)));
        Arc::new(Self {
            store,
            input: queue(),
            processed: queue(),
            feeds: Topic::ALL.map(feed),
            commits,
            status: Mutex::default(),
        })
    }

    fn queue(&self, topic: Topic) -> Option<&Arc<Queue>> {
        match topic {
            Topic::Input => Some(&self.input),
            Topic::Processed => Some(&self.processed),
            Topic::Stored | Topic::Rejected | Topic::Positions | Topic::Status => None,
        }
    }

    fn feed(&self, topic: Topic) -> &Feed {
        &self.feeds[topic as usize]
    }

    /// The order of commits where it is what followers of the topic hear.
    fn commits(&self, topic: Topic) -> Option<&Commits> {
        self.commits.as_ref().filter(|_| topic == Topic::Stored)
    }

    /// Keeps the record if its topic is one that lasts.
    async fn keep(&self, topic: Topic, record: &Record) -> Result<(), BusError> {
        match topic {
            Topic::Rejected | Topic::Positions => {
                let (kind, key) = (topic.name().into(), record.key.clone());
                let kept = PipelineRecord { kind, key, payload: record.payload.to_vec() };
                self.store.put_record(&kept).await.map_err(bus_error)
            }
            Topic::Status => {
                let mut status = self.status.lock().expect("no holder of this lock panics");
                status.insert(record.key.clone(), record.clone());
                Ok(())
            }
            Topic::Input | Topic::Processed | Topic::Stored => Ok(()),
        }
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn publish(&self, topic: Topic, record: Record) -> Result<Delivery, BusError> {
        record.check_size(topic)?;
        let delivery: Delivery = match self.queue(topic) {
            Some(queue) => queue.push(record.clone()).await?,
            None => {
                self.keep(topic, &record).await?;
                Box::pin(std::future::ready(Ok(())))
            }
        };
        match self.commits(topic) {
            Some(commits) => commits.announce(),
            None => self.feed(topic).send(record),
        }
        Ok(delivery)
    }

    async fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Consumer>, BusError> {
        let queue = self.queue(topic).ok_or_else(|| {
            BusError::Unsupported(format!("the memory bus has no consumers of {}, only followers", topic.name()))
        })?;
        Ok(Box::new(queue.join(group)?))
    }

    async fn follow(&self, topic: Topic) -> Result<Box<dyn Follower>, BusError> {
        match self.commits(topic) {
            Some(commits) => Ok(Box::new(commits.follow().await?)),
            None => Ok(Box::new(self.feed(topic).follow())),
        }
    }

    async fn follow_from(&self, topic: Topic, at: &FeedPosition) -> Result<Option<Box<dyn Follower>>, BusError> {
        let boxed = |follower| Box::new(follower) as Box<dyn Follower>;
        match self.commits(topic) {
            Some(commits) => Ok(commits.follow_from(at).await?.map(|follower| Box::new(follower) as Box<dyn Follower>)),
            None => Ok(self.feed(topic).follow_from(at).map(boxed)),
        }
    }

    async fn read_compacted(&self, topic: Topic) -> Result<Vec<Record>, BusError> {
        match topic {
            Topic::Status => Ok(self.status.lock().expect("no holder of this lock panics").values().cloned().collect()),
            Topic::Rejected | Topic::Positions => {
                let kept = self.store.records(topic.name()).await.map_err(bus_error)?;
                Ok(kept.into_iter().map(|r| Record { key: r.key, payload: r.payload.into() }).collect())
            }
            Topic::Input | Topic::Processed | Topic::Stored => {
                Err(BusError::Unsupported(format!("the topic {} is not compacted", topic.name())))
            }
        }
    }
}

fn bus_error(error: StoreError) -> BusError {
    match error {
        StoreError::Unavailable(why) => BusError::Unavailable(why),
        other => BusError::Unsupported(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::conformance::bus_conformance;
    use schema::store::{Durability, Migration, StoreUrl};
    use std::time::Duration;
    use tempfile::TempDir;

    async fn open(_case: &str) -> Option<(Arc<dyn Bus>, TempDir)> {
        let folder = TempDir::new().unwrap();
        let url = StoreUrl::Embedded(folder.path().into());
        let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.unwrap();
        Some((MemoryBus::new(store), folder))
    }

    bus_conformance!(open);

    fn sized(bytes: usize) -> Record {
        Record { key: String::new(), payload: vec![b'x'; bytes].into() }
    }

    /// Publishes until it has to wait, and says how many got in.
    async fn fill(bus: &Arc<dyn Bus>, bytes: usize) -> usize {
        let mut count = 0;
        while tokio::time::timeout(Duration::from_millis(100), bus.publish(Topic::Input, sized(bytes))).await.is_ok() {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn a_full_queue_makes_the_publisher_wait_until_a_commit() {
        let (bus, _folder) = open("").await.unwrap();
        assert_eq!(fill(&bus, 10).await, MAX_RECORDS, "bounded in records");
        let mut consumer = bus.subscribe(Topic::Input, "group").await.unwrap();
        let received = consumer.receive(100).await.unwrap();
        assert_eq!(fill(&bus, 10).await, 0, "receiving is not enough");
        consumer.commit(received[69].position).unwrap();
        assert_eq!(fill(&bus, 10).await, 70);
    }

    #[tokio::test]
    async fn a_queue_is_bounded_in_bytes() {
        let (bus, _folder) = open("").await.unwrap();
        assert_eq!(fill(&bus, 1 << 19).await, MAX_BYTES >> 19);
    }

    #[tokio::test]
    async fn a_delivery_waits_for_the_commit_and_ends_with_the_bus() {
        let (bus, _folder) = open("").await.unwrap();
        let mut first = bus.publish(Topic::Input, sized(1)).await.unwrap();
        let second = bus.publish(Topic::Input, sized(1)).await.unwrap();
        let mut consumer = bus.subscribe(Topic::Input, "group").await.unwrap();
        let received = consumer.receive(10).await.unwrap();
        assert!(futures::poll!(&mut first).is_pending(), "received is not durable");
        consumer.commit(received[0].position).unwrap();
        first.await.unwrap();
        drop((consumer, bus));
        assert!(matches!(second.await, Err(BusError::Closed)));
    }

    #[tokio::test]
    async fn a_second_member_stands_by_and_a_second_group_is_refused() {
        let (bus, _folder) = open("").await.unwrap();
        let mut first = bus.subscribe(Topic::Input, "group").await.unwrap();
        let mut second = bus.subscribe(Topic::Input, "group").await.unwrap();
        drop(bus.publish(Topic::Input, sized(1)).await.unwrap());
        let lost = first.receive(10).await.unwrap();
        let mut standby = Box::pin(second.receive(10));
        assert!(futures::poll!(&mut standby).is_pending());
        drop(first);
        let received = standby.await.unwrap();
        assert!(!second.holds(lost[0].position) && second.holds(received[0].position));
        assert!(matches!(bus.subscribe(Topic::Input, "other").await, Err(BusError::Unsupported(_))));
    }

    #[tokio::test]
    async fn the_lag_is_what_was_not_received() {
        let (bus, _folder) = open("").await.unwrap();
        let mut consumer = bus.subscribe(Topic::Input, "group").await.unwrap();
        for _ in 0..10 {
            drop(bus.publish(Topic::Input, sized(1)).await.unwrap());
        }
        consumer.receive(4).await.unwrap();
        assert_eq!(consumer.lag(), Some(6));
    }

    #[tokio::test]
    async fn a_slow_follower_is_told_what_it_missed() {
        let (bus, _folder) = open("").await.unwrap();
        let mut follower = bus.follow(Topic::Status).await.unwrap();
        for _ in 0..10_000 {
            bus.publish(Topic::Status, sized(1)).await.unwrap().await.unwrap();
        }
        let crate::bus::Followed::Missed(missed) = follower.next().await.unwrap() else { panic!("nothing missed") };
        for _ in missed..10_000 {
            assert!(matches!(follower.next().await.unwrap(), crate::bus::Followed::Record(_)));
        }
        assert!(futures::poll!(follower.next()).is_pending());
    }
}
