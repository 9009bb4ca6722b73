//! Forward paging through lists that are known as a whole: by key, so that a list that grows neither repeats nor skips.

use super::connection::{Connection, Edge, PageInfo};
use super::cursor;
use super::errors::ApiError;
use super::scalars::{count, list_size};
use async_graphql::OutputType;
use std::cmp::Ordering;

/// Items per page where `first` is not given.
pub(crate) const DEFAULT_FIRST: usize = 20;

/// Which part of a list, as the arguments `first` and `after` ask.
pub(crate) struct Paging {
    /// At most so many items.
    pub(crate) first: usize,
    /// The key behind which to go on.
    pub(crate) after: Option<Vec<u8>>,
}

impl Paging {
    /// From the arguments of the list `scope`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a `first` out of bounds, `BAD_CURSOR` for another list's cursor.
    pub(crate) fn parse(first: Option<i32>, after: Option<String>, scope: &str) -> Result<Self, ApiError> {
        let first = list_size("first", first, DEFAULT_FIRST)?;
        let after = after.map(|text| cursor::decode(scope, &text)).transpose()?;
        Ok(Self { first, after })
    }
}

/// A part of a list with everything that a connection says about it.
pub(crate) struct Part<T> {
    /// The items with their cursors.
    pub(crate) items: Vec<(String, T)>,
    /// Whether and where the list goes on.
    pub(crate) page_info: PageInfo,
    /// The whole list's size.
    pub(crate) total: usize,
}

/// The part of `all` (in order) that `paging` asks for; `key` gives an item's place as bytes, `order` compares the item
/// with such a place.
pub(crate) fn part_of<T>(
    all: Vec<T>,
    paging: &Paging,
    scope: &str,
    key: impl Fn(&T) -> Vec<u8>,
    order: impl Fn(&T, &[u8]) -> Ordering,
) -> Part<T> {
    let total = all.len();
    let start = paging.after.as_ref().map_or(0, |after| all.partition_point(|item| order(item, after).is_le()));
    let items: Vec<(String, T)> =
        all.into_iter().skip(start).take(paging.first).map(|item| (cursor::encode(scope, &key(&item)), item)).collect();
    let page_info = PageInfo {
        has_next_page: start + items.len() < total,
        has_previous_page: start > 0,
        start_cursor: items.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: items.last().map(|(cursor, _)| cursor.clone()),
    };
    Part { items, page_info, total }
}

impl<T> Part<T> {
    /// As a connection whose edges say no more than the item and its place.
    pub(crate) fn into_connection<N>(self, node: impl Fn(T) -> N) -> Connection<N, Edge<N>>
    where
        N: OutputType + Clone,
        Edge<N>: OutputType,
    {
        let edges: Vec<Edge<N>> =
            self.items.into_iter().map(|(cursor, item)| Edge { cursor, node: node(item) }).collect();
        Connection {
            nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
            edges,
            page_info: self.page_info,
            total_count: count(self.total as u64),
        }
    }
}
