//! The yardstick of the Cassandra store: a bare loop that does the same prepared inserts one by one, 256 in flight.

use futures::{StreamExt, TryStreamExt, stream};
use schema::hour::Hour;
use schema::page::Page;
use schema::tables::Table;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlTimestamp;
use std::time::{Duration, Instant};
use tokio::time::interval;

const IN_FLIGHT: usize = 256;
const COLUMNS: &str = "page_id, user_id, user_name, domain, page_title, created_at, wiki, namespace, is_redirect, is_bot, rev_id, event_id";
/// How long a node may merge what was written.
const REST_WITHIN: Duration = Duration::from_mins(30);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks in turn at which nothing was under way.
const QUIET_LOOKS: u32 = 6;
const MARKS: &str = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

/// Pages per second into the tables of `keyspace`, which a store has made.
pub(crate) async fn insert_all(node: &str, keyspace: &str, pages: &[Page]) -> anyhow::Result<f64> {
    let session = SessionBuilder::new().known_node(node).build().await?;
    let mut statements = Vec::new();
    for table in Table::ALL {
        let (column, mark) = if table.is_by_hour() { (", date_hour", ", ?") } else { ("", "") };
        let cql = format!(
            "INSERT INTO {keyspace}.{} ({COLUMNS}{column}) VALUES ({MARKS}{mark}) USING TIMESTAMP ?",
            table.name()
        );
        statements.push((table, session.prepare(cql).await?));
    }
    let (session, statements) = (&session, &statements);
    let begun = Instant::now();
    stream::iter(
        pages.iter().flat_map(|page| statements.iter().map(move |(table, statement)| (page, *table, statement))),
    )
    .map(Ok)
    .try_for_each_concurrent(IN_FLIGHT, |(page, table, statement)| insert(session, statement, table, page))
    .await?;
    Ok(pages.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Removes `keyspace` and all that is in it.
pub(crate) async fn drop_keyspace(node: &str, keyspace: &str) -> anyhow::Result<()> {
    let session = SessionBuilder::new().known_node(node).build().await?;
    session.query_unpaged(format!("DROP KEYSPACE {keyspace}"), ()).await?;
    Ok(())
}

/// Waits until the node merges no files any more: what was filled just now keeps it busy for a while.
pub(crate) async fn wait_for_rest(node: &str) -> anyhow::Result<()> {
    let session = SessionBuilder::new().known_node(node).build().await?;
    let deadline = Instant::now() + REST_WITHIN;
    let (mut tick, mut quiet) = (interval(LOOK_EVERY), 0);
    while quiet < QUIET_LOOKS {
        tick.tick().await;
        let tasks = session.query_unpaged("SELECT keyspace_name FROM system_views.sstable_tasks", ()).await?;
        quiet = if tasks.into_rows_result()?.rows_num() == 0 { quiet + 1 } else { 0 };
        anyhow::ensure!(Instant::now() < deadline, "the node still compacts after {REST_WITHIN:?}");
    }
    Ok(())
}

async fn insert(session: &Session, statement: &PreparedStatement, table: Table, page: &Page) -> anyhow::Result<()> {
    let (page_id, user_id) = (page.page_id.to_string(), page.user_id.to_string());
    let at = CqlTimestamp(page.created_at.timestamp_millis());
    let rev_id = page.rev_id.cast_signed();
    let (domain, wiki) = (page.domain.as_str(), page.wiki.as_str());
    if table.is_by_hour() {
        let hour = Hour::of(page.created_at).to_string();
        let row = (
            &page_id,
            &user_id,
            &page.user_name,
            domain,
            &page.page_title,
            at,
            wiki,
            page.namespace,
            page.is_redirect,
            page.is_bot,
            rev_id,
            &page.event_id,
            hour,
            page.version,
        );
        session.execute_unpaged(statement, row).await?;
    } else {
        let row = (
            &page_id,
            &user_id,
            &page.user_name,
            domain,
            &page.page_title,
            at,
            wiki,
            page.namespace,
            page.is_redirect,
            page.is_bot,
            rev_id,
            &page.event_id,
            page.version,
        );
        session.execute_unpaged(statement, row).await?;
    }
    Ok(())
}
