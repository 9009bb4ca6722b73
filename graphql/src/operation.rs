//! What surrounds each operation, over whatever transport it came: limits before it, loaders for it, codes on its errors.

mod freshness;
mod nulls;
mod positions;
mod room;
mod roots;
mod shape;
mod variables;
mod wording;

pub(crate) use roots::write_out_roots;

use crate::limits::{Admitted, Limits, admit, chosen, event_key};
use crate::live::Together;
use crate::loaders::{AsOf, Loaders, Reads};
use crate::pipeline::PipelineState;
use crate::schema::ApiContext;
use crate::schema::errors::ApiError;
use crate::schema::scalars::Time;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextRequest, NextResolve,
    NextSubscribe, NextValidation, ResolveInfo,
};
use async_graphql::{
    Data, PathSegment, Request, Response, ScalarType, ServerError, ServerResult, ValidationResult, Value, value,
};
use futures::stream::{BoxStream, StreamExt};
use nulls::Nulls;
use room::Room;
use schema::clock::Clock;
use schema::store::Store;
use shape::Shape;
use std::any::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::time::timeout;
use tracing::Instrument;

/// The name of a request in the log and in its errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Whether a request wants to be told what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TellCost(pub bool);

impl TellCost {
    /// What a request says; without a word it does not want to.
    pub(crate) fn of(request: &Request) -> Self {
        let said = request.data.get(&TypeId::of::<Self>()).and_then(|tell| tell.downcast_ref());
        said.copied().unwrap_or(Self(false))
    }
}

/// Puts the surroundings around each operation.
pub(crate) struct Operations {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    pipeline: Arc<dyn PipelineState>,
    limits: Limits,
    room: Room,
}

impl Operations {
    /// Surroundings with these limits, and loaders over the store.
    pub(crate) fn new(api: &ApiContext, limits: Limits) -> Self {
        let ApiContext { store, clock, pipeline, .. } = api.clone();
        Self { store, clock, pipeline, limits, room: Room::new(limits.concurrent_cost) }
    }
}

impl ExtensionFactory for Operations {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Operation {
            store: self.store.clone(),
            clock: self.clock.clone(),
            pipeline: self.pipeline.clone(),
            room: self.room.clone(),
            facts: Arc::new(Facts { limits: self.limits, ..Facts::default() }),
            nulls: Nulls::default(),
        })
    }
}

/// One operation's surroundings.
struct Operation {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    pipeline: Arc<dyn PipelineState>,
    room: Room,
    facts: Arc<Facts>,
    nulls: Nulls,
}

/// What is known of an operation before it is executed.
#[derive(Default)]
struct Facts {
    limits: Limits,
    request_id: OnceLock<String>,
    /// What the request costs at most.
    cost: OnceLock<u64>,
    /// Whether it wants to be told.
    tells_cost: AtomicBool,
    /// Of a subscription: the key of each event in its answer.
    event_key: OnceLock<String>,
    /// What was asked, for the shape of the answer.
    shape: OnceLock<Shape>,
    /// Whether anything was executed; a subscription whose source does not open never is.
    has_begun: AtomicBool,
}

#[async_trait::async_trait]
impl Extension for Operation {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        self.facts.finish(next.run(ctx).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let facts = self.facts.clone();
        next.run(ctx, stream).map(move |response| facts.finish(response)).boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        if let Some(RequestId(id)) = request.data.get(&TypeId::of::<RequestId>()).and_then(|id| id.downcast_ref()) {
            self.facts.request_id.get_or_init(|| id.clone());
        }
        let Admitted { mut document, cost } = admit(&request.query, &request.variables, &self.facts.limits)?;
        write_out_roots(&mut document);
        self.facts.cost.get_or_init(|| cost);
        self.facts.tells_cost.store(TellCost::of(&request).0, Ordering::Relaxed);
        if let Some(key) = event_key(&document, request.operation_name.as_deref()) {
            self.facts.event_key.get_or_init(|| key);
        }
        if let Some(operation) = chosen(&document, request.operation_name.as_deref()).next() {
            variables::fill_defaults(operation, &mut request.variables);
        }
        let shape = Shape::take(&mut document, request.operation_name.as_deref(), &request.variables);
        self.facts.shape.get_or_init(|| shape);
        request.set_parsed_query(document);
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let Some(shape) = self.facts.shape.get() else { return next.run(ctx).await };
        let registry = &ctx.schema_env.registry;
        let mut wrong = positions::check(shape.document(), registry);
        // In front of the library, which knows the value only and not the variable.
        if wrong.is_empty()
            && let Some(operation) = shape.operation()
        {
            wrong = variables::check(operation, shape.variables(), registry);
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let validated = next.run(ctx).await?;
        let unheard = shape.operation().and_then(roots::conditional);
        unheard.map_or(Ok(validated), |error| Err(vec![error]))
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        self.facts.has_begun.store(true, Ordering::Relaxed);
        let mut data = Data::default();
        let shared = ctx.data_opt::<Together>().and_then(|group| group.reads(&self.store));
        let reads = shared.unwrap_or_else(|| Reads::new(&self.store));
        let as_of = Arc::new(AsOf::new(&self.clock, reads.counted()));
        data.insert(Loaders::new(reads, as_of.clone()));
        // At every level of the log: its lines are found by the id that the client has.
        let span = tracing::error_span!("graphql", request_id = self.facts.request_id.get());
        // Before anything is read: what comes meanwhile may be in the answer or not.
        let (now, is_event) = (self.clock.now(), self.facts.event_key.get().is_some());
        // An event's answer is kept by nobody.
        let written = if is_event { None } else { freshness::written(self.pipeline.as_ref()) };
        let answered = async {
            // Its execution has a bound of its own.
            let _room = if is_event { None } else { Some(self.room.take(self.facts.cost()).await?) };
            Ok(next.run_with_data(ctx, operation_name, data).await)
        };
        let answer = timeout(self.facts.limits.time(), answered).instrument(span.clone()).await;
        let failed = self.nulls.take();
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(busy)) => {
                span.in_scope(|| tracing::warn!(cost = self.facts.cost(), "a request found no room"));
                return Response::from_errors(vec![ApiError::of_request(busy)]);
            }
            Err(_) => {
                span.in_scope(|| tracing::warn!(seconds = self.facts.limits.seconds, "a request was given up"));
                return Response::from_errors(vec![self.facts.timed_out()]);
            }
        };
        response.errors.extend(failed.errors);
        if failed.is_root_broken {
            response.data = Value::Null;
        } else if let Some(shape) = self.facts.shape.get() {
            let registry = &ctx.schema_env.registry;
            let (data, cost) = shape.arrange(registry, std::mem::take(&mut response.data));
            self.facts.tell_cost(&mut response, cost);
            let times = freshness::Times { now, counted: as_of.get(), written };
            response.cache_control = freshness::caching(shape, registry, &data, times);
            response.data = data;
        }
        // Of an operation that read counts.
        if let Some(as_of) = as_of.get() {
            response.extensions.insert("asOf".into(), Time(as_of).to_value());
        }
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (path, is_nullable) = (info.path_node, !info.return_type.ends_with('!'));
        let result = next.run(ctx, info).await;
        self.nulls.settle(path, is_nullable, result)
    }
}

impl Facts {
    /// What the request costs at most; what is executed was admitted before.
    fn cost(&self) -> u64 {
        self.cost.get().copied().unwrap_or_default()
    }

    /// Of an event it is the event's error, and the subscription goes on.
    fn timed_out(&self) -> ServerError {
        let mut error = ApiError::Timeout(self.limits.seconds).of_request();
        error.path.extend(self.event_key.get().map(|key| PathSegment::Field(key.clone())));
        error
    }

    fn finish(&self, mut response: Response) -> Response {
        let is_refused = !self.has_begun.load(Ordering::Relaxed);
        let max = usize::try_from(self.limits.errors).unwrap_or(usize::MAX);
        wording::mend(&mut response.errors);
        let left_out = response.errors.len().saturating_sub(max);
        if left_out > 0 {
            response.errors.truncate(max);
            response.extensions.insert("errorsLeftOut".into(), Value::from(left_out));
        }
        for error in &mut response.errors {
            if is_refused {
                error.path.clear();
            }
            finish_error(error, self.request_id.get());
        }
        if !response.extensions.contains_key("cost") {
            self.tell_cost(&mut response, 0);
        }
        response
    }

    /// Where the request wants to know: what the limit is about, and what was answered.
    fn tell_cost(&self, response: &mut Response, actual: u64) {
        if let Some(requested) = self.cost.get().filter(|_| self.tells_cost.load(Ordering::Relaxed)) {
            let cost = value!({ "requested": *requested, "actual": actual });
            response.extensions.insert("cost".into(), cost);
        }
    }
}

/// The error of a request that is not executed.
pub(crate) fn refusal(error: ApiError, request_id: &String) -> ServerError {
    let mut error = error.of_request();
    finish_error(&mut error, Some(request_id));
    error
}

/// Our own errors have a code; those without one are the library's, about the document or its variables.
pub(crate) fn finish_error(error: &mut ServerError, request_id: Option<&String>) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        extensions.set("code", "BAD_USER_INPUT");
    }
    if let Some(id) = request_id {
        extensions.set("requestId", id.as_str());
    }
}
