//! The rollups' writing: pages per period and group, kept by what each transaction really changed.

use crate::hour::Hour;
use crate::period::TimeUnit;
use crate::wiki::ProjectFamily;
use rusqlite::{CachedStatement, Connection};
use std::collections::BTreeMap;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub(super) hour: Hour,
    pub(super) domain_no: i64,
    pub(super) family: ProjectFamily,
    pub(super) account_no: i64,
    pub(super) kind: i64,
}

/// Namespace, bot and redirect in one number.
pub(super) fn kind_of(namespace: i32, is_bot: bool, is_redirect: bool) -> i64 {
    i64::from(namespace) * 4 + i64::from(is_bot) * 2 + i64::from(is_redirect)
}

/// What [`kind_of`] put together; a namespace that no page can have gives the nearest.
pub(super) fn parts_of_kind(kind: i64) -> (i32, bool, bool) {
    let namespace = kind.div_euclid(4).clamp(i32::MIN.into(), i32::MAX.into());
    (i32::try_from(namespace).expect("within the bounds"), kind & 2 != 0, kind & 1 != 0)
}

/// A length of period as the rollups number it.
pub(super) fn number_of_unit(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Hour => 0,
        TimeUnit::Day => 1,
        TimeUnit::Month => 2,
        TimeUnit::Year => 3,
    }
}

/// The changes of one transaction.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<(Group, i64)>);

/// Sums by key, to be written in its order.
type Sums<const N: usize> = BTreeMap<[i64; N], i64>;

impl Changes {
    /// `by` pages more (or fewer) in `group`.
    pub(super) fn add(&mut self, group: Group, by: i64) {
        self.0.push((group, by));
    }

    /// Writes them, each table in key order.
    pub(super) fn apply(mut self, db: &Connection) -> rusqlite::Result<()> {
        self.0.sort_unstable();
        let sum = |same: &[(Group, i64)]| (same[0].0, same.iter().map(|(_, by)| by).sum::<i64>());
        let groups = self.0.chunk_by(|a, b| a.0 == b.0).map(sum);
        let (mut users, mut months) = (Sums::<3>::new(), Sums::<3>::new());
        let (mut domains, mut totals) = (Sums::<4>::new(), Sums::<4>::new());
        let mut of_wikis: BTreeMap<(Hour, i64, ProjectFamily, i64), i64> = BTreeMap::new();
        for (group, by) in groups {
            let Group { hour, domain_no, family, account_no, kind } = group;
            *users.entry([hour.count(), account_no, kind]).or_default() += by;
            *months.entry([account_no, TimeUnit::Month.floor(hour).count(), kind]).or_default() += by;
            *of_wikis.entry((hour, domain_no, family, kind)).or_default() += by;
        }
        for ((hour, domain_no, family, kind), by) in of_wikis {
            let family = i64::try_from(family.number()).expect("a few families");
            for unit in TimeUnit::LONGEST_FIRST {
                let (number, start) = (number_of_unit(unit), unit.floor(hour).count());
                *domains.entry([number, start, domain_no, kind]).or_default() += by;
                *totals.entry([number, start, family, kind]).or_default() += by;
            }
        }
        put(&mut db.prepare_cached(ADD_USERS)?, &users)?;
        put(&mut db.prepare_cached(ADD_USER_MONTHS)?, &months)?;
        put(&mut db.prepare_cached(ADD_DOMAINS)?, &domains)?;
        put(&mut db.prepare_cached(ADD_TOTALS)?, &totals)
    }
}

const ADD_USERS: &str = "INSERT INTO user_counts (page_count, start, account_no, kind) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT DO UPDATE SET page_count = page_count + excluded.page_count";
const ADD_USER_MONTHS: &str = "INSERT INTO user_month_counts (page_count, account_no, start, kind) \
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET page_count = page_count + excluded.page_count";
const ADD_DOMAINS: &str = "INSERT INTO domain_counts (page_count, unit, start, domain_no, kind) \
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET page_count = page_count + excluded.page_count";
const ADD_TOTALS: &str = "INSERT INTO total_counts (page_count, unit, start, family, kind) \
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET page_count = page_count + excluded.page_count";

fn put<const N: usize>(statement: &mut CachedStatement<'_>, sums: &Sums<N>) -> rusqlite::Result<()> {
    for (key, by) in sums.iter().filter(|(_, by)| **by != 0) {
        statement.execute(rusqlite::params_from_iter(std::iter::once(by).chain(key)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_gives_its_parts_back() {
        for namespace in [0, 1, -1, -2, 100, 2600, i32::MIN, i32::MAX] {
            for (is_bot, is_redirect) in [(false, false), (false, true), (true, false), (true, true)] {
                let parts = (namespace, is_bot, is_redirect);
                assert_eq!(parts_of_kind(kind_of(namespace, is_bot, is_redirect)), parts);
            }
        }
    }
}
