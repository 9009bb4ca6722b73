//! When the recorded sample plays instead of the live stream, and when it gives way again.
//!
//! Pure decisions and the waiting for them; starting and stopping is `app`'s.

use ingest::source::{StreamSettings, probe};
use schema::clock::Clock;
use schema::query::{PageList, PageQuery};
use schema::store::{Store, StoreError, StoreUrl};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the live stream may stay silent at a first start before the sample plays.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one attempt to reach the stream may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The sample's own store: never the live one, whatever that is.
pub(super) fn sample_store(live: &StoreUrl) -> StoreUrl {
    let folder = match live {
        StoreUrl::Embedded(folder) => folder.clone(),
        StoreUrl::Cassandra { .. } => PathBuf::from("data"),
    };
    StoreUrl::Embedded(folder.join("sample"))
}

/// Removes the sample's store of an earlier start: its database files and nothing else.
///
/// # Errors
/// When a file is there and cannot be removed.
pub(super) fn remove_sample_store(url: &StoreUrl) -> std::io::Result<()> {
    let StoreUrl::Embedded(folder) = url else { return Ok(()) };
    for name in ["pagetrack.db", "pagetrack.db-wal", "pagetrack.db-shm"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a live event was ever stored.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn has_pages(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(!store.list_pages(&PageQuery::newest(PageList::All, 1)).await?.pages.is_empty())
}

/// Waits until the stream answers or `shutdown`. True when it answered.
pub(super) async fn stream_answers(stream: &StreamSettings, shutdown: &CancellationToken) -> bool {
    let mut pause = FIRST_PAUSE;
    loop {
        if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return false;
        }
        match shutdown.run_until_cancelled(probe(stream, PROBE_TIMEOUT)).await {
            None => return false,
            Some(Ok(())) => return true,
            Some(Err(why)) => tracing::debug!(why, "the live stream still does not answer"),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits `PATIENCE` for the producer's first connection. The reason to play the sample, or none when the stream
/// answered or `shutdown` came.
pub(super) async fn patience_ends(
    connected: impl Fn() -> (bool, Option<String>),
    clock: &Arc<dyn Clock>,
    shutdown: &CancellationToken,
) -> Option<String> {
    let begun = clock.now();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        shutdown.run_until_cancelled(tick.tick()).await?;
        let (is_connected, reason) = connected();
        if is_connected {
            return None;
        }
        if (clock.now() - begun).to_std().unwrap_or_default() >= PATIENCE {
            return Some(reason.unwrap_or_else(|| "the live stream did not answer".into()));
        }
    }
}
