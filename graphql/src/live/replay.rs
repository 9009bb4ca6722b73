//! What a subscriber missed: pages by time out of the store, then the topic `stored` from a position on, up to where the
//! subscriber's live feed begins.
//!
//! It is read as fast as the subscriber reads. When its live feed overflows meanwhile, that is emptied and begins anew
//! further on: nothing is left out.

mod turns;

use super::recent::Recent;
use super::{FeedCursor, Hub, Joined, LiveEvent, SharedReads};
use crate::schema::errors::ApiError;
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{Stream, unfold};
use ingest::bus::{FeedPosition, Followed};
use schema::page::{Page, PageKey};
use schema::query::{ListOrder, MAX_ROWS_READ, PageFilter, PageList, PageQuery, TimeSpan};
use schema::store::Store;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::task::task_tracker::TaskTrackerToken;
use turns::{Turns, unavailable};

/// Pages read from the store at once.
const PART: usize = 200;

/// How long the bus may take to give what it holds: meanwhile nobody else has the turn.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(10);

/// Pages that the list told and the topic may tell again: those of about its last hour.
const MAY_COME_AGAIN: TimeDelta = TimeDelta::hours(1);

/// Keys that one replay remembers; what is forgotten may be told again.
const MAX_TOLD: usize = 20_000;

/// Replays of one connection at one time: more wait for these, so that no connection has all that there are.
const MAX_OF_CONNECTION: usize = 2;

/// Put into the requests of one connection.
#[derive(Clone)]
pub(crate) struct ReplaysOfConnection(Arc<Semaphore>);

impl Default for ReplaysOfConnection {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_OF_CONNECTION)))
    }
}

/// From where.
pub(crate) enum ReplayFrom {
    /// A cursor of an earlier event.
    Cursor(FeedCursor),
    /// The pages created from this time on.
    Time(DateTime<Utc>),
}

/// A replay under way.
pub(crate) struct Replay {
    hub: Arc<Hub>,
    store: Arc<dyn Store>,
    filter: PageFilter,
    joined: Arc<Joined>,
    /// The rest of the list by time.
    list: Option<List>,
    told: Recent,
    /// Behind what was read of the topic last.
    position: FeedPosition,
    /// Where the subscriber's live feed begins.
    goal: FeedPosition,
    turns: Turns,
    /// While it is there it counts, among all and among those of its connection.
    _counts: (TaskTrackerToken, Option<OwnedSemaphorePermit>),
}

struct List {
    span: TimeSpan,
    after: Option<PageKey>,
    pages: VecDeque<Page>,
    is_read: bool,
}

/// What the replay found.
enum Found {
    Event(LiveEvent),
    Nothing,
    CaughtUp,
}

impl Replay {
    /// Begins once the subscriber's live feed runs.
    ///
    /// # Errors
    /// `BAD_CURSOR` where the cursor's position is not held, `UNAVAILABLE` while the bus is away, `LIMIT_EXCEEDED`
    /// while too many replay.
    pub(crate) async fn open(
        hub: Arc<Hub>,
        store: Arc<dyn Store>,
        filter: PageFilter,
        from: ReplayFrom,
        joined: Arc<Joined>,
        of_connection: Option<ReplaysOfConnection>,
    ) -> Result<Self, ApiError> {
        // The connection's own come first: who waits there keeps nobody else from a turn.
        let own = match of_connection {
            Some(ReplaysOfConnection(places)) => places.acquire_owned().await.ok(),
            None => None,
        };
        let counts = (hub.replaying.token(), own);
        joined.runs().await;
        let goal = hub.position().ok_or(ApiError::FeedUnavailable)?;
        let (position, list) = match from {
            ReplayFrom::Cursor(FeedCursor { position, listed: None }) => (position, None),
            ReplayFrom::Cursor(FeedCursor { position, listed: Some(key) }) => {
                let from = Some(key.created_at);
                (position, Some(List::new(from, Some(key))))
            }
            ReplayFrom::Time(since) => {
                (joined.asked_at.clone().unwrap_or_else(|| goal.clone()), Some(List::new(Some(since), None)))
            }
        };
        // Where the position is not held, that is said before anything is told.
        let mut turns = Turns::new(Arc::clone(&hub));
        let turn = turns.take(&position).await?;
        turns.keep(turn);
        let told = Recent::new(TimeDelta::MAX, MAX_TOLD);
        Ok(Self { hub, store, filter, joined, list, told, position, goal, turns, _counts: counts })
    }

    /// The events, until the subscriber's live feed goes on; an error is the last one.
    pub(crate) fn events(self) -> impl Stream<Item = Result<LiveEvent, ApiError>> {
        unfold(Some(self), async |replay| {
            let mut replay = replay?;
            match replay.next().await {
                Ok(Some(event)) => Some((Ok(event), Some(replay))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<LiveEvent>, ApiError> {
        loop {
            let found = match &mut self.list {
                Some(_) => self.listed().await?,
                None => self.followed().await?,
            };
            match found {
                Found::Event(event) => return Ok(Some(event)),
                Found::Nothing => {}
                Found::CaughtUp => return Ok(None),
            }
        }
    }

    /// The next page by time.
    async fn listed(&mut self) -> Result<Found, ApiError> {
        let Some(list) = &mut self.list else { return Ok(Found::Nothing) };
        if let Some(page) = list.pages.pop_front() {
            let (key, now) = (page.key(), self.hub.clock.now());
            if now - key.created_at < MAY_COME_AGAIN {
                self.told.insert(&key, now);
            }
            let cursor = FeedCursor { position: self.position.clone(), listed: Some(key) };
            return Ok(Found::Event(LiveEvent {
                page: Arc::new(page),
                cursor,
                missed_count: 0,
                reads: SharedReads::default(),
            }));
        }
        if list.is_read {
            self.list = None;
            // What the live feed told so far is in the list: it is passed here, where that is known.
            self.goal = self.hub.position().ok_or(ApiError::FeedUnavailable)?;
            return Ok(Found::Nothing);
        }
        let query = PageQuery {
            list: PageList::All,
            order: ListOrder::OldestFirst,
            during: list.span,
            filter: self.filter.clone(),
            after: list.after.take(),
            limit: PART,
            max_rows: MAX_ROWS_READ,
        };
        let turn = self.turns.take(&self.position).await?;
        let slice = self.store.list_pages(&query).await?;
        self.turns.keep(turn);
        list.pages = slice.pages.into();
        list.is_read = slice.next.is_none();
        list.after = slice.next;
        Ok(Found::Nothing)
    }

    /// The next page in the order of storing.
    async fn followed(&mut self) -> Result<Found, ApiError> {
        if self.position.covers(&self.goal) {
            return self.reached();
        }
        let mut turn = self.turns.take(&self.position).await?;
        // What is wanted is there: where it does not come, the bus is away.
        let followed = timeout(FOLLOWS_WITHIN, turn.follower.next()).await.map_err(|_| ApiError::FeedUnavailable)?;
        let followed = followed.map_err(unavailable)?;
        self.position = turn.follower.position();
        self.turns.keep(turn);
        match followed {
            Followed::Missed(_) => Err(ApiError::PlaceNotHeld),
            Followed::Record(record) => {
                let Ok(page) = serde_json::from_slice::<Page>(&record.payload) else { return Ok(Found::Nothing) };
                if !self.filter.matches(&page) || !self.told.insert(&page.key(), self.hub.clock.now()) {
                    return Ok(Found::Nothing);
                }
                let cursor = FeedCursor { position: self.position.clone(), listed: None };
                Ok(Found::Event(LiveEvent {
                    page: Arc::new(page),
                    cursor,
                    missed_count: 0,
                    reads: SharedReads::default(),
                }))
            }
        }
    }

    /// At the beginning of the live feed: goes on with that, or to where it begins anew.
    fn reached(&mut self) -> Result<Found, ApiError> {
        if self.joined.go_on(&self.position) {
            return Ok(Found::CaughtUp);
        }
        self.goal = self.hub.position().ok_or(ApiError::FeedUnavailable)?;
        Ok(Found::Nothing)
    }
}

impl List {
    fn new(from: Option<DateTime<Utc>>, after: Option<PageKey>) -> Self {
        Self { span: TimeSpan { from, to: None }, after, pages: VecDeque::new(), is_read: false }
    }
}
