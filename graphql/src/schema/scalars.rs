//! The scalars: times, hours, addresses.

use super::errors::{ApiError, bad_input};
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schema::hour::Hour;
use schema::page::Domain;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

/// RFC 3339 in UTC, whole seconds: `2025-05-18T08:03:14Z`. Any offset is accepted as input.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.with_timezone(&Utc)))
            .map_err(|_| InputValueError::custom("not a time like 2025-05-18T08:03:14Z"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Time {
    /// The first whole second at or after this time: pages are dated in whole seconds.
    pub(crate) fn next_second(self) -> DateTime<Utc> {
        let rest = TimeDelta::nanoseconds(i64::from(self.0.timestamp_subsec_nanos()));
        if rest.is_zero() { self.0 } else { self.0 - rest + TimeDelta::seconds(1) }
    }
}

/// A whole hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourName(pub(crate) Hour);

/// One UTC hour by name, as in the table and the REST API: `2025-05-18-13`.
#[Scalar(name = "Hour")]
impl ScalarType for HourName {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse().map(Self).map_err(|_| InputValueError::custom("not an hour like 2025-05-18-13"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An address that is safe as a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url(String);

/// An absolute https address, percent-encoded: `https://it.wikisource.org/wiki/Pi%C3%B9`; safe as a link.
#[Scalar(specified_by_url = "https://url.spec.whatwg.org/")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if text.starts_with("https://") => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// What MediaWiki leaves readable in the path of a page.
const TITLE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b':');

impl Url {
    /// The wiki itself.
    pub(crate) fn of_wiki(domain: &Domain) -> Self {
        Self(format!("https://{domain}/"))
    }

    /// A page by its full title.
    pub(crate) fn of_title(domain: &Domain, title: &str) -> Self {
        let title = title.replace(' ', "_");
        // Browsers walk up at a segment of dots, encoded or not; MediaWiki makes no such titles, strangers may.
        let path = if title.split('/').any(|part| matches!(part, "." | "..")) { "w/index.php?title=" } else { "wiki/" };
        Self(format!("https://{domain}/{path}{}", utf8_percent_encode(&title, TITLE)))
    }
}

/// Items of a ranking, which has no pages to leaf through.
const MAX_RANKING: usize = 100;

/// A count as GraphQL's 32 bits hold it; the largest where it does not fit.
pub(crate) fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A list's size as asked: 1 to `max`.
///
/// # Errors
/// `BAD_USER_INPUT` for any other number.
pub(crate) fn list_size(name: &str, asked: Option<i32>, default: usize, max: usize) -> Result<usize, ApiError> {
    let Some(asked) = asked else { return Ok(default.min(max)) };
    usize::try_from(asked)
        .ok()
        .filter(|size| (1..=max).contains(size))
        .ok_or_else(|| bad_input(format!("{name} must be 1 to {max}, not {asked}")))
}

/// A ranking's size as asked: 1 to 100.
///
/// # Errors
/// `BAD_USER_INPUT` for any other number.
pub(crate) fn ranking_size(asked: i32) -> Result<usize, ApiError> {
    list_size("limit", Some(asked), MAX_RANKING, MAX_RANKING)
}
