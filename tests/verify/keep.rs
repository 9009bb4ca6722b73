//! How long pages are kept, by the program: what is refused, what is said, what is frozen.

use super::{run, verify};
use chrono::{DateTime, TimeDelta, Utc};
use schema::clock::{Clock, SystemClock};
use schema::hour::Hour;
use schema::page::Page;
use schema::store::{Durability, Migration, Store, StoreUrl, open};
use std::path::Path;
use std::sync::Arc;
use tests::{events, servers};

/// Runs `pagetrack migrate`; its code and all that it said.
async fn migrate(store: &StoreUrl, folder: &Path, keep: &[&str]) -> (Option<i32>, String) {
    run("migrate", store, folder, keep).await
}

/// The setting is checked, kept by the store, and told; what is frozen is left alone, and stays so.
async fn check_keep(url: &StoreUrl, folder: &Path) {
    let (code, said) = migrate(url, folder, &["--keep", "32d"]).await;
    assert!(code == Some(2) && said.contains("--keep \"32d\" (or PAGETRACK_KEEP): use 33d or more"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let (code, said) = migrate(url, folder, &["--keep", "40d"]).await;
    assert!(code == Some(0) && said.contains("pages are kept for 40d"), "{said}");

    // Pages of now and of long ago, by a writer that was told nothing.
    let now = SystemClock.now();
    let store: Arc<dyn Store> = open(url, Migration::Expect, Durability::Process).await.unwrap();
    let recorded = events::recorded().unwrap();
    let pages: Vec<_> = recorded.iter().filter_map(|event| ingest::clean::clean(event).ok()).collect();
    let at = |time: DateTime<Utc>| {
        let moved = |(page, n): (&Page, i64)| {
            let created_at = Hour::of(time).plus(-1).start() + TimeDelta::seconds(n % 3_600);
            Page { created_at, version: created_at.timestamp_micros(), ..page.clone() }
        };
        pages.iter().zip(0..).map(moved).collect::<Vec<Page>>()
    };
    let (new, old) = (at(now), at(now - TimeDelta::days(60)));
    let frozen = store.write_pages(&[old.clone(), new.clone()].concat(), now).await.unwrap();
    assert!(old.iter().all(|page| Hour::of(page.created_at) < frozen), "{frozen}");
    assert!(new.iter().all(|page| Hour::of(page.created_at) >= frozen), "{frozen}");
    drop(store);

    let left_alone =
        |said: &str| said.contains("nothing differs") && said.contains("are frozen and were not looked at");
    let (code, said) = verify(url, folder, &[]).await;
    assert!(code == Some(0) && left_alone(&said), "{said}");
    let (code, said) = migrate(url, folder, &[]).await;
    assert!(code == Some(0) && said.contains("all pages are kept"), "{said}");
    let (code, said) = verify(url, folder, &["--repair"]).await;
    assert!(code == Some(0) && said.contains("nothing differs"), "{said}");
}

#[tokio::test]
async fn in_an_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    check_keep(&StoreUrl::Embedded(folder.path().join("data")), folder.path()).await;
}

#[tokio::test]
async fn on_cassandra() {
    let Some(url) = servers::cassandra(&format!("keep_{:016x}", rand::random::<u64>())).unwrap() else {
        return eprintln!("SKIPPED: no Cassandra in PAGETRACK_TEST_CASSANDRA (start one with tests/servers/up.sh)");
    };
    let folder = tempfile::tempdir().unwrap();
    check_keep(&url, folder.path()).await;
}
