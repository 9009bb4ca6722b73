//! The live feed: hears of every stored page and tells it to every subscriber, none of whom can slow the others.

mod recent;

use chrono::TimeDelta;
use ingest::bus::{Bus, BusError, Followed, Topic, keep_following};
use recent::Recent;
use schema::clock::Clock;
use schema::page::Page;
use schema::query::PageFilter;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Events that wait for one slow subscriber; more are left out and counted.
const QUEUE: usize = 1_000;

/// Subscribers at one time; each may hold a full queue.
const MAX_SUBSCRIBERS: usize = 1_000;

/// How long a page is known, so that what the stream repeats is told once: each reconnect repeats a minute.
const REMEMBERED: TimeDelta = TimeDelta::minutes(10);

/// One event of the feed.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// The page, which can be read by now.
    pub page: Arc<Page>,
    /// Events left out just before this one, since the subscriber read too slowly.
    pub missed_count: u64,
}

/// Tells stored pages to subscribers.
pub struct Hub {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    recent: Recent,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    filter: PageFilter,
    queue: mpsc::Sender<LiveEvent>,
    missed: u64,
}

impl Hub {
    /// A hub that nobody listens to yet.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State { recent: Recent::new(REMEMBERED), subscribers: Vec::new() };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    /// Tells every record of the topic `stored` until `shutdown`; then the subscribers' feeds end.
    ///
    /// # Errors
    /// What waiting does not mend; a bus that is away is waited for.
    pub async fn follow(&self, bus: Arc<dyn Bus>, shutdown: CancellationToken) -> Result<(), BusError> {
        let ended = keep_following("stored pages", &shutdown, || self.listen(bus.as_ref())).await;
        self.lock().subscribers.clear();
        ended
    }

    async fn listen(&self, bus: &dyn Bus) -> Result<Infallible, BusError> {
        let mut follower = bus.follow(Topic::Stored).await?;
        loop {
            self.hear(follower.next().await?);
        }
    }

    /// The pages that pass `filter` from now on; none when too many listen already.
    pub fn subscribe(&self, filter: PageFilter) -> Option<mpsc::Receiver<LiveEvent>> {
        let mut state = self.lock();
        state.subscribers.retain(|subscriber| !subscriber.queue.is_closed());
        if state.subscribers.len() >= MAX_SUBSCRIBERS {
            return None;
        }
        let (queue, receiver) = mpsc::channel(QUEUE);
        state.subscribers.push(Subscriber { filter, queue, missed: 0 });
        Some(receiver)
    }

    /// How many listen.
    pub fn subscriber_count(&self) -> usize {
        self.lock().subscribers.iter().filter(|subscriber| !subscriber.queue.is_closed()).count()
    }

    fn is_heard(&self) -> bool {
        self.lock().subscribers.iter().any(|subscriber| !subscriber.queue.is_closed())
    }

    fn hear(&self, followed: Followed) {
        match followed {
            // Nobody to tell: not even read.
            Followed::Record(_) if !self.is_heard() => {}
            Followed::Record(record) => match serde_json::from_slice(&record.payload) {
                Ok(page) => self.tell(page),
                Err(error) => tracing::warn!(%error, "a record of the topic stored is no page"),
            },
            Followed::Missed(count) => self.lock().miss(count),
        }
    }

    /// Tells one page to all who want it, once within ten minutes. Never waits.
    pub fn tell(&self, page: Page) {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.recent.insert(&page.key(), now) {
            state.tell(&Arc::new(page));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl State {
    fn tell(&mut self, page: &Arc<Page>) {
        self.subscribers.retain_mut(|subscriber| !subscriber.filter.matches(page) || subscriber.tell(page));
    }

    /// The bus left events out for this process: all subscribers missed them.
    fn miss(&mut self, count: u64) {
        for subscriber in &mut self.subscribers {
            subscriber.missed += count;
        }
    }
}

impl Subscriber {
    /// Queues the page or counts it as missed; false when the subscriber has gone.
    fn tell(&mut self, page: &Arc<Page>) -> bool {
        match self.queue.try_send(LiveEvent { page: page.clone(), missed_count: self.missed }) {
            Ok(()) => self.missed = 0,
            Err(mpsc::error::TrySendError::Full(_)) => self.missed += 1,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests;
