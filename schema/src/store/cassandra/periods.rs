//! Periods as the tables of counts name them, and the shelves on which these stand. Pure.

use crate::page::ParseError;
use crate::period::{Period, PeriodRange, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::errors::of_value;

/// The first hour of a period whose name ends before it: `2025` is `2025-01-01-00`.
const FIRST: &str = "0000-01-01-00";

/// How much of its first hour's name tells a period.
fn name_len(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Year => 4,
        TimeUnit::Month => 7,
        TimeUnit::Day => 10,
        TimeUnit::Hour => 13,
    }
}

/// A period's name: the front of its first hour's.
pub(super) fn name_of(period: Period) -> String {
    let mut name = period.start.to_string();
    name.truncate(name_len(period.unit));
    name
}

/// The period of a name.
pub(super) fn parse_name(name: &str) -> Result<Period, StoreError> {
    let unit = TimeUnit::LONGEST_FIRST.into_iter().find(|unit| name_len(*unit) == name.len());
    let unit =
        unit.ok_or_else(|| of_value(ParseError::new("period", name, "of the form 2025-05-18-13 or its front")))?;
    let start = format!("{name}{}", FIRST.get(name.len()..).unwrap_or_default()).parse().map_err(of_value)?;
    Ok(Period { start, unit })
}

/// The shelf of a period: all hours of its month, all days of its year, all months, all years.
pub(super) fn shelf_of(period: Period) -> String {
    match period.unit {
        TimeUnit::Hour => name_of(Period::of(TimeUnit::Month, period.start)),
        TimeUnit::Day => name_of(Period::of(TimeUnit::Year, period.start)),
        TimeUnit::Month => "months".into(),
        TimeUnit::Year => "years".into(),
    }
}

/// The shelf of a period's head: those of a year's hours stand together, for a head is small, and a reader looks for those
/// that there are in all that no longer period covers.
pub(super) fn head_shelf_of(period: Period) -> String {
    match period.unit {
        TimeUnit::Hour => format!("hours of {}", name_of(Period::of(TimeUnit::Year, period.start))),
        TimeUnit::Day | TimeUnit::Month | TimeUnit::Year => shelf_of(period),
    }
}

/// All shelves of periods of this length in these years.
pub(super) fn shelves_of(unit: TimeUnit, years: &[Period]) -> Vec<String> {
    match unit {
        TimeUnit::Hour => {
            let months = |year: &Period| PeriodRange { unit: TimeUnit::Month, hours: year.hours() }.periods();
            years.iter().flat_map(months).map(name_of).collect()
        }
        TimeUnit::Day => years.iter().copied().map(name_of).collect(),
        TimeUnit::Month | TimeUnit::Year => vec![shelf_of(Period { unit, ..years_first(years) })],
    }
}

fn years_first(years: &[Period]) -> Period {
    years.first().copied().unwrap_or(Period { start: crate::hour::Hour::MIN, unit: TimeUnit::Year })
}

/// A range of periods on one shelf, as statements bind it: from a name, and up to one that is not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OnShelf {
    pub(super) shelf: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// Cuts a range by shelves. Hours and days must lie in few years.
pub(super) fn on_shelves(range: PeriodRange) -> Vec<OnShelf> {
    let shelf_unit = match range.unit {
        TimeUnit::Hour => Some(TimeUnit::Month),
        TimeUnit::Day => Some(TimeUnit::Year),
        TimeUnit::Month | TimeUnit::Year => None,
    };
    cut(range, shelf_unit, shelf_of)
}

/// As [`on_shelves`], for heads.
pub(super) fn on_head_shelves(range: PeriodRange) -> Vec<OnShelf> {
    let shelf_unit = (range.unit < TimeUnit::Month).then_some(TimeUnit::Year);
    cut(range, shelf_unit, head_shelf_of)
}

fn cut(range: PeriodRange, shelf_unit: Option<TimeUnit>, shelf_of: fn(Period) -> String) -> Vec<OnShelf> {
    let mut found = Vec::new();
    let mut from = range.hours.from;
    while from < range.hours.to {
        let end = shelf_unit.map_or(range.hours.to, |unit| unit.after(from).min(range.hours.to));
        let name = |start| name_of(Period { start, unit: range.unit });
        let shelf = shelf_of(Period { start: from, unit: range.unit });
        found.push(OnShelf { shelf, from: name(from), to: name(end) });
        from = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hour::HourRange;

    fn period(name: &str) -> Period {
        parse_name(name).unwrap()
    }

    #[test]
    fn names_give_their_periods_back() {
        for (name, shelf, longer_name) in [
            ("2025-05-18-13", "2025-05", Some("2025-05-18")),
            ("2025-05-18", "2025", Some("2025-05")),
            ("2025-05", "months", Some("2025")),
            ("2025", "years", None),
        ] {
            assert_eq!(name_of(period(name)), name);
            assert_eq!(shelf_of(period(name)), shelf);
            assert_eq!(period(name).longer().map(name_of).as_deref(), longer_name);
        }
        for bad in ["", "20", "2025-5", "2025-13", "2025-05-1x", "2025-05-18-24", "ü25"] {
            assert!(parse_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_range_is_cut_by_shelves() {
        let check = |unit, from: &str, to: &str, expect: &[[&str; 3]]| {
            let hours = HourRange { from: period(from).start, to: period(to).start };
            let cut = on_shelves(PeriodRange { unit, hours });
            let cut: Vec<_> = cut.iter().map(|s| [s.shelf.as_str(), &s.from, &s.to]).collect();
            assert_eq!(cut, expect);
        };
        check(
            TimeUnit::Hour,
            "2024-02-29-22",
            "2024-03-01-02",
            &[["2024-02", "2024-02-29-22", "2024-03-01-00"], ["2024-03", "2024-03-01-00", "2024-03-01-02"]],
        );
        check(
            TimeUnit::Day,
            "2024-12-31",
            "2025-01-02",
            &[["2024", "2024-12-31", "2025-01-01"], ["2025", "2025-01-01", "2025-01-02"]],
        );
        let hours = HourRange { from: period("2024-02-29-22").start, to: period("2024-03-01-02").start };
        let heads = on_head_shelves(PeriodRange { unit: TimeUnit::Hour, hours });
        assert_eq!(heads.len(), 1);
        assert_eq!(heads[0].shelf, "hours of 2024");
        check(TimeUnit::Month, "2024-12", "2026-01", &[["months", "2024-12", "2026-01"]]);
        check(TimeUnit::Year, "2024", "2024", &[]);
    }

    #[test]
    fn the_shelves_of_years_are_listed() {
        let years = [period("2024"), period("2025")];
        assert_eq!(shelves_of(TimeUnit::Hour, &years).len(), 24);
        assert_eq!(shelves_of(TimeUnit::Day, &years), ["2024", "2025"]);
        assert_eq!(shelves_of(TimeUnit::Month, &years), ["months"]);
        assert_eq!(shelves_of(TimeUnit::Year, &years), ["years"]);
    }
}
