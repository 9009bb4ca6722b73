//! What waits for one member: bounded, and what does not fit is counted.

use crate::live::QUEUE;
use crate::live::answer::SharedAnswer;
use ingest::bus::FeedPosition;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// Bytes of all answers that wait for some member. Beyond it who reads nothing keeps only few, the newest; beyond twice as
/// many everybody does.
const MAX_HELD: usize = 64 << 20;

/// So many may come, and wait, between two reads of one that reads: events come in bursts.
const FEW: usize = 50;

/// Of all queues of a process.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Bytes of the answers that wait for some member.
    pub(super) held: Arc<AtomicUsize>,
    /// Events that members were told to have missed, or will be.
    pub(super) missed: AtomicU64,
}

pub(super) struct Queue {
    totals: Arc<Totals>,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    /// Each with how many this member missed before it.
    waiting: VecDeque<(Arc<SharedAnswer>, u64)>,
    missed: u64,
    /// Whether what it misses is replayed to it.
    is_replaying: bool,
    /// How many came since the member last read.
    unread: usize,
    is_ended: bool,
    /// Where the member went on after a replay.
    went_on_at: Option<FeedPosition>,
}

impl Queue {
    pub(super) fn new(totals: Arc<Totals>, is_replaying: bool) -> Self {
        let state = Mutex::new(State { is_replaying, ..State::default() });
        Self { totals, state, news: Notify::new() }
    }

    /// Queues the answer or counts it as missed.
    pub(super) fn push(&self, answer: &Arc<SharedAnswer>) {
        let mut state = self.lock();
        // A replay has told it.
        if is_known(answer, state.went_on_at.as_ref()) {
            return;
        }
        let held = self.totals.held.load(Ordering::Relaxed);
        state.unread += 1;
        let mut missed = if held > MAX_HELD && state.unread > FEW { state.shed() } else { 0 };
        // Those that all missed before it are told with it, or missed with it.
        missed += answer.missed;
        let room = if held <= 2 * MAX_HELD { QUEUE } else { FEW };
        if state.waiting.len() < room {
            let before = std::mem::take(&mut state.missed);
            state.waiting.push_back((Arc::clone(answer), before));
        } else {
            state.missed += answer.missed + 1;
            missed += 1;
        }
        if !state.is_replaying {
            self.totals.missed.fetch_add(missed, Ordering::Relaxed);
        }
        self.news.notify_one();
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        self.lock().is_ended = true;
        self.news.notify_one();
    }

    /// The next answer that is not in front of `from`, and how many this member missed before it; none at the end.
    pub(super) async fn pop_behind(&self, from: Option<&FeedPosition>) -> Option<(Arc<SharedAnswer>, u64)> {
        let mut missed = 0;
        loop {
            let news = self.news.notified();
            let (popped, is_ended) = {
                let mut state = self.lock();
                state.unread = 0;
                (state.waiting.pop_front(), state.is_ended)
            };
            match popped {
                Some((answer, before)) => {
                    missed += before;
                    if !is_known(&answer, from) {
                        return Some((answer, missed));
                    }
                }
                None if is_ended => return None,
                None => news.await,
            }
        }
    }

    /// Whether nothing was left out so far: then the member goes on at `at`. Else all that waits is dropped.
    pub(super) fn go_on(&self, at: &FeedPosition) -> bool {
        let mut state = self.lock();
        let is_whole = state.missed == 0 && state.waiting.iter().all(|(answer, missed)| *missed + answer.missed == 0);
        if is_whole {
            state.went_on_at = Some(at.clone());
            state.is_replaying = false;
        } else {
            state.waiting.clear();
            state.missed = 0;
        }
        is_whole
    }

    pub(super) fn went_on_at(&self) -> Option<FeedPosition> {
        self.lock().went_on_at.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    /// Leaves out all that waits but the newest few; how many these are, that were not missed before.
    fn shed(&mut self) -> u64 {
        let over = self.waiting.len().saturating_sub(FEW - 1);
        let known = self.went_on_at.take();
        let (mut missed, mut new) = (0, 0);
        for (answer, before) in self.waiting.drain(..over) {
            missed += before;
            if !is_known(&answer, known.as_ref()) {
                missed += answer.missed + 1;
                new += 1;
            }
        }
        self.went_on_at = known;
        match self.waiting.front_mut() {
            Some((_, before)) => *before += missed,
            None => self.missed += missed,
        }
        new
    }
}

/// Whether an answer's event lies in front of `from`, and with it those that all missed before it.
fn is_known(answer: &SharedAnswer, from: Option<&FeedPosition>) -> bool {
    from.zip(answer.position.as_ref()).is_some_and(|(from, position)| from.covers(position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::Response as Answer;

    struct Case {
        totals: Arc<Totals>,
        queue: Queue,
        told: u64,
    }

    impl Case {
        fn new() -> Self {
            let totals = Arc::<Totals>::default();
            Self { queue: Queue::new(Arc::clone(&totals), false), totals, told: 0 }
        }

        /// So many bytes wait for others.
        fn hold(&self, bytes: usize) {
            self.totals.held.store(bytes, Ordering::Relaxed);
        }

        fn push(&mut self, count: usize) {
            for _ in 0..count {
                self.told += 1;
                let counter = Arc::default();
                self.queue.push(&Arc::new(SharedAnswer::new(Answer::new(self.told), None, 0, &counter)));
            }
        }

        /// Reads what waits: what was missed before each, and how many were read.
        async fn read(&self) -> (Vec<u64>, usize) {
            let (mut gaps, mut read) = (Vec::new(), 0);
            while !self.queue.lock().waiting.is_empty() {
                let (_, missed) = self.queue.pop_behind(None).await.unwrap();
                read += 1;
                gaps.extend((missed > 0).then_some(missed));
            }
            (gaps, read)
        }
    }

    #[tokio::test]
    async fn where_much_is_held_who_reads_nothing_keeps_few_and_learns_how_many_it_missed() {
        let mut case = Case::new();
        case.push(QUEUE);
        case.hold(MAX_HELD + 1);
        case.push(20);
        assert_eq!(case.read().await, (vec![QUEUE as u64 + 20 - FEW as u64], FEW));
        assert_eq!(case.totals.missed.load(Ordering::Relaxed), QUEUE as u64 + 20 - FEW as u64);
        // It reads again: a burst costs it nothing.
        case.push(FEW);
        assert_eq!(case.read().await, (vec![], FEW));
    }

    #[tokio::test]
    async fn what_a_replay_has_told_is_not_told_again_as_missed() {
        let position = |next: i64| {
            let bytes = [&0_i32.to_be_bytes()[..], &next.to_be_bytes(), &0_u64.to_be_bytes()].concat();
            FeedPosition::parse(&bytes).expect("it is one")
        };
        let queue = Queue::new(Arc::default(), true);
        assert!(queue.go_on(&position(7)));
        for (next, missed) in [(6, 0), (7, 3), (8, 0)] {
            let answer = SharedAnswer::new(Answer::new(next), Some(position(next)), missed, &Arc::default());
            queue.push(&Arc::new(answer));
        }
        queue.end();
        let (answer, missed) = queue.pop_behind(Some(&position(7))).await.expect("the last one");
        assert_eq!((answer.position.clone(), missed), (Some(position(8)), 0));
        assert!(queue.pop_behind(Some(&position(7))).await.is_none());
    }

    #[tokio::test]
    async fn who_reads_misses_nothing_of_a_burst_for_what_others_hold() {
        let mut case = Case::new();
        case.hold(MAX_HELD + 1);
        for _ in 0..5 {
            case.push(FEW);
            case.queue.pop_behind(None).await.unwrap();
        }
        assert_eq!(case.read().await, (vec![], 5 * FEW - 5));
        case.hold(2 * MAX_HELD + 1);
        for _ in 0..5 {
            case.push(FEW / 2);
            case.queue.pop_behind(None).await.unwrap();
        }
        let (gaps, read) = case.read().await;
        assert!(read < 2 * FEW && gaps.len() > 1, "{read} {gaps:?}");
    }
}
