//! What waits for one member: bounded, and what does not fit is counted.

use crate::live::QUEUE;
use crate::live::answer::SharedAnswer;
use ingest::bus::FeedPosition;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// Bytes of all answers that wait for some member. Beyond it only members that have few waiting are told.
const MAX_HELD: usize = 64 << 20;

/// So many wait for who reads as fast as events come, since these come in bursts: those of others cost it none.
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
    is_ended: bool,
    /// Where the member went on after a replay.
    went_on_at: Option<FeedPosition>,
}

impl Queue {
    pub(super) fn new(totals: Arc<Totals>) -> Self {
        Self { totals, state: Mutex::default(), news: Notify::new() }
    }

    /// Queues the answer or counts it as missed.
    pub(super) fn push(&self, answer: &Arc<SharedAnswer>) {
        let mut state = self.lock();
        // A replay has told it.
        if is_known(answer, state.went_on_at.as_ref()) {
            return;
        }
        let room = if self.totals.held.load(Ordering::Relaxed) <= MAX_HELD { QUEUE } else { FEW };
        // Those that were missed before it by all are missed with it.
        let mut missed = answer.missed;
        if state.waiting.len() < room {
            let before = std::mem::take(&mut state.missed);
            state.waiting.push_back((Arc::clone(answer), before));
        } else {
            missed += 1;
            state.missed += missed;
        }
        self.totals.missed.fetch_add(missed, Ordering::Relaxed);
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

/// Whether an answer's event lies in front of `from`.
fn is_known(answer: &SharedAnswer, from: Option<&FeedPosition>) -> bool {
    let known = from.zip(answer.position.as_ref()).is_some_and(|(from, position)| from.covers(position));
    known && answer.missed == 0
}
