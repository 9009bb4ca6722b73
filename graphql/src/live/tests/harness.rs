//! A feed as a program has it, over a bus and a store that outlive it: it can be started again.

use crate::limits::Limits;
use crate::live::{Groups, Hub, Told};
use crate::operation::RequestId;
use crate::pipeline::{Gap, PipelineState, StageCounts, StageName, StageStatus};
use crate::schema::{ApiContext, build};
use async_graphql::{Request, Variables};
use async_trait::async_trait;
use chrono::TimeDelta;
use futures::stream::{BoxStream, StreamExt};
use ingest::bus::{Bus, BusUrl, Record, Topic};
use ingest::status::StageMeter;
use schema::clock::{Clock, FixedClock};
use schema::page::Page;
use schema::query::{PageList, PageQuery};
use schema::retention::Keep;
use schema::store::{Durability, Migration, Store, StoreError, StoreUrl};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(super) const NOW: i64 = 1_747_564_200;
const DEADLINE: Duration = Duration::from_secs(60);
/// Of a keyspace with all its tables, beside others on a busy node.
const OPENS_WITHIN: Duration = Duration::from_secs(180);

/// Which bus and which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    MemoryEmbedded,
    MemoryCassandra,
    KafkaCassandra,
}

/// Where a program's pages are.
pub(super) struct Place {
    bus: BusUrl,
    store: StoreUrl,
    _folder: tempfile::TempDir,
}

/// A running feed.
pub(super) struct Feed {
    pub(super) groups: Arc<Groups>,
    pub(super) hub: Arc<Hub>,
    pipeline: Arc<Writing>,
    bus: Arc<dyn Bus>,
    store: Arc<dyn Store>,
    stop: CancellationToken,
    follows: JoinHandle<()>,
}

impl Place {
    /// One that nothing has been written to; none without the servers it needs.
    pub(super) fn new(pair: Pair) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("live_{:08x}", rand::random::<u32>());
        let bus = if pair == Pair::KafkaCassandra { server("KAFKA", &name)? } else { BusUrl::Memory };
        let store = match pair {
            Pair::MemoryEmbedded => StoreUrl::Embedded(folder.path().into()),
            Pair::MemoryCassandra | Pair::KafkaCassandra => server("CASSANDRA", &name)?,
        };
        Some(Self { bus, store, _folder: folder })
    }

    /// A program starts.
    pub(super) async fn start(&self) -> Feed {
        // A folder is free a moment after the last that held its store has gone.
        let opening = Box::pin(async {
            loop {
                match schema::store::open(&self.store, Migration::Apply, Durability::Process).await {
                    Ok(store) => return store,
                    Err(StoreError::Unsupported(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let store = timeout(OPENS_WITHIN, opening).await.expect("a store in time");
        let bus = ingest::bus::open(&self.bus, Arc::clone(&store)).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(NOW));
        let hub = Hub::new(Arc::clone(&clock), Arc::clone(&bus));
        let pipeline = Arc::new(Writing::default());
        let schema = build(
            ApiContext { store: Arc::clone(&store), clock, hub: Arc::clone(&hub), pipeline: pipeline.clone() },
            Limits::default(),
        );
        let stop = CancellationToken::new();
        let (following, ends) = (Arc::clone(&hub), stop.clone());
        let follows = tokio::spawn(async move { following.follow(ends).await.unwrap() });
        let feed = Feed {
            groups: Groups::new(schema, Arc::clone(&hub), Limits::default()),
            pipeline,
            hub,
            bus,
            store,
            stop,
            follows,
        };
        feed.until(|feed| feed.hub.position().is_some()).await;
        feed
    }
}

/// A server of the tests, told by its address; `part` is what is this test's own there.
pub(crate) fn server<T: std::str::FromStr<Err = String>>(kind: &str, part: &str) -> Option<T> {
    let Ok(url) = std::env::var(format!("PAGETRACK_TEST_{kind}")) else {
        assert!(std::env::var_os("CI").is_none(), "PAGETRACK_TEST_{kind} must be set in CI");
        println!("SKIPPED: PAGETRACK_TEST_{kind} is not set (tests/servers/up.sh starts it)");
        return None;
    };
    Some(format!("{}/{part}", url.trim_end_matches('/')).parse().unwrap())
}

/// A pipeline of which the writer is known once it has taken in something.
#[derive(Default)]
struct Writing(Mutex<Option<u64>>);

#[async_trait]
impl PipelineState for Writing {
    fn stage(&self, stage: StageName) -> Option<StageStatus> {
        let in_count = (*self.0.lock().unwrap()).filter(|_| stage == StageName::Writer)?;
        let meter = StageMeter::new(stage, Arc::new(FixedClock::at(NOW + rand::random_range(0..100))));
        let status = meter.snapshot();
        let counts = StageCounts { in_count, ..status.counts };
        Some(StageStatus { instance: "one".into(), counts, ..status })
    }

    async fn gaps(&self) -> Option<Vec<Gap>> {
        Some(Vec::new())
    }
}

impl Feed {
    /// What the writer has taken in.
    pub(super) fn set_in_count(&self, count: u64) {
        *self.pipeline.0.lock().unwrap() = Some(count);
    }

    /// Stores and announces pages as the writer does, each by itself.
    pub(super) async fn store(&self, pages: impl IntoIterator<Item = Page>) {
        for page in pages {
            self.store_together(vec![page]).await;
        }
    }

    /// The same in one batch.
    pub(super) async fn store_together(&self, pages: Vec<Page>) {
        self.store.write_pages(&pages, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        self.announce(pages).await;
    }

    /// Announces pages as stored.
    pub(super) async fn announce(&self, pages: impl IntoIterator<Item = Page>) {
        for page in pages {
            let record = Record {
                key: format!("{}:{}", page.domain, page.page_id),
                payload: serde_json::to_vec(&page).unwrap().into(),
            };
            self.bus.publish(Topic::Stored, record).await.unwrap().await.unwrap();
        }
    }

    /// All pages grow old, and are removed.
    pub(super) async fn remove_all_pages(&self) {
        let now = chrono::DateTime::from_timestamp(NOW, 0).unwrap();
        self.store.set_keep(Keep::Days(40), now).await.unwrap();
        self.store.remove_expired(now + TimeDelta::days(60)).await.unwrap();
        let removing = async {
            while !self.store.list_pages(&PageQuery::newest(PageList::All, 1)).await.unwrap().pages.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(DEADLINE, removing).await.expect("they are removed in time");
    }

    /// Subscribes, and waits until it is heard.
    pub(super) async fn listen(&self, query: &str) -> Listener {
        let before = self.hub.subscriber_count();
        let listener = self.ask(query, Value::Null);
        self.until(|feed| feed.hub.subscriber_count() > before).await;
        listener
    }

    pub(super) fn ask(&self, query: &str, variables: Value) -> Listener {
        let request = Request::new(query).variables(Variables::from_json(variables));
        Listener(self.groups.open(request, RequestId("test".into())))
    }

    /// The same under another request's name, without variables.
    pub(super) fn ask_as(&self, name: &str, query: &str) -> Listener {
        Listener(self.groups.open(Request::new(query), RequestId(name.into())))
    }

    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(DEADLINE, waiting).await.expect("it holds in time");
    }

    /// Waits until the feed has heard all that was announced.
    pub(super) async fn settled(&self) {
        let end = self.bus.follow(Topic::Stored).await.unwrap().position();
        self.until(|feed| feed.hub.position().is_some_and(|at| at.covers(&end))).await;
    }

    /// The program ends, and with it the last that holds the store: subscriptions end a moment after they are dropped.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.follows.await.unwrap();
        let store = Arc::downgrade(&self.store);
        drop((self.groups, self.hub, self.bus, self.store));
        let closing = async {
            while store.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(DEADLINE, closing).await.expect("nobody holds the store");
    }
}

/// A subscription, as its client hears it.
pub(super) struct Listener(BoxStream<'static, Told>);

impl Listener {
    /// The next answer, none at the end.
    pub(super) async fn next(&mut self) -> Option<Value> {
        match timeout(DEADLINE, self.0.next()).await.expect("an answer in time")? {
            Told::Own(answer) => Some(serde_json::to_value(answer).unwrap()),
            Told::Shared(json) => Some(serde_json::from_str(&json).unwrap()),
        }
    }

    /// The next event's page and cursor.
    pub(super) async fn event(&mut self) -> (u64, String) {
        let answer = self.next().await.expect("an event");
        let event = &answer["data"]["pageCreated"];
        let id = event["page"]["pageId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(event["missedCount"].as_u64().unwrap_or(0), 0, "{answer}");
        (id.parse().unwrap(), event["cursor"].as_str().unwrap_or_default().to_owned())
    }

    /// The bytes of the next answer, which others may be told, too.
    pub(super) async fn shared(&mut self) -> Arc<str> {
        match timeout(DEADLINE, self.0.next()).await.expect("an answer in time") {
            Some(Told::Shared(json)) => json,
            _ => panic!("no shared answer"),
        }
    }

    /// Stores a page and hears it.
    pub(super) async fn next_after(&mut self, feed: &Feed, id: u64) -> Vec<u64> {
        feed.store([page(id, 0)]).await;
        self.pages(1).await
    }

    /// The pages of the next events.
    pub(super) async fn pages(&mut self, count: usize) -> Vec<u64> {
        let mut pages = Vec::new();
        for _ in 0..count {
            pages.push(self.event().await.0);
        }
        pages
    }

    /// The code of the error that is all that comes.
    pub(super) async fn error(mut self) -> String {
        let answer = self.next().await.expect("an answer");
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert!(answer["data"].is_null() && self.next().await.is_none(), "{answer}");
        code
    }
}

/// A page that was created so many seconds before [`NOW`].
pub(super) fn page(page_id: u64, seconds_ago: i64) -> Page {
    crate::schema::tests::fixture::page("it.wikisource.org", page_id, (1, "Alex brollo"), seconds_ago)
}
