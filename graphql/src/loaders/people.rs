//! The people of many hours. One operation reads them for one question at a time, so that memory does not grow with its
//! questions.

use crate::schema::errors::ApiError;
use crate::schema::ranks::{RankQuery, UserRank};
use schema::counts::{PeopleTurn, fold_user_counts};
use schema::hour::HourRange;
use schema::query::{PageFilter, UserCount};
use schema::store::Store;
use std::collections::{HashMap, HashSet};
use tokio::sync::MutexGuard;

/// What was asked, with its answers.
#[derive(Default)]
pub(super) struct Known {
    counts: HashMap<(HourRange, PageFilter), u64>,
    ranks: HashMap<RankQuery, Vec<UserRank>>,
}

/// The one question of an operation that reads people now.
pub(crate) struct People<'a> {
    store: &'a dyn Store,
    known: MutexGuard<'a, Known>,
    /// From the first question on that nobody asked before.
    turn: Option<PeopleTurn>,
}

impl<'a> People<'a> {
    pub(super) fn new(store: &'a dyn Store, known: MutexGuard<'a, Known>) -> Self {
        Self { store, known, turn: None }
    }

    /// Adds the people of each hour or day to `sum`, in no order of time.
    pub(crate) async fn fold<T>(
        &mut self,
        hours: HourRange,
        sum: T,
        add: impl FnMut(&mut T, Vec<UserCount>),
    ) -> Result<T, ApiError> {
        if self.turn.is_none() {
            self.turn = PeopleTurn::take().await;
        }
        let turn = self.turn.as_ref().ok_or(ApiError::Busy)?;
        Ok(fold_user_counts(turn, self.store, hours, sum, add).await?)
    }

    /// A ranking that was asked for before.
    pub(crate) fn ranked(&self, question: &RankQuery) -> Option<Vec<UserRank>> {
        self.known.ranks.get(question).cloned()
    }

    /// Keeps a ranking for who asks the same.
    pub(crate) fn keep_ranked(&mut self, question: RankQuery, ranked: Vec<UserRank>) {
        self.known.ranks.insert(question, ranked);
    }

    /// How many people created pages that pass: a name counts once, on however many wikis and in however many hours. The
    /// same question is read once.
    pub(crate) async fn count(&mut self, hours: HourRange, filter: &PageFilter) -> Result<u64, ApiError> {
        let question = (hours, filter.clone());
        if let Some(count) = self.known.counts.get(&question) {
            return Ok(*count);
        }
        let names = self
            .fold(hours, HashSet::new(), |names, rows| {
                names.extend(rows.into_iter().filter(|row| filter.matches_user_count(row)).map(|row| row.user_name));
            })
            .await?;
        let count = names.len() as u64;
        self.known.counts.insert(question, count);
        Ok(count)
    }
}
