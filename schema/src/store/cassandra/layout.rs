//! The keyspace's layout: created when missing, recognised when it is another's.

use crate::store::StoreError;
use crate::store::cassandra::errors;
use crate::store::cassandra::slices::collect;
use crate::store::cassandra::{retention, rows, upgrade};
use crate::tables::TABLES_CQL;
use scylla::client::session::Session;
use scylla::statement::prepared::PreparedStatement;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// The version of the layout that this program writes.
const SCHEMA_VERSION: i32 = 4;

const VERSION_TABLE: &str = "schema_version";
const HOURS_TABLE: &str = "hours";
const MARKS_TABLE: &str = "marks";

/// A table of the DDL: its statement, and its key's columns in order.
#[derive(Debug, PartialEq, Eq)]
struct TableDdl {
    name: &'static str,
    key: Vec<&'static str>,
    statement: String,
}

/// Key columns by table, as the cluster has them.
type Keys = BTreeMap<String, Vec<String>>;

/// Creates the keyspace and the tables that are missing, one after another, each once all nodes agree on the last.
pub(super) async fn apply(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    match load_replication(session, keyspace).await? {
        Some(replication) => check_data_centres(&replication, keyspace)?,
        None => create_keyspace(session, keyspace).await?,
    }
    let found = load_keys(session, keyspace).await?;
    check_keys(&found, keyspace)?;
    let version = load_version(session, keyspace, &found).await?;
    check_version(version, keyspace)?;
    for table in tables_of(TABLES_CQL).iter().filter(|table| !found.contains_key(table.name)) {
        run_ddl(session, table.statement.replace("{keyspace}", keyspace)).await?;
    }
    if version == Some(SCHEMA_VERSION) {
        return Ok(());
    }
    if found.contains_key(MARKS_TABLE) {
        add_minutes(session, keyspace).await?;
    }
    // Before the version: a process that waits for it finds the tables full or being filled.
    if found.contains_key(HOURS_TABLE) {
        upgrade::begin(session, keyspace, version).await?;
        retention::set_grace(session, keyspace).await?;
    }
    let statement = format!("INSERT INTO {keyspace}.{VERSION_TABLE} (shelf, version) VALUES ('layout', ?)");
    let statement = prepare(session, &statement).await?;
    session.execute_unpaged(&statement, (SCHEMA_VERSION,)).await.map_err(errors::of_request)?;
    Ok(())
}

/// Gives the marks of layouts 2 and 3 the columns that tell of minutes.
async fn add_minutes(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    for (name, kind) in [("since", "bigint"), ("minutes", "frozen<map<tinyint, bigint>>")] {
        if has_column(session, keyspace, name).await? {
            continue;
        }
        let added = run_ddl(session, format!("ALTER TABLE {keyspace}.{MARKS_TABLE} ADD {name} {kind}")).await;
        // Another process may have added it meanwhile.
        if added.is_err() && !has_column(session, keyspace, name).await? {
            return added;
        }
    }
    Ok(())
}

async fn has_column(session: &Session, keyspace: &str, name: &str) -> Result<bool, StoreError> {
    let cql = "SELECT column_name FROM system_schema.columns \
               WHERE keyspace_name = ? AND table_name = ? AND column_name = ?";
    let statement = prepare(session, cql).await?;
    Ok(!collect(session, &statement, (keyspace, MARKS_TABLE, name), rows::texts_of).await?.is_empty())
}

/// Waits until another process has created the tables; the version is written after the last of them.
pub(super) async fn expect(session: &Session, keyspace: &str, url: &str, until: Instant) -> Result<(), StoreError> {
    if let Some(replication) = load_replication(session, keyspace).await? {
        check_data_centres(&replication, keyspace)?;
    }
    loop {
        let found = load_keys(session, keyspace).await?;
        check_keys(&found, keyspace)?;
        let version = load_version(session, keyspace, &found).await?;
        check_version(version, keyspace)?;
        if version == Some(SCHEMA_VERSION) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(StoreError::Unsupported(format!(
                "keyspace {keyspace} has no tables of layout {SCHEMA_VERSION}: run pagetrack migrate --store {url}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn create_keyspace(session: &Session, keyspace: &str) -> Result<(), StoreError> {
    let replicas = session.get_cluster_state().get_nodes_info().len().clamp(1, 3);
    run_ddl(
        session,
        format!(
            "CREATE KEYSPACE IF NOT EXISTS {keyspace} \
             WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': {replicas}}}"
        ),
    )
    .await
}

/// Runs one statement and waits until all nodes agree on the schema.
async fn run_ddl(session: &Session, statement: String) -> Result<(), StoreError> {
    session.query_unpaged(statement, ()).await.map_err(errors::of_request)?;
    Ok(())
}

async fn prepare(session: &Session, cql: &str) -> Result<PreparedStatement, StoreError> {
    let mut statement = session.prepare(cql).await.map_err(errors::of_prepare)?;
    statement.set_is_idempotent(true);
    Ok(statement)
}

/// The version that the keyspace says it has.
async fn load_version(session: &Session, keyspace: &str, found: &Keys) -> Result<Option<i32>, StoreError> {
    if !found.contains_key(VERSION_TABLE) {
        return Ok(None);
    }
    let cql = format!("SELECT version FROM {keyspace}.{VERSION_TABLE} WHERE shelf = 'layout'");
    let statement = prepare(session, &cql).await?;
    let versions = collect(session, &statement, (), |rows, all| {
        for row in rows.rows::<(i32,)>()? {
            all.push(row?.0);
        }
        Ok(())
    });
    Ok(versions.await?.into_iter().next())
}

async fn load_keys(session: &Session, keyspace: &str) -> Result<Keys, StoreError> {
    let cql = "SELECT table_name, column_name, kind, position FROM system_schema.columns WHERE keyspace_name = ?";
    let statement = prepare(session, cql).await?;
    let mut columns = collect(session, &statement, (keyspace,), |rows, all| {
        for row in rows.rows::<(String, String, String, i32)>()? {
            let (table, column, kind, position) = row?;
            all.push((table, kind == "clustering", position, column, kind));
        }
        Ok(())
    })
    .await?;
    columns.retain(|(.., kind)| kind == "partition_key" || kind == "clustering");
    columns.sort();
    let mut keys = Keys::new();
    for (table, _, _, column, _) in columns {
        keys.entry(table).or_default().push(column);
    }
    Ok(keys)
}

/// How a keyspace is replicated; none where there is none.
async fn load_replication(session: &Session, keyspace: &str) -> Result<Option<HashMap<String, String>>, StoreError> {
    let cql = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let statement = prepare(session, cql).await?;
    let replications = collect(session, &statement, (keyspace,), |rows, all| {
        for row in rows.rows::<(HashMap<String, String>,)>()? {
            all.push(row?.0);
        }
        Ok(())
    });
    Ok(replications.await?.into_iter().next())
}

/// Refuses a keyspace in several data centres: what was written in one is read in another some time later, and counts are
/// exact only where all that was acknowledged is read.
fn check_data_centres(replication: &HashMap<String, String>, keyspace: &str) -> Result<(), StoreError> {
    let is_by_centre = replication.get("class").is_some_and(|class| class.ends_with("NetworkTopologyStrategy"));
    if !is_by_centre || replication.len() <= 2 {
        return Ok(());
    }
    let mut centres: Vec<&str> = replication.keys().map(String::as_str).filter(|key| *key != "class").collect();
    centres.sort_unstable();
    Err(StoreError::Unsupported(format!(
        "keyspace {keyspace} is replicated to several data centres ({}); name one in a single data centre in --store",
        centres.join(", ")
    )))
}

fn check_version(version: Option<i32>, keyspace: &str) -> Result<(), StoreError> {
    match version {
        Some(version) if version > SCHEMA_VERSION => Err(StoreError::Unsupported(format!(
            "keyspace {keyspace} was written by a newer version (layout {version}, this program knows {SCHEMA_VERSION}): \
             install that version or name another keyspace in --store"
        ))),
        _ => Ok(()),
    }
}

/// Refuses tables that have our names but other keys, as the original's have.
fn check_keys(found: &Keys, keyspace: &str) -> Result<(), StoreError> {
    let other = tables_of(TABLES_CQL).into_iter().find_map(|table| {
        let key = found.get(table.name)?;
        (*key != table.key).then(|| (table.name, key.join(", "), table.key.join(", ")))
    });
    match other {
        None => Ok(()),
        Some((name, found, wanted)) => Err(StoreError::Unsupported(format!(
            "keyspace {keyspace} holds another program's tables: {name} has the key ({found}) instead of ({wanted}), so pages \
             of two wikis would overwrite each other; name another keyspace in --store"
        ))),
    }
}

/// The tables of a DDL text, in its order.
fn tables_of(ddl: &'static str) -> Vec<TableDdl> {
    ddl.split(';').filter_map(parse_table).collect()
}

fn parse_table(text: &'static str) -> Option<TableDdl> {
    let start = text.find("CREATE TABLE")?;
    let statement = text[start..].trim();
    let name = statement.split("{keyspace}.").nth(1)?.split([' ', '(']).next()?;
    let key = statement.split("PRIMARY KEY").nth(1)?.split([';', '\n']).next()?;
    let key = key.split(',').map(|column| column.trim_matches([' ', '(', ')'])).collect();
    Some(TableDdl { name, key, statement: statement.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Table;

    #[test]
    fn the_ddl_has_each_table_with_its_key() {
        let tables = tables_of(TABLES_CQL);
        let key_of = |name: &str| tables.iter().find(|t| t.name == name).map(|t| t.key.join(" "));
        assert_eq!(key_of("pages_by_id").as_deref(), Some("page_id domain"));
        assert_eq!(key_of("pages_by_title").as_deref(), Some("domain page_title created_at page_id"));
        assert_eq!(key_of("pages_by_account").as_deref(), Some("domain user_id created_at page_id"));
        assert_eq!(key_of("pages_by_time").as_deref(), Some("date_hour user_id created_at page_id domain"));
        assert_eq!(tables.last().map(|t| t.name), Some(VERSION_TABLE));
        for table in Table::ALL {
            assert!(key_of(table.name()).is_some(), "{} is not in the DDL", table.name());
        }
    }

    #[test]
    fn a_keyspace_lies_in_one_data_centre() {
        let check = |pairs: &[(&str, &str)]| {
            let replication = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            check_data_centres(&replication, "wiki").map_err(|error| error.to_string())
        };
        let by_centre = ("class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
        assert_eq!(
            check(&[("class", "org.apache.cassandra.locator.SimpleStrategy"), ("replication_factor", "3")]),
            Ok(())
        );
        assert_eq!(check(&[by_centre, ("dc1", "3")]), Ok(()));
        let refused = check(&[by_centre, ("dc2", "1"), ("dc1", "3")]).unwrap_err();
        assert!(refused.contains("several data centres (dc1, dc2)"), "{refused}");
    }

    #[test]
    fn the_originals_key_is_named() {
        let found = Keys::from([("pages_by_id".into(), vec!["page_id".into()])]);
        let message = check_keys(&found, "wiki").unwrap_err().to_string();
        assert!(message.contains("pages_by_id has the key (page_id) instead of (page_id, domain)"), "{message}");
    }
}
