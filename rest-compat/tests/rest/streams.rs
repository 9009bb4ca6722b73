//! Long lists: all of it, slice by slice, or visibly not all of it.

use crate::server::{Server, mount, open_store, page, send};
use crate::stopping::StoppingStore;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use schema::hour::Hour;
use schema::page::Page;
use std::sync::Arc;
use tower::ServiceExt;

/// Pages of user 7, 500 in each second, so that slices end within a second.
fn many(count: u64) -> Vec<Page> {
    let at = |n: u64| format!("2025-05-18T08:{:02}:{:02}", n / 500 / 60, n / 500 % 60);
    (0..count).map(|n| page("www.wikidata.org", n + 1, 7, "Bot", &at(n))).collect()
}

#[tokio::test]
async fn ten_thousand_pages_of_a_user_come_once_each_in_order() {
    let mut pages = many(10_000);
    let server = Server::with(&pages).await;
    pages.sort_by_key(|page| std::cmp::Reverse((page.created_at, page.page_id)));
    let expect: Vec<String> = pages.iter().map(|page| page.page_id.to_string()).collect();
    for path in ["/pages/user/7", "/pages/user/7?domain=www.wikidata.org"] {
        let answer = server.get(path).await;
        let json: serde_json::Value = serde_json::from_str(answer.strip_prefix("200 ").unwrap()).unwrap();
        let found: Vec<&str> =
            json["pages"].as_array().unwrap().iter().map(|page| page["page_id"].as_str().unwrap()).collect();
        assert!(found == expect, "{path}: {} pages, or not in order", found.len());
    }
}

#[tokio::test]
async fn a_body_is_broken_off_when_the_store_fails_midway() {
    let (inner, _folder) = open_store(&many(3_000)).await;
    let app = mount(Arc::new(StoppingStore::after(inner, 2)));
    let answer = send(&app, Request::get("/pages/user/7").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, None));
}

#[tokio::test]
async fn nothing_is_read_ahead_of_the_socket() {
    let (inner, _folder) = open_store(&many(5_000)).await;
    let store = Arc::new(StoppingStore::after(inner, usize::MAX));
    let app = mount(store.clone());
    let request = Request::get("/pages/user/7").body(Body::empty()).unwrap();
    let mut body = app.oneshot(request).await.unwrap().into_body().into_data_stream();
    assert_eq!(store.asked(), 1);
    body.next().await.unwrap().unwrap();
    assert_eq!(store.asked(), 1);
    body.next().await.unwrap().unwrap();
    assert_eq!(store.asked(), 2);
}

/// A month of people: one in every hour, and many more than are written at once.
#[tokio::test]
async fn who_created_what_in_a_month_is_written_part_by_part() {
    let begin = Hour::of("2025-05-01T00:00:00Z".parse().expect("a time"));
    let made = |n: u64, user_id: u64, name: &str| Page {
        created_at: begin.plus((n % 744) as i64).start(),
        ..page("it.wikisource.org", n + 1, user_id, name, "2025-05-01T00:00:00")
    };
    let always = (0..744).map(|n| made(n, 1, "Always"));
    let others = (744..4_000).map(|n| made(n, n, "Once"));
    let (store, _folder) = open_store(&always.chain(others).collect::<Vec<_>>()).await;
    let request = Request::get("/stats/time-range/?from_hour=2025-05-01-00&to_hour=2025-05-31-23");
    let answer = mount(store).oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let (mut parts, mut whole) = (0, Vec::new());
    let mut body = answer.into_body().into_data_stream();
    while let Some(part) = body.next().await {
        whole.extend(part.expect("it is not broken off"));
        parts += 1;
    }
    assert!(parts > 3, "{parts} parts");
    let whole: serde_json::Value = serde_json::from_slice(&whole).expect("it is JSON");
    let users = whole["users"].as_array().expect("a list");
    assert_eq!(users.len(), 1 + 4_000 - 744);
    assert_eq!(users[0], serde_json::json!({ "user_id": "1", "user_name": "Always", "count": 744 }));
    assert!(users[1..].iter().all(|user| user["count"] == 1));
}
