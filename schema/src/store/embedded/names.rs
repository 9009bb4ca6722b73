//! Small numbers for texts that repeat: domains, database names, user names. Remembered by the writer.

use crate::hour::Hour;
use crate::page::{Domain, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Remembered texts of one kind; beyond, all are forgotten and read again.
const REMEMBERED: usize = 50_000;

/// Numbers of texts, as the writer last saw them. To be forgotten when a transaction is rolled back.
#[derive(Debug, Default)]
pub(super) struct Names {
    domains: HashMap<String, (i64, String)>,
    wikis: HashMap<String, i64>,
    user_names: HashMap<String, i64>,
    accounts: HashMap<(i64, i64, u64), i64>,
    hours: HashSet<i64>,
}

impl Names {
    /// The number of `domain`, which is given one when it is new. Of two database names the larger is kept.
    pub(super) fn domain(&mut self, db: &Connection, domain: &Domain, wiki: &str) -> rusqlite::Result<i64> {
        if let Some((number, known)) = self.domains.get(domain.as_str())
            && known.as_str() >= wiki
        {
            return Ok(*number);
        }
        let row = db
            .prepare_cached(
                "INSERT INTO domain_names (domain, wiki) VALUES (?1, ?2) \
                 ON CONFLICT DO UPDATE SET wiki = max(wiki, excluded.wiki) RETURNING domain_no, wiki",
            )?
            .query_row(params![domain.as_str(), wiki], |row| Ok((row.get(0)?, row.get(1)?)))?;
        remember(&mut self.domains, domain.to_string(), row.clone());
        Ok(row.0)
    }

    /// The number of a database name.
    pub(super) fn wiki(&mut self, db: &Connection, wiki: &str) -> rusqlite::Result<i64> {
        const FIND: &str = "SELECT wiki_no FROM wiki_names WHERE wiki = ?1";
        const ADD: &str = "INSERT INTO wiki_names (wiki) VALUES (?1)";
        number(db, &mut self.wikis, wiki, FIND, ADD)
    }

    /// The number of a user name.
    pub(super) fn user_name(&mut self, db: &Connection, user_name: &str) -> rusqlite::Result<i64> {
        const FIND: &str = "SELECT name_no FROM user_names WHERE user_name = ?1";
        const ADD: &str = "INSERT INTO user_names (user_name) VALUES (?1)";
        number(db, &mut self.user_names, user_name, FIND, ADD)
    }

    /// The number of an account under a name.
    pub(super) fn account(
        &mut self,
        db: &Connection,
        name_no: i64,
        domain_no: i64,
        user_id: UserId,
    ) -> rusqlite::Result<i64> {
        let key = (name_no, domain_no, user_id.get());
        if let Some(number) = self.accounts.get(&key) {
            return Ok(*number);
        }
        let values = params![name_no, domain_no, user_id.to_string()];
        let find = "SELECT account_no FROM accounts WHERE name_no = ?1 AND domain_no = ?2 AND user_id = ?3";
        let number = match db.prepare_cached(find)?.query_row(values, |row| row.get(0)).optional()? {
            Some(number) => number,
            None => db
                .prepare_cached("INSERT INTO accounts (name_no, domain_no, user_id) VALUES (?1, ?2, ?3)")?
                .insert(values)?,
        };
        remember(&mut self.accounts, key, number);
        Ok(number)
    }

    /// Makes `hour` known by its name.
    pub(super) fn hour(&mut self, db: &Connection, hour: Hour) -> rusqlite::Result<()> {
        if self.hours.len() >= REMEMBERED {
            self.hours.clear();
        }
        if self.hours.insert(hour.count()) {
            let sql = "INSERT INTO hours (hour, date_hour) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            db.prepare_cached(sql)?.execute(params![hour.count(), hour.to_string()])?;
        }
        Ok(())
    }
}

fn number(
    db: &Connection,
    known: &mut HashMap<String, i64>,
    text: &str,
    find: &str,
    add: &str,
) -> rusqlite::Result<i64> {
    if let Some(number) = known.get(text) {
        return Ok(*number);
    }
    let number = match db.prepare_cached(find)?.query_row([text], |row| row.get(0)).optional()? {
        Some(number) => number,
        None => db.prepare_cached(add)?.insert([text])?,
    };
    remember(known, text.to_owned(), number);
    Ok(number)
}

fn remember<K: Eq + Hash, T>(known: &mut HashMap<K, T>, key: K, value: T) {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(key, value);
}
