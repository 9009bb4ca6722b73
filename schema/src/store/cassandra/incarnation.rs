//! Whoever marks: its numbers, and which minutes of an hour they stand for.

use crate::hour::Hour;
use chrono::{DateTime, Timelike, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// Minutes of an hour that are told apart.
const MOST_MINUTES: usize = 8;
/// Hours whose minutes are remembered.
const MOST_HOURS: usize = 64;

/// A minute of its hour, from 0.
pub(super) type Minute = i8;

/// The minute in which something was created.
pub(super) fn minute_of(time: DateTime<Utc>) -> Minute {
    Minute::try_from(time.minute()).expect("an hour has 60 minutes")
}

/// Whoever marks: a random name, and the number of its last mark.
pub(super) struct Incarnation {
    pub(super) name: i64,
    numbered: Mutex<Numbered>,
}

#[derive(Default)]
struct Numbered {
    last: i64,
    hours: HashMap<Hour, Touched>,
}

/// What of an hour is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Rows were written that were created in these minutes.
    Minutes(BTreeSet<Minute>),
    /// Anything may have changed.
    Whole,
}

/// What an incarnation knows of the minutes to which it wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Behind this number it knows of each.
    pub(super) since: i64,
    /// The last number of each minute.
    pub(super) minutes: BTreeMap<Minute, i64>,
}

impl Touched {
    /// The minutes with numbers behind `number`; none where it does not know of all.
    pub(super) fn behind(&self, number: i64) -> Option<BTreeSet<Minute>> {
        let behind = self.minutes.iter().filter(|(_, last)| **last > number).map(|(minute, _)| *minute);
        (self.since <= number).then(|| behind.collect())
    }

    fn touch(&mut self, minutes: &BTreeSet<Minute>, number: i64) {
        self.minutes.extend(minutes.iter().map(|minute| (*minute, number)));
        while self.minutes.len() > MOST_MINUTES {
            let Some((minute, oldest)) =
                self.minutes.iter().map(|(minute, last)| (*minute, *last)).min_by_key(|it| it.1)
            else {
                return;
            };
            self.minutes.remove(&minute);
            self.since = self.since.max(oldest);
        }
    }

    fn last(&self) -> i64 {
        self.minutes.values().copied().max().unwrap_or(self.since)
    }
}

impl Incarnation {
    /// A new one: what an earlier process had in flight must not be mistaken for ours.
    pub(super) fn random() -> Self {
        Self { name: rand::random(), numbered: Mutex::default() }
    }

    /// The next number, for a mark of a longer period.
    pub(super) fn next_number(&self) -> i64 {
        let mut numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
        numbered.last += 1;
        numbered.last
    }

    /// The next number, for a mark of an hour of which this part was written. What it knows then is of this and all
    /// numbers before.
    pub(super) fn touch(&self, hour: Hour, part: &Part) -> (i64, Touched) {
        let mut numbered = self.numbered.lock().unwrap_or_else(PoisonError::into_inner);
        let before = numbered.last;
        let number = before + 1;
        numbered.last = number;
        let Part::Minutes(minutes) = part else {
            numbered.hours.remove(&hour);
            return (number, Touched { since: number, minutes: BTreeMap::new() });
        };
        // Of an hour that it does not remember it may have forgotten what it wrote before.
        let touched = numbered.hours.entry(hour).or_insert_with(|| Touched { since: before, ..Touched::default() });
        touched.touch(minutes, number);
        let touched = touched.clone();
        if numbered.hours.len() > MOST_HOURS {
            let oldest = numbered.hours.iter().min_by_key(|(_, touched)| touched.last()).map(|(hour, _)| *hour);
            oldest.and_then(|hour| numbered.hours.remove(&hour));
        }
        (number, touched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_part() -> impl Strategy<Value = Part> {
        let minutes = proptest::collection::btree_set(0..60i8, 0..5).prop_map(Part::Minutes);
        prop_oneof![9 => minutes, 1 => Just(Part::Whole)]
    }

    proptest! {
        /// Whatever was marked in whichever order: what a mark says of the numbers behind another one is all of it.
        #[test]
        fn a_mark_knows_all_minutes_behind_a_number_or_says_that_it_does_not(
            marks in proptest::collection::vec((0..70i64, a_part()), 1..120),
        ) {
            let incarnation = Incarnation::random();
            let first: Hour = "2025-05-18-10".parse().expect("an hour");
            let mut known = Vec::new();
            for (hour, part) in marks {
                // Most of them are of few hours.
                let hour = first.plus(if hour < 60 { hour % 3 } else { hour });
                let (number, touched) = incarnation.touch(hour, &part);
                known.push((hour, number, part));
                for read in 0..number {
                    let behind: Vec<&Part> =
                        known.iter().filter(|(of, at, _)| *of == hour && *at > read).map(|(.., part)| part).collect();
                    let Some(told) = touched.behind(read) else { continue };
                    for part in behind {
                        let Part::Minutes(minutes) = part else { panic!("all of the hour was marked behind {read}") };
                        prop_assert!(minutes.is_subset(&told), "{minutes:?} of {told:?} behind {read}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_comes_minute_by_minute_is_known_from_the_first_number_on() {
        let incarnation = Incarnation::random();
        let hour: Hour = "2025-05-18-10".parse().unwrap();
        let minute = |minute| Part::Minutes(BTreeSet::from([minute]));
        let (number, touched) = incarnation.touch(hour, &minute(7));
        assert_eq!((number, touched.behind(0)), (1, Some(BTreeSet::from([7]))), "nothing was forgotten yet");
        for next in 8..=15 {
            incarnation.touch(hour, &minute(next));
        }
        let (number, touched) = incarnation.touch(hour, &minute(15));
        assert_eq!((number, touched.behind(8)), (10, Some(BTreeSet::from([15]))));
        assert_eq!(touched.behind(0), None, "minute 7 is forgotten");
        assert_eq!(touched.behind(1).map(|minutes| minutes.len()), Some(8), "but known to be that of number 1");
    }
}
