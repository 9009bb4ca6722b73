//! One set of store, bus, stages and API, from start to drained stop.
//!
//! Stages stop in the order of the flow, so that what was taken in still reaches the tables.

use super::connections::{ConnectionLimits, serve};
use super::sample_mode::{self, SourceView};
use super::{Mode, Terminal, terminal};
use crate::http::{Ends, Origins};
use crate::limits::Limits;
use crate::live::{Groups, Hub};
use crate::pipeline::BusPipeline;
use crate::schema::ApiContext;
use anyhow::{Context, anyhow};
use axum::Router;
use chrono::{DateTime, Utc};
use futures::future::select_all;
use ingest::bus::{self, Bus, BusUrl};
use ingest::source::EventSource;
use ingest::stage::StageContext;
use ingest::status::StageName;
use ingest::status::{PipelineView, StageMeter, publish_status};
use ingest::{cleaner, producer, writer};
use schema::clock::Clock;
use schema::retention::Keep;
use schema::store::{self, Durability, Migration, Store, StoreUrl};
use std::future::Future;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// All parts together have so long to end. What a part held that did not end by then comes again at the next start.
const STOP_TIMEOUT: Duration = Duration::from_secs(9);
/// How long the producer may wait for those behind it; then all of them stop at once, for the store may be away.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

/// What a generation is made of.
pub(super) struct Plan {
    pub(super) store: StorePlan,
    pub(super) bus: BusUrl,
    pub(super) source: Option<EventSource>,
    pub(super) mode: Mode,
    pub(super) surface: Surface,
    pub(super) terminal: Terminal,
}

/// What holds for requests.
pub(super) struct Surface {
    pub(super) limits: Limits,
    pub(super) origins: Origins,
}

/// What may be done to a store.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right {
    /// Make its tables, and set how long it keeps pages.
    Set(Keep),
    /// Read and write it as it is.
    Use,
}

/// Which store, and what may be done to it.
pub(super) enum StorePlan {
    /// The one of `--store`.
    Live(StoreUrl, Right),
    /// The same, open since an earlier generation.
    Kept(Arc<dyn Store>),
    /// The sample's own, in this folder, made anew.
    Sample(PathBuf),
}

impl StorePlan {
    async fn open(&self, durability: Durability, now: DateTime<Utc>) -> anyhow::Result<Arc<dyn Store>> {
        match self {
            Self::Live(url, right) => {
                let migration = if matches!(right, Right::Set(_)) { Migration::Apply } else { Migration::Expect };
                let opened = store::open(url, migration, durability).await;
                let store = opened.with_context(|| format!("cannot open --store {url}"))?;
                if let Right::Set(keep) = right {
                    store.set_keep(*keep, now).await.with_context(|| format!("cannot set --keep {keep}"))?;
                }
                Ok(store)
            }
            Self::Kept(store) => Ok(Arc::clone(store)),
            Self::Sample(folder) => {
                let opened = store::open_sample(folder).await;
                opened.with_context(|| format!("cannot open the sample's store in {}", folder.display()))
            }
        }
    }
}

/// A task, and how to end it.
struct Task {
    name: &'static str,
    stop: CancellationToken,
    handle: JoinHandle<anyhow::Result<()>>,
}

/// A running set.
pub(super) struct Generation {
    watch: Watch,
    store: Arc<dyn Store>,
    /// In the order in which they are stopped.
    tasks: Vec<Task>,
}

/// What decides whether to run differently.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) mode: Mode,
    /// Whether the store was empty when it was opened.
    pub(super) is_first_start: bool,
    producer: Option<Arc<StageMeter>>,
}

impl Watch {
    /// What the producer knows of its source.
    pub(super) fn source(&self) -> SourceView {
        let Some(status) = self.producer.as_ref().map(|meter| meter.snapshot()) else { return SourceView::default() };
        let has_delivered = status.counts.out_count > 0;
        let (is_connected, reason) = status.source.map_or((false, None), |source| (source.is_connected, source.reason));
        SourceView { is_connected, has_delivered, reason }
    }
}

/// What every part is given.
struct Parts {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    view: Arc<PipelineView>,
}

impl Generation {
    /// Opens what `plan` names and starts it. When it returns the API answers.
    pub(super) async fn start(plan: Plan, listener: TcpListener, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        // Behind Kafka a power cut must not roll the store back behind the committed offset.
        let durability = if plan.bus == BusUrl::Memory { Durability::Process } else { Durability::Power };
        let store = plan.store.open(durability, clock.now()).await?;
        let bus = bus::open(&plan.bus, Arc::clone(&store))
            .await
            .with_context(|| format!("cannot open --bus {}", plan.bus))?;
        let is_first_start = !sample_mode::has_pages(store.as_ref()).await.context("the store does not answer")?;
        let view = PipelineView::new(Arc::clone(&clock));
        let parts = Parts { store, bus, clock, view };
        let watch = Watch { mode: plan.mode, is_first_start, producer: None };
        let mut generation = Self { watch, store: Arc::clone(&parts.store), tasks: Vec::new() };
        let services = parts.services(listener, &plan.surface, plan.terminal).await?;
        if let Some(source) = plan.source {
            generation.start_stages(&parts, source);
        }
        generation.tasks.extend(services);
        Ok(generation)
    }

    fn start_stages(&mut self, parts: &Parts, source: EventSource) {
        let (context, tasks) = parts.stage(StageName::Producer);
        self.watch.producer = Some(Arc::clone(&context.meter));
        self.add("producer", &context, producer::run(context.clone(), source), tasks);
        let (context, tasks) = parts.stage(StageName::Cleaner);
        self.add("cleaner", &context, cleaner::run(context.clone()), tasks);
        let (context, tasks) = parts.stage(StageName::Writer);
        self.add("writer", &context, writer::run(context.clone(), Arc::clone(&parts.store)), tasks);
    }

    fn add<F, E>(&mut self, name: &'static str, context: &StageContext, run: F, status: Task)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        self.tasks.push(Task::spawn(name, context.shutdown.clone(), run));
        self.tasks.push(status);
    }

    pub(super) fn mode(&self) -> &Mode {
        &self.watch.mode
    }

    /// Where its pages are.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// What decides whether to run differently.
    pub(super) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Waits for a part that ends though nobody asked it to.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        let (ended, index, _) = select_all(self.tasks.iter_mut().map(|task| &mut task.handle)).await;
        let task = self.tasks.remove(index);
        match ended {
            Ok(Ok(())) => anyhow!("{} ended by itself", task.name),
            Ok(Err(e)) => e.context(format!("{} failed", task.name)),
            Err(e) => anyhow!(e).context(format!("{} panicked", task.name)),
        }
    }

    /// Ends the parts in the order of the flow, each drained.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let (begun, mut result) = (Instant::now(), Ok(()));
        let stops: Vec<CancellationToken> = self.tasks.iter().map(|task| task.stop.clone()).collect();
        for mut task in self.tasks {
            task.stop.cancel();
            let mut ended = timeout_at(begun + DRAIN_TIMEOUT, &mut task.handle).await;
            if ended.is_err() {
                stops.iter().for_each(CancellationToken::cancel);
                ended = timeout_at(begun + STOP_TIMEOUT, &mut task.handle).await;
            }
            let ended = match ended {
                Ok(Ok(ended)) => ended.with_context(|| format!("{} failed", task.name)),
                Ok(Err(e)) => Err(anyhow!(e).context(format!("{} panicked", task.name))),
                Err(_) => {
                    tracing::warn!(part = task.name, "did not end in time: what it held comes again at the next start");
                    task.handle.abort();
                    Ok(())
                }
            };
            result = result.and(ended);
        }
        result
    }
}

impl Task {
    fn spawn<F, E>(name: &'static str, stop: CancellationToken, run: F) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        Self { name, stop, handle: tokio::spawn(async move { run.await.map_err(Into::into) }) }
    }
}

impl Parts {
    /// A stage's context, and the task that tells of it.
    fn stage(&self, name: StageName) -> (StageContext, Task) {
        let meter = StageMeter::new(name, Arc::clone(&self.clock));
        let stop = CancellationToken::new();
        let status = publish_status(Arc::clone(&self.bus), Arc::clone(&meter), stop.clone());
        let context = StageContext {
            bus: Arc::clone(&self.bus),
            clock: Arc::clone(&self.clock),
            meter,
            shutdown: CancellationToken::new(),
        };
        (context, Task::spawn("status", stop, status))
    }
}

impl Parts {
    /// What runs beside the stages: hearing of their states and of stored pages, the API, the status line.
    async fn services(
        &self,
        listener: TcpListener,
        surface: &Surface,
        terminal: Terminal,
    ) -> anyhow::Result<Vec<Task>> {
        let hub = Hub::new(Arc::clone(&self.clock), Arc::clone(&self.bus));
        let ends = Ends::default();
        let router = self.router(&hub, surface, &ends);
        let listener = tokio::net::TcpListener::from_std(listener).context("the listener cannot be used")?;
        let mut tasks =
            vec![Task::spawn("api", ends.stop.clone(), serve(listener, router, ConnectionLimits::default(), ends))];
        let stop = CancellationToken::new();
        let follow = Arc::clone(&self.view).follow(Arc::clone(&self.bus), stop.clone());
        tasks.push(Task::spawn("pipeline view", stop, follow));
        let stop = CancellationToken::new();
        let ends = stop.clone();
        tasks.push(Task::spawn("live feed", stop, async move { hub.follow(ends).await }));
        if let Terminal::Shown(screen) = terminal {
            let (stop, view) = (CancellationToken::new(), Arc::clone(&self.view));
            let ends = stop.clone();
            let line = async move {
                terminal::keep_status_line(&screen, &view, ends).await;
                anyhow::Ok(())
            };
            tasks.push(Task::spawn("status line", stop, line));
        }
        Ok(tasks)
    }

    /// All routes on one port.
    fn router(&self, hub: &Arc<Hub>, surface: &Surface, ends: &Ends) -> Router {
        let pipeline = Arc::new(BusPipeline::new(Arc::clone(&self.view), Arc::clone(&self.bus)));
        let api = ApiContext {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            pipeline: pipeline.clone(),
            hub: Arc::clone(hub),
        };
        let Surface { limits, origins } = surface;
        let schema = crate::schema::build(api, *limits);
        let groups = Groups::new(schema, Arc::clone(hub), *limits);
        let rest = || (Arc::clone(&self.store), Arc::clone(&self.clock), limits.time());
        let (routes, fallback) = (rest(), rest());
        let operations = crate::operations::router(Arc::clone(&self.store), pipeline, Arc::clone(&groups));
        let router = crate::http::router(groups, *limits, origins.clone(), ends.clone())
            .merge(operations)
            .merge(rest_compat::router(routes.0, routes.1, routes.2))
            .fallback_service(rest_compat::fallback(fallback.0, fallback.1, fallback.2));
        crate::http::surround(router, origins)
    }
}
