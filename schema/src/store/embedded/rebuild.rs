//! Making anew what is derived from the pages: an index table, the names of wikis, the list of hours.
//!
//! The table `pages` holds each page once and is taken for true; a page that is no longer there is not made up.

use crate::hour::Hour;
use crate::query::DomainRow;
use crate::store::Repair;
use crate::store::embedded::counting::count_all_anew;
use crate::tables::Table;
use rusqlite::{Connection, params};

/// Does a step within the caller's transaction. What awaits counting after it is counted by the writer.
pub(super) fn repair(db: &Connection, step: &Repair) -> rusqlite::Result<()> {
    match step {
        // Each page is stored once: its table is made anew.
        Repair::Pages(_) => Ok(()),
        Repair::Table(table) => rebuild(db, *table),
        Repair::Domains(rows) => name_domains(db, rows),
        Repair::Hours(hours) => list_hours(db, hours),
        Repair::Accounts(_) => list_accounts(db),
        Repair::Counts(_) => count_all_anew(db),
    }
}

fn rebuild(db: &Connection, table: Table) -> rusqlite::Result<()> {
    let (index, columns, values, order) = match table {
        Table::PagesById => {
            ("id_index", "page_id, domain_no, created_at", "{page}, p.domain_no, {at}", "p.created_at, p.version")
        }
        Table::PagesByUser => {
            ("user_index", "user_id, created_at, page_id, domain", "{user}, {at}, {page}, d.domain", "p.version")
        }
        Table::PagesByAccount => (
            "account_index",
            "user_id, domain_no, created_at, page_id",
            "{user}, p.domain_no, {at}, {page}",
            "p.version",
        ),
        Table::PagesByDomain => {
            ("domain_index", "domain_no, created_at, page_id", "p.domain_no, {at}, {page}", "p.version")
        }
        Table::PagesByTime => (
            "time_index",
            "hour, user_id, created_at, page_id, domain",
            "{at} / 3600, {user}, {at}, {page}, d.domain",
            "p.version",
        ),
        Table::PagesByUserName => (
            "user_name_index",
            "name_no, created_at, domain, page_id",
            "p.name_no, {at}, d.domain, {page}",
            "p.version",
        ),
        Table::PagesByTitle => (
            "title_index",
            "domain_no, page_title, created_at, page_id",
            "p.domain_no, p.page_title, {at}, {page}",
            "p.version",
        ),
        Table::LatestPages => ("latest_index", "created_at, domain, page_id", "{at}, d.domain, {page}", "p.version"),
    };
    let values = values
        .replace("{page}", "CAST(p.page_id AS TEXT)")
        .replace("{user}", "CAST(p.user_id AS TEXT)")
        .replace("{at}", "p.created_at");
    // Sorted by the key, which are the first columns; of rows with one key the last stays.
    let key: Vec<String> = (1..=columns.split(", ").count()).map(|n| n.to_string()).collect();
    let key = if table == Table::PagesById { "1, 2".to_owned() } else { key.join(", ") };
    name_lost_domains(db)?;
    db.execute(&format!("DELETE FROM {index}"), [])?;
    db.execute(
        &format!(
            "INSERT OR REPLACE INTO {index} ({columns}, page_no) SELECT {values}, p.page_no FROM pages p \
             CROSS JOIN domain_names d ON d.domain_no = p.domain_no ORDER BY {key}, {order}"
        ),
        [],
    )?;
    Ok(())
}

/// Wikis whose row of names is gone. To be done before an index is made anew: their names are in the old one only.
fn name_lost_domains(db: &Connection) -> rusqlite::Result<()> {
    let mut lost = db.prepare_cached(
        "SELECT domain_no FROM domain_index WHERE domain_no NOT IN (SELECT domain_no FROM domain_names) GROUP BY domain_no",
    )?;
    let lost: Vec<i64> = lost.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for number in lost {
        db.execute(
            "INSERT INTO domain_names (domain_no, domain, wiki) SELECT p.domain_no, i.domain, max(w.wiki) \
             FROM latest_index i CROSS JOIN pages p ON p.page_no = i.page_no CROSS JOIN wiki_names w ON w.wiki_no = p.wiki_no \
             WHERE p.domain_no = ?1 GROUP BY p.domain_no ON CONFLICT DO NOTHING",
            [number],
        )?;
    }
    Ok(())
}

/// A wiki's number is still in its pages, and its name beside them in the indexes that are ordered by it.
fn name_domains(db: &Connection, rows: &[DomainRow]) -> rusqlite::Result<()> {
    let mut find = db.prepare_cached(
        "SELECT p.domain_no FROM latest_index i CROSS JOIN pages p ON p.page_no = i.page_no WHERE i.domain = ?1 LIMIT 1",
    )?;
    let mut put = db.prepare_cached(
        "INSERT INTO domain_names (domain_no, domain, wiki) VALUES (?1, ?2, ?3) \
         ON CONFLICT (domain) DO UPDATE SET wiki = excluded.wiki",
    )?;
    for row in rows {
        if let Some(number) = find.query_map([row.domain.as_str()], |row| row.get::<_, i64>(0))?.next() {
            put.execute(params![number?, row.domain.as_str(), row.wiki.as_str()])?;
        }
    }
    Ok(())
}

/// All of them: which the pages have.
fn list_accounts(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO accounts (name_no, domain_no, user_id) \
         SELECT name_no, domain_no, CAST(user_id AS TEXT) FROM pages WHERE TRUE GROUP BY 1, 2, 3 ON CONFLICT DO NOTHING",
        [],
    )?;
    Ok(())
}

fn list_hours(db: &Connection, hours: &[Hour]) -> rusqlite::Result<()> {
    let mut put = db.prepare_cached("INSERT OR REPLACE INTO hours (hour, date_hour) VALUES (?1, ?2)")?;
    hours.iter().try_for_each(|hour| put.execute(params![hour.count(), hour.to_string()]).map(drop))
}
