//! Lists of pages, newest first: the connection over what a store holds in that order.

use super::connection::PageInfo;
use super::cursor::{encode, page_key_bytes, parse_page_key};
use super::errors::ApiError;
use super::filter::{Range, TimeRange, parse_range, scope};
use super::page::Page;
use super::paging::{Direction, Paging, PagingArguments};
use super::scalars::{Time, count};
use super::{api, loaders, max_list};
use crate::loaders::PagesRead;
use async_graphql::{Context, Object, SimpleObject};
use schema::page::PageKey;
use schema::query::{ListOrder, MAX_ROWS_READ, PageFilter, PageList, PageQuery};
use std::sync::Arc;

/// What is asked of a list of pages.
pub(crate) struct PageListQuery {
    /// The list.
    pub(crate) list: PageList,
    /// From when to when.
    pub(crate) range: Range,
    /// Which pages.
    pub(crate) filter: PageFilter,
    /// Which part of it.
    pub(crate) paging: PagingArguments,
}

/// One page in a list.
#[derive(Clone, SimpleObject)]
pub(crate) struct PageEdge {
    /// The page's place in the list.
    cursor: String,
    /// The page.
    node: Page,
}

/// Pages, newest first.
pub(crate) struct PageConnection {
    list: PageList,
    range: Range,
    filter: PageFilter,
    edges: Vec<PageEdge>,
    page_info: PageInfo,
}

impl PageConnection {
    /// Reads the part that `query` asks for.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` and `BAD_CURSOR` for what is wrong with the arguments, else the store's.
    pub(crate) async fn load(ctx: &Context<'_>, query: PageListQuery) -> Result<Self, ApiError> {
        let PageListQuery { list, mut range, filter, paging } = query;
        let scope = format!("pages|{list:?}|{}", scope(&range, &filter));
        let mut paging = Paging::parse(paging, &scope, max_list(ctx))?;
        paging.from = paging.from.map(|cursor| range.go_on(cursor)).transpose()?;
        let list = narrowest(list, &filter);
        let question = PageQuery {
            list: list.clone(),
            order: match paging.direction {
                Direction::Forward => ListOrder::NewestFirst,
                Direction::Backward => ListOrder::OldestFirst,
            },
            during: range.span,
            filter: filter.clone(),
            after: paging.from.as_deref().map(parse_page_key).transpose()?,
            limit: paging.size,
            max_rows: MAX_ROWS_READ,
        };
        let pages = loaders(ctx).list_pages(question).await?;
        let cursor = |key: &PageKey| encode(&scope, &range.cursor_key(page_key_bytes(key)));
        let (edges, page_info) = edges_of(&pages, cursor, &paging);
        Ok(Self { list, range, filter, edges, page_info })
    }
}

/// How many pages of a list were created in a range of whole hours.
///
/// # Errors
/// `BAD_USER_INPUT` for a range that is wrong or not of whole hours, else the store's.
pub(crate) async fn count_within(
    ctx: &Context<'_>,
    list: PageList,
    during: Option<TimeRange>,
    filter: PageFilter,
) -> Result<i32, ApiError> {
    let hours = parse_range(during, api(ctx).clock.now())?.whole_hours()?;
    Ok(count(loaders(ctx).count_pages(list, hours, filter).await?))
}

/// One wiki's pages of all wikis' are that wiki's list: the same pages in the same order, without reading the others.
fn narrowest(list: PageList, filter: &PageFilter) -> PageList {
    match (&list, filter.domains.as_slice()) {
        (PageList::All, [domain]) => PageList::Domain(domain.clone()),
        _ => list,
    }
}

fn edges_of(read: &PagesRead, cursor: impl Fn(&PageKey) -> String, paging: &Paging) -> (Vec<PageEdge>, PageInfo) {
    let edge = |page: &Arc<_>| PageEdge { cursor: cursor(&schema::page::Page::key(page)), node: Page(page.clone()) };
    let mut edges: Vec<PageEdge> = read.pages.iter().map(edge).collect();
    // Where a filter dropped the last rows read, going on is possible from a page that is not in the answer.
    let next = read.next.as_ref().map(&cursor);
    let (goes_on, was_entered) = (next.is_some(), paging.from.is_some());
    if paging.direction == Direction::Backward {
        edges.reverse();
    }
    let first = edges.first().map(|edge| edge.cursor.clone());
    let last = edges.last().map(|edge| edge.cursor.clone());
    let page_info = match paging.direction {
        Direction::Forward => PageInfo {
            has_next_page: goes_on,
            has_previous_page: was_entered,
            start_cursor: first,
            end_cursor: next.or(last),
        },
        Direction::Backward => PageInfo {
            has_next_page: was_entered,
            has_previous_page: goes_on,
            start_cursor: next.or(first),
            end_cursor: last,
        },
    };
    (edges, page_info)
}

/// Pages, newest first.
#[Object]
impl PageConnection {
    /// The pages with their places.
    async fn edges(&self) -> &[PageEdge] {
        &self.edges
    }

    /// The pages.
    async fn nodes(&self) -> Vec<Page> {
        self.edges.iter().map(|edge| edge.node.clone()).collect()
    }

    /// Whether and where the list goes on.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many pages of the whole list were created under its range and filter, from rollups: also those that were kept
    /// long enough and are gone, so that it can be more than the list holds. Null where the range is not of whole hours.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        let Some(hours) = self.range.hours() else { return Ok(None) };
        let pages = loaders(ctx).count_pages(self.list.clone(), hours, self.filter.clone()).await?;
        Ok(Some(count(pages)))
    }

    /// Up to when pages are counted: what `totalCount` is of.
    async fn as_of(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        loaders(ctx).as_of().await.map(Time)
    }
}
