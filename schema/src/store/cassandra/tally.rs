//! Tallies: what is counted apart, and an hour's rows counted minute by minute while they are read page by page.

use crate::hour::Hour;
use crate::page::Domain;
use crate::query::UserCount;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::incarnation::{Minute, minute_of};
use crate::store::cassandra::slices::{PAGE_ROWS, visit_pages};
use chrono::{DateTime, TimeDelta, Utc};
use scylla::response::query_result::QueryRowsResult;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The columns of a row that say how it counts.
pub(super) const COLUMNS: &str = "created_at, user_name, domain, user_id, namespace, is_bot, is_redirect";

/// Pages of one wiki that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) domain: Domain,
    pub(super) namespace: i32,
    pub(super) is_bot: bool,
    pub(super) is_redirect: bool,
}

impl Group {
    pub(super) fn of(user: &UserCount) -> Self {
        let UserCount { namespace, is_bot, is_redirect, .. } = *user;
        Self { domain: user.domain.clone(), namespace, is_bot, is_redirect }
    }
}

/// Pages by group.
pub(super) type Groups = BTreeMap<Group, u64>;

/// The groups of people's pages.
pub(super) fn groups_of<'a>(people: impl IntoIterator<Item = &'a UserCount>) -> Groups {
    let mut groups = Groups::new();
    for user in people {
        *groups.entry(Group::of(user)).or_default() += user.page_count;
    }
    groups
}

/// The people of an hour, minute by minute.
#[derive(Debug, Default)]
pub(super) struct HourTally(BTreeMap<Minute, BTreeMap<UserCount, u64>>);

impl HourTally {
    /// Counts all of an hour by reading its rows. The table holds each creation once, whoever is its author.
    pub(super) async fn of_hour(store: &CassandraStore, hour: Hour) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        let (session, statement) = (&store.session, &store.rollups.rows_of_hour);
        visit_pages::<()>(session, statement, (hour.to_string(),), PAGE_ROWS, |rows| tally.add(rows)).await?;
        Ok(tally)
    }

    /// Counts these minutes of an hour anew.
    pub(super) async fn count_again(
        &mut self,
        store: &CassandraStore,
        hour: Hour,
        minutes: &BTreeSet<Minute>,
    ) -> Result<(), StoreError> {
        let (session, statement) = (&store.session, &store.rollups.rows_of_minute);
        for minute in minutes {
            self.0.remove(minute);
            let from = hour.start() + TimeDelta::minutes((*minute).into());
            let values = (hour.to_string(), from, from + TimeDelta::minutes(1));
            visit_pages::<()>(session, statement, values, PAGE_ROWS, |rows| self.add(rows)).await?;
        }
        Ok(())
    }

    fn add(&mut self, rows: &QueryRowsResult) -> Result<ControlFlow<()>, StoreError> {
        for row in rows.rows::<(DateTime<Utc>, &str, &str, &str, i32, bool, bool)>()? {
            let (created_at, user_name, domain, user_id, namespace, is_bot, is_redirect) = row?;
            let user = user_count((user_name, domain, user_id, namespace, is_bot, is_redirect, 0))?;
            *self.0.entry(minute_of(created_at)).or_default().entry(user).or_default() += 1;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The people of the hour, in their order.
    pub(super) fn people(&self) -> Vec<UserCount> {
        let mut people: BTreeMap<&UserCount, u64> = BTreeMap::new();
        for (user, page_count) in self.0.values().flatten() {
            *people.entry(user).or_default() += page_count;
        }
        people.into_iter().map(|(user, page_count)| UserCount { page_count, ..user.clone() }).collect()
    }

    /// How many counts it holds.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

/// A row of people as it is stored.
pub(super) type PeopleRow<'a> = (&'a str, &'a str, &'a str, i32, bool, bool, i64);

pub(super) fn user_count(row: PeopleRow<'_>) -> Result<UserCount, StoreError> {
    let (user_name, domain, user_id, namespace, is_bot, is_redirect, page_count) = row;
    Ok(UserCount {
        user_name: user_name.into(),
        domain: domain.parse().map_err(of_value)?,
        user_id: user_id.parse().map_err(of_value)?,
        namespace,
        is_bot,
        is_redirect,
        page_count: page_count.cast_unsigned(),
    })
}

/// The people of one page of an answer.
pub(super) fn push_people(rows: &QueryRowsResult, all: &mut impl Extend<UserCount>) -> Result<(), StoreError> {
    for row in rows.rows::<PeopleRow<'_>>()? {
        all.extend([user_count(row?)?]);
    }
    Ok(())
}
