//! What a pass proves, how the running hour rests, what becomes of old generations and of an older layout's pages.

use super::counting::*;
use super::{CassandraStore, Migration, connect};
use crate::hour::Hour;
use crate::page::Page;
use crate::store::conformance::Realm;
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use std::collections::BTreeSet;
use std::sync::Arc;

async fn as_of(store: &CassandraStore) -> DateTime<Utc> {
    store.counts_as_of().await.unwrap().expect("counts may be behind the pages")
}

/// Pages of the first minutes of an hour.
fn pages_of(hour: Hour, count: u32) -> Vec<Page> {
    let pages = some_pages(&Realm::of("passes"), count).into_iter().zip(0..);
    pages.map(|(page, n)| Page { created_at: hour.start() + TimeDelta::seconds(n), ..page }).collect()
}

#[tokio::test]
async fn a_pass_says_up_to_when_it_counted() {
    let Some([store, writer]) = open_stores("as_of").await else { return };
    let hour = Hour::of("2026-03-31T23:00:00Z".parse().unwrap());
    let at = |seconds| hour.start() + TimeDelta::seconds(seconds);
    assert_eq!(as_of(&store).await, DateTime::UNIX_EPOCH, "no pass was made");
    let pages = pages_of(hour, 90);
    writer.write_pages(&pages[..30], DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.seal_counts(at(60)).await.unwrap().left, 0);
    assert_eq!(as_of(&store).await, at(60));

    // The running hour rests: what came since is not counted, and nobody says so.
    writer.write_pages(&pages[30..60], DateTime::UNIX_EPOCH).await.unwrap();
    let pass = store.seal_counts(at(62)).await.unwrap();
    assert_eq!((pass.sealed, pass.left), (0, 1));
    assert_eq!(as_of(&store).await, at(60));

    // Nor is it by a pass that fails; but by one of another process, and by one whose clock is behind nothing changes.
    let fails = |_, _| futures::future::ready(Err(StoreError::Unavailable("dead".into()))).boxed();
    set_hook(&writer, Some(Arc::new(fails)));
    writer.seal_counts(at(3_601)).await.expect_err("the pass fails");
    assert_eq!(as_of(&store).await, at(60));
    set_hook(&writer, None);
    assert_eq!(writer.seal_counts(at(3_601)).await.unwrap().left, 0);
    assert_eq!(store.seal_counts(at(3_590)).await.unwrap().left, 0);
    assert_eq!(as_of(&store).await, at(3_601));
    check_recount(&store, &pages[..60], "the day is not sealed yet").await;

    // Day and month are over: they are sealed, and again with a late page.
    assert_eq!(store.seal_counts(at(2 * 86_400)).await.unwrap().sealed, 2);
    check_recount(&store, &pages[..60], "the month is sealed").await;
    writer.write_pages(&pages[60..], DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.seal_counts(at(2 * 86_400)).await.unwrap().sealed, 3);
    check_recount(&store, &pages, "a late page came").await;
}

/// A clock that was ahead has had the running day sealed: it is sealed on, or readers would miss what came since.
#[tokio::test]
async fn a_day_sealed_too_early_is_sealed_on() {
    let Some([store]) = open_stores("early").await else { return };
    let hour = Hour::of("2026-03-15T10:00:00Z".parse().unwrap());
    let (first, second) = (pages_of(hour, 20), late(&late(&pages_of(hour, 20))));
    let next_day: Vec<Page> = pages_of(hour.plus(24), 30).split_off(20);
    store.write_pages(&first, DateTime::UNIX_EPOCH).await.unwrap();
    store.write_pages(&second, DateTime::UNIX_EPOCH).await.unwrap();
    seal_all(&store).await;
    store.write_pages(&next_day, DateTime::UNIX_EPOCH).await.unwrap();
    let pass = store.seal_counts(hour.plus(25).start()).await.unwrap();
    assert_eq!((pass.sealed, pass.left), (4, 0), "hour, day, month, year");
    check_recount(&store, &[first, second, next_day].concat(), "sealed early").await;
}

#[tokio::test]
async fn old_generations_are_removed() {
    let Some([store, other]) = open_stores("old").await else { return };
    let hour = Hour::of("2026-03-31T12:00:00Z".parse().unwrap());
    let at = |minutes| hour.start() + TimeDelta::minutes(minutes);
    let pages = pages_of(hour, 60);
    for (n, part) in pages.chunks(20).enumerate() {
        store.write_pages(part, DateTime::UNIX_EPOCH).await.unwrap();
        store.seal_counts(at(61 + n as i64)).await.unwrap();
    }
    assert_eq!(generations_of_hours(&store).await, 3);
    // A process looks once a minute, so another one does; the grace is not over at first.
    other.seal_counts(at(69)).await.unwrap();
    assert_eq!(generations_of_hours(&store).await, 3);
    other.sealer.forget_removals();
    other.seal_counts(at(81)).await.unwrap();
    assert_eq!(generations_of_hours(&store).await, 1);
    check_recount(&store, &pages, "old generations are gone").await;
}

async fn generations_of_hours(store: &CassandraStore) -> usize {
    let keyspace = store.rollups.generations.people.get_table_spec().expect("it names a table").ks_name().to_owned();
    let cql = format!("SELECT period, generation FROM {keyspace}.people_by_period");
    let answer = store.session.query_unpaged(cql, ()).await.unwrap().into_rows_result().unwrap();
    let rows: BTreeSet<(String, i64)> = answer.rows().unwrap().map(Result::unwrap).collect();
    rows.iter().filter(|(period, _)| period.len() == 13).count()
}

/// Layout 1 had no marks: its hours are marked when it is opened, and counted like any other.
#[tokio::test]
async fn pages_of_an_older_layout_are_counted() {
    let Some((session, nodes, keyspace)) = connect().await else { return };
    let open = async |migration| CassandraStore::open(&nodes, &keyspace, migration).await.unwrap();
    let pages = some_pages(&Realm::of("upgrade"), 200);
    let older = open(Migration::Apply).await;
    older.write_pages(&[pages.clone(), late(&pages)].concat(), DateTime::UNIX_EPOCH).await.unwrap();
    for table in ["marks", "heads", "counts_by_domain"] {
        session.query_unpaged(format!("DROP TABLE {keyspace}.{table}"), ()).await.unwrap();
    }
    let version = format!("INSERT INTO {keyspace}.schema_version (shelf, version) VALUES ('layout', 1)");
    session.query_unpaged(version, ()).await.unwrap();

    let newer = open(Migration::Apply).await;
    assert_eq!(as_of(&newer).await, DateTime::UNIX_EPOCH);
    seal_all(&newer).await;
    check_recount(&newer, &[pages.clone(), late(&pages)].concat(), "an older layout").await;
    assert_eq!(as_of(&newer).await, long_after());
}
