//! The connection to the cluster, and what holds for every request.

use crate::store::StoreError;
use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::policies::timestamp_generator::MonotonicTimestampGenerator;
use scylla::statement::Consistency;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a start may wait for a node and for the tables, together: a program says within 15 s what is wrong.
pub(super) const START_WITHIN: Duration = Duration::from_secs(12);
/// Longer than the node's own read (5 s) and write (2 s) time-outs, so that it says what went wrong.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
const CONNECTION_WITHIN: Duration = Duration::from_secs(5);
/// A second connection to a node measured no faster.
const CONNECTIONS_PER_NODE: NonZeroUsize = NonZeroUsize::MIN;

/// Connects. Uncompressed: LZ4 costs a third of the rate where client and node share the processor.
pub(super) async fn connect(nodes: &[String], keyspace: &str, until: Instant) -> Result<Session, StoreError> {
    let builder = builder(nodes, keyspace);
    let unavailable = |why: String| {
        StoreError::Unavailable(format!(
            "no Cassandra node answers at {}: {why}; start one or name another in --store",
            nodes.join(", ")
        ))
    };
    match timeout_at(until, builder.build()).await {
        Ok(Ok(session)) => Ok(session),
        Ok(Err(error)) => Err(unavailable(error.to_string().replace('\n', " "))),
        Err(_) => Err(unavailable(format!("nothing within {} s", START_WITHIN.as_secs()))),
    }
}

/// Has the driver look again how the keyspace is replicated, which may be new: it sends each request to a node that has the
/// rows.
pub(super) async fn learn_replication(session: &Session) -> Result<(), StoreError> {
    session.refresh_metadata().await.map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn builder(nodes: &[String], keyspace: &str) -> SessionBuilder {
    let profile =
        ExecutionProfile::builder().consistency(Consistency::LocalQuorum).request_timeout(Some(REQUEST_WITHIN)).build();
    SessionBuilder::new()
        .known_nodes(nodes)
        // How this one is replicated is all that the driver must know; else it loads every keyspace's tables, and again
        // behind each table that is created.
        .keyspaces_to_fetch([keyspace])
        .fetch_full_schema_metadata(false)
        .refresh_metadata_on_auto_schema_agreement(false)
        .connection_timeout(CONNECTION_WITHIN)
        .pool_size(PoolSize::PerHost(CONNECTIONS_PER_NODE))
        .compression(None)
        .timestamp_generator(Arc::new(MonotonicTimestampGenerator::new()))
        .default_execution_profile_handle(profile.into_handle())
}
