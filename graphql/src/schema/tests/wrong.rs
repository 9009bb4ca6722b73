//! Wrong arguments: a code for programs, a sentence for people, and nothing internal.

use super::fixture::{Fixture, check_query};
use crate::operation::RequestId;
use async_graphql::Request;

async fn check_wrong(document: &str, code: &str, message: &str) {
    let answer = Fixture::known().await.answer(document).await;
    let error = &answer["errors"][0];
    assert_eq!(
        (error["extensions"]["code"].as_str(), error["message"].as_str()),
        (Some(code), Some(message)),
        "{document}"
    );
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let check =
        async |field: &str, message: &str| check_wrong(&format!("{{ {field} }}"), "BAD_USER_INPUT", message).await;
    check("pages(first: 0) { nodes { id } }", "first must be 1 to 100, not 0").await;
    check("pages(first: -1) { nodes { id } }", "first must be 1 to 100, not -1").await;
    check("pages(first: 101) { nodes { id } }", "first must be 1 to 100, not 101").await;
    check("pages(last: 0) { nodes { id } }", "last must be 1 to 100, not 0").await;
    check("domains(last: 101) { nodes { id } }", "last must be 1 to 100, not 101").await;
    check("pages(first: 1, last: 1) { nodes { id } }", "give first or last, not both").await;
    check("hours(during: {}, first: 1, last: 1) { nodes { id } }", "give first or last, not both").await;
    check("pages(first: 1, before: \"AQ\") { nodes { id } }", "before goes with last, not with first").await;
    check("pages(last: 1, after: \"AQ\") { nodes { id } }", "after goes with first, not with last").await;
    check("pages(after: \"AQ\", before: \"AQ\") { nodes { id } }", "give after or before, not both").await;
    check("reports(hours: 0) { start }", "hours must be 1 to 168, not 0").await;
    check("reports(hours: 169) { start }", "hours must be 1 to 168, not 169").await;
    check("reports(skip: -1) { start }", "skip must be 0 to 168, not -1").await;
    check("reports(at: \"1969-12-31T23:00:00Z\") { start }", "at must be from 1970 to 9999").await;
    check("reports { topUsers(limit: 101) { userName } }", "limit must be 1 to 100, not 101").await;
    check("topDomains(limit: 0) { rank }", "limit must be 1 to 100, not 0").await;
    check("pages(during: {lastHours: 0}) { nodes { id } }", "lastHours must be 1 to 8784, not 0").await;
    check("pages(filter: {namespaces: []}) { nodes { id } }", "namespaces is an empty list; leave it out instead")
        .await;
    check(
        "pages(during: {lastHours: 1, to: \"2025-05-18T10:00:00Z\"}) { nodes { id } }",
        "give from and to, or lastHours, not both",
    )
    .await;
    check(
        "hours(during: {from: \"2025-05-18T10:00:00Z\", to: \"2025-05-18T09:00:00Z\"}) { nodes { id } }",
        "to is before from",
    )
    .await;
    check(
        "domain(name: \"www.wikidata.org\") { pageCount(during: {from: \"2025-05-18T08:31:00Z\"}) }",
        "counts are of whole hours; those of this range are {from: \"2025-05-18T08:00:00Z\"}",
    )
    .await;
    check(
        "domain(name: \"www.wikidata.org\") \
            { pageCount(during: {from: \"2025-05-18T08:20:00Z\", to: \"2025-05-18T08:25:00Z\"}) }",
        "counts are of whole hours; those of this range are \
            {from: \"2025-05-18T08:00:00Z\", to: \"2025-05-18T09:00:00Z\"}",
    )
    .await;
    check("topDomains(minPageCount: 0) { rank }", "minPageCount must be 1 or more, not 0").await;
    check("topUsers(minPageCount: -1) { rank }", "minPageCount must be 1 or more, not -1").await;
    check("topUsers(limit: 101) { rank }", "limit must be 1 to 100, not 101").await;
    check("domain(name: \"www.wikidata.org\") { topUsers(limit: 0) { rank } }", "limit must be 1 to 100, not 0").await;
    check("activity(during: {}, limit: 0) { pageCount }", "limit must be 1 to 100, not 0").await;
    check("activity(during: {lastHours: 9000}) { pageCount }", "lastHours must be 1 to 8784, not 9000").await;
    check(
        "overview(during: {from: \"2025-05-18T08:31:00Z\"}) { current { pageCount } }",
        "counts are of whole hours; those of this range are {from: \"2025-05-18T08:00:00Z\"}",
    )
    .await;
    check(
        "pages(filter: {domains: [\"WIKIDATA\"]}) { nodes { id } }",
        "domain \"WIKIDATA\" is not a lower-case host name of at most 253 characters",
    )
    .await;
    let many = |item: fn(usize) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(", ");
    let namespaces = |count| many(|n| n.to_string(), count);
    check(
        &format!("pages(filter: {{namespaces: [{}]}}) {{ nodes {{ id }} }}", namespaces(21)),
        "namespaces has 21 entries; 20 at most",
    )
    .await;
    let domains = many(|n| format!("\"w{n}.org\""), 101);
    check(
        &format!("pages(filter: {{domains: [{domains}]}}) {{ nodes {{ id }} }}"),
        "domains has 101 entries; 100 at most",
    )
    .await;
    check("nothing", "Unknown field \"nothing\" on type \"Query\".").await;
}

#[tokio::test]
async fn a_ranking_of_people_has_a_longest_range() {
    let message = "a ranking of people is of 744 hours at most, not 8784";
    check_wrong("{ topUsers(during: {lastHours: 8784}) { rank } }", "LIMIT_EXCEEDED", message).await;
    let of_wiki = "{ domain(name: \"www.wikidata.org\") { topUsers(during: {lastHours: 8784}) { rank } } }";
    check_wrong(of_wiki, "LIMIT_EXCEEDED", message).await;
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    check_query(
        r#"{ page(domain: "it.wikisource.org", pageId: "99") { id } nowhere: page(domain: "?", pageId: "1") { id }
            user(domain: "it.wikisource.org", userId: "99") { id } globalUser(userName: "Nobody") { id }
            domain(name: "de.wikipedia.org") { id } node(id: "eA") { id }
            pagesById(pageId: "-1") { id } usersById(userId: "99") { id } }"#,
        r#"{"data":{"page":null,"nowhere":null,"user":null,"globalUser":null,"domain":null,"node":null,
            "pagesById":[],"usersById":[]}}"#,
    )
    .await;
}

#[tokio::test]
async fn a_forged_time_of_a_page_that_is_there_finds_nothing() {
    let fixture = Fixture::known().await;
    // Of a page with a creation, so that an older one is looked for; up to the last second that there is to compute with.
    for seconds in [-1, 253_402_300_800, 8_210_266_876_798, 8_210_266_876_799, i64::MIN, i64::MAX] {
        let id = data_encoding::BASE64URL_NOPAD.encode(format!("p it.wikisource.org 1 {seconds}").as_bytes());
        let answer = fixture.answer(format!("{{ node(id: {id:?}) {{ id }} }}")).await;
        assert_eq!(answer, serde_json::json!({ "data": { "node": null } }), "{seconds}");
    }
}

#[tokio::test]
async fn an_id_is_found_only_as_it_was_given_out() {
    let fixture = Fixture::known().await;
    let at = super::fixture::NOW - 60;
    for (seconds, is_there) in [(format!("{at}"), true), (format!("+{at}"), false), (format!("0{at}"), false)] {
        let id = data_encoding::BASE64URL_NOPAD.encode(format!("p it.wikisource.org 1 {seconds}").as_bytes());
        let answer = fixture.answer(format!("{{ node(id: {id:?}) {{ id }} }}")).await;
        assert_eq!(answer["data"]["node"].is_object(), is_there, "{seconds}: {answer}");
    }
}

#[tokio::test]
async fn one_failure_does_not_take_the_others_with_it() {
    let answer = Fixture::known()
        .await
        .answer("{ pages(first: 0) { nodes { id } } domain(name: \"www.wikidata.org\") { wiki } }")
        .await;
    assert_eq!(answer["data"].get("pages"), Some(&serde_json::Value::Null), "{answer}");
    assert_eq!(answer["errors"][0]["path"], serde_json::json!(["pages"]));
    assert_eq!(answer["data"]["domain"]["wiki"], "wikidatawiki", "{answer}");
}

#[tokio::test]
async fn an_error_names_its_request() {
    let request = Request::new("{ pages(first: 0) { nodes { id } } }").data(RequestId("abc".into()));
    let answer = Fixture::known().await.answer(request).await;
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], "abc");
}

#[tokio::test]
async fn an_error_leaves_null_at_the_nearest_field_that_may_be() {
    let document = r#"{ hours(during: {lastHours: 2}) { nodes { hour pages(first: 0) { nodes { id } } } }
        domain(name: "www.wikidata.org") { wiki pages(first: 0) { nodes { id } } } pipeline { source } }"#;
    let answer = Fixture::known().await.answer(document).await;
    let wanted = serde_json::json!({ "hours": null, "domain": null, "pipeline": { "source": "SAMPLE" } });
    assert_eq!(answer["data"], wanted, "{answer:#}");
    assert!(answer["errors"].as_array().unwrap().iter().all(|e| e["extensions"]["code"] == "BAD_USER_INPUT"));
}
