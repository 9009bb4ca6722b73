//! Recording what a topic lost before the group came to it, as gaps, before anything behind them is given out.

use super::held::Loss;
use super::publisher::Publisher;
use crate::bus::{BusError, Record};
use crate::status::{Gap, GapReason};
use chrono::DateTime;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The gaps on their way.
pub(super) struct Losses {
    publisher: Arc<Publisher>,
    /// The name of the topic `positions`.
    positions: String,
    open: FuturesUnordered<BoxFuture<'static, Result<(), BusError>>>,
}

impl Losses {
    pub(super) fn new(publisher: Arc<Publisher>, positions: String) -> Self {
        Self { publisher, positions, open: FuturesUnordered::new() }
    }

    pub(super) fn record(&mut self, topic: &str, partition: i32, loss: Loss) {
        let Loss { offsets, from, to } = loss;
        tracing::warn!(topic, partition, offsets, ?from, ?to, "records expired before they were done: a gap");
        let mut record = gap(loss).record();
        // Partitions lose their records apart, and none may take the place of another's.
        record.key = format!("{}:{topic}/{partition}", record.key);
        self.open.push(Box::pin(publish(Arc::clone(&self.publisher), self.positions.clone(), record)));
    }

    pub(super) fn is_all_recorded(&self) -> bool {
        self.open.is_empty()
    }

    /// One more gap is durable; waits for ever when none is open. Dropping the future loses nothing.
    pub(super) async fn recorded(&mut self) -> Result<(), BusError> {
        match self.open.next().await {
            Some(recorded) => recorded,
            None => pending().await,
        }
    }
}

/// Without a known beginning it is the moment of its end: never a time that is only guessed.
fn gap(loss: Loss) -> Gap {
    let to = loss.to.or(loss.from).unwrap_or(DateTime::UNIX_EPOCH);
    let from = loss.from.unwrap_or(to);
    Gap { from, to: to.max(from), reason: GapReason::HistoryExpired }
}

async fn publish(publisher: Arc<Publisher>, topic: String, record: Record) -> Result<(), BusError> {
    loop {
        let delivered = match publisher.publish(&topic, &record).await {
            Ok(delivery) => delivery.await,
            Err(error) => Err(error),
        };
        match delivered {
            Err(BusError::Unavailable(why)) => tracing::warn!(why, "a gap is not recorded yet"),
            other => return other,
        }
        sleep(AGAIN_AFTER).await;
    }
}
