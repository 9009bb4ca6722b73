//! The producer: from a source to the topic `input`, byte for byte, and the resume position.
//!
//! Many deliveries are in flight, bounded; the position that is stored is the one before the first that is not
//! durable yet. Whatever comes after it comes again after a restart.

mod publisher;

use crate::backoff::Backoff;
use crate::bus::{Bus, BusError, Topic};
use crate::source::{Checkpoint, EventSource, Reader, ReaderContext, SourceItem, play};
use crate::stage::{StageContext, StageError};
use crate::status::{Gap, GapReason};
use publisher::Publisher;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Events between the source and the bus: at most 8 MiB, then the stream waits.
const QUEUE: usize = 32;
/// The key of the resume position.
const POSITION_KEY: &str = "stream";

/// Runs until shutdown: then hands on what is in flight and stores the position.
///
/// # Errors
/// What only a restart of the process can mend.
pub async fn run(ctx: StageContext, source: EventSource) -> Result<(), StageError> {
    let (out, items) = mpsc::channel(QUEUE);
    // The source also stops when publishing fails.
    let stop = ctx.shutdown.child_token();
    let stage = StageContext { shutdown: stop.clone(), ..ctx.clone() };
    let Some(started) = ctx.shutdown.run_until_cancelled(start(source, stage, out)).await else { return Ok(()) };
    let Started { task, has_position } = started?;
    let published = Publisher::new(ctx, has_position).run(items).await;
    stop.cancel();
    let joined = task.await;
    published?;
    joined.map_err(|e| StageError::Unsupported(format!("the source's task failed: {e}")))
}

/// A source at work.
struct Started {
    task: JoinHandle<()>,
    /// Whether it goes on from a stored position.
    has_position: bool,
}

async fn start(source: EventSource, stage: StageContext, out: mpsc::Sender<SourceItem>) -> Result<Started, StageError> {
    match source {
        EventSource::Sample(settings) => {
            Ok(Started { task: tokio::spawn(play(settings, stage, out)), has_position: false })
        }
        EventSource::Stream(settings) => {
            let stored = load_checkpoint(&stage).await?;
            let checkpoint = match stored {
                Stored::Checkpoint(checkpoint) => Some(checkpoint),
                Stored::Nothing => None,
                Stored::Unreadable => {
                    let now = stage.clock.now();
                    let gap = Gap { from: now, to: now, reason: GapReason::HistoryExpired };
                    // Nobody takes it only where publishing has ended, and with it this stage.
                    let _ = out.send(SourceItem::Gap(gap)).await;
                    None
                }
            };
            let has_position = checkpoint.is_some();
            let reader = Reader::new(settings, ReaderContext { stage, out, checkpoint })?;
            Ok(Started { task: tokio::spawn(reader.run()), has_position })
        }
    }
}

/// What is known of where an earlier process stood.
enum Stored {
    Nothing,
    Checkpoint(Checkpoint),
    /// Something that says nothing: what came since is not known to be missing, and not known to be there.
    Unreadable,
}

/// The stored position. The stream goes on without one that cannot be read, at its latest event and with a gap.
async fn load_checkpoint(stage: &StageContext) -> Result<Stored, StageError> {
    let records = read_positions(stage.bus.as_ref()).await?;
    let Some(record) = records.into_iter().find(|record| record.key == POSITION_KEY) else {
        return Ok(Stored::Nothing);
    };
    match serde_json::from_slice(&record.payload) {
        Ok(checkpoint) => Ok(Stored::Checkpoint(checkpoint)),
        Err(error) => {
            tracing::error!(%error, "the stored resume position cannot be read: starting at the latest event");
            Ok(Stored::Unreadable)
        }
    }
}

/// Waits for a bus that is away: whoever calls this ends the waiting at shutdown.
async fn read_positions(bus: &dyn Bus) -> Result<Vec<crate::bus::Record>, BusError> {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        match bus.read_compacted(Topic::Positions).await {
            Err(BusError::Unavailable(why)) => tracing::warn!(why, "the resume position cannot be read yet"),
            answer => return answer,
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
}
