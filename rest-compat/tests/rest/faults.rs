//! A store that does not answer.

use crate::server::{mount, open_store, send};
use crate::stopping::StoppingStore;
use axum::body::Body;
use axum::http::Request;
use std::sync::Arc;

#[tokio::test]
async fn a_failing_store_is_503_and_says_nothing_of_itself() {
    let (inner, _folder) = open_store(&[]).await;
    let app = mount(Arc::new(StoppingStore::after(inner, 0)));
    let range = "/stats/time-range/?from_hour=2025-05-18-05&to_hour=2025-05-18-09";
    let paths = ["/domains/", "/pages/user/1", "/pages/domain/it.wikisource.org", "/pages/id/1", range];
    for path in paths.into_iter().chain(["/pages/id/1?domain=it.wikisource.org"]) {
        let answer = send(&app, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.text(), r#"503 {"detail":"Service Unavailable"}"#, "{path}");
    }
}
