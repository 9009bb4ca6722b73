//! All statements, prepared once, with full `keyspace.table` names and marked idempotent.

use crate::query::ListOrder;
use crate::store::StoreError;
use crate::store::cassandra::errors::of_prepare;
use crate::store::cassandra::rows::{INSERT_COLUMNS, select_columns};
use crate::tables::Table;
use scylla::client::session::Session;
use scylla::statement::batch::{Batch, BatchStatement, BatchType};
use scylla::statement::prepared::PreparedStatement;

/// Rows of a batch over several partitions at most: larger ones measured hardly faster, and the node warns of more than
/// 10 partitions.
pub(super) const MIXED_ROWS: usize = 10;

/// Rows of a batch inside one partition at most, which the node writes as one.
pub(super) const PARTITION_ROWS: usize = 120;

/// A week: most lists end within the first hours.
const HOURS_A_PAGE: i32 = 168;

/// Both ways to write rows of one table.
pub(super) struct TableInserts {
    pub(super) table: Table,
    pub(super) single: PreparedStatement,
}

/// The request of `rows` rows, each written by `statement`.
pub(super) fn batch_of(statement: &PreparedStatement, rows: usize) -> Batch {
    let statements = vec![BatchStatement::PreparedStatement(statement.clone()); rows];
    let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
    batch.set_is_idempotent(true);
    batch
}

/// The reads of one list behind a position, from either end.
pub(super) struct ListStatements {
    newest: PreparedStatement,
    oldest: PreparedStatement,
}

impl ListStatements {
    pub(super) fn of(&self, order: ListOrder) -> &PreparedStatement {
        match order {
            ListOrder::NewestFirst => &self.newest,
            ListOrder::OldestFirst => &self.oldest,
        }
    }
}

pub(super) struct Statements {
    pub(super) inserts: Vec<TableInserts>,
    pub(super) put_domain: PreparedStatement,
    pub(super) put_year: PreparedStatement,
    pub(super) put_hour: PreparedStatement,
    pub(super) put_account: PreparedStatement,
    pub(super) put_name: PreparedStatement,
    pub(super) put_record: PreparedStatement,
    pub(super) by_domain: ListStatements,
    pub(super) by_user_id: ListStatements,
    pub(super) by_account: ListStatements,
    pub(super) by_user_name: ListStatements,
    pub(super) by_hour: ListStatements,
    pub(super) page: PreparedStatement,
    pub(super) pages_with_id: PreparedStatement,
    pub(super) pages_with_title: PreparedStatement,
    pub(super) accounts_with_id: PreparedStatement,
    pub(super) accounts_with_name: PreparedStatement,
    pub(super) domain: PreparedStatement,
    pub(super) domains: PreparedStatement,
    pub(super) years: PreparedStatement,
    pub(super) hours_newest: PreparedStatement,
    pub(super) hours_oldest: PreparedStatement,
    pub(super) records: PreparedStatement,
}

impl Statements {
    pub(super) async fn prepare(session: &Session, keyspace: &str) -> Result<Self, StoreError> {
        let it = Preparer { session, keyspace };
        let mut inserts = Vec::new();
        for table in Table::ALL {
            inserts.push(it.inserts(table).await?);
        }
        Ok(Self {
            inserts,
            // All with one timestamp: of two database names the larger stays, whichever came first.
            put_domain: it
                .prepare("INSERT INTO {keyspace}.domains (shelf, domain, wiki) VALUES ('all', ?, ?) USING TIMESTAMP 1")
                .await?,
            put_year: it.prepare("INSERT INTO {keyspace}.hours (shelf, date_hour) VALUES ('years', ?)").await?,
            put_hour: it.prepare("INSERT INTO {keyspace}.hours (shelf, date_hour) VALUES (?, ?) USING TTL ?").await?,
            put_account: it.prepare("INSERT INTO {keyspace}.accounts_by_id (user_id, domain) VALUES (?, ?)").await?,
            put_name: it
                .prepare(
                    "INSERT INTO {keyspace}.accounts_by_name (user_name, domain, user_id, newest_day) \
                     VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
                )
                .await?,
            put_record: it
                .prepare("INSERT INTO {keyspace}.pipeline_records (kind, record_key, payload) VALUES (?, ?, ?)")
                .await?,
            by_domain: it.list(Table::PagesByDomain, &["domain"], &["page_id"]).await?,
            by_user_id: it.list(Table::PagesByUser, &["user_id"], &["page_id", "domain"]).await?,
            by_account: it.list(Table::PagesByAccount, &["domain", "user_id"], &["page_id"]).await?,
            by_user_name: it.list(Table::PagesByUserName, &["user_name"], &["domain", "page_id"]).await?,
            by_hour: it.list(Table::LatestPages, &["date_hour"], &["domain", "page_id"]).await?,
            page: it.pages(Table::PagesById, "page_id = ? AND domain = ?").await?,
            pages_with_id: it.pages(Table::PagesById, "page_id = ?").await?,
            pages_with_title: it
                .pages(Table::PagesByTitle, "domain = ? AND page_title = ? AND created_at >= ? LIMIT ?")
                .await?,
            accounts_with_id: it.prepare("SELECT domain FROM {keyspace}.accounts_by_id WHERE user_id = ?").await?,
            accounts_with_name: it
                .prepare("SELECT domain, user_id, newest_day FROM {keyspace}.accounts_by_name WHERE user_name = ?")
                .await?,
            domain: it
                .prepare("SELECT domain, wiki FROM {keyspace}.domains WHERE shelf = 'all' AND domain = ?")
                .await?,
            domains: it.prepare("SELECT domain, wiki FROM {keyspace}.domains WHERE shelf = 'all'").await?,
            years: it.prepare("SELECT date_hour FROM {keyspace}.hours WHERE shelf = 'years'").await?,
            hours_newest: it.hours("DESC").await?,
            hours_oldest: it.hours("ASC").await?,
            records: it
                .prepare("SELECT kind, record_key, payload FROM {keyspace}.pipeline_records WHERE kind = ?")
                .await?,
        })
    }
}

/// Prepares statements in which `{keyspace}` stands for the keyspace's name.
pub(super) struct Preparer<'a> {
    pub(super) session: &'a Session,
    pub(super) keyspace: &'a str,
}

impl Preparer<'_> {
    pub(super) async fn prepare(&self, cql: &str) -> Result<PreparedStatement, StoreError> {
        let mut statement = self.session.prepare(cql.replace("{keyspace}", self.keyspace)).await.map_err(of_prepare)?;
        statement.set_is_idempotent(true);
        Ok(statement)
    }

    async fn pages(&self, table: Table, condition: &str) -> Result<PreparedStatement, StoreError> {
        let (columns, name) = (select_columns(table), table.name());
        self.prepare(&format!("SELECT {columns} FROM {{keyspace}}.{name} WHERE {condition}")).await
    }

    async fn hours(&self, direction: &str) -> Result<PreparedStatement, StoreError> {
        let cql = format!(
            "SELECT date_hour FROM {{keyspace}}.hours WHERE shelf = ? AND date_hour >= ? AND date_hour <= ? \
             ORDER BY date_hour {direction}"
        );
        let mut statement = self.prepare(&cql).await?;
        statement.set_page_size(HOURS_A_PAGE);
        Ok(statement)
    }

    /// The reads of `table`, whose partition is `key` and whose rows are ordered by time and `ties`, all descending: only
    /// one direction throughout makes the tuple form right.
    async fn list(&self, table: Table, key: &[&str], ties: &[&str]) -> Result<ListStatements, StoreError> {
        let key = key.join(" = ? AND ");
        let (order, marks) = (ties.join(", "), ", ?".repeat(ties.len()));
        let newest = format!("(created_at, {order}) < (?{marks}) AND (created_at) >= (?)");
        let oldest = format!("(created_at, {order}) > (?{marks}) AND (created_at) < (?) ORDER BY created_at ASC");
        Ok(ListStatements {
            newest: self.pages(table, &format!("{key} = ? AND {newest}")).await?,
            oldest: self.pages(table, &format!("{key} = ? AND {oldest}")).await?,
        })
    }

    async fn inserts(&self, table: Table) -> Result<TableInserts, StoreError> {
        let hour = if table.is_by_hour() { "date_hour, " } else { "" };
        let columns = format!("{hour}{INSERT_COLUMNS}");
        let marks = vec!["?"; columns.split(',').count()].join(", ");
        let name = table.name();
        let single = self
            .prepare(&format!(
                "INSERT INTO {{keyspace}}.{name} ({columns}) VALUES ({marks}) USING TIMESTAMP ? AND TTL ?"
            ))
            .await?;
        Ok(TableInserts { table, single })
    }
}
