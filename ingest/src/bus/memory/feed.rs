//! Every record to every follower, never holding the publisher up.

use crate::bus::{BusError, Followed, Follower, Record};
use async_trait::async_trait;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How many records a follower may lag behind; clean pages are about 400 bytes.
const CAPACITY: usize = 4_096;

pub(super) struct Feed(broadcast::Sender<Record>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Feed {
    pub(super) fn send(&self, record: Record) {
        // An error says that nobody follows, which is fine.
        let _ = self.0.send(record);
    }

    pub(super) fn follow(&self) -> FeedFollower {
        FeedFollower(self.0.subscribe())
    }
}

pub(super) struct FeedFollower(broadcast::Receiver<Record>);

#[async_trait]
impl Follower for FeedFollower {
    async fn next(&mut self) -> Result<Followed, BusError> {
        match self.0.recv().await {
            Ok(record) => Ok(Followed::Record(record)),
            Err(RecvError::Lagged(missed)) => Ok(Followed::Missed(missed)),
            Err(RecvError::Closed) => Err(BusError::Closed),
        }
    }
}
