//! The stage from `processed` to the store: rows of all tables, then `stored`, then the commit; and the counts beside it.

use crate::bus::{Bus, BusError, Received, Topic};
use crate::clean::{self, Reject, RejectReason};
use crate::rejected::rejected_record;
use crate::sealer;
use crate::stage::run::{StageSettings, Work, run_stage};
use crate::stage::{StageContext, StageError};
use crate::status::Outcome;
use async_trait::async_trait;
use futures::future::try_join_all;
use schema::clock::Clock;
use schema::hour::Hour;
use schema::page::Page;
use schema::store::Store;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Large batches under backlog; a few in flight, so that the store has the next one when it is done with one.
const SETTINGS: StageSettings = StageSettings {
    topic: Topic::Processed,
    group: "writer",
    batch: 2_000,
    parallel: 3,
    records: 6_000,
    bytes: 16 << 20,
};

/// Writes until shutdown, and has the store count what is written.
///
/// # Errors
/// What no waiting mends: missing rights, tables of another version, a closed bus.
pub async fn run(ctx: StageContext, store: Arc<dyn Store>) -> Result<(), StageError> {
    let stop = CancellationToken::new();
    // Ends the sealer also where this future is dropped.
    let stops = stop.clone().drop_guard();
    let sealing = tokio::spawn(sealer::run(Arc::clone(&store), Arc::clone(&ctx.clock), stop));
    let work = Writing { bus: Arc::clone(&ctx.bus), clock: Arc::clone(&ctx.clock), store };
    let ran = run_stage(ctx, SETTINGS, Arc::new(work)).await;
    drop(stops);
    sealing.await.expect("the sealer does not panic");
    ran
}

struct Writing {
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
}

#[async_trait]
impl Work for Writing {
    async fn handle(&self, batch: &[Received]) -> Result<Vec<Outcome>, StageError> {
        let decoded: Vec<_> = batch.iter().map(|received| decode(&received.record.payload)).collect();
        let pages: Vec<Page> = decoded.iter().flatten().cloned().collect();
        // An event may have waited until its hour froze: the store says by its rows, not the cleaner by the event.
        let frozen =
            if pages.is_empty() { Hour::MIN } else { self.store.write_pages(&pages, self.clock.now()).await? };
        let outcomes: Vec<Outcome> = decoded.iter().map(|page| outcome_of(page.as_ref(), frozen)).collect();
        self.announce(batch, &outcomes).await?;
        Ok(outcomes)
    }
}

/// What became of a record when the pages of all hours before `frozen` were not written.
fn outcome_of(page: Result<&Page, &Reject>, frozen: Hour) -> Outcome {
    match page {
        Ok(page) if Hour::of(page.created_at) < frozen => {
            tracing::debug!(at = %page.created_at, before = %frozen, "a page comes too late: its hour is frozen");
            Outcome::Rejected(RejectReason::BeyondRetention)
        }
        Ok(page) => Outcome::Delivered { event_at: Some(page.created_at) },
        Err(error) => {
            tracing::warn!(%error, "a record of the topic processed is not a page");
            Outcome::Rejected(error.reason)
        }
    }
}

/// A page as the cleaner writes it: the topic is open to others, and what a store cannot hold must not stop it.
fn decode(payload: &[u8]) -> Result<Page, Reject> {
    let unreadable = |e: serde_json::Error| Reject::new(RejectReason::InvalidJson, e.to_string());
    let page: Page = serde_json::from_slice(payload).map_err(unreadable)?;
    clean::check(&page)?;
    Ok(page)
}

impl Writing {
    /// Tells which rows can be read and what was rejected, and waits until the bus has that.
    async fn announce(&self, batch: &[Received], outcomes: &[Outcome]) -> Result<(), BusError> {
        let mut deliveries = Vec::with_capacity(batch.len());
        for (received, outcome) in batch.iter().zip(outcomes) {
            deliveries.push(match outcome {
                Outcome::Rejected(reason) => {
                    let record = rejected_record(&received.record.payload, *reason, self.clock.now());
                    self.bus.publish(Topic::Rejected, record).await?
                }
                _ => self.bus.publish(Topic::Stored, received.record.clone()).await?,
            });
        }
        try_join_all(deliveries).await?;
        Ok(())
    }
}
