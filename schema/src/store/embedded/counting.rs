//! Counting what awaits it: the pages of a store that had no rollups, or whose rollups are being repaired.

use crate::hour::Hour;
use crate::period::TimeUnit;
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::expiry;
use crate::store::embedded::names::Names;
use crate::store::embedded::rollup::{Changes, Group, kind_of, number_of_unit};
use crate::store::embedded::rows::{domain_of, user_id_of};
use crate::wiki::ProjectFamily;
use chrono::DateTime;
use rusqlite::{Connection, params};

/// Pages counted in one transaction: writes wait about 50 ms for it.
const PART: i64 = 5_000;

/// Has every page counted anew: what the rollups hold is dropped, but of frozen hours, whose pages may be gone. Within the
/// caller's transaction.
pub(super) fn count_all_anew(db: &Connection) -> rusqlite::Result<()> {
    drop_counts(db, expiry::load(db)?.frozen())?;
    Awaiting::begin(db, Work::Counting)
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

/// Counts one part in a transaction; false when nothing is left.
pub(super) fn count_part(connection: &mut Connection, names: &mut Names) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let Some(before) = Awaiting::load(&transaction, Work::Counting)? else { return Ok(false) };
    let end = before.end_of_part(PART);
    changes_of(&transaction, names, before.first, end)?.apply(&transaction)?;
    let after = before.proceed(&transaction, end)?;
    transaction.commit()?;
    after.tell_progress(&before);
    Ok(!after.is_done())
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
