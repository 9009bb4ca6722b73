//! The live feed: hears of every stored page and tells it to every subscriber, none of whom can slow the others.

mod answer;
mod cursor;
mod groups;
mod plan;
mod recent;
mod replay;

pub(crate) use answer::{Told, is_request_error};
pub(crate) use cursor::FeedCursor;
pub use groups::Groups;
pub(crate) use groups::{Joined, LiveFigures, Together};
pub(crate) use replay::{Replay, ReplayFrom, ReplaysOfConnection};

use crate::loaders::Reads;
use chrono::TimeDelta;
use ingest::bus::{Bus, BusError, FeedPosition, Followed, Topic, keep_following};
use recent::Recent;
use schema::clock::Clock;
use schema::page::Page;
use schema::query::PageFilter;
use schema::store::Store;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events that wait for one execution; more are left out and counted.
const QUEUE: usize = 1_000;

/// Distinct subscriptions at one time, each executed once per event.
const MAX_SUBSCRIBERS: usize = 1_000;

/// Replays that read at one time; others wait for their turn.
const MAX_REPLAYS: usize = 32;

/// How long a page is known, so that what the stream repeats is told once: each reconnect repeats a minute.
const REMEMBERED: TimeDelta = TimeDelta::minutes(10);

/// More than come in ten minutes of the busiest stream.
const MAX_REMEMBERED: usize = 200_000;

/// One event of the feed.
#[derive(Clone)]
pub struct LiveEvent {
    /// The page, which can be read by now.
    pub page: Arc<Page>,
    /// Where to go on behind it.
    pub(crate) cursor: FeedCursor,
    /// Events left out just before this one, since the subscriber read too slowly.
    pub missed_count: u64,
    /// What its executions read.
    pub(crate) reads: SharedReads,
}

/// What all executions of one event read of the store: made by the first.
#[derive(Clone, Default)]
pub(crate) struct SharedReads(Arc<OnceLock<Arc<Reads>>>);

impl SharedReads {
    fn of(&self, store: &Arc<dyn Store>) -> Arc<Reads> {
        self.0.get_or_init(|| Reads::new(store)).clone()
    }
}

/// Tells stored pages to subscribers.
pub struct Hub {
    clock: Arc<dyn Clock>,
    bus: Arc<dyn Bus>,
    replays: Arc<Semaphore>,
    /// Those that have not ended, whether they read or wait.
    replaying: TaskTracker,
    state: Mutex<State>,
}

struct State {
    recent: Recent,
    subscribers: Vec<Subscriber>,
    /// Behind what was told last; none before the topic is followed.
    position: Option<FeedPosition>,
}

struct Subscriber {
    filter: PageFilter,
    queue: mpsc::Sender<LiveEvent>,
    missed: u64,
}

impl Hub {
    /// A hub of the topic `stored` that nobody listens to yet.
    pub fn new(clock: Arc<dyn Clock>, bus: Arc<dyn Bus>) -> Arc<Self> {
        let state = State { recent: Recent::new(REMEMBERED, MAX_REMEMBERED), subscribers: Vec::new(), position: None };
        let replays = Arc::new(Semaphore::new(MAX_REPLAYS));
        Arc::new(Self { clock, bus, replays, replaying: TaskTracker::new(), state: Mutex::new(state) })
    }

    /// Tells every record of the topic `stored` until `shutdown`; then the subscribers' feeds end.
    ///
    /// # Errors
    /// What waiting does not mend; a bus that is away is waited for.
    pub async fn follow(&self, shutdown: CancellationToken) -> Result<(), BusError> {
        let ended = keep_following("stored pages", &shutdown, || self.listen()).await;
        self.lock().subscribers.clear();
        ended
    }

    async fn listen(&self) -> Result<Infallible, BusError> {
        let known = self.lock().position.clone();
        let held = match &known {
            Some(at) => self.bus.follow_from(Topic::Stored, at).await?,
            None => None,
        };
        let mut follower = match held {
            Some(follower) => follower,
            None => self.bus.follow(Topic::Stored).await?,
        };
        self.begin(known, follower.position());
        loop {
            if self.is_heard() {
                let followed = follower.next().await?;
                self.hear(followed, follower.position());
            } else {
                follower.pass_over(&|end| self.is_wanted(end)).await?;
            }
        }
    }

    /// What was published while the bus was away and is no longer held was missed, how much nobody knows.
    fn begin(&self, known: Option<FeedPosition>, at: FeedPosition) {
        let mut state = self.lock();
        if known.is_some_and(|known| known != at) {
            state.miss(1);
        }
        state.position = Some(at);
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

    fn replay_count(&self) -> usize {
        self.replaying.len()
    }

    /// Behind what was told last. Who subscribed before this was asked hears all that comes behind it.
    fn position(&self) -> Option<FeedPosition> {
        self.lock().position.clone()
    }

    fn is_heard(&self) -> bool {
        self.lock().is_heard()
    }

    /// Whether somebody listens; if nobody does, what lies in front of `end` has been passed over.
    fn is_wanted(&self, end: &FeedPosition) -> bool {
        let mut state = self.lock();
        let is_heard = state.is_heard();
        if !is_heard {
            state.position = Some(end.clone());
        }
        is_heard
    }

    fn hear(&self, followed: Followed, position: FeedPosition) {
        let page = match followed {
            Followed::Record(record) => serde_json::from_slice(&record.payload)
                .inspect_err(|error| tracing::warn!(%error, "a record of the topic stored is no page"))
                .ok(),
            Followed::Missed(count) => {
                self.lock().miss(count);
                None
            }
        };
        self.tell_at(page, position);
    }

    /// Tells one page to all who want it, once within ten minutes. Never waits.
    fn tell_at(&self, page: Option<Page>, position: FeedPosition) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.position = Some(position.clone());
        if let Some(page) = page
            && state.recent.insert(&page.key(), now)
        {
            state.tell(&Arc::new(page), position);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

#[cfg(test)]
impl Hub {
    /// One of this process's own bus over `store`.
    pub(crate) fn within(clock: Arc<dyn Clock>, store: Arc<dyn Store>) -> Arc<Self> {
        Self::new(clock, ingest::bus::MemoryBus::new(store))
    }

    /// Tells a page where the hub stands.
    pub(crate) fn tell(&self, page: Page) {
        let position = self.position().unwrap_or_default();
        self.tell_at(Some(page), position);
    }
}

impl State {
    fn is_heard(&self) -> bool {
        self.subscribers.iter().any(|subscriber| !subscriber.queue.is_closed())
    }

    fn tell(&mut self, page: &Arc<Page>, position: FeedPosition) {
        let (page, cursor) = (Arc::clone(page), FeedCursor { position, listed: None });
        let event = LiveEvent { page, cursor, missed_count: 0, reads: SharedReads::default() };
        self.subscribers.retain_mut(|subscriber| !subscriber.filter.matches(&event.page) || subscriber.tell(&event));
    }

    /// The bus left events out for this process: all subscribers missed them.
    fn miss(&mut self, count: u64) {
        for subscriber in &mut self.subscribers {
            subscriber.missed += count;
        }
    }
}

impl Subscriber {
    /// Queues the event or counts it as missed; false when the subscriber has gone.
    fn tell(&mut self, event: &LiveEvent) -> bool {
        let event = LiveEvent { missed_count: self.missed, ..event.clone() };
        match self.queue.try_send(event) {
            Ok(()) => self.missed = 0,
            Err(mpsc::error::TrySendError::Full(_)) => self.missed += 1,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
        }
        true
    }
}

#[cfg(test)]
pub(crate) mod tests;
