//! The index by title: what is read from it, and entering the pages of a store that did not have it.

use crate::page::{Domain, Page};
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::rows::{page_of, select_pages};
use rusqlite::{Connection, params};

/// Pages entered in one transaction: writes wait about 50 ms for it.
const PART: i64 = 5_000;

const PAGES_BY_TITLE: &str = select_pages!(
    "title_index",
    "WHERE i.domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?1) AND i.page_title = ?2 \
     ORDER BY i.created_at DESC, i.page_id DESC LIMIT ?3"
);

/// The creations on a wiki under this title, newest first.
pub(super) fn pages_by_title(
    db: &Connection,
    domain: &Domain,
    page_title: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Page>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare_cached(PAGES_BY_TITLE)?.query_map(params![domain.as_str(), page_title, limit], page_of)?.collect()
}

/// Enters one part in a transaction; false when nothing is left. What is entered already stays as it is.
pub(super) fn index_part(connection: &mut Connection) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let Some(before) = Awaiting::load(&transaction, Work::Indexing)? else { return Ok(false) };
    let end = before.end_of_part(PART);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO title_index (domain_no, page_title, created_at, page_id, page_no) \
             SELECT domain_no, page_title, created_at, CAST(page_id AS TEXT), page_no FROM pages \
             WHERE page_no BETWEEN ?1 AND ?2 ORDER BY 1, 2, 3 DESC, 4 DESC",
        )?
        .execute(params![before.first, end])?;
    let after = before.proceed(&transaction, end)?;
    transaction.commit()?;
    after.tell_progress(&before);
    Ok(!after.is_done())
}
