//! One batch of pages to the rows of all tables, in key order, and the rollup by what really changed.

use crate::hour::Hour;
use crate::page::{Page, UserId};
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::event_ids::StoredId;
use crate::store::embedded::indexes::{delete_version_indexes, insert_indexes, insert_version_indexes};
use crate::store::embedded::names::Names;
use crate::store::embedded::rollup::{Changes, Group, kind_of};
use crate::store::embedded::rows::user_id_of;
use crate::store::embedded::{commits, counting};
use crate::wiki::ProjectFamily;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::cmp::Reverse;

const PUT_PAGE: &str = "INSERT OR REPLACE INTO pages (page_no, page_id, user_id, name_no, domain_no, wiki_no, created_at, \
     namespace, is_redirect, is_bot, rev_id, version, event_id, page_title) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// Whether a store keeps its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    On,
    /// What counting costs is measured against this.
    Off,
}

/// Writes batches; remembers what saves it reads between them.
#[derive(Debug)]
pub(super) struct Batches {
    counting: Counting,
    names: Names,
    /// The number of the next new page; none after a transaction failed.
    next_page_no: Option<i64>,
}

/// A page on its way into the tables.
pub(super) struct Item<'a> {
    page: &'a Page,
    pub(super) page_id: String,
    pub(super) user_id: String,
    pub(super) hour: Hour,
    /// Seconds since 1970.
    pub(super) at: i64,
    pub(super) domain_no: i64,
    pub(super) name_no: i64,
    account_no: i64,
    pub(super) page_no: i64,
}

impl Item<'_> {
    fn group(&self, account_no: i64, kind: i64) -> Group {
        let family = ProjectFamily::of(&self.page.domain);
        Group { hour: self.hour, domain_no: self.domain_no, family, account_no, kind }
    }

    fn kind(&self) -> i64 {
        kind_of(self.page.namespace, self.page.is_bot, self.page.is_redirect)
    }

    pub(super) fn domain(&self) -> &str {
        self.page.domain.as_str()
    }

    pub(super) fn page_title(&self) -> &str {
        &self.page.page_title
    }
}

impl Batches {
    /// Ready for the first batch.
    pub(super) fn open(db: &Connection, counting: Counting) -> rusqlite::Result<Self> {
        commits::name(db)?;
        Ok(Self { counting, names: Names::default(), next_page_no: Some(next_page_no(db)?) })
    }

    /// To be called when a transaction was not committed.
    pub(super) fn forget(&mut self) {
        self.names = Names::default();
        self.next_page_no = None;
    }

    /// Counts a part of what awaits it, in a transaction of its own; false when nothing is left.
    pub(super) fn count_part(&mut self, db: &mut Connection) -> rusqlite::Result<bool> {
        counting::count_part(db, &mut self.names)
    }

    /// Writes the rows of `pages` within the caller's transaction.
    pub(super) fn write(&mut self, db: &Connection, pages: &[&Page]) -> rusqlite::Result<()> {
        if pages.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        let mut items = self.items(db, pages)?;
        let mut known = Vec::new();
        self.claim(db, &mut items, &mut known)?;
        for item in &mut items {
            self.name_author(db, item)?;
            self.names.hour(db, item.hour)?;
            changes.add(item.group(item.account_no, item.kind()), 1);
        }
        self.insert_pages(db, &items)?;
        insert_indexes(db, &items)?;
        let uncounted = Awaiting::load(db, Work::Counting)?;
        for item in &mut known {
            self.replace(db, item, uncounted, &mut changes)?;
        }
        if self.counting == Counting::On { changes.apply(db) } else { Ok(()) }
    }

    fn name_author(&mut self, db: &Connection, item: &mut Item<'_>) -> rusqlite::Result<()> {
        item.name_no = self.names.user_name(db, &item.page.user_name)?;
        item.account_no = self.names.account(db, item.name_no, item.domain_no, item.page.user_id)?;
        Ok(())
    }

    /// One item per creation, the one of the largest version, in the order of `domain_index`.
    fn items<'a>(&mut self, db: &Connection, pages: &[&'a Page]) -> rusqlite::Result<Vec<Item<'a>>> {
        let mut items = Vec::with_capacity(pages.len());
        for page in pages {
            items.push(Item {
                page,
                page_id: page.page_id.to_string(),
                user_id: page.user_id.to_string(),
                hour: Hour::of(page.created_at),
                at: page.created_at.timestamp(),
                domain_no: self.names.domain(db, &page.domain, page.wiki.as_str())?,
                name_no: 0,
                account_no: 0,
                page_no: 0,
            });
        }
        let key = |i: &Item<'a>| (i.domain_no, Reverse(i.at));
        items.sort_by(|a, b| {
            key(a)
                .cmp(&key(b))
                .then_with(|| b.page_id.cmp(&a.page_id))
                .then_with(|| b.page.version.cmp(&a.page.version))
        });
        items.dedup_by(|later, first| key(later) == key(first) && later.page_id == first.page_id);
        Ok(items)
    }

    /// Takes a number for each new creation; those that the store has go to `known`, with the number they have.
    fn claim<'a>(
        &mut self,
        db: &Connection,
        items: &mut Vec<Item<'a>>,
        known: &mut Vec<Item<'a>>,
    ) -> rusqlite::Result<()> {
        let mut next = match self.next_page_no {
            Some(next) => next,
            None => next_page_no(db)?,
        };
        let mut insert = db.prepare_cached(
            "INSERT INTO domain_index (domain_no, created_at, page_id, page_no) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO NOTHING",
        )?;
        let mut new = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            item.page_no = next;
            if insert.execute(params![item.domain_no, item.at, item.page_id, next])? == 1 {
                next += 1;
                new.push(item);
            } else {
                known.push(item);
            }
        }
        *items = new;
        self.next_page_no = Some(next);
        Ok(())
    }

    fn insert_pages(&mut self, db: &Connection, items: &[Item<'_>]) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(PUT_PAGE)?;
        for item in items {
            self.put_page(db, &mut statement, item)?;
        }
        Ok(())
    }

    fn put_page(&mut self, db: &Connection, put: &mut CachedStatement<'_>, item: &Item<'_>) -> rusqlite::Result<()> {
        let page = item.page;
        put.execute(params![
            item.page_no,
            page.page_id.get().cast_signed(),
            page.user_id.get().cast_signed(),
            item.name_no,
            item.domain_no,
            self.names.wiki(db, page.wiki.as_str())?,
            item.at,
            page.namespace,
            page.is_redirect,
            page.is_bot,
            page.rev_id.cast_signed(),
            page.version,
            page.event_id.as_deref().map(StoredId::of),
            page.page_title,
        ])?;
        Ok(())
    }

    /// Replaces a stored creation by one of a larger version, in all tables whose key the two do not share.
    fn replace(
        &mut self,
        db: &Connection,
        item: &mut Item<'_>,
        uncounted: Option<Awaiting>,
        changes: &mut Changes,
    ) -> rusqlite::Result<()> {
        let Some(old) = older(db, item)? else { return Ok(()) };
        item.page_no = old.page_no;
        self.name_author(db, item)?;
        // What awaits counting will be counted as it is then.
        if uncounted.is_none_or(|uncounted| !uncounted.holds(old.page_no)) {
            let old_account_no = self.names.account(db, old.name_no, item.domain_no, old.user_id)?;
            changes.add(item.group(old_account_no, old.kind), -1);
            changes.add(item.group(item.account_no, item.kind()), 1);
        }
        delete_version_indexes(db, item, &old)?;
        let mut statement = db.prepare_cached(PUT_PAGE)?;
        self.put_page(db, &mut statement, item)?;
        insert_version_indexes(db, std::slice::from_ref(item))
    }
}

fn next_page_no(db: &Connection) -> rusqlite::Result<i64> {
    Ok(commits::last_number(db)? + 1)
}

/// What is stored of a creation.
pub(super) struct Stored {
    page_no: i64,
    pub(super) user_id: UserId,
    pub(super) name_no: i64,
    pub(super) page_title: String,
    kind: i64,
}

/// What is stored of the item's creation when that is to be replaced: its version is smaller.
fn older(db: &Connection, item: &Item<'_>) -> rusqlite::Result<Option<Stored>> {
    let mut statement = db.prepare_cached(
        "SELECT p.page_no, p.user_id, p.name_no, p.namespace, p.is_bot, p.is_redirect, p.page_title FROM domain_index i \
         CROSS JOIN pages p ON p.page_no = i.page_no \
         WHERE i.domain_no = ?1 AND i.created_at = ?2 AND i.page_id = ?3 AND p.version < ?4",
    )?;
    let stored = |row: &rusqlite::Row<'_>| {
        Ok(Stored {
            page_no: row.get(0)?,
            user_id: user_id_of(row.get(1)?)?,
            name_no: row.get(2)?,
            kind: kind_of(row.get(3)?, row.get(4)?, row.get(5)?),
            page_title: row.get(6)?,
        })
    };
    statement.query_row(params![item.domain_no, item.at, item.page_id, item.page.version], stored).optional()
}
