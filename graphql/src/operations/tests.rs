//! What the three routes answer.

use super::*;
use crate::operation::RequestId;
use crate::schema::tests::fixture::{Fixture, page};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

async fn ask(fixture: &Fixture, path: &str) -> (StatusCode, String, String) {
    ask_beside(fixture, fixture.groups(), path).await
}

async fn ask_beside(fixture: &Fixture, live: Arc<Groups>, path: &str) -> (StatusCode, String, String) {
    let router = router(fixture.calls.clone(), fixture.pipeline(), live);
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let media = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, media, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let fixture = Fixture::known().await;
    assert_eq!(ask(&fixture, "/healthz").await.0, StatusCode::OK);
    assert_eq!(ask(&fixture, "/readyz").await.0, StatusCode::OK);
    fixture.calls.lose_lists();
    assert_eq!(ask(&fixture, "/healthz").await.0, StatusCode::OK, "the process itself is well");
    let (status, _, text) = ask(&fixture, "/readyz").await;
    assert_eq!((status, text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"));
}

#[tokio::test]
async fn metrics_tell_stages_and_rows_read() {
    let fixture = Fixture::known().await;
    fixture.calls.list_pages(&PageQuery::newest(PageList::All, 2)).await.unwrap();
    fixture.calls.domains().await.unwrap();
    let (status, media, text) = ask(&fixture, "/metrics").await;
    assert_eq!((status, media.as_str()), (StatusCode::OK, OPEN_METRICS));
    let wanted = [
        "# TYPE pagetrack_store_rows_read counter",
        "pagetrack_store_calls_total{call=\"list_pages\"} 1",
        "pagetrack_store_rows_read_total{call=\"list_pages\"} 3",
        "pagetrack_store_calls_total{call=\"counts\"} 0",
        "pagetrack_events_total{stage=\"producer\",outcome=\"rejected\"} 2",
        "pagetrack_events_by_reason_total{stage=\"producer\",reason=\"INVALID_JSON\"} 2",
        "pagetrack_events_in_flight{stage=\"producer\"} 1.0",
        "pagetrack_events_per_second{stage=\"producer\"} 1.5",
        "pagetrack_lag_seconds{stage=\"producer\"} 2.0",
        "pagetrack_source_connected{stage=\"producer\"} 0.0",
        "pagetrack_gaps 3",
        "# EOF",
    ];
    for line in wanted {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    // Of stages that nobody heard of nothing is told, and of no lag none.
    assert!(!text.contains("writer") && !text.contains("pagetrack_lag_records{"), "{text}");
}

#[tokio::test]
async fn metrics_tell_who_listens_and_what_they_missed() {
    let fixture = Fixture::known().await;
    let live = fixture.groups();
    // What the feed does it does beside this.
    let told = async |wanted: &[&str]| {
        let telling = async {
            loop {
                let (_, _, text) = ask_beside(&fixture, Arc::clone(&live), "/metrics").await;
                if wanted.iter().all(|line| text.lines().any(|told| told == *line)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), telling).await.unwrap_or_else(|_| panic!("never told: {wanted:?}"));
    };
    told(&["pagetrack_live_subscriptions 0", "pagetrack_live_groups 0", "pagetrack_live_missed_total 0"]).await;
    let listen = |field: &str| {
        let request = async_graphql::Request::new(format!("subscription {{ pageCreated {{ {field} }} }}"));
        live.open(request, RequestId("r".into()))
    };
    let listeners = [listen("cursor"), listen("cursor"), listen("missedCount")];
    told(&["pagetrack_live_subscriptions 3", "pagetrack_live_groups 2", "pagetrack_live_replays 0"]).await;
    while fixture.hub.subscriber_count() < 2 {
        tokio::task::yield_now().await;
    }
    // A thousand wait for each of the three, who read nothing.
    for id in 1..=1_003 {
        fixture.hub.tell(page("it.wikisource.org", id, (1, "Alex brollo"), 0));
        tokio::task::yield_now().await;
    }
    told(&["pagetrack_live_missed_total 9"]).await;
    drop(listeners);
    told(&["pagetrack_live_subscriptions 0", "pagetrack_live_groups 0", "pagetrack_live_waiting_bytes 0"]).await;
}
