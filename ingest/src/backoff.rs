//! Waits after failures: doubled each time, with jitter, so that many programs do not come back at once.

use rand::Rng;
use std::time::Duration;

/// The next wait.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    /// After a failure: between half and all of the doubled wait, never less than the least.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let doubled = self.min.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(rand::rng().random_range(0.5..=1.0)).max(self.min)
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<f64> = (0..100).map(|_| backoff.next_wait().as_secs_f64()).collect();
        for (i, wait) in waits.iter().enumerate() {
            let doubled = (1u64 << i.min(20)).min(60) as f64;
            assert!((doubled / 2.0..=doubled).contains(wait) && *wait >= 1.0, "wait {i} is {wait}");
        }
        assert!(waits[50..].iter().any(|wait| *wait != waits[50]), "no jitter");
        backoff.reset();
        assert_eq!(backoff.next_wait(), Duration::from_secs(1));
    }
}
