//! Every record to every follower, never holding the publisher up.
//!
//! The last records stay, so that a follower can go on where it or another one was. A new process has none of them.

use crate::bus::position::FeedPosition;
use crate::bus::{BusError, Followed, Follower, IsWanted, Record};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

/// How many records a follower may lag behind; clean pages are about 400 bytes.
const MAX_RECORDS: usize = 8_192;
/// How many bytes these may take.
const MAX_BYTES: usize = 8 << 20;

/// Whether records stay while nobody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unheard {
    Kept,
    Dropped,
}

pub(super) struct Feed {
    unheard: Unheard,
    /// A random number: positions of another process are none of this feed's.
    mark: u64,
    log: Arc<Mutex<Log>>,
    /// The number of the record that comes next.
    end: watch::Sender<i64>,
}

#[derive(Default)]
struct Log {
    records: VecDeque<Record>,
    bytes: usize,
    /// The number of the first record.
    first: i64,
}

impl Log {
    fn push(&mut self, record: Record) {
        self.bytes += record.size();
        self.records.push_back(record);
        while self.records.len() > MAX_RECORDS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.records.pop_front() else { return };
            self.bytes -= oldest.size();
            self.first += 1;
        }
    }

    fn get(&self, number: i64) -> Option<&Record> {
        self.records.get(usize::try_from(number - self.first).ok()?)
    }
}

impl Feed {
    pub(super) fn new(unheard: Unheard) -> Self {
        Self { unheard, mark: rand::random(), log: Arc::default(), end: watch::Sender::new(0) }
    }

    pub(super) fn send(&self, record: Record) {
        let mut log = lock(&self.log);
        let end = *self.end.borrow() + 1;
        if self.unheard == Unheard::Kept || self.end.receiver_count() > 0 {
            log.push(record);
        } else {
            *log = Log { first: end, ..Log::default() };
        }
        self.end.send_replace(end);
    }

    pub(super) fn follow(&self) -> FeedFollower {
        // While nothing is being sent: what is sent later is kept for it.
        let _sending = lock(&self.log);
        let end = self.end.subscribe();
        let next = *end.borrow();
        FeedFollower { log: Arc::clone(&self.log), end, next, mark: self.mark }
    }

    /// Goes on from a position; none where a record behind it is gone, or it is another feed's.
    pub(super) fn follow_from(&self, position: &FeedPosition) -> Option<FeedFollower> {
        let (next, mark) = position.as_single()?;
        let follower = self.follow();
        let is_held = mark == self.mark && (lock(&self.log).first..=follower.next).contains(&next);
        is_held.then_some(FeedFollower { next, ..follower })
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().expect("no holder of this lock panics")
}

pub(super) struct FeedFollower {
    log: Arc<Mutex<Log>>,
    end: watch::Receiver<i64>,
    next: i64,
    mark: u64,
}

#[async_trait]
impl Follower for FeedFollower {
    async fn next(&mut self) -> Result<Followed, BusError> {
        let next = self.next;
        self.end.wait_for(|end| *end > next).await.map_err(|_| BusError::Closed)?;
        let log = lock(&self.log);
        match log.get(next) {
            Some(record) => {
                self.next += 1;
                Ok(Followed::Record(record.clone()))
            }
            None => {
                self.next = log.first;
                Ok(Followed::Missed((log.first - next).unsigned_abs()))
            }
        }
    }

    async fn pass_over(&mut self, is_wanted: &IsWanted<'_>) -> Result<(), BusError> {
        let next = self.next;
        let end = *self.end.wait_for(|end| *end > next).await.map_err(|_| BusError::Closed)?;
        if !is_wanted(&FeedPosition::single(end, self.mark)) {
            self.next = end;
        }
        Ok(())
    }

    fn position(&self) -> FeedPosition {
        FeedPosition::single(self.next, self.mark)
    }
}
