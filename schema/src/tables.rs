//! The tables' names and their DDL. Each store makes their rows itself, in its own form.

/// The DDL of the tables, as Cassandra reads it; `{keyspace}` stands for the keyspace's name.
pub const TABLES_CQL: &str = include_str!("../tables.cql");

/// The tables that hold a row for each page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// By the wiki's number of the page; keeps a page's newest creation.
    PagesById,
    /// By the wiki's number of the account.
    PagesByUser,
    /// By account: a wiki and its number of it.
    PagesByAccount,
    /// By wiki.
    PagesByDomain,
    /// By hour, within it by user.
    PagesByTime,
    /// By person.
    PagesByUserName,
    /// By hour, newest first.
    LatestPages,
    /// By wiki and title.
    PagesByTitle,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 8] = [
        Table::PagesById,
        Table::PagesByUser,
        Table::PagesByAccount,
        Table::PagesByDomain,
        Table::PagesByTime,
        Table::PagesByUserName,
        Table::LatestPages,
        Table::PagesByTitle,
    ];

    /// The table's name; the embedded store has an index for each.
    pub const fn name(self) -> &'static str {
        match self {
            Table::PagesById => "pages_by_id",
            Table::PagesByUser => "pages_by_user",
            Table::PagesByAccount => "pages_by_account",
            Table::PagesByDomain => "pages_by_domain",
            Table::PagesByTime => "pages_by_time",
            Table::PagesByUserName => "pages_by_user_name",
            Table::LatestPages => "latest_pages",
            Table::PagesByTitle => "pages_by_title",
        }
    }

    /// Whether the table's partitions are hours, so that its rows begin with `date_hour`.
    pub const fn is_by_hour(self) -> bool {
        matches!(self, Table::PagesByTime | Table::LatestPages)
    }
}
