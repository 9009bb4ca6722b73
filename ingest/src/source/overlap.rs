//! How far the stream was read, and whether the overlap of a resume proves that nothing is missing. Pure.
//!
//! Resuming asks for a minute before the position. The stream then brings the last event back; where it goes on later
//! without it, it no longer holds the time between, and that is a gap.

use super::recent::Recent;
use super::{Checkpoint, LastEvent};
use crate::clean::clean;
use crate::position::StreamPosition;
use crate::status::{Gap, GapReason};
use chrono::{DateTime, Utc};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

/// Follows the stream's order.
#[derive(Debug)]
pub(super) struct Progress {
    overlap: Duration,
    /// What a resume begins with: all before it was handed on, or is a recorded gap.
    settled: Checkpoint,
    /// What has been read, though the overlap is not proven yet.
    seen: Checkpoint,
    /// The event that must come back on this connection.
    wanted: Option<LastEvent>,
    /// The time of this connection's first event later than the wanted one: where a gap ends.
    resumed_at: Option<DateTime<Utc>>,
    has_error: bool,
    recent: Recent,
}

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Not seen in the last ten minutes.
    pub(super) is_new: bool,
    /// A time for which events may be missing.
    pub(super) gap: Option<Gap>,
    /// Its own time.
    pub(super) event_at: Option<DateTime<Utc>>,
    /// What may be stored once it is durable; none while the overlap is not proven.
    pub(super) checkpoint: Option<Checkpoint>,
}

impl Progress {
    pub(super) fn new(stored: Option<Checkpoint>, overlap: Duration) -> Self {
        let settled = stored.unwrap_or_default();
        let seen = settled.clone();
        Self { overlap, settled, seen, wanted: None, resumed_at: None, has_error: false, recent: Recent::default() }
    }

    /// The id with which the next connection resumes, if anything was read before.
    pub(super) fn begin_connection(&mut self) -> Option<String> {
        let id = self.settled.id.resume_id(self.overlap);
        self.seen = self.settled.clone();
        self.wanted = self.settled.last_event.clone().filter(|_| id.is_some());
        self.resumed_at = None;
        self.has_error = false;
        id
    }

    /// The stream told of an error in its data; if it goes on all the same, something was left out.
    pub(super) fn note_error(&mut self) {
        self.has_error = true;
    }

    /// An event came.
    pub(super) fn take(&mut self, data: &[u8], id: Option<&str>, now: DateTime<Utc>) -> Taken {
        let hash = xxh3_128(data);
        let event_at = clean(data).ok().map(|page| page.created_at);
        let position = id.filter(|id| !id.is_empty()).and_then(|id| {
            StreamPosition::parse(id, now).map_err(|why| tracing::warn!(why, "an id of the stream is left out")).ok()
        });
        let time = event_at.or_else(|| time_of(position.as_ref()?)).unwrap_or(now);
        let hex = format!("{hash:032x}");
        let mut gap = self.error_gap(time);
        if let Some(wanted) = &self.wanted {
            self.resumed_at = self.resumed_at.or(Some(time).filter(|time| *time > wanted.created_at));
            if wanted.hash == hex {
                self.wanted = None;
            } else if self.is_beyond(wanted, position.as_ref()) {
                gap = Some(gap_between(wanted.created_at, self.resumed_at.unwrap_or(time), GapReason::HistoryExpired));
                self.wanted = None;
            }
        }
        if let Some(topic) = position.and_then(|position| self.seen.id.merge(&position)) {
            self.seen.last_event = Some(LastEvent { created_at: time, hash: hex, topic: Some(topic) });
        }
        if self.wanted.is_none() {
            self.settled = self.seen.clone();
        }
        // Without any id there is nothing to resume from, and nothing to store.
        let checkpoint = (self.wanted.is_none() && !self.settled.id.is_empty()).then(|| self.settled.clone());
        Taken { is_new: self.recent.insert(hash, now), gap, event_at, checkpoint }
    }

    fn error_gap(&mut self, to: DateTime<Utc>) -> Option<Gap> {
        let had_error = std::mem::take(&mut self.has_error);
        let last = self.seen.last_event.as_ref().filter(|_| had_error)?;
        Some(gap_between(last.created_at, to, GapReason::StreamError))
    }

    /// Whether the stream is so far beyond the wanted event that it cannot come any more. Only the event's own topic
    /// tells: another one, idle but for canaries, is replayed faster.
    fn is_beyond(&self, wanted: &LastEvent, position: Option<&StreamPosition>) -> bool {
        let overlap = u64::try_from(self.overlap.as_millis()).unwrap_or(u64::MAX);
        let time = |position: &StreamPosition| match &wanted.topic {
            Some(topic) => position.time_of(topic),
            None => position.newest(),
        };
        match (position.and_then(time), time(&self.settled.id)) {
            (Some(now), Some(last)) => now > last.saturating_add(overlap),
            _ => false,
        }
    }
}

fn time_of(position: &StreamPosition) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(position.newest()?).ok()?)
}

fn gap_between(from: DateTime<Utc>, to: DateTime<Utc>, reason: GapReason) -> Gap {
    Gap { from, to: to.max(from), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_768_000_000;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW + seconds, 0).unwrap()
    }

    fn progress(stored: Option<Checkpoint>) -> Progress {
        Progress::new(stored, Duration::from_secs(60))
    }

    /// An event of a second, read.
    fn take(progress: &mut Progress, second: i64) -> Taken {
        let id = format!(r#"[{{"topic":"a","partition":0,"timestamp":{}}}]"#, (NOW + second) * 1000);
        progress.take(format!("event of {second}").as_bytes(), Some(&id), at(10_000))
    }

    fn read_to(seconds: &[i64]) -> Option<Checkpoint> {
        let mut progress = progress(None);
        progress.begin_connection();
        seconds.iter().filter_map(|second| take(&mut progress, *second).checkpoint).last()
    }

    #[test]
    fn the_overlap_brings_the_last_event_back() {
        let mut progress = progress(read_to(&[1, 5, 3]));
        assert!(progress.begin_connection().unwrap().contains(&format!("{}000", NOW + 5 - 60)));
        assert_eq!(take(&mut progress, 1).checkpoint, None, "not proven yet");
        assert_eq!(take(&mut progress, 4).gap, None);
        let proof = take(&mut progress, 5);
        assert!(proof.checkpoint.is_some() && proof.gap.is_none());
        let after = take(&mut progress, 500);
        assert!(after.gap.is_none() && after.checkpoint.unwrap().id.newest() == Some((NOW as u64 + 500) * 1000));
    }

    #[test]
    fn a_stream_that_goes_on_later_has_a_gap() {
        let mut progress = progress(read_to(&[1, 5]));
        progress.begin_connection();
        let first = take(&mut progress, 3_600);
        assert_eq!(first.gap, Some(Gap { from: at(5), to: at(3_600), reason: GapReason::HistoryExpired }));
        assert!(first.checkpoint.is_some());
        assert_eq!(take(&mut progress, 3_601).gap, None, "told once");
    }

    #[test]
    fn another_topic_that_is_ahead_proves_no_gap() {
        let mut progress = progress(read_to(&[1, 5]));
        progress.begin_connection();
        let ahead = format!(r#"[{{"topic":"idle","partition":0,"timestamp":{}}}]"#, (NOW + 3_600) * 1000);
        assert_eq!(progress.take(b"canary", Some(&ahead), at(10_000)).gap, None);
        let proof = take(&mut progress, 5);
        assert!(proof.gap.is_none() && proof.checkpoint.is_some());
    }

    #[test]
    fn an_unproven_connection_does_not_move_the_resume() {
        let mut progress = progress(read_to(&[1, 5]));
        let first = progress.begin_connection();
        assert_eq!(take(&mut progress, 40).checkpoint, None);
        assert_eq!(progress.begin_connection(), first);
        assert_eq!(take(&mut progress, 66).gap.map(|gap| gap.from), Some(at(5)));
    }

    #[test]
    fn errors_within_the_data_are_gaps_only_if_the_stream_goes_on() {
        let mut progress = progress(None);
        progress.begin_connection();
        take(&mut progress, 1);
        progress.note_error();
        assert_eq!(take(&mut progress, 2).gap, Some(Gap { from: at(1), to: at(2), reason: GapReason::StreamError }));
        progress.note_error();
        progress.begin_connection();
        assert_eq!(take(&mut progress, 2).gap, None, "the overlap brings back what the error held up");
    }

    #[test]
    fn repeated_events_are_new_once() {
        let mut progress = progress(None);
        progress.begin_connection();
        assert!(take(&mut progress, 1).is_new);
        assert!(!take(&mut progress, 1).is_new);
    }

    #[test]
    fn without_an_id_there_is_no_position() {
        let mut progress = progress(None);
        progress.begin_connection();
        assert_eq!(progress.take(b"event", None, at(0)).checkpoint, None);
        assert!(take(&mut progress, 1).checkpoint.is_some());
        assert!(progress.take(b"another", None, at(0)).checkpoint.is_some(), "the last one still holds");
    }

    #[test]
    fn hostile_ids_do_not_move_anything() {
        let mut progress = progress(read_to(&[5]));
        let resume = progress.begin_connection();
        take(&mut progress, 5);
        for id in ["", "x", "[]", r#"[{"topic":"a","partition":0,"timestamp":99999999999999}]"#] {
            let taken = progress.take(id.as_bytes(), Some(id), at(0));
            assert!(taken.is_new && taken.gap.is_none());
        }
        assert_eq!(progress.begin_connection(), resume);
    }
}
