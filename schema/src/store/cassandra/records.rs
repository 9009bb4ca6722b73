//! The pipeline's own records.

use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::slices::collect;
use crate::store::{PipelineRecord, StoreError};

/// Keeps a record. Its write timestamp is the driver's, which never steps back within a process: the last one stays.
pub(super) async fn put(store: &CassandraStore, record: &PipelineRecord) -> Result<(), StoreError> {
    let values = (&record.kind, &record.key, record.payload.as_slice());
    store.session.execute_unpaged(&store.statements.put_record, values).await.map_err(of_request)?;
    Ok(())
}

/// The records of a kind: the partition's order is by key.
pub(super) async fn of_kind(store: &CassandraStore, kind: &str) -> Result<Vec<PipelineRecord>, StoreError> {
    collect(&store.session, &store.statements.records, (kind,), |rows, all| {
        for row in rows.rows::<(String, String, Vec<u8>)>()? {
            let (kind, key, payload) = row?;
            all.push(PipelineRecord { kind, key, payload });
        }
        Ok(())
    })
    .await
}
