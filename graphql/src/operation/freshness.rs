//! Whether an answer is about hours that are over, so that it may be kept for a while: found out from the document.
//!
//! Only what is known here to depend on such hours alone counts as that; a field that is not named here does not.

use super::shape::Shape;
use crate::pipeline::{PipelineState, SourceKind, StageName, StageStatus};
use crate::schema::activity::TimeUnit;
use crate::schema::bounds::first_hour_from;
use crate::schema::scalars::{HourName, Time};
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::{MetaTypeName, Registry};
use async_graphql::{CacheControl, Name, ScalarType, Value};
use chrono::{DateTime, TimeDelta, Utc};
use schema::hour::{Hour, HourRange};

/// Seconds for which such an answer may be kept: a late event can still change it.
const MAX_AGE: i32 = 3_600;

/// Behind the end of an hour: its last pages are on their way, or not counted yet.
const SETTLES_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// What an answer is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// When it was begun.
    pub(super) now: DateTime<Utc>,
    /// Up to when its counts are, if it has any.
    pub(super) counted: Option<DateTime<Utc>>,
    /// Up to when events are stored; none where that is not known.
    pub(super) written: Option<DateTime<Utc>>,
}

/// How long an answer may be kept.
pub(super) fn caching(shape: &Shape, registry: &Registry, data: &Value, times: Times) -> CacheControl {
    let end = last_end(shape, registry).filter(|_| is_whole(data));
    let is_settled = end.is_some_and(|end| times.are_behind(end));
    CacheControl { public: true, max_age: if is_settled { MAX_AGE } else { 0 } }
}

impl Times {
    /// Whether all hours up to `end` are over, and are stored and counted.
    fn are_behind(&self, end: DateTime<Utc>) -> bool {
        let Some(settled_at) = end.checked_add_signed(SETTLES_WITHIN) else { return false };
        settled_at <= self.now
            && self.counted.is_none_or(|counted| settled_at <= counted)
            && self.written.is_some_and(|written| settled_at <= written)
    }
}

/// The newest event's time that is stored, where nothing that the stream has told waits for a stage or is in it: behind a
/// break one part of the events may be hours behind another. Those of a sample are others the next time.
pub(super) fn written(pipeline: &dyn PipelineState) -> Option<DateTime<Utc>> {
    let [producer, cleaner, writer] =
        [StageName::Producer, StageName::Cleaner, StageName::Writer].map(|stage| pipeline.stage(stage));
    let (producer, cleaner, writer) = (producer?, cleaner?, writer?);
    let is_empty = |stage: &StageStatus| stage.counts.in_flight_count == 0;
    // What waits may be unknown, and is then not nothing.
    let is_done = |stage: &StageStatus| stage.lag_records == Some(0) && is_empty(stage);
    let is_live = producer.source.as_ref().is_some_and(|source| source.kind == SourceKind::Live);
    let is_all = is_live && is_empty(&producer) && is_done(&cleaner) && is_done(&writer);
    writer.last_event_at.filter(|_| is_all)
}

/// The latest end of the hours that the answer is of; none where it may change for other reasons.
fn last_end(shape: &Shape, registry: &Registry) -> Option<DateTime<Utc>> {
    let mut walk = Walk { shape, registry, end: None };
    walk.set(&shape.operation()?.selection_set.node, &registry.query_type)?;
    walk.end
}

/// What is not there today may be there tomorrow.
fn is_whole(data: &Value) -> bool {
    matches!(data, Value::Object(fields) if !fields.values().any(|value| *value == Value::Null))
}

/// One walk over a document; each step is none where something may change.
struct Walk<'a> {
    shape: &'a Shape,
    registry: &'a Registry,
    /// The latest end of all ranges.
    end: Option<DateTime<Utc>>,
}

impl Walk<'_> {
    fn set(&mut self, set: &SelectionSet, parent: &str) -> Option<()> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent)?,
                Selection::InlineFragment(inline) => {
                    let condition =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    self.set(&inline.node.selection_set.node, condition.unwrap_or(parent))?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.shape.document().fragments.get(&spread.node.fragment_name.node)?;
                    let condition = fragment.node.type_condition.node.on.node.as_str();
                    self.set(&fragment.node.selection_set.node, condition)?;
                }
            }
        }
        Some(())
    }

    fn field(&mut self, field: &Field, parent: &str) -> Option<()> {
        let name = field.name.node.as_str();
        match (parent, name) {
            (_, "__typename") => return Some(()),
            ("Query", "hour") => self.ends(HourName::parse(self.argument(field, "hour")?).ok()?.0.plus(1).start()),
            ("Query", "reports") => self.ends(Time::parse(self.argument(field, "at")?).ok()?.next_second()),
            ("Query" | "Domain" | "User" | "GlobalUser", "activity") => {
                let end = self.end_of_chart(field, parent)?;
                self.ends(end.start());
            }
            ("Query", "hours" | "pages" | "overview" | "topDomains" | "topUsers")
            | ("Domain" | "User" | "GlobalUser", "pageCount" | "botPageCount" | "pages" | "topUsers") => {
                let end = self.end_of_range(field)?;
                self.ends(end.start());
            }
            _ if is_settled(parent, name) => {}
            _ => return None,
        }
        let below = &self.registry.types.get(parent)?.field_by_name(name)?.ty;
        self.set(&field.selection_set.node, MetaTypeName::concrete_typename(below))
    }

    fn ends(&mut self, end: DateTime<Utc>) {
        self.end = self.end.max(Some(end));
    }

    /// Behind the last hour that `during` touches, where that does not move with the clock: an answer may tell of its pages
    /// outside of the range, too.
    fn end_of_range(&self, field: &Field) -> Option<Hour> {
        let Value::Object(range) = self.argument(field, "during")? else { return None };
        Some(first_hour_from(Time::parse(range.get("to")?.clone()).ok()?.next_second()))
    }

    /// Behind the last bucket of a chart.
    fn end_of_chart(&self, field: &Field, parent: &str) -> Option<Hour> {
        let to = self.end_of_range(field)?;
        let unit = match self.argument(field, "unit") {
            Some(Value::Null) | None => {
                let chart = self.registry.types.get(parent)?.field_by_name("activity")?;
                Value::Enum(Name::new(chart.args.get("unit")?.default_value.as_ref()?))
            }
            Some(unit) => unit,
        };
        let unit = <TimeUnit as async_graphql::InputType>::parse(Some(unit)).ok()?;
        Some(unit.periods(HourRange { from: to.plus(-1), to }).hours.to)
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        let Ok(value) = value.into_const_with(|name| self.shape.variable(&name));
        Some(value)
    }
}

/// Whether a field stays as it is once the hours are over in whose lists and counts its object stands.
fn is_settled(parent: &str, field: &str) -> bool {
    match (parent, field) {
        // The time of the answer itself; and the hour behind the last one may be running.
        (_, "asOf") | ("HourlyActivity", "next") => false,
        ("Query", "domain" | "user" | "globalUser")
        | ("Domain", "id" | "name" | "language" | "projectFamily" | "url" | "wiki")
        // An account can get another name.
        | ("User", "id" | "userId" | "domain")
        | ("GlobalUser", "id" | "userName")
        | (
            "Activity" | "ActivityPoint" | "ActivitySeries" | "DomainCount" | "DomainRank" | "HourlyActivity"
            | "HourlyActivityConnection" | "HourlyActivityEdge" | "HourlyDomainConnection" | "HourlyDomainEdge"
            | "HourlyUserConnection" | "HourlyUserEdge" | "Overview" | "Page" | "PageConnection" | "PageEdge" | "PageInfo"
            | "ReportHour" | "Reports" | "Totals" | "UserRank",
            _,
        ) => true,
        _ => false,
    }
}
