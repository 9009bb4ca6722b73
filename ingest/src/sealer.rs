//! Beside the writer: has the store bring its counts up to the pages written, and remove pages that were kept long enough.
//! A store that does so itself has nothing to do.

use crate::backoff::Backoff;
use schema::clock::Clock;
use schema::store::{Sealing, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two passes: counts are to be exact within seconds, and a pass that finds nothing costs a few small reads.
const PASS_EVERY: Duration = Duration::from_secs(1);
/// After failures.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Seals until shutdown, which it does not hold up: a pass that is dropped leaves its marks to the next.
///
/// A failure is told once, until a pass succeeds; what no waiting mends ends the writer itself.
pub(crate) async fn run(store: Arc<dyn Store>, clock: Arc<dyn Clock>, shutdown: CancellationToken) {
    shutdown.run_until_cancelled(seal_for_ever(store.as_ref(), clock.as_ref())).await;
}

async fn pass(store: &dyn Store, clock: &dyn Clock) -> Result<Sealing, StoreError> {
    let pass = store.seal_counts(clock.now()).await?;
    store.remove_expired(clock.now()).await?;
    Ok(pass)
}

async fn seal_for_ever(store: &dyn Store, clock: &dyn Clock) {
    let mut backoff = Backoff::new(PASS_EVERY, LONGEST_WAIT);
    let mut has_told = false;
    loop {
        let wait = match pass(store, clock).await {
            Ok(pass) => {
                if pass.sealed > 0 {
                    tracing::debug!(sealed = pass.sealed, left = pass.left, "counts were taken");
                }
                backoff.reset();
                has_told = false;
                PASS_EVERY
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
