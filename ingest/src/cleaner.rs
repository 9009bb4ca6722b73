//! The stage from `input` to `processed`: each event becomes a clean page, or is counted with the reason why not.

use crate::bus::{Bus, BusError, Delivery, Received, Record, Topic};
use crate::clean::{RejectReason, clean};
use crate::rejected::rejected_record;
use crate::stage::run::{StageSettings, Work, run_stage};
use crate::stage::{StageContext, StageError};
use crate::status::Outcome;
use async_trait::async_trait;
use futures::future::try_join_all;
use schema::clock::Clock;
use schema::page::Page;
use std::sync::Arc;

/// On the memory bus a record is in flight until the writer has committed it, so many small batches must be.
const SETTINGS: StageSettings = StageSettings {
    topic: Topic::Input,
    group: "cleaner",
    batch: 1_000,
    parallel: 64,
    records: 8_192,
    bytes: 16 << 20,
};

/// Cleans until shutdown.
///
/// # Errors
/// What no waiting mends: missing rights, a malformed setting, a closed bus.
pub async fn run(ctx: StageContext) -> Result<(), StageError> {
    let work = Cleaning { bus: Arc::clone(&ctx.bus), clock: Arc::clone(&ctx.clock) };
    run_stage(ctx, SETTINGS, Arc::new(work)).await
}

/// The record of a clean page, in `processed` and `stored` alike.
pub(crate) fn page_record(page: &Page) -> Record {
    let payload = serde_json::to_vec(page).expect("a page is JSON: its keys are texts");
    Record { key: format!("{}:{}", page.domain, page.page_id), payload: payload.into() }
}

struct Cleaning {
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Work for Cleaning {
    async fn handle(&self, batch: &[Received]) -> Result<Vec<Outcome>, StageError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut deliveries = Vec::with_capacity(batch.len());
        for received in batch {
            let (outcome, delivery) = self.clean_one(&received.record).await?;
            outcomes.push(outcome);
            deliveries.extend(delivery);
        }
        try_join_all(deliveries).await?;
        Ok(outcomes)
    }
}

impl Cleaning {
    async fn clean_one(&self, event: &Record) -> Result<(Outcome, Option<Delivery>), BusError> {
        let reject = match clean(&event.payload) {
            Ok(page) => {
                let delivery = self.bus.publish(Topic::Processed, page_record(&page)).await?;
                return Ok((Outcome::Delivered { event_at: Some(page.created_at) }, Some(delivery)));
            }
            Err(reject) => reject,
        };
        match reject.reason {
            RejectReason::Canary => Ok((Outcome::Canary, None)),
            reason @ (RejectReason::AnonymousCreator | RejectReason::HiddenCreator) => {
                Ok((Outcome::Excluded(reason), None))
            }
            reason => {
                tracing::debug!(%reject, "an event is rejected");
                let record = rejected_record(&event.payload, reason, self.clock.now());
                Ok((Outcome::Rejected(reason), Some(self.bus.publish(Topic::Rejected, record).await?)))
            }
        }
    }
}
