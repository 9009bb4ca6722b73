//! How long pages are kept, and which hours are frozen; pure. Counts are kept for ever.
//!
//! An hour is frozen a day before its first page may go: from then on nothing is written into it, and its counts are
//! neither taken nor verified again. So they stay what they were when all of its pages were there.

use crate::hour::Hour;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The stream replays 31 days; one more for events that come late, and one in which an hour is frozen and still there.
/// With less, a start after a long stop would be given events that it must reject.
pub const FEWEST_DAYS: u32 = 33;
/// Ten years: nodes of Cassandra refuse rows that are to go after 2038 (after 2106 where they are so set).
pub const MOST_DAYS: u32 = 3_650;
/// How far ahead of the present a page's time may be, and some: what was written before a change lies before it.
const AHEAD: i64 = 48;

/// How long pages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keep {
    /// For so many days after their creation.
    Days(u32),
    /// For ever.
    All,
}

impl Keep {
    /// Hours before it are frozen.
    fn frozen_before(self, now: DateTime<Utc>) -> Hour {
        self.hours_before(now, 1)
    }

    /// All pages of hours before it have been there long enough.
    fn expired_before(self, now: DateTime<Utc>) -> Hour {
        self.hours_before(now, 0)
    }

    /// The hours that ended so many days ago, less `by`.
    fn hours_before(self, now: DateTime<Utc>, by: u32) -> Hour {
        let Self::Days(days) = self else { return Hour::MIN };
        let age = TimeDelta::days(days.saturating_sub(by).into());
        Hour::of(now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC))
    }
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let days = text.strip_suffix('d').filter(|days| days.bytes().all(|b| b.is_ascii_digit()));
        match days.and_then(|days| days.parse().ok()) {
            Some(days) if (FEWEST_DAYS..=MOST_DAYS).contains(&days) => Ok(Self::Days(days)),
            Some(days) if days < FEWEST_DAYS => Err(format!(
                "use {FEWEST_DAYS}d or more: the stream replays 31 days, and what it replays must not be frozen yet"
            )),
            _ => Err(format!("use all, or {FEWEST_DAYS}d to {MOST_DAYS}d, such as 90d for 90 days")),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::All => f.write_str("all"),
        }
    }
}

/// What decides when a stored page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The store, when it is time: what is set counts for all pages.
    ByStore,
    /// Each row by itself, as was set when it was written.
    ByRow,
}

/// What a store knows of its retention. It is the store's, not a process', so that no two can disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    keep: Keep,
    /// Hours before it are frozen, whatever is set: it never moves back.
    frozen: Hour,
    /// Where rows go by themselves: what was set before, and was shorter.
    #[serde(default)]
    earlier: Vec<Earlier>,
}

/// Rows of hours before `until` may have been written to be kept so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Earlier {
    until: Hour,
    keep: Keep,
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep: Keep::All, frozen: Hour::MIN, earlier: Vec::new() }
    }
}

impl Retention {
    /// How long pages are kept that are written now.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Hours before it are frozen.
    pub fn frozen_before(&self, now: DateTime<Utc>) -> Hour {
        self.latest(|keep| keep.frozen_before(now)).max(self.frozen)
    }

    /// Pages of hours before it are gone, or may go. Always frozen.
    pub fn expired_before(&self, now: DateTime<Utc>) -> Hour {
        self.latest(|keep| keep.expired_before(now))
    }

    fn latest(&self, hours_before: impl Fn(Keep) -> Hour) -> Hour {
        let earlier = self.earlier.iter().map(|earlier| hours_before(earlier.keep).min(earlier.until));
        earlier.fold(hours_before(self.keep), Hour::max)
    }

    /// For how many seconds from now a row of `hour` is to be kept, where it is to go as a page of `time` does; none is for
    /// ever. At least one: what may not be written is told by [`Self::frozen_before`].
    pub fn seconds_left(&self, hour: Hour, time: DateTime<Utc>, now: DateTime<Utc>) -> Option<u32> {
        let earlier = self.earlier.iter().filter(|earlier| hour < earlier.until).map(|earlier| earlier.keep);
        let Keep::Days(days) = earlier.fold(self.keep, Keep::min) else { return None };
        let left = (time + TimeDelta::days(days.into()) - now).num_seconds();
        Some(u32::try_from(left.max(1)).unwrap_or(u32::MAX))
    }

    /// Hours before it are noted as frozen.
    pub fn frozen(&self) -> Hour {
        self.frozen
    }

    /// The same once `keep` is set. What is noted as frozen stays so ([`Self::moved_on`] must have been asked first), and
    /// what was written to go earlier is going to be.
    #[must_use]
    pub fn with(&self, keep: Keep, now: DateTime<Utc>, removal: Removal) -> Self {
        let mut changed = Self { keep, ..self.clone() };
        match removal {
            Removal::ByStore => {}
            Removal::ByRow => {
                let until = Hour::of(now).plus(AHEAD);
                changed.earlier.push(Earlier { until, keep: self.keep });
                changed.earlier.retain(|e| e.keep < keep && e.until > keep.frozen_before(now));
            }
        }
        changed
    }

    /// The same when it has frozen more since.
    pub fn moved_on(&self, now: DateTime<Utc>) -> Option<Self> {
        let frozen = self.frozen_before(now);
        (frozen > self.frozen).then(|| Self { frozen, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hour(text: &str) -> Hour {
        text.parse().unwrap()
    }

    #[test]
    fn a_setting_is_all_or_days_within_bounds() {
        for good in ["all", "33d", "90d", "3650d"] {
            assert_eq!(good.parse::<Keep>().unwrap().to_string(), good);
        }
        let check_refused = |bad: &str, word: &str| {
            let why = bad.parse::<Keep>().unwrap_err();
            assert!(why.contains(word), "{bad}: {why}");
        };
        check_refused("32d", "replays 31 days");
        check_refused("0d", "use 33d or more");
        for bad in ["", "d", "90", "+90d", "-90d", "3651d", "99999999999d", "90h", "ALL", "٩٠d"] {
            check_refused(bad, "such as 90d");
        }
    }

    #[test]
    fn an_hour_is_frozen_a_day_before_its_pages_go() {
        let now = time("2025-05-18T13:59:59Z");
        let all = Retention::default();
        assert_eq!((all.frozen_before(now), all.expired_before(now)), (Hour::MIN, Hour::MIN));
        let kept = all.with(Keep::Days(40), now, Removal::ByStore);
        assert_eq!(kept.frozen_before(now), hour("2025-04-09-13"));
        assert_eq!(kept.expired_before(now), hour("2025-04-08-13"));
        assert_eq!(kept.frozen_before(DateTime::<Utc>::MIN_UTC), Hour::MIN);
    }

    #[test]
    fn what_is_frozen_stays_frozen() {
        let now = time("2025-05-18T13:00:00Z");
        let kept = Retention::default().with(Keep::Days(40), now, Removal::ByStore);
        let later = now + TimeDelta::days(10);
        for keep in [Keep::Days(90), Keep::All] {
            let raised = kept.moved_on(later).unwrap().with(keep, later, Removal::ByStore);
            assert_eq!(raised.frozen_before(later), hour("2025-04-19-13"));
            assert_eq!(raised.frozen_before(now), hour("2025-04-19-13"), "a clock that steps back thaws nothing");
            assert_eq!(raised.expired_before(later), keep.expired_before(later), "and less goes from now on");
        }
    }

    #[test]
    fn rows_that_were_written_to_go_earlier_freeze_their_hours_earlier() {
        let now = time("2025-05-18T13:00:00Z");
        let kept = Retention::default().with(Keep::Days(40), now, Removal::ByRow);
        assert_eq!(kept.earlier, []);
        let raised = kept.with(Keep::All, now, Removal::ByRow);
        let written = hour("2025-05-20-13");
        assert_eq!(raised.frozen_before(now + TimeDelta::days(20)), hour("2025-04-29-13"));
        assert_eq!(raised.frozen_before(now + TimeDelta::days(400)), written, "what came behind is kept");
        let left = |at: Hour| raised.seconds_left(at, at.end(), at.end());
        assert_eq!((left(written.plus(-1)), left(written)), (Some(40 * 86_400), None));
        let lowered = raised.with(Keep::Days(35), now, Removal::ByRow);
        assert_eq!(lowered.earlier, [], "all goes earlier than that now");
        let again = raised.with(Keep::Days(60), now + TimeDelta::days(400), Removal::ByRow);
        assert_eq!(again.earlier, [], "those hours are frozen anyway");
    }

    #[test]
    fn rows_go_when_their_time_is_over() {
        let now = time("2025-05-18T13:00:00Z");
        let kept = Retention::default().with(Keep::Days(40), now, Removal::ByRow);
        let left = |at: DateTime<Utc>| kept.seconds_left(Hour::of(at), at, now);
        assert_eq!(left(now), Some(40 * 86_400));
        assert_eq!(left(now - TimeDelta::days(39)), Some(86_400));
        assert_eq!(left(now - TimeDelta::days(50)), Some(1), "never 0, which is for ever");
        let first_written = kept.frozen_before(now).start();
        assert!(left(first_written) >= Some(82_800), "23 hours at least");
    }

    #[test]
    fn it_is_kept_as_text() {
        let now = time("2025-05-18T13:00:00Z");
        let kept = Retention::default().with(Keep::Days(40), now, Removal::ByRow).with(Keep::All, now, Removal::ByRow);
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Retention>(&text).unwrap(), kept);
    }
}
