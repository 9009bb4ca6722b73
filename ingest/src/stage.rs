//! What every stage of the pipeline is given, how a stage fails, and the one loop of those that consume.

pub(crate) mod run;
#[cfg(test)]
mod tests;
mod watermark;

use crate::bus::{Bus, BusError};
use crate::status::StageMeter;
use schema::clock::Clock;
use schema::store::StoreError;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a stage runs with.
#[derive(Clone)]
pub struct StageContext {
    /// Where it takes records from and hands them on.
    pub bus: Arc<dyn Bus>,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// What it counts.
    pub meter: Arc<StageMeter>,
    /// Cancelled when it is to drain, commit and return.
    pub shutdown: CancellationToken,
}

/// Why a stage gave up; what passes by itself is retried and never ends up here.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StageError {
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A configuration that cannot work.
    #[error("{0}")]
    Unsupported(String),
}

impl StageError {
    /// Whether waiting mends it.
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Bus(BusError::Unavailable(_)) | Self::Store(StoreError::Unavailable(_)))
    }
}
