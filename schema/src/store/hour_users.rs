//! The accounts of several hours, read hour by hour.

use super::{Store, StoreError};
use crate::hour::Hour;
use crate::query::HourUser;
use futures::{StreamExt, TryStreamExt, stream};

/// Hours read side by side.
const HOURS_AT_ONCE: usize = 4;

/// Adds the rows of each hour to `sum`, in no order. Holds the rows of at most [`HOURS_AT_ONCE`] hours beside it.
///
/// # Errors
/// The store's.
pub async fn fold_hour_users<T>(
    store: &dyn Store,
    hours: impl Iterator<Item = Hour>,
    mut sum: T,
    mut add: impl FnMut(&mut T, Vec<HourUser>),
) -> Result<T, StoreError> {
    let mut read = stream::iter(hours).map(|hour| store.hour_users(hour)).buffer_unordered(HOURS_AT_ONCE);
    while let Some(rows) = read.try_next().await? {
        add(&mut sum, rows);
    }
    Ok(sum)
}
