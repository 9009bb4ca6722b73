//! Reads by key: pages, accounts, wikis, and the pipeline's records.

use crate::page::{Domain, Page, PageId, UserId};
use crate::query::DomainRow;
use crate::store::PipelineRecord;
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::readers::count_rows;
use crate::store::embedded::rows::{domain_of, page_of, select_pages, wiki_of};
use rusqlite::{Connection, OptionalExtension, Row, params};

const PAGE: &str = select_pages!(
    "id_index",
    "WHERE i.page_id = ?1 AND i.domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?2)"
);
const PAGES_BY_ID: &str = select_pages!("id_index", "WHERE i.page_id = ?1 ORDER BY d.domain");
const NEWEST_OF_ACCOUNT: &str = select_pages!(
    "account_index",
    "WHERE i.user_id = ?1 AND i.domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?2) \
     ORDER BY i.created_at DESC, i.page_id DESC LIMIT 1"
);
const NEWEST_ON_WIKI: &str = select_pages!(
    "account_index",
    "WHERE i.user_id = ?1 AND i.domain_no = ?2 ORDER BY i.created_at DESC, i.page_id DESC LIMIT 1"
);
/// Within the last hour that has pages under the name: behind it may lie any number under a later one.
const NEWEST_UNDER_NAME: &str = select_pages!(
    "account_index",
    "WHERE i.user_id = ?1 AND i.domain_no = ?2 AND p.name_no = ?3 AND i.created_at >= ?4 AND i.created_at < ?5 \
     ORDER BY i.created_at DESC, i.page_id DESC LIMIT 1"
);
/// That hour. An account has a row for each name that it had.
const LAST_HOUR_UNDER_NAME: &str = "SELECT start FROM user_counts WHERE account_no = ?1 AND page_count > 0 \
     ORDER BY start DESC LIMIT 1";

/// The newest creation of each page, in the order asked.
pub(super) fn load_pages(db: &Connection, keys: &[(Domain, PageId)]) -> rusqlite::Result<Vec<Option<Page>>> {
    let mut statement = db.prepare_cached(PAGE)?;
    let load = |(domain, page_id): &(Domain, PageId)| {
        statement.query_row(params![page_id.to_string(), domain.as_str()], page_of).optional()
    };
    keys.iter().map(load).collect()
}

/// The newest page of each account, in the order asked.
pub(super) fn load_users(db: &Connection, keys: &[(Domain, UserId)]) -> rusqlite::Result<Vec<Option<Page>>> {
    let mut statement = db.prepare_cached(NEWEST_OF_ACCOUNT)?;
    let load = |(domain, user_id): &(Domain, UserId)| {
        statement.query_row(params![user_id.to_string(), domain.as_str()], page_of).optional()
    };
    keys.iter().map(load).collect()
}

/// The wikis of these names, in the order asked.
pub(super) fn load_domains(db: &Connection, names: &[Domain]) -> rusqlite::Result<Vec<Option<DomainRow>>> {
    let mut statement = db.prepare_cached("SELECT domain, wiki FROM domain_names WHERE domain = ?1")?;
    names.iter().map(|name| statement.query_row([name.as_str()], domain_row_of).optional()).collect()
}

/// All wikis, by domain.
pub(super) fn domains(db: &Connection) -> rusqlite::Result<Vec<DomainRow>> {
    db.prepare_cached("SELECT domain, wiki FROM domain_names ORDER BY domain")?.query_map([], domain_row_of)?.collect()
}

/// Every page with this number, by domain.
pub(super) fn pages_by_id(db: &Connection, page_id: PageId) -> rusqlite::Result<Vec<Page>> {
    db.prepare_cached(PAGES_BY_ID)?.query_map([page_id.to_string()], page_of)?.collect()
}

/// The newest page of each account with this number, by domain: one step of the index per wiki.
pub(super) fn users_by_id(db: &Connection, user_id: UserId) -> rusqlite::Result<Vec<Page>> {
    let user_id = user_id.to_string();
    let mut next_wiki = db.prepare_cached(
        "SELECT domain_no FROM account_index WHERE user_id = ?1 AND domain_no > ?2 ORDER BY domain_no LIMIT 1",
    )?;
    let mut newest = db.prepare_cached(NEWEST_ON_WIKI)?;
    let mut pages = Vec::new();
    let mut last = i64::MIN;
    while let Some(wiki) = next_wiki.query_row(params![user_id, last], |row| row.get(0)).optional()? {
        count_rows(1);
        pages.push(newest.query_row(params![user_id, wiki], page_of)?);
        last = wiki;
    }
    pages.sort_by(|a, b| a.domain.cmp(&b.domain));
    Ok(pages)
}

/// The newest page of each account under this name, by domain, then user id.
pub(super) fn users_by_name(db: &Connection, user_name: &str) -> rusqlite::Result<Vec<Page>> {
    let mut accounts = db.prepare_cached(
        "SELECT a.account_no, a.user_id, a.domain_no, a.name_no FROM user_names n CROSS JOIN accounts a \
         ON a.name_no = n.name_no WHERE n.user_name = ?1",
    )?;
    let (mut last_hour, mut newest) = (db.prepare_cached(LAST_HOUR_UNDER_NAME)?, db.prepare_cached(NEWEST_UNDER_NAME)?);
    let is_counted = Awaiting::load(db, Work::Counting)?.is_none();
    let mut pages: Vec<Page> = Vec::new();
    let mut rows = accounts.query([user_name])?;
    while let Some(row) = rows.next()? {
        count_rows(1);
        let (account_no, user_id, domain_no, name_no): (i64, String, i64, i64) = row.try_into()?;
        let within = if is_counted {
            let hour: Option<i64> = last_hour.query_row([account_no], |row| row.get(0)).optional()?;
            let Some(hour) = hour else { continue };
            count_rows(1);
            (hour * 3_600, (hour + 1) * 3_600)
        } else {
            (i64::MIN, i64::MAX)
        };
        pages.extend(newest.query_row(params![user_id, domain_no, name_no, within.0, within.1], page_of).optional()?);
    }
    pages.sort_by(|a, b| (&a.domain, a.user_id).cmp(&(&b.domain, b.user_id)));
    Ok(pages)
}

/// The records of a kind, by key.
pub(super) fn records(db: &Connection, kind: &str) -> rusqlite::Result<Vec<PipelineRecord>> {
    let sql = "SELECT kind, record_key, payload FROM pipeline_records WHERE kind = ?1 ORDER BY record_key";
    let record = |row: &Row<'_>| {
        count_rows(1);
        Ok(PipelineRecord { kind: row.get(0)?, key: row.get(1)?, payload: row.get(2)? })
    };
    db.prepare_cached(sql)?.query_map([kind], record)?.collect()
}

fn domain_row_of(row: &Row<'_>) -> rusqlite::Result<DomainRow> {
    count_rows(1);
    Ok(DomainRow { domain: domain_of(&row.get_ref(0)?)?, wiki: wiki_of(&row.get_ref(1)?)? })
}
