//! Pages stored earlier that await something of a newer layout: the writer does it part by part between its writes, so that
//! the store takes and answers all else meanwhile.

use crate::store::embedded::error::store_error;
use crate::store::embedded::readers::Readers;
use crate::store::{Sealing, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

/// Progress is told each time this share is done.
const TOLD_PERCENT: i64 = 10;
/// How long who wants all of it done waits at once.
const DONE_MEANWHILE: Duration = Duration::from_millis(100);

/// What pages await.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// To be counted.
    Counting,
    /// To be entered in the index by title.
    Indexing,
}

impl Work {
    /// The table that holds which pages: one row, or none where all is done.
    fn table(self) -> &'static str {
        match self {
            Self::Counting => "uncounted",
            Self::Indexing => "unindexed",
        }
    }

    /// What is done to the pages, in words.
    fn words(self) -> &'static str {
        match self {
            Self::Counting => "counted",
            Self::Indexing => "entered in the index by title",
        }
    }
}

/// The pages that await it, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Awaiting {
    work: Work,
    pub(super) first: i64,
    last: i64,
    total: i64,
}

impl Awaiting {
    /// None where all is done.
    pub(super) fn load(db: &Connection, work: Work) -> rusqlite::Result<Option<Self>> {
        let sql = format!("SELECT first_page_no, last_page_no, page_count FROM {}", work.table());
        let awaiting =
            |row: &rusqlite::Row<'_>| Ok(Self { work, first: row.get(0)?, last: row.get(1)?, total: row.get(2)? });
        db.prepare_cached(&sql)?.query_row([], awaiting).optional()
    }

    /// Has it done to every page that is stored by now.
    pub(super) fn begin(db: &Connection, work: Work) -> rusqlite::Result<()> {
        let table = work.table();
        db.execute(&format!("DELETE FROM {table}"), [])?;
        db.execute(
            &format!(
                "INSERT INTO {table} SELECT 1, max(page_no), max(page_no) FROM pages HAVING max(page_no) IS NOT NULL"
            ),
            [],
        )?;
        Ok(())
    }

    /// Whether the page of this number awaits it.
    pub(super) fn holds(&self, page_no: i64) -> bool {
        (self.first..=self.last).contains(&page_no)
    }

    /// The last page of a part of so many.
    pub(super) fn end_of_part(&self, pages: i64) -> i64 {
        self.last.min(self.first.saturating_add(pages - 1))
    }

    /// Notes within the transaction that it is done up to this page; what is left of it.
    pub(super) fn proceed(&self, db: &Connection, done: i64) -> rusqlite::Result<Self> {
        let (table, after) = (self.work.table(), Self { first: done + 1, ..*self });
        if after.is_done() {
            db.execute(&format!("DELETE FROM {table}"), [])?;
        } else {
            db.execute(&format!("UPDATE {table} SET first_page_no = ?1"), params![after.first])?;
        }
        Ok(after)
    }

    /// Whether no page is left.
    pub(super) fn is_done(&self) -> bool {
        self.first > self.last
    }

    /// Tells of the step from `before`, if it is worth it.
    pub(super) fn tell_progress(&self, before: &Self) {
        if self.percent() / TOLD_PERCENT > before.percent() / TOLD_PERCENT {
            let (percent, pages) = (self.percent(), self.total);
            tracing::info!(percent, pages, "pages stored earlier are being {}", self.work.words());
        }
    }

    fn percent(&self) -> i64 {
        100 - (self.last - self.first + 1) * 100 / self.total.max(1)
    }

    /// Refuses what needs all of it before it is done.
    pub(super) fn check_done(db: &Connection, work: Work) -> Result<(), StoreError> {
        let Some(awaiting) = Self::load(db, work).map_err(|e| store_error(&e))? else { return Ok(()) };
        let (work, percent) = (work.words(), awaiting.percent());
        Err(StoreError::Unavailable(format!("the pages stored earlier are being {work}, {percent} % are done")))
    }
}

/// Waits a moment for the writer while it works; nothing is left when all is done.
pub(super) async fn wait(readers: &Readers) -> Result<Sealing, StoreError> {
    for work in [Work::Counting, Work::Indexing] {
        if readers.read(move |db| Awaiting::load(db, work)).await?.is_some() {
            tokio::time::sleep(DONE_MEANWHILE).await;
            return Ok(Sealing { sealed: 1, left: 1, ..Sealing::default() });
        }
    }
    Ok(Sealing::default())
}
