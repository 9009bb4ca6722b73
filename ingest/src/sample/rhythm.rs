//! The day's rhythm: more pages in the afternoon and evening of Europe than in its night. Pure.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

const MINUTES: usize = 24 * 60;

/// A day that ends at a given instant, by how much of its work is done.
#[derive(Debug)]
pub(super) struct Day {
    start: DateTime<Utc>,
    /// Share of the work done at the end of each minute; the last is 1.
    done: Vec<f64>,
}

impl Day {
    pub(super) fn before(end: DateTime<Utc>) -> Self {
        let start = end - TimeDelta::days(1);
        let first = start.num_seconds_from_midnight() / 60;
        let mut sum = 0.0;
        let sums = (0..1440u32).map(|minute| {
            sum += pace(f64::from((first + minute) % 1440));
            sum
        });
        let sums: Vec<f64> = sums.collect();
        Self { start, done: sums.iter().map(|part| part / sum).collect() }
    }

    /// When so much of the day's work is done, 0 to 1: whole seconds, never after the end.
    pub(super) fn at(&self, share: f64) -> DateTime<Utc> {
        let minute = self.done.partition_point(|done| *done < share).min(MINUTES - 1);
        let before = if minute == 0 { 0.0 } else { self.done[minute - 1] };
        let part = ((share - before) / (self.done[minute] - before)).clamp(0.0, 1.0);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most 86,400")]
        let seconds = ((minute as f64 + part) * 60.0) as i64;
        self.start + TimeDelta::seconds(seconds)
    }
}

/// Pages per minute relative to the mean, at a minute of the day: highest at 17 h UTC.
fn pace(minute: f64) -> f64 {
    1.0 + 0.4 * ((minute - 11.0 * 60.0) / 1440.0 * std::f64::consts::TAU).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_runs_from_its_start_to_its_end() {
        let end = DateTime::from_timestamp(1_768_000_123, 0).unwrap();
        let day = Day::before(end);
        assert_eq!(day.at(0.0), end - TimeDelta::days(1));
        assert_eq!(day.at(1.0), end);
        let times: Vec<_> = (0..=1000).map(|i| day.at(f64::from(i) / 1000.0)).collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn evenings_are_busier_than_nights() {
        let day = Day::before(DateTime::from_timestamp(1_768_003_200, 0).unwrap());
        let hours: Vec<_> = (0..1000).map(|i| day.at(f64::from(i) / 1000.0).hour()).collect();
        let count = |from, to| hours.iter().filter(|hour| (from..to).contains(*hour)).count();
        assert!(count(14, 20) * 10 > count(2, 8) * 15, "{} and {}", count(14, 20), count(2, 8));
    }
}
