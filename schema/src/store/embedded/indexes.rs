//! The rows of the index tables, each table's sorted in its key order: half the time of unsorted ones.

use crate::store::embedded::batch::{Item, Stored};
use rusqlite::{CachedStatement, Connection, params};
use std::cmp::Ordering;

/// How two items stand in a table's order.
type Order = for<'a, 'b> fn(&'a Item<'b>, &'a Item<'b>) -> Ordering;
/// Writes an item's row.
type Put = for<'a, 'b, 'c> fn(&'a mut CachedStatement<'c>, &'a Item<'b>) -> rusqlite::Result<usize>;

/// One index table.
struct Index {
    insert: &'static str,
    order: Order,
    put: Put,
}

const ID: Index = Index {
    insert: "INSERT INTO id_index (page_id, domain_no, created_at, page_no) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET created_at = excluded.created_at, page_no = excluded.page_no \
             WHERE excluded.created_at > created_at",
    order: |a, b| a.page_id.cmp(&b.page_id).then(a.domain_no.cmp(&b.domain_no)),
    put: |row, i| row.execute(params![i.page_id, i.domain_no, i.at, i.page_no]),
};

const LATEST: Index = Index {
    insert: "INSERT INTO latest_index (created_at, domain, page_id, page_no) VALUES (?1, ?2, ?3, ?4)",
    order: |a, b| newest(a, b).then_with(|| b.domain().cmp(a.domain())).then_with(|| b.page_id.cmp(&a.page_id)),
    put: |row, i| row.execute(params![i.at, i.domain(), i.page_id, i.page_no]),
};

/// The tables that have in their key what another version of a creation may have otherwise: the author, the title.
const BY_VERSION: [Index; 5] = [
    Index {
        insert: "INSERT INTO user_index (user_id, created_at, page_id, domain, page_no) VALUES (?1, ?2, ?3, ?4, ?5)",
        order: by_user,
        put: |row, i| row.execute(params![i.user_id, i.at, i.page_id, i.domain(), i.page_no]),
    },
    Index {
        insert: "INSERT INTO time_index (hour, user_id, created_at, page_id, domain, page_no) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        order: |a, b| a.hour.cmp(&b.hour).then_with(|| by_user(a, b)),
        put: |row, i| row.execute(params![i.hour.count(), i.user_id, i.at, i.page_id, i.domain(), i.page_no]),
    },
    Index {
        insert: "INSERT INTO account_index (user_id, domain_no, created_at, page_id, page_no) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
        order: |a, b| {
            let account = a.user_id.cmp(&b.user_id).then(a.domain_no.cmp(&b.domain_no));
            account.then(newest(a, b)).then_with(|| b.page_id.cmp(&a.page_id))
        },
        put: |row, i| row.execute(params![i.user_id, i.domain_no, i.at, i.page_id, i.page_no]),
    },
    Index {
        insert: "INSERT INTO user_name_index (name_no, created_at, domain, page_id, page_no) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
        order: |a, b| a.name_no.cmp(&b.name_no).then_with(|| (LATEST.order)(a, b)),
        put: |row, i| row.execute(params![i.name_no, i.at, i.domain(), i.page_id, i.page_no]),
    },
    Index {
        insert: "INSERT INTO title_index (domain_no, page_title, created_at, page_id, page_no) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
        order: |a, b| {
            let title = a.domain_no.cmp(&b.domain_no).then_with(|| a.page_title().cmp(b.page_title()));
            title.then(newest(a, b)).then_with(|| b.page_id.cmp(&a.page_id))
        },
        put: |row, i| row.execute(params![i.domain_no, i.page_title(), i.at, i.page_id, i.page_no]),
    },
];

/// The rows of new creations; `domain_index` has its rows already.
pub(super) fn insert_indexes(db: &Connection, items: &[Item<'_>]) -> rusqlite::Result<()> {
    insert(db, &sorted(items, &ID), &ID)?;
    insert(db, &sorted(items, &LATEST), &LATEST)?;
    insert_version_indexes(db, items)
}

/// The rows of the tables with author or title in their key.
pub(super) fn insert_version_indexes(db: &Connection, items: &[Item<'_>]) -> rusqlite::Result<()> {
    BY_VERSION.iter().try_for_each(|index| insert(db, &sorted(items, index), index))
}

/// Deletes the rows that [`insert_version_indexes`] wrote for what is stored of the item's creation. The account stays
/// one that ever had the name.
pub(super) fn delete_version_indexes(db: &Connection, item: &Item<'_>, old: &Stored) -> rusqlite::Result<()> {
    let (user_id, at, page_id, domain) = (old.user_id.to_string(), item.at, &item.page_id, item.domain());
    db.prepare_cached(
        "DELETE FROM user_index WHERE user_id = ?1 AND created_at = ?2 AND page_id = ?3 AND domain = ?4",
    )?
    .execute(params![user_id, at, page_id, domain])?;
    db.prepare_cached(
        "DELETE FROM time_index WHERE hour = ?1 AND user_id = ?2 AND created_at = ?3 AND page_id = ?4 AND domain = ?5",
    )?
    .execute(params![item.hour.count(), user_id, at, page_id, domain])?;
    db.prepare_cached(
        "DELETE FROM account_index WHERE user_id = ?1 AND domain_no = ?2 AND created_at = ?3 AND page_id = ?4",
    )?
    .execute(params![user_id, item.domain_no, at, page_id])?;
    db.prepare_cached(
        "DELETE FROM user_name_index WHERE name_no = ?1 AND created_at = ?2 AND domain = ?3 AND page_id = ?4",
    )?
    .execute(params![old.name_no, at, domain, page_id])?;
    db.prepare_cached(
        "DELETE FROM title_index WHERE domain_no = ?1 AND page_title = ?2 AND created_at = ?3 AND page_id = ?4",
    )?
    .execute(params![item.domain_no, old.page_title, at, page_id])?;
    Ok(())
}

fn sorted<'a, 'b>(items: &'a [Item<'b>], index: &Index) -> Vec<&'a Item<'b>> {
    let mut sorted: Vec<&Item<'_>> = items.iter().collect();
    sorted.sort_unstable_by(|a, b| (index.order)(a, b));
    sorted
}

fn insert(db: &Connection, sorted: &[&Item<'_>], index: &Index) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(index.insert)?;
    sorted.iter().try_for_each(|item| (index.put)(&mut statement, item).map(drop))
}

fn newest(a: &Item<'_>, b: &Item<'_>) -> Ordering {
    b.at.cmp(&a.at)
}

fn by_user(a: &Item<'_>, b: &Item<'_>) -> Ordering {
    let ties = || b.page_id.cmp(&a.page_id).then_with(|| b.domain().cmp(a.domain()));
    a.user_id.cmp(&b.user_id).then(newest(a, b)).then_with(ties)
}
