//! Whole tables, read row by row, and the steps that mend them: for verifying only, no request needs them.

use crate::hour::Hour;
use crate::page::Page;
use crate::query::DomainRow;
use crate::tables::Table;
use std::sync::Arc;

/// What is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// All rows of a table in its own order: those of one partition side by side, partitions in any order.
    Table(Table),
    /// The rows of one hour in `pages_by_time`.
    Hour(Hour),
}

/// Where a scan goes on. Only the store that gave it understands it.
#[derive(Debug, Clone)]
pub struct ScanPosition(pub(super) At);

/// What the stores keep in a position.
#[derive(Debug, Clone)]
pub(super) enum At {
    /// Behind this key of an index, and how many rows were read up to it.
    Key { key: Vec<KeyPart>, read: u64 },
    /// A node's own position.
    State(Arc<[u8]>),
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyPart {
    Number(i64),
    Text(String),
}

/// A row that is no page's: cells are missing or malformed, or it lies under another key than its page's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRow {
    /// Its key, as `column=value`.
    pub key: String,
    /// The hour that it says it is of, if it does.
    pub hour: Option<Hour>,
    /// What is wrong with it.
    pub why: String,
}

/// A part of what is scanned.
#[derive(Debug, Clone)]
pub struct Scanned {
    /// The rows.
    pub rows: Vec<Result<Page, OddRow>>,
    /// Where the next part begins; none at the end.
    pub next: Option<ScanPosition>,
    /// Roughly which share of the whole is read, from 0 to 1.
    pub share: f64,
}

/// A step of a repair. Each store takes those that fit how it keeps pages, and has nothing to do for the others.
#[derive(Debug, Clone)]
pub enum Repair {
    /// Write these pages into all tables again: where each table has rows of its own.
    Pages(Vec<Page>),
    /// Make a table anew: where a page is stored once and tables are indexes.
    Table(Table),
    /// List these wikis.
    Domains(Vec<DomainRow>),
    /// List these hours.
    Hours(Vec<Hour>),
    /// Have the accounts of these pages found by their number and their name.
    Accounts(Vec<Page>),
    /// Take the counts of these hours anew, and of the longer periods in which they lie.
    Counts(Vec<Hour>),
}
