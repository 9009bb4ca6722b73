//! People of many periods merged in their order, and set beside those that were counted before: a page of each is held.

use crate::query::UserCount;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::periods::name_of;
use crate::store::cassandra::tally::push_people;
use crate::store::{StoreError, rows_read};
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use std::cmp::Ordering;
use std::collections::VecDeque;

/// Rows of one page: a month is merged from 31 days.
const PAGE_ROWS: i32 = 1_000;

/// Rows in the order of people, each key once.
pub(super) enum Cursor<'a> {
    /// Those that are there.
    Here(&'a [UserCount]),
    /// Those of a generation, page by page.
    Stored(Box<Stored>),
}

pub(super) struct Stored {
    statement: PreparedStatement,
    period: String,
    generation: i64,
    /// Where the next page begins; none behind the last.
    next: Option<PagingState>,
    ready: VecDeque<UserCount>,
}

impl Cursor<'_> {
    /// The people of a sealed period.
    pub(super) fn of(store: &CassandraStore, head: &Head) -> Self {
        let mut statement = store.rollups.generations.people.clone();
        statement.set_page_size(PAGE_ROWS);
        Self::Stored(Box::new(Stored {
            statement,
            period: name_of(head.period),
            generation: head.generation,
            next: Some(PagingState::start()),
            ready: VecDeque::new(),
        }))
    }

    /// Reads on until there is a row to look at, or none is left.
    async fn fill(&mut self, store: &CassandraStore) -> Result<(), StoreError> {
        let Self::Stored(stored) = self else { return Ok(()) };
        while stored.ready.is_empty() {
            let Some(at) = stored.next.take() else { return Ok(()) };
            let values = (&stored.period, stored.generation);
            let read = store.session.execute_single_page(&stored.statement, values, at).await;
            let (page, more) = read.map_err(of_request)?;
            push_people(&page.into_rows_result()?, &mut stored.ready)?;
            rows_read::add(stored.ready.len() as u64);
            if let PagingStateResponse::HasMorePages { state } = more {
                stored.next = Some(state);
            }
        }
        Ok(())
    }

    fn peek(&self) -> Option<&UserCount> {
        match self {
            Self::Here(rows) => rows.first(),
            Self::Stored(stored) => stored.ready.front(),
        }
    }

    /// Takes the first row's count if its key is that of `user`.
    fn take_if(&mut self, user: &UserCount) -> Option<u64> {
        let page_count = self.peek().filter(|row| by_key(row, user).is_eq())?.page_count;
        match self {
            Self::Here(rows) => *rows = &rows[1..],
            Self::Stored(stored) => drop(stored.ready.pop_front()),
        }
        Some(page_count)
    }
}

fn by_key(a: &UserCount, b: &UserCount) -> Ordering {
    let key = |user: &UserCount| (user.user_id, user.namespace, user.is_bot, user.is_redirect);
    a.user_name.cmp(&b.user_name).then_with(|| a.domain.cmp(&b.domain)).then_with(|| key(a).cmp(&key(b)))
}

/// A key's count, summed over the periods, and what it was before; none where it is new.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) user: UserCount,
    pub(super) before: Option<u64>,
}

/// A merge under way.
pub(super) struct Merge<'a> {
    store: &'a CassandraStore,
    parts: Vec<Cursor<'a>>,
    before: Option<Cursor<'a>>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(store: &'a CassandraStore, parts: Vec<Cursor<'a>>, before: Option<Cursor<'a>>) -> Self {
        Self { store, parts, before }
    }

    /// The next rows, at most `limit`; none at the end. A key that only was counted before has the count 0.
    pub(super) async fn next(&mut self, limit: usize) -> Result<Vec<Merged>, StoreError> {
        let mut rows = Vec::new();
        while rows.len() < limit {
            if self.parts.iter().chain(&self.before).any(|cursor| cursor.peek().is_none()) {
                self.fill().await?;
            }
            let Some(first) = self.take_first() else { break };
            rows.push(first);
        }
        Ok(rows)
    }

    /// Reads on where a page came to its end, and lets go of what has no rows left.
    async fn fill(&mut self) -> Result<(), StoreError> {
        for cursor in self.parts.iter_mut().chain(&mut self.before) {
            cursor.fill(self.store).await?;
        }
        self.parts.retain(|cursor| cursor.peek().is_some());
        self.before.take_if(|cursor| cursor.peek().is_none());
        Ok(())
    }

    fn take_first(&mut self) -> Option<Merged> {
        let first = self.parts.iter().chain(&self.before).filter_map(Cursor::peek).min_by(|a, b| by_key(a, b));
        let mut user = first.cloned()?;
        user.page_count = self.parts.iter_mut().filter_map(|part| part.take_if(&user)).sum();
        let before = self.before.as_mut().and_then(|before| before.take_if(&user));
        Some(Merged { user, before })
    }
}

/// What a merge gives: under way, or all there already.
pub(super) enum People<'a> {
    Here(&'a [Merged]),
    Merging(Merge<'a>),
}

impl People<'_> {
    /// As [`Merge::next`].
    pub(super) async fn next(&mut self, limit: usize) -> Result<Vec<Merged>, StoreError> {
        match self {
            Self::Here(people) => {
                let (next, rest) = people.split_at(limit.min(people.len()));
                *people = rest;
                Ok(next.to_vec())
            }
            Self::Merging(merge) => merge.next(limit).await,
        }
    }
}
