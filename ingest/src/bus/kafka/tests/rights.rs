//! Missing rights are told at once, by the topic's name: waiting does not mend them. tests/servers/kafka/start.sh denies
//! one operation on one topic of each of these prefixes.

use super::brokers;
use crate::bus::{Bus, BusError, KafkaBus, Record, Topic};
use std::time::Duration;
use tokio::time::timeout;

/// A program must have said why it cannot start by then.
const TOLD_WITHIN: Duration = Duration::from_secs(15);

fn check_told<T>(told: Result<T, BusError>, topic: &str) {
    let Err(error) = told else { panic!("{topic} is denied") };
    let is_told = matches!(&error, BusError::Unsupported(why) if why.contains(topic) && why.contains("no right"));
    assert!(is_told, "{topic}: {error}");
}

#[tokio::test]
async fn a_topic_that_may_not_be_described() {
    let Some(brokers) = brokers("a_topic_that_may_not_be_described") else { return };
    let opened = timeout(TOLD_WITHIN, KafkaBus::open(&brokers, "unseen")).await.unwrap();
    check_told(opened, "unseen.input");
}

#[tokio::test]
async fn a_topic_that_may_not_be_read() {
    let Some(brokers) = brokers("a_topic_that_may_not_be_read") else { return };
    let reading = async {
        let bus = KafkaBus::open(&brokers, "unreadable").await.unwrap();
        bus.subscribe(Topic::Input, "group").await.unwrap().receive(1).await
    };
    check_told(timeout(TOLD_WITHIN, reading).await.unwrap(), "unreadable.input");
}

#[tokio::test]
async fn a_topic_that_may_not_be_written() {
    let Some(brokers) = brokers("a_topic_that_may_not_be_written") else { return };
    let writing = async {
        let bus = KafkaBus::open(&brokers, "unwritable").await.unwrap();
        let record = Record { key: "one".into(), payload: "x".into() };
        bus.publish(Topic::Processed, record).await.unwrap().await
    };
    check_told(timeout(TOLD_WITHIN, writing).await.unwrap(), "unwritable.processed");
}
