//! What was counted of hours lately: who counts one again reads only the minutes that were written to since.
//!
//! A tally is good for as long as the head names the generation that was made of it. Then nobody else has taken marks away,
//! and all that was written since is still marked or was counted here: of each incarnation up to the number that was read.

use crate::hour::Hour;
use crate::query::UserCount;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::incarnation::Minute;
use crate::store::cassandra::marks::Mark;
use crate::store::cassandra::tally::HourTally;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// Counts held for all hours together: some 20 MB, and at most as much again for what their generations hold.
const MOST_COUNTS: usize = 100_000;
/// Hours of which tallies are held.
const MOST_HOURS: usize = 8;
/// Incarnations that one tally knows of.
const MOST_INCARNATIONS: usize = 64;

/// An hour's tally, and of what it is.
#[derive(Debug)]
pub(super) struct Known {
    hour: Hour,
    tally: HourTally,
    /// The generation that was made of it.
    generation: i64,
    /// What that holds, also what is 0 by now; none where it is not known.
    people: Option<Vec<UserCount>>,
    /// Whether all of the hour was read for it.
    is_whole: bool,
    /// The last number of each incarnation of which it counts all rows.
    read: HashMap<i64, i64>,
}

/// The tallies of a process.
#[derive(Debug, Default)]
pub(super) struct Tallies(Mutex<Vec<Known>>);

impl Known {
    /// Counts an hour: all of it, or where it is known already what its marks say.
    pub(super) async fn count(
        store: &CassandraStore,
        hour: Hour,
        before: Option<&Head>,
        marks: &[Mark],
    ) -> Result<Self, StoreError> {
        let known = store.sealer.tallies.take(hour).filter(|known| known.is_of(before));
        let counted = match known.and_then(|known| Some((known.minutes_behind(marks)?, known))) {
            Some((minutes, mut known)) => {
                known.tally.count_again(store, hour, &minutes).await?;
                Self { is_whole: false, ..known }
            }
            None => {
                let tally = HourTally::of_hour(store, hour).await?;
                Self { hour, tally, generation: 0, people: None, is_whole: true, read: HashMap::new() }
            }
        };
        Ok(counted.with_read(marks))
    }

    fn is_of(&self, before: Option<&Head>) -> bool {
        before.is_some_and(|head| head.generation == self.generation)
    }

    /// The minutes that were written to since; none where some mark does not know of all.
    fn minutes_behind(&self, marks: &[Mark]) -> Option<BTreeSet<Minute>> {
        let mut minutes = BTreeSet::new();
        for mark in marks {
            let read = self.read.get(&mark.incarnation).copied().unwrap_or_default();
            minutes.extend(mark.touched.as_ref()?.behind(read)?);
        }
        Some(minutes)
    }

    fn with_read(mut self, marks: &[Mark]) -> Self {
        for mark in marks {
            let read = self.read.entry(mark.incarnation).or_default();
            *read = (*read).max(mark.number);
        }
        self
    }

    /// What the head's generation holds, if that is known: it need not be read.
    pub(super) fn people_before(&self) -> Option<&[UserCount]> {
        self.people.as_deref()
    }

    /// What is held, by the larger of both: a generation holds also what is 0 by now.
    fn len(&self) -> usize {
        self.tally.len().max(self.people.as_ref().map_or(0, Vec::len))
    }

    /// What was counted.
    pub(super) fn tally(&self) -> &HourTally {
        &self.tally
    }
}

impl Tallies {
    fn take(&self, hour: Hour) -> Option<Known> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|known| known.hour == hour)?;
        Some(all.remove(at))
    }

    /// Keeps what is counted now that the head names this generation, made of it, which holds these people. The oldest hours
    /// give way: under backlog many are sealed, and the one that runs is sealed again.
    pub(super) fn keep(&self, known: Known, generation: i64, people: Vec<UserCount>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.hour != known.hour);
        let known = Known { generation, people: Some(people), ..known };
        if known.len() > MOST_COUNTS || known.read.len() > MOST_INCARNATIONS {
            return;
        }
        all.push(known);
        all.sort_by_key(|known| known.hour);
        while all.len() > MOST_HOURS || all.iter().map(Known::len).sum::<usize>() > MOST_COUNTS {
            all.remove(0);
        }
    }

    /// Whether an hour was counted as a whole, and need not be the next time.
    pub(super) fn is_new(&self, hour: Hour) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|known| known.hour == hour && known.is_whole)
    }
}
