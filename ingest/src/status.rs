//! What each process tells about itself every 2 s on the topic `status`, and what a reader of it knows.

mod meter;
mod view;

pub use meter::{Outcome, StageMeter, publish_status};
pub use view::PipelineView;

use crate::bus::Record;
use crate::clean::RejectReason;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The stages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StageName {
    /// Stream to `input`.
    Producer,
    /// `input` to `processed`.
    Cleaner,
    /// `processed` to the tables.
    Writer,
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceKind {
    /// The public stream, or a server that speaks like it.
    Live,
    /// Recorded events, not the present.
    Sample,
}

/// One stage's counters since its process started, taken under one lock:
/// `in = out + rejected + excluded + canaries + in_flight`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StageCounts {
    /// Records taken in.
    pub in_count: u64,
    /// Records handed on, delivered.
    pub out_count: u64,
    /// Faulty events, recorded in `rejected`.
    pub rejected_count: u64,
    /// Events of creators without an account, left out on purpose.
    pub excluded_count: u64,
    /// The stream's own test events.
    pub canary_count: u64,
    /// Taken in and not yet done.
    pub in_flight_count: u64,
    /// Counts by reason, canaries included, with the time of the last one.
    pub by_reason: BTreeMap<RejectReason, ReasonCount>,
}

/// How often a reason occurred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// How often.
    pub count: u64,
    /// When last, by the clock of the process.
    pub last_at: DateTime<Utc>,
}

/// One stage's state, as its process publishes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageStatus {
    /// Which stage.
    pub stage: StageName,
    /// A random name of the process's run, so that several of one stage are told apart.
    pub instance: String,
    /// When this was taken, by the clock of the process.
    pub at: DateTime<Utc>,
    /// The counters.
    pub counts: StageCounts,
    /// Events handed on per second, over the last 10 s.
    pub events_per_second: f64,
    /// Records waiting in the stage's input; none where not known.
    pub lag_records: Option<u64>,
    /// The newest event's time that this stage handled.
    pub last_event_at: Option<DateTime<Utc>>,
    /// Seconds from the newest event's time to its handling here.
    pub lag_seconds: Option<f64>,
    /// When the last canary was seen.
    pub last_canary_at: Option<DateTime<Utc>>,
    /// The producer's source.
    pub source: Option<SourceStatus>,
}

/// What the producer tells about its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Live or sample.
    pub kind: SourceKind,
    /// Why the sample plays, or why the stream does not answer just now.
    pub reason: Option<String>,
    /// Whether a connection stands.
    pub is_connected: bool,
}

/// A time for which events may be missing; a record of the topic `positions` under the key `gap:` + `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last event known to be stored. For a Kafka topic when the last committed record was published; the same
    /// as `to` where that is not known.
    pub from: DateTime<Utc>,
    /// The first event the stream gave after it. For a Kafka topic when the first record that it still had was published.
    pub to: DateTime<Utc>,
    /// Why.
    pub reason: GapReason,
}

impl Gap {
    /// Its record in `positions`.
    pub(crate) fn record(&self) -> Record {
        let payload = serde_json::to_vec(self).expect("a gap is JSON").into();
        Record { key: format!("gap:{}", self.from.to_rfc3339()), payload }
    }
}

/// Why there is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GapReason {
    /// The stream (or a Kafka topic) no longer holds the time.
    HistoryExpired,
    /// The stream told of an error in its data.
    StreamError,
}
