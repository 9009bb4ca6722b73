//! Whole tables in the order of the ring, and the writes that mend them: for verifying.
//!
//! The only place that reads without naming a partition. No request comes here.

use crate::hour::Hour;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::query::{DomainRow, ListOrder};
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::errors::{of_prepare, of_request};
use crate::store::cassandra::hours::HourWalk;
use crate::store::cassandra::incarnation::Part;
use crate::store::cassandra::rows::select_columns;
use crate::store::cassandra::slices::PAGE_ROWS;
use crate::store::cassandra::write::{list_hour, write_pages};
use crate::store::cassandra::{heads, marks, retention};
use crate::store::scan::At;
use crate::store::{OddRow, Repair, Scan, ScanPosition, Scanned, StoreError};
use crate::tables::Table;
use chrono::{DateTime, Datelike, Utc};
use scylla::DeserializeRow;
use scylla::response::query_result::QueryRowsResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use std::collections::BTreeSet;
use tokio::sync::OnceCell;

/// The statements of verifying, prepared when they are first needed: no other process needs them.
pub(super) struct Scans {
    keyspace: String,
    statements: OnceCell<Statements>,
}

struct Statements {
    tables: Vec<(Table, PreparedStatement)>,
    hour: PreparedStatement,
    put_domain: PreparedStatement,
}

impl Scans {
    pub(super) fn of(keyspace: &str) -> Self {
        Self { keyspace: keyspace.into(), statements: OnceCell::new() }
    }

    async fn statements(&self, store: &CassandraStore) -> Result<&Statements, StoreError> {
        self.statements.get_or_try_init(|| self.prepare_all(store)).await
    }

    async fn prepare_all(&self, store: &CassandraStore) -> Result<Statements, StoreError> {
        let mut tables = Vec::new();
        for table in Table::ALL {
            tables.push((table, self.prepare(store, &self.select(table)).await?));
        }
        let hour = format!("{} WHERE date_hour = ?", self.select(Table::PagesByTime));
        // With the present as its timestamp: a wiki that a hand deleted is listed again.
        let put_domain = format!("INSERT INTO {}.domains (shelf, domain, wiki) VALUES ('all', ?, ?)", self.keyspace);
        Ok(Statements {
            tables,
            hour: self.prepare(store, &hour).await?,
            put_domain: self.prepare(store, &put_domain).await?,
        })
    }

    async fn prepare(&self, store: &CassandraStore, cql: &str) -> Result<PreparedStatement, StoreError> {
        let mut statement = store.session.prepare(cql).await.map_err(of_prepare)?;
        statement.set_is_idempotent(true);
        Ok(statement)
    }

    fn select(&self, table: Table) -> String {
        let (keyspace, name, columns) = (&self.keyspace, table.name(), select_columns(table));
        let partition = match table {
            Table::PagesById => "page_id",
            Table::PagesByUser => "user_id",
            Table::PagesByAccount => "domain, user_id",
            Table::PagesByDomain => "domain",
            Table::PagesByUserName => "user_name",
            Table::PagesByTitle => "domain, page_title",
            Table::PagesByTime | Table::LatestPages => "date_hour",
        };
        // Where a table has no hour of its own, any text of its key stands there and is not looked at.
        let hour = if table.is_by_hour() { "date_hour" } else { "page_id" };
        format!("SELECT {columns}, {hour} AS hour, token({partition}) AS place FROM {keyspace}.{name}")
    }
}

/// A row of any table as it is, whole or not.
#[derive(DeserializeRow)]
#[scylla(flavor = "enforce_order")]
struct ScanRow<'a> {
    page_id: Option<&'a str>,
    user_id: Option<&'a str>,
    user_name: Option<&'a str>,
    domain: Option<&'a str>,
    page_title: Option<&'a str>,
    created_at: Option<DateTime<Utc>>,
    wiki: Option<&'a str>,
    namespace: Option<i32>,
    is_redirect: Option<bool>,
    is_bot: Option<bool>,
    rev_id: Option<i64>,
    event_id: Option<&'a str>,
    version: Option<i64>,
    hour: Option<&'a str>,
    place: i64,
}

impl ScanRow<'_> {
    fn page(&self, is_by_hour: bool) -> Result<Page, OddRow> {
        let page = self.read().map_err(|why| self.odd(why, is_by_hour))?;
        let hour = Hour::of(page.created_at).to_string();
        if is_by_hour && self.hour != Some(&hour) {
            return Err(self.odd(format!("its page was created in {hour}"), is_by_hour));
        }
        Ok(page)
    }

    fn read(&self) -> Result<Page, String> {
        fn is<T>(cell: Option<T>, name: &str) -> Result<T, String> {
            cell.ok_or_else(|| format!("{name} is missing"))
        }
        let created_at = is(self.created_at, "created_at")?;
        if Hour::time_within(created_at.timestamp()) != Some(created_at) {
            return Err(format!("created_at {created_at} is no whole second of a named hour"));
        }
        Ok(Page {
            page_id: is(self.page_id, "page_id")?.parse().map_err(|e| format!("{e}"))?,
            user_id: is(self.user_id, "user_id")?.parse().map_err(|e| format!("{e}"))?,
            user_name: is(self.user_name, "user_name")?.into(),
            domain: is(self.domain, "domain")?.parse().map_err(|e| format!("{e}"))?,
            page_title: is(self.page_title, "page_title")?.into(),
            created_at,
            wiki: is(self.wiki, "wiki")?.parse().map_err(|e| format!("{e}"))?,
            namespace: is(self.namespace, "namespace")?,
            is_redirect: is(self.is_redirect, "is_redirect")?,
            is_bot: is(self.is_bot, "is_bot")?,
            rev_id: is(self.rev_id, "rev_id")?.cast_unsigned(),
            event_id: Some(is(self.event_id, "event_id")?).filter(|id| !id.is_empty()).map(Into::into),
            version: is(self.version, "version")?,
        })
    }

    fn odd(&self, why: String, is_by_hour: bool) -> OddRow {
        let texts = [
            ("date_hour", self.hour.filter(|_| is_by_hour)),
            ("page_id", self.page_id),
            ("domain", self.domain),
            ("user_id", self.user_id),
            ("user_name", self.user_name),
        ];
        let known = texts.into_iter().filter_map(|(name, text)| Some(format!("{name}={:?}", text?)));
        let at = self.created_at.map(|at| format!("created_at={}", at.format("%FT%T%.fZ")));
        let hour = self.created_at.map(Hour::of);
        OddRow { key: known.chain(at).collect::<Vec<_>>().join(" "), hour, why }
    }

    /// Which share of the ring lies up to it.
    fn share(&self) -> f64 {
        (self.place as f64 - i64::MIN as f64) / (u64::MAX as f64)
    }
}

/// A part of a scan.
pub(super) async fn scan(
    store: &CassandraStore,
    scan: Scan,
    from: Option<&ScanPosition>,
    limit: usize,
) -> Result<Scanned, StoreError> {
    let statements = store.scans.statements(store).await?;
    let at = match from.map(|position| &position.0) {
        Some(At::State(state)) => PagingState::new_from_raw_bytes(state.clone()),
        _ => PagingState::start(),
    };
    let rows = i32::try_from(limit.clamp(1, PAGE_ROWS)).expect("a page has at most 5,000 rows");
    let page_of = |statement: &PreparedStatement| {
        let mut statement = statement.clone();
        statement.set_page_size(rows);
        statement
    };
    let (answer, is_by_hour) = match scan {
        Scan::Table(table) => {
            let (_, statement) = statements.tables.iter().find(|(of, _)| *of == table).expect("all tables are there");
            (store.session.execute_single_page(&page_of(statement), (), at).await, table.is_by_hour())
        }
        Scan::Hour(hour) => {
            let values = (hour.to_string(),);
            (store.session.execute_single_page(&page_of(&statements.hour), values, at).await, true)
        }
    };
    let (page, more) = answer.map_err(of_request)?;
    let (rows, share) = rows_of(&page.into_rows_result()?, is_by_hour)?;
    let next = match more {
        PagingStateResponse::HasMorePages { state } => {
            state.as_bytes_slice().map(|state| ScanPosition(At::State(state.clone())))
        }
        PagingStateResponse::NoMorePages => None,
    };
    let share = if next.is_none() { 1.0 } else { share };
    Ok(Scanned { rows, next, share })
}

type Rows = Vec<Result<Page, OddRow>>;

fn rows_of(answer: &QueryRowsResult, is_by_hour: bool) -> Result<(Rows, f64), StoreError> {
    let (mut rows, mut share) = (Vec::with_capacity(answer.rows_num()), 0.0);
    for row in answer.rows::<ScanRow<'_>>()? {
        let row = row?;
        share = row.share();
        rows.push(row.page(is_by_hour));
    }
    Ok((rows, share))
}

/// The hours that the table `hours` lists.
pub(super) async fn listed_hours(store: &CassandraStore) -> Result<Vec<Hour>, StoreError> {
    let mut walk = HourWalk::begin(store, ListOrder::OldestFirst, Hour::MIN, Hour::MAX).await?;
    let mut hours = Vec::new();
    while let Some(hour) = walk.next().await? {
        hours.push(hour);
    }
    Ok(hours)
}

/// Does a step of a repair.
pub(super) async fn repair(store: &CassandraStore, step: Repair, now: DateTime<Utc>) -> Result<(), StoreError> {
    match step {
        Repair::Pages(pages) => write_pages(store, &pages, now).await.map(drop),
        // Each table has rows of its own, which are written.
        Repair::Table(_) => Ok(()),
        Repair::Domains(rows) => list_domains(store, &rows).await,
        Repair::Hours(hours) => list_hours(store, &hours, now).await,
        Repair::Accounts(pages) => list_accounts(store, &pages).await,
        Repair::Counts(hours) => count_again(store, &hours).await,
    }
}

async fn list_domains(store: &CassandraStore, rows: &[DomainRow]) -> Result<(), StoreError> {
    let put = &store.scans.statements(store).await?.put_domain;
    for row in rows {
        store.session.execute_unpaged(put, (row.domain.as_str(), row.wiki.as_str())).await.map_err(of_request)?;
    }
    Ok(())
}

async fn list_accounts(store: &CassandraStore, pages: &[Page]) -> Result<(), StoreError> {
    let statements = &store.statements;
    for page in pages {
        let (user_id, domain) = (page.user_id.to_string(), page.domain.as_str());
        let by_id = (&user_id, domain);
        store.session.execute_unpaged(&statements.put_account, by_id).await.map_err(of_request)?;
        // With the day as timestamp, as every writer does, or no later day would ever show.
        let day = page.created_at.date_naive();
        let by_name = (&page.user_name, domain, &user_id, day, i64::from(day.num_days_from_ce()));
        store.session.execute_unpaged(&statements.put_name, by_name).await.map_err(of_request)?;
    }
    Ok(())
}

/// A marked hour is counted by the next pass, and so are then the periods in which it lies.
async fn count_again(store: &CassandraStore, hours: &[Hour]) -> Result<(), StoreError> {
    let periods = hours.iter().flat_map(|hour| TimeUnit::LONGEST_FIRST.map(|unit| Period::of(unit, *hour)));
    for period in periods.collect::<BTreeSet<_>>() {
        heads::doubt_derived(store, period).await?;
    }
    marks::set(store, &hours.iter().map(|hour| (*hour, Part::Whole)).collect()).await
}

async fn list_hours(store: &CassandraStore, hours: &[Hour], now: DateTime<Utc>) -> Result<(), StoreError> {
    let retention = retention::load(store).await?;
    for hour in hours {
        list_hour(store, *hour, retention::ttl_of_hour(&retention, *hour, now)).await?;
    }
    Ok(())
}
