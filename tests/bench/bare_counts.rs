//! The accounts' and counts' rows of the yardstick: each is inserted once, with its last count, in the transaction of its
//! first page. So they cost what rows cost, and nothing is looked up or added.

use crate::bare_sqlite::Item;
use rusqlite::{Transaction, params};
use schema::hour::Hour;
use schema::page::Page;
use schema::period::TimeUnit;
use schema::wiki::ProjectFamily;
use std::collections::HashMap;

/// What the store's column `unit` says.
const UNITS: [(i64, TimeUnit); 4] =
    [(0, TimeUnit::Hour), (1, TimeUnit::Day), (2, TimeUnit::Month), (3, TimeUnit::Year)];

/// Whose count a row is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Whose<'a> {
    Family(usize),
    Wiki(&'a str),
    AccountByHour(Account<'a>),
    AccountByMonth(Account<'a>),
}

/// A name, a wiki and its number of the account.
type Account<'a> = (&'a str, &'a str, u64);

type Key<'a> = (Whose<'a>, i64, i64, i64);

/// A row of a count: whose, unit, start, kind, the place of its first page in the batch, pages.
struct CountRow<'a> {
    key: Key<'a>,
    item: usize,
    page_count: i64,
}

/// The rows by batch.
pub(crate) struct BareCounts<'a> {
    batches: Vec<Vec<CountRow<'a>>>,
    accounts: HashMap<Account<'a>, i64>,
}

impl<'a> BareCounts<'a> {
    /// Of these pages, `batch` in a transaction.
    pub(crate) fn of(pages: &'a [Page], batch: usize) -> Self {
        let mut found: HashMap<Key<'a>, (usize, i64)> = HashMap::new();
        for (place, page) in pages.iter().enumerate() {
            for key in keys_of(page) {
                found.entry(key).or_insert((place, 0)).1 += 1;
            }
        }
        let mut batches: Vec<Vec<CountRow<'a>>> = pages.chunks(batch).map(|_| Vec::new()).collect();
        for (key, (place, page_count)) in found {
            batches[place / batch].push(CountRow { key, item: place % batch, page_count });
        }
        Self { batches, accounts: HashMap::new() }
    }

    /// Inserts the rows of a batch, whose items are in the order of its pages.
    pub(crate) fn insert(&mut self, db: &Transaction<'_>, batch: usize, items: &[Item<'a>]) -> rusqlite::Result<()> {
        let mut account = db.prepare_cached("INSERT INTO accounts VALUES (?,?,?,?)")?;
        for item in items {
            let next = self.accounts.len() as i64 + 1;
            if let std::collections::hash_map::Entry::Vacant(new) = self.accounts.entry(account_of(item.page)) {
                new.insert(next);
                account.execute(params![next, item.name_no, item.domain_no, item.user_id])?;
            }
        }
        let mut rows = std::mem::take(&mut self.batches[batch]);
        rows.sort_by_key(|row| (row.key.1, row.key.2, items[row.item].domain_no, row.key.3));
        let mut total = db.prepare_cached("INSERT INTO total_counts VALUES (?,?,?,?,?)")?;
        let mut wiki = db.prepare_cached("INSERT INTO domain_counts VALUES (?,?,?,?,?)")?;
        let mut by_hour = db.prepare_cached("INSERT INTO user_counts VALUES (?,?,?,?)")?;
        let mut by_month = db.prepare_cached("INSERT INTO user_month_counts VALUES (?,?,?,?)")?;
        for CountRow { key: (whose, unit, start, kind), item, page_count } in rows {
            match whose {
                Whose::Family(family) => total.execute(params![unit, start, family as i64, kind, page_count])?,
                Whose::Wiki(_) => wiki.execute(params![unit, start, items[item].domain_no, kind, page_count])?,
                Whose::AccountByHour(of) => by_hour.execute(params![start, self.accounts[&of], kind, page_count])?,
                Whose::AccountByMonth(of) => by_month.execute(params![self.accounts[&of], start, kind, page_count])?,
            };
        }
        Ok(())
    }
}

fn account_of(page: &Page) -> Account<'_> {
    (&page.user_name, page.domain.as_str(), page.user_id.get())
}

fn keys_of(page: &Page) -> Vec<Key<'_>> {
    let kind = i64::from(page.namespace) * 4 + i64::from(page.is_bot) * 2 + i64::from(page.is_redirect);
    let family = ProjectFamily::of(&page.domain);
    let family = ProjectFamily::ALL.iter().position(|known| *known == family).expect("all are there");
    let start = |unit: TimeUnit| unit.floor(Hour::of(page.created_at)).count();
    let mut keys = Vec::new();
    for (number, unit) in UNITS {
        keys.push((Whose::Family(family), number, start(unit), kind));
        keys.push((Whose::Wiki(page.domain.as_str()), number, start(unit), kind));
    }
    keys.push((Whose::AccountByHour(account_of(page)), 0, start(TimeUnit::Hour), kind));
    keys.push((Whose::AccountByMonth(account_of(page)), 2, start(TimeUnit::Month), kind));
    keys
}
