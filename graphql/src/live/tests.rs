//! Tests of the hub: what is told, what is told once, and who is not slowed; below of those who listen by way of it.

pub(crate) mod harness;
mod resuming;
mod sharing;

use super::*;
use chrono::DateTime;
use schema::clock::FixedClock;

fn page(page_id: u64, is_bot: bool) -> Page {
    Page {
        page_id: schema::page::PageId::new(page_id).unwrap(),
        user_id: schema::page::UserId::new(7).unwrap(),
        user_name: "A".into(),
        domain: "it.wikisource.org".parse().unwrap(),
        page_title: format!("Page_{page_id}"),
        created_at: DateTime::from_timestamp(1_747_555_394, 0).unwrap(),
        wiki: "itwikisource".parse().unwrap(),
        namespace: 0,
        is_redirect: false,
        is_bot,
        rev_id: 1,
        event_id: None,
        version: 1,
    }
}

/// A hub that follows nothing.
async fn hub_at(clock: Arc<FixedClock>) -> Arc<Hub> {
    let folder = tempfile::tempdir().unwrap();
    let url = schema::store::StoreUrl::Embedded(folder.path().into());
    let (migration, durability) = (schema::store::Migration::Apply, schema::store::Durability::Process);
    let store = schema::store::open(&url, migration, durability).await.unwrap();
    Hub::new(clock, ingest::bus::MemoryBus::new(store))
}

fn heard(feed: &mut mpsc::Receiver<LiveEvent>) -> Vec<(u64, u64)> {
    std::iter::from_fn(|| feed.try_recv().ok()).map(|e| (e.page.page_id.get(), e.missed_count)).collect()
}

#[tokio::test]
async fn a_page_is_told_once_within_ten_minutes() {
    let clock = Arc::new(FixedClock::at(1_747_555_400));
    let hub = hub_at(clock.clone()).await;
    let mut feed = hub.subscribe(PageFilter::default()).unwrap();
    hub.tell(page(1, false));
    hub.tell(page(2, false));
    clock.set(clock.now() + TimeDelta::seconds(599));
    hub.tell(page(1, false));
    assert_eq!(heard(&mut feed), [(1, 0), (2, 0)]);
    clock.set(clock.now() + TimeDelta::seconds(1));
    hub.tell(page(1, false));
    assert_eq!(heard(&mut feed), [(1, 0)]);
}

#[tokio::test]
async fn a_slow_subscriber_learns_what_it_missed_and_slows_nobody() {
    let hub = hub_at(Arc::new(FixedClock::at(0))).await;
    let mut slow = hub.subscribe(PageFilter::default()).unwrap();
    let mut quick = hub.subscribe(PageFilter::default()).unwrap();
    let sent = QUEUE as u64 + 5;
    for id in 1..=sent {
        hub.tell(page(id, false));
        assert_eq!(heard(&mut quick), [(id, 0)]);
    }
    assert_eq!(heard(&mut slow).len(), QUEUE);
    hub.tell(page(sent + 1, false));
    hub.tell(page(sent + 2, false));
    assert_eq!(heard(&mut slow), [(sent + 1, 5), (sent + 2, 0)]);
}

#[tokio::test]
async fn a_filter_holds_before_the_queue() {
    let hub = hub_at(Arc::new(FixedClock::at(0))).await;
    let mut bots = hub.subscribe(PageFilter { is_bot: Some(true), ..Default::default() }).unwrap();
    for id in 1..=2 * QUEUE as u64 {
        hub.tell(page(id, false));
    }
    hub.tell(page(1_000_000, true));
    assert_eq!(heard(&mut bots), [(1_000_000, 0)]);
}

#[tokio::test]
async fn what_the_bus_left_out_is_counted() {
    let hub = hub_at(Arc::new(FixedClock::at(0))).await;
    let mut feed = hub.subscribe(PageFilter::default()).unwrap();
    hub.hear(Followed::Missed(3), FeedPosition::default());
    hub.hear(
        Followed::Record(ingest::bus::Record { key: String::new(), payload: "no page".into() }),
        FeedPosition::default(),
    );
    hub.tell(page(1, false));
    assert_eq!(heard(&mut feed), [(1, 3)]);
}

#[tokio::test]
async fn who_left_makes_room() {
    let hub = hub_at(Arc::new(FixedClock::at(0))).await;
    let feeds: Vec<_> = (0..MAX_SUBSCRIBERS).map(|_| hub.subscribe(PageFilter::default()).unwrap()).collect();
    assert!(hub.subscribe(PageFilter::default()).is_none());
    drop(feeds);
    assert!(hub.subscribe(PageFilter::default()).is_some());
}
