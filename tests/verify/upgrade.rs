//! A store that an older version filled, and that has no counts: they are built while the program answers.

use super::{DEADLINE, verify};
use ingest::bus::BusUrl;
use schema::page::Page;
use schema::store::embedded::DATABASE_FILE;
use schema::store::{Durability, Migration, StoreUrl, open};
use std::time::Instant;
use tests::app::spawn_app;
use tests::ask::ask_graphql;
use tests::stream_server::StreamServer;
use tests::wait;

/// More than a few parts of counting.
const PAGES: usize = 30_000;
const SEED: u64 = 42;

#[tokio::test]
async fn counts_are_built_while_lists_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = StoreUrl::Embedded(data.clone());
    let now = "2025-05-18T10:30:00Z".parse().unwrap();
    let pages: Vec<Page> =
        ingest::sample::history(SEED, PAGES, now).filter_map(|event| ingest::clean::clean(&event).ok()).collect();
    assert_eq!(pages.len(), PAGES);
    let store = open(&url, Migration::Apply, Durability::Process).await.unwrap();
    for batch in pages.chunks(2_000) {
        store.write_pages(batch, now).await.unwrap();
    }
    drop(store);
    let older = wait::until("a store that no one has", DEADLINE, || async {
        let db = rusqlite::Connection::open(data.join(DATABASE_FILE))?;
        let script = include_str!("../../schema/src/store/embedded/tests/downgrade.sql");
        db.execute_batch(&format!("BEGIN; {script} COMMIT;"))?;
        Ok(Some(()))
    });
    older.await.unwrap();

    let server = StreamServer::start().await;
    let app = spawn_app(&url, &BusUrl::Memory, server.url()).await.unwrap();
    let client = reqwest::Client::new();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < DEADLINE, "they are not counted");
        let newest = ask_graphql(&client, &app.base(), "{ pages(first: 1) { nodes { pageId } } }").await.unwrap();
        assert!(newest["data"]["pages"]["nodes"][0]["pageId"].is_string(), "{newest}");
        let count = ask_graphql(&client, &app.base(), "{ pages(first: 1) { totalCount } }").await.unwrap();
        if count.get("errors").is_none() {
            assert_eq!(count["data"]["pages"]["totalCount"], PAGES, "{count}");
            break;
        }
        assert_eq!(count["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{count}");
    }
    app.stop().await.unwrap();
    let verified = wait::until("a store that no one has", DEADLINE, || async {
        let (code, said) = verify(&url, folder.path(), &[]).await;
        anyhow::ensure!(code == Some(0) && said.contains("nothing differs"), "{said}");
        Ok(Some(()))
    });
    verified.await.unwrap();
}
