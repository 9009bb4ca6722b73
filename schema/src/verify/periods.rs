//! Counts of all wikis by days, months and years, and of times without pages.
//!
//! The hours were compared with the pages; so each longer period is compared with the shorter ones that make it up.

use crate::hour::{Hour, HourRange};
use crate::period::{Period, TimeUnit};
use crate::query::{CountQuery, PageList, PageQuery, Series, TimeSpan};
use crate::store::StoreError;
use crate::verify::digest::Digests;
use crate::verify::tally::{Tally, add_people, people_differences};
use crate::verify::{Difference, Reading, Run, readable};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The series of all wikis.
const SERIES: [Series; 2] = [Series::All, Series::Domains];
/// A period and the one that makes it up.
const LEVELS: [(TimeUnit, TimeUnit); 3] =
    [(TimeUnit::Day, TimeUnit::Hour), (TimeUnit::Month, TimeUnit::Day), (TimeUnit::Year, TimeUnit::Month)];

impl Run<'_, '_> {
    pub(super) async fn check_periods(&mut self, truth: &Digests) -> Result<(), StoreError> {
        let hours: Vec<Hour> = truth.hours().collect();
        for series in &SERIES {
            for (unit, shorter) in LEVELS {
                let starts: BTreeSet<Hour> = hours.iter().map(|hour| unit.floor(*hour)).collect();
                let periods: Vec<Period> = starts.into_iter().map(|start| Period { start, unit }).collect();
                if self.check_level(series, &periods, shorter).await?.is_break() {
                    break;
                }
            }
        }
        self.check_days_of_people(&hours).await?;
        self.check_gaps(&hours).await
    }

    /// Each of the periods against the shorter ones; breaks where the store keeps none of this length.
    async fn check_level(
        &mut self,
        series: &Series,
        periods: &[Period],
        shorter: TimeUnit,
    ) -> Result<ControlFlow<()>, StoreError> {
        let span = self.span;
        for period in periods.iter().filter(|period| span.is_settled(**period)) {
            let stored = self.counts(series, period.hours(), period.unit).await?;
            if stored.longest().is_some_and(|longest| longest < period.unit) {
                return Ok(ControlFlow::Break(()));
            }
            let wanted = self.counts(series, period.hours(), shorter).await?.by(period.unit);
            if wanted != stored {
                // Pages may have come between the two.
                let wanted = self.counts(series, period.hours(), shorter).await?.by(period.unit);
                let stored = self.counts(series, period.hours(), period.unit).await?;
                self.report_all(wanted.differences(&stored, series, None));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn counts(&self, series: &Series, hours: HourRange, unit: TimeUnit) -> Result<Tally, StoreError> {
        let query = CountQuery { unit, ..CountQuery::total(series.clone(), hours) };
        Ok(Tally::of_counts(readable(self.store.counts(&query).await)?.unwrap_or_default()))
    }

    async fn check_days_of_people(&mut self, hours: &[Hour]) -> Result<(), StoreError> {
        let days: Vec<&[Hour]> = hours.chunk_by(|a, b| TimeUnit::Day.floor(*a) == TimeUnit::Day.floor(*b)).collect();
        for (n, of_day) in days.iter().enumerate() {
            // They are by far the most of what is read here.
            self.progress(Reading::Periods, n as f64 / days.len() as f64);
            let day = Period::of(TimeUnit::Day, of_day[0]);
            if !self.span.is_settled(day) {
                continue;
            }
            let mut found = self.day_differences(day).await?;
            if !found.is_empty() {
                found = self.day_differences(day).await?;
            }
            self.report_all(found);
        }
        Ok(())
    }

    async fn day_differences(&self, day: Period) -> Result<Vec<Difference>, StoreError> {
        let (mut wanted, mut stored) = (BTreeMap::new(), BTreeMap::new());
        for start in day.hours().hours() {
            add_people(&mut wanted, readable(self.store.user_counts(Period { start, unit: TimeUnit::Hour }).await)?);
        }
        add_people(&mut stored, readable(self.store.user_counts(day).await)?);
        Ok(people_differences(day, &wanted, &stored))
    }

    /// Between the hours that have pages nothing is counted, whatever the length of period.
    async fn check_gaps(&mut self, hours: &[Hour]) -> Result<(), StoreError> {
        for unit in TimeUnit::LONGEST_FIRST {
            for gap in gaps(self.span.from, hours, unit) {
                for series in &SERIES {
                    let stored = self.counts(series, gap, unit).await?;
                    let found = Tally::default().differences(&stored, series, self.span.until.map(|until| until.end));
                    // An hour that had its first page meanwhile is no gap any more.
                    for difference in found {
                        if self.is_still_gap(&difference).await? {
                            self.report(&difference);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn is_still_gap(&self, difference: &Difference) -> Result<bool, StoreError> {
        let Difference::Count { count, .. } = difference else { return Ok(true) };
        let during = TimeSpan::of_hours(count.period.hours());
        let query = PageQuery { during, ..PageQuery::newest(PageList::All, 1) };
        Ok(readable(self.store.list_pages(&query).await)?.pages.is_empty())
    }
}

/// The whole periods of a length from `first` on between those in which there are pages.
fn gaps(first: Hour, hours: &[Hour], unit: TimeUnit) -> Vec<HourRange> {
    let mut from = unit.ceil(first);
    let mut gaps = Vec::new();
    for hour in hours {
        let gap = HourRange { from, to: unit.floor(*hour) };
        gaps.extend((!gap.is_empty()).then_some(gap));
        from = from.max(unit.after(*hour));
    }
    let last = HourRange { from, to: Hour::MAX };
    gaps.extend((!last.is_empty()).then_some(last));
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_whole_periods_without_pages() {
        let hours: Vec<Hour> = ["2025-05-18-13", "2025-05-18-14", "2025-05-20-00"].map(|h| h.parse().unwrap()).into();
        let shown = |unit| {
            gaps(Hour::MIN, &hours, unit).iter().map(|gap| format!("{}..{}", gap.from, gap.to)).collect::<Vec<_>>()
        };
        let (first, last) = (Hour::MIN, Hour::MAX);
        assert_eq!(
            shown(TimeUnit::Hour),
            [
                format!("{first}..2025-05-18-13"),
                "2025-05-18-15..2025-05-20-00".into(),
                format!("2025-05-20-01..{last}")
            ]
        );
        assert_eq!(
            shown(TimeUnit::Day),
            [
                format!("{first}..2025-05-18-00"),
                "2025-05-19-00..2025-05-20-00".into(),
                format!("2025-05-21-00..{last}")
            ]
        );
        assert_eq!(shown(TimeUnit::Year), [format!("{first}..2025-01-01-00"), format!("2026-01-01-00..{last}")]);
    }
}
