//! The read of a report that takes one question per hour.

use super::People;
use crate::hour::HourRange;
use crate::store::{Store, StoreError};
use futures::{StreamExt, TryStreamExt, stream};

/// Hours read side by side.
const HOURS_AT_ONCE: usize = 4;

/// The people of a window. Holds one entry per person and account, and the rows of at most [`HOURS_AT_ONCE`] hours.
///
/// # Errors
/// The store's.
pub async fn load_people(store: &dyn Store, window: HourRange) -> Result<People, StoreError> {
    stream::iter(window.hours())
        .map(|hour| store.hour_users(hour))
        .buffer_unordered(HOURS_AT_ONCE)
        .try_fold(People::default(), |mut people, rows| async move {
            people.add(rows);
            Ok(people)
        })
        .await
}
