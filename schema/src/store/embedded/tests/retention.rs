//! Pages are removed bit by bit, beside writes and behind what awaits counting; their room is used again.

use super::open;
use crate::counts::count_pages;
use crate::hour::HourRange;
use crate::page::Page;
use crate::query::{PageFilter, PageList};
use crate::retention::Keep;
use crate::store::conformance::Realm;
use crate::store::conformance::retention::Aging;
use crate::store::embedded::{DATABASE_FILE, EmbeddedStore, counting, expiry};
use crate::store::{Sealing, Store};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Waits until nothing is to be removed any more.
async fn removed(store: &EmbeddedStore, now: DateTime<Utc>) {
    let begun = Instant::now();
    loop {
        let is_due = store.readers.read(move |db| expiry::is_due(db, now)).await.unwrap();
        if !is_due {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "pages are left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn open_aging(_: &str) -> Option<Aging> {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()).await.unwrap());
    let aged = Arc::clone(&store);
    let pass = move |_: Vec<Page>, now: DateTime<Utc>| {
        let store = Arc::clone(&aged);
        async move { removed(&store, now).await }.boxed()
    };
    Some(Aging { store, pass: Box::new(pass), _keep: Box::new(folder) })
}

crate::retention_conformance!(open_aging);

/// Pages of 40 hours, all of them long before `now`.
fn many_pages(realm: &Realm, first: u32, count: u32) -> Vec<Page> {
    let page = |n: u32| {
        let created_at = realm.hour(0).start() + TimeDelta::seconds(i64::from(n) * 29);
        Page { created_at, version: created_at.timestamp_micros(), ..realm.page(first + n) }
    };
    (0..count).map(page).collect()
}

fn size(folder: &Path) -> u64 {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    std::fs::metadata(folder.join(DATABASE_FILE)).unwrap().len()
}

#[tokio::test]
async fn pages_are_removed_in_parts_and_their_room_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (realm, store) = (Realm::of("room"), open(folder.path()).await.unwrap());
    let first = realm.hour(47).start();
    store.set_keep(Keep::Days(40), first).await.unwrap();
    let mut largest = 0;
    for round in 0..4u32 {
        let now = first + TimeDelta::days(i64::from(round) * 50);
        let of_round =
            |page: Page| Page { created_at: page.created_at + TimeDelta::days(i64::from(round) * 50), ..page };
        let pages: Vec<Page> = many_pages(&realm, round * 5_000, 4_500).into_iter().map(of_round).collect();
        for batch in pages.chunks(500) {
            store.write_pages(batch, now).await.unwrap();
        }
        let later = now + TimeDelta::days(45);
        store.remove_expired(later).await.unwrap();
        // Written while pages are removed, and not to be removed.
        let beside = Page { created_at: later, ..realm.page(90_000 + round) };
        store.write_pages(std::slice::from_ref(&beside), later).await.unwrap();
        removed(&store, later).await;
        let key = [(beside.domain.clone(), beside.page_id)];
        assert_eq!(store.load_pages(&key).await.unwrap(), [Some(beside)]);
        let bytes = size(folder.path());
        if round == 0 {
            largest = bytes;
        }
        assert!(bytes <= largest * 5 / 4, "round {round}: {bytes} after {largest}; only counts may add to it");
    }
    drop(store);
    let db = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let indexes =
        ["id_index", "user_index", "account_index", "domain_index", "time_index", "user_name_index", "latest_index"];
    for table in indexes.into_iter().chain(["title_index", "pages"]) {
        let mut statement = db.prepare(&format!("SELECT page_no FROM {table}")).unwrap();
        let rows = statement.query_map([], |_| Ok(())).unwrap().count();
        assert_eq!(rows, 1, "{table}: the last of those that came beside");
    }
}

#[tokio::test]
async fn what_awaits_counting_is_counted_before_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (realm, store) = (Realm::of("awaits"), open(folder.path()).await.unwrap());
    let pages = many_pages(&realm, 0, 4_500);
    let now = realm.hour(47).start();
    store.set_keep(Keep::Days(40), now).await.unwrap();
    let before = store.write_pages(&pages, now).await.unwrap();
    drop(store);
    let db = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    counting::count_all_anew(&db).unwrap();
    let later = now + TimeDelta::days(60);
    assert_eq!(expiry::freeze(&db, later).unwrap(), before, "no hour freezes meanwhile");
    drop(db);
    let store = open(folder.path()).await.unwrap();
    store.remove_expired(later).await.unwrap();
    while store.seal_counts(later).await.unwrap() != Sealing::default() {}
    store.remove_expired(later).await.unwrap();
    removed(&store, later).await;
    let count = count_pages(&store, &PageList::All, HourRange::ALL, &PageFilter::default()).await.unwrap();
    assert_eq!(count, 4_500);
}
