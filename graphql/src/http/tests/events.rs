//! Operations over server-sent events.

use super::*;
use crate::schema::tests::fixture::page;
use axum::body::BodyDataStream;
use futures::StreamExt;

const EVENTS: &str = "text/event-stream";
const SUBSCRIPTION: &str = "subscription { pageCreated { page { pageId } missedCount } }";

async fn ask(fixture: &Fixture, request: axum::http::request::Builder, query: &str) -> Response {
    let app = app_of(fixture);
    let body = if query.is_empty() { Body::empty() } else { json!({ "query": query }).to_string().into() };
    app.oneshot(request.body(body).unwrap()).await.unwrap()
}

/// All that a response says until it ends.
async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

async fn next(events: &mut BodyDataStream) -> String {
    let chunk = tokio::time::timeout(Duration::from_secs(10), events.next()).await.expect("an event in time");
    String::from_utf8(chunk.unwrap().unwrap().into()).unwrap()
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_events_until_the_client_leaves() {
    let fixture = Fixture::known().await;
    let address = "/graphql?query=subscription%7BpageCreated%7Bpage%7BpageId%7DmissedCount%7D%7D";
    let get = axum::http::Request::get(address).header("accept", EVENTS);
    for (request, query) in [(post(EVENTS, JSON), SUBSCRIPTION), (get, "")] {
        let response = ask(&fixture, request, query).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(EVENTS));
        assert!(response.headers().contains_key("x-request-id"));
        let mut events = response.into_body().into_data_stream();
        let (event, ()) = tokio::join!(next(&mut events), async {
            fixture.wait_for_subscriber().await;
            fixture.hub.tell(page("it.wikisource.org", if query.is_empty() { 71 } else { 70 }, (1, "Alex brollo"), 0));
        });
        let id = if query.is_empty() { 71 } else { 70 };
        let told = format!(r#"data: {{"data":{{"pageCreated":{{"page":{{"pageId":"{id}"}},"missedCount":0}}}}"#);
        assert!(event.starts_with("event: next\n") && event.contains(&told) && event.ends_with("\n\n"), "{event:?}");
        drop(events);
        while fixture.hub.subscriber_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn what_ends_is_completed_and_what_is_refused_is_told_by_an_event() {
    let fixture = Fixture::known().await;
    let said = text(ask(&fixture, post(EVENTS, JSON), "{ __typename }").await).await;
    let (first, last) = said.split_once("\n\n").unwrap();
    assert!(first.starts_with("event: next\ndata: {\"data\":{\"__typename\":\"Query\"}"), "{said:?}");
    assert!(last.starts_with("event: complete\ndata:") && last.ends_with("\n\n"), "{said:?}");
    for wrong in ["subscription { nothing }", "{", "{ pages(first: 2147483647) { nodes { id } } }"] {
        let response = ask(&fixture, post(EVENTS, JSON), wrong).await;
        assert_eq!(response.status(), StatusCode::OK, "{wrong}");
        let said = text(response).await;
        assert!(said.starts_with("event: next\ndata: {\"errors\":[{") && said.contains("requestId"), "{said:?}");
        assert!(said.contains("event: complete\n"), "{said:?}");
    }
}

#[tokio::test]
async fn a_client_that_accepts_both_is_answered_once_where_that_is_possible() {
    let fixture = Fixture::known().await;
    let both = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
    let media = async |query: &str| {
        let response = ask(&fixture, post(both, JSON), query).await;
        response.headers()["content-type"].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    assert_eq!(media("{ __typename }").await, NEW);
    assert_eq!(media(SUBSCRIPTION).await, EVENTS);
}

#[tokio::test]
async fn without_events_a_subscription_is_told_where_to_go() {
    for accept in ["*/*", JSON, NEW, "application/json, text/event-stream;q=0"] {
        let answer = send(post(accept, JSON), json!({ "query": SUBSCRIPTION }).to_string()).await;
        assert_eq!(answer.0, StatusCode::BAD_REQUEST, "{accept}");
        let message = answer.2["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("graphql-transport-ws") && message.contains(EVENTS), "{message}");
        assert_eq!(answer.2["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn pages_of_other_hosts_hear_no_events() {
    let fixture = Fixture::known().await;
    let from = |origin| post(EVENTS, JSON).header("host", "127.0.0.1:8000").header("origin", origin);
    assert_eq!(ask(&fixture, from("http://evil.example"), SUBSCRIPTION).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(ask(&fixture, from("http://127.0.0.1:8000"), SUBSCRIPTION).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() {
    let fixture = Fixture::known().await;
    let mut events = ask(&fixture, post(EVENTS, JSON), SUBSCRIPTION).await.into_body().into_data_stream();
    let mut first = Box::pin(events.next());
    tokio::select! {
        biased;
        said = &mut first => panic!("{said:?} before there was anything to say"),
        () = fixture.wait_for_subscriber() => {}
    }
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    assert_eq!(first.await.unwrap().unwrap(), ":\n\n");
    assert!(begun.elapsed() <= Duration::from_secs(15), "{:?}", begun.elapsed());
    assert_eq!(events.next().await.unwrap().unwrap(), ":\n\n");
}

#[tokio::test]
async fn who_may_not_listen_is_told_by_code_and_number() {
    let fixture = Fixture::known().await;
    let check = async |response: Response, status: StatusCode, code: &str| {
        assert_eq!(response.status(), status);
        let said: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(said["errors"][0]["extensions"]["code"], code, "{said}");
        assert!(said["errors"][0]["extensions"]["requestId"].is_string() && said.get("data").is_none(), "{said}");
    };
    let foreign = post(EVENTS, JSON).header("host", "127.0.0.1:8000").header("origin", "http://evil.example");
    check(ask(&fixture, foreign, SUBSCRIPTION).await, StatusCode::FORBIDDEN, "BAD_USER_INPUT").await;
    check(ask(&fixture, post("image/png", JSON), SUBSCRIPTION).await, StatusCode::NOT_ACCEPTABLE, "BAD_USER_INPUT")
        .await;
    let full = router(fixture.groups(), Limits { listeners: 0, ..Limits::default() }, Origins::None, Ends::default());
    let request = post(EVENTS, JSON).body(Body::from(json!({ "query": SUBSCRIPTION }).to_string())).unwrap();
    check(full.oneshot(request).await.unwrap(), StatusCode::SERVICE_UNAVAILABLE, "LIMIT_EXCEEDED").await;
}
