//! Writing pages: all tables side by side, single rows at low rate, batches of one table under load.

use crate::hour::Hour;
use crate::page::{Domain, Page, WikiId};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::batches::{Request, plan};
use crate::store::cassandra::errors::of_request;
use crate::store::cassandra::hours::{YEARS, year_of};
use crate::store::cassandra::rows::{HourInsertRow, InsertRow, PageTexts};
use crate::store::cassandra::statements::TableInserts;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Requests in flight of one call.
const IN_FLIGHT: usize = 32;
/// Wikis and hours that are remembered at most; beyond it they are written again.
const MAX_REMEMBERED: usize = 100_000;

/// The wikis and hours that this process has written.
#[derive(Default)]
pub(super) struct Remembered(Mutex<HashSet<Shelved>>);

/// A row that many pages share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shelved {
    Domain(Domain, WikiId),
    Hour(Hour),
}

impl Remembered {
    /// The shared rows of these pages that were not written yet.
    fn missing(&self, pages: &[Page]) -> Vec<Shelved> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing: Vec<Shelved> = Vec::new();
        let mut seen: HashSet<Shelved> = HashSet::new();
        for page in pages {
            let domain = Shelved::Domain(page.domain.clone(), page.wiki.clone());
            for row in [domain, Shelved::Hour(Hour::of(page.created_at))] {
                if !known.contains(&row) && seen.insert(row.clone()) {
                    missing.push(row);
                }
            }
        }
        missing
    }

    fn remember(&self, written: Vec<Shelved>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.extend(written);
    }
}

/// Writes the rows of all tables for each page.
pub(super) async fn write_pages(store: &CassandraStore, pages: &[Page]) -> Result<(), StoreError> {
    let texts: Vec<PageTexts<'_>> = pages.iter().map(PageTexts::of).collect();
    let missing = store.remembered.missing(pages);
    let shared: Vec<_> = missing.iter().map(|row| write_shared(store, row)).collect();
    let shared = stream::iter(shared).buffer_unordered(IN_FLIGHT).try_collect::<()>();
    let requests: Vec<_> = plan(store, &texts).into_iter().map(|request| send(store, request)).collect();
    let rows = stream::iter(requests).buffer_unordered(IN_FLIGHT).try_collect::<()>();
    futures::try_join!(rows, shared)?;
    store.remembered.remember(missing);
    Ok(())
}

async fn write_shared(store: &CassandraStore, row: &Shelved) -> Result<(), StoreError> {
    let (session, statements) = (&store.session, &store.statements);
    match row {
        Shelved::Domain(domain, wiki) => {
            let values = (domain.as_str(), wiki.as_str());
            session.execute_unpaged(&statements.put_domain, values).await.map_err(of_request)?;
        }
        Shelved::Hour(hour) => {
            let year = year_of(*hour);
            session.execute_unpaged(&statements.put_hour, (YEARS, &year)).await.map_err(of_request)?;
            session.execute_unpaged(&statements.put_hour, (&year, hour.to_string())).await.map_err(of_request)?;
        }
    }
    Ok(())
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
        _ => store.session.batch(&inserts.batch(rows.len()), &rows).await,
    };
    sent.map(drop).map_err(of_request)
}
