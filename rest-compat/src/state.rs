//! What the routes need: where the pages are, and what time it is.

use axum::extract::FromRef;
use schema::clock::Clock;
use schema::store::Store;
use std::sync::Arc;

/// The state of all routes; a handler takes the part that it needs.
#[derive(Clone, FromRef)]
pub(crate) struct RestState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}
