//! The rollup: pages per hour and group, kept by what each transaction really changed.

use crate::hour::{Hour, HourRange};
use crate::page::Domain;
use crate::query::{HourCount, PageFilter};
use crate::store::embedded::rows::domain_of;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;

/// What is counted apart: hour, wiki's number, namespace, bot, redirect.
pub(super) type Group = (i64, i64, i32, bool, bool);

/// The changes of one transaction.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<Group, i64>);

impl Changes {
    /// `by` pages more (or fewer) in `group`.
    pub(super) fn add(&mut self, group: Group, by: i64) {
        *self.0.entry(group).or_default() += by;
    }

    /// Writes them, in key order.
    pub(super) fn apply(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(
            "INSERT INTO hour_counts (hour, domain_no, namespace, is_bot, is_redirect, page_count) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO UPDATE SET page_count = page_count + excluded.page_count",
        )?;
        for ((hour, domain_no, namespace, is_bot, is_redirect), by) in self.0.iter().filter(|(_, by)| **by != 0) {
            statement.execute(params![hour, domain_no, namespace, is_bot, is_redirect, by])?;
        }
        Ok(())
    }
}

const BY_HOUR: &str = "SELECT c.hour, d.domain, c.namespace, c.is_bot, c.is_redirect, c.page_count \
     FROM hour_counts c CROSS JOIN domain_names d ON d.domain_no = c.domain_no \
     WHERE c.hour >= ?1 AND c.hour < ?2 AND c.page_count > 0";
const BY_DOMAIN: &str = "SELECT c.hour, d.domain, c.namespace, c.is_bot, c.is_redirect, c.page_count \
     FROM domain_names d CROSS JOIN hour_counts c INDEXED BY domain_hours ON c.domain_no = d.domain_no \
     WHERE c.hour >= ?1 AND c.hour < ?2 AND c.page_count > 0 AND d.domain = ?3";

/// How many pages one wiki or all have in these hours.
pub(super) fn count_pages(
    db: &Connection,
    domain: Option<&Domain>,
    hours: HourRange,
    filter: &PageFilter,
) -> rusqlite::Result<u64> {
    let mut total = 0;
    let (from, to) = (hours.from.count(), hours.to.count());
    let mut statement = db.prepare_cached(if domain.is_some() { BY_DOMAIN } else { BY_HOUR })?;
    let mut rows = match domain {
        Some(domain) => statement.query(params![from, to, domain.as_str()])?,
        None => statement.query([from, to])?,
    };
    while let Some(row) = rows.next()? {
        let group = count_of(row)?;
        if filter.matches_group(&group.domain, group.namespace, group.is_bot, group.is_redirect) {
            total += group.page_count;
        }
    }
    Ok(total)
}

/// Pages per hour and group, in the order of [`HourCount`].
pub(super) fn hour_counts(db: &Connection, hours: HourRange) -> rusqlite::Result<Vec<HourCount>> {
    let rows = [hours.from.count(), hours.to.count()];
    let mut counts: Vec<HourCount> =
        db.prepare_cached(BY_HOUR)?.query_map(rows, count_of)?.collect::<rusqlite::Result<_>>()?;
    counts.sort();
    Ok(counts)
}

fn count_of(row: &Row<'_>) -> rusqlite::Result<HourCount> {
    Ok(HourCount {
        hour: Hour::from_count(row.get(0)?),
        domain: domain_of(&row.get_ref(1)?)?,
        namespace: row.get(2)?,
        is_bot: row.get(3)?,
        is_redirect: row.get(4)?,
        page_count: row.get::<_, i64>(5)?.cast_unsigned(),
    })
}
