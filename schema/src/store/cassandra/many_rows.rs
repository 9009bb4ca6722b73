//! Many rows of one statement, in batches, a bounded number in flight.

use crate::store::StoreError;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::statements::{MIXED_ROWS, PARTITION_ROWS, batch_of};
use futures::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;

/// Batches in flight of one call.
const IN_FLIGHT: usize = 16;
/// Rows of a batch inside one partition.
pub(super) const ONE_PARTITION: usize = PARTITION_ROWS;
/// Rows of a batch over many partitions, each of which is small.
pub(super) const MANY_PARTITIONS: usize = MIXED_ROWS;

/// Writes rows, and returns once all are acknowledged.
pub(super) async fn write_all<R: SerializeRow>(
    session: &Session,
    statement: &PreparedStatement,
    rows: &[R],
    at_once: usize,
) -> Result<(), StoreError> {
    let writes: Vec<_> = rows.chunks(at_once).map(|rows| write_batch(session, statement, rows)).collect();
    stream::iter(writes).buffer_unordered(IN_FLIGHT).try_collect::<()>().await
}

async fn write_batch<R: SerializeRow>(
    session: &Session,
    statement: &PreparedStatement,
    rows: &[R],
) -> Result<(), StoreError> {
    let sent = match rows {
        [row] => session.execute_unpaged(statement, row).await,
        _ => session.batch(&batch_of(statement, rows.len()), rows).await,
    };
    sent.map(drop).map_err(of_request)
}
