//! Beside the writer: has the store bring its counts up to the pages written, and remove pages that were kept long enough.
//! A store that does so itself has nothing to do.

use crate::backoff::Backoff;
use schema::clock::Clock;
use schema::store::{Sealing, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two passes where the store asks for no rest: counts are to be exact within seconds, and a pass that finds nothing
/// costs a few small reads.
const PASS_EVERY: Duration = Duration::from_secs(1);
/// After failures.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Seals until shutdown, which it does not hold up: a pass that is dropped leaves its marks to the next.
///
/// A failure is told once, until a pass succeeds; what no waiting mends ends the writer itself.
pub(crate) async fn run(store: Arc<dyn Store>, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
    let pass = || {
        let (store, now) = (Arc::clone(&store), clock.now());
        async move {
            let pass = store.seal_counts(now).await?;
            store.remove_expired(now).await?;
            Ok(pass)
        }
    };
    shutdown.run_until_cancelled(repeat(pass)).await;
}

/// Makes one pass after the other.
async fn repeat<F: Future<Output = Result<Sealing, StoreError>>>(pass: impl Fn() -> F) {
    let mut backoff = Backoff::new(PASS_EVERY, LONGEST_WAIT);
    let mut has_told = false;
    loop {
        let wait = match pass().await {
            Ok(pass) => {
                if pass.sealed > 0 {
                    tracing::debug!(sealed = pass.sealed, left = pass.left, "counts were taken");
                }
                backoff.reset();
                has_told = false;
                pass.rest.max(PASS_EVERY)
            }
            Err(error) => {
                if !has_told {
                    tracing::warn!(%error, "counts could not be taken or pages removed; they are late until they can");
                }
                has_told = true;
                backoff.next_wait()
            }
        };
        sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::time::{Instant, timeout};

    fn away() -> Result<Sealing, StoreError> {
        Err(StoreError::Unavailable("away".into()))
    }

    /// When each pass began, in seconds, where those of these numbers come to this.
    async fn begun(within: Duration, outcome: impl Fn(usize) -> Result<Sealing, StoreError>) -> Vec<f64> {
        let (start, begun) = (Instant::now(), Mutex::new(Vec::new()));
        let pass = || {
            let mut begun = begun.lock().unwrap();
            begun.push(start.elapsed().as_secs_f64());
            std::future::ready(outcome(begun.len()))
        };
        timeout(within, repeat(pass)).await.expect_err("it repeats for ever");
        begun.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_is_made_each_second() {
        let begun = begun(Duration::from_secs(60), |_| Ok(Sealing::default())).await;
        assert!((59..=61).contains(&begun.len()), "{begun:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_written_to_fast_is_left_alone_for_as_long_as_it_says() {
        let rest = Duration::from_secs(20);
        let rests =
            |number| Ok(Sealing { rest: if number == 2 { rest } else { Duration::ZERO }, ..Sealing::default() });
        let begun = begun(Duration::from_secs(60), rests).await;
        let waits: Vec<f64> = begun.windows(2).map(|pair| pair[1] - pair[0]).take(3).collect();
        assert!(waits.iter().zip([1.0, 20.0, 1.0]).all(|(wait, wanted)| (wait - wanted).abs() < 0.01), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_is_asked_less_and_less_until_it_answers() {
        let outcome = |number| if number <= 12 { away() } else { Ok(Sealing::default()) };
        let begun = begun(Duration::from_secs(400), outcome).await;
        let waits: Vec<f64> = begun.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            waits[..12].iter().all(|wait| *wait <= 30.0) && waits[8..12].iter().all(|wait| *wait > 5.0),
            "{waits:?}"
        );
        assert!(waits[12..].iter().all(|wait| (wait - 1.0).abs() < 0.01), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_waits_for_no_pass() {
        let shutdown = CancellationToken::new();
        let hangs = std::future::pending;
        let sealing = shutdown.run_until_cancelled(repeat(hangs));
        let ends = async {
            sleep(Duration::from_secs(3)).await;
            shutdown.cancel();
        };
        let (ended, ()) =
            timeout(Duration::from_secs(4), async { tokio::join!(sealing, ends) }).await.expect("in time");
        assert!(ended.is_none());
    }
}
