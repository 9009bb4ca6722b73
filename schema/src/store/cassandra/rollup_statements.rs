//! The statements of the counts, prepared once: how each kind is written. Which there are stands where they are used.

use crate::store::StoreError;
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::{as_of, derived, generations, heads, marks, old, tally};
use scylla::statement::SerialConsistency;
use scylla::statement::prepared::PreparedStatement;

/// A range of periods on a shelf.
pub(super) const ON_SHELF: &str = "shelf = ? AND period >= ? AND period < ?";

const ROWS_OF_MINUTE: &str = "date_hour = ? AND created_at >= ? AND created_at < ?";

pub(super) struct RollupStatements {
    pub(super) marks: marks::Statements,
    pub(super) heads: heads::Statements,
    pub(super) rows_of_hour: PreparedStatement,
    pub(super) rows_of_minute: PreparedStatement,
    pub(super) generations: generations::Statements,
    pub(super) old: old::Statements,
    pub(super) derived: derived::Statements,
    pub(super) as_of: as_of::Statements,
}

impl RollupStatements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            marks: marks::Statements::prepare(it).await?,
            heads: heads::Statements::prepare(it).await?,
            rows_of_hour: it.read(tally::COLUMNS, "latest_pages", "date_hour = ?").await?,
            rows_of_minute: it.read(tally::COLUMNS, "latest_pages", ROWS_OF_MINUTE).await?,
            generations: generations::Statements::prepare(it).await?,
            old: old::Statements::prepare(it).await?,
            derived: derived::Statements::prepare(it).await?,
            as_of: as_of::Statements::prepare(it).await?,
        })
    }
}

impl Preparer<'_> {
    pub(super) async fn read(
        &self,
        columns: &str,
        table: &str,
        condition: &str,
    ) -> Result<PreparedStatement, StoreError> {
        self.prepare(&format!("SELECT {columns} FROM {{keyspace}}.{table} WHERE {condition}")).await
    }

    pub(super) async fn put(&self, table: &str, columns: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(&insert(table, columns)).await
    }

    /// As [`Self::put`], with the write timestamp as last value.
    pub(super) async fn put_at(&self, table: &str, columns: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(&format!("{} USING TIMESTAMP ?", insert(table, columns))).await
    }

    pub(super) async fn delete(&self, table: &str, key: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(&format!("DELETE FROM {{keyspace}}.{table} WHERE {key}")).await
    }

    /// A compare-and-set: never repeated by the driver, which could not tell whether it lost against itself.
    pub(super) async fn conditional(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        let mut statement = self.prepare(cql).await?;
        statement.set_is_idempotent(false);
        statement.set_serial_consistency(Some(SerialConsistency::LocalSerial));
        Ok(statement)
    }
}

fn insert(table: &str, columns: &str) -> String {
    let values = vec!["?"; columns.split(',').count()].join(", ");
    format!("INSERT INTO {{keyspace}}.{table} ({columns}) VALUES ({values})")
}
