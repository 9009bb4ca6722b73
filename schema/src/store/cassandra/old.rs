//! Generations out of use: removed once no reader can still be at them.
//!
//! Noted before the head is flipped, the new one as well as the old: whichever of them loses, by a lost race or by a
//! crash, is found. What is the head's own when it is looked at stays; it is noted again when it is replaced.

use crate::period::Period;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::periods::{name_of, parse_name};
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::{generations, heads};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::statement::prepared::PreparedStatement;
use std::time::Duration;

/// Generations are noted by the slot, and removed with it. A slot is one process's, for so long.
pub(super) const SLOT_LASTS: Duration = Duration::from_secs(600);
/// A slot is removed so long behind when the remover saw it first: what was noted last in it is flipped, and read by
/// nobody, for a request's reads take seconds. Each measures its own time, so no clock need be right.
const SEEN_FOR: Duration = Duration::from_secs(1_200);
/// A sealing that takes longer from its note to its flip is given up: what it wrote might be removed already.
pub(super) const FLIPS_WITHIN: Duration = Duration::from_secs(300);
/// Generations removed at once.
const AT_ONCE: usize = 8;
/// The shelf of the table that lists the slots.
const SLOTS: &str = "slots";

pub(super) struct Statements {
    put: PreparedStatement,
    put_slot: PreparedStatement,
    of_slot: PreparedStatement,
    slots: PreparedStatement,
    delete: PreparedStatement,
    delete_slot: PreparedStatement,
}

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            put: it.put("old_generations", "slot, period, generation").await?,
            put_slot: it.put("old_slots", "shelf, slot").await?,
            of_slot: it.read("period, generation", "old_generations", "slot = ?").await?,
            slots: it.read("slot", "old_slots", "shelf = ?").await?,
            delete: it.delete("old_generations", "slot = ?").await?,
            delete_slot: it.delete("old_slots", "shelf = ? AND slot = ?").await?,
        })
    }
}

/// Notes a period's generation, and the one that is to be its next: one of them will be out of use.
pub(super) async fn note(
    store: &CassandraStore,
    period: Period,
    before: Option<&Head>,
    next: i64,
) -> Result<(), StoreError> {
    let (session, statements, slot) = (&store.session, &store.rollups.old, store.sealer.slot());
    session.execute_unpaged(&statements.put_slot, (SLOTS, slot)).await.map_err(of_request)?;
    for generation in before.map(|head| head.generation).into_iter().chain([next]) {
        let values = (slot, name_of(period), generation);
        session.execute_unpaged(&statements.put, values).await.map_err(of_request)?;
    }
    Ok(())
}

/// Removes what was noted long enough ago.
pub(super) async fn remove(store: &CassandraStore) -> Result<(), StoreError> {
    let (session, statements) = (&store.session, &store.rollups.old);
    let slots = collect(session, &statements.slots, (SLOTS,), |rows, all| {
        for row in rows.rows::<(i64,)>()? {
            all.push(row?.0);
        }
        Ok(())
    });
    for slot in store.sealer.seen_for(&slots.await?, SEEN_FOR) {
        let noted = collect(session, &statements.of_slot, (slot,), |rows, all| {
            for row in rows.rows::<(&str, i64)>()? {
                let (period, generation) = row?;
                all.push((parse_name(period)?, generation));
            }
            Ok(())
        });
        let removals: Vec<_> =
            noted.await?.into_iter().map(|(period, generation)| remove_one(store, period, generation)).collect();
        stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        session.execute_unpaged(&statements.delete, (slot,)).await.map_err(of_request)?;
        session.execute_unpaged(&statements.delete_slot, (SLOTS, slot)).await.map_err(of_request)?;
    }
    Ok(())
}

async fn remove_one(store: &CassandraStore, period: Period, generation: i64) -> Result<(), StoreError> {
    let head = heads::load_current(store, period).await?;
    if head.is_some_and(|head| head.generation == generation) {
        return Ok(());
    }
    generations::delete(store, period, generation).await
}
