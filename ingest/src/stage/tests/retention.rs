//! A clock that moves: pages go, late events are rejected, and all of `input` once more changes nothing.

use super::*;
use crate::clean::RejectReason;
use crate::rejected::Rejected;
use chrono::{DateTime, TimeDelta, Utc};
use schema::clock::{Clock, FixedClock};
use schema::counts::count_pages;
use schema::hour::HourRange;
use schema::query::{PageFilter, PageList, PageQuery};
use schema::retention::Keep;
use schema::verify::verify;

/// Cleaner and writer by one clock.
struct Line {
    bench: Bench,
    clock: Arc<FixedClock>,
    cleaner: StageContext,
    writer: StageContext,
    stages: Vec<JoinHandle<Result<(), StageError>>>,
}

impl Line {
    async fn start(now: DateTime<Utc>) -> Self {
        let (bench, clock) = (Bench::open().await, Arc::new(FixedClock::at(now.timestamp())));
        bench.store.set_keep(Keep::Days(40), now).await.unwrap();
        let context = |stage| StageContext { clock: clock.clone(), ..bench.context(stage) };
        let (cleaner, writer) = (context(StageName::Cleaner), context(StageName::Writer));
        let stages = vec![
            tokio::spawn(crate::cleaner::run(cleaner.clone())),
            tokio::spawn(crate::writer::run(writer.clone(), Arc::clone(&bench.store))),
        ];
        Self { bench, clock, cleaner, writer, stages }
    }

    /// Takes events in and waits until all are done.
    async fn take(&self, events: &[Vec<u8>]) {
        let mut deliveries = Vec::new();
        for event in events {
            let record = Record { key: String::new(), payload: event.clone().into() };
            deliveries.push(self.bench.bus.publish(Topic::Input, record).await.unwrap());
        }
        futures::future::try_join_all(deliveries).await.unwrap();
        for stage in [&self.cleaner, &self.writer] {
            until("all done", || stage.meter.snapshot().counts.in_flight_count == 0).await;
        }
    }

    async fn pages(&self) -> usize {
        self.bench.store.list_pages(&PageQuery::newest(PageList::All, 1_000)).await.unwrap().pages.len()
    }

    async fn wait_for_pages(&self, count: usize) {
        let waiting = async {
            while self.pages().await != count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the sealer has pages removed");
    }

    /// So many pages are counted, nothing differs, and each record came to one end.
    async fn check(&self, counted: u64, [out, rejected]: [u64; 2]) {
        let store = self.bench.store.as_ref();
        let count = count_pages(store, &PageList::All, HourRange::ALL, &PageFilter::default()).await.unwrap();
        assert_eq!(count, counted, "pages counted");
        assert_eq!(verify(store, self.clock.now(), &mut |_| ()).await.unwrap().differences, 0);
        let counts = self.writer.meter.snapshot().counts;
        assert_eq!((counts.in_count, counts.out_count, counts.rejected_count), (out + rejected, out, rejected));
        let cleaned = self.cleaner.meter.snapshot().counts;
        assert_eq!(
            cleaned.in_count,
            cleaned.out_count + cleaned.rejected_count + cleaned.excluded_count + cleaned.canary_count
        );
        assert_eq!(cleaned.out_count, counts.in_count);
    }

    async fn too_late(&self) -> usize {
        let records = self.bench.bus.read_compacted(Topic::Rejected).await.unwrap();
        let rejected = records.iter().map(|record| serde_json::from_slice::<Rejected>(&record.payload).unwrap());
        rejected.filter(|rejected| rejected.reason == RejectReason::BeyondRetention).count()
    }
}

/// Events of pages only, created at this time.
fn events_at(first: usize, time: &str) -> Vec<Vec<u8>> {
    let numbers = (first..first + 100).filter(|number| !matches!(number % 10, 3..=5));
    let at = |number| String::from_utf8(event(number)).unwrap().replace("2025-05-18T13:00:00Z", time).into_bytes();
    numbers.map(at).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_and_what_comes_too_late_is_rejected() {
    let begin: DateTime<Utc> = "2025-05-18T13:30:00Z".parse().unwrap();
    let line = Line::start(begin).await;
    let old = events_at(0, "2025-05-18T13:00:00Z");
    line.take(&old).await;
    line.check(70, [70, 0]).await;
    line.clock.set(begin + TimeDelta::days(30));
    let new = events_at(1_000, "2025-06-17T13:00:00Z");
    line.take(&new).await;
    line.check(140, [140, 0]).await;

    // The hour is frozen, its pages are there for a day more.
    line.clock.set(begin + TimeDelta::days(39) + TimeDelta::hours(1));
    let late = events_at(2_000, "2025-05-18T13:59:59Z");
    line.take(&late).await;
    line.check(140, [140, 70]).await;
    assert_eq!((line.pages().await, line.too_late().await), (140, 70));

    line.clock.set(begin + TimeDelta::days(40) + TimeDelta::hours(1));
    line.wait_for_pages(70).await;
    line.check(140, [140, 70]).await;

    // All that ever came in, from the start.
    line.take(&[old, new, late].concat()).await;
    line.check(140, [210, 210]).await;
    assert_eq!((line.pages().await, line.too_late().await), (70, 140), "each listed once");
    for (ctx, stage) in [&line.cleaner, &line.writer].into_iter().zip(line.stages) {
        ctx.shutdown.cancel();
        stage.await.unwrap().unwrap();
    }
}
