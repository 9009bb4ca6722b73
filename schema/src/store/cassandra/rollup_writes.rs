//! Many rows of one statement, in batches, a bounded number in flight.

use crate::store::StoreError;
use crate::store::cassandra::errors::of_request;
use futures::{StreamExt, TryStreamExt, stream};
use scylla::client::session::Session;
use scylla::serialize::row::SerializeRow;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;

/// Batches in flight of one call.
const IN_FLIGHT: usize = 16;
/// Rows of a batch inside one partition.
pub(super) const ONE_PARTITION: usize = 120;
/// Rows of a batch over many partitions: the node warns of batches over 5 KiB.
pub(super) const MANY_PARTITIONS: usize = 8;

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
    let statements = vec![BatchStatement::PreparedStatement(statement.clone()); rows.len()];
    let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
    batch.set_is_idempotent(true);
    session.batch(&batch, rows).await.map(drop).map_err(of_request)
}
