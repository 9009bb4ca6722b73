//! The answer to a request: executed within its time, with the status that its media type wants.

use super::accept::Media;
use super::caching::{knows, policy, tag};
use super::origins::REQUEST_ID;
use super::request::Refused;
use crate::live::{Groups, Told};
use crate::operation::{RequestId, refusal};
use crate::schema::Schema;
use crate::schema::errors::{ApiError, bad_input};
use async_graphql::{Request, Response as Answer, Value};
use async_graphql_axum::GraphQLResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{BoxStream, StreamExt, once};
use serde_json::json;
use std::sync::Arc;

pub(super) use crate::live::is_request_error;

/// An executed request.
pub(super) struct Executed {
    answer: Answer,
    request_id: String,
}

/// A random name for a request.
pub(super) fn new_request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Executes a request, which has a time limit of its own.
pub(super) async fn execute(schema: &Schema, request: Request) -> Executed {
    let request_id = new_request_id();
    let request = request.data(RequestId(request_id.clone()));
    Executed { answer: schema.execute(request).await, request_id }
}

/// What an operation has to say: answers, then none.
pub(super) type Answers = BoxStream<'static, Option<Told>>;

/// What an operation answers where it may answer often.
pub(super) fn answers(groups: &Arc<Groups>, request: Request, request_id: String) -> Answers {
    groups.open(request, RequestId(request_id)).map(Some).chain(once(async { None })).boxed()
}

impl Executed {
    /// As a response of this media type.
    pub(super) fn into_response(self, media: Media) -> Response {
        let status = status_of(&self.answer, media);
        if is_request_error(&self.answer) {
            return respond(status, media, without_data(&self.answer).into_bytes(), &self.request_id);
        }
        let mut response = GraphQLResponse::from(self.answer).into_response();
        // How long it may be kept is for those to say who know by which method it was asked.
        response.headers_mut().remove(header::CACHE_CONTROL);
        (status, headers(media, &self.request_id), response).into_response()
    }

    /// The same as the response to a GET, which may be kept, and is not sent to whoever has it. Errors are for nobody
    /// else.
    pub(super) fn into_kept_response(mut self, media: Media, asked: &HeaderMap) -> Response {
        if self.answer.is_err() {
            return self.into_response(media);
        }
        let (policy, tag) = (policy(&self.answer), tag(&mut self.answer));
        let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| knows(known, &tag));
        let kept = [(header::CACHE_CONTROL, policy), (header::ETAG, tag)];
        if is_known {
            return (StatusCode::NOT_MODIFIED, kept, headers(media, &self.request_id)).into_response();
        }
        (kept, self.into_response(media)).into_response()
    }
}

/// The JSON of a request that was not executed: it has no `data`, not even null.
pub(super) fn without_data(answer: &Answer) -> String {
    let mut said = json!({ "errors": answer.errors });
    if !answer.extensions.is_empty() {
        said["extensions"] = json!(answer.extensions);
    }
    said.to_string()
}

/// With the older media type every well-formed request has status 200, but for what the server refuses to do.
fn status_of(answer: &Answer, media: Media) -> StatusCode {
    if !is_request_error(answer) {
        return StatusCode::OK;
    }
    let code = answer.errors.iter().find_map(|error| match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code.as_str()),
        _ => None,
    });
    match (code, media) {
        (Some("TIMEOUT" | "UNAVAILABLE"), _) => StatusCode::SERVICE_UNAVAILABLE,
        (Some("LIMIT_EXCEEDED"), _) | (_, Media::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (_, Media::Json) => StatusCode::OK,
    }
}

/// The response to a request that is not looked at any further.
pub(super) fn refused(refused: Refused, media: Media) -> Response {
    let request_id = new_request_id();
    let error = match refused.status {
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::SERVICE_UNAVAILABLE => ApiError::LimitExceeded(refused.message),
        _ => bad_input(refused.message),
    };
    let body = json!({ "errors": [refusal(error, &request_id)] }).to_string();
    let mut response = respond(refused.status, media, body.into_bytes(), &request_id);
    if let Some(allow) = refused.allow {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn respond(status: StatusCode, media: Media, body: Vec<u8>, request_id: &str) -> Response {
    (status, headers(media, request_id), body).into_response()
}

fn headers(media: Media, request_id: &str) -> [(header::HeaderName, String); 3] {
    [
        (header::CONTENT_TYPE, media.content_type().into()),
        (header::VARY, "accept, accept-encoding".into()),
        (REQUEST_ID, request_id.into()),
    ]
}
