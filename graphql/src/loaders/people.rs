//! The people of many hours. One operation reads them for one question at a time, so that memory does not grow with its
//! questions.

use crate::schema::errors::ApiError;
use schema::counts::fold_user_counts;
use schema::hour::HourRange;
use schema::query::{PageFilter, UserCount};
use schema::store::Store;
use std::collections::{HashMap, HashSet};
use tokio::sync::MutexGuard;

/// How many people there were, by what was asked.
pub(super) type Known = HashMap<(HourRange, PageFilter), u64>;

/// The one question of an operation that reads people now.
pub(crate) struct People<'a> {
    store: &'a dyn Store,
    known: MutexGuard<'a, Known>,
}

impl<'a> People<'a> {
    pub(super) fn new(store: &'a dyn Store, known: MutexGuard<'a, Known>) -> Self {
        Self { store, known }
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

    /// How many people created pages that pass: a name counts once, on however many wikis and in however many hours. The
    /// same question is read once.
    pub(crate) async fn count(&mut self, hours: HourRange, filter: &PageFilter) -> Result<u64, ApiError> {
        let question = (hours, filter.clone());
        if let Some(count) = self.known.get(&question) {
            return Ok(*count);
        }
        let names = self
            .fold(hours, HashSet::new(), |names, rows| {
                names.extend(rows.into_iter().filter(|row| filter.matches_user_count(row)).map(|row| row.user_name));
            })
            .await?;
        let count = names.len() as u64;
        self.known.insert(question, count);
        Ok(count)
    }
}
