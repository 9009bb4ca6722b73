//! Whole index tables with the pages that their rows point at, part by part: for verifying.
//!
//! A table's key is some ascending columns, then some descending ones. So what lies behind a row is the rest of its
//! partition, then the later partitions: two ranges of the index.

use crate::hour::Hour;
use crate::page::Page;
use crate::store::embedded::rows::page_of;
use crate::store::scan::{At, KeyPart};
use crate::store::{OddRow, Scan, ScanPosition, Scanned};
use crate::tables::Table;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, ToSql};

/// The columns of [`page_of`], from the first.
const PAGE: &str = "p.page_id, p.user_id, n.user_name, d.domain, p.page_title, p.created_at, w.wiki, p.namespace, \
     p.is_redirect, p.is_bot, p.rev_id, p.event_id, p.version";
/// How many they are.
const PAGE_COLUMNS: usize = 13;
/// What a row of any index points at, if it is there.
const SOURCES: &str = "LEFT JOIN pages p ON p.page_no = i.page_no LEFT JOIN domain_names d ON d.domain_no = p.domain_no \
     LEFT JOIN user_names n ON n.name_no = p.name_no LEFT JOIN wiki_names w ON w.wiki_no = p.wiki_no";

/// An index table.
struct Index {
    name: &'static str,
    ascending: &'static [&'static str],
    descending: &'static [&'static str],
}

impl Index {
    const fn of(table: Table) -> Self {
        let (name, ascending, descending): (_, &[&str], &[&str]) = match table {
            Table::PagesById => ("id_index", &["page_id", "domain_no"], &[]),
            Table::PagesByUser => ("user_index", &["user_id"], &["created_at", "page_id", "domain"]),
            Table::PagesByAccount => ("account_index", &["user_id", "domain_no"], &["created_at", "page_id"]),
            Table::PagesByDomain => ("domain_index", &["domain_no"], &["created_at", "page_id"]),
            Table::PagesByTime => ("time_index", &["hour", "user_id"], &["created_at", "page_id", "domain"]),
            Table::PagesByUserName => ("user_name_index", &["name_no"], &["created_at", "domain", "page_id"]),
            Table::PagesByTitle => ("title_index", &["domain_no", "page_title"], &["created_at", "page_id"]),
            Table::LatestPages => ("latest_index", &[], &["created_at", "domain", "page_id"]),
        };
        Self { name, ascending, descending }
    }

    fn key(&self) -> impl Iterator<Item = &'static str> {
        self.ascending.iter().chain(self.descending).copied()
    }

    /// Rows under `condition`: whether the key is the page's, the page, then the key.
    fn sql(&self, condition: &str) -> String {
        let (name, key) = (self.name, columns(self.key()));
        let is_right: Vec<String> =
            self.key().chain(["created_at"]).map(|column| format!("i.{column} = {}", of_page(column))).collect();
        let ascending = self.ascending.iter().map(|column| format!("i.{column}"));
        let order: Vec<String> =
            ascending.chain(self.descending.iter().map(|column| format!("i.{column} DESC"))).collect();
        format!(
            "SELECT {PAGE}, {}, {key} FROM {name} i {SOURCES} WHERE {condition} ORDER BY {} LIMIT ?1",
            is_right.join(" AND "),
            order.join(", ")
        )
    }

    /// The conditions of the two ranges behind a key whose columns are the parameters from 2 on. `fixed` leading columns
    /// stay as they are.
    fn behind(&self, fixed: usize) -> Vec<String> {
        let marks = |from: usize, count: usize| (from..from + count).map(|n| format!("?{n}")).collect::<Vec<_>>();
        let (up, down) = (self.ascending.len(), self.descending.len());
        let same = |count: usize| {
            let equal = self.ascending[..count].iter().zip(2..).map(|(column, n)| format!("i.{column} = ?{n}"));
            equal.chain(["TRUE".into()]).collect::<Vec<String>>().join(" AND ")
        };
        let mut ranges = Vec::new();
        if down > 0 {
            let rest = columns(self.descending.iter().copied());
            ranges.push(format!("{} AND ({rest}) < ({})", same(up), marks(2 + up, down).join(", ")));
        }
        if up > fixed {
            let later = columns(self.ascending[fixed..].iter().copied());
            ranges.push(format!("{} AND ({later}) > ({})", same(fixed), marks(2 + fixed, up - fixed).join(", ")));
        }
        ranges
    }
}

fn columns(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("i.{name}")).collect::<Vec<_>>().join(", ")
}

/// What a column of a key must be.
fn of_page(column: &str) -> &'static str {
    match column {
        "page_id" => "CAST(p.page_id AS TEXT)",
        "user_id" => "CAST(p.user_id AS TEXT)",
        "domain" => "d.domain",
        "domain_no" => "p.domain_no",
        "name_no" => "p.name_no",
        "page_title" => "p.page_title",
        "hour" => "p.created_at / 3600",
        _ => "p.created_at",
    }
}

impl ToSql for KeyPart {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Number(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// A part of a scan.
pub(super) fn scan(
    db: &Connection,
    scan: Scan,
    from: Option<&ScanPosition>,
    limit: usize,
) -> rusqlite::Result<Scanned> {
    let (index, fixed, first) = match scan {
        Scan::Table(table) => (Index::of(table), Vec::new(), "TRUE"),
        Scan::Hour(hour) => (Index::of(Table::PagesByTime), vec![KeyPart::Number(hour.count())], "i.hour = ?2"),
    };
    let mut reading = Reading { index: &index, limit, rows: Vec::new(), last: None };
    let mut before = 0;
    match from.map(|position| &position.0) {
        Some(At::Key { key, read }) => {
            before = *read;
            for range in index.behind(fixed.len()) {
                // Each range uses the key's columns from the front, and not always all.
                let used = (2..2 + key.len()).take_while(|n| range.contains(&format!("?{n}"))).count();
                reading.read(db, &range, &key[..used])?;
            }
        }
        _ => reading.read(db, first, &fixed)?,
    }
    let read = before + reading.rows.len() as u64;
    let is_more = reading.rows.len() >= limit;
    let next = reading.last.filter(|_| is_more).map(|key| ScanPosition(At::Key { key, read }));
    let share = if next.is_none() { 1.0 } else { share(db, read)? };
    Ok(Scanned { rows: reading.rows, next, share })
}

fn share(db: &Connection, read: u64) -> rusqlite::Result<f64> {
    let last: i64 = db.query_row("SELECT coalesce(max(page_no), 1) FROM pages", [], |row| row.get(0))?;
    Ok((read as f64 / last.max(1) as f64).min(1.0))
}

struct Reading<'a> {
    index: &'a Index,
    limit: usize,
    rows: Vec<Result<Page, OddRow>>,
    last: Option<Vec<KeyPart>>,
}

impl Reading<'_> {
    /// Adds the rows of one range, up to the limit.
    fn read(&mut self, db: &Connection, condition: &str, key: &[KeyPart]) -> rusqlite::Result<()> {
        let wanted = self.limit.saturating_sub(self.rows.len());
        if wanted == 0 {
            return Ok(());
        }
        let mut statement = db.prepare_cached(&self.index.sql(condition))?;
        let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
        let values = std::iter::once(&wanted as &dyn ToSql).chain(key.iter().map(|part| part as &dyn ToSql));
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let key = (PAGE_COLUMNS + 1..).zip(self.index.key()).map(|(at, _)| key_part(row, at));
            let key = key.collect::<rusqlite::Result<Vec<_>>>()?;
            self.rows.push(page_at(row).map_err(|why| OddRow { key: self.shown(&key), hour: self.hour(&key), why }));
            self.last = Some(key);
        }
        Ok(())
    }

    fn hour(&self, key: &[KeyPart]) -> Option<Hour> {
        let mut parts = self.index.key().zip(key);
        parts.find_map(|(column, part)| match (column, part) {
            ("created_at", KeyPart::Number(seconds)) => Some(Hour::from_count(seconds.div_euclid(3_600))),
            _ => None,
        })
    }

    fn shown(&self, key: &[KeyPart]) -> String {
        let column = |(column, part): (&str, &KeyPart)| match part {
            KeyPart::Number(number) if column == "hour" => format!("date_hour={}", Hour::from_count(*number)),
            KeyPart::Number(number) => format!("{column}={number}"),
            KeyPart::Text(text) => format!("{column}={text:?}"),
        };
        self.index.key().zip(key).map(column).collect::<Vec<_>>().join(" ")
    }
}

/// The page of a row, or what is wrong.
fn page_at(row: &Row<'_>) -> Result<Page, String> {
    let is_missing = |at: usize| matches!(row.get_ref(at), Ok(ValueRef::Null));
    let missing = [(0, "its page"), (2, "its page's user name"), (3, "its page's domain"), (6, "its page's wiki")];
    if let Some((_, what)) = missing.into_iter().find(|(at, _)| is_missing(*at)) {
        return Err(format!("{what} is missing"));
    }
    let page = page_of(row).map_err(|error| error.to_string())?;
    match row.get(PAGE_COLUMNS) {
        Ok(true) => Ok(page),
        _ => Err(format!(
            "it points at page_id={} domain={} created_at={} user_id={} user_name={:?}",
            page.page_id,
            page.domain,
            page.created_at.format("%FT%TZ"),
            page.user_id,
            page.user_name
        )),
    }
}

fn key_part(row: &Row<'_>, at: usize) -> rusqlite::Result<KeyPart> {
    Ok(match row.get_ref(at)? {
        ValueRef::Integer(number) => KeyPart::Number(number),
        other => KeyPart::Text(other.as_str().unwrap_or_default().to_owned()),
    })
}

/// The hours that are listed under their name.
pub(super) fn listed_hours(db: &Connection) -> rusqlite::Result<Vec<Hour>> {
    let mut statement = db.prepare_cached("SELECT hour, date_hour FROM hours")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut hours = Vec::new();
    for row in rows {
        let (count, name): (i64, String) = row?;
        hours.extend(name.parse().ok().filter(|hour: &Hour| hour.count() == count));
    }
    Ok(hours)
}
