//! A store that fails or is slow: what clients see, and that a subscription goes on.

use super::fixture::{Fixture, page};
use futures::{Stream, StreamExt};
use schema::store::StoreError;
use serde_json::{Value, json};

const FEED: &str = "subscription { pageCreated { page { pageId user { lastPageAt } } } }";

/// The feed's next answer after page `id` was stored.
async fn next_event(
    fixture: &Fixture,
    feed: &mut (impl Stream<Item = async_graphql::Response> + Unpin),
    id: u64,
) -> Value {
    let tell = async {
        fixture.wait_for_subscriber().await;
        fixture.hub.tell(page("it.wikisource.org", id, (1, "Alex brollo"), 0));
    };
    let ((), event) = tokio::join!(tell, feed.next());
    serde_json::to_value(event.expect("the feed goes on")).unwrap()
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_and_says_nothing_of_itself() {
    let fixture = Fixture::known().await;
    fixture.calls.go_away();
    let document = r#"{ user(domain: "it.wikisource.org", userId: "1") { userName } pipeline { source } }"#;
    let answer = fixture.answer(document).await;
    assert_eq!(answer["data"], json!({ "user": null, "pipeline": { "source": "SAMPLE" } }));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
    assert!(!answer.to_string().contains("10.0.0.7"), "{answer}");
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_our_fault_and_says_nothing_of_itself() {
    for error in [
        || StoreError::Corrupt("row 17 of /data/pages.db".into()),
        || StoreError::Unsupported("layout of /data/pages.db".into()),
    ] {
        let fixture = Fixture::known().await;
        fixture.calls.fail_with(error);
        let document = r#"{ user(domain: "it.wikisource.org", userId: "1") { userName } pipeline { source } }"#;
        let answer = fixture.answer(document).await;
        assert_eq!(answer["data"], json!({ "user": null, "pipeline": { "source": "SAMPLE" } }));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{answer}");
        assert!(!answer.to_string().contains("/data"), "{answer}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_leaves_the_others() {
    let fixture = Fixture::known().await;
    fixture.calls.lose_list("it.wikisource.org");
    let pages = "{ pages(first: 1) { nodes { pageId } } }";
    let document = format!(
        "{{ lost: domain(name: \"it.wikisource.org\") {pages} there: domain(name: \"www.wikidata.org\") {pages} }}"
    );
    let answer = fixture.answer(document).await;
    assert_eq!(
        answer["data"],
        json!({ "lost": null, "there": { "pages": { "nodes": [{ "pageId": "3" }] } } }),
        "{answer}"
    );
    let (errors, error) = (answer["errors"].as_array().unwrap(), &answer["errors"][0]);
    assert_eq!((errors.len(), &error["path"]), (1, &json!(["lost", "pages"])), "{answer}");
    assert_eq!(error["extensions"]["code"], "UNAVAILABLE", "{answer}");
}

#[tokio::test]
async fn an_event_that_fails_is_null_and_the_feed_goes_on() {
    let fixture = Fixture::known().await;
    let mut feed = fixture.schema.execute_stream(FEED);
    fixture.calls.go_away();
    for id in [1_001, 1_002] {
        let event = next_event(&fixture, &mut feed, id).await;
        // The event may not be null, so nothing is left.
        assert_eq!(event["data"], Value::Null, "{event}");
        assert_eq!(event["errors"][0]["path"], json!(["pageCreated", "page", "user"]), "{event}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_has_ten_seconds_and_the_feed_goes_on() {
    let fixture = Fixture::known().await;
    let mut feed = fixture.schema.execute_stream(FEED.replace("pageCreated", "new: pageCreated"));
    fixture.calls.set_silent(true);
    let begun = tokio::time::Instant::now();
    let event = next_event(&fixture, &mut feed, 1_001).await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(event["errors"][0]["extensions"]["code"], "TIMEOUT", "{event}");
    assert_eq!(event["errors"][0]["path"], json!(["new"]), "{event}");
    fixture.calls.set_silent(false);
    // The store works on a thread of its own: a clock that jumps would not wait for it.
    tokio::time::resume();
    let event = next_event(&fixture, &mut feed, 1_002).await;
    assert_eq!(event["data"]["new"]["page"]["pageId"], "1002", "{event}");
}
