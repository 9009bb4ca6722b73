//! The loop of the stages on the memory bus, and cleaner and writer on it: order, crashes, outages, shutdown.

use super::run::{StageSettings, Work, run_stage};
use super::{StageContext, StageError};
use crate::bus::{Bus, BusError, MemoryBus, Received, Record, Topic};
use crate::status::{Outcome, StageMeter, StageName};
use async_trait::async_trait;
use schema::clock::SystemClock;
use schema::store::{Durability, Migration, Store, StoreError, StoreUrl};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

mod pausing;
mod retention;

const SETTINGS: StageSettings =
    StageSettings { topic: Topic::Input, group: "test", batch: 10, parallel: 4, records: 40, bytes: 1 << 20 };

/// A store, a bus on it, and the folder that must outlive both.
struct Bench {
    bus: Arc<dyn Bus>,
    store: Arc<dyn Store>,
    _folder: TempDir,
}

impl Bench {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let url = StoreUrl::Embedded(folder.path().into());
        let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.unwrap();
        Self { bus: MemoryBus::new(Arc::clone(&store)), store, _folder: folder }
    }

    fn context(&self, stage: StageName) -> StageContext {
        let clock = Arc::new(SystemClock);
        let meter = StageMeter::new(stage, clock.clone());
        StageContext { bus: Arc::clone(&self.bus), clock, meter, shutdown: CancellationToken::new() }
    }

    async fn publish(&self, count: usize) {
        for number in 0..count {
            let record = Record { key: number.to_string(), payload: "x".into() };
            drop(self.bus.publish(Topic::Input, record).await.unwrap());
        }
    }

    /// What a consumer that comes now gets: what was not committed.
    async fn left(&self) -> usize {
        let mut consumer = self.bus.subscribe(Topic::Input, "test").await.unwrap();
        match tokio::time::timeout(Duration::from_millis(50), consumer.receive(10_000)).await {
            Ok(received) => received.unwrap().len(),
            Err(_) => 0,
        }
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Work that goes on only as far as it is let, batch by batch, the later ones first where asked.
struct Gated {
    gate: Semaphore,
    begun: AtomicUsize,
    fail: AtomicUsize,
    /// Which first record of a batch waits for its own gate.
    held: Option<&'static str>,
    held_gate: Semaphore,
    done: Mutex<Vec<String>>,
}

impl Gated {
    fn new(open: usize) -> Arc<Self> {
        Arc::new(Self::holding(open, None))
    }

    fn holding(open: usize, held: Option<&'static str>) -> Self {
        let (gate, held_gate) = (Semaphore::new(open), Semaphore::new(0));
        Self { gate, begun: AtomicUsize::new(0), fail: AtomicUsize::new(0), held, held_gate, done: Mutex::default() }
    }

    fn done(&self) -> usize {
        self.done.lock().unwrap().len()
    }
}

#[async_trait]
impl Work for Gated {
    async fn handle(&self, batch: &[Received]) -> Result<Vec<Outcome>, StageError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let gate = if self.held == Some(batch[0].record.key.as_str()) { &self.held_gate } else { &self.gate };
        gate.acquire().await.unwrap().forget();
        if self.fail.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreError::Unavailable("away".into()).into());
        }
        self.done.lock().unwrap().extend(batch.iter().map(|received| received.record.key.clone()));
        Ok(vec![Outcome::Delivered { event_at: None }; batch.len()])
    }
}

fn start(ctx: &StageContext, work: &Arc<Gated>) -> JoinHandle<Result<(), StageError>> {
    tokio::spawn(run_stage(ctx.clone(), SETTINGS, Arc::clone(work)))
}

#[tokio::test]
async fn nothing_is_committed_before_what_came_earlier() {
    let bench = Bench::open().await;
    let ctx = bench.context(StageName::Cleaner);
    let work = Arc::new(Gated::holding(100, Some("0")));
    bench.publish(40).await;
    let stage = start(&ctx, &work);
    until("three of four batches done", || work.done() == 30 && ctx.meter.snapshot().counts.out_count == 30).await;
    stage.abort();
    assert!(stage.await.is_err());
    assert_eq!(bench.left().await, 40, "a crash now brings all again");
}

#[tokio::test]
async fn all_is_committed_once_all_is_done() {
    let bench = Bench::open().await;
    let ctx = bench.context(StageName::Cleaner);
    let work = Arc::new(Gated::holding(100, Some("0")));
    bench.publish(40).await;
    let stage = start(&ctx, &work);
    until("three of four batches done", || work.done() == 30).await;
    work.held_gate.add_permits(1);
    until("all done", || ctx.meter.snapshot().counts.out_count == 40).await;
    stage.abort();
    assert!(stage.await.is_err());
    assert_eq!(bench.left().await, 0);
}

#[tokio::test]
async fn what_is_in_flight_is_bounded() {
    let bench = Bench::open().await;
    tokio::time::pause();
    let ctx = bench.context(StageName::Cleaner);
    let work = Gated::new(0);
    bench.publish(100).await;
    let stage = start(&ctx, &work);
    until("four batches begun", || work.begun.load(Ordering::SeqCst) == 4).await;
    // The paused clock goes on only while the stage has nothing left to do.
    let full = tokio::time::Instant::now();
    until("the stage has paused, which must take nothing more", || full.elapsed() > Duration::from_millis(1_300)).await;
    assert_eq!(ctx.meter.snapshot().counts.in_count, 40);
    work.gate.add_permits(100);
    until("the rest done after the pause", || work.done() == 100).await;
    ctx.shutdown.cancel();
    stage.await.unwrap().unwrap();
    assert_eq!(bench.left().await, 0);
}

#[tokio::test]
async fn shutdown_waits_for_what_is_in_flight_and_commits_it() {
    let bench = Bench::open().await;
    let ctx = bench.context(StageName::Cleaner);
    let work = Gated::new(0);
    bench.publish(60).await;
    let stage = start(&ctx, &work);
    until("four batches begun", || work.begun.load(Ordering::SeqCst) == 4).await;
    ctx.shutdown.cancel();
    work.gate.add_permits(100);
    stage.await.unwrap().unwrap();
    assert_eq!((work.done(), bench.left().await), (40, 20));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let bench = Bench::open().await;
    tokio::time::pause();
    let ctx = bench.context(StageName::Cleaner);
    let work = Gated::new(0);
    bench.publish(5).await;
    let stage = start(&ctx, &work);
    until("begun", || work.begun.load(Ordering::SeqCst) == 1).await;
    let before = tokio::time::Instant::now();
    ctx.shutdown.cancel();
    stage.await.unwrap().unwrap();
    assert!(before.elapsed() < Duration::from_secs(10));
    assert_eq!(bench.left().await, 5);
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for() {
    let bench = Bench::open().await;
    tokio::time::pause();
    let ctx = bench.context(StageName::Writer);
    let work = Gated::new(1_000);
    work.fail.store(12, Ordering::SeqCst);
    bench.publish(30).await;
    let stage = start(&ctx, &work);
    until("done in the end", || ctx.meter.snapshot().counts.out_count == 30).await;
    assert_eq!(work.done(), 30, "each once");
    ctx.shutdown.cancel();
    stage.await.unwrap().unwrap();
    assert_eq!(bench.left().await, 0);
}

#[tokio::test]
async fn shutdown_interrupts_the_waiting_and_the_work_comes_again() {
    let bench = Bench::open().await;
    let ctx = bench.context(StageName::Writer);
    let work = Gated::new(1_000);
    work.fail.store(usize::MAX, Ordering::SeqCst);
    bench.publish(30).await;
    let stage = start(&ctx, &work);
    until("tried", || work.begun.load(Ordering::SeqCst) > 3).await;
    ctx.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), stage).await.unwrap().unwrap().unwrap();
    assert_eq!(bench.left().await, 30);
}

struct Hopeless;

#[async_trait]
impl Work for Hopeless {
    async fn handle(&self, _batch: &[Received]) -> Result<Vec<Outcome>, StageError> {
        Err(BusError::Unsupported("no right to write".into()).into())
    }
}

#[tokio::test]
async fn what_waiting_does_not_mend_ends_the_stage() {
    let bench = Bench::open().await;
    bench.publish(3).await;
    let ended = run_stage(bench.context(StageName::Writer), SETTINGS, Arc::new(Hopeless)).await;
    assert!(matches!(ended, Err(StageError::Bus(BusError::Unsupported(_)))));
    assert_eq!(bench.left().await, 3);
}

/// A page-create event of page `number`, or something else by its remainder.
fn event(number: usize) -> Vec<u8> {
    let domain = if number % 10 == 3 { "canary" } else { "it.wikisource.org" };
    let user_id = if number % 10 == 4 { "" } else { r#""user_id":7,"# };
    let whole = format!(
        r#"{{"$schema":"/mediawiki/revision/create/2.0.0","meta":{{"domain":"{domain}","stream":"mediawiki.page-create",
        "dt":"2025-05-18T13:00:00Z","id":"event-{number}"}},"database":"itwikisource","page_id":{},"page_title":"T{number}",
        "page_namespace":0,"page_is_redirect":false,"rev_id":{},"rev_timestamp":"2025-05-18T13:00:00Z","dt":"2025-05-18T13:00:00Z",
        "performer":{{"user_text":"Somebody",{user_id}"user_groups":["*"],"user_is_bot":false}}}}"#,
        number + 1,
        number + 1,
    );
    let mut bytes = whole.into_bytes();
    if number % 10 == 5 {
        bytes.truncate(bytes.len() / 2);
        bytes.push(0xff);
    }
    bytes
}

/// Records of the topic `processed` that no cleaner wrote and no store can hold.
fn poisons() -> Vec<Vec<u8>> {
    let page = crate::clean::clean(&event(0)).unwrap();
    let whole = serde_json::to_value(page).unwrap();
    let with = |field: &str, value: serde_json::Value| {
        let mut changed = whole.clone();
        changed[field] = value;
        changed.to_string().into_bytes()
    };
    vec![
        b"{\"page_id\":0".to_vec(),
        with("page_id", 0.into()),
        with("user_id", u64::MAX.into()),
        with("user_name", "".into()),
        with("page_title", "".into()),
        with("domain", "no host".into()),
    ]
}

/// Runs cleaner and writer over 1,000 events of which a part is no page, beside records in `processed` that are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_is_stored_rejected_excluded_or_a_canary() {
    let bench = Bench::open().await;
    let (cleaner, writer) = (bench.context(StageName::Cleaner), bench.context(StageName::Writer));
    let mut stored = bench.bus.follow(Topic::Stored).await.unwrap();
    let stages = [
        tokio::spawn(crate::cleaner::run(cleaner.clone())),
        tokio::spawn(crate::writer::run(writer.clone(), Arc::clone(&bench.store))),
    ];
    let mut deliveries = Vec::new();
    for number in 0..1_000 {
        let record = Record { key: String::new(), payload: event(number).into() };
        deliveries.push(bench.bus.publish(Topic::Input, record).await.unwrap());
    }
    for poison in poisons() {
        let record = Record { key: "poison".into(), payload: poison.into() };
        deliveries.push(bench.bus.publish(Topic::Processed, record).await.unwrap());
    }
    futures::future::try_join_all(deliveries).await.unwrap();
    until("counted", || cleaner.meter.snapshot().counts.in_flight_count == 0).await;
    let counts = cleaner.meter.snapshot().counts;
    assert_eq!((counts.in_count, counts.out_count), (1_000, 700));
    assert_eq!((counts.rejected_count, counts.excluded_count, counts.canary_count), (100, 100, 100));
    until("counted", || writer.meter.snapshot().counts.in_flight_count == 0).await;
    let counts = writer.meter.snapshot().counts;
    assert_eq!((counts.in_count, counts.out_count, counts.rejected_count), (706, 700, 6));
    assert_eq!(bench.bus.read_compacted(Topic::Rejected).await.unwrap().len(), 106, "listed once by hash");
    let mut told = BTreeSet::new();
    while told.len() < 700 {
        match stored.next().await.unwrap() {
            crate::bus::Followed::Record(record) => told.insert(record.key),
            crate::bus::Followed::Missed(missed) => panic!("missed {missed}"),
        };
    }
    let keys: Vec<_> =
        (0..1_000).map(|n| ("it.wikisource.org".parse().unwrap(), schema::page::PageId::new(n + 1).unwrap())).collect();
    let found = bench.store.load_pages(&keys).await.unwrap();
    let wanted: Vec<bool> = (0..1_000).map(|n| !matches!(n % 10, 3..=5)).collect();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), wanted);
    for (ctx, stage) in [cleaner, writer].iter().zip(stages) {
        ctx.shutdown.cancel();
        stage.await.unwrap().unwrap();
    }
}
