//! Counting what awaits it: the pages of a store that had no rollups, or whose rollups are being repaired.
//!
//! The writer counts them part by part between its writes, so that the store takes and answers all else meanwhile.

use crate::hour::Hour;
use crate::period::TimeUnit;
use crate::store::embedded::error::store_error;
use crate::store::embedded::expiry;
use crate::store::embedded::names::Names;
use crate::store::embedded::readers::Readers;
use crate::store::embedded::rollup::{Changes, Group, kind_of, number_of_unit};
use crate::store::embedded::rows::{domain_of, user_id_of};
use crate::store::{Sealing, StoreError};
use crate::wiki::ProjectFamily;
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::Duration;

/// Pages counted in one transaction: writes wait about 50 ms for it.
const PART: i64 = 5_000;
/// Progress is told each time this share is done.
const TOLD_PERCENT: i64 = 10;
/// How long who wants exact counts waits at once while the writer counts.
const COUNTED_MEANWHILE: Duration = Duration::from_millis(100);

/// The pages that await counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uncounted {
    first: i64,
    last: i64,
    total: i64,
}

impl Uncounted {
    /// None where all is counted.
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT first_page_no, last_page_no, page_count FROM uncounted";
        let uncounted =
            |row: &rusqlite::Row<'_>| Ok(Self { first: row.get(0)?, last: row.get(1)?, total: row.get(2)? });
        db.prepare_cached(sql)?.query_row([], uncounted).optional()
    }

    /// Whether the page of this number awaits counting.
    pub(super) fn holds(&self, page_no: i64) -> bool {
        (self.first..=self.last).contains(&page_no)
    }

    fn percent(&self) -> i64 {
        100 - (self.last - self.first + 1) * 100 / self.total.max(1)
    }
}

/// Has every page counted anew: what the rollups hold is dropped, but of frozen hours, whose pages may be gone. Within the
/// caller's transaction.
pub(super) fn count_all_anew(db: &Connection) -> rusqlite::Result<()> {
    db.execute("DELETE FROM uncounted", [])?;
    drop_counts(db, expiry::load(db)?.frozen())?;
    db.execute(
        "INSERT INTO uncounted SELECT 1, max(page_no), max(page_no) FROM pages HAVING max(page_no) IS NOT NULL",
        [],
    )?;
    Ok(())
}

/// Drops what is counted from an hour on. Of a longer period that begins before it, what the hours before make up stays.
fn drop_counts(db: &Connection, from: Hour) -> rusqlite::Result<()> {
    for (table, group) in [("total_counts", "family"), ("domain_counts", "domain_no")] {
        for unit in TimeUnit::LONGEST_FIRST {
            let (number, start) = (number_of_unit(unit), unit.floor(from).count());
            db.execute(&format!("DELETE FROM {table} WHERE unit = ?1 AND start >= ?2"), [number, start])?;
            if unit != TimeUnit::Hour {
                db.execute(
                    &format!(
                        "INSERT INTO {table} (unit, start, {group}, kind, page_count) \
                         SELECT ?1, ?2, {group}, kind, sum(page_count) FROM {table} \
                         WHERE unit = 0 AND start >= ?2 AND start < ?3 GROUP BY {group}, kind"
                    ),
                    [number, start, from.count()],
                )?;
            }
        }
    }
    let month = TimeUnit::Month.floor(from).count();
    db.execute("DELETE FROM user_counts WHERE start >= ?1", [from.count()])?;
    db.execute("DELETE FROM user_month_counts WHERE start >= ?1", [month])?;
    db.execute(
        "INSERT INTO user_month_counts (account_no, start, kind, page_count) \
         SELECT account_no, ?1, kind, sum(page_count) FROM user_counts \
         WHERE start >= ?1 AND start < ?2 GROUP BY account_no, kind",
        [month, from.count()],
    )?;
    Ok(())
}

/// Waits a moment for the writer while it counts; nothing is left when all is counted.
pub(super) async fn wait(readers: &Readers) -> Result<Sealing, StoreError> {
    if readers.read(Uncounted::load).await?.is_none() {
        return Ok(Sealing::default());
    }
    tokio::time::sleep(COUNTED_MEANWHILE).await;
    Ok(Sealing { sealed: 1, left: 1 })
}

/// Counts one part in a transaction; false when nothing is left.
pub(super) fn count_part(connection: &mut Connection, names: &mut Names) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let Some(before) = Uncounted::load(&transaction)? else { return Ok(false) };
    let part_end = before.last.min(before.first.saturating_add(PART - 1));
    changes_of(&transaction, names, before.first, part_end)?.apply(&transaction)?;
    let after = Uncounted { first: part_end + 1, ..before };
    if after.first > after.last {
        transaction.execute("DELETE FROM uncounted", [])?;
    } else {
        transaction.execute("UPDATE uncounted SET first_page_no = ?1", [after.first])?;
    }
    transaction.commit()?;
    if after.percent() / TOLD_PERCENT > before.percent() / TOLD_PERCENT {
        tracing::info!(percent = after.percent(), pages = after.total, "pages stored earlier are being counted");
    }
    Ok(after.first <= after.last)
}

fn changes_of(db: &Connection, names: &mut Names, first: i64, last: i64) -> rusqlite::Result<Changes> {
    let mut changes = Changes::default();
    let mut statement = db.prepare_cached(
        "SELECT p.created_at, p.domain_no, d.domain, p.name_no, p.user_id, p.namespace, p.is_bot, p.is_redirect \
         FROM pages p CROSS JOIN domain_names d ON d.domain_no = p.domain_no \
         WHERE p.page_no BETWEEN ?1 AND ?2 AND p.created_at >= ?3",
    )?;
    // No hour freezes while something awaits counting: what is frozen was counted before.
    let frozen = expiry::load(db)?.frozen().start().timestamp();
    let mut rows = statement.query(params![first, last, frozen])?;
    while let Some(row) = rows.next()? {
        let (seconds, domain_no): (i64, i64) = (row.get(0)?, row.get(1)?);
        let time = DateTime::from_timestamp(seconds, 0).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, seconds))?;
        let group = Group {
            hour: Hour::of(time),
            domain_no,
            family: ProjectFamily::of(&domain_of(&row.get_ref(2)?)?),
            account_no: names.account(db, row.get(3)?, domain_no, user_id_of(row.get(4)?)?)?,
            kind: kind_of(row.get(5)?, row.get(6)?, row.get(7)?),
        };
        changes.add(group, 1);
    }
    Ok(changes)
}

/// Refuses to count before all is counted.
pub(super) fn check_counted(db: &Connection) -> Result<(), StoreError> {
    match Uncounted::load(db).map_err(|e| store_error(&e))? {
        None => Ok(()),
        Some(uncounted) => Err(StoreError::Unavailable(format!(
            "the pages stored earlier are being counted, {} % are done",
            uncounted.percent()
        ))),
    }
}
