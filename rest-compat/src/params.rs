//! What a request asks, read as FastAPI reads it: percent-decoded, invalid UTF-8 replaced, the last of a repeated
//! parameter. Ids and domains that cannot be one are unknown, not an error.

use crate::error::{ApiError, FieldError};
use crate::slash::to_twin;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use schema::hour::{Hour, HourRange};
use std::convert::Infallible;

/// The last segment of the path, decoded. An encoded slash makes it another path: at the end that of its twin, else one
/// that no route has.
pub(crate) struct LastSegment(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for LastSegment {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let raw = parts.uri.path().rsplit('/').next().unwrap_or_default();
        let text = percent_decode_str(raw).decode_utf8_lossy();
        match text.trim_end_matches('/') {
            id if id.is_empty() || id.contains('/') => Err(ApiError::UnknownRoute.into_response()),
            id if id.len() < text.len() => Err(to_twin(&parts.uri, &parts.headers).into_response()),
            _ => Ok(Self(text.into_owned())),
        }
    }
}

/// The query's parameters, decoded, in their order.
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The last value of a parameter.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn hour(&self, name: &'static str) -> Result<Hour, FieldError> {
        let text = self.last(name).ok_or_else(|| FieldError::missing(name))?;
        text.parse().map_err(|_| FieldError::value(name, text, "expected an hour of the form 2025-05-18-13"))
    }
}

/// The longest range that one request may ask for, in hours: 31 days.
pub(crate) const MAX_HOURS: i64 = 744;

/// Hours, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InclusiveHours {
    pub(crate) from: Hour,
    pub(crate) to: Hour,
}

impl InclusiveHours {
    /// From `from_hour` and `to_hour`.
    ///
    /// # Errors
    /// `Invalid` with all that is wrong: absent, malformed, reversed, or longer than [`MAX_HOURS`].
    pub(crate) fn parse(params: &Params) -> Result<Self, ApiError> {
        let (from, to) = match (params.hour("from_hour"), params.hour("to_hour")) {
            (Ok(from), Ok(to)) => (from, to),
            (from, to) => return Err(ApiError::Invalid([from.err(), to.err()].into_iter().flatten().collect())),
        };
        let hours = Self { from, to };
        match hours.len() {
            ..=0 => Err(hours.refused("to_hour is before from_hour")),
            1..=MAX_HOURS => Ok(hours),
            n => Err(hours.refused(&format!("the range has {n} hours, at most {MAX_HOURS} are answered"))),
        }
    }

    /// The same hours; without the last one that has a name, in which no page can be.
    pub(crate) fn range(self) -> HourRange {
        HourRange { from: self.from, to: self.to.plus(1) }
    }

    fn len(self) -> i64 {
        self.to.count() - self.from.count() + 1
    }

    fn refused(self, why: &str) -> ApiError {
        ApiError::Invalid(vec![FieldError::value("to_hour", &self.to.to_string(), why)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_both_ends_up_to_the_last_hour_there_is() {
        let parse = |query: &str| InclusiveHours::parse(&Params::parse(query)).map(|h| h.range().len());
        assert_eq!(parse("from_hour=2025-05-18-05&to_hour=2025-05-18-05").unwrap(), 1);
        assert_eq!(parse("from_hour=2025-01-01-00&to_hour=2025-01-31-23").unwrap(), 744);
        assert_eq!(parse("from_hour=9999-12-31-22&to_hour=9999-12-31-23").unwrap(), 1);
        assert!(parse("from_hour=2025-01-01-00&to_hour=2025-02-01-00").is_err());
    }

    #[test]
    fn the_last_of_a_repeated_parameter_wins_and_bad_bytes_are_replaced() {
        let params = Params::parse("a=1&b=%FF&a=x+y%20z&c");
        assert_eq!(params.last("a"), Some("x y z"));
        assert_eq!(params.last("b"), Some("\u{fffd}"));
        assert_eq!(params.last("c"), Some(""));
        assert_eq!(params.last("d"), None);
    }
}
