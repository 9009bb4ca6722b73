//! The answers' own types. Their fields are in the documented order, which is the order on the wire.

use chrono::NaiveDateTime;
use schema::page::Page;
use serde::Serialize;

/// `GET /domains/`.
#[derive(Debug, Serialize)]
pub(crate) struct Domains {
    /// Every wiki on which pages were created, by name.
    pub(crate) domains: Vec<String>,
}

/// One created page.
#[derive(Debug, Serialize)]
pub(crate) struct WirePage {
    page_id: String,
    user_id: String,
    user_name: String,
    domain: String,
    page_title: String,
    /// UTC, written without a zone.
    created_at: NaiveDateTime,
}

impl From<Page> for WirePage {
    fn from(page: Page) -> Self {
        Self {
            page_id: page.page_id.to_string(),
            user_id: page.user_id.to_string(),
            user_name: page.user_name,
            domain: page.domain.into(),
            page_title: page.page_title,
            created_at: page.created_at.naive_utc(),
        }
    }
}

/// `GET /pages/id/{page_id}`.
#[derive(Debug, Serialize)]
pub(crate) struct OnePage {
    pub(crate) page: WirePage,
}

/// `GET /pages/domain/{domain}`.
#[derive(Debug, Serialize)]
pub(crate) struct DomainCount {
    /// The text of the path, whether or not it is a wiki.
    pub(crate) domain: String,
    /// Pages created there.
    pub(crate) count: u64,
}

/// One account under one name in `GET /stats/time-range/`.
#[derive(Debug, Serialize)]
pub(crate) struct UserCount {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) count: u64,
}
