//! Which real servers there are. Absent on a laptop: skipped and said; absent in CI: a failure.

use anyhow::Context;
use ingest::bus::BusUrl;
use schema::store::{StoreUrl, parse_hosts};

/// Topics of their own, named `prefix.…`, on the Kafka of the tests (`PAGETRACK_TEST_KAFKA=kafka://HOST:PORT`); none
/// where there is none.
///
/// # Errors
/// When it is malformed, or absent in CI.
pub fn kafka(prefix: &str) -> anyhow::Result<Option<BusUrl>> {
    let Some(text) = variable("PAGETRACK_TEST_KAFKA")? else { return Ok(None) };
    let text = format!("{}/{prefix}", text.trim_end_matches('/'));
    text.parse().map(Some).map_err(|why: String| anyhow::anyhow!("PAGETRACK_TEST_KAFKA: {why}"))
}

/// A keyspace of the Cassandra of the tests (`PAGETRACK_TEST_CASSANDRA=cassandra://HOST:PORT`), none where there is
/// none. Nothing has made the keyspace yet.
///
/// # Errors
/// When it is malformed, or absent in CI.
pub fn cassandra(keyspace: &str) -> anyhow::Result<Option<StoreUrl>> {
    let Some(text) = variable("PAGETRACK_TEST_CASSANDRA")? else { return Ok(None) };
    let hosts = text.strip_prefix("cassandra://").context("PAGETRACK_TEST_CASSANDRA is not cassandra://HOST:PORT")?;
    let nodes = parse_hosts(hosts.trim_end_matches('/'), 9042)
        .map_err(|why| anyhow::anyhow!("PAGETRACK_TEST_CASSANDRA: {why}"))?;
    Ok(Some(StoreUrl::Cassandra { nodes, keyspace: keyspace.into() }))
}

/// Whether a machine judges, so that nothing may be skipped.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(Some(value)),
        _ if is_ci() => {
            anyhow::bail!("{name} is not set: in CI no test is skipped; tests/servers/up.sh starts the servers")
        }
        _ => Ok(None),
    }
}
