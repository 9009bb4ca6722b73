//! A schema over an embedded store with a few known pages, and a count of the store's calls.

use crate::limits::Limits;
use crate::live::{Groups, Hub};
use crate::pipeline::{Gap, GapReason, PipelineState, StageName, StageStatus};
use crate::schema::{ApiContext, Schema, build};
use async_graphql::Request;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schema::clock::FixedClock;
use schema::hour::Hour;
use schema::page::{Domain, Page, PageId, UserId};
use schema::period::{Period, PeriodRange};
use schema::query::{Count, CountQuery, DomainRow, PageList, PageQuery, PageSlice, UserCount};
use schema::retention::{Keep, Retention};
use schema::store::{
    Commit, Committed, Durability, Migration, PipelineRecord, Reads, Repair, Scan, ScanPosition, Scanned, Sealing,
    Store, StoreError, StoreUrl, open,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The tests' present: 2025-05-18 10:30:00 UTC.
pub(crate) const NOW: i64 = 1_747_564_200;

/// A schema over known pages.
pub(crate) struct Fixture {
    pub(crate) schema: Schema,
    pub(crate) hub: Arc<Hub>,
    pub(crate) calls: Arc<Counted>,
    pub(crate) clock: Arc<FixedClock>,
    api: ApiContext,
    known: Arc<Known>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// Over these pages.
    pub(crate) async fn with(pages: &[Page]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Embedded(folder.path().to_path_buf());
        let store = open(&url, Migration::Apply, Durability::Process).await.unwrap();
        store.write_pages(pages, DateTime::UNIX_EPOCH).await.unwrap();
        Self::over(store, folder)
    }

    /// Over this store, which may lie in `folder`.
    pub(crate) fn over(store: Arc<dyn Store>, folder: tempfile::TempDir) -> Self {
        let clock = Arc::new(FixedClock::at(NOW));
        let calls = Arc::new(Counted {
            inner: store,
            calls: Mutex::default(),
            is_silent: AtomicBool::default(),
            waiting: AtomicUsize::default(),
            fails_with: Mutex::default(),
            are_lists_away: AtomicBool::default(),
            lost_list: Mutex::default(),
            lists_at_once: AtomicUsize::default(),
            most_lists_at_once: AtomicUsize::default(),
            most_counts: AtomicUsize::new(usize::MAX),
            counted_until: Mutex::default(),
            bounds: Mutex::default(),
        });
        let hub = Hub::within(clock.clone(), calls.clone());
        let known = Arc::new(Known::default());
        let api = ApiContext { store: calls.clone(), clock: clock.clone(), hub: hub.clone(), pipeline: known.clone() };
        Self { schema: build(api.clone(), Limits::default()), hub, calls, clock, api, known, _folder: folder }
    }

    /// What executes subscriptions of this schema, within the default limits.
    pub(crate) fn groups(&self) -> Arc<Groups> {
        Groups::new(self.schema.clone(), Arc::clone(&self.hub), Limits::default())
    }

    /// What the API knows of the pipeline.
    pub(crate) fn pipeline(&self) -> Arc<dyn PipelineState> {
        self.api.pipeline.clone()
    }

    /// From now on all stages are heard of, each saying the same.
    pub(crate) fn hear_all_stages(&self) {
        self.known.all_stages.store(true, Ordering::Relaxed);
    }

    /// From now on the stream is followed, and all stages are heard of and have nothing to do; the newest event is of
    /// 10:29:58.
    pub(crate) fn follow_stream(&self) {
        self.hear_all_stages();
        self.known.is_live.store(true, Ordering::Relaxed);
        self.set_waiting(StageName::Producer, None, 0);
        self.set_waiting(StageName::Cleaner, Some(0), 0);
        self.set_waiting(StageName::Writer, Some(0), 0);
    }

    /// From now on so many records wait for a stage, and so many are in it.
    pub(crate) fn set_waiting(&self, stage: StageName, lag_records: Option<u64>, in_flight_count: u64) {
        self.known.waits.lock().unwrap().insert(stage, (lag_records, in_flight_count));
    }

    /// From now on requests keep to these limits.
    pub(crate) fn limit(&mut self, limits: Limits) {
        self.schema = build(self.api.clone(), limits);
    }

    /// As a program that starts now would open it.
    pub(crate) fn start_again(&mut self) {
        self.schema = build(self.api.clone(), Limits::default());
    }

    /// Over [`known_pages`].
    pub(crate) async fn known() -> Self {
        Self::with(&known_pages()).await
    }

    /// Waits until somebody listens to the live feed.
    pub(crate) async fn wait_for_subscriber(&self) {
        let heard = async {
            while self.hub.subscriber_count() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), heard).await.expect("a subscriber in time");
    }

    /// The answer as pretty JSON; what the cost is, is left out.
    pub(crate) async fn answer(&self, request: impl Into<Request>) -> serde_json::Value {
        let mut response = self.schema.execute(request).await;
        response.extensions.clear();
        serde_json::to_value(response).unwrap()
    }
}

/// Executes `document` over [`known_pages`] and compares the answer.
pub(crate) async fn check_query(document: &str, expect: impl AsRef<str>) {
    let answer = Fixture::known().await.answer(document).await;
    let expect: serde_json::Value = serde_json::from_str(expect.as_ref()).expect("the expected answer is JSON");
    assert!(answer == expect, "{document}\nanswered {answer:#}\nwanted {expect:#}");
}

/// One page; `at` is seconds before [`NOW`].
pub(crate) fn page(domain: &str, page_id: u64, user: (u64, &str), at: i64) -> Page {
    let wiki = match domain {
        "it.wikisource.org" => "itwikisource",
        "commons.wikimedia.org" => "commonswiki",
        _ => "wikidatawiki",
    };
    Page {
        page_id: PageId::new(page_id).unwrap(),
        user_id: UserId::new(user.0).unwrap(),
        user_name: user.1.into(),
        domain: domain.parse().unwrap(),
        page_title: format!("Page_{page_id}"),
        created_at: DateTime::from_timestamp(NOW - at, 0).unwrap(),
        wiki: wiki.parse().unwrap(),
        namespace: 0,
        is_redirect: false,
        is_bot: user.1.ends_with("Bot"),
        rev_id: 3_000_000_000 + page_id,
        event_id: Some(format!("event-{page_id}")),
        version: (NOW - at) * 1_000_000,
    }
}

/// Three wikis, three people, four hours; number 1 is a page of two wikis and an account of two strangers.
pub(crate) fn known_pages() -> Vec<Page> {
    let (it, commons, wikidata) = ("it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org");
    let mut odd = page(it, 5, (9, "~2025-12345-67"), 7_200);
    odd.page_title = "Più_<b>_\"x\"_?#/29".into();
    odd.namespace = 108;
    odd.event_id = None;
    vec![
        page(it, 1, (1, "Alex brollo"), 60),
        page(commons, 1, (1, "Stranger"), 120),
        page(commons, 2, (4, "Alex brollo"), 3_600),
        page(wikidata, 3, (7, "SomeBot"), 3_660),
        page(wikidata, 4, (7, "SomeBot"), 3_720),
        odd,
        page(it, 6, (1, "Alex brollo"), 90_000),
    ]
}

/// A pipeline of which the producer, or each stage, and three gaps are known.
#[derive(Default)]
struct Known {
    all_stages: AtomicBool,
    is_live: AtomicBool,
    /// What waits for a stage, and is in it; without it 1 is in it, and what waits is not known.
    waits: Mutex<BTreeMap<StageName, (Option<u64>, u64)>>,
}

#[async_trait]
impl PipelineState for Known {
    fn stage(&self, stage: StageName) -> Option<StageStatus> {
        let kind = if self.is_live.load(Ordering::Relaxed) { "LIVE" } else { "SAMPLE" };
        let (lag_records, in_flight_count) = self.waits.lock().unwrap().get(&stage).copied().unwrap_or((None, 1));
        let status = serde_json::json!({
            "stage": "PRODUCER", "instance": "a", "at": "2025-05-18T10:30:00Z",
            "counts": {
                "in_count": 10, "out_count": 5, "rejected_count": 2, "excluded_count": 1, "canary_count": 1,
                "in_flight_count": in_flight_count,
                "by_reason": {
                    "CANARY": {"count": 1, "last_at": "2025-05-18T10:00:00Z"},
                    "INVALID_JSON": {"count": 2, "last_at": "2025-05-18T10:01:00Z"},
                    "ANONYMOUS_CREATOR": {"count": 1, "last_at": "2025-05-18T10:02:00Z"},
                },
            },
            "events_per_second": 1.5, "lag_records": lag_records, "last_event_at": "2025-05-18T10:29:58Z",
            "lag_seconds": 2.0, "last_canary_at": "2025-05-18T10:00:00Z",
            "source": {"kind": kind, "reason": "no network", "is_connected": false},
        });
        let is_known = stage == StageName::Producer || self.all_stages.load(Ordering::Relaxed);
        is_known.then(|| serde_json::from_value(status).unwrap())
    }

    async fn gaps(&self) -> Option<Vec<Gap>> {
        let time = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
        let gap = |from| Gap { from: time(from), to: time(from + 60), reason: GapReason::HistoryExpired };
        Some(vec![gap(1_000), gap(3_000), gap(2_000)])
    }
}

/// Counted while it is there.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A store that counts its calls.
pub(crate) struct Counted {
    inner: Arc<dyn Store>,
    calls: Mutex<Vec<&'static str>>,
    is_silent: AtomicBool,
    waiting: AtomicUsize,
    fails_with: Mutex<Option<fn() -> StoreError>>,
    are_lists_away: AtomicBool,
    lost_list: Mutex<Option<PageList>>,
    lists_at_once: AtomicUsize,
    most_lists_at_once: AtomicUsize,
    most_counts: AtomicUsize,
    counted_until: Mutex<Option<DateTime<Utc>>>,
    bounds: Mutex<Vec<usize>>,
}

impl Counted {
    /// The calls since the last time, in order.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Whether accounts are asked for without end from now on.
    pub(crate) fn set_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// How many reads of a silent store somebody waits for.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// From now on no account can be read.
    pub(crate) fn go_away(&self) {
        self.fail_with(|| StoreError::Unavailable("node 10.0.0.7 is down".into()));
    }

    /// From now on this is what reading an account comes to.
    pub(crate) fn fail_with(&self, error: fn() -> StoreError) {
        *self.fails_with.lock().unwrap() = Some(error);
    }

    /// From now on no list can be read.
    pub(crate) fn lose_lists(&self) {
        self.are_lists_away.store(true, Ordering::Relaxed);
    }

    /// From now on this wiki's list cannot be read.
    pub(crate) fn lose_list(&self, domain: &str) {
        *self.lost_list.lock().unwrap() = Some(PageList::Domain(domain.parse().unwrap()));
    }

    /// How many lists were read at the same time.
    pub(crate) fn most_lists_at_once(&self) -> usize {
        self.most_lists_at_once.load(Ordering::SeqCst)
    }

    /// From now on queries have no more counts than this, as if each were as long as its bound allows.
    pub(crate) fn set_most_counts(&self, most: usize) {
        self.most_counts.store(most, Ordering::Relaxed);
    }

    /// From now on pages are counted up to this time.
    pub(crate) fn set_counted_until(&self, time: DateTime<Utc>) {
        *self.counted_until.lock().unwrap() = Some(time);
    }

    /// The bounds of the queries of counts since the last time, in order.
    pub(crate) fn take_bounds(&self) -> Vec<usize> {
        std::mem::take(&mut self.bounds.lock().unwrap())
    }

    fn count(&self, call: &'static str) -> &dyn Store {
        self.calls.lock().unwrap().push(call);
        &*self.inner
    }
}

#[async_trait]
impl Store for Counted {
    async fn write_pages(&self, pages: &[Page], now: DateTime<Utc>) -> Result<Hour, StoreError> {
        self.count("write_pages").write_pages(pages, now).await
    }
    async fn list_pages(&self, query: &PageQuery) -> Result<PageSlice, StoreError> {
        let is_lost = self.lost_list.lock().unwrap().as_ref() == Some(&query.list);
        if is_lost || self.are_lists_away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("node 10.0.0.7 is down".into()));
        }
        let _waits = Waits::new(&self.lists_at_once);
        self.most_lists_at_once.fetch_max(self.lists_at_once.load(Ordering::SeqCst), Ordering::SeqCst);
        // Whoever else may read one begins now.
        tokio::task::yield_now().await;
        self.count("list_pages").list_pages(query).await
    }
    fn rows_read(&self) -> Vec<Reads> {
        self.inner.rows_read()
    }
    async fn load_pages(&self, keys: &[(Domain, PageId)]) -> Result<Vec<Option<Page>>, StoreError> {
        self.count("load_pages").load_pages(keys).await
    }
    async fn load_users(&self, keys: &[(Domain, UserId)]) -> Result<Vec<Option<Page>>, StoreError> {
        if self.is_silent.load(Ordering::Relaxed) {
            let _waits = Waits::new(&self.waiting);
            std::future::pending::<()>().await;
        }
        if let Some(error) = *self.fails_with.lock().unwrap() {
            return Err(error());
        }
        self.count("load_users").load_users(keys).await
    }
    async fn load_domains(&self, names: &[Domain]) -> Result<Vec<Option<DomainRow>>, StoreError> {
        self.count("load_domains").load_domains(names).await
    }
    async fn pages_by_id(&self, page_id: PageId) -> Result<Vec<Page>, StoreError> {
        self.count("pages_by_id").pages_by_id(page_id).await
    }
    async fn pages_by_title(&self, domain: &Domain, page_title: &str, limit: usize) -> Result<Vec<Page>, StoreError> {
        self.count("pages_by_title").pages_by_title(domain, page_title, limit).await
    }
    async fn users_by_id(&self, user_id: UserId) -> Result<Vec<Page>, StoreError> {
        self.count("users_by_id").users_by_id(user_id).await
    }
    async fn users_by_name(&self, user_name: &str) -> Result<Vec<Page>, StoreError> {
        self.count("users_by_name").users_by_name(user_name).await
    }
    async fn domains(&self) -> Result<Vec<DomainRow>, StoreError> {
        self.count("domains").domains().await
    }
    async fn counts(&self, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
        self.bounds.lock().unwrap().push(query.max_rows);
        let max_rows = query.max_rows.min(self.most_counts.load(Ordering::Relaxed));
        self.count("counts").counts(&CountQuery { max_rows, ..query.clone() }).await
    }
    async fn user_counts(&self, period: Period) -> Result<Vec<UserCount>, StoreError> {
        self.count("user_counts").user_counts(period).await
    }
    async fn counts_as_of(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let until = *self.counted_until.lock().unwrap();
        Ok(until.or(self.count("counts_as_of").counts_as_of().await?))
    }
    async fn uncounted(&self) -> Result<Vec<PeriodRange>, StoreError> {
        self.count("uncounted").uncounted().await
    }
    async fn seal_counts(&self, now: DateTime<Utc>) -> Result<Sealing, StoreError> {
        self.count("seal_counts").seal_counts(now).await
    }
    async fn retention(&self) -> Result<Retention, StoreError> {
        self.count("retention").retention().await
    }
    async fn set_keep(&self, keep: Keep, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.count("set_keep").set_keep(keep, now).await
    }
    async fn remove_expired(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.count("remove_expired").remove_expired(now).await
    }
    async fn put_record(&self, record: &PipelineRecord) -> Result<(), StoreError> {
        self.count("put_record").put_record(record).await
    }
    fn has_commit_order(&self) -> bool {
        self.inner.has_commit_order()
    }
    async fn last_commit(&self) -> Result<Commit, StoreError> {
        self.inner.last_commit().await
    }
    async fn list_committed(&self, after: Commit, limit: usize) -> Result<Option<Committed>, StoreError> {
        self.count("list_committed").list_committed(after, limit).await
    }
    async fn records(&self, kind: &str) -> Result<Vec<PipelineRecord>, StoreError> {
        self.count("records").records(kind).await
    }
    async fn scan(&self, scan: Scan, from: Option<&ScanPosition>, limit: usize) -> Result<Scanned, StoreError> {
        self.count("scan").scan(scan, from, limit).await
    }
    async fn listed_hours(&self) -> Result<Vec<Hour>, StoreError> {
        self.count("listed_hours").listed_hours().await
    }
    async fn repair(&self, step: Repair, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.count("repair").repair(step, now).await
    }
}
