//! Operations over server-sent events, each on a connection of its own (github.com/enisdenjo/graphql-sse, PROTOCOL.md:
//! distinct connections mode).

use super::answer::{Answers, answers, is_request_error, new_request_id, without_data};
use crate::live::{Groups, Told};
use async_graphql::Request;
use axum::body::Body;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{StreamExt, unfold};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How often a quiet connection is kept alive by a comment, which also tells when the client has gone.
const COMMENT_EVERY: Duration = Duration::from_secs(12);

/// Streams an operation's answers until it ends, the client leaves, or `stop`; then `place` is free again.
pub(super) fn stream(
    groups: &Arc<Groups>,
    request: Request,
    place: OwnedSemaphorePermit,
    stop: CancellationToken,
) -> Response {
    let request_id = new_request_id();
    let answers = answers(groups, request, request_id.clone());
    // A stream that ends without `complete` is one that clients ask for again.
    let events = unfold((answers, place), next).take_until(stop.cancelled_owned());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8".to_owned()),
        (header::VARY, "accept".to_owned()),
        (HeaderName::from_static("x-request-id"), request_id),
        // Proxies that gather answers would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no".to_owned()),
    ];
    (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
}

/// The text of the next event, or of a comment when there is none for a while.
async fn next(
    (mut answers, place): (Answers, OwnedSemaphorePermit),
) -> Option<(String, (Answers, OwnedSemaphorePermit))> {
    let text = match timeout(COMMENT_EVERY, answers.next()).await {
        Ok(answer) => event(answer?),
        Err(_) => ":\n\n".to_owned(),
    };
    Some((text, (answers, place)))
}

/// Even what is not executed is told by an event: a browser shows its page nothing of a response that is no stream. The
/// last event has data, though empty, or browsers would not tell it.
fn event(told: Option<Told>) -> String {
    let json: Arc<str> = match told {
        None => return "event: complete\ndata: \n\n".to_owned(),
        Some(Told::Shared(json)) => json,
        Some(Told::Own(answer)) if is_request_error(&answer) => without_data(&answer).into(),
        Some(Told::Own(answer)) => serde_json::to_string(&answer).expect("an answer is JSON").into(),
    };
    format!("event: next\ndata: {json}\n\n")
}
