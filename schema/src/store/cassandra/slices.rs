//! Reading rows page by page: no read is unpaged, so no answer is larger than a page.

use crate::store::cassandra::errors;
use crate::store::{StoreError, rows_read};
use scylla::client::session::Session;
use scylla::response::query_result::QueryRowsResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use std::ops::ControlFlow;

/// Rows of one page where nothing asks for fewer.
pub(super) const PAGE_ROWS: usize = 5_000;

/// Calls `visit` with each page of at most `page_rows` rows, until it breaks or there are no more.
pub(super) async fn visit_pages<B>(
    session: &Session,
    statement: &PreparedStatement,
    values: impl SerializeRow,
    page_rows: usize,
    mut visit: impl FnMut(&QueryRowsResult) -> Result<ControlFlow<B>, StoreError>,
) -> Result<Option<B>, StoreError> {
    let statement = with_page_rows(statement, page_rows);
    let mut at = PagingState::start();
    loop {
        let (page, more) = session.execute_single_page(&statement, &values, at).await.map_err(errors::of_request)?;
        let page = page.into_rows_result()?;
        rows_read::add(page.rows_num() as u64);
        if let ControlFlow::Break(found) = visit(&page)? {
            return Ok(Some(found));
        }
        match more {
            PagingStateResponse::HasMorePages { state } => at = state,
            PagingStateResponse::NoMorePages => return Ok(None),
        }
    }
}

fn with_page_rows(statement: &PreparedStatement, page_rows: usize) -> PreparedStatement {
    let mut statement = statement.clone();
    statement.set_page_size(i32::try_from(page_rows.clamp(1, PAGE_ROWS)).expect("a page has at most 5,000 rows"));
    statement
}

/// All rows as `convert` makes them, read in pages: for partitions that are small by nature.
pub(super) async fn collect<T>(
    session: &Session,
    statement: &PreparedStatement,
    values: impl SerializeRow,
    convert: impl FnMut(&QueryRowsResult, &mut Vec<T>) -> Result<(), StoreError>,
) -> Result<Vec<T>, StoreError> {
    collect_until(session, statement, values, usize::MAX, convert).await
}

/// As [`collect`], but where there are more than `most` rows, only some more than that are read.
pub(super) async fn collect_until<T>(
    session: &Session,
    statement: &PreparedStatement,
    values: impl SerializeRow,
    most: usize,
    mut convert: impl FnMut(&QueryRowsResult, &mut Vec<T>) -> Result<(), StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    let page_rows = most.saturating_add(1).min(PAGE_ROWS);
    visit_pages(session, statement, values, page_rows, |rows| {
        convert(rows, &mut all)?;
        Ok(if all.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })
    .await?;
    Ok(all)
}
