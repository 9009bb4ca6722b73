//! The router as a composition root mounts it, called in process.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::get;
use chrono::{DateTime, Utc};
use schema::clock::{Clock, FixedClock};
use schema::page::Page;
use schema::store::{Durability, Migration, Store, StoreUrl};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;

/// A server over a store of its own.
pub(crate) struct Server {
    app: Router,
    _folder: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// None when the body was broken off.
    pub(crate) body: Option<String>,
}

/// Another part of the same server, to see that parts do not get in each other's way.
pub(crate) fn mount(store: Arc<dyn Store>) -> Router {
    mount_patiently(store, Duration::from_secs(10))
}

/// The same, waiting so long for the store.
pub(crate) fn mount_patiently(store: Arc<dyn Store>, patience: Duration) -> Router {
    let others = Router::new().route("/graphql", get(|| async { "graphql" }));
    // 19:32 on the day of the reports' worked example.
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(1_747_596_720));
    rest_compat::router(Arc::clone(&store), Arc::clone(&clock), patience)
        .merge(others)
        .fallback_service(rest_compat::fallback(store, clock, patience))
}

/// An embedded store in a folder that goes away, with these pages.
pub(crate) async fn open_store(pages: &[Page]) -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = StoreUrl::Embedded(folder.path().into());
    let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.expect("the store opens");
    store.write_pages(pages, DateTime::UNIX_EPOCH).await.expect("the store takes pages");
    (store, folder)
}

impl Server {
    /// Serves these pages.
    pub(crate) async fn with(pages: &[Page]) -> Self {
        let (store, folder) = open_store(pages).await;
        Self { app: mount(store), _folder: folder }
    }

    /// The answer to GET, as `status body`.
    pub(crate) async fn get(&self, path: &str) -> String {
        send(&self.app, Request::get(path).body(Body::empty()).expect("a request is well formed")).await.text()
    }

    /// The whole answer to any request.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&self.app, request.body(Body::empty()).expect("a request is well formed")).await
    }
}

/// Calls a router.
pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let (head, body) = app.clone().oneshot(request).await.expect("a router cannot fail").into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.ok();
    let body = body.map(|bytes| String::from_utf8(bytes.to_vec()).expect("answers are UTF-8"));
    Answer { status: head.status, headers: head.headers, body }
}

impl Answer {
    /// `status body`.
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.body.as_deref().unwrap_or("(broken off)"))
    }

    /// The location header, or nothing.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map(|value| value.to_str().expect("locations are ASCII")).unwrap_or_default()
    }
}

/// A page of `domain` in the hour and second that `created_at` names (`2025-05-18T08:03:14`).
pub(crate) fn page(domain: &str, page_id: u64, user_id: u64, user_name: &str, created_at: &str) -> Page {
    let created_at: DateTime<Utc> = format!("{created_at}Z").parse().expect("the test names a value that is one");
    Page {
        page_id: schema::page::PageId::new(page_id).expect("a page id"),
        user_id: schema::page::UserId::new(user_id).expect("a user id"),
        user_name: user_name.into(),
        domain: domain.parse().expect("the test names a value that is one"),
        page_title: format!("Pagina:Storia_{page_id}.djvu/7"),
        created_at,
        wiki: "itwikisource".parse().expect("the test names a value that is one"),
        namespace: 108,
        is_redirect: false,
        is_bot: false,
        rev_id: page_id,
        event_id: None,
        version: created_at.timestamp_micros(),
    }
}
