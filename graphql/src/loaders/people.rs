//! The people of many hours. One operation reads them for one question at a time, so that memory does not grow with its
//! questions.

use crate::schema::errors::ApiError;
use schema::counts::fold_user_counts;
use schema::hour::HourRange;
use schema::query::{PageFilter, UserCount};
use schema::store::Store;
use std::collections::HashSet;
use tokio::sync::MutexGuard;

/// The one question of an operation that reads people now.
pub(crate) struct People<'a> {
    store: &'a dyn Store,
    _turn: MutexGuard<'a, ()>,
}

impl<'a> People<'a> {
    pub(super) fn new(store: &'a dyn Store, turn: MutexGuard<'a, ()>) -> Self {
        Self { store, _turn: turn }
    }

    /// Adds the people of each hour or day to `sum`, in no order of time.
    pub(crate) async fn fold<T>(
        &self,
        hours: HourRange,
        sum: T,
        add: impl FnMut(&mut T, Vec<UserCount>),
    ) -> Result<T, ApiError> {
        Ok(fold_user_counts(self.store, hours, sum, add).await?)
    }

    /// How many people created pages that pass: a name counts once, on however many wikis and in however many hours.
    pub(crate) async fn count(&self, hours: HourRange, filter: &PageFilter) -> Result<u64, ApiError> {
        let names = self
            .fold(hours, HashSet::new(), |names, rows| {
                names.extend(rows.into_iter().filter(|row| filter.matches_user_count(row)).map(|row| row.user_name));
            })
            .await?;
        Ok(names.len() as u64)
    }
}
