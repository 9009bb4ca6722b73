//! Generations: the counts and the people of a period, written whole before the head names them, never changed after.

use crate::period::Period;
use crate::query::UserCount;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::{of_request, of_value};
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::many_rows::{ONE_PARTITION, write_all};
use crate::store::cassandra::merge::People;
use crate::store::cassandra::periods::name_of;
use crate::store::cassandra::slices::collect_until;
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::tally::{Group, Groups};
use scylla::statement::prepared::PreparedStatement;

/// People that are merged and written at once.
pub(super) const PEOPLE_AT_ONCE: usize = 2_000;

pub(super) struct Statements {
    put_counts: PreparedStatement,
    counts: PreparedStatement,
    delete_counts: PreparedStatement,
    put_people: PreparedStatement,
    pub(super) people: PreparedStatement,
    delete_people: PreparedStatement,
}

const KEY: &str = "period = ? AND generation = ?";
const COUNTS: &str = "domain, namespace, is_bot, is_redirect, page_count";
const PEOPLE: &str = "user_name, domain, user_id, namespace, is_bot, is_redirect, page_count";

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            put_counts: it.put("counts_by_period", &format!("period, generation, {COUNTS}")).await?,
            counts: it.read(COUNTS, "counts_by_period", KEY).await?,
            delete_counts: it.delete("counts_by_period", KEY).await?,
            put_people: it.put("people_by_period", &format!("period, generation, {PEOPLE}")).await?,
            people: it.read(PEOPLE, "people_by_period", KEY).await?,
            delete_people: it.delete("people_by_period", KEY).await?,
        })
    }
}

/// Writes the counts of a generation: also those that are 0 by now, for a key never disappears.
pub(super) async fn write_counts(
    store: &CassandraStore,
    period: Period,
    generation: i64,
    groups: &Groups,
) -> Result<(), StoreError> {
    let name = name_of(period);
    let row = |(group, count): (&Group, &u64)| {
        let Group { domain, namespace, is_bot, is_redirect } = group.clone();
        (name.clone(), generation, domain.to_string(), namespace, is_bot, is_redirect, count.cast_signed())
    };
    let rows: Vec<_> = groups.iter().map(row).collect();
    write_all(&store.session, &store.rollups.generations.put_counts, &rows, ONE_PARTITION).await
}

/// Writes the people of a generation.
pub(super) async fn write_people(
    store: &CassandraStore,
    period: Period,
    generation: i64,
    mut people: People<'_>,
) -> Result<(), StoreError> {
    let name = name_of(period);
    loop {
        let merged = people.next(PEOPLE_AT_ONCE).await?;
        if merged.is_empty() {
            return Ok(());
        }
        let row = |user: UserCount| {
            let UserCount { user_name, domain, user_id, namespace, is_bot, is_redirect, page_count } = user;
            let (domain, user_id, count) = (domain.to_string(), user_id.to_string(), page_count.cast_signed());
            (name.clone(), generation, user_name, domain, user_id, namespace, is_bot, is_redirect, count)
        };
        let rows: Vec<_> = merged.into_iter().map(|merged| row(merged.user)).collect();
        write_all(&store.session, &store.rollups.generations.put_people, &rows, ONE_PARTITION).await?;
    }
}

/// The counts of a sealed period, those that are 0 too.
pub(super) async fn load_counts(store: &CassandraStore, head: &Head) -> Result<Vec<(Group, u64)>, StoreError> {
    load_counts_until(store, head, usize::MAX).await
}

/// As [`load_counts`], but where there are more than `most`, only some more than that are read.
pub(super) async fn load_counts_until(
    store: &CassandraStore,
    head: &Head,
    most: usize,
) -> Result<Vec<(Group, u64)>, StoreError> {
    let values = (name_of(head.period), head.generation);
    collect_until(&store.session, &store.rollups.generations.counts, values, most, |rows, all| {
        for row in rows.rows::<(&str, i32, bool, bool, i64)>()? {
            let (domain, namespace, is_bot, is_redirect, count) = row?;
            let group = Group { domain: domain.parse().map_err(of_value)?, namespace, is_bot, is_redirect };
            all.push((group, count.cast_unsigned()));
        }
        Ok(())
    })
    .await
}

/// Removes a generation that no head names and no reader reads any more.
pub(super) async fn delete(store: &CassandraStore, period: Period, generation: i64) -> Result<(), StoreError> {
    let (session, statements, name) = (&store.session, &store.rollups.generations, name_of(period));
    for statement in [&statements.delete_counts, &statements.delete_people] {
        session.execute_unpaged(statement, (&name, generation)).await.map_err(of_request)?;
    }
    Ok(())
}
