//! Whose turn it is to read: few replays do at one time, each for a moment while others wait. Who takes nothing of what was
//! read loses the turn, so no reader keeps others from theirs.

use crate::live::Hub;
use crate::schema::errors::ApiError;
use ingest::bus::{BusError, FeedPosition, Follower, Topic};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long a turn lasts while others wait, and how long a replay that is not asked for more keeps it behind its end.
const LASTS: Duration = Duration::from_secs(1);

/// How long a replay waits for its turn.
const WITHIN: Duration = Duration::from_secs(30);

/// The turns of one replay, one after the other.
pub(super) struct Turns {
    hub: Arc<Hub>,
    /// The turn that lasts while the reader is told what was read.
    kept: Arc<Mutex<Option<Turn>>>,
    end: Option<AbortOnDropHandle<()>>,
}

/// One turn.
pub(super) struct Turn {
    /// Of the topic `stored`.
    pub(super) follower: Box<dyn Follower>,
    place: OwnedSemaphorePermit,
    ends: Instant,
}

impl Turns {
    /// None yet.
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, kept: Arc::default(), end: None }
    }

    /// The turn that lasts, or the next one, in which the topic is followed from `position` on.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` when it does not come in time, `BAD_CURSOR` where the position is not held, `UNAVAILABLE` while
    /// the bus is away.
    pub(super) async fn take(&mut self, position: &FeedPosition) -> Result<Turn, ApiError> {
        let kept = lock(&self.kept).take();
        match kept {
            Some(turn) => Ok(turn),
            None => self.begin(position).await,
        }
    }

    async fn begin(&mut self, position: &FeedPosition) -> Result<Turn, ApiError> {
        let place = timeout(WITHIN, Arc::clone(&self.hub.replays).acquire_owned()).await;
        let busy = |_| {
            ApiError::LimitExceeded(
                "too many are given what they missed; go on with the same cursor a little later".into(),
            )
        };
        let place = place.map_err(busy)?.map_err(|_| ApiError::FeedUnavailable)?;
        let follower = self.hub.bus.follow_from(Topic::Stored, position).await.map_err(unavailable)?;
        let follower = follower.ok_or(ApiError::PlaceNotHeld)?;
        Ok(self.timed(follower, place))
    }

    /// Keeps the turn for what is read next; one that is over goes on only where nobody waits.
    pub(super) fn keep(&mut self, mut turn: Turn) {
        if turn.ends <= Instant::now() {
            let Turn { follower, place, .. } = turn;
            // Who waits has it at once.
            drop(place);
            let Ok(place) = Arc::clone(&self.hub.replays).try_acquire_owned() else { return };
            turn = self.timed(follower, place);
        }
        *lock(&self.kept) = Some(turn);
    }

    /// A turn from now on.
    fn timed(&mut self, follower: Box<dyn Follower>, place: OwnedSemaphorePermit) -> Turn {
        let (kept, ends) = (Arc::clone(&self.kept), Instant::now() + LASTS);
        self.end = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            sleep_until(ends + LASTS).await;
            let over = lock(&kept).take();
            drop(over);
        })));
        Turn { follower, place, ends }
    }
}

fn lock(kept: &Mutex<Option<Turn>>) -> MutexGuard<'_, Option<Turn>> {
    kept.lock().expect("no holder of this lock panics")
}

pub(super) fn unavailable(error: BusError) -> ApiError {
    tracing::warn!(%error, "what a subscriber missed cannot be read");
    ApiError::FeedUnavailable
}
