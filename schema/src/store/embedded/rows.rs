//! A page as the queries give it.

use crate::page::{Domain, Page, PageId, UserId, WikiId};
use crate::store::embedded::error::corrupt_value;
use crate::store::embedded::event_ids::ReadId;
use crate::store::embedded::readers::count_rows;
use chrono::DateTime;
use rusqlite::Row;
use rusqlite::types::Type;

/// A SELECT of whole pages: `$index` is a table of `layout.sql` as `i`, `$rest` its conditions and order.
macro_rules! select_pages {
    ($index:literal, $rest:expr) => {
        concat!(
            "SELECT p.page_id, p.user_id, n.user_name, d.domain, p.page_title, p.created_at, w.wiki, p.namespace, \
             p.is_redirect, p.is_bot, p.rev_id, p.event_id, p.version FROM ",
            $index,
            " i CROSS JOIN pages p ON p.page_no = i.page_no CROSS JOIN domain_names d ON d.domain_no = p.domain_no \
             CROSS JOIN user_names n ON n.name_no = p.name_no CROSS JOIN wiki_names w ON w.wiki_no = p.wiki_no ",
            $rest
        )
    };
}
pub(super) use select_pages;

/// The page of a row of [`select_pages`], which it counts.
pub(super) fn page_of(row: &Row<'_>) -> rusqlite::Result<Page> {
    count_rows(1);
    let seconds: i64 = row.get(5)?;
    let created_at =
        DateTime::from_timestamp(seconds, 0).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, seconds))?;
    Ok(Page {
        page_id: page_id_of(row.get(0)?)?,
        user_id: user_id_of(row.get(1)?)?,
        user_name: row.get(2)?,
        domain: domain_of(&row.get_ref(3)?)?,
        page_title: row.get(4)?,
        created_at,
        wiki: wiki_of(&row.get_ref(6)?)?,
        namespace: row.get(7)?,
        is_redirect: row.get(8)?,
        is_bot: row.get(9)?,
        rev_id: row.get::<_, i64>(10)?.cast_unsigned(),
        event_id: row.get::<_, Option<ReadId>>(11)?.map(|id| id.0),
        version: row.get(12)?,
    })
}

/// A stored domain.
pub(super) fn domain_of(value: &rusqlite::types::ValueRef<'_>) -> rusqlite::Result<Domain> {
    text_of(value)?.parse().map_err(corrupt_value)
}

/// A stored database name.
pub(super) fn wiki_of(value: &rusqlite::types::ValueRef<'_>) -> rusqlite::Result<WikiId> {
    text_of(value)?.parse().map_err(corrupt_value)
}

/// A stored account's number.
pub(super) fn user_id_of(number: i64) -> rusqlite::Result<UserId> {
    UserId::new(number_of(number)?).map_err(corrupt_value)
}

fn page_id_of(number: i64) -> rusqlite::Result<PageId> {
    PageId::new(number_of(number)?).map_err(corrupt_value)
}

fn number_of(number: i64) -> rusqlite::Result<u64> {
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

fn text_of<'a>(value: &rusqlite::types::ValueRef<'a>) -> rusqlite::Result<&'a str> {
    value.as_str().map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))
}
