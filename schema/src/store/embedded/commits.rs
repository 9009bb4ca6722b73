//! The order of commits: that of the pages' numbers, which the one writer gives in the order of its transactions.
//!
//! A page that is replaced by a larger version keeps its number. Numbers of removed pages are not given again: the
//! largest is kept, and tells whether anything is missing behind a place.

use crate::store::commits::{Commit, Committed};
use crate::store::embedded::rows::page_of;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The kind of the two records kept here.
const COMMITS: &str = "commits";
const IDENTITY: &str = "identity";
const REMOVED: &str = "removed";

const PAGES: &str = "SELECT p.page_id, p.user_id, n.user_name, d.domain, p.page_title, p.created_at, w.wiki, \
     p.namespace, p.is_redirect, p.is_bot, p.rev_id, p.event_id, p.version, p.page_no FROM pages p \
     CROSS JOIN domain_names d ON d.domain_no = p.domain_no CROSS JOIN user_names n ON n.name_no = p.name_no \
     CROSS JOIN wiki_names w ON w.wiki_no = p.wiki_no WHERE p.page_no ";

/// Gives the store a name that no other has; to be called before it is written to.
pub(super) fn name(db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO pipeline_records (kind, record_key, payload) VALUES (?1, ?2, randomblob(8)) \
               ON CONFLICT DO NOTHING";
    db.execute(sql, [COMMITS, IDENTITY]).map(drop)
}

/// Notes that the pages up to this number may be gone. Within the transaction that removes them.
pub(super) fn note_removed(db: &Connection, number: i64) -> rusqlite::Result<()> {
    if number > removed(db)? {
        let sql = "INSERT OR REPLACE INTO pipeline_records (kind, record_key, payload) VALUES (?1, ?2, ?3)";
        db.prepare_cached(sql)?.execute(params![COMMITS, REMOVED, number.to_be_bytes()])?;
    }
    Ok(())
}

/// The largest number of a removed page.
fn removed(db: &Connection) -> rusqlite::Result<i64> {
    let number = record(db, REMOVED)?.and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes);
    Ok(number.unwrap_or(0))
}

fn record(db: &Connection, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT payload FROM pipeline_records WHERE kind = ?1 AND record_key = ?2";
    db.prepare_cached(sql)?.query_row([COMMITS, key], |row| row.get(0)).optional()
}

/// The number of the last page that was ever committed.
pub(super) fn last_number(db: &Connection) -> rusqlite::Result<i64> {
    let there = db.query_row("SELECT coalesce(max(page_no), 0) FROM pages", [], |row| row.get::<_, i64>(0))?;
    Ok(there.max(removed(db)?))
}

/// The place behind all pages.
pub(super) fn last(db: &Connection) -> rusqlite::Result<Commit> {
    place(db, last_number(db)?)
}

/// The place behind the page of this number.
fn place(db: &Connection, number: i64) -> rusqlite::Result<Commit> {
    let identity = record(db, IDENTITY)?.unwrap_or_default();
    let mut statement = db.prepare_cached(&format!("{PAGES} = ?1"))?;
    let key = statement.query_row([number], |row| page_of(row).map(|page| page.key())).optional()?;
    Ok(Commit::new(&identity, number, key.as_ref()))
}

/// The pages behind `after`; none where that is not a place of this store, or pages behind it are gone.
pub(super) fn list(db: &Connection, after: Commit, limit: usize) -> rusqlite::Result<Option<Committed>> {
    let identity = record(db, IDENTITY)?.unwrap_or_default();
    let committed = |row: &Row<'_>| {
        let page = page_of(row)?;
        let number = row.get(13)?;
        Ok((Commit::new(&identity, number, Some(&page.key())), page))
    };
    let mut statement = db.prepare_cached(&format!("{PAGES} > ?1 ORDER BY p.page_no LIMIT ?2"))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let pages = statement.query_map(params![after.number, limit], committed)?.collect::<rusqlite::Result<_>>()?;
    // Asked when the pages have been read: what is removed from now on was among them.
    let is_held = removed(db)? <= after.number && place(db, after.number)? == after;
    Ok(is_held.then_some(pages))
}

#[cfg(test)]
mod tests;
