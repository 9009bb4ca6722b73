//! Equal subscriptions are executed once, and each member is told what it alone missed.

use super::harness::{Pair, Place, page};
use crate::live::QUEUE;
use serde_json::json;
use std::sync::Arc;

async fn start() -> (Place, super::harness::Feed) {
    let place = Place::new(Pair::MemoryEmbedded).unwrap();
    let feed = place.start().await;
    (place, feed)
}

#[tokio::test]
async fn equal_subscriptions_share_their_bytes_and_end_with_the_last() {
    let (_place, feed) = start().await;
    let query = "subscription($bots: Boolean) { pageCreated(filter: {isBot: $bots}) { page { pageId } } }";
    let mut first = feed.listen(query).await;
    let (mut second, mut other) = (feed.ask(query, json!(null)), feed.ask(query, json!({ "bots": false })));
    feed.until(|feed| feed.hub.subscriber_count() == 2).await;
    feed.store([page(1, 0)]).await;
    let (one, same, apart) = (first.shared().await, second.shared().await, other.shared().await);
    assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &apart));
    drop(first);
    feed.store([page(2, 0)]).await;
    assert_eq!(second.pages(1).await, [2]);
    drop((second, other));
    feed.until(|feed| feed.hub.subscriber_count() == 0).await;
    assert_eq!(feed.listen(query).await.next_after(&feed, 3).await, [3], "and begins again");
}

#[tokio::test]
async fn who_resumes_shares_once_it_is_live() {
    let (_place, feed) = start().await;
    let query = "subscription($at: String) { pageCreated(after: $at) { page { pageId } cursor } }";
    let mut live = feed.listen(query).await;
    feed.store([page(1, 0), page(2, 0)]).await;
    let cursor = live.event().await.1;
    let mut resumed = feed.ask(query, json!({ "at": cursor }));
    assert_eq!((resumed.pages(1).await, live.pages(1).await), (vec![2], vec![2]));
    feed.store([page(3, 0)]).await;
    let (one, same) = (live.shared().await, resumed.shared().await);
    assert!(Arc::ptr_eq(&one, &same), "{one} {same}");
    assert_eq!(feed.hub.subscriber_count(), 1);
}

#[tokio::test]
async fn only_who_is_slow_misses_and_learns_how_many() {
    let (_place, feed) = start().await;
    let query = "subscription { e: pageCreated(filter: {isBot: false}) { n: missedCount ...F } } \
                 fragment F on PageCreatedEvent { missedCount page { pageId } }";
    let (mut quick, mut slow) = (feed.listen(query).await, feed.ask(query, json!(null)));
    let sent = QUEUE as u64 + 20;
    for id in 1..=sent {
        let bot = schema::page::Page { is_bot: true, ..page(10_000 + id, 0) };
        feed.store_together(vec![page(id, 0), bot]).await;
        let event = quick.next().await.unwrap();
        assert_eq!(event["data"]["e"], json!({ "n": 0, "missedCount": 0, "page": { "pageId": id.to_string() } }));
    }
    for id in 1..=QUEUE as u64 {
        assert_eq!(slow.next().await.unwrap()["data"]["e"]["page"]["pageId"], id.to_string());
    }
    feed.store([page(sent + 1, 0), page(sent + 2, 0)]).await;
    let event = slow.next().await.unwrap();
    assert_eq!(event["data"]["e"], json!({ "n": 20, "missedCount": 20, "page": { "pageId": (sent + 1).to_string() } }));
    assert_eq!(slow.next().await.unwrap()["data"]["e"]["n"], 0);
    assert_eq!(quick.next().await.unwrap()["data"]["e"]["n"], 0);
}

#[tokio::test]
async fn where_one_member_stands_is_no_matter_of_the_others() {
    let (_place, feed) = start().await;
    let query =
        "subscription($at: String, $from: DateTime) { pageCreated(after: $at, since: $from) { page { pageId } } }";
    for wrong in [json!({ "at": "x" }), json!({ "from": "2001-01-01T00:00:00Z" }), json!({ "from": "yesterday" })] {
        // The group begins with a member that is refused.
        let (refused, mut other) = (feed.ask(query, wrong), feed.ask(query, json!(null)));
        feed.until(|feed| feed.hub.subscriber_count() == 1).await;
        assert!(["BAD_CURSOR", "BAD_USER_INPUT"].contains(&refused.error().await.as_str()));
        assert_eq!(other.next_after(&feed, 1 + rand::random::<u32>() as u64).await.len(), 1);
        drop(other);
        feed.until(|feed| feed.hub.subscriber_count() == 0).await;
    }
}

#[tokio::test]
async fn a_root_field_may_be_in_fragments() {
    let (_place, feed) = start().await;
    for query in [
        "subscription { ...F } fragment F on Subscription { pageCreated { page { pageId } } }",
        "subscription { ... on Subscription { ... { pageCreated { page { ...G } } } } } fragment G on Page { pageId }",
        "subscription { ...F } fragment F on Subscription { ...G } fragment G on Subscription { pageCreated { page { pageId } } }",
    ] {
        let mut listener = feed.listen(query).await;
        let id = 1 + u64::from(rand::random::<u32>());
        assert_eq!(listener.next_after(&feed, id).await, [id], "{query}");
        drop(listener);
        feed.until(|feed| feed.hub.subscriber_count() == 0).await;
    }
    for wrong in [
        "subscription { ...F } fragment F on Subscription { ...F }",
        "subscription { ...F } fragment F on Query { pages { totalCount } }",
        "subscription { ...F } fragment F on Subscription { pageCreated { nothing } }",
        "subscription { pageCreated @skip(if: true) { cursor } }",
        "subscription { ... @include(if: true) { pageCreated { cursor } } }",
        "subscription { ...F @include(if: true) } fragment F on Subscription { pageCreated { cursor } }",
        "subscription { ...F } fragment F on Subscription { pageCreated { cursor } a: pageCreated { cursor } }",
    ] {
        let code = feed.ask(wrong, json!(null)).error().await;
        assert!(["BAD_USER_INPUT", "LIMIT_EXCEEDED"].contains(&code.as_str()), "{wrong}: {code}");
    }
}

#[tokio::test]
async fn what_is_refused_is_refused_to_each() {
    let (_place, feed) = start().await;
    for query in ["subscription { nothing }", "subscription { pageCreated(filter: {domains: [\"X\"]}) { cursor } }"] {
        let (mut one, mut other) = (feed.ask_as("one", query), feed.ask_as("other", query));
        for (listener, id) in [(&mut one, "one"), (&mut other, "other")] {
            let told = &listener.next().await.unwrap()["errors"][0]["extensions"];
            assert_eq!((&told["code"], &told["requestId"]), (&json!("BAD_USER_INPUT"), &json!(id)), "{told}");
        }
    }
}

#[tokio::test]
async fn the_pipeline_s_state_is_told_at_once_and_when_it_changes() {
    let (_place, feed) = start().await;
    let query = "subscription { pipelineChanged { isConnected stages { name inCount } } }";
    let in_count = |answer: serde_json::Value| answer["data"]["pipelineChanged"]["stages"][2]["inCount"].clone();
    let mut first = feed.ask(query, json!(null));
    assert_eq!(in_count(first.next().await.unwrap()), json!(null));
    feed.set_in_count(5);
    assert_eq!(in_count(first.next().await.unwrap()), json!(5));
    // Who comes later begins with the same.
    let mut second = feed.ask(query, json!(null));
    assert_eq!(in_count(second.next().await.unwrap()), json!(5));
    let begun = tokio::time::Instant::now();
    for count in 6..=9 {
        feed.set_in_count(count);
        let (one, same) = (first.shared().await, second.shared().await);
        assert!(Arc::ptr_eq(&one, &same));
        assert!(one.contains(&format!("\"inCount\":{count}")), "{one}");
    }
    assert!(begun.elapsed() >= std::time::Duration::from_millis(2_500), "at most once a second");
    // Told again without a change: nothing comes.
    feed.set_in_count(9);
    let silent = tokio::time::timeout(std::time::Duration::from_millis(1_500), first.next()).await;
    assert!(silent.is_err(), "{silent:?}");
}
