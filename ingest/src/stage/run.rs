//! The one loop of all stages that consume: receive, work, wait for the outputs, commit.
//!
//! Several batches are in flight at once, bounded in records and bytes. A batch is what waits, never more waiting
//! for more. What is in flight when the process dies was not committed and comes again.

use super::watermark::Watermarks;
use super::{StageContext, StageError};
use crate::backoff::Backoff;
use crate::bus::{BusError, Consumer, Position, Received, Topic};
use crate::status::{Outcome, StageMeter};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long a stop may wait for what is in flight: the process must have ended within 10 s.
const DRAIN_WITHIN: Duration = Duration::from_secs(6);
/// How long a stage without room does without polling; then it pauses fetching, since a pause throws away what
/// was fetched ahead, and a consumer that does not poll loses its membership.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
const TELL_LAG_EVERY: Duration = Duration::from_secs(1);
/// Between two tries of the same thing.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a stage does with its records.
#[async_trait]
pub(crate) trait Work: Send + Sync + 'static {
    /// Handles all records and waits until their outputs are durable: one outcome for each. Does nothing that
    /// must not be done again, for a batch that failed or was not committed comes again.
    async fn handle(&self, batch: &[Received]) -> Result<Vec<Outcome>, StageError>;
}

/// Where a stage reads and how much it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageSettings {
    pub(crate) topic: Topic,
    pub(crate) group: &'static str,
    /// Records of one batch at most.
    pub(crate) batch: usize,
    /// Batches in flight at most.
    pub(crate) parallel: usize,
    /// Records in flight at most.
    pub(crate) records: usize,
    /// Bytes in flight at most; one batch more may exceed it.
    pub(crate) bytes: usize,
}

/// Runs `work` on everything of the topic until shutdown, then drains, commits and leaves the group.
///
/// # Errors
/// What no waiting mends.
pub(crate) async fn run_stage(
    ctx: StageContext,
    settings: StageSettings,
    work: Arc<impl Work>,
) -> Result<(), StageError> {
    let Some(consumer) = subscribe(&ctx, settings).await? else { return Ok(()) };
    let mut stage = Stage {
        meter: Arc::clone(&ctx.meter),
        shutdown: ctx.shutdown.clone(),
        settings,
        work,
        consumer,
        marks: Watermarks::default(),
        batches: JoinSet::new(),
        load: Load::default(),
        full_since: None,
        has_paused: false,
    };
    let ran = stage.run().await;
    // A stage that failed commits what it had done, too.
    let closed = stage.consumer.close().await;
    ran?;
    closed.or_else(
        |error| if matches!(error, BusError::Unavailable(_)) { warn_uncommitted(&error) } else { Err(error) },
    )?;
    Ok(())
}

fn warn_uncommitted(error: &BusError) -> Result<(), BusError> {
    tracing::warn!(%error, "the last records were not committed: they will come again");
    Ok(())
}

/// Joins the group, waiting for a bus that is away; none at shutdown.
async fn subscribe(ctx: &StageContext, settings: StageSettings) -> Result<Option<Box<dyn Consumer>>, StageError> {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        let error = match ctx.bus.subscribe(settings.topic, settings.group).await {
            Ok(consumer) => return Ok(Some(consumer)),
            Err(error @ BusError::Unavailable(_)) => error,
            Err(error) => return Err(error.into()),
        };
        tracing::warn!(%error, topic = settings.topic.name(), "cannot join the group, trying again");
        if is_over_before(&ctx.shutdown, backoff.next_wait()).await {
            return Ok(None);
        }
    }
}

/// Waits, at most until shutdown; says whether that came first.
async fn is_over_before(shutdown: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => true,
        () = sleep(wait) => false,
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Load {
    records: usize,
    bytes: usize,
}

/// A batch that came to its end: none of the outcomes where shutdown interrupted its retries.
struct Finished {
    positions: Vec<Position>,
    load: Load,
    outcomes: Option<Vec<Outcome>>,
}

struct Stage<W> {
    meter: Arc<StageMeter>,
    shutdown: CancellationToken,
    settings: StageSettings,
    work: Arc<W>,
    consumer: Box<dyn Consumer>,
    marks: Watermarks,
    batches: JoinSet<Result<Finished, StageError>>,
    load: Load,
    /// Since when there is no room.
    full_since: Option<Instant>,
    has_paused: bool,
}

impl<W: Work> Stage<W> {
    async fn run(&mut self) -> Result<(), StageError> {
        let mut lag = tokio::time::interval(TELL_LAG_EVERY);
        while !self.shutdown.is_cancelled() {
            let room = self.room();
            self.resume_if(room > 0)?;
            let polls = room > 0 || self.has_paused;
            // Kept from turn to turn: a wait begun anew at each would be overtaken by the lag's tick for ever.
            self.full_since = if room > 0 { None } else { self.full_since.or_else(|| Some(Instant::now())) };
            let pause_at = self.full_since.unwrap_or_else(Instant::now) + PAUSE_AFTER;
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                Some(ended) = self.batches.join_next() => self.end(ended)?,
                _ = lag.tick() => self.meter.set_lag_records(self.consumer.lag()),
                received = self.consumer.receive(room.max(1)), if polls => self.begin(received).await?,
                () = sleep_until(pause_at), if !polls => self.pause()?,
            }
        }
        self.drain().await
    }

    /// How many records may be received now.
    fn room(&self) -> usize {
        let is_full = self.batches.len() >= self.settings.parallel || self.load.bytes >= self.settings.bytes;
        let left = self.settings.records.saturating_sub(self.load.records);
        if is_full { 0 } else { left.min(self.settings.batch) }
    }

    fn pause(&mut self) -> Result<(), StageError> {
        self.has_paused = true;
        Ok(self.consumer.set_paused(true)?)
    }

    fn resume_if(&mut self, has_room: bool) -> Result<(), StageError> {
        if self.has_paused && has_room {
            self.has_paused = false;
            self.consumer.set_paused(false)?;
        }
        Ok(())
    }

    async fn begin(&mut self, received: Result<Vec<Received>, BusError>) -> Result<(), StageError> {
        let batch = match received {
            Ok(batch) if batch.is_empty() => return Ok(()),
            Ok(batch) => batch,
            Err(error @ BusError::Unavailable(_)) => {
                tracing::warn!(%error, topic = self.settings.topic.name(), "nothing can be received, trying again");
                is_over_before(&self.shutdown, PAUSE_AFTER).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.meter.take(batch.len() as u64);
        batch.iter().for_each(|received| self.marks.start(received.position));
        let load = Load { records: batch.len(), bytes: batch.iter().map(|r| r.record.size()).sum() };
        self.load = Load { records: self.load.records + load.records, bytes: self.load.bytes + load.bytes };
        self.batches.spawn(handle_until_done(Arc::clone(&self.work), batch, load, self.shutdown.clone()));
        Ok(())
    }

    fn end(&mut self, ended: Result<Result<Finished, StageError>, tokio::task::JoinError>) -> Result<(), StageError> {
        let finished = match ended {
            Ok(finished) => finished?,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Ok(()), // aborted, by nobody but the end of the drain
            },
        };
        let load = finished.load;
        self.load = Load { records: self.load.records - load.records, bytes: self.load.bytes - load.bytes };
        let Some(outcomes) = finished.outcomes else { return Ok(()) };
        self.meter.finish_all(&outcomes);
        for position in finished.positions {
            if let Some(committable) = self.marks.finish(position) {
                self.consumer.commit(committable)?;
            }
        }
        Ok(())
    }

    /// Waits for what is in flight; what does not end in time is not committed and comes again.
    async fn drain(&mut self) -> Result<(), StageError> {
        let deadline = Instant::now() + DRAIN_WITHIN;
        while let Ok(Some(ended)) = timeout_at(deadline, self.batches.join_next()).await {
            self.end(ended)?;
        }
        if self.load.records > 0 {
            tracing::warn!(records = self.load.records, "stopped before these were done: they will come again");
        }
        self.batches.shutdown().await;
        Ok(())
    }
}

/// Tries until it is done, however long the store or the bus is away; shutdown ends the trying.
async fn handle_until_done(
    work: Arc<impl Work>,
    batch: Vec<Received>,
    load: Load,
    shutdown: CancellationToken,
) -> Result<Finished, StageError> {
    let positions = batch.iter().map(|received| received.position).collect();
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    loop {
        let error = match work.handle(&batch).await {
            Ok(outcomes) => return Ok(Finished { positions, load, outcomes: Some(outcomes) }),
            Err(error) => error,
        };
        if !error.is_retriable() {
            return Err(error);
        }
        let wait = backoff.next_wait();
        tracing::warn!(%error, records = load.records, wait_ms = wait.as_millis() as u64, "trying again");
        if is_over_before(&shutdown, wait).await {
            return Ok(Finished { positions, load, outcomes: None });
        }
    }
}
