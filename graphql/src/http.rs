//! The HTTP surface of GraphQL: one address for queries and the live feed, and the files of dashboard and playground.

mod accept;
mod answer;
mod assets;
mod caching;
mod coding;
mod events;
mod origins;
mod request;
mod socket;

pub use origins::Origins;

use crate::limits::Limits;
use crate::live::Groups;
use crate::schema::errors::ApiError;
use accept::Media;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Redirect, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http_body_util::LengthLimitError;
use request::Refused;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a request's body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Bytes that a WebSocket reads at once. Clients say little: with the library's 128 KiB a thousand of them take 140 MB.
const SOCKET_BUFFER: usize = 4 * 1024;

const NOT_ALLOWED: &str = "the live feed is for pages of this host, and of those that --cors names";

/// How the connections of a server end.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// Cancelled when they are to.
    pub stop: CancellationToken,
    /// The WebSockets that have not ended: they are no requests, so nobody else waits for them.
    pub sockets: TaskTracker,
}

/// The routes `/graphql`, `/limits`, `/graphiql` and those of the dashboard. Pages of `origins` may listen to the live
/// feed.
pub fn router(groups: Arc<Groups>, limits: Limits, origins: Origins, ends: Ends) -> Router {
    let listeners = usize::try_from(limits.listeners).unwrap_or(Semaphore::MAX_PERMITS);
    routes(Endpoint { groups, limits, origins, ends, listeners: Arc::new(Semaphore::new(listeners)) })
}

/// What surrounds all routes of the port: content coding, and what pages of other hosts may ask.
pub fn surround(router: Router, origins: &Origins) -> Router {
    let router = coding::code(router);
    match origins.layer() {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

fn routes(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/graphql", any(serve))
        .route("/limits", get(async |State(endpoint): State<Endpoint>| Json(endpoint.limits)))
        .route("/", get(async |headers: HeaderMap| assets::page("index.html", &headers)))
        .merge(page_of_folder("/graphiql", "graphiql/index.html"))
        .merge(page_of_folder("/docs", "docs/index.html"))
        .merge(page_of_folder("/redoc", "redoc/index.html"))
        .route(
            "/docs/oauth2-redirect",
            get(async |headers: HeaderMap| assets::page("docs/oauth2-redirect.html", &headers)),
        )
        .route("/assets/{*path}", get(assets::file))
        .route("/favicon.svg", get(assets::file))
        .with_state(endpoint)
}

/// A page and the files below it.
fn page_of_folder(path: &'static str, file: &'static str) -> Router<Endpoint> {
    Router::new()
        .route(path, get(async |headers: HeaderMap| assets::page(file, &headers)))
        .route(&format!("{path}/"), get(async || Redirect::temporary(path)))
        .route(&format!("{path}/{{*path}}"), get(assets::file))
}

/// What answers at `/graphql`.
#[derive(Clone)]
struct Endpoint {
    groups: Arc<Groups>,
    limits: Limits,
    origins: Origins,
    ends: Ends,
    listeners: Arc<Semaphore>,
}

async fn serve(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let mut response =
        if is_upgrade(&request) { upgrade(endpoint, request).await } else { query(endpoint, request).await };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A request in a POST's body or a GET's address: answered once, or by events.
async fn query(endpoint: Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (media, is_listening) = (accept::negotiate(&parts.headers), accept::accepts_events(&parts.headers));
    if media.is_none() && !is_listening {
        let text = "accept application/graphql-response+json, application/json or text/event-stream";
        return answer::refused(Refused::new(StatusCode::NOT_ACCEPTABLE, text), Media::Json);
    }
    let answered_once = media.unwrap_or(Media::Json);
    let parsed = match parts.method {
        Method::GET | Method::HEAD => request::from_address(parts.uri.query().unwrap_or_default()),
        Method::POST => match tokio::time::timeout(BODY_TIME, read(&parts.headers, body, &endpoint.limits)).await {
            Ok(Ok(bytes)) => request::from_json(&bytes),
            Ok(Err(refused)) => Err(refused),
            Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time")),
        },
        _ => Err(Refused::method("GET, POST", "use GET or POST")),
    };
    let request = match parsed {
        Ok(request) => request,
        Err(refused) => return answer::refused(refused, answered_once),
    };
    match request::only_query(&parts.method, request, &endpoint.limits) {
        // A client that accepts both is answered once where that is possible.
        Ok(request) if media.is_some() => {
            let executed = answer::execute(endpoint.groups.schema(), request).await;
            match parts.method {
                Method::POST => executed.into_response(answered_once),
                _ => executed.into_kept_response(answered_once, &parts.headers),
            }
        }
        Ok(request) => listen(endpoint, &parts.headers, request, answered_once),
        Err(subscription) if is_listening => listen(endpoint, &parts.headers, subscription.1, answered_once),
        Err(subscription) => answer::refused(subscription.0, answered_once),
    }
}

/// Answers by events; browsers let any page ask for them, as for a WebSocket.
fn listen(endpoint: Endpoint, headers: &HeaderMap, request: async_graphql::Request, refusal: Media) -> Response {
    if !endpoint.origins.may_listen(headers) {
        return answer::refused(Refused::new(StatusCode::FORBIDDEN, NOT_ALLOWED), refusal);
    }
    match endpoint.listeners.try_acquire_owned() {
        Ok(place) => events::stream(&endpoint.groups, request, place, endpoint.ends.stop),
        Err(_) => answer::refused(no_place(), refusal),
    }
}

/// As many listen as may.
fn no_place() -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, ApiError::too_many_listen().message())
}

async fn read(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Vec<u8>, Refused> {
    if !request::is_json(headers) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json in UTF-8"));
    }
    let max = limits.body_bytes;
    let refused = |error: axum::Error| match error.source().is_some_and(|why| why.is::<LengthLimitError>()) {
        true => Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has {max} bytes at most")),
        false => Refused::new(StatusCode::BAD_REQUEST, "the body did not arrive whole"),
    };
    to_bytes(body, in_memory(max)).await.map(Into::into).map_err(refused)
}

fn is_upgrade(request: &Request) -> bool {
    request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn upgrade(endpoint: Endpoint, request: Request) -> Response {
    try_upgrade(endpoint, request).await.unwrap_or_else(|refused| answer::refused(refused, Media::Json))
}

async fn try_upgrade(endpoint: Endpoint, request: Request) -> Result<Response, Refused> {
    let (mut parts, _) = request.into_parts();
    // Browsers let any page open a WebSocket to any host: only those pages may that are allowed to.
    if !endpoint.origins.may_listen(&parts.headers) {
        return Err(Refused::new(StatusCode::FORBIDDEN, NOT_ALLOWED));
    }
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| Refused::new(rejection.status(), rejection.body_text()))?;
    let max = in_memory(endpoint.limits.body_bytes);
    let upgrade = upgrade.max_message_size(max).max_frame_size(max).read_buffer_size(SOCKET_BUFFER);
    let upgrade = upgrade.protocols([socket::PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "ask for the protocol graphql-transport-ws"));
    }
    let place = endpoint.listeners.try_acquire_owned();
    let place = place.map_err(|_| no_place())?;
    let open = endpoint.ends.sockets.token();
    Ok(upgrade.on_upgrade(async move |socket| {
        socket::serve(socket, endpoint.groups, endpoint.limits, endpoint.ends.stop).await;
        drop((place, open));
    }))
}

fn in_memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
