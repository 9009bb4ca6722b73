//! `Counts-As-Of`: up to when pages are counted in an answer whose body, as it was agreed on, has no place for it.

use crate::error::ApiError;
use crate::state::RestState;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use chrono::SecondsFormat;

/// The header's name; its value is a time in UTC.
pub const COUNTS_AS_OF: HeaderName = HeaderName::from_static("counts-as-of");

/// Adds the header to an answer that is made of counts.
pub(crate) async fn tell(State(state): State<RestState>, request: Request, next: Next) -> Result<Response, ApiError> {
    // Asked before the counts are read, or it could be later than they are.
    let as_of = state.store.counts_as_of().await;
    let asked_at = state.clock.now();
    let mut response = next.run(request).await;
    if response.status().is_success() {
        let as_of = as_of?.unwrap_or(asked_at).to_rfc3339_opts(SecondsFormat::Millis, true);
        let as_of = HeaderValue::try_from(as_of).expect("a time is ASCII");
        response.headers_mut().insert(COUNTS_AS_OF, as_of);
    }
    Ok(response)
}
