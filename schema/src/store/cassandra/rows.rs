//! The rows of the tables as they go over the wire.

use crate::hour::Hour;
use crate::page::Page;
use crate::store::StoreError;
use crate::store::cassandra::errors::of_value;
use crate::tables::Table;
use chrono::{DateTime, Utc};
use scylla::response::query_result::QueryRowsResult;
use scylla::{DeserializeRow, SerializeRow};

/// The columns that [`InsertRow`] binds, in its order.
pub(super) const INSERT_COLUMNS: &str = "page_id, user_id, user_name, domain, page_title, created_at, wiki, namespace, \
     is_redirect, is_bot, rev_id, event_id";

/// The columns that [`PageRow`] reads, in its order. A row's version is the write timestamp of a cell outside its key.
pub(super) fn select_columns(table: Table) -> String {
    let cell = if table == Table::PagesByTitle { "wiki" } else { "page_title" };
    format!("{INSERT_COLUMNS}, writetime({cell}) AS version")
}

/// What a page's rows share, written once per page.
pub(super) struct PageTexts<'a> {
    pub(super) page: &'a Page,
    pub(super) page_id: String,
    pub(super) user_id: String,
    pub(super) date_hour: String,
    /// Seconds for which its rows are kept; 0 is for ever.
    ttl: i32,
}

impl<'a> PageTexts<'a> {
    pub(super) fn of(page: &'a Page, ttl: i32) -> Self {
        Self {
            page,
            ttl,
            page_id: page.page_id.to_string(),
            user_id: page.user_id.to_string(),
            date_hour: Hour::of(page.created_at).to_string(),
        }
    }
}

/// One row to write; the last values are its write timestamp and for how many seconds it is kept.
#[derive(SerializeRow, Clone, Copy)]
#[scylla(flavor = "enforce_order", skip_name_checks)]
pub(super) struct InsertRow<'a> {
    page_id: &'a str,
    user_id: &'a str,
    user_name: &'a str,
    domain: &'a str,
    page_title: &'a str,
    created_at: DateTime<Utc>,
    wiki: &'a str,
    namespace: i32,
    is_redirect: bool,
    is_bot: bool,
    rev_id: i64,
    event_id: &'a str,
    version: i64,
    ttl: i32,
}

/// One row of a table by hour to write.
#[derive(SerializeRow, Clone, Copy)]
#[scylla(flavor = "enforce_order", skip_name_checks)]
pub(super) struct HourInsertRow<'a> {
    date_hour: &'a str,
    #[scylla(flatten)]
    row: InsertRow<'a>,
}

impl<'a> From<&'a PageTexts<'_>> for InsertRow<'a> {
    fn from(texts: &'a PageTexts<'_>) -> Self {
        let page = texts.page;
        Self {
            page_id: &texts.page_id,
            user_id: &texts.user_id,
            user_name: &page.user_name,
            domain: page.domain.as_str(),
            page_title: &page.page_title,
            created_at: page.created_at,
            wiki: page.wiki.as_str(),
            namespace: page.namespace,
            is_redirect: page.is_redirect,
            is_bot: page.is_bot,
            rev_id: page.rev_id.cast_signed(),
            // Neither null (a tombstone) nor unset (the cell of an event with the same key would stay).
            event_id: page.event_id.as_deref().unwrap_or(""),
            version: page.version,
            ttl: texts.ttl,
        }
    }
}

impl<'a> From<&'a PageTexts<'_>> for HourInsertRow<'a> {
    fn from(texts: &'a PageTexts<'_>) -> Self {
        Self { date_hour: &texts.date_hour, row: texts.into() }
    }
}

/// One row as read.
#[derive(DeserializeRow)]
#[scylla(flavor = "enforce_order")]
pub(super) struct PageRow<'a> {
    page_id: &'a str,
    user_id: &'a str,
    user_name: &'a str,
    domain: &'a str,
    page_title: &'a str,
    created_at: DateTime<Utc>,
    wiki: &'a str,
    namespace: i32,
    is_redirect: bool,
    is_bot: bool,
    rev_id: i64,
    event_id: &'a str,
    version: i64,
}

impl TryFrom<PageRow<'_>> for Page {
    type Error = StoreError;

    fn try_from(row: PageRow<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            page_id: row.page_id.parse().map_err(of_value)?,
            user_id: row.user_id.parse().map_err(of_value)?,
            user_name: row.user_name.into(),
            domain: row.domain.parse().map_err(of_value)?,
            page_title: row.page_title.into(),
            created_at: row.created_at,
            wiki: row.wiki.parse().map_err(of_value)?,
            namespace: row.namespace,
            is_redirect: row.is_redirect,
            is_bot: row.is_bot,
            rev_id: row.rev_id.cast_unsigned(),
            event_id: (!row.event_id.is_empty()).then(|| row.event_id.into()),
            version: row.version,
        })
    }
}

/// The pages of one page of an answer.
pub(super) fn pages_of(rows: &QueryRowsResult) -> Result<impl Iterator<Item = Result<Page, StoreError>>, StoreError> {
    Ok(rows.rows::<PageRow<'_>>()?.map(|row| row?.try_into()))
}

/// The texts of one page of an answer of one column, behind those that are there.
pub(super) fn texts_of(rows: &QueryRowsResult, all: &mut Vec<String>) -> Result<(), StoreError> {
    for row in rows.rows::<(String,)>()? {
        all.push(row?.0);
    }
    Ok(())
}
