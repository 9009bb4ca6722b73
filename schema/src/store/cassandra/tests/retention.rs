//! Rows carry their end, all of a page the same; marks of frozen hours hold nothing up.

use super::counting::*;
use super::verify::key_of;
use super::*;
use crate::query::{ListOrder, PageList};
use crate::reference::{lists_of, read_list};
use crate::store::cassandra::rows::PageTexts;
use crate::store::conformance::Realm;
use crate::store::conformance::retention::Aging;
use crate::tables::Table;
use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400;

async fn open_aging(name: &str) -> Option<Aging> {
    let [store] = open_stores(&name[..name.len().min(20)]).await?;
    let aged = Arc::clone(&store);
    let pass = move |pages: Vec<Page>, now: DateTime<Utc>| {
        let store = Arc::clone(&aged);
        async move { let_go(&store, &pages, now).await }.boxed()
    };
    Some(Aging { store, pass: Box::new(pass), _keep: Box::new(()) })
}

/// What the node does when rows are over, whose clock cannot be moved: they are deleted as what they were.
async fn let_go(store: &CassandraStore, pages: &[Page], now: DateTime<Utc>) {
    let until = store.retention().await.unwrap().expired_before(now);
    let mut statements = Vec::new();
    for page in pages.iter().filter(|page| Hour::of(page.created_at) < until) {
        for table in Table::ALL {
            let (name, key) = (table.name(), key_of(table, page));
            statements
                .push(format!("DELETE FROM {}.{name} USING TIMESTAMP {} WHERE {key}", store.keyspace, page.version));
        }
        let hour = Hour::of(page.created_at).to_string();
        statements.push(format!(
            "DELETE FROM {}.hours WHERE shelf = '{}' AND date_hour = '{hour}'",
            store.keyspace,
            &hour[..4]
        ));
    }
    for batch in statements.chunks(64) {
        join_all(batch.iter().map(|cql| store.session.query_unpaged(cql.as_str(), ()))).await;
    }
    // What another process reads again after some seconds.
    store.retention.set(None);
}

crate::retention_conformance!(open_aging);

/// For how many seconds rows are kept, by table; none is for ever.
async fn ttls(store: &CassandraStore, page: &Page) -> Vec<Option<i32>> {
    let read = async |table: Table| {
        let (name, key) = (table.name(), key_of(table, page));
        let cql = format!("SELECT TTL(namespace) FROM {}.{name} WHERE {key}", store.keyspace);
        let answer = store.session.query_unpaged(cql, ()).await.unwrap().into_rows_result().unwrap();
        answer.single_row::<(Option<i32>,)>().unwrap().0
    };
    let mut all = join_all(Table::ALL.map(read)).await;
    let hour = Hour::of(page.created_at).to_string();
    let cql = "SELECT date_hour FROM KEYSPACE.hours WHERE shelf = 'SHELF' AND date_hour = 'HOUR'";
    let cql = cql.replace("KEYSPACE", &store.keyspace).replace("SHELF", &hour[..4]).replace("HOUR", &hour);
    let listed = store.session.query_unpaged(cql, ()).await.unwrap().into_rows_result().unwrap();
    assert_eq!(listed.rows_num(), 1, "{hour} is listed");
    all.dedup_by(|a, b| a.zip(*b).map_or(a == b, |(a, b)| (a - b).abs() < 60));
    all
}

/// All rows of `page` are kept for `seconds`, give or take what the test has spent.
async fn check_ttl(store: &CassandraStore, page: &Page, seconds: Option<i64>) {
    let found = ttls(store, page).await;
    let near = |found: &Option<i32>| match (found, seconds) {
        (Some(found), Some(wanted)) => (wanted - 120..=wanted).contains(&i64::from(*found)),
        (None, None) => true,
        _ => false,
    };
    assert!(found.len() == 1 && near(&found[0]), "{found:?}, wanted {seconds:?}");
}

#[tokio::test]
async fn all_rows_of_a_page_go_at_the_same_time() {
    let Some([store, reader]) = open_stores("ttl").await else { return };
    let realm = Realm::of("ttl");
    let begin = realm.hour(0).start();
    let page = |n: u32, day: i64| Page { created_at: begin + TimeDelta::days(day), ..realm.page(n) };
    let at = |day: i64| begin + TimeDelta::days(day);
    store.write_pages(&[page(1, 0)], at(0)).await.unwrap();
    check_ttl(&store, &page(1, 0), None).await;
    store.set_keep(Keep::Days(40), at(0)).await.unwrap();
    // Alone and in batches; on its day and late.
    let pages: Vec<Page> = (2..40).map(|n| page(n, 1)).collect();
    store.write_pages(&pages, at(1)).await.unwrap();
    check_ttl(&store, &pages[0], Some(40 * DAY)).await;
    check_ttl(&store, &pages[37], Some(40 * DAY)).await;
    store.write_pages(&[page(50, 2)], at(40)).await.unwrap();
    check_ttl(&store, &page(50, 2), Some(2 * DAY)).await;
    // The same again: neither longer nor shorter; what had no end has one now.
    store.write_pages(&[pages.as_slice(), &[page(1, 0)]].concat(), at(11)).await.unwrap();
    check_ttl(&store, &pages[0], Some(40 * DAY)).await;
    check_ttl(&store, &page(1, 0), Some(29 * DAY)).await;
    // Set to be kept for ever: what was written may go, and so must all of its hour.
    store.set_keep(Keep::All, at(12)).await.unwrap();
    assert_eq!(reader.retention().await.unwrap().keep(), Keep::All);
    store.write_pages(&[page(60, 13), page(61, 15)], at(13)).await.unwrap();
    check_ttl(&store, &page(60, 13), Some(40 * DAY)).await;
    check_ttl(&store, &page(61, 15), None).await;
}

#[tokio::test]
async fn lists_end_where_rows_were_over() {
    let Some([store]) = open_stores("over").await else { return };
    let pages = Realm::of("over").varied_pages(60);
    let write = async |pages: &[Page], ttl| {
        let texts: Vec<_> = pages.iter().map(|page| PageTexts::of(page, ttl)).collect();
        let missing = store.remembered.missing(pages);
        write::write_rows(&store, &texts, missing, &|_| ttl).await.unwrap();
    };
    write(&pages[30..], 0).await;
    write(&pages[..30], 5).await;
    let alone = Page { created_at: pages[0].created_at + TimeDelta::days(1), ..pages[0].clone() };
    write(std::slice::from_ref(&alone), 5).await;
    let begun = Instant::now();
    for list in pages.iter().flat_map(lists_of) {
        let wanted = crate::reference::Reference::of(&pages[30..]);
        let query = PageQuery::newest(list.clone(), 7);
        let wanted = wanted.list_pages(&PageQuery { limit: 1_000, ..query.clone() });
        while read_list(&*store, query.clone()).await.unwrap() != wanted {
            assert!(begun.elapsed() < Duration::from_secs(30), "{list:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let all = PageQuery::newest(PageList::All, 100);
    assert_eq!(read_list(&*store, all).await.unwrap().len(), 30);
    while store.listed_hours().await.unwrap().contains(&Hour::of(alone.created_at)) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the hour without pages is still listed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(hours::stored_years(&store).await.unwrap().len(), 1, "but its year is");
}

#[tokio::test]
async fn what_an_older_setting_kept_longer_is_not_listed() {
    let Some([store]) = open_stores("kept_longer").await else { return };
    let realm = Realm::of("kept_longer");
    let (begin, page) = (realm.hour(0).start(), realm.page(0));
    let newer = Page { created_at: begin + TimeDelta::days(20), ..realm.page(1) };
    store.write_pages(std::slice::from_ref(&page), begin).await.unwrap();
    store.set_keep(Keep::Days(40), begin).await.unwrap();
    store.write_pages(std::slice::from_ref(&newer), begin + TimeDelta::days(20)).await.unwrap();
    let key = [(page.domain.clone(), page.user_id)];
    for (day, wanted) in [(40, 2), (41, 1), (61, 0)] {
        store.seal_counts(begin + TimeDelta::days(day)).await.unwrap();
        store.retention.set(None);
        for list in lists_of(&page) {
            for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
                let query = PageQuery { order, ..PageQuery::newest(list.clone(), 10) };
                assert_eq!(read_list(&*store, query).await.unwrap().len(), wanted, "day {day}: {list:?} {order:?}");
            }
        }
        assert_eq!(store.load_users(&key).await.unwrap()[0].is_some(), wanted > 0, "day {day}");
    }
}

#[tokio::test]
async fn marks_of_frozen_hours_hold_nothing_up() {
    let Some([store]) = open_stores("frozen_marks").await else { return };
    let realm = Realm::of("frozen_marks");
    let begin = realm.hour(0).start();
    let at = |day: i64, hours: i64| begin + TimeDelta::hours(day * 24 + hours);
    store.set_keep(Keep::Days(40), begin).await.unwrap();
    let pages = some_pages(&realm, 90);
    store.write_pages(&pages[..60], at(1, 0)).await.unwrap();
    // Written just before the hours froze, sealed just behind it: all counts.
    assert_eq!(store.seal_counts(at(39, 8)).await.unwrap().left, 0);
    check_recount(&store, &pages[..60], "sealed when frozen").await;
    // Written by who thinks that it is earlier: too late to be sealed.
    store.write_pages(&pages[60..], at(1, 0)).await.unwrap();
    let pass = store.seal_counts(at(40, 0)).await.unwrap();
    assert_eq!(pass.left, 0, "their day and what it is part of may be sealed, of what was counted");
    check_recount(&store, &pages[..60], "not sealed any more").await;
    assert_eq!(store.counts_as_of().await.unwrap(), Some(at(40, 0)));
}
