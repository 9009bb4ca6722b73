//! One bounded queue with one consumer at a time: what it does not commit, the next one gets again.

use crate::bus::{BusError, Consumer, Delivery, Position, RECEIVE_BYTES, Received, Record};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{Notify, Semaphore, oneshot};

pub(super) struct Queue {
    records: Semaphore,
    bytes: Semaphore,
    state: Mutex<State>,
    /// Told when there is something to receive, or nobody who receives.
    news: Notify,
}

#[derive(Default)]
struct State {
    /// Published and not yet committed, oldest first.
    entries: VecDeque<Entry>,
    /// The offset of the first entry.
    base: i64,
    /// How many entries the owner has received.
    received: usize,
    /// The only group that may consume.
    group: Option<String>,
    owner: Option<u64>,
    members: u64,
    /// How often the queue got an owner.
    assignment: u64,
}

struct Entry {
    record: Record,
    done: oneshot::Sender<()>,
}

impl Queue {
    pub(super) fn new(max_records: usize, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            records: Semaphore::new(max_records),
            bytes: Semaphore::new(max_bytes),
            state: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// Waits for room; the delivery resolves at the commit.
    pub(super) async fn push(&self, record: Record) -> Result<Delivery, BusError> {
        let bytes = self.bytes.acquire_many(room_of(&record)).await.map_err(|_| BusError::Closed)?;
        let records = self.records.acquire().await.map_err(|_| BusError::Closed)?;
        let (done, delivered) = oneshot::channel();
        self.lock().entries.push_back(Entry { record, done });
        records.forget(); // both come back at the commit
        bytes.forget();
        self.news.notify_waiters();
        Ok(Box::pin(async move { delivered.await.map_err(|_| BusError::Closed) }))
    }

    pub(super) fn join(self: &Arc<Self>, group: &str) -> Result<QueueConsumer, BusError> {
        let mut state = self.lock();
        let known = state.group.get_or_insert_with(|| group.into());
        if known != group {
            return Err(BusError::Unsupported(format!(
                "a topic of the memory bus has one group: {known}, so {group} cannot join; use a kafka:// bus"
            )));
        }
        state.members += 1;
        Ok(QueueConsumer { queue: Arc::clone(self), id: state.members, is_paused: false })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

fn room_of(record: &Record) -> u32 {
    u32::try_from(record.size()).expect("a record is smaller than 4 GiB: its size was checked")
}

impl State {
    fn take(&mut self, member: u64, max: usize) -> Vec<Received> {
        if self.owner.is_none() {
            self.owner = Some(member);
            self.assignment += 1;
            self.received = 0;
        }
        if self.owner != Some(member) {
            return Vec::new();
        }
        let mut bytes = 0;
        let (first, assignment) = (self.base + self.received as i64, self.assignment);
        let waiting = self.entries.iter().skip(self.received).take(max).take_while(|entry| {
            let fits = bytes < RECEIVE_BYTES;
            bytes += entry.record.size();
            fits
        });
        let taken: Vec<Received> = (first..)
            .zip(waiting)
            .map(|(offset, entry)| Received {
                record: entry.record.clone(),
                position: Position { partition: 0, assignment, offset },
            })
            .collect();
        self.received += taken.len();
        taken
    }

    fn holds(&self, member: u64, position: Position) -> bool {
        self.owner == Some(member) && self.assignment == position.assignment
    }

    /// The entries up to and including `position`; none of another's or an older assignment.
    fn commit(&mut self, member: u64, position: Position) -> Vec<Entry> {
        if !self.holds(member, position) {
            return Vec::new();
        }
        let count = usize::try_from(position.offset + 1 - self.base).unwrap_or(0).min(self.received);
        self.base += count as i64;
        self.received -= count;
        self.entries.drain(..count).collect()
    }
}

pub(super) struct QueueConsumer {
    queue: Arc<Queue>,
    id: u64,
    is_paused: bool,
}

#[async_trait]
impl Consumer for QueueConsumer {
    async fn receive(&mut self, max: usize) -> Result<Vec<Received>, BusError> {
        if self.is_paused {
            return pending().await;
        }
        loop {
            let news = self.queue.news.notified();
            tokio::pin!(news);
            news.as_mut().enable(); // before looking, so that nothing falls in between
            let taken = self.queue.lock().take(self.id, max);
            if !taken.is_empty() {
                return Ok(taken);
            }
            news.await;
        }
    }

    fn commit(&mut self, position: Position) -> Result<(), BusError> {
        let done = self.queue.lock().commit(self.id, position);
        let bytes = done.iter().map(|entry| entry.record.size()).sum();
        self.queue.records.add_permits(done.len());
        self.queue.bytes.add_permits(bytes);
        for entry in done {
            let _ = entry.done.send(()); // an error says that nobody awaits the delivery
        }
        Ok(())
    }

    fn holds(&self, position: Position) -> bool {
        self.queue.lock().holds(self.id, position)
    }

    fn set_paused(&mut self, paused: bool) -> Result<(), BusError> {
        self.is_paused = paused;
        Ok(())
    }

    fn lag(&self) -> Option<u64> {
        let state = self.queue.lock();
        let received = state.owner.map_or(0, |_| state.received); // the next owner gets all again
        let is_other = state.owner.is_some_and(|owner| owner != self.id);
        (!is_other).then_some((state.entries.len() - received) as u64)
    }

    async fn close(self: Box<Self>) -> Result<(), BusError> {
        Ok(()) // dropping it leaves
    }
}

impl Drop for QueueConsumer {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        if state.owner == Some(self.id) {
            state.owner = None;
            drop(state);
            self.queue.news.notify_waiters();
        }
    }
}
