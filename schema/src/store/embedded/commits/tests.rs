//! The order of commits survives restarts, larger versions and removal, and says where pages are missing.

use crate::page::Page;
use crate::retention::Keep;
use crate::store::conformance::Realm;
use crate::store::embedded::{EmbeddedStore, expiry};
use crate::store::{Commit, Durability, Migration, Store};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::time::{Duration, Instant};

async fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Migration::Apply, Durability::Process).await.unwrap()
}

async fn write(store: &EmbeddedStore, pages: &[Page]) {
    for page in pages {
        store.write_pages(std::slice::from_ref(page), DateTime::UNIX_EPOCH).await.unwrap();
    }
}

/// The pages behind `after`; none where it is not held.
async fn behind(store: &EmbeddedStore, after: Commit) -> Option<Vec<Page>> {
    let committed = store.list_committed(after, 1_000).await.unwrap()?;
    if let Some((last, _)) = committed.last() {
        assert_eq!(store.last_commit().await.unwrap(), *last);
    }
    Some(committed.into_iter().map(|(_, page)| page).collect())
}

#[tokio::test]
async fn pages_are_listed_as_they_were_committed_also_after_a_restart() {
    let (realm, folder) = (Realm::of("commits"), tempfile::tempdir().unwrap());
    let store = open(folder.path()).await;
    let begin = store.last_commit().await.unwrap();
    // Not in the order of time or of ids.
    let pages: Vec<Page> = [7, 3, 9, 1, 8, 2].map(|n| realm.page(n)).to_vec();
    write(&store, &pages[..4]).await;
    assert_eq!(behind(&store, begin).await.unwrap(), pages[..4]);
    let parts = store.list_committed(begin, 3).await.unwrap().unwrap();
    assert_eq!(parts.len(), 3);
    drop(store);
    let store = open(folder.path()).await;
    write(&store, &pages).await;
    assert_eq!(behind(&store, parts[2].0).await.unwrap(), pages[3..], "written again is not committed again");
    let larger = Page { version: pages[0].version + 1, ..pages[0].clone() };
    write(&store, std::slice::from_ref(&larger)).await;
    assert_eq!(behind(&store, parts[0].0).await.unwrap(), pages[1..], "it keeps its place");
    assert_eq!(behind(&store, begin).await.unwrap()[0], larger);
}

#[tokio::test]
async fn a_place_of_another_store_is_refused() {
    let realm = Realm::of("commits");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (one, other) = (open(folders[0].path()).await, open(folders[1].path()).await);
    assert_eq!(behind(&other, one.last_commit().await.unwrap()).await, None, "both are empty");
    for store in [&one, &other] {
        write(store, &[realm.page(1), realm.page(2)]).await;
    }
    let place = one.last_commit().await.unwrap();
    assert_eq!(behind(&one, place).await, Some(Vec::new()));
    assert_eq!(behind(&other, place).await, None);
    for forged in [
        Commit { number: place.number + 1, ..place },
        Commit { number: place.number - 1, ..place },
        Commit { number: -1, ..place },
        Commit { number: i64::MAX, ..place },
        Commit { mark: place.mark ^ 1, ..place },
    ] {
        assert_eq!(behind(&one, forged).await, None, "{forged:?}");
    }
}

/// A copy of the folder that is put back has fewer pages, and gives their numbers to others.
#[tokio::test]
async fn a_place_that_a_backup_does_not_have_is_refused() {
    let (realm, folder, copy) = (Realm::of("commits"), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path()).await;
    write(&store, &[realm.page(1)]).await;
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let (store, backup) = (open(folder.path()).await, open(copy.path()).await);
    let first = store.last_commit().await.unwrap();
    write(&store, &[realm.page(2)]).await;
    write(&backup, &[realm.page(3), realm.page(2)]).await;
    assert_eq!(behind(&backup, first).await.unwrap(), [realm.page(3), realm.page(2)]);
    assert_eq!(behind(&backup, store.last_commit().await.unwrap()).await, None, "there it is another page's");
}

async fn remove_all(store: &EmbeddedStore, now: DateTime<Utc>) {
    store.remove_expired(now).await.unwrap();
    let begun = Instant::now();
    while store.readers.read(move |db| expiry::is_due(db, now)).await.unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(20), "pages are left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn where_pages_were_removed_is_no_place_and_their_numbers_are_not_given_again() {
    let (realm, folder) = (Realm::of("commits"), tempfile::tempdir().unwrap());
    let store = open(folder.path()).await;
    let begin = realm.hour(0).start();
    store.set_keep(Keep::Days(40), begin).await.unwrap();
    let old: Vec<Page> = (1..=3).map(|n| realm.page(n)).collect();
    write(&store, &old[..1]).await;
    let first = store.last_commit().await.unwrap();
    write(&store, &old[1..]).await;
    let last = store.last_commit().await.unwrap();
    remove_all(&store, begin + TimeDelta::days(60)).await;
    assert_eq!(behind(&store, first).await, None, "two are gone");
    let at = store.last_commit().await.unwrap();
    assert_eq!(at.number, last.number, "no number comes twice");
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.last_commit().await.unwrap(), at);
    let later = begin + TimeDelta::days(60);
    let page = Page { created_at: later, ..realm.page(4) };
    store.write_pages(std::slice::from_ref(&page), later).await.unwrap();
    assert_eq!(behind(&store, at).await, Some(vec![page]));
    assert_eq!(store.last_commit().await.unwrap().number, last.number + 1);
}
