//! Room for the queries that are executed at one time, by their cost: what is read has a bound.

use crate::schema::errors::ApiError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What costs no more has room of its own, so that it does not wait behind what is dear.
const CHEAP: u64 = 200;

/// How long a query waits for room.
const WITHIN: Duration = Duration::from_secs(2);

/// The room of a process; what is in use comes back with each permit.
#[derive(Debug, Clone)]
pub(super) struct Room {
    most: u64,
    dear: Arc<Semaphore>,
    cheap: Arc<Semaphore>,
}

impl Room {
    /// For dear queries of this cost together, and for cheap ones of a fifth of it.
    pub(super) fn new(most: u64) -> Self {
        let of = |cost: u64| Arc::new(Semaphore::new(usize::try_from(cost).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { most, dear: of(most), cheap: of(CHEAP.min(most).max(most / 5)) }
    }

    /// Takes room for a query of this cost.
    ///
    /// # Errors
    /// `UNAVAILABLE` when others leave none within two seconds.
    pub(super) async fn take(&self, cost: u64) -> Result<OwnedSemaphorePermit, ApiError> {
        let (room, cost) = (if cost <= CHEAP { &self.cheap } else { &self.dear }, cost.min(self.most));
        let permits = u32::try_from(cost).unwrap_or(u32::MAX);
        let taken = timeout(WITHIN, Arc::clone(room).acquire_many_owned(permits)).await;
        Ok(taken.map_err(|_| ApiError::Busy)?.expect("nobody closes it"))
    }
}
