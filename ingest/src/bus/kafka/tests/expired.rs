//! What a real Kafka no longer has is recorded as a gap, once, and reading goes on behind it.

use super::super::config;
use super::open_kafka;
use crate::bus::{Bus, Consumer, KafkaBus, Received, Record, Topic};
use crate::status::{Gap, GapReason};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::Duration;

/// A topic of which records can be made to expire; all of one key, so in one partition.
struct Expiring {
    bus: Arc<KafkaBus>,
    partition: i32,
}

impl Expiring {
    async fn open(case: &str, records: usize) -> Option<Self> {
        let bus = open_kafka(case).await?;
        let mut expiring = Self { bus, partition: -1 };
        expiring.publish(records).await;
        let mut finder = expiring.bus.subscribe(Topic::Input, "finder").await.unwrap();
        expiring.partition = receive(&mut finder, 1).await[0].position.partition;
        Some(expiring)
    }

    async fn join(&self) -> Box<dyn Consumer> {
        self.bus.subscribe(Topic::Input, "group").await.unwrap()
    }

    async fn publish(&self, records: usize) {
        for _ in 0..records {
            let record = Record { key: "one".into(), payload: "x".into() };
            self.bus.publish(Topic::Input, record).await.unwrap().await.unwrap();
        }
    }

    /// The topic loses what is before `offset`.
    async fn expire_before(&self, offset: i64) {
        let admin: AdminClient<DefaultClientContext> = config::client(&self.bus.brokers).create().unwrap();
        let mut before = TopicPartitionList::new();
        before.add_partition_offset(self.bus.name(Topic::Input), self.partition, Offset::Offset(offset)).unwrap();
        let deleted = admin.delete_records(&before, &AdminOptions::new()).await.unwrap();
        deleted.elements()[0].error().unwrap();
    }

    async fn gaps(&self) -> Vec<Gap> {
        let records = self.bus.read_compacted(Topic::Positions).await.unwrap();
        assert!(records.iter().all(|record| record.key.starts_with("gap:")));
        records.iter().map(|record| serde_json::from_slice(&record.payload).unwrap()).collect()
    }
}

async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Received> {
    let mut all = Vec::new();
    while all.len() < count {
        let batch = tokio::time::timeout(Duration::from_secs(30), consumer.receive(count - all.len())).await;
        all.extend(batch.expect("within the deadline").unwrap());
    }
    all
}

fn offsets(received: &[Received]) -> Vec<i64> {
    received.iter().map(|received| received.position.offset).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expired_before_it_was_done_is_one_gap() {
    let Some(topic) = Expiring::open("what_expired_before_it_was_done", 10).await else { return };
    let mut first = topic.join().await;
    let done = receive(&mut first, 10).await[3].position;
    first.commit(done).unwrap();
    first.close().await.unwrap();
    topic.expire_before(7).await;
    let mut second = topic.join().await;
    let received = receive(&mut second, 3).await;
    assert_eq!(offsets(&received), [7, 8, 9]);
    let gaps = topic.gaps().await;
    assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::HistoryExpired));
    assert!(gaps[0].from < gaps[0].to, "from the fourth record to the eighth, which came later: {gaps:?}");
    second.commit(received[2].position).unwrap();
    second.close().await.unwrap();
    topic.publish(1).await;
    let mut third = topic.join().await;
    assert_eq!(offsets(&receive(&mut third, 1).await), [10]);
    assert_eq!(topic.gaps().await, gaps, "told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_while_a_member_is_paused_is_a_gap() {
    let Some(topic) = Expiring::open("what_expires_while_a_member_is_paused", 2).await else { return };
    let mut member = topic.join().await;
    receive(&mut member, 2).await;
    member.set_paused(true).unwrap();
    topic.publish(5).await;
    topic.expire_before(5).await;
    member.set_paused(false).unwrap();
    assert_eq!(offsets(&receive(&mut member, 2).await), [5, 6]);
    let gaps = topic.gaps().await;
    assert!(gaps.len() == 1 && gaps[0].from < gaps[0].to, "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_group_begins_at_the_first_record_without_a_gap() {
    let Some(topic) = Expiring::open("a_new_group_begins_at_the_first_record", 5).await else { return };
    topic.expire_before(3).await;
    let mut member = topic.join().await;
    assert_eq!(offsets(&receive(&mut member, 2).await), [3, 4]);
    assert_eq!(topic.gaps().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_behind_which_records_expired_is_not_held() {
    let Some(topic) = Expiring::open("a_position_behind_which_records_expired", 1).await else { return };
    let mut follower = topic.bus.follow(Topic::Input).await.unwrap();
    let mut positions = Vec::new();
    for _ in 1..=6 {
        topic.publish(1).await;
        follower.next().await.unwrap();
        positions.push(follower.position());
    }
    // The third that was heard is the first that is there.
    topic.expire_before(3).await;
    for expired in &positions[..2] {
        assert!(topic.bus.follow_from(Topic::Input, expired).await.unwrap().is_none());
    }
    let mut held = topic.bus.follow_from(Topic::Input, &positions[3]).await.unwrap().expect("it is held");
    for position in &positions[4..] {
        held.next().await.unwrap();
        assert_eq!(held.position(), *position);
    }
}
