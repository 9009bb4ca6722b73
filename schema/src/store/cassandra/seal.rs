//! One period sealed: its counts taken anew, by a protocol that two sealers and crashes anywhere leave exact.
//!
//! The order is the point. Head, then marks, then rows: what a mark that was read stands for is among the rows. Counts,
//! then the flip, then the derived rows with its version: of two sealers the newer one's stay. The longer period's mark,
//! then the marks' removal: a crash between leaves work, not a gap.

use crate::period::{Period, TimeUnit};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::heads::{self, Head};
use crate::store::cassandra::marks::Mark;
use crate::store::cassandra::merge::{Cursor, Merge, Merged, People};
use crate::store::cassandra::tallies::Known;
use crate::store::cassandra::tally::{Groups, groups_of};
use crate::store::cassandra::{derived, generations, marks, old};
use std::collections::BTreeSet;
use tokio::time::Instant;

/// The steps of a sealing, as a test interrupts it behind each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Step {
    /// The head is read.
    Head,
    /// The marks are read.
    Marks,
    /// The rows are counted.
    Rows,
    /// The counts are written, under a generation that no head names.
    Counts,
    /// The head names them.
    Flip,
    /// The derived rows of wikis are written, and none of people.
    Wikis,
    /// The derived rows are written.
    Derived,
    /// The head says so.
    Noted,
    /// The longer period is marked.
    Longer,
    /// The marks are gone.
    Unmarked,
}

/// What a sealing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All that its marks stood for is counted.
    Sealed,
    /// Another sealer was faster: to be done again.
    Lost,
    /// It took too long to be let in: to be done again.
    TooLong,
    /// There was no mark any more.
    Unmarked,
}

/// What is counted: an hour's people beside those of the generation before, or the sealed parts of a longer period.
enum Counted {
    Hour { known: Known, people: Vec<Merged> },
    Parts(Vec<Head>),
}

impl Counted {
    async fn load(
        store: &CassandraStore,
        period: Period,
        before: Option<&Head>,
        marks: &[Mark],
    ) -> Result<Self, StoreError> {
        let Some(parts) = period.parts() else {
            let known = Known::count(store, period.start, before, marks).await?;
            let counted = known.tally().people();
            let stored = || before.map(|head| Cursor::of(store, head));
            let before = known.people_before().map(Cursor::Here).or_else(stored);
            let people = Merge::new(store, vec![Cursor::Here(&counted)], before).next(usize::MAX).await?;
            return Ok(Self::Hour { known, people });
        };
        Ok(Self::Parts(heads::in_range(store, parts).await?))
    }

    async fn groups(&self, store: &CassandraStore) -> Result<Groups, StoreError> {
        let parts = match self {
            Self::Hour { people, .. } => return Ok(groups_of(people.iter().map(|merged| &merged.user))),
            Self::Parts(parts) => parts,
        };
        let mut groups = Groups::new();
        for part in parts {
            for (group, count) in generations::load_counts(store, part).await? {
                *groups.entry(group).or_default() += count;
            }
        }
        Ok(groups)
    }

    /// The rows of the new generation.
    fn people<'a>(&'a self, store: &'a CassandraStore, before: Option<&Head>) -> People<'a> {
        let parts = match self {
            Self::Hour { people, .. } => return People::Here(people),
            Self::Parts(parts) => parts,
        };
        let parts = parts.iter().map(|part| Cursor::of(store, part)).collect();
        People::Merging(Merge::new(store, parts, before.map(|head| Cursor::of(store, head))))
    }

    /// The same, as `head` names it, beside the generation before.
    fn changes<'a>(&'a self, store: &'a CassandraStore, head: &Head, before: Option<&Head>) -> People<'a> {
        if let Self::Hour { people, .. } = self {
            return People::Here(people);
        }
        // The parts may have newer counts by now; what this version says stands in its generation.
        let before = before.map(|head| Cursor::of(store, head));
        People::Merging(Merge::new(store, vec![Cursor::of(store, head)], before))
    }
}

/// Seals a period.
///
/// # Errors
/// After an error, and wherever it is dropped, any part may have been done; sealing again is right.
pub(super) async fn seal(store: &CassandraStore, period: Period) -> Result<Outcome, StoreError> {
    let before = heads::load_current(store, period).await?;
    store.reached(Step::Head, period).await?;
    let read = marks::of_period(store, period).await?;
    store.reached(Step::Marks, period).await?;
    if read.is_empty() {
        return Ok(Outcome::Unmarked);
    }
    let counted = Counted::load(store, period, before.as_ref(), &read).await?;
    let generation = rand::random();
    let noted = Instant::now();
    old::note(store, period, before.as_ref(), generation).await?;
    let (groups, old) = write_generation(store, period, generation, &counted, before.as_ref()).await?;
    store.reached(Step::Counts, period).await?;
    if noted.elapsed() > old::FLIPS_WITHIN {
        tracing::warn!(?period, "its counting took too long and begins anew");
        return Ok(Outcome::TooLong);
    }
    let Some(head) = heads::flip(store, period, before, generation).await? else { return Ok(Outcome::Lost) };
    if period.unit == TimeUnit::Hour {
        store.sealer.sealed(period.start, generation);
    }
    store.reached(Step::Flip, period).await?;
    let changes = counted.changes(store, &head, before.as_ref());
    derived::write(store, &head, before.as_ref(), (&groups, old), changes).await?;
    store.reached(Step::Derived, period).await?;
    heads::set_derived(store, &head).await?;
    store.reached(Step::Noted, period).await?;
    if let Some(longer) = period.longer() {
        marks::set_longer(store, &BTreeSet::from([longer])).await?;
    }
    store.reached(Step::Longer, period).await?;
    marks::delete(store, &read).await?;
    if let Counted::Hour { known, people } = counted {
        let people = people.into_iter().map(|merged| merged.user).collect();
        store.sealer.tallies.keep(known, head.generation, people);
    }
    store.reached(Step::Unmarked, period).await?;
    Ok(Outcome::Sealed)
}

/// Counts, and writes the counts; these, and those of the generation before. What was counted there and is no more stays
/// with 0.
async fn write_generation(
    store: &CassandraStore,
    period: Period,
    generation: i64,
    counted: &Counted,
    before: Option<&Head>,
) -> Result<(Groups, Groups), StoreError> {
    let mut groups = counted.groups(store).await?;
    store.reached(Step::Rows, period).await?;
    let old: Groups = match before {
        Some(before) => generations::load_counts(store, before).await?.into_iter().collect(),
        None => Groups::new(),
    };
    for group in old.keys() {
        groups.entry(group.clone()).or_default();
    }
    generations::write_counts(store, period, generation, &groups).await?;
    if derived::has_people(period.unit) {
        generations::write_people(store, period, generation, counted.people(store, before)).await?;
    }
    Ok((groups, old))
}
