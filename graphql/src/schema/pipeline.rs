//! The pipeline's health: is what I see complete, and how fresh is it?

use super::connection::{Connection, Edge};
use super::errors::ApiError;
use super::paging::{Paging, PagingArguments, part_of};
use super::scalars::{Time, count};
use super::{api, loaders, max_list};
use crate::pipeline::{self as state, StageStatus};
use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// SAMPLE: recorded events, not the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "state::SourceKind")]
pub(crate) enum SourceKind {
    /// The public stream, or a server that speaks like it.
    Live,
    /// Recorded events, not the present.
    Sample,
}

/// The stages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "state::StageName")]
pub(crate) enum StageName {
    /// Takes events from the stream.
    Producer,
    /// Makes clean pages of them.
    Cleaner,
    /// Writes the tables.
    Writer,
}

/// Why an event was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum RejectReason {
    /// No user id (IP address): left out on purpose.
    AnonymousCreator,
    /// Its hour is frozen by retention.
    BeyondRetention,
    /// No creator at all: left out on purpose.
    HiddenCreator,
    /// A field has a value that cannot be right.
    InvalidField,
    /// Not JSON, or not an object.
    InvalidJson,
    /// A field that a row needs is absent.
    MissingField,
    /// Another kind of event: an edit, a deletion.
    NotACreation,
    /// Longer than 256 KiB.
    TooLarge,
}

impl RejectReason {
    /// Canaries are no rejected events: they are counted apart.
    fn of(reason: state::RejectReason) -> Option<Self> {
        Some(match reason {
            state::RejectReason::Canary => return None,
            state::RejectReason::AnonymousCreator => Self::AnonymousCreator,
            state::RejectReason::BeyondRetention => Self::BeyondRetention,
            state::RejectReason::HiddenCreator => Self::HiddenCreator,
            state::RejectReason::InvalidField => Self::InvalidField,
            state::RejectReason::InvalidJson => Self::InvalidJson,
            state::RejectReason::MissingField => Self::MissingField,
            state::RejectReason::NotACreation => Self::NotACreation,
            state::RejectReason::TooLarge => Self::TooLarge,
        })
    }
}

/// Why there is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "state::GapReason")]
pub(crate) enum GapReason {
    /// The stream no longer holds the time.
    HistoryExpired,
    /// The stream told of an error in its data.
    StreamError,
}

/// A time for which the stream's history could not be had.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Gap {
    /// The last event known to be stored.
    from: Time,
    /// The first event after it.
    to: Time,
    /// Why.
    reason: GapReason,
}

/// Events that were not stored, by reason. ANONYMOUS_CREATOR and HIDDEN_CREATOR are left out on purpose; BEYOND_RETENTION
/// came for an hour that is frozen; the others are faults of the event.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct RejectedCount {
    /// Why.
    reason: RejectReason,
    /// How many since the processes started.
    count: i32,
    /// When last.
    last_at: Time,
}

/// One stage since its start: inCount = outCount + rejectedCount + excludedCount + canaryCount + inFlightCount.
/// Null: not known to the process that answers.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Stage {
    /// Which stage.
    name: StageName,
    /// Events taken in.
    in_count: Option<i32>,
    /// Events handed on.
    out_count: Option<i32>,
    /// Events that cannot be stored: faulty ones, and those of hours that retention has frozen.
    rejected_count: Option<i32>,
    /// Events left out on purpose: no account created the page.
    excluded_count: Option<i32>,
    /// The stream's own test events.
    canary_count: Option<i32>,
    /// Events taken in and not yet done.
    in_flight_count: Option<i32>,
    /// Events handed on per second, over the last 10 s.
    events_per_second: Option<f64>,
    /// Events waiting before the stage.
    lag_records: Option<i32>,
    /// Seconds from the newest event's time to its handling here.
    lag_seconds: Option<f64>,
}

impl Stage {
    fn new(name: state::StageName, status: Option<&StageStatus>) -> Self {
        let number = |of: fn(&state::StageCounts) -> u64| status.map(|status| count(of(&status.counts)));
        Self {
            name: name.into(),
            in_count: number(|counts| counts.in_count),
            out_count: number(|counts| counts.out_count),
            rejected_count: number(|counts| counts.rejected_count),
            excluded_count: number(|counts| counts.excluded_count),
            canary_count: number(|counts| counts.canary_count),
            in_flight_count: number(|counts| counts.in_flight_count),
            events_per_second: status.map(|status| status.events_per_second),
            lag_records: status.and_then(|status| status.lag_records).map(count),
            lag_seconds: status.and_then(|status| status.lag_seconds),
        }
    }
}

/// When the store behind a schema was opened.
pub(crate) struct StartedAt(pub(crate) DateTime<Utc>);

/// Health of the pipeline at one moment.
#[derive(Clone)]
pub(crate) struct Pipeline {
    producer: Option<StageStatus>,
    cleaner: Option<StageStatus>,
    writer: Option<StageStatus>,
}

impl Pipeline {
    /// What is known now.
    pub(crate) fn now(state: &dyn state::PipelineState) -> Self {
        Self {
            producer: state.stage(state::StageName::Producer),
            cleaner: state.stage(state::StageName::Cleaner),
            writer: state.stage(state::StageName::Writer),
        }
    }

    /// Whether another moment's state differs by nothing but its time.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let timeless = |status: &StageStatus| StageStatus { at: DateTime::UNIX_EPOCH, ..status.clone() };
        self.stages().map(|(_, status)| status.map(timeless)) == other.stages().map(|(_, status)| status.map(timeless))
    }

    fn stages(&self) -> [(state::StageName, Option<&StageStatus>); 3] {
        [
            (state::StageName::Producer, self.producer.as_ref()),
            (state::StageName::Cleaner, self.cleaner.as_ref()),
            (state::StageName::Writer, self.writer.as_ref()),
        ]
    }

    fn known(&self) -> impl Iterator<Item = &StageStatus> {
        self.stages().into_iter().filter_map(|(_, status)| status)
    }

    fn source_status(&self) -> Option<&state::SourceStatus> {
        self.known().find_map(|status| status.source.as_ref())
    }
}

/// Health of the pipeline.
#[Object]
impl Pipeline {
    /// Where events come from; null when the producer was not heard of for 10 s.
    async fn source(&self) -> Option<SourceKind> {
        self.source_status().map(|source| source.kind.into())
    }

    /// Why the sample plays, or why the stream does not answer just now, in words; null when all is well.
    async fn source_reason(&self) -> Option<&str> {
        self.source_status()?.reason.as_deref()
    }

    /// Whether a connection to the source stands; null when the producer was not heard of for 10 s.
    async fn is_connected(&self) -> Option<bool> {
        self.source_status().map(|source| source.is_connected)
    }

    /// Seconds from the newest event's time to its visibility; null before the first event, and when the writer was not
    /// heard of for 10 s.
    async fn lag_seconds(&self) -> Option<f64> {
        self.writer.as_ref()?.lag_seconds
    }

    /// The newest event's time.
    async fn last_event_at(&self) -> Option<Time> {
        self.known().filter_map(|status| status.last_event_at).max().map(Time)
    }

    /// A canary is the stream's own test event: a recent one proves that the stream lives.
    async fn last_canary_at(&self) -> Option<Time> {
        self.known().filter_map(|status| status.last_canary_at).max().map(Time)
    }

    /// When the program that answers opened its store. A sample is made anew at each opening: with source SAMPLE another
    /// time here means other pages.
    async fn started_at(&self, ctx: &Context<'_>) -> Time {
        let StartedAt(time) = ctx.data_opt().expect("build puts the time into the schema");
        Time(*time)
    }

    /// The version of the program that answers.
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// Up to when pages are counted.
    async fn counts_as_of(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        loaders(ctx).as_of().await.map(Time)
    }

    /// The stages, in order.
    #[graphql(name = "stages")]
    async fn stage_list(&self) -> Vec<Stage> {
        self.stages().into_iter().map(|(name, status)| Stage::new(name, status)).collect()
    }

    /// Events that were not stored, by reason, since the processes started; null when a stage was not heard of for 10 s.
    async fn rejected(&self) -> Option<Vec<RejectedCount>> {
        if self.known().count() < self.stages().len() {
            return None;
        }
        let mut reasons: BTreeMap<state::RejectReason, state::ReasonCount> = BTreeMap::new();
        for (reason, found) in self.known().flat_map(|status| &status.counts.by_reason) {
            let sum = reasons.entry(*reason).or_insert(state::ReasonCount { count: 0, last_at: found.last_at });
            sum.count += found.count;
            sum.last_at = sum.last_at.max(found.last_at);
        }
        let rejected = |(reason, sum): (state::RejectReason, state::ReasonCount)| {
            let reason = RejectReason::of(reason)?;
            Some(RejectedCount { reason, count: count(sum.count), last_at: Time(sum.last_at) })
        };
        Some(reasons.into_iter().filter_map(rejected).collect())
    }

    /// Times for which events may be missing, newest first.
    async fn gaps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<Connection<Gap, Edge<Gap>>, ApiError> {
        let paging = Paging::parse(PagingArguments { first, after, last, before }, "gaps", max_list(ctx))?;
        let mut gaps = api(ctx).pipeline.gaps().await.ok_or(ApiError::Unavailable)?;
        gaps.sort_by_key(|gap| Reverse((gap.from, gap.to)));
        let key = |gap: &state::Gap| {
            // Descending times as ascending bytes.
            let descending = |time: DateTime<Utc>| (i64::MAX - time.timestamp_millis()).to_be_bytes();
            [descending(gap.from), descending(gap.to)].concat()
        };
        let part = part_of(gaps, &paging, "gaps", key, |gap, at| key(gap).as_slice().cmp(at));
        Ok(part.into_connection(|gap| Gap { from: Time(gap.from), to: Time(gap.to), reason: gap.reason.into() }))
    }
}
