//! How fast pages come to this process, and how long its sealer leaves the node to them.

use crate::store::cassandra::sealer::{CHEAP, REST_TIMES};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where more pages come in a second, the counts may be late: below it they follow within seconds.
const BUSY: f64 = 100.0;
/// Behind a cheap pass the rest is short: the hour that runs stays this sealer's, and a burst of pages does not make the
/// counts late.
const MAX_REST_OF_CHEAP: Duration = Duration::from_secs(4);
/// However long a pass took.
const MAX_REST: Duration = Duration::from_secs(120);

/// Pages written by this process since they were asked for.
pub(super) struct Arrivals {
    pages: AtomicU64,
    since: Mutex<Instant>,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self { pages: AtomicU64::new(0), since: Mutex::new(Instant::now()) }
    }

    pub(super) fn add(&self, pages: usize) {
        self.pages.fetch_add(pages as u64, Ordering::Relaxed);
    }

    /// For how long to rest behind a pass that took so long, by what came since the pass before.
    pub(super) fn rest_after(&self, took: Duration) -> Duration {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut *since, now);
        let pages = self.pages.swap(0, Ordering::Relaxed);
        let most = match pages as f64 > BUSY * elapsed.as_secs_f64() {
            true if took > CHEAP => MAX_REST,
            true => MAX_REST_OF_CHEAP,
            false => Duration::ZERO,
        };
        (took * REST_TIMES).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sealer_rests_while_many_pages_come() {
        let (arrivals, second) = (Arrivals::new(), Duration::from_secs(1));
        let rest = async |pages, after, took| {
            arrivals.add(pages);
            tokio::time::advance(after).await;
            arrivals.rest_after(took)
        };
        assert_eq!(rest(0, second, second).await, Duration::ZERO);
        assert_eq!(rest(50, second, second).await, Duration::ZERO, "as many as are to be counted within 5 s");
        assert_eq!(rest(101, second, second / 10).await, 2 * second);
        assert_eq!(rest(101, 3 * second, second).await, Duration::ZERO, "what was told is not told again");
        assert_eq!(rest(1_000_000, second, second).await, MAX_REST_OF_CHEAP);
        assert_eq!(rest(1_000_000, second, 2 * second).await, 40 * second);
        assert_eq!(rest(1_000_000, second, 100 * second).await, MAX_REST);
    }
}
