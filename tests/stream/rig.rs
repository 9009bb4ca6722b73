//! A producer between the stream server and a memory bus over an embedded store.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ingest::bus::{Bus, BusUrl, Topic};
use ingest::clean::clean;
use ingest::producer;
use ingest::source::{EventSource, StreamSettings, StreamTimeouts};
use ingest::stage::{StageContext, StageError};
use ingest::status::{Gap, StageMeter, StageName};
use schema::clock::{Clock, SystemClock};
use schema::store::{Durability, Migration, Store, StoreUrl};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::stream_server::StreamServer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Quick enough for tests, slow enough for a busy machine.
pub(crate) fn quick() -> StreamTimeouts {
    StreamTimeouts {
        connect: Duration::from_secs(5),
        read: Duration::from_secs(1),
        backoff_min: Duration::from_millis(5),
        backoff_max: Duration::from_millis(50),
        forbidden: Duration::from_millis(50),
        overlap: Duration::from_secs(60),
    }
}

/// What outlives a producer: the store with the positions.
pub(crate) struct Home {
    pub(crate) server: StreamServer,
    pub(crate) store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

/// A running producer and what it brought.
pub(crate) struct Rig {
    pub(crate) meter: Arc<StageMeter>,
    shutdown: CancellationToken,
    producer: JoinHandle<Result<(), StageError>>,
    consumer: JoinHandle<()>,
    stop_consumer: CancellationToken,
    received: Arc<Mutex<Vec<Bytes>>>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Embedded(folder.path().join("data"));
        let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.unwrap();
        Self { server: StreamServer::start().await, store, _folder: folder }
    }

    pub(crate) async fn start(&self) -> Rig {
        self.start_as("test@example.org").await
    }

    pub(crate) async fn start_as(&self, contact: &str) -> Rig {
        let bus = ingest::bus::open(&BusUrl::Memory, Arc::clone(&self.store)).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (shutdown, stop_consumer) = (CancellationToken::new(), CancellationToken::new());
        let received = Arc::new(Mutex::new(Vec::new()));
        let consumer = tokio::spawn(consume(Arc::clone(&bus), Arc::clone(&received), stop_consumer.clone()));
        let meter = StageMeter::new(StageName::Producer, Arc::clone(&clock));
        let settings = StreamSettings { timeouts: quick(), ..StreamSettings::at(self.server.url(), contact) };
        let ctx = StageContext { bus, clock, meter: Arc::clone(&meter), shutdown: shutdown.clone() };
        let producer = tokio::spawn(producer::run(ctx, EventSource::Stream(settings)));
        Rig { meter, shutdown, producer, consumer, stop_consumer, received }
    }

    /// The gaps that were recorded.
    pub(crate) async fn gaps(&self) -> Vec<Gap> {
        let records = self.store.records("positions").await.unwrap();
        let gaps = records.iter().filter(|record| record.key.starts_with("gap:"));
        gaps.map(|record| serde_json::from_slice(&record.payload).unwrap()).collect()
    }

    /// The stored position's last event.
    pub(crate) async fn last_event(&self) -> Option<String> {
        let records = self.store.records("positions").await.unwrap();
        let stored = records.iter().find(|record| record.key == "stream")?;
        let stored: serde_json::Value = serde_json::from_slice(&stored.payload).unwrap();
        stored["last_event"]["hash"].as_str().map(str::to_owned)
    }

    pub(crate) fn publish(&self, events: &[Bytes]) {
        for event in events {
            self.server.publish(time_of(event), event.clone());
        }
    }
}

impl Rig {
    pub(crate) fn received(&self) -> Vec<Bytes> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many events arrived; more would be seen by the comparison after it.
    pub(crate) async fn wait_for(&self, count: usize) {
        eventually(&format!("{count} events"), || self.received().len() >= count).await;
    }

    /// Stops in order; what arrived.
    pub(crate) async fn stop(self) -> Vec<Bytes> {
        self.shutdown.cancel();
        self.producer.await.unwrap().unwrap();
        self.stop_consumer.cancel();
        self.consumer.await.unwrap();
        Arc::into_inner(self.received).unwrap().into_inner().unwrap()
    }
}

async fn consume(bus: Arc<dyn Bus>, received: Arc<Mutex<Vec<Bytes>>>, stop: CancellationToken) {
    let mut consumer = bus.subscribe(Topic::Input, "cleaner").await.unwrap();
    loop {
        let records = tokio::select! {
            () = stop.cancelled() => break,
            records = consumer.receive(100) => records.unwrap(),
        };
        for record in records {
            received.lock().unwrap().push(record.record.payload.clone());
            consumer.commit(record.position).unwrap();
        }
    }
    consumer.close().await.unwrap();
}

/// Polls a condition until it holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(15);
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "no {what} within 15 s");
        tick.tick().await;
    }
}

/// Distinct events of the hours before now.
pub(crate) fn events(count: usize) -> Vec<Bytes> {
    ingest::sample::history(3, count, SystemClock.now()).collect()
}

pub(crate) fn time_of(event: &[u8]) -> DateTime<Utc> {
    clean(event).unwrap().created_at
}
