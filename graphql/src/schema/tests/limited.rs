//! Limits that are set otherwise: each is kept to, and told as it is set.

use super::fixture::Fixture;
use crate::limits::{Limits, is_query};

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

/// As much at one time as is set; what waits has its seconds, and goes on when there is room.
#[tokio::test(start_paused = true)]
async fn queries_wait_while_others_leave_no_room() {
    let mut fixture = Fixture::known().await;
    let ask = "user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt }";
    let (two, one) = (format!("{{ a: {ask} b: {ask} }}"), format!("{{ {ask} }}"));
    fixture.limit(Limits { cost: 20, concurrent_cost: 20, ..Limits::default() });
    fixture.calls.set_silent(true);
    let begun = tokio::time::Instant::now();
    let ((), late) = tokio::join!(
        async {
            let first = fixture.answer(two.as_str());
            let first = tokio::time::timeout(std::time::Duration::from_secs(4), first).await;
            assert!(first.is_err(), "it asks a silent store, until its client leaves");
        },
        async {
            tokio::task::yield_now().await;
            let refused = fixture.answer(two.as_str()).await;
            assert_eq!(fixture.calls.waiting(), 0);
            (refused, begun.elapsed().as_secs())
        },
    );
    assert_eq!((&late.0["errors"][0]["extensions"]["code"], late.1), (&"TIMEOUT".into(), 10));
    fixture.calls.set_silent(false);
    tokio::time::resume();
    let (a, b) = tokio::join!(fixture.answer(one.as_str()), fixture.answer(one.as_str()));
    assert_eq!((a.get("errors"), b.get("errors")), (None, None));
}

#[test]
fn a_long_subscription_is_one_where_long_documents_may_be() {
    let document = format!("subscription {{ pageCreated {{ cursor }} }} #{}", "x".repeat(30_000));
    assert!(is_query(&document, None, &Limits::default()));
    assert!(!is_query(&document, None, &Limits { document_bytes: 40_000, ..Limits::default() }));
}
