//! The HTTP surface of GraphQL: one address for queries and the live feed, and the files of dashboard and playground.

mod accept;
mod answer;
mod assets;
mod events;
mod request;
mod socket;

use crate::schema::Schema;
use accept::Media;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use request::Refused;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Bytes of a request's body: a document of 20 KB and variables of its lists' sizes fit.
const MAX_BODY: usize = 128 * 1024;

/// How long a request's body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Connections that listen at one time: WebSockets, and server-sent events.
const MAX_SOCKETS: usize = 2_000;

const TOO_MANY: &str = "too many listen already; try again later";

/// The routes `/graphql`, `/graphiql` and those of the dashboard. `stop` ends the WebSocket connections.
pub fn router(schema: Schema, stop: CancellationToken) -> Router {
    routes(Endpoint { schema, stop, sockets: Arc::new(Semaphore::new(MAX_SOCKETS)) })
}

fn routes(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/graphql", any(serve))
        .route("/", get(assets::dashboard))
        .route("/graphiql", get(assets::playground))
        .route("/graphiql/", get(async || Redirect::temporary("/graphiql")))
        .route("/graphiql/{*path}", get(assets::file))
        .route("/assets/{*path}", get(assets::file))
        .route("/favicon.svg", get(assets::file))
        .with_state(endpoint)
}

/// What answers at `/graphql`.
#[derive(Clone)]
struct Endpoint {
    schema: Schema,
    stop: CancellationToken,
    sockets: Arc<Semaphore>,
}

async fn serve(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let mut response =
        if is_upgrade(&request) { upgrade(endpoint, request).await } else { query(endpoint, request).await };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A request in a POST's body or a GET's address: answered once, or by events.
async fn query(endpoint: Endpoint, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (media, is_listening) = (accept::negotiate(&parts.headers), accept::accepts_events(&parts.headers));
    if media.is_none() && !is_listening {
        let text = "accept application/graphql-response+json, application/json or text/event-stream";
        return answer::plain(StatusCode::NOT_ACCEPTABLE, text);
    }
    let answered_once = media.unwrap_or(Media::Json);
    let parsed = match parts.method {
        Method::GET | Method::HEAD => request::from_address(parts.uri.query().unwrap_or_default()),
        Method::POST => match tokio::time::timeout(BODY_TIME, read(&parts.headers, body)).await {
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
    match request::only_query(&parts.method, request) {
        // A client that accepts both is answered once where that is possible.
        Ok(request) if media.is_some() => answer::execute(&endpoint.schema, request).await.into_response(answered_once),
        Ok(request) => listen(endpoint, &parts.headers, request),
        Err(subscription) if is_listening => listen(endpoint, &parts.headers, subscription.1),
        Err(subscription) => answer::refused(subscription.0, answered_once),
    }
}

/// Answers by events; browsers let any page ask for them, as for a WebSocket.
fn listen(endpoint: Endpoint, headers: &HeaderMap, request: async_graphql::Request) -> Response {
    if !is_same_host(headers) {
        return answer::plain(StatusCode::FORBIDDEN, "the live feed is for pages of this host");
    }
    match endpoint.sockets.try_acquire_owned() {
        Ok(place) => events::stream(endpoint.schema, request, place, endpoint.stop),
        Err(_) => answer::plain(StatusCode::SERVICE_UNAVAILABLE, TOO_MANY),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
    if !request::is_json(headers) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json in UTF-8"));
    }
    let too_large = || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has {MAX_BODY} bytes at most"));
    to_bytes(body, MAX_BODY).await.map(Into::into).map_err(|_| too_large())
}

fn is_upgrade(request: &Request) -> bool {
    request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn upgrade(endpoint: Endpoint, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    // Browsers let any page open a WebSocket to any host: only pages of this host may.
    if !is_same_host(&parts.headers) {
        return answer::plain(StatusCode::FORBIDDEN, "the live feed is for pages of this host");
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let upgrade = upgrade.max_message_size(MAX_BODY).max_frame_size(MAX_BODY).protocols([socket::PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return answer::plain(StatusCode::BAD_REQUEST, "ask for the protocol graphql-transport-ws");
    }
    let Ok(place) = endpoint.sockets.try_acquire_owned() else {
        return answer::plain(StatusCode::SERVICE_UNAVAILABLE, TOO_MANY);
    };
    upgrade.on_upgrade(async move |socket| {
        socket::serve(socket, endpoint.schema, endpoint.stop).await;
        drop(place);
    })
}

/// Whether the request comes from a page of the host that it asks, or from no page at all.
fn is_same_host(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    origin_host.is_some_and(|host| Some(host) == text(header::HOST))
}

#[cfg(test)]
mod tests;
