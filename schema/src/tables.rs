//! One page to the rows of each table, pure: every store writes exactly these.

use crate::hour::Hour;
use crate::page::Page;

/// The DDL of the tables, as Cassandra reads it; `{keyspace}` stands for the keyspace's name.
pub const TABLES_CQL: &str = include_str!("../tables.cql");

/// The version of the tables' layout that this program writes.
pub const SCHEMA_VERSION: i32 = 1;

/// The tables that hold a row for each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// By the wiki's number of the page; keeps a page's newest creation.
    PagesById,
    /// By the wiki's number of the account.
    PagesByUser,
    /// By wiki.
    PagesByDomain,
    /// By hour, within it by user.
    PagesByTime,
    /// By person.
    PagesByUserName,
    /// By hour, newest first.
    LatestPages,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 6] = [
        Table::PagesById,
        Table::PagesByUser,
        Table::PagesByDomain,
        Table::PagesByTime,
        Table::PagesByUserName,
        Table::LatestPages,
    ];

    /// The table's name in every store.
    pub const fn name(self) -> &'static str {
        match self {
            Table::PagesById => "pages_by_id",
            Table::PagesByUser => "pages_by_user",
            Table::PagesByDomain => "pages_by_domain",
            Table::PagesByTime => "pages_by_time",
            Table::PagesByUserName => "pages_by_user_name",
            Table::LatestPages => "latest_pages",
        }
    }

    /// Whether the table's partitions are hours, so that its rows begin with `date_hour`.
    pub const fn is_by_hour(self) -> bool {
        matches!(self, Table::PagesByTime | Table::LatestPages)
    }
}

/// One row: the page's columns, and the hour where the table's partitions are hours.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where it goes.
    pub table: Table,
    /// The partition of the tables by hour.
    pub date_hour: Option<Hour>,
    /// All other columns.
    pub page: &'a Page,
}

/// The rows of one page, one per table.
pub fn rows_for(page: &Page) -> [Row<'_>; 6] {
    let hour = Hour::of(page.created_at);
    Table::ALL.map(|table| Row { table, date_hour: table.is_by_hour().then_some(hour), page })
}
