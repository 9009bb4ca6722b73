//! Every answer that is not 200 or a redirect, in FastAPI's shapes, mapped in one `match`.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schema::store::StoreError;
use serde::Serialize;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No such route.
    #[error("no such route")]
    UnknownRoute,
    /// The route answers GET only.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// No page with this number (on this wiki).
    #[error("page not found")]
    PageNotFound,
    /// Parameters that are missing or malformed, all of them, in the order of their declaration.
    #[error("{} invalid parameters", .0.len())]
    Invalid(Vec<FieldError>),
    /// There was no answer in time.
    #[error("no answer in time")]
    Late,
    /// Others ask about people so much that there was no turn for it.
    #[error("too many questions about people at one time")]
    Busy,
    /// The store did not answer. What it said is logged and never sent.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One wrong parameter, as pydantic words it.
#[derive(Debug, Serialize)]
pub(crate) struct FieldError {
    r#type: &'static str,
    loc: [&'static str; 2],
    msg: String,
    input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Context>,
}

/// What pydantic adds to an error of a validator: the exception, which FastAPI writes as an empty object.
#[derive(Debug, Default, Serialize)]
struct Context {
    error: Empty,
}

#[derive(Debug, Default, Serialize)]
struct Empty {}

impl FieldError {
    /// A required query parameter is absent.
    pub(crate) fn missing(name: &'static str) -> Self {
        Self { r#type: "missing", loc: ["query", name], msg: "Field required".into(), input: None, ctx: None }
    }

    /// A query parameter has a value that cannot be right.
    pub(crate) fn value(name: &'static str, input: &str, why: &str) -> Self {
        Self {
            r#type: "value_error",
            loc: ["query", name],
            msg: format!("Value error, {why}"),
            input: Some(input.into()),
            ctx: Some(Context::default()),
        }
    }
}

#[derive(Serialize)]
struct Detail<T> {
    detail: T,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "Not Found"),
            Self::PageNotFound => (StatusCode::NOT_FOUND, "Page not found"),
            Self::MethodNotAllowed => {
                let body = Json(Detail { detail: "Method Not Allowed" });
                return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")], body).into_response();
            }
            Self::Invalid(detail) => {
                return (StatusCode::UNPROCESSABLE_ENTITY, Json(Detail { detail })).into_response();
            }
            Self::Late | Self::Busy => {
                tracing::warn!(why = %self, "a REST request was given up");
                (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Self::Store(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, "a REST request failed");
                (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            // Trying again does not help: as FastAPI answers an exception that nobody caught.
            Self::Store(error) => {
                tracing::error!(%error, "a REST request failed");
                return (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response();
            }
        };
        (status, Json(Detail { detail: text })).into_response()
    }
}

/// The answer of a known path to another method than GET.
pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_is_to_be_tried_again() {
        let status = |error| ApiError::Store(error).into_response().status().as_u16();
        assert_eq!(status(StoreError::Unavailable("away".into())), 503);
        assert_eq!(status(StoreError::Corrupt("a row".into())), 500);
        assert_eq!(status(StoreError::Unsupported("a newer layout".into())), 500);
    }
}
