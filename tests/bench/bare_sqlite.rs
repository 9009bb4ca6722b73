//! The yardstick of the embedded store: a loop that inserts the same rows into the same tables and does nothing else —
//! no stream, no cleaning, no adding up, no identity to keep.

use crate::bare_counts::BareCounts;
use anyhow::Context;
use rusqlite::{Connection, ToSql, Transaction, params};
use schema::page::Page;
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;
use uuid::Uuid;

/// Pages per transaction.
const BATCH: usize = 1_000;

/// Pages per second into the empty database of a store at `path`.
pub(crate) fn insert_all(path: &Path, pages: &[Page]) -> anyhow::Result<f64> {
    let mut db = Connection::open(path).context("the database of a store that was opened and closed")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "wal_autocheckpoint", 25_000)?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.set_prepared_statement_cache_capacity(64);
    let mut names = Names::default();
    let mut counts = BareCounts::of(pages, BATCH);
    let begun = Instant::now();
    let mut next = 1;
    for (number, batch) in pages.chunks(BATCH).enumerate() {
        let transaction = db.transaction()?;
        let mut items = items(&transaction, batch, &mut next, &mut names)?;
        counts.insert(&transaction, number, &items)?;
        insert_batch(&transaction, &mut items)?;
        transaction.commit()?;
    }
    Ok(pages.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Numbers given to names, written when new.
#[derive(Default)]
struct Names {
    domains: HashMap<String, i64>,
    wikis: HashMap<String, i64>,
    users: HashMap<String, i64>,
}

fn number(
    db: &Transaction<'_>,
    known: &mut HashMap<String, i64>,
    name: &str,
    sql: &str,
    more: &[&dyn ToSql],
) -> rusqlite::Result<i64> {
    if let Some(number) = known.get(name) {
        return Ok(*number);
    }
    let number = known.len() as i64 + 1;
    let mut values: Vec<&dyn ToSql> = vec![&number, &name];
    values.extend_from_slice(more);
    db.prepare_cached(sql)?.execute(values.as_slice())?;
    known.insert(name.into(), number);
    Ok(number)
}

/// A page with its numbers.
pub(crate) struct Item<'a> {
    pub(crate) page: &'a Page,
    no: i64,
    pub(crate) domain_no: i64,
    wiki_no: i64,
    pub(crate) name_no: i64,
    page_id: String,
    pub(crate) user_id: String,
    at: i64,
}

fn items<'a>(
    db: &Transaction<'_>,
    batch: &'a [Page],
    next: &mut i64,
    names: &mut Names,
) -> rusqlite::Result<Vec<Item<'a>>> {
    const DOMAIN: &str = "INSERT INTO domain_names (domain_no, domain, wiki) VALUES (?1, ?2, ?3)";
    const WIKI: &str = "INSERT INTO wiki_names (wiki_no, wiki) VALUES (?1, ?2)";
    const USER: &str = "INSERT INTO user_names (name_no, user_name) VALUES (?1, ?2)";
    let mut items = Vec::with_capacity(batch.len());
    for page in batch {
        let wiki = page.wiki.as_str();
        items.push(Item {
            page,
            no: *next,
            domain_no: number(db, &mut names.domains, page.domain.as_str(), DOMAIN, &[&wiki])?,
            wiki_no: number(db, &mut names.wikis, wiki, WIKI, &[])?,
            name_no: number(db, &mut names.users, &page.user_name, USER, &[])?,
            page_id: page.page_id.to_string(),
            user_id: page.user_id.to_string(),
            at: page.created_at.timestamp(),
        });
        *next += 1;
    }
    Ok(items)
}

fn insert_batch(db: &Transaction<'_>, items: &mut [Item<'_>]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO pages VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")?;
    for i in items.iter() {
        let p = i.page;
        let (page_id, user_id, rev_id) =
            (p.page_id.get().cast_signed(), p.user_id.get().cast_signed(), p.rev_id.cast_signed());
        let event_id = p.event_id.as_deref().and_then(|id| Uuid::try_parse(id).ok());
        insert.execute(params![
            i.no,
            page_id,
            user_id,
            i.name_no,
            i.domain_no,
            i.wiki_no,
            i.at,
            p.namespace,
            p.is_redirect,
            p.is_bot,
            rev_id,
            p.version,
            event_id.as_ref().map(|id| id.as_bytes().as_slice()),
            p.page_title
        ])?;
    }
    insert_indexes(db, items)
}

/// The index tables, each batch sorted in the table's order: the fastest order there is.
fn insert_indexes(db: &Transaction<'_>, items: &mut [Item<'_>]) -> rusqlite::Result<()> {
    let hour = |i: &Item<'_>| i.at.div_euclid(3600);
    items.sort_by(|a, b| (&a.page_id, a.domain_no).cmp(&(&b.page_id, b.domain_no)));
    each(db, items, "INSERT INTO id_index VALUES (?,?,?,?)", |s, i| {
        s.execute(params![i.page_id, i.domain_no, i.at, i.no])
    })?;
    items.sort_by(|a, b| (a.domain_no, b.at, &b.page_id).cmp(&(b.domain_no, a.at, &a.page_id)));
    each(db, items, "INSERT INTO domain_index VALUES (?,?,?,?)", |s, i| {
        s.execute(params![i.domain_no, i.at, i.page_id, i.no])
    })?;
    items.sort_by(|a, b| {
        let title = (a.domain_no, &a.page.page_title).cmp(&(b.domain_no, &b.page.page_title));
        title.then_with(|| (b.at, &b.page_id).cmp(&(a.at, &a.page_id)))
    });
    each(db, items, "INSERT INTO title_index VALUES (?,?,?,?,?)", |s, i| {
        s.execute(params![i.domain_no, i.page.page_title, i.at, i.page_id, i.no])
    })?;
    items.sort_by(|a, b| (b.at, &b.page.domain, &b.page_id).cmp(&(a.at, &a.page.domain, &a.page_id)));
    each(db, items, "INSERT INTO latest_index VALUES (?,?,?,?)", |s, i| {
        s.execute(params![i.at, i.page.domain.as_str(), i.page_id, i.no])
    })?;
    items.sort_by(|a, b| (a.name_no, b.at, &b.page.domain).cmp(&(b.name_no, a.at, &a.page.domain)));
    each(db, items, "INSERT INTO user_name_index VALUES (?,?,?,?,?)", |s, i| {
        s.execute(params![i.name_no, i.at, i.page.domain.as_str(), i.page_id, i.no])
    })?;
    items.sort_by(|a, b| (&a.user_id, b.at, &b.page_id).cmp(&(&b.user_id, a.at, &a.page_id)));
    each(db, items, "INSERT INTO user_index VALUES (?,?,?,?,?)", |s, i| {
        s.execute(params![i.user_id, i.at, i.page_id, i.page.domain.as_str(), i.no])
    })?;
    items.sort_by(|a, b| (&a.user_id, a.domain_no, b.at).cmp(&(&b.user_id, b.domain_no, a.at)));
    each(db, items, "INSERT INTO account_index VALUES (?,?,?,?,?)", |s, i| {
        s.execute(params![i.user_id, i.domain_no, i.at, i.page_id, i.no])
    })?;
    items.sort_by(|a, b| (hour(a), &a.user_id, b.at).cmp(&(hour(b), &b.user_id, a.at)));
    each(db, items, "INSERT INTO time_index VALUES (?,?,?,?,?,?)", |s, i| {
        s.execute(params![hour(i), i.user_id, i.at, i.page_id, i.page.domain.as_str(), i.no])
    })
}

fn each(
    db: &Transaction<'_>,
    items: &[Item<'_>],
    sql: &str,
    put: impl Fn(&mut rusqlite::CachedStatement<'_>, &Item<'_>) -> rusqlite::Result<usize>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(sql)?;
    items.iter().try_for_each(|item| put(&mut statement, item).map(drop))
}
