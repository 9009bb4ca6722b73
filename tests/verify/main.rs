//! The program `pagetrack verify` on stores that a hand has damaged: its code, its lines, its repair. And on what older
//! settings and versions left.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which fail by panicking")]

mod keep;
mod upgrade;

use ingest::clean::clean;
use schema::clock::{Clock, SystemClock};
use schema::page::Page;
use schema::store::{Durability, Migration, Store, StoreUrl, open};
use scylla::client::session_builder::SessionBuilder;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tests::process::Process;
use tests::{events, servers, wait};

const DEADLINE: Duration = Duration::from_secs(90);

/// Runs a command of `pagetrack` on a store; its code and all that it said.
async fn run(command: &str, store: &StoreUrl, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut args = vec![command.to_owned(), "--store".into(), store.to_string()];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let before = std::fs::read_to_string(folder.join("pagetrack.log")).unwrap_or_default().len();
    let mut process = Process::start("pagetrack", &args, folder).unwrap();
    let code = process.end(DEADLINE).await.unwrap().code();
    (code, process.log().unwrap().split_off(before))
}

/// The same of `pagetrack verify`.
async fn verify(store: &StoreUrl, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    run("verify", store, folder, more).await
}

/// Damage is told with code 1 and stays; a repair mends it with code 0; and then all is well.
async fn check_damage(store: &StoreUrl, folder: &Path, parts: &[&str]) {
    for _first_and_second in 0..2 {
        let (code, said) = verify(store, folder, &[]).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)) && said.contains("--repair mends them"), "{said}");
        assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    }
    let (code, said) = verify(store, folder, &["--repair"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(parts.iter().all(|part| said.contains(part)) && said.contains("repaired: "), "{said}");
    let (code, said) = verify(store, folder, &[]).await;
    assert!(code == Some(0) && said.contains("nothing differs"), "{said}");
}

/// A store of recorded and hostile events; one of them.
async fn fill(url: &StoreUrl) -> Page {
    let events = events::recorded().unwrap().into_iter().chain(events::special());
    let mut pages: Vec<Page> = events.filter_map(|event| clean(&event).ok()).collect();
    pages[0].user_name = "\u{1b}[2J\r\n".into();
    let store: Arc<dyn Store> = open(url, Migration::Apply, Durability::Process).await.unwrap();
    store.write_pages(&pages, SystemClock.now()).await.unwrap();
    pages.swap_remove(0)
}

#[tokio::test]
async fn an_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = StoreUrl::Embedded(data.clone());
    let page = fill(&url).await;
    let damage = |sql: String| {
        let db = rusqlite::Connection::open(data.join("pagetrack.db")).unwrap();
        assert!(db.execute(&sql, []).unwrap() > 0, "{sql}");
    };
    let free = wait::until("a store that no one has", DEADLINE, || async {
        Ok((verify(&url, folder.path(), &[]).await.0 == Some(0)).then_some(()))
    });
    free.await.unwrap();
    damage(format!("DELETE FROM user_index WHERE page_id = '{}'", page.page_id));
    let missing = format!("pages_by_user: missing page_id={} domain={}", page.page_id, page.domain);
    check_damage(&url, folder.path(), &[&missing, r#"user_name="\u{1b}[2J\r\n""#]).await;
    damage("UPDATE total_counts SET page_count = page_count + 1".into());
    check_damage(&url, folder.path(), &["counts of all wikis in hour ", "counts of all wikis in year "]).await;
    damage("DELETE FROM latest_index".into());
    let (code, said) = verify(&url, folder.path(), &[]).await;
    let lines = said.lines().filter(|line| line.starts_with("latest_pages: missing page_id=")).count();
    assert!(code == Some(1) && lines > 100, "a line each, however many: {said}");
    check_damage(&url, folder.path(), &["latest_pages: missing page_id="]).await;
}

#[tokio::test]
async fn a_store_on_cassandra() {
    let Some(url) = servers::cassandra(&format!("verify_{:016x}", rand::random::<u64>())).unwrap() else {
        return eprintln!("SKIPPED: no Cassandra in PAGETRACK_TEST_CASSANDRA (start one with tests/servers/up.sh)");
    };
    let folder = tempfile::tempdir().unwrap();
    let page = fill(&url).await;
    let (code, said) = verify(&url, folder.path(), &[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("counts of what ended behind "), "{said}");
    let StoreUrl::Cassandra { nodes, keyspace } = &url else { unreachable!("it was asked for") };
    let session = SessionBuilder::new().known_nodes(nodes).build().await.unwrap();
    let (table, domain) = (format!("{keyspace}.pages_by_domain"), page.domain.as_str());
    session.query_unpaged(format!("DELETE FROM {table} WHERE domain = ?"), (domain,)).await.unwrap();
    check_damage(&url, folder.path(), &[&format!("pages_by_domain: missing page_id={} ", page.page_id)]).await;
}
