//! The shape of answers: the order of their fields, and objects of which nothing is told.

use super::fixture::Fixture;
use async_graphql::{Request, Variables};

/// The answer's data, as its bytes are.
async fn data(document: &str, variables: serde_json::Value) -> String {
    let fixture = Fixture::known().await;
    let request = Request::new(document).variables(Variables::from_json(variables));
    let response = fixture.schema.execute(request).await;
    assert_eq!(response.errors, [], "{document}");
    serde_json::to_string(&response.data).unwrap()
}

async fn check_data(document: &str, expect: &str) {
    assert_eq!(data(document, serde_json::json!({})).await, expect, "{document}");
}

#[tokio::test]
async fn fields_come_in_the_order_in_which_they_are_asked_for() {
    // What is read comes first, what is there already last.
    check_data(
        r#"{ domain(name: "it.wikisource.org") { n: pageCount name ...f __typename } pipeline { source } __typename }
            fragment f on Domain { language name projectFamily }"#,
        r#"{"domain":{"n":3,"name":"it.wikisource.org","language":"it","projectFamily":"WIKISOURCE","__typename":"Domain"},"pipeline":{"source":"SAMPLE"},"__typename":"Query"}"#,
    )
    .await;
    // One key twice: where it is met first, with the fields of both.
    check_data(
        r#"{ a: domain(name: "it.wikisource.org") { wiki } __typename a: domain(name: "it.wikisource.org") { pageCount wiki name } }"#,
        r#"{"a":{"wiki":"itwikisource","pageCount":3,"name":"it.wikisource.org"},"__typename":"Query"}"#,
    )
    .await;
}

#[tokio::test]
async fn what_is_skipped_or_of_another_type_has_no_place_in_the_order() {
    check_data(
        r#"{ domain(name: "it.wikisource.org") { name @skip(if: true) wiki name ... @include(if: false) { language } } }"#,
        r#"{"domain":{"wiki":"itwikisource","name":"it.wikisource.org"}}"#,
    )
    .await;
    let asked = data(r#"{ domain(name: "it.wikisource.org") { id } }"#, serde_json::json!({})).await;
    let id = asked.split('"').nth(5).unwrap();
    check_data(
        &format!(
            r#"{{ node(id: "{id}") {{ ... on Page {{ id title }} ... on Domain {{ name }} ... on Node {{ id }} }} }}"#
        ),
        &format!(r#"{{"node":{{"name":"it.wikisource.org","id":"{id}"}}}}"#),
    )
    .await;
}

#[tokio::test]
async fn an_object_of_which_nothing_is_asked_is_empty() {
    check_data("{ pipeline @skip(if: true) { source } }", "{}").await;
    check_data("{ pipeline { source @skip(if: true) } }", r#"{"pipeline":{}}"#).await;
    let query = r#"query($no: Boolean = false) { domain(name: "it.wikisource.org") { name @include(if: $no) } }"#;
    check_data(query, r#"{"domain":{}}"#).await;
    assert_eq!(data(query, serde_json::json!({ "no": true })).await, r#"{"domain":{"name":"it.wikisource.org"}}"#);
    check_data(r#"{ domain(name: "nowhere.wikipedia.org") { name @skip(if: true) } }"#, r#"{"domain":null}"#).await;
}

#[tokio::test]
async fn the_schema_describes_itself() {
    let told = data("{ __schema { queryType { name } description } }", serde_json::json!({})).await;
    let begins =
        r#"{"__schema":{"queryType":{"name":"Query"},"description":"Every new page on every Wikimedia wiki, live.\n"#;
    assert!(told.starts_with(begins), "{told}");
}
