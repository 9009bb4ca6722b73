//! Pages over time, put into series: less than the counts that they are added up from.

use schema::activity::{Activity, Split};
use schema::query::Series;
use schema::store::{Store, StoreError};
use std::sync::Arc;

/// Counts that are read for one chart at most.
pub(crate) const MAX_COUNTS: usize = 50_000;

/// A chart, or what there is too much of for one.
pub(crate) type Chart = Result<Arc<Activity>, TooMuch>;

/// What is more than a chart may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// More than [`MAX_COUNTS`] to read.
    Counts,
    /// More points than the split allows.
    Points,
}

pub(super) async fn read(store: &dyn Store, whose: &Series, split: &Split) -> Result<Chart, StoreError> {
    if split.starts().is_none() {
        return Ok(Err(TooMuch::Points));
    }
    let counts = store.counts_of_each(&split.series(whose), split.buckets, MAX_COUNTS).await?;
    let Some(counts) = counts else { return Ok(Err(TooMuch::Counts)) };
    Ok(split.apply(&counts).map(Arc::new).ok_or(TooMuch::Points))
}
