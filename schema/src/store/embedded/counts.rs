//! The rollups' reading: the fewest rows that make up the hours asked for.

use crate::hour::Hour;
use crate::period::{Period, PeriodRange, TimeUnit, cover};
use crate::query::{Count, CountQuery, Series, UserCount};
use crate::store::embedded::error::corrupt_value;
use crate::store::embedded::readers::count_rows;
use crate::store::embedded::rollup::{number_of_unit, parts_of_kind};
use crate::store::embedded::rows::domain_of;
use crate::wiki::ProjectFamily;
use rusqlite::{CachedStatement, Connection, Params, Row, params};

/// Of accounts there are counts by hour and by month only.
const UNITS_OF_USERS: [TimeUnit; 2] = [TimeUnit::Month, TimeUnit::Hour];

// Each gives: start, kind, count, then the family or the wiki, then of how many rows. Parameters: the first start, the end,
// then the unit.
const TOTALS: &str = "SELECT start, kind, page_count, family, 1 FROM total_counts \
     WHERE unit = ?3 AND start >= ?1 AND start < ?2";
const DOMAINS: &str = "SELECT c.start, c.kind, c.page_count, d.domain, 1 FROM domain_counts c \
     CROSS JOIN domain_names d ON d.domain_no = c.domain_no \
     WHERE c.unit = ?3 AND c.start >= ?1 AND c.start < ?2";
const DOMAIN: &str = "SELECT c.start, c.kind, c.page_count, d.domain, 1 FROM domain_names d \
     CROSS JOIN domain_counts c INDEXED BY counts_of_domain ON c.domain_no = d.domain_no \
     WHERE d.domain = ?4 AND c.unit = ?3 AND c.start >= ?1 AND c.start < ?2";

/// The counts of accounts, hourly or monthly, by `$accounts` with the parameters from 4 on, made of ?3 rows at most. An
/// account of several names, and several accounts of a person on one wiki, are put together.
macro_rules! user_sql {
    ($table:literal, $accounts:literal) => {
        concat!(
            "SELECT c.start, c.kind, sum(c.page_count), d.domain, sum(1) FROM \
                 (SELECT c.start, c.kind, c.page_count, a.domain_no FROM ",
            $accounts,
            " CROSS JOIN ",
            $table,
            " c ON c.account_no = a.account_no WHERE c.start >= ?1 AND c.start < ?2 LIMIT ?3) c \
             CROSS JOIN domain_names d ON d.domain_no = c.domain_no GROUP BY c.start, c.kind, c.domain_no"
        )
    };
}

macro_rules! account {
    ($table:literal) => {
        user_sql!(
            $table,
            "(SELECT account_no, domain_no FROM accounts \
              WHERE user_id = ?4 AND domain_no = (SELECT domain_no FROM domain_names WHERE domain = ?5)) a"
        )
    };
}

macro_rules! person {
    ($table:literal) => {
        user_sql!(
            $table,
            "(SELECT account_no, domain_no FROM accounts \
              WHERE name_no = (SELECT name_no FROM user_names WHERE user_name = ?4)) a"
        )
    };
}

const ACCOUNT_HOURS: &str = account!("user_counts");
const ACCOUNT_MONTHS: &str = account!("user_month_counts");
const PERSON_HOURS: &str = person!("user_counts");
const PERSON_MONTHS: &str = person!("user_month_counts");

/// The counts of a query; none where they are more than it allows.
pub(super) fn counts(db: &Connection, query: &CountQuery) -> rusqlite::Result<Option<Vec<Count>>> {
    let units: &[TimeUnit] = match query.series {
        Series::All | Series::Domains | Series::Domain(_) => &TimeUnit::LONGEST_FIRST,
        Series::User(..) | Series::UserName(_) => &UNITS_OF_USERS,
    };
    let units: Vec<TimeUnit> = units.iter().copied().filter(|unit| *unit <= query.unit).collect();
    let mut reading = Reading { counts: Vec::new(), left: query.max_rows as u64 };
    for part in cover(query.hours, &units) {
        if !reading.add(db, &query.series, part)? {
            return Ok(None);
        }
    }
    Ok(Some(reading.counts))
}

struct Reading {
    counts: Vec<Count>,
    /// Rows that may still be read.
    left: u64,
}

impl Reading {
    /// Reads the rows of one part; false where they were too many.
    fn add(&mut self, db: &Connection, series: &Series, part: PeriodRange) -> rusqlite::Result<bool> {
        let (from, to, unit) = (part.hours.from.count(), part.hours.to.count(), number_of_unit(part.unit));
        let by_month = part.unit == TimeUnit::Month;
        match series {
            Series::All => self.collect(db.prepare_cached(TOTALS)?, params![from, to, unit], part.unit, family_of),
            Series::Domains => self.collect(db.prepare_cached(DOMAINS)?, params![from, to, unit], part.unit, wiki_of),
            Series::Domain(domain) => {
                self.collect(db.prepare_cached(DOMAIN)?, params![from, to, unit, domain.as_str()], part.unit, wiki_of)
            }
            Series::User(domain, user_id) => {
                let sql = if by_month { ACCOUNT_MONTHS } else { ACCOUNT_HOURS };
                let values = params![from, to, self.one_too_many(), user_id.to_string(), domain.as_str()];
                self.collect(db.prepare_cached(sql)?, values, part.unit, wiki_of)
            }
            Series::UserName(name) => {
                let sql = if by_month { PERSON_MONTHS } else { PERSON_HOURS };
                let values = params![from, to, self.one_too_many(), name];
                self.collect(db.prepare_cached(sql)?, values, part.unit, wiki_of)
            }
        }
    }

    /// So many rows that it is seen to be too many: what groups rows reads all of them before it gives the first group.
    fn one_too_many(&self) -> i64 {
        i64::try_from(self.left).unwrap_or(i64::MAX).saturating_add(1)
    }

    fn collect(
        &mut self,
        mut statement: CachedStatement<'_>,
        values: impl Params,
        unit: TimeUnit,
        whose: impl Fn(&Row<'_>) -> rusqlite::Result<(Option<crate::page::Domain>, ProjectFamily)>,
    ) -> rusqlite::Result<bool> {
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let read = row.get::<_, i64>(4)?.cast_unsigned();
            count_rows(read);
            let Some(left) = self.left.checked_sub(read) else { return Ok(false) };
            self.left = left;
            let (domain, project_family) = whose(row)?;
            let (namespace, is_bot, is_redirect) = parts_of_kind(row.get(1)?);
            let period = Period { start: Hour::from_count(row.get(0)?), unit };
            let page_count = row.get::<_, i64>(2)?.cast_unsigned();
            // Pages that were counted and are somebody else's now.
            if page_count > 0 {
                self.counts.push(Count { period, domain, project_family, namespace, is_bot, is_redirect, page_count });
            }
        }
        Ok(true)
    }
}

fn family_of(row: &Row<'_>) -> rusqlite::Result<(Option<crate::page::Domain>, ProjectFamily)> {
    let number = row.get(3)?;
    let family = ProjectFamily::of_number(number);
    Ok((None, family.ok_or(rusqlite::Error::IntegralValueOutOfRange(3, number))?))
}

fn wiki_of(row: &Row<'_>) -> rusqlite::Result<(Option<crate::page::Domain>, ProjectFamily)> {
    let domain = domain_of(&row.get_ref(3)?)?;
    let family = ProjectFamily::of(&domain);
    Ok((Some(domain), family))
}

/// The accounts that created pages in a period, in the order of [`UserCount`].
pub(super) fn user_counts(db: &Connection, period: Period) -> rusqlite::Result<Vec<UserCount>> {
    let hours = period.hours();
    let mut statement = db.prepare_cached(
        "SELECT n.user_name, d.domain, a.user_id, c.kind, sum(c.page_count) AS pages, sum(1) FROM user_counts c \
         CROSS JOIN accounts a ON a.account_no = c.account_no \
         CROSS JOIN user_names n ON n.name_no = a.name_no CROSS JOIN domain_names d ON d.domain_no = a.domain_no \
         WHERE c.start >= ?1 AND c.start < ?2 GROUP BY c.account_no, c.kind HAVING pages > 0",
    )?;
    let count = |row: &Row<'_>| {
        count_rows(row.get::<_, i64>(5)?.cast_unsigned());
        let (namespace, is_bot, is_redirect) = parts_of_kind(row.get(3)?);
        Ok(UserCount {
            user_name: row.get(0)?,
            domain: domain_of(&row.get_ref(1)?)?,
            user_id: row.get::<_, String>(2)?.parse().map_err(corrupt_value)?,
            namespace,
            is_bot,
            is_redirect,
            page_count: row.get::<_, i64>(4)?.cast_unsigned(),
        })
    };
    let rows = statement.query_map([hours.from.count(), hours.to.count()], count)?;
    let mut counts = rows.collect::<rusqlite::Result<Vec<UserCount>>>()?;
    counts.sort_unstable();
    Ok(counts)
}
