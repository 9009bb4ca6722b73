//! A created page: the clean event, with every field parsed at the edge.
//!
//! Knows nothing of JSON from the stream (that is `ingest::clean`) or of tables (`tables`).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// One page creation, as clean as the tables hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The wiki's number of the page.
    pub page_id: PageId,
    /// The wiki's number of the account that created it.
    pub user_id: UserId,
    /// The account's name at that time, as written by strangers.
    pub user_name: String,
    /// The wiki's host name.
    pub domain: Domain,
    /// Full title with underscores and namespace prefix, at most 60,000 bytes: it is part of a table's key. (What comes
    /// from the stream has 1,024 at most.)
    pub page_title: String,
    /// The event's own time, whole seconds.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created_at: DateTime<Utc>,
    /// The wiki's database name.
    pub wiki: WikiId,
    /// MediaWiki's namespace number.
    pub namespace: i32,
    /// Whether the page was created as a redirect.
    pub is_redirect: bool,
    /// Whether the account was marked as a bot at that time.
    pub is_bot: bool,
    /// The first revision's number; 0 in no event seen.
    pub rev_id: u64,
    /// The stream's id of the event (`meta.id`), absent in a few old events.
    pub event_id: Option<String>,
    /// Of two different events with one key the larger version wins with all its cells:
    /// `created_at` in µs plus a stable hash of the event, mod 1,000,000.
    pub version: i64,
}

impl Page {
    /// What makes this creation this creation.
    pub fn key(&self) -> PageKey {
        PageKey { created_at: self.created_at, domain: self.domain.clone(), page_id: self.page_id }
    }
}

/// The identity of a creation: the same page at another time is another creation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageKey {
    /// The event's time, whole seconds.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created_at: DateTime<Utc>,
    /// The wiki.
    pub domain: Domain,
    /// The wiki's number of the page.
    pub page_id: PageId,
}

/// A text from outside that is not what its field wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} is not {wanted}")]
pub struct ParseError {
    /// What was parsed: `page_id`, `domain`, …
    pub what: &'static str,
    /// The first characters of what came.
    pub text: String,
    /// What would have been right.
    pub wanted: &'static str,
}

impl ParseError {
    /// An error that quotes at most 64 characters of `text`.
    pub fn new(what: &'static str, text: &str, wanted: &'static str) -> Self {
        Self { what, text: text.chars().take(64).collect(), wanted }
    }
}

macro_rules! wiki_number {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Ordered as its decimal text, since the tables hold it as text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl TryFrom<u64> for $name {
            type Error = ParseError;

            fn try_from(number: u64) -> Result<Self, ParseError> {
                Self::new(number)
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl $name {
            /// From a number of the stream: 1 to 2^63 - 1.
            ///
            /// # Errors
            /// When the number is 0 or larger.
            pub fn new(number: u64) -> Result<Self, ParseError> {
                if number == 0 || i64::try_from(number).is_err() {
                    return Err(ParseError::new($what, &number.to_string(), "a number from 1 to 9223372036854775807"));
                }
                Ok(Self(number))
            }

            /// The number.
            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            /// Accepts what `Display` writes and nothing else: no sign, no leading zero.
            fn from_str(text: &str) -> Result<Self, ParseError> {
                let error = || ParseError::new($what, text, "a number from 1 to 9223372036854775807");
                if !text.bytes().all(|b| b.is_ascii_digit()) || text.starts_with('0') {
                    return Err(error());
                }
                Self::new(text.parse().map_err(|_| error())?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                cmp_as_text(self.0, other.0)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

wiki_number!(
    /// A wiki's own number of a page: the same number on another wiki is another page.
    PageId,
    "page_id"
);
wiki_number!(
    /// A wiki's own number of an account: the same number on another wiki is another person.
    UserId,
    "user_id"
);

/// Compares two numbers as their decimal texts would.
fn cmp_as_text(a: u64, b: u64) -> Ordering {
    let digits = |n: u64| n.checked_ilog10().unwrap_or(0);
    let (da, db) = (digits(a), digits(b));
    // Bring both to the same number of digits; an equal prefix makes the shorter one the smaller.
    let scaled = |n: u64, by: u32| u128::from(n) * 10u128.pow(by);
    scaled(a, db.saturating_sub(da)).cmp(&scaled(b, da.saturating_sub(db))).then(da.cmp(&db))
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $wanted:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(ParseError::new($what, text, $wanted)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;

            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0.as_ref().into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text!(
    /// A wiki's host name: `it.wikisource.org`.
    Domain,
    "domain",
    "a lower-case host name of at most 253 characters",
    |text| {
        text.len() <= 253
            && text.contains('.')
            && text.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
    }
);
checked_text!(
    /// A wiki's database name: `itwikisource`.
    WikiId,
    "wiki",
    "a database name of at most 64 characters a-z, 0-9, _",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_order_as_their_texts(a in 1u64..=i64::MAX as u64, b in 1u64..=i64::MAX as u64, shift in 0u32..18) {
            let b = b / 10u64.pow(shift) + 1;
            prop_assert_eq!(cmp_as_text(a, b), a.to_string().cmp(&b.to_string()));

        }
    }

    #[test]
    fn a_prefix_is_smaller() {
        assert_eq!(cmp_as_text(12, 120), Ordering::Less);
        assert_eq!(cmp_as_text(1_000_000, 975_885), Ordering::Less);
    }

    #[test]
    fn ids_are_canonical() {
        for bad in ["", "0", "01", "+1", "-1", " 1", "1e3", "9223372036854775808", "１"] {
            assert!(bad.parse::<PageId>().is_err(), "{bad:?}");
        }
        assert_eq!("975886".parse::<PageId>().unwrap().to_string(), "975886");
    }

    #[test]
    fn domains_are_host_names() {
        for bad in ["", "localhost", "It.wikisource.org", "a..b", "-a.org", "a.org/", "a b.org", "a.org:80", "ä.org"] {
            assert!(bad.parse::<Domain>().is_err(), "{bad:?}");
        }
        assert!("be-tarask.wikipedia.org".parse::<Domain>().is_ok());
    }
}
