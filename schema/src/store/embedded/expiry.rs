//! Pages that were kept long enough: which hours take nothing any more, and removing their rows bit by bit.
//!
//! The writer removes between its writes. What refers to a page goes with it; names and accounts stay, since the counts of
//! people name them, and so do all counts.

use crate::hour::Hour;
use crate::retention::{Keep, Removal, Retention};
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::commits;
use crate::store::{RETENTION, parse_retention, retention_payload};
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, ToSql, params};

/// Pages removed in one transaction: writes wait about 50 ms for it.
const PART: i64 = 1_000;

/// What is known of the retention.
pub(super) fn load(db: &Connection) -> rusqlite::Result<Retention> {
    let sql = "SELECT payload FROM pipeline_records WHERE kind = ?1";
    let payload: Option<Vec<u8>> = db.prepare_cached(sql)?.query_row([RETENTION], |row| row.get(0)).optional()?;
    let Some(payload) = payload else { return Ok(Retention::default()) };
    parse_retention(&payload).map_err(|error| Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error)))
}

fn put(db: &Connection, retention: &Retention) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO pipeline_records (kind, record_key, payload) VALUES (?1, '', ?2)";
    db.prepare_cached(sql)?.execute(params![RETENTION, retention_payload(retention)])?;
    Ok(())
}

/// Within the caller's transaction.
pub(super) fn set_keep(db: &Connection, keep: Keep, now: DateTime<Utc>) -> rusqlite::Result<()> {
    freeze(db, now)?;
    let before = load(db)?;
    if before.keep() == keep {
        return Ok(());
    }
    tracing::info!(before = %before.keep(), now = %keep, "how long pages are kept is changed");
    put(db, &before.with(keep, now, Removal::ByStore))
}

/// Freezes what is to be frozen by now: nothing may be written before the hour that it gives. Within the transaction that
/// writes, so that no page is counted again that was removed meanwhile.
pub(super) fn freeze(db: &Connection, now: DateTime<Utc>) -> rusqlite::Result<Hour> {
    let retention = load(db)?;
    // What awaits counting is not told apart from what is counted; hours freeze when all is.
    let moved_on = if Awaiting::load(db, Work::Counting)?.is_some() { None } else { retention.moved_on(now) };
    if let Some(retention) = &moved_on {
        put(db, retention)?;
    }
    Ok(moved_on.unwrap_or(retention).frozen())
}

/// Whether pages are to be removed.
pub(super) fn is_due(db: &Connection, now: DateTime<Utc>) -> rusqlite::Result<bool> {
    let until = load(db)?.expired_before(now);
    let sql = "SELECT 1 FROM hours WHERE hour < ?1 LIMIT 1";
    db.prepare_cached(sql)?.query_row([until.count()], |_| Ok(())).optional().map(|found| found.is_some())
}

/// Removes a part of what was kept long enough, in a transaction of its own; false when nothing is left.
pub(super) fn remove_part(connection: &mut Connection, now: DateTime<Utc>) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    if Awaiting::load(&transaction, Work::Counting)?.is_some() {
        return Ok(false);
    }
    let frozen = freeze(&transaction, now)?;
    let until = load(&transaction)?.expired_before(now).min(frozen);
    let pages = oldest_before(&transaction, until)?;
    for page in &pages {
        remove(&transaction, page)?;
    }
    if let Some(last) = pages.iter().map(|page| page.page_no).max() {
        commits::note_removed(&transaction, last)?;
    }
    let is_more = i64::try_from(pages.len()).is_ok_and(|count| count == PART);
    if !is_more {
        transaction.execute("DELETE FROM hours WHERE hour < ?1", [until.count()])?;
    }
    transaction.commit()?;
    if !pages.is_empty() {
        tracing::debug!(pages = pages.len(), before = %until, "pages that were kept long enough are removed");
    }
    Ok(is_more)
}

/// What the keys of a page's rows are made of.
struct Keys {
    page_no: i64,
    created_at: i64,
    page_id: String,
    user_id: String,
    name_no: i64,
    domain_no: i64,
    domain: String,
    page_title: String,
}

fn oldest_before(db: &Connection, until: Hour) -> rusqlite::Result<Vec<Keys>> {
    let mut statement = db.prepare_cached(
        "SELECT i.page_no, i.created_at, i.page_id, CAST(p.user_id AS TEXT), p.name_no, p.domain_no, i.domain, \
         p.page_title \
         FROM latest_index i CROSS JOIN pages p ON p.page_no = i.page_no \
         WHERE i.created_at < ?1 ORDER BY i.created_at LIMIT ?2",
    )?;
    let keys = |row: &rusqlite::Row<'_>| {
        Ok(Keys {
            page_no: row.get(0)?,
            created_at: row.get(1)?,
            page_id: row.get(2)?,
            user_id: row.get(3)?,
            name_no: row.get(4)?,
            domain_no: row.get(5)?,
            domain: row.get(6)?,
            page_title: row.get(7)?,
        })
    };
    statement.query_map(params![until.start().timestamp(), PART], keys)?.collect()
}

fn remove(db: &Connection, keys: &Keys) -> rusqlite::Result<()> {
    let Keys { page_no, created_at: at, page_id, user_id, name_no, domain_no, domain, page_title } = keys;
    let delete = |sql: &str, key: &[&dyn ToSql]| db.prepare_cached(sql)?.execute(key).map(drop);
    // By a page's number its newest creation is found, which may still be there.
    delete(
        "DELETE FROM id_index WHERE page_id = ?1 AND domain_no = ?2 AND page_no = ?3",
        &[page_id, domain_no, page_no],
    )?;
    delete(
        "DELETE FROM user_index WHERE user_id = ?1 AND created_at = ?2 AND page_id = ?3 AND domain = ?4",
        &[user_id, at, page_id, domain],
    )?;
    delete(
        "DELETE FROM account_index WHERE user_id = ?1 AND domain_no = ?2 AND created_at = ?3 AND page_id = ?4",
        &[user_id, domain_no, at, page_id],
    )?;
    delete(
        "DELETE FROM domain_index WHERE domain_no = ?1 AND created_at = ?2 AND page_id = ?3",
        &[domain_no, at, page_id],
    )?;
    delete(
        "DELETE FROM time_index WHERE hour = ?1 AND user_id = ?2 AND created_at = ?3 AND page_id = ?4 AND domain = ?5",
        &[&(at / 3_600), user_id, at, page_id, domain],
    )?;
    delete(
        "DELETE FROM user_name_index WHERE name_no = ?1 AND created_at = ?2 AND domain = ?3 AND page_id = ?4",
        &[name_no, at, domain, page_id],
    )?;
    delete(
        "DELETE FROM title_index WHERE domain_no = ?1 AND page_title = ?2 AND created_at = ?3 AND page_id = ?4",
        &[domain_no, page_title, at, page_id],
    )?;
    delete("DELETE FROM latest_index WHERE created_at = ?1 AND domain = ?2 AND page_id = ?3", &[at, domain, page_id])?;
    delete("DELETE FROM pages WHERE page_no = ?1", &[page_no])
}
