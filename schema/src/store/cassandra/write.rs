//! Writing pages: all tables side by side, single rows at low rate, batches of one table under load; then the marks.

use crate::hour::Hour;
use crate::page::{Domain, Page, UserId, WikiId};
use crate::retention::Retention;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::batches::{Request, plan};
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::hours::year_of;
use crate::store::cassandra::incarnation::{Minute, Part, minute_of};
use crate::store::cassandra::many_rows::{MANY_PARTITIONS, write_all};
use crate::store::cassandra::rows::{HourInsertRow, InsertRow, PageTexts};
use crate::store::cassandra::statements::{TableInserts, batch_of};
use crate::store::cassandra::{marks, retention};
use crate::tables::Table;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// Requests in flight of one call.
const IN_FLIGHT: usize = 32;
/// Shared rows that are remembered at most, as hashes: below 20 MB. Beyond it they are written again.
const MAX_REMEMBERED: usize = 1_000_000;

/// The shared rows that this process has written: their hashes, of a key that nobody outside can know, so that no name can
/// be chosen that passes for another.
#[derive(Default)]
pub(super) struct Remembered {
    key: RandomState,
    known: Mutex<HashSet<u64>>,
}

/// A row that many pages share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Shelved<'a> {
    Domain(&'a Domain, &'a WikiId),
    Hour(Hour),
    Account(UserId, &'a Domain),
    Name { user_name: &'a str, domain: &'a Domain, user_id: UserId, day: NaiveDate },
}

impl<'a> Shelved<'a> {
    /// Those of a page.
    fn of(page: &'a Page) -> [Self; 4] {
        let (domain, user_id, day) = (&page.domain, page.user_id, page.created_at.date_naive());
        [
            Self::Domain(domain, &page.wiki),
            Self::Hour(Hour::of(page.created_at)),
            Self::Account(user_id, domain),
            Self::Name { user_name: &page.user_name, domain, user_id, day },
        ]
    }
}

impl Remembered {
    /// The shared rows of these pages that were not written yet, by hash.
    pub(super) fn missing<'a>(&self, pages: impl IntoIterator<Item = &'a Page>) -> HashMap<u64, Shelved<'a>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = pages.into_iter().flat_map(Shelved::of).map(|row| (self.key.hash_one(row), row));
        rows.filter(|(hash, _)| !known.contains(hash)).collect()
    }

    fn remember(&self, written: impl ExactSizeIterator<Item = u64>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len().saturating_add(written.len()) > MAX_REMEMBERED {
            known.clear();
        }
        known.extend(written);
    }
}

/// Writes the rows of all tables for each page whose hour is not frozen, and once all are acknowledged marks their hours to
/// be counted. Gives the hour before which all is frozen.
pub(super) async fn write_pages(
    store: &CassandraStore,
    pages: &[Page],
    now: DateTime<Utc>,
) -> Result<Hour, StoreError> {
    let retention = retention::load(store).await?;
    let texts = texts_of(pages, &retention, now);
    let missing = store.remembered.missing(texts.iter().map(|texts| texts.page));
    let ttl = |hour| retention::ttl_of_hour(&retention, hour, now);
    write_rows(store, &texts, missing, &ttl).await?;
    marks::set(store, &parts_of(&texts)).await?;
    Ok(retention.frozen_before(now))
}

/// The hours of these pages, and the minutes of each.
fn parts_of(texts: &[PageTexts<'_>]) -> BTreeMap<Hour, Part> {
    let mut hours: BTreeMap<Hour, BTreeSet<Minute>> = BTreeMap::new();
    for created_at in texts.iter().map(|texts| texts.page.created_at) {
        hours.entry(Hour::of(created_at)).or_default().insert(minute_of(created_at));
    }
    hours.into_iter().map(|(hour, minutes)| (hour, Part::Minutes(minutes))).collect()
}

/// Writes the rows of one table for each page whose hour is not frozen: of pages whose other rows are there.
pub(super) async fn write_table(
    store: &CassandraStore,
    table: Table,
    pages: &[Page],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let texts = texts_of(pages, &retention::load(store).await?, now);
    send_all(store, &texts, Some(table)).await
}

/// The pages whose hours are not frozen, as they are written.
fn texts_of<'a>(pages: &'a [Page], retention: &Retention, now: DateTime<Utc>) -> Vec<PageTexts<'a>> {
    let frozen = retention.frozen_before(now);
    let ttl = |page: &Page| retention::ttl_of_page(retention, page.created_at, now);
    let open = pages.iter().filter(|page| Hour::of(page.created_at) >= frozen);
    open.map(|page| PageTexts::of(page, ttl(page))).collect()
}

pub(super) async fn write_rows(
    store: &CassandraStore,
    texts: &[PageTexts<'_>],
    missing: HashMap<u64, Shelved<'_>>,
    ttl_of_hour: &(dyn Fn(Hour) -> i32 + Sync),
) -> Result<(), StoreError> {
    futures::try_join!(send_all(store, texts, None), write_shared(store, missing.values(), ttl_of_hour))?;
    store.remembered.remember(missing.into_keys());
    Ok(())
}

/// Writes the rows of all tables, or of one.
async fn send_all(store: &CassandraStore, texts: &[PageTexts<'_>], only: Option<Table>) -> Result<(), StoreError> {
    let requests: Vec<_> = plan(store, texts, only).into_iter().map(|request| send(store, request)).collect();
    stream::iter(requests).buffer_unordered(IN_FLIGHT).try_collect().await
}

/// Lists an hour for `ttl` seconds, and its year, of which counts may be left, for ever.
pub(super) async fn list_hour(store: &CassandraStore, hour: Hour, ttl: i32) -> Result<(), StoreError> {
    let (session, statements, year) = (&store.session, &store.statements, year_of(hour));
    session.execute_unpaged(&statements.put_year, (&year,)).await.map_err(of_request)?;
    session.execute_unpaged(&statements.put_hour, (&year, hour.to_string(), ttl)).await.map_err(of_request)?;
    Ok(())
}

async fn write_shared<'r>(
    store: &CassandraStore,
    rows: impl Iterator<Item = &'r Shelved<'r>>,
    ttl_of_hour: &(dyn Fn(Hour) -> i32 + Sync),
) -> Result<(), StoreError> {
    let (mut accounts, mut names, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (session, statements) = (&store.session, &store.statements);
    for row in rows {
        match *row {
            Shelved::Domain(domain, wiki) => others.push(put_domain(store, domain, wiki).boxed()),
            Shelved::Hour(hour) => others.push(list_hour(store, hour, ttl_of_hour(hour)).boxed()),
            Shelved::Account(user_id, domain) => accounts.push((user_id.to_string(), domain.as_str())),
            Shelved::Name { user_name, domain, user_id, day } => {
                // The day as timestamp: of two days the later stays, whichever came first.
                let day_number = i64::from(day.num_days_from_ce());
                names.push((user_name, domain.as_str(), user_id.to_string(), day, day_number));
            }
        }
    }
    futures::try_join!(
        write_all(session, &statements.put_account, &accounts, MANY_PARTITIONS),
        write_all(session, &statements.put_name, &names, MANY_PARTITIONS),
        stream::iter(others).buffer_unordered(IN_FLIGHT).try_collect::<()>(),
    )?;
    Ok(())
}

async fn put_domain(store: &CassandraStore, domain: &Domain, wiki: &WikiId) -> Result<(), StoreError> {
    let values = (domain.as_str(), wiki.as_str());
    store.session.execute_unpaged(&store.statements.put_domain, values).await.map(drop).map_err(of_request)
}

async fn send(store: &CassandraStore, request: Request<'_>) -> Result<(), StoreError> {
    if request.inserts.table.is_by_hour() {
        send_rows(store, request.inserts, request.rows.into_iter().map(HourInsertRow::from).collect()).await
    } else {
        send_rows(store, request.inserts, request.rows.into_iter().map(InsertRow::from).collect()).await
    }
}

async fn send_rows<R>(store: &CassandraStore, inserts: &TableInserts, rows: Vec<R>) -> Result<(), StoreError>
where
    R: scylla::serialize::row::SerializeRow,
{
    let sent = match rows.as_slice() {
        [row] => store.session.execute_unpaged(&inserts.single, row).await,
        _ => store.session.batch(&batch_of(&inserts.single, rows.len()), &rows).await,
    };
    sent.map(drop).map_err(of_request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::realm::Realm;

    #[test]
    fn what_many_pages_share_is_written_once() {
        let realm = Realm::of("what_many_pages_share");
        let pages = realm.varied_pages(300);
        let remembered = Remembered::default();
        let missing = remembered.missing(&pages);
        let count = |is: fn(&Shelved<'_>) -> bool| missing.values().filter(|row| is(row)).count();
        assert_eq!(count(|row| matches!(row, Shelved::Domain(..))), 3);
        assert_eq!(count(|row| matches!(row, Shelved::Account(..))), 21, "seven numbers on three wikis");
        assert_eq!(count(|row| matches!(row, Shelved::Name { .. })), 21, "of one day, each under one name");
        remembered.remember(missing.into_keys());
        assert!(remembered.missing(&pages).is_empty());
        let renamed = Page { user_name: realm.user_name(77), ..pages[0].clone() };
        assert_eq!(remembered.missing(&[renamed]).len(), 1, "the account under its new name");
        let next_day = Page { created_at: pages[0].created_at + chrono::TimeDelta::days(1), ..pages[0].clone() };
        assert_eq!(remembered.missing(&[next_day]).len(), 2, "the hour and the name's day");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let remembered = Remembered::default();
        for part in 0..5 {
            let begin = part * 300_000;
            remembered.remember((0..300_000usize).map(|n| (begin + n) as u64));
            let known = remembered.known.lock().unwrap().len();
            assert!((300_000..=MAX_REMEMBERED).contains(&known), "{known}");
        }
    }
}
