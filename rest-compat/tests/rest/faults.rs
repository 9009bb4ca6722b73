//! A store that does not answer.

use crate::server::{mount, mount_patiently, open_store, page, send};
use crate::stopping::StoppingStore;
use axum::body::Body;
use axum::http::Request;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

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

#[tokio::test]
async fn a_silent_store_is_503_or_a_broken_body_once_its_time_is_over() {
    let pages: Vec<_> = (1..=1_500).map(|n| page("www.wikidata.org", n, 7, "Bot", "2025-05-18T08:00:00")).collect();
    let patience = Duration::from_millis(500);
    for (lists, text) in [(0, r#"503 {"detail":"Service Unavailable"}"#), (1, "200 OK None")] {
        let (inner, _folder) = open_store(&pages).await;
        let app = mount_patiently(Arc::new(StoppingStore::silent_after(inner, lists)), patience);
        let begun = Instant::now();
        let answer = send(&app, Request::get("/pages/user/7").body(Body::empty()).unwrap());
        let answer = timeout(Duration::from_secs(10), answer).await.expect("an answer in time");
        assert_eq!(if lists == 0 { answer.text() } else { format!("{} {:?}", answer.status, answer.body) }, text);
        assert!(begun.elapsed() >= patience, "{:?}", begun.elapsed());
    }
}
