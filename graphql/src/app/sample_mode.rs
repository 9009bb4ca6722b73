//! When the recorded sample plays instead of the live stream, and when it gives way again.
//!
//! Pure decisions and the waiting for them; starting and stopping is `app`'s.

use ingest::source::{StreamSettings, probe};
use schema::query::{PageList, PageQuery};
use schema::store::{Store, StoreError, StoreUrl};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the live stream may stay silent at a first start before the sample plays.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long one attempt to reach the stream may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The folder of the sample's own store: never the live one, whatever that is.
pub(super) fn sample_folder(live: &StoreUrl) -> PathBuf {
    match live {
        StoreUrl::Embedded(folder) => folder.join("sample"),
        StoreUrl::Cassandra { .. } => PathBuf::from("data/sample"),
    }
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

/// What is known of the live source.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceView {
    /// Whether a connection stands.
    pub(super) is_connected: bool,
    /// Whether an event was ever handed on.
    pub(super) has_delivered: bool,
    /// Why there is no connection, in words.
    pub(super) reason: Option<String>,
}

/// Waits until the source was away for [`PATIENCE`] at a stretch: the reason to play the sample. None once an event was
/// handed on, or when `shutdown` came.
pub(super) async fn patience_ends(
    stream: &StreamSettings,
    source: impl Fn() -> SourceView,
    shutdown: &CancellationToken,
) -> Option<String> {
    let mut away_since = Instant::now();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        shutdown.run_until_cancelled(tick.tick()).await?;
        let seen = source();
        if seen.has_delivered {
            return None;
        }
        if seen.is_connected {
            away_since = Instant::now();
        }
        if away_since.elapsed() >= PATIENCE {
            return Some(seen.reason.unwrap_or_else(|| stream.no_answer(PATIENCE)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Plays a source by the tenth of a second; how long until the sample is to play.
    async fn check_patience(view: impl Fn(u64) -> SourceView) -> (Option<String>, u64) {
        let tenths = AtomicU64::new(0);
        let (stream, seen) = (StreamSettings::live("me"), || view(tenths.fetch_add(1, Ordering::Relaxed)));
        let reason = patience_ends(&stream, seen, &CancellationToken::new()).await;
        (reason, tenths.load(Ordering::Relaxed) / 10)
    }

    fn away() -> SourceView {
        SourceView { reason: Some("no route".into()), ..SourceView::default() }
    }

    fn connected() -> SourceView {
        SourceView { is_connected: true, ..SourceView::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_never_answers_gives_way_after_ten_seconds() {
        assert_eq!(check_patience(|_| away()).await, (Some("no route".into()), 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_silent_is_named() {
        let reason = "no answer from stream.wikimedia.org within 10 s";
        assert_eq!(check_patience(|_| SourceView::default()).await, (Some(reason.into()), 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_connection_without_an_event_only_puts_it_off() {
        let view = |tenth| if (50..60).contains(&tenth) { connected() } else { away() };
        assert_eq!(check_patience(view).await, (Some("no route".into()), 16));
    }

    #[tokio::test(start_paused = true)]
    async fn a_live_event_rules_the_sample_out() {
        let view = |tenth| SourceView { has_delivered: tenth > 150, ..if tenth > 90 { connected() } else { away() } };
        assert_eq!(check_patience(view).await.0, None);
    }
}
