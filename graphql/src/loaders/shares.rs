//! What each account has of an hour: less than the rows that it is added up from.

use schema::page::{Domain, UserId};
use schema::query::UserCount;
use std::collections::BTreeMap;

/// A wiki's or an account's share of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    /// Pages.
    pub(crate) pages: u64,
    /// Of these, bots'.
    pub(crate) bot_pages: u64,
}

impl Share {
    /// Adds pages, all by bots or none.
    pub(crate) fn add(&mut self, pages: u64, is_bot: bool) {
        self.pages += pages;
        self.bot_pages += if is_bot { pages } else { 0 };
    }
}

/// An hour's accounts with their shares, by user id as text, then domain; names put together.
pub(crate) type UserShares = BTreeMap<(UserId, Domain), Share>;

pub(super) fn of_users(rows: Vec<UserCount>) -> UserShares {
    let mut shares = UserShares::new();
    for row in rows {
        shares.entry((row.user_id, row.domain)).or_default().add(row.page_count, row.is_bot);
    }
    shares
}
