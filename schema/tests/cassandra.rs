//! The Cassandra store on a real node: what every store must do, and how it opens.
//!
//! The node is the one of `PAGETRACK_TEST_CASSANDRA` (`cassandra://host:port`, see tests/servers). Without it the tests
//! are skipped, which they say; where `CI` is set they fail.

use schema::store::conformance::Opened;
use schema::store::{Durability, Migration, Store, StoreError, StoreUrl, open};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// The node's address; none on a laptop without one.
fn node() -> Option<String> {
    let node = std::env::var("PAGETRACK_TEST_CASSANDRA").ok();
    assert!(node.is_some() || std::env::var_os("CI").is_none(), "PAGETRACK_TEST_CASSANDRA is not set: run make test");
    if node.is_none() {
        eprintln!("SKIPPED: no Cassandra in PAGETRACK_TEST_CASSANDRA (start one with tests/servers/up.sh)");
    }
    node
}

/// A keyspace that no other test process uses.
fn fresh_keyspace(node: &str, name: &str) -> StoreUrl {
    format!("{node}/{name}_{:x}", rand::random::<u64>()).parse().expect("the node's address is well-formed")
}

async fn open_at(url: &StoreUrl, migration: Migration) -> Result<Arc<dyn Store>, StoreError> {
    open(url, migration, Durability::Power).await
}

/// One keyspace for all cases, created once: concurrent creations of a table can make two. Each case connects itself,
/// since a connection lives in its test's runtime.
async fn open_for_case() -> Option<Opened> {
    static KEYSPACE: OnceCell<StoreUrl> = OnceCell::const_new();
    let node = node()?;
    let create = async || {
        let url = fresh_keyspace(&node, "conformance");
        open_at(&url, Migration::Apply).await.expect("the node creates the tables");
        url
    };
    let url = KEYSPACE.get_or_init(create).await;
    let store = open_at(url, Migration::Expect).await.expect("the tables are there");
    Some(Opened { store, keep: Box::new(()) })
}

schema::store_conformance!(open_for_case);

async fn check_refused(url: &str, migration: Migration, wanted: &[&str]) -> StoreError {
    let url: StoreUrl = url.parse().expect("the address is well-formed");
    let began = Instant::now();
    let error = open_at(&url, migration).await.err().expect("the store does not open");
    assert!(began.elapsed() < Duration::from_secs(20), "refused after {:?}", began.elapsed());
    let text = error.to_string();
    assert!(!text.contains('\n'), "not one line: {text}");
    for word in wanted {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    error
}

#[tokio::test]
async fn an_unreachable_node_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("it is bound");
    let error = check_refused(&format!("cassandra://{closed}/wiki"), Migration::Apply, &[&closed.to_string()]).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_silent_node_is_named() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it is bound").to_string();
    let error = check_refused(&format!("cassandra://{address}/wiki"), Migration::Apply, &[&address]).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn missing_tables_name_the_command() {
    let Some(node) = node() else { return };
    let url = fresh_keyspace(&node, "empty").to_string();
    let error = check_refused(&url, Migration::Expect, &["pagetrack migrate --store", &url]).await;
    assert!(matches!(error, StoreError::Unsupported(_)), "{error:?}");
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    let Some(node) = node() else { return };
    let url = fresh_keyspace(&node, "again");
    for migration in [Migration::Apply, Migration::Apply, Migration::Expect] {
        open_at(&url, migration).await.expect("the keyspace opens each time");
    }
}
