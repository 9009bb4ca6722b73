//! The whole route list, and how a path finds its route.

use crate::error::{ApiError, method_not_allowed};
use crate::slash::{redirect, redirect_many};
use crate::state::RestState;
use crate::{as_of, deadline, domains, openapi, pages, reports, stats};
use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use schema::clock::Clock;
use schema::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use tracing::Instrument;

/// What a path has encoded: all but letters, digits, and what is itself everywhere.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The five documented routes and the reports over `store`, and their twins with or without the trailing slash. It has
/// no fallback of its own, so that it can be merged with other routers: [`fallback`] is that of the whole.
///
/// An answer may take as long as `patience`; of a list that is written while it is read, each part may.
pub fn router(store: Arc<dyn Store>, clock: Arc<dyn Clock>, patience: Duration) -> Router {
    let state = RestState { store, clock };
    let counted = |route: MethodRouter<RestState>| route.layer(from_fn_with_state(state.clone(), as_of::tell));
    Router::new()
        .route("/domains/", only_get(domains::list))
        .route("/pages/user/{user_id}", only_get(pages::by_user))
        .route("/pages/domain/{domain}", counted(only_get(pages::by_domain)))
        .route("/pages/id/{page_id}", only_get(pages::by_id))
        .route("/stats/time-range/", counted(only_get(stats::time_range)))
        .route("/reports/domains-by-hour/", counted(only_get(reports::by_hour)))
        .route("/reports/bots-by-domain/", counted(only_get(reports::bots)))
        .route("/reports/top-users/", counted(only_get(reports::top_users)))
        .route("/reports/top-users/pages/", only_get(reports::pages))
        .route("/openapi.json", get(openapi::document))
        .route("/domains", any(redirect))
        .route("/pages/user/{user_id}/", any(redirect))
        .route("/pages/domain/{domain}/", any(redirect))
        .route("/pages/id/{page_id}/", any(redirect))
        .route("/stats/time-range", any(redirect))
        .route("/reports/domains-by-hour", any(redirect))
        .route("/reports/bots-by-domain", any(redirect))
        .route("/reports/top-users", any(redirect))
        .route("/reports/top-users/pages", any(redirect))
        .layer(from_fn_with_state(patience, surround))
        .with_state(state)
}

/// What answers where no route of the whole server does: a path of ours that is written otherwise
/// (`/domain%73/`, `/pages%2Fid%2F1`: FastAPI finds routes on the decoded path), else `{"detail":"Not Found"}`.
pub fn fallback(store: Arc<dyn Store>, clock: Arc<dyn Clock>, patience: Duration) -> Router {
    Router::new().fallback(decoded).with_state(router(store, clock, patience).fallback(redirect_many))
}

async fn decoded(State(routes): State<Router>, mut request: Request) -> Result<Response, ApiError> {
    let path = percent_decode_str(request.uri().path()).collect::<Vec<u8>>();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{}{query}", percent_encode(&path, ENCODED));
    let target = PathAndQuery::try_from(target).map_err(|_| ApiError::UnknownRoute)?;
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(target);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| ApiError::UnknownRoute)?;
    Ok(routes.oneshot(request).await.into_response())
}

/// The log's lines name the request; the texts of strangers are never taken for anything but JSON.
async fn surround(State(patience): State<Duration>, request: Request, next: Next) -> Response {
    let span = tracing::error_span!("rest", method = %request.method(), path = request.uri().path());
    let answer = deadline::keep(patience, next.run(request));
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// GET and nothing else; axum's own `get` would answer HEAD too, FastAPI does not.
fn only_get<H, T>(handler: H) -> MethodRouter<RestState>
where
    H: Handler<T, RestState>,
    T: 'static,
{
    get(handler).head(method_not_allowed).fallback(method_not_allowed)
}
