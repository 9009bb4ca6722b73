//! The lists of pages: keyset pages in each list's order.
//!
//! A slice begins behind a key. An end of the time span is such a key too: nothing lies between `(to, "", "")` and the
//! first page before `to`, nor between `(from, "", "")` and the first page from `from` on. So each list has one statement
//! for each direction, and its reads are one range of its index.

use crate::page::{Page, PageKey};
use crate::query::{ListOrder, PageList, PageQuery, PageSlice};
use crate::store::embedded::rows::{page_of, select_pages};
use rusqlite::{Connection, params};

/// The statements of one list. Parameters: 1 and 2 the list's key, 3 the time at which the list ends, 4 to 6 the time,
/// page id and domain behind which the slice begins, 7 how many rows.
struct ListSql {
    newest: &'static str,
    oldest: &'static str,
}

/// Statements over `$index` where `$key` holds, in the order of the columns `$order`, compared with `$start`.
macro_rules! list_sql {
    ($index:literal, $key:literal, [$($order:literal),+], $start:literal) => {
        ListSql {
            newest: select_pages!($index, concat!(
                "WHERE ", $key, " AND i.created_at >= ?3 AND (i.created_at", $(", ", $order,)+ ") < ", $start,
                " ORDER BY i.created_at DESC", $(", ", $order, " DESC",)+ " LIMIT ?7"
            )),
            oldest: select_pages!($index, concat!(
                "WHERE ", $key, " AND i.created_at < ?3 AND (i.created_at", $(", ", $order,)+ ") > ", $start,
                " ORDER BY i.created_at", $(", ", $order,)+ " LIMIT ?7"
            )),
        }
    };
}

const ALL: ListSql = list_sql!("latest_index", "TRUE", ["i.domain", "i.page_id"], "(?4, ?6, ?5)");
const DOMAIN: ListSql = list_sql!(
    "domain_index",
    "i.domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?1)",
    ["i.page_id"],
    "(?4, ?5)"
);
const USER_ID: ListSql = list_sql!("user_index", "i.user_id = ?1", ["i.page_id", "i.domain"], "(?4, ?5, ?6)");
const USER: ListSql = list_sql!(
    "account_index",
    "i.user_id = ?1 AND i.domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?2)",
    ["i.page_id"],
    "(?4, ?5)"
);
const USER_NAME: ListSql = list_sql!(
    "user_name_index",
    "i.name_no = (SELECT name_no FROM user_names WHERE user_name = ?1)",
    ["i.domain", "i.page_id"],
    "(?4, ?6, ?5)"
);

/// A list's statements and the two parts of its key.
fn sql_of(list: &PageList) -> (ListSql, String, &str) {
    match list {
        PageList::All => (ALL, String::new(), ""),
        PageList::Domain(domain) => (DOMAIN, domain.to_string(), ""),
        PageList::UserId(user_id) => (USER_ID, user_id.to_string(), ""),
        PageList::User(domain, user_id) => (USER, user_id.to_string(), domain.as_str()),
        PageList::UserName(name) => (USER_NAME, name.clone(), ""),
    }
}

/// Behind which key a slice begins.
struct Start<'a> {
    at: i64,
    page_id: String,
    domain: &'a str,
}

impl<'a> Start<'a> {
    /// Behind `query.after`, but not before the end `at` of the time span.
    fn of(query: &'a PageQuery, at: i64) -> Self {
        let is_within = |key: &&PageKey| match query.order {
            ListOrder::NewestFirst => key.created_at.timestamp() < at,
            ListOrder::OldestFirst => key.created_at.timestamp() >= at,
        };
        match query.after.as_ref().filter(is_within) {
            Some(key) => {
                Self { at: key.created_at.timestamp(), page_id: key.page_id.to_string(), domain: key.domain.as_str() }
            }
            None => Self { at, page_id: String::new(), domain: "" },
        }
    }
}

/// Pages have whole seconds; a bound within a second stands for the next one.
fn ceil_seconds(time: chrono::DateTime<chrono::Utc>) -> i64 {
    time.timestamp() + i64::from(time.timestamp_subsec_nanos() > 0)
}

/// A part of a list. One row more than shown is read, to tell whether the list goes on.
pub(super) fn list_pages(db: &Connection, query: &PageQuery) -> rusqlite::Result<PageSlice> {
    if query.limit == 0 {
        return Ok(PageSlice::default());
    }
    let most = query.most_rows();
    let (sql, key, domain) = sql_of(&query.list);
    let from = query.during.from.map_or(i64::MIN, ceil_seconds);
    let to = query.during.to.map_or(i64::MAX, ceil_seconds);
    let (sql, first, last) = match query.order {
        ListOrder::NewestFirst => (sql.newest, to, from),
        ListOrder::OldestFirst => (sql.oldest, from, to),
    };
    let start = Start::of(query, first);
    let mut statement = db.prepare_cached(sql)?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![key, domain, last, start.at, start.page_id, start.domain, limit])?;

    let mut pages: Vec<Page> = Vec::new();
    let mut last: Option<PageKey> = None;
    let mut read = 0;
    while let Some(row) = rows.next()? {
        let page = page_of(row)?;
        let passes = query.filter.matches(&page);
        read += 1;
        if read == most || (passes && pages.len() == query.limit) {
            return Ok(PageSlice { pages, next: last, rows_read: read });
        }
        last = Some(page.key());
        if passes {
            pages.push(page);
        }
    }
    Ok(PageSlice { pages, next: None, rows_read: read })
}
