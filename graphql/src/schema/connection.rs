//! Relay's connections over lists that are known as a whole, and the page information of all.

use super::domain::Domain;
use super::hourly_activity::HourlyActivity;
use super::pipeline::Gap;
use super::user::User;
use async_graphql::{OutputType, SimpleObject};

/// Relay's page information. An answer may be shorter than asked when few rows pass the filter: go on from
/// `endCursor` while `hasNextPage` is true; backwards from `startCursor` while `hasPreviousPage` is.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether there is more behind `endCursor`; backward: whether the list was entered in front of its end.
    pub(crate) has_next_page: bool,
    /// Whether there is more in front of `startCursor`; forward: whether the list was entered behind its beginning.
    pub(crate) has_previous_page: bool,
    /// Where to go on backwards: give it as `before`.
    pub(crate) start_cursor: Option<String>,
    /// Where to go on: give it as `after`.
    pub(crate) end_cursor: Option<String>,
}

/// An item of a list with its place.
#[derive(Clone, SimpleObject)]
#[graphql(
    concrete(name = "DomainEdge", params(Domain)),
    concrete(name = "HourlyActivityEdge", params(HourlyActivity)),
    concrete(name = "GapEdge", params(Gap))
)]
pub(crate) struct Edge<N: OutputType> {
    /// The item's place in the list.
    pub(crate) cursor: String,
    /// The item.
    pub(crate) node: N,
}

/// An item of an hour with its place and its share of the hour's pages.
#[derive(Clone, SimpleObject)]
#[graphql(concrete(name = "HourlyUserEdge", params(User)), concrete(name = "HourlyDomainEdge", params(Domain)))]
pub(crate) struct CountedEdge<N: OutputType> {
    /// The item's place in the list.
    pub(crate) cursor: String,
    /// The item.
    pub(crate) node: N,
    /// Its pages in the hour.
    pub(crate) page_count: i32,
    /// How many of them were made as a bot.
    pub(crate) bot_page_count: i32,
}

/// The edge of a wiki.
type DomainEdge = Edge<Domain>;
/// The edge of an hour.
type HourEdge = Edge<HourlyActivity>;
/// The edge of a gap.
type GapEdge = Edge<Gap>;
/// The edge of an account in an hour.
pub(crate) type HourlyUserEdge = CountedEdge<User>;
/// The edge of a wiki in an hour.
pub(crate) type HourlyDomainEdge = CountedEdge<Domain>;

/// A part of a list.
#[expect(clippy::duplicated_attributes, reason = "each concrete type has parameters of its own")]
#[derive(Clone, SimpleObject)]
#[graphql(
    concrete(name = "DomainConnection", params(Domain, DomainEdge)),
    concrete(name = "HourlyActivityConnection", params(HourlyActivity, HourEdge)),
    concrete(name = "GapConnection", params(Gap, GapEdge)),
    concrete(name = "HourlyUserConnection", params(User, HourlyUserEdge)),
    concrete(name = "HourlyDomainConnection", params(Domain, HourlyDomainEdge))
)]
pub(crate) struct Connection<N: OutputType, E: OutputType> {
    /// The items with their places.
    pub(crate) edges: Vec<E>,
    /// The items.
    pub(crate) nodes: Vec<N>,
    /// Whether and where the list goes on.
    pub(crate) page_info: PageInfo,
    /// How many items the whole list has.
    pub(crate) total_count: i32,
}
