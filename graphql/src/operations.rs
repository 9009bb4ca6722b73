//! What operators ask: `/healthz`, `/readyz` and `/metrics` (OpenMetrics text, as Prometheus reads it).

use crate::live::{Groups, LiveFigures};
use crate::pipeline::{PipelineState, RejectReason, StageName, StageStatus};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use schema::query::{PageList, PageQuery};
use schema::store::Store;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::timeout;

/// How long the store, or the bus, may take to show that it answers.
const READY_WITHIN: Duration = Duration::from_secs(2);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const STAGES: [(StageName, &str); 3] =
    [(StageName::Producer, "producer"), (StageName::Cleaner, "cleaner"), (StageName::Writer, "writer")];

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
/// Of whole and of broken numbers.
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

#[derive(Clone)]
struct Operations {
    store: Arc<dyn Store>,
    pipeline: Arc<dyn PipelineState>,
    live: Arc<Groups>,
}

/// The three routes.
pub fn router(store: Arc<dyn Store>, pipeline: Arc<dyn PipelineState>, live: Arc<Groups>) -> Router {
    Router::new()
        .route("/healthz", get(async || plain(StatusCode::OK, "ok")))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Operations { store, pipeline, live })
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, headers("text/plain; charset=utf-8"), format!("{text}\n")).into_response()
}

fn headers(media: &'static str) -> [(HeaderName, HeaderValue); 2] {
    [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}

/// Whether requests can be answered: the store answers a small one.
async fn ready(State(operations): State<Operations>) -> Response {
    let newest = PageQuery::newest(PageList::All, 1);
    match timeout(READY_WITHIN, operations.store.list_pages(&newest)).await {
        Ok(Ok(_)) => plain(StatusCode::OK, "ready"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
        }
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer in time"),
    }
}

async fn metrics(State(operations): State<Operations>) -> Response {
    let mut registry = Registry::with_prefix("pagetrack");
    register_store(&mut registry, operations.store.as_ref());
    register_pipeline(&mut registry, operations.pipeline.as_ref());
    register_live(&mut registry, operations.live.figures());
    // The other figures are wanted most while the bus is away.
    if let Ok(Some(gaps)) = timeout(READY_WITHIN, operations.pipeline.gaps()).await {
        registry.register("gaps", "Times for which events may be missing", gauge(gaps.len()));
    }
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => (headers(OPEN_METRICS), text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written")
        }
    }
}

fn register_store(registry: &mut Registry, store: &dyn Store) {
    let (calls, rows) = (Counters::default(), Counters::default());
    for reads in store.rows_read() {
        let labels = vec![("call", reads.call.name().to_owned())];
        calls.get_or_create(&labels).inc_by(reads.calls);
        rows.get_or_create(&labels).inc_by(reads.rows);
    }
    registry.register("store_calls", "Reading calls of the store by this process", calls);
    registry.register("store_rows_read", "Rows that they read", rows);
}

/// Of the stages that were heard of within 10 s, wherever they run.
fn register_pipeline(registry: &mut Registry, pipeline: &dyn PipelineState) {
    let heard: Vec<(&str, StageStatus)> =
        STAGES.into_iter().filter_map(|(stage, name)| Some((name, pipeline.stage(stage)?))).collect();
    let (events, reasons) = (Counters::default(), Counters::default());
    let [in_flight, rate, lag_records, lag_seconds, connected] = [(); 5].map(|()| Gauges::default());
    for (name, status) in &heard {
        let of_stage = vec![("stage", (*name).to_owned())];
        let with = |label, value: String| [of_stage.clone(), vec![(label, value)]].concat();
        let counts = &status.counts;
        let outcomes = [
            ("in", counts.in_count),
            ("out", counts.out_count),
            ("rejected", counts.rejected_count),
            ("excluded", counts.excluded_count),
            ("canary", counts.canary_count),
        ];
        for (outcome, count) in outcomes {
            events.get_or_create(&with("outcome", outcome.to_owned())).inc_by(count);
        }
        for (reason, of_reason) in &counts.by_reason {
            reasons.get_or_create(&with("reason", name_of(*reason))).inc_by(of_reason.count);
        }
        in_flight.get_or_create(&of_stage).set(counts.in_flight_count as f64);
        rate.get_or_create(&of_stage).set(status.events_per_second);
        if let Some(lag) = status.lag_records {
            lag_records.get_or_create(&of_stage).set(lag as f64);
        }
        if let Some(lag) = status.lag_seconds {
            lag_seconds.get_or_create(&of_stage).set(lag);
        }
        if let Some(source) = &status.source {
            connected.get_or_create(&of_stage).set(f64::from(u8::from(source.is_connected)));
        }
    }
    registry.register("events", "Records of a stage since its process started, by outcome", events);
    registry.register("events_by_reason", "Those rejected, excluded or known as the stream's own tests", reasons);
    registry.register("events_in_flight", "Taken in and not yet done", in_flight);
    registry.register("events_per_second", "Records taken in of late", rate);
    registry.register("lag_records", "Records that wait for the stage", lag_records);
    registry.register("lag_seconds", "How far the last event lies behind the present", lag_seconds);
    registry.register("source_connected", "Whether the producer is connected to its source", connected);
}

/// Of this process's own subscribers.
fn register_live(registry: &mut Registry, figures: LiveFigures) {
    let missed = Counter::<u64>::default();
    missed.inc_by(figures.missed_count);
    registry.register("live_subscriptions", "Subscriptions that are open", gauge(figures.subscriptions));
    registry.register("live_groups", "Distinct ones, each executed once an event", gauge(figures.groups));
    registry.register("live_replays", "Subscribers that are given what they missed", gauge(figures.replays));
    registry.register("live_waiting_bytes", "Answers that wait for some subscriber", gauge(figures.waiting_bytes));
    registry.register("live_missed", "Events that some subscriber was too slow for", missed);
}

fn gauge(number: usize) -> Gauge<i64> {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
    gauge
}

/// As the API names it.
fn name_of(reason: RejectReason) -> String {
    serde_json::to_value(reason).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
