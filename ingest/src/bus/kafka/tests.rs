//! The conformance suite on a real Kafka (`PAGETRACK_TEST_KAFKA`), and what only a Kafka can get wrong.

mod expired;
mod rights;

use super::*;
use crate::bus::BusUrl;
use crate::bus::conformance::bus_conformance;
use std::time::{Duration, Instant};

/// A bus under a prefix of its own. Without a server: skipped on a laptop, a failure in CI.
async fn open(case: &str) -> Option<(Arc<dyn Bus>, ())> {
    open_kafka(case).await.map(|bus| (bus as Arc<dyn Bus>, ()))
}

async fn open_kafka(case: &str) -> Option<Arc<KafkaBus>> {
    let brokers = brokers(case)?;
    let prefix = format!("test-{:08x}", rand::random::<u32>());
    Some(KafkaBus::open(&brokers, &prefix).await.unwrap())
}

fn brokers(case: &str) -> Option<Vec<String>> {
    let Ok(url) = std::env::var("PAGETRACK_TEST_KAFKA") else {
        assert!(std::env::var_os("CI").is_none(), "{case}: PAGETRACK_TEST_KAFKA must be set in CI");
        println!("SKIPPED {case}: PAGETRACK_TEST_KAFKA is not set (tests/servers/up.sh starts a Kafka)");
        return None;
    };
    let BusUrl::Kafka { brokers, .. } = url.parse().unwrap() else { panic!("{url} is not a Kafka") };
    Some(brokers)
}

bus_conformance!(open);

#[tokio::test]
async fn an_unreachable_broker_is_named_in_time() {
    let started = Instant::now();
    let brokers = ["127.0.0.1:1".to_owned()];
    let Err(error) = KafkaBus::open(&brokers, "").await else { panic!("nothing listens there") };
    assert!(matches!(&error, BusError::Unavailable(why) if why.contains("127.0.0.1:1") && why.contains("--bus")));
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_share_the_partitions_and_a_late_completion_is_dropped() {
    let Some((bus, ())) = open("members_share_the_partitions").await else { return };
    let mut first = bus.subscribe(Topic::Input, "group").await.unwrap();
    for number in 0..60 {
        let record = Record { key: number.to_string(), payload: "x".into() };
        bus.publish(Topic::Input, record).await.unwrap().await.unwrap();
    }
    let mut early = Vec::new();
    while early.len() < 60 {
        early.extend(first.receive(100).await.unwrap());
    }
    let mut second = bus.subscribe(Topic::Input, "group").await.unwrap();
    let mut again = Vec::new();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let lost = loop {
        assert!(tokio::time::Instant::now() < deadline, "nothing was handed over");
        tokio::select! {
            _ = first.receive(1) => {}
            received = second.receive(100) => again.extend(received.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        let came_again = |p: i32| again.iter().any(|r| r.position.partition == p);
        if let Some(lost) = early.iter().find(|r| !first.holds(r.position) && came_again(r.position.partition)) {
            break lost.position;
        }
    };
    first.commit(lost).unwrap();
    assert!(again.iter().all(|r| second.holds(r.position) && !first.holds(r.position)));
}
