//! A stage without room pauses its consumer, and lets it go on when there is room again.

use super::*;
use crate::bus::{Consumer, Delivery, FeedPosition, Follower, Position};

/// A bus that notes what its consumers are told.
struct Watched {
    inner: Arc<dyn Bus>,
    told: Arc<Mutex<Vec<bool>>>,
}

struct WatchedConsumer {
    inner: Box<dyn Consumer>,
    told: Arc<Mutex<Vec<bool>>>,
}

#[async_trait]
impl Bus for Watched {
    async fn publish(&self, topic: Topic, record: Record) -> Result<Delivery, BusError> {
        self.inner.publish(topic, record).await
    }
    async fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Consumer>, BusError> {
        let inner = self.inner.subscribe(topic, group).await?;
        Ok(Box::new(WatchedConsumer { inner, told: Arc::clone(&self.told) }))
    }
    async fn follow(&self, topic: Topic) -> Result<Box<dyn Follower>, BusError> {
        self.inner.follow(topic).await
    }
    async fn follow_from(&self, topic: Topic, at: &FeedPosition) -> Result<Option<Box<dyn Follower>>, BusError> {
        self.inner.follow_from(topic, at).await
    }
    async fn read_compacted(&self, topic: Topic) -> Result<Vec<Record>, BusError> {
        self.inner.read_compacted(topic).await
    }
}

#[async_trait]
impl Consumer for WatchedConsumer {
    async fn receive(&mut self, max: usize) -> Result<Vec<Received>, BusError> {
        self.inner.receive(max).await
    }
    fn commit(&mut self, position: Position) -> Result<(), BusError> {
        self.inner.commit(position)
    }
    fn holds(&self, position: Position) -> bool {
        self.inner.holds(position)
    }
    fn set_paused(&mut self, paused: bool) -> Result<(), BusError> {
        self.told.lock().unwrap().push(paused);
        self.inner.set_paused(paused)
    }
    fn lag(&self) -> Option<u64> {
        self.inner.lag()
    }
    async fn close(self: Box<Self>) -> Result<(), BusError> {
        self.inner.close().await
    }
}

/// Else a broker gives the partitions to another, for who does not poll is taken for dead.
#[tokio::test]
async fn a_stage_without_room_pauses_after_a_second() {
    let bench = Bench::open().await;
    tokio::time::pause();
    let told = Arc::<Mutex<Vec<bool>>>::default();
    let mut ctx = bench.context(StageName::Cleaner);
    ctx.bus = Arc::new(Watched { inner: Arc::clone(&bench.bus), told: Arc::clone(&told) });
    let work = Gated::new(0);
    bench.publish(100).await;
    let stage = start(&ctx, &work);
    until("four batches begun", || work.begun.load(Ordering::SeqCst) == 4).await;
    let full = tokio::time::Instant::now();
    until("the pause", || *told.lock().unwrap() == [true]).await;
    assert!(full.elapsed() < Duration::from_millis(1_500), "{:?}", full.elapsed());
    work.gate.add_permits(100);
    until("the rest", || work.done() == 100).await;
    assert_eq!(*told.lock().unwrap(), [true, false]);
    ctx.shutdown.cancel();
    stage.await.unwrap().unwrap();
}
