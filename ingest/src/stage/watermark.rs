//! Which offset of each partition may be committed: everything up to it is done, in whatever order it was.

use crate::bus::Position;
use std::collections::{HashMap, VecDeque};

/// The received and not yet committable records of each partition's newest assignment.
#[derive(Default)]
pub(super) struct Watermarks(HashMap<i32, Partition>);

#[derive(Default)]
struct Partition {
    assignment: u64,
    /// Offset and whether it is done, in order of receipt. Offsets grow but may have holes.
    waiting: VecDeque<(i64, bool)>,
}

impl Watermarks {
    /// A record was received. A newer assignment of its partition forgets the older one.
    pub(super) fn start(&mut self, position: Position) {
        let partition = self.0.entry(position.partition).or_default();
        if position.assignment < partition.assignment {
            return;
        }
        if position.assignment > partition.assignment {
            *partition = Partition { assignment: position.assignment, waiting: VecDeque::new() };
        }
        partition.waiting.push_back((position.offset, false));
    }

    /// A record is done. Returns what may be committed when that moved; never for an older assignment.
    pub(super) fn finish(&mut self, position: Position) -> Option<Position> {
        let partition = self.0.get_mut(&position.partition).filter(|p| p.assignment == position.assignment)?;
        let index = partition.waiting.binary_search_by_key(&position.offset, |(offset, _)| *offset).ok()?;
        partition.waiting[index].1 = true;
        let mut committable = None;
        while let Some((offset, true)) = partition.waiting.front() {
            committable = Some(Position { offset: *offset, ..position });
            partition.waiting.pop_front();
        }
        committable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn at(assignment: u64, offset: i64) -> Position {
        Position { partition: 0, assignment, offset }
    }

    proptest! {
        /// Whatever the order: what may be committed is what a naive set says, and in the end it is everything.
        #[test]
        fn never_beyond_the_first_undone(
            steps in prop::collection::vec(1i64..4, 1..60),
            order in prop::collection::vec(any::<prop::sample::Index>(), 60),
        ) {
            let offsets: Vec<i64> = steps.iter().scan(-1, |at, step| { *at += step; Some(*at) }).collect();
            let mut marks = Watermarks::default();
            offsets.iter().for_each(|offset| marks.start(at(1, *offset)));
            let (mut undone, mut left): (BTreeSet<i64>, Vec<i64>) = (offsets.iter().copied().collect(), offsets.clone());
            let mut committed = -1;
            for index in order.iter().take(offsets.len()) {
                let offset = left.swap_remove(index.index(left.len()));
                undone.remove(&offset);
                if let Some(position) = marks.finish(at(1, offset)) {
                    prop_assert!(position.offset > committed);
                    committed = position.offset;
                }
                let first_undone = undone.first().copied().unwrap_or(i64::MAX);
                let allowed = offsets.iter().copied().filter(|o| *o < first_undone).max().unwrap_or(-1);
                prop_assert_eq!(committed, allowed);
            }
            prop_assert_eq!(committed, *offsets.last().unwrap());
        }

        /// Work of a partition that went away and came back never commits for the new assignment.
        #[test]
        fn an_older_assignment_never_commits(old in 1usize..20, new in 1usize..20, late in any::<prop::sample::Index>()) {
            let mut marks = Watermarks::default();
            (0..old as i64).for_each(|offset| marks.start(at(1, offset)));
            (0..new as i64).for_each(|offset| marks.start(at(2, offset)));
            for offset in 0..old as i64 {
                prop_assert_eq!(marks.finish(at(1, offset)), None);
            }
            marks.start(at(1, old as i64));
            let late = late.index(new) as i64;
            let expect = (late == 0).then_some(at(2, 0));
            prop_assert_eq!(marks.finish(at(2, late)), expect);
        }
    }

    #[test]
    fn partitions_are_apart() {
        let mut marks = Watermarks::default();
        let other = Position { partition: 7, assignment: 1, offset: 3 };
        marks.start(at(1, 0));
        marks.start(other);
        assert_eq!(marks.finish(other), Some(other));
        assert_eq!(marks.finish(other), None, "done twice");
        assert_eq!(marks.finish(at(1, 0)), Some(at(1, 0)));
    }
}
