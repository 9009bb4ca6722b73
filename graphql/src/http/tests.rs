//! GraphQL over HTTP and WebSocket: statuses, media types, refusals, and a subscription from hello to goodbye.

mod coded;
mod events;
mod kept;
mod origins;
mod slow;
mod socket;

use super::*;
use crate::schema::tests::fixture::Fixture;
use serde_json::{Value, json};
use tower::ServiceExt;

const JSON: &str = "application/json";
const NEW: &str = "application/graphql-response+json";

fn app_of(fixture: &Fixture) -> Router {
    router(fixture.groups(), Limits::default(), Origins::None, Ends::default())
}

async fn send(
    request: axum::http::request::Builder,
    body: impl Into<Body>,
) -> (StatusCode, axum::http::HeaderMap, Value) {
    let fixture = Fixture::known().await;
    let app = app_of(&fixture);
    let response = app.oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn post(accept: &str, content_type: &str) -> axum::http::request::Builder {
    axum::http::Request::post("/graphql").header("accept", accept).header("content-type", content_type)
}

async fn check_post(body: &str, accept: &str, status: u16) -> Value {
    let (found, headers, answer) = send(post(accept, JSON), body.to_owned()).await;
    assert_eq!(found.as_u16(), status, "{}: {answer}", &body[..body.len().min(200)]);
    assert!(headers["content-type"].to_str().unwrap().starts_with(if accept == NEW { NEW } else { JSON }));
    assert!(headers.contains_key("x-request-id"));
    answer
}

async fn check_get(query: &str, status: u16) -> (axum::http::HeaderMap, Value) {
    let (found, headers, answer) = send(axum::http::Request::get(format!("/graphql?{query}")), Body::empty()).await;
    assert_eq!(found.as_u16(), status, "{query}: {answer}");
    (headers, answer)
}

#[tokio::test]
async fn the_media_type_decides_the_status_of_a_request_error() {
    let wrong = r#"{"query":"{ nothing }"}"#;
    let answer = check_post(wrong, JSON, 200).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string() && answer.get("data").is_none(), "{answer}");
    check_post(wrong, NEW, 400).await;
    check_post(r#"{"query":"{"}"#, JSON, 200).await;
    check_post(r#"{"query":"{"}"#, NEW, 400).await;
    let partial = r#"{"query":"{ pages(first: 0) { nodes { id } } pipeline { source } }"}"#;
    let answer = check_post(partial, NEW, 200).await;
    assert_eq!(answer["data"], json!({ "pages": null, "pipeline": { "source": "SAMPLE" } }));
    assert_eq!(check_post(r#"{"query":"{ __typename }"}"#, NEW, 200).await["data"]["__typename"], "Query");
}

#[tokio::test]
async fn what_is_no_request_is_400() {
    for body in [
        "",
        "null",
        "7",
        "[]",
        "{",
        "{}",
        r#"[{"query":"{ __typename }"}]"#,
        r#"["{ __typename }"]"#,
        r#"{"query":7}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","operationName":7}"#,
        r#"{"query":"{ __typename }","extensions":"x"}"#,
    ] {
        check_post(body, JSON, 400).await;
    }
    check_post(r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#, JSON, 200)
        .await;
}

#[tokio::test]
async fn hostile_requests_are_4xx() {
    let first = r#"{"query":"{ pages(first: 2147483647) { nodes { id } } }"}"#;
    assert_eq!(check_post(first, JSON, 400).await["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    check_post(
        &json!({ "query": "{ __typename }", "variables": { "x": "y".repeat(3_000_000) } }).to_string(),
        JSON,
        413,
    )
    .await;
    let deep =
        format!(r#"{{"query":"{{ __typename }}","variables":{{"x":{}{}}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    check_post(&deep, JSON, 400).await;
    let mutation = check_post(r#"{"query":"mutation { x }"}"#, JSON, 400).await;
    assert_eq!(mutation["errors"][0]["message"], "there are no mutations");
    let ids: Vec<u32> = (0..20_000).collect();
    let many = json!({ "query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": { "ids": ids } });
    check_post(&many.to_string(), JSON, 400).await;
    let aliases: String = (0..50_000).map(|i| format!("a{i}: __typename ")).collect();
    check_post(&json!({ "query": format!("{{ {aliases} }}") }).to_string(), JSON, 413).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_large_one() {
    let broken = Body::from_stream(futures::stream::iter([Ok("{\"query\":"), Err(std::io::Error::other("it broke"))]));
    let request = post(JSON, JSON).body(broken).unwrap();
    let response = app_of(&Fixture::known().await).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let answer: Value = serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap();
    assert_eq!(answer["errors"][0]["message"], "the body did not arrive whole");
}

#[tokio::test]
async fn get_is_for_queries() {
    let (_, answer) = check_get("query=%7B__typename%7D", 200).await;
    assert_eq!(answer["data"]["__typename"], "Query");
    check_get("query=query(%24n%3AInt)%7Bpages(first%3A%24n)%7Bnodes%7Bid%7D%7D%7D&variables=%7B%22n%22%3A2%7D", 200)
        .await;
    check_get("", 400).await;
    check_get("query=%7B__typename%7D&variables=7x", 400).await;
    let (headers, _) = check_get("query=subscription%7BpageCreated%7Bcursor%7D%7D", 405).await;
    assert_eq!(headers["allow"], "POST");
    let named = "query=query%20a%7B__typename%7Dsubscription%20b%7BpageCreated%7Bcursor%7D%7D&operationName=";
    check_get(&format!("{named}a"), 200).await;
    check_get(&format!("{named}b"), 405).await;
}

#[tokio::test]
async fn other_methods_and_media_types_are_refused() {
    let body = r#"{"query":"{ __typename }"}"#;
    let status = async |request| send(request, body).await.0.as_u16();
    assert_eq!(status(axum::http::Request::put("/graphql")).await, 405);
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        assert_eq!(status(post(JSON, content_type)).await, 415, "{content_type}");
    }
    assert_eq!(status(axum::http::Request::post("/graphql")).await, 415);
    assert_eq!(status(post("text/html", JSON)).await, 406);
    assert_eq!(status(post("*/*", "application/json; charset=UTF-8")).await, 200);
}

#[tokio::test]
async fn the_limits_are_told() {
    let fixture = Fixture::known().await;
    let limits = Limits { depth: 7, ..Limits::default() };
    let app = router(fixture.groups(), limits, Origins::None, Ends::default());
    let response = app.oneshot(axum::http::Request::get("/limits").body(Body::empty()).unwrap()).await.unwrap();
    let told: Value = serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap();
    let wanted = json!({
        "documentBytes": 20_480, "tokens": 2_000, "directives": 20, "nesting": 40, "fragments": 50, "depth": 7,
        "aliases": 30, "rootFields": 20, "selections": 5_000, "cost": 5_000, "concurrentCost": 50_000, "eventCost": 40,
        "introspectionCost": 1_000_000, "introspectionDepth": 20, "list": 100, "errors": 20, "seconds": 10,
        "bodyBytes": 131_072, "listeners": 2_000, "operations": 50,
    });
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn the_cost_is_told_to_who_asks() {
    let asked = r#"{"query":"{ __typename }","extensions":{"cost":true}}"#;
    assert_eq!(check_post(asked, JSON, 200).await["extensions"]["cost"], json!({ "requested": 1, "actual": 1 }));
    for not_asked in [r#"{"query":"{ __typename }","extensions":{"cost":1}}"#, r#"{"query":"{ __typename }"}"#] {
        assert_eq!(check_post(not_asked, JSON, 200).await.get("extensions"), None);
    }
    let (_, answer) = check_get("query=%7B__typename%7D&extensions=%7B%22cost%22%3Atrue%7D", 200).await;
    assert_eq!(answer["extensions"]["cost"]["requested"], 1);
}

#[tokio::test]
async fn the_dashboard_is_served_or_says_how_to_build_it() {
    let fixture = Fixture::known().await;
    let app = app_of(&fixture);
    for path in ["/", "/graphiql"] {
        let response = app.clone().oneshot(axum::http::Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        if response.status() == StatusCode::OK {
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        } else {
            let text = to_bytes(response.into_body(), 1_000).await.unwrap();
            assert!(text.starts_with(b"the dashboard is not part of this build"), "{text:?}");
        }
    }
}
