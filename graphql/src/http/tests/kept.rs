//! Answers that may be kept: for how long, and 304 to whoever has them.

use super::*;
use crate::schema::tests::fixture::page;
use ::schema::clock::Clock;
use ::schema::store::Store;
use axum::http::HeaderName;
use axum::http::request::Builder;
use chrono::TimeDelta;

const OVER: &str =
    r#"{pages(during:{from:"2025-05-18T09:00:00Z",to:"2025-05-18T10:00:00Z"}){totalCount nodes{title}}}"#;
const LIVE: &str = "{pages(during:{lastHours:2}){totalCount nodes{title}}}";

fn get(query: &str) -> Builder {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    axum::http::Request::get(format!("/graphql?query={query}"))
}

async fn ask(fixture: &Fixture, request: Builder, body: Body) -> Response {
    app_of(fixture).oneshot(request.body(body).unwrap()).await.unwrap()
}

fn header_of(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

async fn check_policy(request: Builder, body: impl Into<Body>, policy: &str) {
    let asked = format!("{request:?}");
    let fixture = Fixture::known().await;
    fixture.follow_stream();
    let response = ask(&fixture, request, body.into()).await;
    assert_eq!(header_of(&response, header::CACHE_CONTROL), policy, "{asked}");
    assert_eq!(response.headers().contains_key(header::ETAG), policy != "no-store", "{asked}");
    assert_eq!(header_of(&response, header::VARY), "accept, accept-encoding", "{asked}");
}

#[tokio::test]
async fn what_is_over_is_kept_for_an_hour_and_what_may_change_for_a_second() {
    check_policy(get(OVER), "", "public, max-age=3600").await;
    check_policy(get(LIVE), "", "public, max-age=1").await;
    let body = |query: &str| json!({ "query": query }).to_string();
    check_policy(post(JSON, JSON), body(OVER), "no-store").await;
    // An error has a request's name in it.
    check_policy(get("{pages(first:0){nodes{id}}}"), "", "no-store").await;
    check_policy(get("{nothing}"), "", "no-store").await;
    check_policy(get(""), "", "no-store").await;
}

#[tokio::test]
async fn whoever_has_the_answer_is_told_so_until_it_changes() {
    let fixture = Fixture::known().await;
    let tag_of = async |query: &str| header_of(&ask(&fixture, get(query), Body::empty()).await, header::ETAG);
    let tag = tag_of(LIVE).await;
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    let again = async |known: &str| {
        let response = ask(&fixture, get(LIVE).header(header::IF_NONE_MATCH, known), Body::empty()).await;
        (response.status().as_u16(), header_of(&response, header::ETAG), header_of(&response, header::CACHE_CONTROL))
    };
    let not_modified = (304, tag.clone(), "public, max-age=1".to_owned());
    // The time of the counts moves on, and nothing else does.
    fixture.clock.set(fixture.clock.now() + TimeDelta::minutes(1));
    for known in [tag.as_str(), &format!("\"other\", {tag}"), tag.trim_start_matches("W/"), "*"] {
        assert_eq!(again(known).await, not_modified, "{known}");
    }
    assert_eq!(again("W/\"other\"").await.0, 200);
    fixture
        .calls
        .write_pages(&[page("it.wikisource.org", 99, (1, "Alex brollo"), 1)], fixture.clock.now())
        .await
        .unwrap();
    let (status, changed, _) = again(&tag).await;
    assert_eq!(status, 200);
    assert_ne!(changed, tag);
}

#[tokio::test]
async fn another_question_has_a_tag_of_its_own() {
    let fixture = Fixture::known().await;
    let mut tags: Vec<String> = Vec::new();
    for query in [LIVE, OVER, "{pages{nodes{title}}}"] {
        tags.push(header_of(&ask(&fixture, get(query), Body::empty()).await, header::ETAG));
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
}
