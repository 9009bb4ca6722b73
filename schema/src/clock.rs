//! Time as a parameter, so that tests own it.

use chrono::{DateTime, TimeZone, Utc};
use std::sync::Mutex;

/// Where the present comes from.
pub trait Clock: Send + Sync {
    /// The present, UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub struct FixedClock(Mutex<DateTime<Utc>>);

impl FixedClock {
    /// A clock that shows `seconds` since 1970.
    ///
    /// # Panics
    /// When `seconds` is beyond chrono's range.
    pub fn at(seconds: i64) -> Self {
        Self(Mutex::new(Utc.timestamp_opt(seconds, 0).single().expect("a time within chrono's range")))
    }

    /// Moves the clock.
    ///
    /// # Panics
    /// When another thread panicked while it set the clock.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().expect("no holder of this lock panics") = now;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no holder of this lock panics")
    }
}
