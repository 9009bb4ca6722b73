//! How fast pages come to this process, and how long its sealer leaves the node to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Where more pages come in a second, the counts may be late: below it they follow within seconds.
const BUSY: f64 = 100.0;
/// Then a sealer rests so many times as long as a pass took: a twentieth of the time goes into counting.
const REST_TIMES: u32 = 20;
/// But never longer, however long that was.
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
        if pages as f64 > BUSY * elapsed.as_secs_f64() { (took * REST_TIMES).min(MAX_REST) } else { Duration::ZERO }
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
        assert_eq!(rest(1_000_000, second, second).await, 20 * second);
        assert_eq!(rest(1_000_000, second, 100 * second).await, MAX_REST);
    }
}
