//! Up to when pages are counted: asked once, before the first count.

use crate::schema::errors::ApiError;
use chrono::{DateTime, Utc};
use schema::clock::Clock;
use schema::store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::OnceCell;

/// The answer, once it was asked for: as old as the counts that are shared with it.
pub(crate) type Counted = OnceCell<Result<DateTime<Utc>, ApiError>>;

/// What one operation knows of it.
pub(crate) struct AsOf {
    clock: Arc<dyn Clock>,
    counted: Arc<Counted>,
    has_counted: AtomicBool,
}

impl AsOf {
    /// Not asked by this operation yet.
    pub(crate) fn new(clock: &Arc<dyn Clock>, counted: &Arc<Counted>) -> Self {
        Self { clock: clock.clone(), counted: counted.clone(), has_counted: AtomicBool::new(false) }
    }

    /// The store's time, or the present before the question where counts are as new as the pages.
    pub(super) async fn load(&self, store: &dyn Store) -> Result<DateTime<Utc>, ApiError> {
        let ask = async || {
            let now = self.clock.now();
            Ok(store.counts_as_of().await?.map_or(now, |counted| counted.min(now)))
        };
        self.has_counted.store(true, Ordering::Relaxed);
        self.counted.get_or_init(ask).await.clone()
    }

    /// The time, where this operation asked for it and it is known.
    pub(crate) fn get(&self) -> Option<DateTime<Utc>> {
        self.has_counted.load(Ordering::Relaxed).then(|| self.counted.get()?.as_ref().ok().copied()).flatten()
    }
}
