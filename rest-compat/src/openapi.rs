//! `GET /openapi.json`: what these routes take and answer, as FastAPI tells of them (OpenAPI 3.1).

use axum::http::header;
use axum::response::IntoResponse;

const DOCUMENT: &str = include_str!("../openapi.json");

/// The document, the same always.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
