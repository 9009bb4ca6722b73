//! What every bus must do: the same cases for each, one test per case.

use super::position::FeedPlace;
use super::{Bus, BusError, Consumer, FeedPosition, Followed, Follower, Received, Record, Topic};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a real broker may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Makes a test of each case for a bus; `$open` is an async function that gives a fresh one and
/// what must outlive it, or none to skip.
macro_rules! bus_conformance {
    ($open:path) => {
        bus_conformance!(
            $open,
            records_arrive_whole,
            a_batch_is_what_waits_and_no_more_than_asked,
            what_was_not_committed_comes_again,
            what_was_committed_does_not_come_again,
            completions_of_a_lost_assignment_are_dropped,
            a_paused_consumer_receives_nothing,
            dropping_a_receive_loses_nothing,
            deliveries_resolve_once_committed,
            records_published_before_anyone_listens_arrive,
            followers_hear_everything_from_now_on,
            a_follower_goes_on_where_another_was,
            a_position_that_is_none_of_the_topic_s_is_refused,
            what_nobody_wants_is_passed_over,
            the_last_record_of_each_key_is_kept,
            a_record_beyond_the_limit_is_refused,
            the_lag_is_nothing_once_all_is_received,
            the_lag_is_known_while_paused,
        );
    };
    ($open:path, $($case:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some((bus, _guard)) = $open(stringify!($case)).await {
                    $crate::bus::conformance::$case(bus).await;
                }
            }
        )*
    };
}
pub(crate) use bus_conformance;

fn record(number: usize) -> Record {
    Record { key: format!("key {number}"), payload: format!("payload {number} ä\0\u{202e}").into() }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("within the deadline")
}

async fn publish(bus: &Arc<dyn Bus>, topic: Topic, numbers: std::ops::Range<usize>) {
    for number in numbers {
        drop(within(bus.publish(topic, record(number))).await.unwrap());
    }
}

async fn join(bus: &Arc<dyn Bus>) -> Box<dyn Consumer> {
    within(bus.subscribe(Topic::Input, "group")).await.unwrap()
}

async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Received> {
    let mut received = Vec::new();
    while received.len() < count {
        received.extend(within(consumer.receive(count - received.len())).await.unwrap());
    }
    received
}

fn keys(received: &[Received]) -> BTreeSet<String> {
    received.iter().map(|r| r.record.key.clone()).collect()
}

fn expected(numbers: std::ops::Range<usize>) -> BTreeSet<String> {
    numbers.map(|n| record(n).key).collect()
}

/// Commits, for each partition, the last position received.
fn commit(consumer: &mut Box<dyn Consumer>, received: &[Received]) {
    for r in received {
        consumer.commit(r.position).unwrap();
    }
}

pub(crate) async fn records_arrive_whole(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..50).await;
    drop(within(bus.publish(Topic::Input, Record::default())).await.unwrap());
    let mut consumer = join(&bus).await;
    let mut received = receive(&mut consumer, 51).await;
    received.sort_by_key(|r| r.record.key.trim_start_matches("key ").parse().unwrap_or(usize::MAX));
    for (number, r) in received[..50].iter().enumerate() {
        assert_eq!(r.record, record(number));
    }
    assert_eq!(received[50].record, Record::default());
    let positions: BTreeSet<_> = received.iter().map(|r| (r.position.partition, r.position.offset)).collect();
    assert_eq!(positions.len(), 51);
}

pub(crate) async fn a_batch_is_what_waits_and_no_more_than_asked(bus: Arc<dyn Bus>) {
    let mut consumer = join(&bus).await;
    publish(&bus, Topic::Input, 0..1).await;
    assert_eq!(within(consumer.receive(100)).await.unwrap().len(), 1, "nobody waits to fill a batch");
    publish(&bus, Topic::Input, 1..40).await;
    let mut left = 39;
    while left > 0 {
        let batch = within(consumer.receive(7)).await.unwrap();
        assert!((1..=7).contains(&batch.len()));
        left -= batch.len();
    }
}

pub(crate) async fn what_was_not_committed_comes_again(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..20).await;
    let mut first = join(&bus).await;
    receive(&mut first, 20).await;
    drop(first);
    let mut second = join(&bus).await;
    assert_eq!(keys(&receive(&mut second, 20).await), expected(0..20));
}

pub(crate) async fn what_was_committed_does_not_come_again(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..20).await;
    let mut first = join(&bus).await;
    let received = receive(&mut first, 20).await;
    commit(&mut first, &received);
    within(first.close()).await.unwrap();
    publish(&bus, Topic::Input, 20..30).await;
    let mut second = join(&bus).await;
    assert_eq!(keys(&receive(&mut second, 10).await), expected(20..30));
}

pub(crate) async fn completions_of_a_lost_assignment_are_dropped(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..5).await;
    let mut first = join(&bus).await;
    let old = receive(&mut first, 5).await;
    within(first.close()).await.unwrap();
    let mut second = join(&bus).await;
    let new = receive(&mut second, 5).await;
    let mut old_again = old[0].position;
    old_again.assignment = old_again.assignment.wrapping_sub(1);
    assert!(second.holds(new[0].position));
    assert!(!second.holds(old_again));
    second.commit(old_again).unwrap();
    within(second.close()).await.unwrap();
    let mut third = join(&bus).await;
    assert_eq!(keys(&receive(&mut third, 5).await), expected(0..5));
}

pub(crate) async fn a_paused_consumer_receives_nothing(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..1).await;
    let mut consumer = join(&bus).await;
    receive(&mut consumer, 1).await;
    consumer.set_paused(true).unwrap();
    publish(&bus, Topic::Input, 1..4).await;
    assert!(timeout(Duration::from_millis(300), consumer.receive(10)).await.is_err());
    consumer.set_paused(false).unwrap();
    assert_eq!(keys(&receive(&mut consumer, 3).await), expected(1..4));
}

pub(crate) async fn dropping_a_receive_loses_nothing(bus: Arc<dyn Bus>) {
    let mut consumer = join(&bus).await;
    let publisher = tokio::spawn({
        let bus = Arc::clone(&bus);
        async move { publish(&bus, Topic::Input, 0..500).await }
    });
    let mut received = Vec::new();
    let all = async {
        while received.len() < 500 {
            if let Ok(batch) = timeout(Duration::from_micros(200), consumer.receive(9)).await {
                received.extend(batch.unwrap());
            }
        }
    };
    within(all).await;
    publisher.await.unwrap();
    assert_eq!(keys(&received), expected(0..500));
}

/// On the memory bus only at the commit, on Kafka before; on both at the latest then.
pub(crate) async fn deliveries_resolve_once_committed(bus: Arc<dyn Bus>) {
    let mut consumer = join(&bus).await;
    let deliveries = [0, 1, 2].map(|number| bus.publish(Topic::Input, record(number)));
    let deliveries = within(futures::future::try_join_all(deliveries)).await.unwrap();
    let received = receive(&mut consumer, 3).await;
    commit(&mut consumer, &received);
    within(futures::future::try_join_all(deliveries)).await.unwrap();
    within(within(bus.publish(Topic::Stored, record(1))).await.unwrap()).await.unwrap();
}

pub(crate) async fn records_published_before_anyone_listens_arrive(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..100).await;
    let mut consumer = join(&bus).await;
    assert_eq!(keys(&receive(&mut consumer, 100).await), expected(0..100));
}

/// Any topic is followed in the same way; of `stored` the memory bus tells what is in the store.
pub(crate) async fn followers_hear_everything_from_now_on(bus: Arc<dyn Bus>) {
    let early = within(bus.publish(Topic::Status, record(1000))).await.unwrap();
    within(early).await.unwrap();
    let mut followers = Vec::new();
    for _ in 0..2 {
        followers.push(within(bus.follow(Topic::Status)).await.unwrap());
    }
    publish(&bus, Topic::Status, 0..60).await;
    for follower in &mut followers {
        assert_eq!(hear(follower, 60).await, expected(0..60));
    }
}

/// The keys of the next records, each once.
async fn hear(follower: &mut Box<dyn Follower>, count: usize) -> BTreeSet<String> {
    let mut heard = BTreeSet::new();
    while heard.len() < count {
        match within(follower.next()).await.unwrap() {
            Followed::Record(record) => assert!(heard.insert(record.key)),
            Followed::Missed(missed) => panic!("missed {missed}"),
        }
    }
    heard
}

pub(crate) async fn a_follower_goes_on_where_another_was(bus: Arc<dyn Bus>) {
    let mut first = within(bus.follow(Topic::Status)).await.unwrap();
    let begin = first.position();
    publish(&bus, Topic::Status, 0..20).await;
    let heard = hear(&mut first, 7).await;
    let at = FeedPosition::parse(&first.position().to_bytes()).unwrap();
    assert!(at.covers(&begin) && !begin.covers(&at));
    let mut second = within(bus.follow_from(Topic::Status, &at)).await.unwrap().expect("it is held");
    assert_eq!(second.position(), at);
    let rest = hear(&mut second, 13).await;
    assert!(heard.is_disjoint(&rest));
    assert_eq!(heard.union(&rest).cloned().collect::<BTreeSet<_>>(), expected(0..20));
    let mut again = within(bus.follow_from(Topic::Status, &begin)).await.unwrap().expect("it is held");
    assert_eq!(hear(&mut again, 20).await, expected(0..20));
    assert_eq!(again.position(), second.position());
    publish(&bus, Topic::Status, 20..25).await;
    assert_eq!(hear(&mut second, 5).await, expected(20..25), "and on with what comes");
}

pub(crate) async fn a_position_that_is_none_of_the_topic_s_is_refused(bus: Arc<dyn Bus>) {
    let (mut known, mut other) =
        (within(bus.follow(Topic::Status)).await.unwrap(), within(bus.follow(Topic::Positions)).await.unwrap());
    for topic in [Topic::Status, Topic::Positions] {
        publish(&bus, topic, 0..5).await;
    }
    hear(&mut known, 3).await;
    let at = known.position();
    hear(&mut other, 3).await;
    let moved = |by: i64, mark: u64| {
        let places = at.places().iter().map(|p| FeedPlace { next: p.next + by, mark: p.mark ^ mark, ..*p });
        FeedPosition::new(places.collect())
    };
    let beside = FeedPosition::new(at.places().iter().map(|p| FeedPlace { partition: 77, ..*p }).collect());
    for position in [other.position(), moved(100, 0), moved(-100, 0), moved(0, 1), beside, FeedPosition::default()] {
        let refused = within(bus.follow_from(Topic::Status, &position)).await.unwrap();
        assert!(refused.is_none(), "{position:?} instead of {at:?}");
    }
    assert!(within(bus.follow_from(Topic::Status, &at)).await.unwrap().is_some());
}

pub(crate) async fn what_nobody_wants_is_passed_over(bus: Arc<dyn Bus>) {
    let mut follower = within(bus.follow(Topic::Status)).await.unwrap();
    publish(&bus, Topic::Status, 0..5).await;
    let mut all = within(bus.follow_from(Topic::Status, &follower.position())).await.unwrap().expect("it is held");
    hear(&mut all, 5).await;
    let passed = std::sync::Mutex::new(FeedPosition::default());
    let never = |end: &FeedPosition| {
        *passed.lock().unwrap() = end.clone();
        false
    };
    while !follower.position().covers(&all.position()) {
        within(follower.pass_over(&never)).await.unwrap();
        assert_eq!(follower.position(), *passed.lock().unwrap());
    }
    publish(&bus, Topic::Status, 5..8).await;
    within(follower.pass_over(&|_| true)).await.unwrap();
    assert_eq!(hear(&mut follower, 3).await, expected(5..8), "what is wanted is not passed over");
}

pub(crate) async fn the_last_record_of_each_key_is_kept(bus: Arc<dyn Bus>) {
    for topic in [Topic::Positions, Topic::Rejected, Topic::Status] {
        assert_eq!(within(bus.read_compacted(topic)).await.unwrap(), []);
        for (key, payload) in [("a", "1"), ("b", "2"), ("a", "3")] {
            let record = Record { key: key.into(), payload: payload.into() };
            within(within(bus.publish(topic, record)).await.unwrap()).await.unwrap();
        }
        let mut kept = within(bus.read_compacted(topic)).await.unwrap();
        kept.sort_by(|a, b| a.key.cmp(&b.key));
        let kept: Vec<_> = kept.iter().map(|r| (r.key.as_str(), r.payload.as_ref())).collect();
        assert_eq!(kept, [("a", &b"3"[..]), ("b", &b"2"[..])]);
    }
}

pub(crate) async fn a_record_beyond_the_limit_is_refused(bus: Arc<dyn Bus>) {
    let sized = |bytes: usize| Record { key: String::new(), payload: vec![b'x'; bytes].into() };
    let refused = within(bus.publish(Topic::Input, sized(super::MAX_RECORD_BYTES + 1))).await;
    assert!(matches!(refused, Err(BusError::Unsupported(_))));
    drop(within(bus.publish(Topic::Input, sized(super::MAX_RECORD_BYTES))).await.unwrap());
    let mut consumer = join(&bus).await;
    assert_eq!(receive(&mut consumer, 1).await[0].record.size(), super::MAX_RECORD_BYTES);
}

pub(crate) async fn the_lag_is_nothing_once_all_is_received(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..10).await;
    let mut consumer = join(&bus).await;
    receive(&mut consumer, 10).await;
    until_lag(&mut consumer, 0).await;
}

/// Before anything was received, and after.
pub(crate) async fn the_lag_is_known_while_paused(bus: Arc<dyn Bus>) {
    publish(&bus, Topic::Input, 0..7).await;
    let mut consumer = join(&bus).await;
    consumer.set_paused(true).unwrap();
    until_lag(&mut consumer, 7).await;
    consumer.set_paused(false).unwrap();
    receive(&mut consumer, 7).await;
    consumer.set_paused(true).unwrap();
    publish(&bus, Topic::Input, 7..12).await;
    until_lag(&mut consumer, 5).await;
}

/// Polls a consumer that has nothing to give until its lag is `lag`: Kafka tells it every 2 s, while it is polled.
async fn until_lag(consumer: &mut Box<dyn Consumer>, lag: u64) {
    let is_known = async {
        while consumer.lag() != Some(lag) {
            let received = timeout(Duration::from_millis(50), consumer.receive(10)).await;
            assert!(received.is_err(), "nothing is left");
        }
    };
    within(is_known).await;
}
