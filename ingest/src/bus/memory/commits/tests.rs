//! What followers of `stored` hear is what the store committed, in that order, also after a restart.

use super::*;
use crate::bus::{Bus, MemoryBus, Topic};
use chrono::DateTime;
use schema::store::{Durability, Migration, StoreUrl};
use std::path::Path;

struct Opened {
    store: Arc<dyn Store>,
    bus: Arc<MemoryBus>,
}

impl Opened {
    async fn open(folder: &Path) -> Self {
        let url = StoreUrl::Embedded(folder.into());
        let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.unwrap();
        Self { bus: MemoryBus::new(Arc::clone(&store)), store }
    }

    /// Writes and announces, as the writer does.
    async fn store(&self, ids: impl IntoIterator<Item = u64>) {
        let pages: Vec<Page> = ids.into_iter().map(page).collect();
        for page in pages {
            self.store.write_pages(std::slice::from_ref(&page), DateTime::UNIX_EPOCH).await.unwrap();
            self.bus.publish(Topic::Stored, record(&page)).await.unwrap().await.unwrap();
        }
    }

    async fn follow(&self) -> Box<dyn Follower> {
        self.bus.follow(Topic::Stored).await.unwrap()
    }

    async fn follow_from(&self, at: &FeedPosition) -> Option<Box<dyn Follower>> {
        self.bus.follow_from(Topic::Stored, at).await.unwrap()
    }
}

fn page(page_id: u64) -> Page {
    Page {
        page_id: schema::page::PageId::new(page_id).unwrap(),
        user_id: schema::page::UserId::new(7).unwrap(),
        user_name: "A".into(),
        domain: "it.wikisource.org".parse().unwrap(),
        page_title: "P".into(),
        created_at: DateTime::from_timestamp(1_747_555_394, 0).unwrap(),
        wiki: "itwikisource".parse().unwrap(),
        namespace: 0,
        is_redirect: false,
        is_bot: false,
        rev_id: 1,
        event_id: None,
        version: 1,
    }
}

async fn hear(follower: &mut Box<dyn Follower>, count: usize) -> Vec<u64> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), follower.next()).await;
        match next.expect("a record in time").unwrap() {
            Followed::Record(record) => {
                let page: Page = serde_json::from_slice(&record.payload).unwrap();
                assert_eq!(record.key, format!("it.wikisource.org:{}", page.page_id));
                heard.push(page.page_id.get());
            }
            Followed::Missed(missed) => panic!("missed {missed}"),
        }
    }
    heard
}

#[tokio::test]
async fn a_restart_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened::open(folder.path()).await;
    opened.store([1, 2]).await;
    let mut follower = opened.follow().await;
    opened.store([4, 3, 5]).await;
    assert_eq!(hear(&mut follower, 2).await, [4, 3]);
    let at = follower.position();
    drop((follower, opened));
    let opened = Opened::open(folder.path()).await;
    opened.store([6, 4]).await;
    let mut follower = opened.follow_from(&at).await.expect("it is held");
    opened.store([7]).await;
    assert_eq!(hear(&mut follower, 3).await, [5, 6, 7], "4 was told before");
}

#[tokio::test]
async fn a_slow_follower_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened::open(folder.path()).await;
    let mut follower = opened.follow().await;
    let pages: Vec<Page> = (1..=20_000).map(page).collect();
    opened.store.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    opened.bus.publish(Topic::Stored, record(&pages[0])).await.unwrap().await.unwrap();
    assert_eq!(hear(&mut follower, 20_000).await.len(), 20_000);
}

#[tokio::test]
async fn the_bus_ends_its_followers() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened::open(folder.path()).await;
    let mut follower = opened.follow().await;
    drop(opened);
    assert!(matches!(follower.next().await, Err(BusError::Closed)));
}
