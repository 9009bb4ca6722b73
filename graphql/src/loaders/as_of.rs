//! Up to when pages are counted: asked once per operation, before its first count.

use crate::schema::errors::ApiError;
use chrono::{DateTime, Utc};
use schema::clock::Clock;
use schema::store::Store;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// One operation's answer, once it was asked for.
pub(crate) struct AsOf {
    clock: Arc<dyn Clock>,
    asked: OnceCell<Result<DateTime<Utc>, ApiError>>,
}

impl AsOf {
    /// Not asked yet.
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: clock.clone(), asked: OnceCell::new() }
    }

    /// The store's time, or the present before the question where counts are as new as the pages.
    pub(super) async fn load(&self, store: &dyn Store) -> Result<DateTime<Utc>, ApiError> {
        let ask = async || {
            let now = self.clock.now();
            Ok(store.counts_as_of().await?.map_or(now, |counted| counted.min(now)))
        };
        self.asked.get_or_init(ask).await.clone()
    }

    /// The time, where it was asked for and known.
    pub(crate) fn get(&self) -> Option<DateTime<Utc>> {
        self.asked.get()?.as_ref().ok().copied()
    }
}
