//! Paging in both directions, as Relay asks for it, and its answer for lists that are known as a whole: by key, so that a
//! list that grows neither repeats nor skips.

use super::connection::{Connection, Edge, PageInfo};
use super::cursor;
use super::errors::{ApiError, bad_input};
use super::scalars::{count, list_size};
use async_graphql::OutputType;
use std::cmp::Ordering;

/// Items per page where neither `first` nor `last` is given.
pub(crate) const DEFAULT_SIZE: usize = 20;

/// The arguments that say which part of a list is asked for.
#[derive(Debug, Default)]
pub(crate) struct PagingArguments {
    /// At most so many of the first ones.
    pub(crate) first: Option<i32>,
    /// Behind this cursor.
    pub(crate) after: Option<String>,
    /// At most so many of the last ones.
    pub(crate) last: Option<i32>,
    /// In front of this cursor.
    pub(crate) before: Option<String>,
}

/// From which end of a list, or which side of a cursor, items are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The first ones, behind the cursor.
    Forward,
    /// The last ones, in front of the cursor.
    Backward,
}

/// Which part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    /// Which way.
    pub(crate) direction: Direction,
    /// At most so many items.
    pub(crate) size: usize,
    /// The key from which to go on.
    pub(crate) from: Option<Vec<u8>>,
}

impl Paging {
    /// From the arguments of the list `scope`, `max` items at most. What they leave out is forward.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a size out of bounds and for arguments of both directions, `BAD_CURSOR` for another list's
    /// cursor.
    pub(crate) fn parse(arguments: PagingArguments, scope: &str, max: usize) -> Result<Self, ApiError> {
        let PagingArguments { first, after, last, before } = arguments;
        let wrong = match (first.is_some(), after.is_some(), last.is_some(), before.is_some()) {
            (true, _, true, _) => Some("give first or last, not both"),
            (true, _, _, true) => Some("before goes with last, not with first"),
            (_, true, true, _) => Some("after goes with first, not with last"),
            (_, true, _, true) => Some("give after or before, not both"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(bad_input(wrong));
        }
        let is_backward = last.is_some() || before.is_some();
        let (direction, name) = if is_backward { (Direction::Backward, "last") } else { (Direction::Forward, "first") };
        let size = list_size(name, first.or(last), DEFAULT_SIZE, max)?;
        let from = after.or(before).map(|text| cursor::decode(scope, &text)).transpose()?;
        Ok(Self { direction, size, from })
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
    let (start, end) = match (paging.direction, &paging.from) {
        (Direction::Forward, after) => {
            let start = after.as_ref().map_or(0, |after| all.partition_point(|item| order(item, after).is_le()));
            (start, start.saturating_add(paging.size).min(total))
        }
        (Direction::Backward, before) => {
            let end = before.as_ref().map_or(total, |before| all.partition_point(|item| order(item, before).is_lt()));
            (end.saturating_sub(paging.size), end)
        }
    };
    let part = all.into_iter().take(end).skip(start);
    let items: Vec<(String, T)> = part.map(|item| (cursor::encode(scope, &key(&item)), item)).collect();
    let page_info = PageInfo {
        has_next_page: end < total,
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
