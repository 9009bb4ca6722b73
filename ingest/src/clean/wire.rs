//! The stream's JSON as it is written there: only the fields that a row needs, borrowed from the event's bytes.
//!
//! Holds `mediawiki/revision/create` (1.x and 2.0.0) and `mediawiki/page/change` side by side. Every field may be
//! absent or null here; what that means is decided by the cleaner.

use serde::Deserialize;
use std::borrow::Cow;

/// A string without a copy unless it holds escapes. (serde borrows inside an `Option` only through a type of its own.)
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// One event.
#[derive(Debug, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) meta: Option<Meta<'a>>,
    #[serde(borrow)]
    pub(super) dt: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) database: Option<Text<'a>>,
    pub(super) page_id: Option<u64>,
    #[serde(borrow)]
    pub(super) page_title: Option<Text<'a>>,
    pub(super) page_namespace: Option<i32>,
    pub(super) page_is_redirect: Option<bool>,
    pub(super) rev_id: Option<u64>,
    pub(super) rev_parent_id: Option<u64>,
    #[serde(borrow)]
    pub(super) rev_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) performer: Option<Performer<'a>>,
    #[serde(borrow)]
    pub(super) page_change_kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) wiki_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) page: Option<ChangedPage<'a>>,
    #[serde(borrow)]
    pub(super) revision: Option<ChangedRevision<'a>>,
}

/// What every event of Wikimedia's streams carries.
#[derive(Debug, Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow)]
    pub(super) stream: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) domain: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) dt: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
}

/// Who did it; `is_bot` is page_change's name of `user_is_bot`.
#[derive(Debug, Deserialize)]
pub(super) struct Performer<'a> {
    #[serde(borrow)]
    pub(super) user_text: Option<Text<'a>>,
    pub(super) user_id: Option<u64>,
    pub(super) user_is_bot: Option<bool>,
    pub(super) is_bot: Option<bool>,
}

/// The page in page_change.
#[derive(Debug, Deserialize)]
pub(super) struct ChangedPage<'a> {
    pub(super) page_id: Option<u64>,
    #[serde(borrow)]
    pub(super) page_title: Option<Text<'a>>,
    pub(super) namespace_id: Option<i32>,
    pub(super) is_redirect: Option<bool>,
}

/// The revision in page_change.
#[derive(Debug, Deserialize)]
pub(super) struct ChangedRevision<'a> {
    pub(super) rev_id: Option<u64>,
    pub(super) rev_parent_id: Option<u64>,
    #[serde(borrow)]
    pub(super) rev_dt: Option<Text<'a>>,
}

/// What tells a canary, whatever else the event holds.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) meta: EnvelopeMeta<'a>,
}

/// See [`Envelope`].
#[derive(Debug, Deserialize)]
pub(super) struct EnvelopeMeta<'a> {
    #[serde(borrow)]
    pub(super) domain: Text<'a>,
}
