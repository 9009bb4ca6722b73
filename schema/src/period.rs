//! Whole hours, days, months and years in UTC, and the fewest of them that make up a range of hours. Pure.

use crate::hour::{Hour, HourRange};
use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// Length of a period, in UTC. The shorter ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
    /// From one first of January to the next.
    Year,
}

impl TimeUnit {
    /// All of them, the longest first.
    pub const LONGEST_FIRST: [TimeUnit; 4] = [TimeUnit::Year, TimeUnit::Month, TimeUnit::Day, TimeUnit::Hour];

    /// The next longer length.
    pub fn longer(self) -> Option<Self> {
        match self {
            Self::Hour => Some(Self::Day),
            Self::Day => Some(Self::Month),
            Self::Month => Some(Self::Year),
            Self::Year => None,
        }
    }

    /// The next shorter length.
    pub fn shorter(self) -> Option<Self> {
        Self::LONGEST_FIRST.into_iter().find(|unit| unit.longer() == Some(self))
    }

    /// The first hour of the period of this length in which `hour` lies.
    pub fn floor(self, hour: Hour) -> Hour {
        let day = hour.start().date_naive();
        match self {
            Self::Hour => hour,
            Self::Day => Hour::from_count(hour.count().div_euclid(24) * 24),
            Self::Month => first_hour_of(day.with_day(1)),
            Self::Year => first_hour_of(NaiveDate::from_ymd_opt(day.year(), 1, 1)),
        }
    }

    /// The first hour of the period after the one in which `hour` lies; the last hour there is where none follows.
    pub fn after(self, hour: Hour) -> Hour {
        // Longer than any period of the unit, shorter than two.
        let beyond = match self {
            Self::Hour => return hour.plus(1),
            Self::Day => 24,
            Self::Month => 31 * 24,
            Self::Year => 366 * 24,
        };
        let next = self.floor(hour).plus(beyond);
        if next == Hour::MAX { next } else { self.floor(next) }
    }

    /// The first hour at or behind `hour` with which a period of this length begins.
    pub(crate) fn ceil(self, hour: Hour) -> Hour {
        if self.floor(hour) == hour { hour } else { self.after(hour) }
    }
}

fn first_hour_of(day: Option<NaiveDate>) -> Hour {
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0)).expect("the first of a month is a day");
    Hour::of(midnight.and_utc())
}

/// One whole hour, day, month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// Its first hour.
    pub start: Hour,
    /// Its length.
    pub unit: TimeUnit,
}

impl Period {
    /// The period of this length in which `hour` lies.
    pub fn of(unit: TimeUnit, hour: Hour) -> Self {
        Self { start: unit.floor(hour), unit }
    }

    /// Its hours.
    pub fn hours(self) -> HourRange {
        HourRange { from: self.start, to: self.unit.after(self.start) }
    }

    /// The longer period in which it lies.
    pub fn longer(self) -> Option<Self> {
        Some(Self::of(self.unit.longer()?, self.start))
    }

    /// The periods of which it is made; none for an hour.
    pub fn parts(self) -> Option<PeriodRange> {
        Some(PeriodRange { unit: self.unit.shorter()?, hours: self.hours() })
    }

    /// Whether all of it lies before `now`.
    pub fn is_over(self, now: DateTime<Utc>) -> bool {
        self.hours().to <= Hour::of(now)
    }
}

/// Whole periods of one length, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PeriodRange {
    /// Their length.
    pub unit: TimeUnit,
    /// Their hours.
    pub hours: HourRange,
}

impl PeriodRange {
    /// The fewest periods of this length that hold `hours`.
    pub fn holding(unit: TimeUnit, hours: HourRange) -> Self {
        Self { unit, hours: HourRange { from: unit.floor(hours.from), to: unit.ceil(hours.to) } }
    }

    /// The periods, oldest first.
    pub fn periods(self) -> impl Iterator<Item = Period> {
        let mut start = self.hours.from;
        std::iter::from_fn(move || {
            let period = (start < self.hours.to).then_some(Period { start, unit: self.unit })?;
            start = self.unit.after(start);
            Some(period)
        })
    }
}

/// The fewest whole periods of these lengths that make up `hours`, oldest first, those of one length put together.
///
/// `units` go from the longest to the shortest, which is the hour.
pub fn cover(hours: HourRange, units: &[TimeUnit]) -> Vec<PeriodRange> {
    let mut found = Vec::new();
    add_cover(hours, units, &mut found);
    found
}

fn add_cover(hours: HourRange, units: &[TimeUnit], found: &mut Vec<PeriodRange>) {
    let Some((unit, shorter)) = units.split_first().filter(|_| !hours.is_empty()) else { return };
    let whole = HourRange { from: unit.ceil(hours.from), to: unit.floor(hours.to) };
    if whole.is_empty() {
        return add_cover(hours, shorter, found);
    }
    add_cover(HourRange { from: hours.from, to: whole.from }, shorter, found);
    found.push(PeriodRange { unit: *unit, hours: whole });
    add_cover(HourRange { from: whole.to, to: hours.to }, shorter, found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    fn check_cover(from: &str, to: &str, expect: &[&str]) {
        let parts = cover(HourRange { from: hour(from), to: hour(to) }, &TimeUnit::LONGEST_FIRST);
        let shown: Vec<_> = parts.iter().map(|p| format!("{:?} {}..{}", p.unit, p.hours.from, p.hours.to)).collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn a_range_is_made_of_the_longest_periods() {
        check_cover("2025-05-18-13", "2025-05-18-15", &["Hour 2025-05-18-13..2025-05-18-15"]);
        check_cover("2025-05-18-00", "2025-05-19-00", &["Day 2025-05-18-00..2025-05-19-00"]);
        check_cover("2024-02-01-00", "2024-03-01-00", &["Month 2024-02-01-00..2024-03-01-00"]);
        check_cover(
            "2023-12-30-22",
            "2026-02-02-01",
            &[
                "Hour 2023-12-30-22..2023-12-31-00",
                "Day 2023-12-31-00..2024-01-01-00",
                "Year 2024-01-01-00..2026-01-01-00",
                "Month 2026-01-01-00..2026-02-01-00",
                "Day 2026-02-01-00..2026-02-02-00",
                "Hour 2026-02-02-00..2026-02-02-01",
            ],
        );
        check_cover("2025-05-18-13", "2025-05-18-13", &[]);
    }

    #[test]
    fn all_hours_are_few_ranges() {
        let parts = cover(HourRange::ALL, &TimeUnit::LONGEST_FIRST);
        assert_eq!(parts.iter().map(|p| p.unit).collect::<Vec<_>>(), TimeUnit::LONGEST_FIRST);
        assert_eq!((parts[0].hours.from, parts[3].hours.to), (Hour::MIN, Hour::MAX));
    }

    #[test]
    fn the_last_period_ends_with_the_hours() {
        for unit in TimeUnit::LONGEST_FIRST {
            let period = Period::of(unit, Hour::MAX);
            assert!(period.start <= Hour::MAX && period.hours().to == Hour::MAX, "{unit:?}");
        }
    }

    fn check_holding(unit: TimeUnit, from: &str, to: &str, expect: &str) {
        let found = PeriodRange::holding(unit, HourRange { from: hour(from), to: hour(to) }).hours;
        assert_eq!(format!("{} {}", found.from, found.to), expect, "{unit:?} {from} {to}");
    }

    #[test]
    fn a_range_is_widened_to_whole_periods() {
        check_holding(TimeUnit::Hour, "2025-05-18-13", "2025-05-18-15", "2025-05-18-13 2025-05-18-15");
        check_holding(TimeUnit::Day, "2025-05-18-13", "2025-05-18-15", "2025-05-18-00 2025-05-19-00");
        check_holding(TimeUnit::Day, "2024-02-28-00", "2024-03-01-00", "2024-02-28-00 2024-03-01-00");
        check_holding(TimeUnit::Month, "2024-02-29-23", "2024-03-01-00", "2024-02-01-00 2024-03-01-00");
        check_holding(TimeUnit::Month, "2023-12-31-23", "2024-01-01-01", "2023-12-01-00 2024-02-01-00");
        check_holding(TimeUnit::Month, "9999-12-31-01", "9999-12-31-23", "9999-12-01-00 9999-12-31-23");
    }

    proptest! {
        #[test]
        fn each_hour_is_covered_once(from in 0..600_000i64, len in 0..40_000i64, skip in 0..4usize) {
            let hours = HourRange { from: Hour::from_count(from), to: Hour::from_count(from + len) };
            let parts = cover(hours, &TimeUnit::LONGEST_FIRST[skip..]);
            let mut at = hours.from;
            for part in &parts {
                prop_assert_eq!(part.hours.from, at);
                prop_assert!(!part.hours.is_empty());
                prop_assert_eq!((part.unit.floor(part.hours.from), part.unit.floor(part.hours.to)), (part.hours.from, part.hours.to));
                let periods: Vec<_> = part.periods().collect();
                prop_assert_eq!(periods[0].start, part.hours.from);
                prop_assert_eq!(periods[periods.len() - 1].hours().to, part.hours.to);
                at = part.hours.to;
            }
            prop_assert_eq!(at, hours.to);
            if skip == 0 {
                // Years, and at each end less than a year of months, a month of days, a day of hours.
                let short = |unit| parts.iter().filter(|p| p.unit == unit).map(|p| p.periods().count()).sum::<usize>();
                prop_assert!(short(TimeUnit::Month) <= 22 && short(TimeUnit::Day) <= 60 && short(TimeUnit::Hour) <= 46);
            }
        }
    }
}
