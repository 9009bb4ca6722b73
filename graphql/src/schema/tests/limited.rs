//! Limits that are set otherwise: each is kept to, and told as it is set.

use super::fixture::Fixture;
use crate::limits::{Limits, is_query};
use crate::operation::RequestId;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

async fn check_refused(limits: Limits, document: &str, (begin, end): (&str, &str)) {
    let mut fixture = Fixture::known().await;
    let answer = fixture.answer(document).await;
    assert_eq!(answer.get("errors"), None, "admitted by default: {document}");
    fixture.limit(limits);
    let answer = fixture.answer(document).await;
    let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with(begin) && message.ends_with(end), "{begin} {end}: {answer}");
}

#[tokio::test]
async fn a_smaller_limit_refuses_more() {
    let (all, document) = (
        Limits::default(),
        "{ pages(first: 6) { ...f } a: __typename } fragment f on PageConnection
        { nodes { title @include(if: true) domain { name } } }",
    );
    let check = async |limits, message| check_refused(limits, document, message).await;
    check(Limits { document_bytes: 20, ..all }, ("bytes of the document: ", "at most 20 in one request")).await;
    check(Limits { tokens: 10, ..all }, ("tokens of the document: ", "at most 10 in one request")).await;
    check(Limits { directives: 0, ..all }, ("directives: ", "at most 0 in one request")).await;
    check(Limits { nesting: 2, ..all }, ("brackets within each other: ", "at most 2 in one request")).await;
    check(Limits { fragments: 0, ..all }, ("fragments: ", "at most 0 in one request")).await;
    check(Limits { depth: 3, ..all }, ("fields within each other: ", "at most 3 in one request")).await;
    check(Limits { aliases: 0, ..all }, ("aliases: ", "at most 0 in one request")).await;
    check(Limits { root_fields: 1, ..all }, ("fields of the root: ", "at most 1 in one request")).await;
    check(Limits { selections: 3, ..all }, ("selections: ", "at most 3 in one request")).await;
    check(Limits { cost: 30, ..all }, ("cost: ", "at most 30 in one request; most of it is pages × 6")).await;
    check(Limits { list: 5, ..all }, ("first must be 1 to 5", ", not 6")).await;
    let types = "{ __schema { types { name } } }";
    check_refused(
        Limits { introspection_cost: 9, ..all },
        types,
        ("cost of the introspection: ", "at most 9 in one request"),
    )
    .await;
}

#[tokio::test]
async fn a_list_without_a_size_has_as_many_as_may_be_asked_for() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { list: 3, ..Limits::default() });
    let answer = fixture.answer("{ pages { nodes { id } } }").await;
    assert_eq!(answer["data"]["pages"]["nodes"].as_array().map(Vec::len), Some(3), "{answer}");
}

#[tokio::test]
async fn an_answer_has_as_many_errors_as_are_set() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { errors: 2, ..Limits::default() });
    let response = fixture.schema.execute("{ a b c d }").await;
    assert_eq!((response.errors.len(), &response.extensions["errorsLeftOut"]), (2, &2.into()));
}

#[tokio::test(start_paused = true)]
async fn an_answer_has_as_much_time_as_is_set() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { seconds: 3, ..Limits::default() });
    fixture.calls.set_silent(true);
    let begun = tokio::time::Instant::now();
    let document = "{ user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt } }";
    let answer = fixture.answer(document).await;
    assert_eq!(answer["errors"][0]["message"], "the request took longer than 3 s; ask for less");
    assert_eq!(begun.elapsed().as_secs(), 3);
    fixture.limit(Limits::default());
    let begun = tokio::time::Instant::now();
    let answer = fixture.answer(document).await;
    assert_eq!(answer["errors"][0]["message"], "the request took longer than 10 s; ask for less");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// As much at one time as is set: what is dear waits a moment for room, what is cheap has its own.
#[tokio::test(start_paused = true)]
async fn dear_queries_wait_while_others_leave_no_room() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { cost: 1_000, concurrent_cost: 1_000, ..Limits::default() });
    let dear = "{ user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt } topUsers(limit: 1) { rank } }";
    let (begun, given_up) = (Instant::now(), Duration::from_secs(3));
    fixture.calls.set_silent(true);
    let (first, second, cheap) = tokio::join!(
        timeout(given_up, fixture.answer(dear)),
        async { (fixture.answer(dear).await, begun.elapsed().as_secs(), fixture.calls.waiting()) },
        async { (fixture.answer("{ __typename }").await, begun.elapsed().as_secs()) },
    );
    assert!(first.is_err(), "it asks a silent store until its client leaves");
    assert_eq!(second.0["errors"][0]["message"], "too much is asked at this moment; try again a little later");
    assert_eq!((&second.0["errors"][0]["extensions"]["code"], second.1, second.2), (&"UNAVAILABLE".into(), 2, 1));
    assert_eq!((cheap.0.get("errors"), cheap.1), (None, 0));
    let leaves = async {
        let first = timeout(Duration::from_secs(1), fixture.answer(dear)).await;
        assert!(first.is_err());
        fixture.calls.set_silent(false);
        // The store works on threads of its own: a clock that jumps would not wait for it.
        tokio::time::resume();
    };
    let ((), waits) = tokio::join!(leaves, fixture.answer(dear));
    assert_eq!(waits.get("errors"), None, "there is room by then");
}

/// A ranking of wikis over more than a month: of the range, and of the one before it.
#[tokio::test]
async fn a_long_ranking_of_wikis_has_a_bound() {
    let fixture = Fixture::known().await;
    let rank =
        async |hours| fixture.answer(format!("{{ topDomains(during: {{lastHours: {hours}}}) {{ rank }} }}")).await;
    for (hours, bound) in [(744, usize::MAX), (745, 200_000)] {
        assert_eq!(rank(hours).await.get("errors"), None);
        assert_eq!(fixture.calls.take_bounds(), [bound; 2]);
    }
    fixture.calls.set_most_counts(1);
    assert_eq!(rank(745).await["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
}

/// A connection asks for none of its answers while its client does not read.
#[tokio::test]
async fn who_does_not_read_keeps_no_room() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { cost: 1_000, concurrent_cost: 1_000, ..Limits::default() });
    let dear = "{ topUsers(limit: 1) { rank } }";
    let mut unread = fixture.groups().open(dear.into(), RequestId("1".into()));
    assert!(futures::poll!(unread.next()).is_pending());
    assert_eq!(fixture.answer(dear).await.get("errors"), None);
}

#[test]
fn a_long_subscription_is_one_where_long_documents_may_be() {
    let document = format!("subscription {{ pageCreated {{ cursor }} }} #{}", "x".repeat(30_000));
    assert!(is_query(&document, None, &Limits::default()));
    assert!(!is_query(&document, None, &Limits { document_bytes: 40_000, ..Limits::default() }));
}
