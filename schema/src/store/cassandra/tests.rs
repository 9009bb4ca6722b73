//! On the node of `PAGETRACK_TEST_CASSANDRA`: keyspaces that others made are refused, and it is said why; sealing.

mod counting;
mod filtered;
mod histories;
mod passes;
mod retention;
mod sealing;
mod verify;

use super::*;

/// The node, connected, and a keyspace's name that no other test uses; none on a laptop without a node.
async fn connect() -> Option<(Session, Vec<String>, String)> {
    let Ok(url) = std::env::var("PAGETRACK_TEST_CASSANDRA") else {
        assert!(std::env::var_os("CI").is_none(), "PAGETRACK_TEST_CASSANDRA is not set: run make test");
        eprintln!("SKIPPED: no Cassandra in PAGETRACK_TEST_CASSANDRA (start one with tests/servers/up.sh)");
        return None;
    };
    let nodes = vec![url.trim_start_matches("cassandra://").to_owned()];
    let keyspace = format!("other_{:x}", rand::random::<u64>());
    let until = Instant::now() + session::START_WITHIN;
    let session = session::connect(&nodes, &keyspace, until).await.expect("the node answers");
    Some((session, nodes, keyspace))
}

async fn check_refused(prepare: &[&str], wanted: &str) {
    let Some((session, nodes, keyspace)) = connect().await else { return };
    layout::apply(&session, &keyspace).await.expect("the node creates the tables");
    for statement in prepare {
        session
            .query_unpaged(statement.replace("KEYSPACE", &keyspace), ())
            .await
            .expect("the node takes the statement");
    }
    for migration in [Migration::Apply, Migration::Expect] {
        let error = CassandraStore::open(&nodes, &keyspace, migration).await.err().expect("the store does not open");
        assert!(matches!(error, StoreError::Unsupported(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(wanted) && text.contains(&keyspace), "{text}");
    }
}

#[tokio::test]
async fn a_newer_layout_is_refused() {
    let newer = "INSERT INTO KEYSPACE.schema_version (shelf, version) VALUES ('layout', 99)";
    check_refused(&[newer], "written by a newer version (layout 99").await;
}

#[tokio::test]
async fn the_originals_tables_are_recognised() {
    let original = "CREATE TABLE KEYSPACE.pages_by_id (page_id text PRIMARY KEY, user_id text, domain text)";
    let wanted = "pages_by_id has the key (page_id) instead of (page_id, domain)";
    check_refused(&["DROP TABLE KEYSPACE.pages_by_id", original], wanted).await;
}
