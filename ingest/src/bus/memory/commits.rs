//! The topic `stored` over a store that orders its commits: followers read the pages from there, so they go on from any
//! position as long as the store has the pages behind it, also in a new process. A page that is written again, or replaced
//! by a larger version, does not come again.

use super::bus_error;
use crate::bus::position::FeedPosition;
use crate::bus::{BusError, Followed, Follower, IsWanted, Record};
use async_trait::async_trait;
use schema::page::Page;
use schema::store::{Commit, Store};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::watch;

/// Pages read at once.
const PART: usize = 500;

pub(super) struct Commits {
    store: Arc<dyn Store>,
    /// Told of each announcement.
    news: watch::Sender<()>,
}

impl Commits {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, news: watch::Sender::new(()) }
    }

    /// Pages have been committed.
    pub(super) fn announce(&self) {
        self.news.send_replace(());
    }

    pub(super) async fn follow(&self) -> Result<CommitsFollower, BusError> {
        let news = self.news.subscribe();
        let at = self.store.last_commit().await.map_err(bus_error)?;
        Ok(CommitsFollower { store: Arc::clone(&self.store), news, at, ready: VecDeque::new() })
    }

    /// Goes on from a position; none where a page behind it is gone, or it is another store's.
    pub(super) async fn follow_from(&self, position: &FeedPosition) -> Result<Option<CommitsFollower>, BusError> {
        let Some((number, mark)) = position.as_single() else { return Ok(None) };
        let at = Commit { number, mark };
        let news = self.news.subscribe();
        let is_held = self.store.list_committed(at, 1).await.map_err(bus_error)?.is_some();
        let follower = CommitsFollower { store: Arc::clone(&self.store), news, at, ready: VecDeque::new() };
        Ok(is_held.then_some(follower))
    }
}

pub(super) struct CommitsFollower {
    store: Arc<dyn Store>,
    news: watch::Receiver<()>,
    /// Behind what was given.
    at: Commit,
    ready: VecDeque<(Commit, Page)>,
}

impl CommitsFollower {
    /// Reads on; how many pages are missing where some are gone.
    async fn read(&mut self) -> Result<Option<u64>, BusError> {
        match self.store.list_committed(self.at, PART).await.map_err(bus_error)? {
            Some(pages) => {
                self.ready.extend(pages);
                Ok(None)
            }
            None => {
                let last = self.store.last_commit().await.map_err(bus_error)?;
                let missed = last.number.saturating_sub(self.at.number).unsigned_abs().max(1);
                self.at = last;
                Ok(Some(missed))
            }
        }
    }
}

#[async_trait]
impl Follower for CommitsFollower {
    async fn next(&mut self) -> Result<Followed, BusError> {
        loop {
            if let Some((commit, page)) = self.ready.pop_front() {
                self.at = commit;
                return Ok(Followed::Record(record(&page)));
            }
            self.news.borrow_and_update();
            if let Some(missed) = self.read().await? {
                return Ok(Followed::Missed(missed));
            }
            if self.ready.is_empty() {
                self.news.changed().await.map_err(|_| BusError::Closed)?;
            }
        }
    }

    async fn pass_over(&mut self, is_wanted: &IsWanted<'_>) -> Result<(), BusError> {
        if self.ready.is_empty() {
            self.news.changed().await.map_err(|_| BusError::Closed)?;
        }
        let end = self.store.last_commit().await.map_err(bus_error)?;
        if is_wanted(&FeedPosition::single(end.number, end.mark)) {
            // What was told of has not been read.
            self.news.mark_changed();
        } else {
            self.at = end;
            self.ready.clear();
        }
        Ok(())
    }

    fn position(&self) -> FeedPosition {
        FeedPosition::single(self.at.number, self.at.mark)
    }
}

/// As the cleaner publishes it.
fn record(page: &Page) -> Record {
    Record {
        key: format!("{}:{}", page.domain, page.page_id),
        payload: serde_json::to_vec(page).expect("a page is JSON").into(),
    }
}

#[cfg(test)]
mod tests;
