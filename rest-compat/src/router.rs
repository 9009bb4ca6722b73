//! The whole route list.

use crate::error::method_not_allowed;
use crate::slash::redirect;
use crate::{domains, pages, stats};
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, any, get};
use schema::store::Store;
use std::sync::Arc;

/// The five documented routes over `store`, and their twins with or without the trailing slash. It has no fallback
/// of its own, so that it can be merged with other routers: use [`crate::not_found`] for the whole.
pub fn router(store: Arc<dyn Store>) -> Router {
    Router::new()
        .route("/domains/", only_get(domains::list))
        .route("/pages/user/{user_id}", only_get(pages::by_user))
        .route("/pages/domain/{domain}", only_get(pages::by_domain))
        .route("/pages/id/{page_id}", only_get(pages::by_id))
        .route("/stats/time-range/", only_get(stats::time_range))
        .route("/domains", any(redirect))
        .route("/pages/user/{user_id}/", any(redirect))
        .route("/pages/domain/{domain}/", any(redirect))
        .route("/pages/id/{page_id}/", any(redirect))
        .route("/stats/time-range", any(redirect))
        .with_state(store)
}

/// GET and nothing else; axum's own `get` would answer HEAD too, FastAPI does not.
fn only_get<H, T>(handler: H) -> MethodRouter<Arc<dyn Store>>
where
    H: Handler<T, Arc<dyn Store>>,
    T: 'static,
{
    get(handler).head(method_not_allowed).fallback(method_not_allowed)
}
