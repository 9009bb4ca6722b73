//! One partition that a group member holds: what came, what is done, and what the topic lost before it came. Pure.

use chrono::{DateTime, Utc};
use std::collections::VecDeque;

type Time = Option<DateTime<Utc>>;

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The offset that comes next.
    pub(super) next: i64,
    /// When the record before it was published, where known.
    pub(super) time: Time,
}

/// What the brokers say of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// The group's commit; none where there is none, or nobody asked for it.
    pub(super) committed: Option<Mark>,
    /// The first offset that the topic still has.
    pub(super) low: i64,
    /// The offset of the next record to be published.
    pub(super) end: i64,
}

/// Records that the topic no longer had when their turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    /// How many offsets.
    pub(super) offsets: i64,
    /// When the last record before them was published.
    pub(super) from: Time,
    /// When the first record after them was published.
    pub(super) to: Time,
}

/// One assignment of a partition.
#[derive(Default)]
pub(super) struct Held {
    pub(super) assignment: u64,
    /// After the last received record, or where the group was; none until that is known.
    at: Option<Mark>,
    /// Received and not done, in order: offset and time.
    undone: VecDeque<(i64, Time)>,
    /// After the last done record.
    pub(super) done: Option<Mark>,
    /// Whether `done` was not sent yet, or its commit failed.
    pub(super) is_dirty: bool,
    /// The first offset and the end, as last heard.
    ends: Option<(i64, i64)>,
    jumps: Vec<Jump>,
}

/// A record whose offset was not the next one: the brokers know whether those between are lost.
struct Jump {
    before: Option<Mark>,
    offset: i64,
    time: Time,
    /// Whether the brokers were asked since it came; what they said earlier is no answer.
    is_asked: bool,
}

impl Held {
    pub(super) fn new(assignment: u64) -> Self {
        Self { assignment, ..Self::default() }
    }

    pub(super) fn receive(&mut self, offset: i64, time: Time) {
        if self.at.is_none_or(|at| at.next < offset) {
            self.jumps.push(Jump { before: self.at, offset, time, is_asked: false });
        }
        self.at = Some(Mark { next: offset + 1, time });
        self.undone.push_back((offset, time));
    }

    /// Everything up to and including `offset` is done.
    pub(super) fn finish(&mut self, offset: i64) {
        if self.done.is_some_and(|done| done.next > offset) {
            return;
        }
        let mut time = self.done.and_then(|done| done.time);
        while let Some((_, published)) = self.undone.front().filter(|(undone, _)| *undone <= offset) {
            time = *published;
            self.undone.pop_front();
        }
        self.done = Some(Mark { next: offset + 1, time });
        self.is_dirty = true;
    }

    /// The brokers are being asked now: whether for the group's commit, too.
    pub(super) fn ask(&mut self) -> bool {
        self.jumps.iter_mut().for_each(|jump| jump.is_asked = true);
        self.at.is_none() || self.jumps.iter().any(|jump| jump.before.is_none())
    }

    /// The brokers' answer. A group without a commit has lost nothing: it begins with the first record.
    pub(super) fn learn(&mut self, told: &Told) -> Vec<Loss> {
        self.ends = Some((told.low, told.end));
        self.at = self.at.or(told.committed).or(Some(Mark { next: told.low, time: None }));
        let asked: Vec<Jump> = self.jumps.extract_if(.., |jump| jump.is_asked).collect();
        asked.iter().filter_map(|jump| loss(jump, told)).collect()
    }

    /// Whether it is not known yet that nothing is missing before what came.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.jumps.is_empty()
    }

    /// Records between what was received and the end; none while that is not known.
    pub(super) fn lag(&self) -> Option<u64> {
        let (low, end) = self.ends?;
        Some(u64::try_from(end - self.at?.next.max(low)).unwrap_or(0)) // received beyond an end heard earlier
    }
}

/// Offsets may have holes for other reasons (another's transactions): only what lies before the first one is lost.
fn loss(jump: &Jump, told: &Told) -> Option<Loss> {
    let before = jump.before.or(told.committed)?;
    let offsets = told.low.min(jump.offset) - before.next;
    (offsets > 0).then_some(Loss { offsets, from: before.time, to: jump.time })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64) -> Time {
        DateTime::from_timestamp(second, 0)
    }

    fn told(committed: Option<i64>, low: i64, end: i64) -> Told {
        Told { committed: committed.map(|next| Mark { next, time: time(next) }), low, end }
    }

    /// Receives one record at `offset`, then asks and hears `told`.
    fn check_first(offset: i64, told: Told, expect: &[Loss]) {
        let mut held = Held::new(1);
        held.receive(offset, time(100));
        assert!(held.is_in_doubt() && held.ask());
        assert_eq!(held.learn(&told), expect);
        assert!(!held.is_in_doubt());
    }

    #[test]
    fn what_is_gone_at_the_commit_is_lost() {
        let lost = |offsets, from| Loss { offsets, from: time(from), to: time(100) };
        check_first(7, told(Some(4), 7, 9), &[lost(3, 4)]);
        check_first(7, told(Some(4), 20, 30), &[lost(3, 4)]); // more expired since
        check_first(7, told(Some(7), 0, 9), &[]);
        check_first(7, told(Some(4), 2, 9), &[]); // a hole, not at the beginning
        check_first(7, told(None, 7, 9), &[]);
    }

    #[test]
    fn a_jump_later_is_answered_only_by_who_is_asked_later() {
        let mut held = Held::new(1);
        assert!(held.ask());
        assert_eq!(held.learn(&told(Some(2), 0, 3)), []);
        held.receive(2, time(50));
        assert!(!held.is_in_doubt() && !held.ask());
        held.receive(6, time(60));
        assert_eq!(held.learn(&told(None, 0, 3)), [], "asked before the jump");
        assert!(held.is_in_doubt());
        held.ask();
        assert_eq!(held.learn(&told(None, 6, 8)), [Loss { offsets: 3, from: time(50), to: time(60) }]);
    }

    #[test]
    fn the_lag_is_known_before_anything_came() {
        let mut held = Held::new(1);
        assert_eq!(held.lag(), None);
        held.ask();
        held.learn(&told(Some(4), 7, 9));
        assert_eq!(held.lag(), Some(2), "what is gone is not waiting");
        (7..12).for_each(|offset| held.receive(offset, None));
        assert_eq!(held.lag(), Some(0));
    }

    #[test]
    fn a_commit_carries_the_time_of_its_last_record() {
        let mut held = Held::new(1);
        (3..6).for_each(|offset| held.receive(offset, time(offset)));
        held.finish(4);
        assert_eq!((held.done, held.is_dirty), (Some(Mark { next: 5, time: time(4) }), true));
        held.finish(3);
        assert_eq!(held.done, Some(Mark { next: 5, time: time(4) }), "never back");
    }
}
