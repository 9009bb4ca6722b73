//! Publishes in order, keeps many deliveries in flight and stores the position behind the first that is not durable.

use super::POSITION_KEY;
use crate::backoff::Backoff;
use crate::bus::{Bus, BusError, Delivery, Record, Topic};
use crate::source::{Checkpoint, SourceItem};
use crate::stage::{StageContext, StageError};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior};

const MAX_RECORDS_IN_FLIGHT: usize = 4_096;
const MAX_BYTES_IN_FLIGHT: usize = 16 * 1024 * 1024;
const STORE_EVERY: Duration = Duration::from_secs(1);
/// At shutdown: as long as deliveries still come in, up to this.
const DRAIN: Duration = Duration::from_secs(5);
/// At shutdown: no delivery for so long means that its consumer has stopped too.
const DRAIN_IDLE: Duration = Duration::from_millis(1_500);

/// See the module.
pub(super) struct Publisher {
    ctx: StageContext,
    in_flight: FuturesOrdered<BoxFuture<'static, Result<Delivered, BusError>>>,
    bytes_in_flight: usize,
    durable: Option<Checkpoint>,
    stored: Option<Checkpoint>,
    /// Whether a start after a kill would know where to go on.
    has_position: bool,
    storing: Option<BoxFuture<'static, Result<(), BusError>>>,
}

/// What became durable.
struct Delivered {
    is_event: bool,
    bytes: usize,
    event_at: Option<DateTime<Utc>>,
    checkpoint: Option<Checkpoint>,
}

impl Publisher {
    pub(super) fn new(ctx: StageContext, has_position: bool) -> Self {
        Self {
            ctx,
            in_flight: FuturesOrdered::new(),
            bytes_in_flight: 0,
            durable: None,
            stored: None,
            has_position,
            storing: None,
        }
    }

    /// Publishes what comes until shutdown or until the source ends.
    ///
    /// # Errors
    /// What waiting does not mend.
    pub(super) async fn run(mut self, mut items: Receiver<SourceItem>) -> Result<(), StageError> {
        let mut tick = tokio::time::interval(STORE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.ctx.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(delivered) = self.in_flight.next() => self.settle(delivered?)?,
                item = items.recv(), if self.has_room() => match item {
                    Some(item) => if !self.publish(item).await? { break },
                    None => break,
                },
                stored = wait(&mut self.storing) => self.finish_storing(stored)?,
                _ = tick.tick() => self.begin_storing(),
            }
        }
        self.drain().await?;
        self.store_last().await
    }

    fn has_room(&self) -> bool {
        self.in_flight.len() < MAX_RECORDS_IN_FLIGHT && self.bytes_in_flight < MAX_BYTES_IN_FLIGHT
    }

    /// False when shutdown came while the bus had no room; the item is not counted and comes again.
    async fn publish(&mut self, item: SourceItem) -> Result<bool, StageError> {
        let is_event = matches!(item, SourceItem::Event { .. });
        let (topic, record, event_at, checkpoint) = match item {
            SourceItem::Event { payload, event_at, checkpoint } => {
                (Topic::Input, Record { key: String::new(), payload }, event_at, checkpoint)
            }
            SourceItem::Gap(gap) => (Topic::Positions, gap.record(), None, None),
        };
        if !self.has_position && !self.store_first(checkpoint.as_ref()).await? {
            return Ok(false);
        }
        let bus = Arc::clone(&self.ctx.bus);
        let bytes = record.payload.len();
        let delivery = tokio::select! {
            () = self.ctx.shutdown.cancelled() => return Ok(false),
            delivery = publish_until(bus.as_ref(), topic, &record) => delivery?,
        };
        if is_event {
            self.ctx.meter.take(1);
        }
        self.bytes_in_flight += bytes;
        let delivered = Delivered { is_event, bytes, event_at, checkpoint };
        let durable = deliver_until(bus, topic, record, delivery);
        self.in_flight.push_back(async move { durable.await.map(|()| delivered) }.boxed());
        Ok(true)
    }

    /// Stores where the first event stands before it is published: without a position a start after a kill would begin
    /// at the latest event. The resume's overlap brings the event itself back; nothing before it is wanted. False at
    /// shutdown.
    async fn store_first(&mut self, checkpoint: Option<&Checkpoint>) -> Result<bool, StageError> {
        let Some(checkpoint) = checkpoint else { return Ok(true) };
        let first = Checkpoint { id: checkpoint.id.clone(), last_event: None };
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        loop {
            let storing = store(Arc::clone(&self.ctx.bus), &first);
            match self.ctx.shutdown.run_until_cancelled(storing).await {
                None => return Ok(false),
                Some(Ok(())) => break,
                Some(Err(BusError::Unavailable(why))) => {
                    tracing::warn!(why, "the first position was not stored, trying again")
                }
                Some(Err(error)) => return Err(error.into()),
            }
            let wait = tokio::time::sleep(backoff.next_wait());
            if self.ctx.shutdown.run_until_cancelled(wait).await.is_none() {
                return Ok(false);
            }
        }
        self.has_position = true;
        Ok(true)
    }

    /// Takes this delivery and those that are ready behind it.
    fn settle(&mut self, first: Delivered) -> Result<(), StageError> {
        let mut events = 0;
        let mut newest = None;
        let mut next = Some(first);
        while let Some(delivered) = next {
            events += u64::from(delivered.is_event);
            newest = newest.max(delivered.event_at);
            self.bytes_in_flight -= delivered.bytes;
            if delivered.checkpoint.is_some() {
                self.durable = delivered.checkpoint;
            }
            next = self.in_flight.next().now_or_never().flatten().transpose()?;
        }
        if events > 0 {
            self.ctx.meter.finish_many(events, newest);
        }
        Ok(())
    }

    fn begin_storing(&mut self) {
        if self.storing.is_some() || self.durable == self.stored {
            return;
        }
        let Some(checkpoint) = &self.durable else { return };
        self.stored = Some(checkpoint.clone());
        self.storing = Some(store(Arc::clone(&self.ctx.bus), checkpoint).boxed());
    }

    fn finish_storing(&mut self, stored: Result<(), BusError>) -> Result<(), StageError> {
        self.storing = None;
        match stored {
            Err(BusError::Unavailable(why)) => {
                tracing::warn!(why, "the resume position was not stored");
                self.stored = None;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    async fn drain(&mut self) -> Result<(), StageError> {
        let deadline = Instant::now() + DRAIN;
        while !self.in_flight.is_empty() {
            let until = deadline.min(Instant::now() + DRAIN_IDLE);
            match tokio::time::timeout_at(until, self.in_flight.next()).await {
                Ok(Some(Ok(delivered))) => self.settle(delivered)?,
                Ok(Some(Err(BusError::Closed)) | None) | Err(_) => break,
                Ok(Some(Err(error))) => return Err(error.into()),
            }
        }
        if !self.in_flight.is_empty() {
            tracing::info!(records = self.in_flight.len(), "not delivered before the stop: they come again");
        }
        Ok(())
    }

    async fn store_last(mut self) -> Result<(), StageError> {
        let last = async {
            if self.storing.is_some() {
                let stored = wait(&mut self.storing).await;
                self.finish_storing(stored)?;
            }
            self.begin_storing();
            match self.storing.take() {
                Some(storing) => storing.await.map_err(StageError::from),
                None => Ok(()),
            }
        };
        match tokio::time::timeout(DRAIN_IDLE, last).await {
            Ok(Err(error)) => {
                tracing::warn!(%error, "the last resume position was not stored: some events come again");
                Ok(())
            }
            Ok(Ok(())) => Ok(()),
            Err(_) => {
                tracing::warn!("the last resume position was not stored in time: some events come again");
                Ok(())
            }
        }
    }
}

async fn wait(storing: &mut Option<BoxFuture<'static, Result<(), BusError>>>) -> Result<(), BusError> {
    match storing {
        Some(storing) => storing.await,
        None => std::future::pending().await,
    }
}

fn store(bus: Arc<dyn Bus>, checkpoint: &Checkpoint) -> impl Future<Output = Result<(), BusError>> + use<> {
    let payload = Bytes::from(serde_json::to_vec(checkpoint).expect("a position is JSON"));
    async move { bus.publish(Topic::Positions, Record { key: POSITION_KEY.into(), payload }).await?.await }
}

/// Publishes, waiting for a bus that is away.
async fn publish_until(bus: &dyn Bus, topic: Topic, record: &Record) -> Result<Delivery, BusError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
    loop {
        match bus.publish(topic, record.clone()).await {
            Err(BusError::Unavailable(why)) => tracing::warn!(why, topic = topic.name(), "publishing again"),
            answer => return answer,
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
}

/// A delivery that fails is published again.
async fn deliver_until(
    bus: Arc<dyn Bus>,
    topic: Topic,
    record: Record,
    mut delivery: Delivery,
) -> Result<(), BusError> {
    loop {
        match delivery.await {
            Err(BusError::Unavailable(why)) => tracing::warn!(why, topic = topic.name(), "not delivered"),
            answer => return answer,
        }
        delivery = publish_until(bus.as_ref(), topic, &record).await?;
    }
}
