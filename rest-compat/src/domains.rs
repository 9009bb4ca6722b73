//! `GET /domains/`.

use crate::error::ApiError;
use crate::wire::Domains;
use axum::Json;
use axum::extract::State;
use schema::store::Store;
use std::sync::Arc;

/// The wikis on which pages were created, by name.
pub(crate) async fn list(State(store): State<Arc<dyn Store>>) -> Result<Json<Domains>, ApiError> {
    let rows = store.domains().await?;
    Ok(Json(Domains { domains: rows.into_iter().map(|row| row.domain.into()).collect() }))
}
