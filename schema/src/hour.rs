//! Whole UTC hours, as the tables and the REST API name them: `2025-05-18-13`.

use crate::page::ParseError;
use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One UTC hour between the years 1970 and 9999, counted since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour(i64);

impl Hour {
    /// The last hour that has a name of four year digits.
    pub const MAX: Hour = Hour(70_389_527);
    /// The first hour.
    pub const MIN: Hour = Hour(0);

    /// A time from seconds since 1970, where it lies in an hour that has a name: what is before and behind such a time
    /// is a time, too.
    pub fn time_within(seconds: i64) -> Option<DateTime<Utc>> {
        let is_within = (Self::MIN.0 * 3600..(Self::MAX.0 + 1) * 3600).contains(&seconds);
        Utc.timestamp_opt(seconds, 0).single().filter(|_| is_within)
    }

    /// The hour in which `time` lies; times out of range give the nearest hour.
    pub fn of(time: DateTime<Utc>) -> Self {
        Self::from_count(time.timestamp().div_euclid(3600))
    }

    /// From hours since 1970; out of range gives the nearest hour.
    pub fn from_count(count: i64) -> Self {
        Self(count.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Hours since 1970.
    pub fn count(self) -> i64 {
        self.0
    }

    /// The hour's first instant.
    pub fn start(self) -> DateTime<Utc> {
        Utc.timestamp_opt(self.0 * 3600, 0).single().expect("every hour from 1970 to 9999 is a time")
    }

    /// The first instant after the hour.
    pub fn end(self) -> DateTime<Utc> {
        self.start() + chrono::TimeDelta::hours(1)
    }

    /// The hour `by` hours later; negative is earlier. Saturates at the ends.
    pub fn plus(self, by: i64) -> Self {
        Self::from_count(self.0.saturating_add(by))
    }
}

impl FromStr for Hour {
    type Err = ParseError;

    /// Accepts exactly `YYYY-MM-DD-HH`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("hour", text, "of the form 2025-05-18-13");
        let b = text.as_bytes();
        let shaped = b.len() == 13
            && b.iter().enumerate().all(|(i, c)| if matches!(i, 4 | 7 | 10) { *c == b'-' } else { c.is_ascii_digit() });
        if !shaped {
            return Err(error());
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().map_err(|_| error());
        let year = i32::try_from(number(0..4)?).map_err(|_| error())?;
        let time = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)
            .and_then(|day| day.and_hms_opt(number(11..13).ok()?, 0, 0))
            .ok_or_else(error)?
            .and_utc();
        if time.timestamp() < 0 { Err(error()) } else { Ok(Self::of(time)) }
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.start().format("%Y-%m-%d-%H").fmt(f)
    }
}

impl TryFrom<String> for Hour {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

/// Consecutive hours, the first included, the last not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HourRange {
    /// Included.
    pub from: Hour,
    /// Not included; at or before `from` the range is empty.
    pub to: Hour,
}

impl HourRange {
    /// The one hour.
    pub fn of(hour: Hour) -> Self {
        Self { from: hour, to: hour.plus(1) }
    }

    /// What it has in common with another.
    pub fn overlap(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// All hours that there are.
    pub const ALL: HourRange = HourRange { from: Hour::MIN, to: Hour::MAX };

    /// The hours of the range, oldest first.
    pub fn hours(self) -> impl DoubleEndedIterator<Item = Hour> + ExactSizeIterator {
        (0..self.len()).map(move |i| self.from.plus(i64::try_from(i).unwrap_or(i64::MAX)))
    }

    /// How many hours it has.
    pub fn len(self) -> usize {
        usize::try_from(self.to.0.saturating_sub(self.from.0)).unwrap_or(0)
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// Whether `hour` is one of them.
    pub fn contains(self, hour: Hour) -> bool {
        self.from <= hour && hour < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_times_agree() {
        let hour: Hour = "2025-05-18-13".parse().unwrap();
        assert_eq!(hour.to_string(), "2025-05-18-13");
        assert_eq!(hour.start().to_rfc3339(), "2025-05-18T13:00:00+00:00");
        assert_eq!(Hour::of(hour.end()), hour.plus(1));
        assert_eq!(Hour::of(hour.end() - chrono::TimeDelta::seconds(1)), hour);
        assert_eq!(Hour::MAX.to_string(), "9999-12-31-23");
    }

    #[test]
    fn times_beyond_the_named_hours_are_refused() {
        let last = Hour::MAX.start().timestamp() + 3_599;
        for bad in [-1, last + 1, 8_210_266_876_799, i64::MIN, i64::MAX] {
            assert_eq!(Hour::time_within(bad), None, "{bad}");
        }
        assert_eq!(Hour::time_within(last).map(Hour::of), Some(Hour::MAX));
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in [
            "",
            "2025-05-18",
            "2025-05-18-24",
            "2025-02-29-00",
            "2025-5-18-01",
            "2025-05-18-1",
            "+025-05-18-01",
            "1969-12-31-23",
            "2025-05-18T13",
        ] {
            assert!(bad.parse::<Hour>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ranges_hold_their_start_and_not_their_end() {
        let from: Hour = "2024-02-28-23".parse().unwrap();
        let range = HourRange { from, to: from.plus(3) };
        let names: Vec<_> = range.hours().map(|h| h.to_string()).collect();
        assert_eq!(names, ["2024-02-28-23", "2024-02-29-00", "2024-02-29-01"]);
        assert!(!range.contains(range.to) && range.contains(from));
        assert!(HourRange { from, to: from.plus(-1) }.is_empty());
    }
}
