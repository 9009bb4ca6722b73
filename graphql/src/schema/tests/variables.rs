//! Variables: what is required is there, and each has its type, before anything is executed.

use super::fixture::Fixture;
use async_graphql::{Request, Variables};
use serde_json::json;

/// The messages of a request that was not executed; none when it was.
async fn refused(document: &str, variables: serde_json::Value) -> Vec<String> {
    let fixture = Fixture::known().await;
    let response = fixture.schema.execute(Request::new(document).variables(Variables::from_json(variables))).await;
    assert!(response.errors.is_empty() || fixture.calls.take().is_empty(), "{document} was executed");
    for error in &response.errors {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        assert_eq!(code, Some(&"BAD_USER_INPUT".into()), "{}", error.message);
        assert!(!error.message.contains('\n'), "{}", error.message);
    }
    response.errors.into_iter().map(|error| error.message).collect()
}

async fn check_refused(definition: &str, variables: serde_json::Value, expect: &[&str]) {
    // The variable is not reached: its directive leaves the field out.
    let document = format!("query({definition}) {{ pages(first: 1) {{ nodes {{ id }} }} {} }}", used(definition));
    assert_eq!(refused(&document, variables.clone()).await, expect, "{definition} {variables}");
}

/// A field that uses the variable, and is left out.
fn used(definition: &str) -> &'static str {
    match definition.split(['[', ':', '!', ' ']).find(|word| word.starts_with(char::is_uppercase)) {
        Some("Int") => "a: pages(first: $v) @skip(if: true) { nodes { id } }",
        Some("ID") => "nodes(ids: $v) @skip(if: true) { id }",
        Some("CrossWikiPageFilter") => "a: pages(filter: $v) @skip(if: true) { nodes { id } }",
        Some("TimeRange") => "activity(during: $v) @skip(if: true) { asOf }",
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_required_variable_must_be_there() {
    check_refused("$v: Int!", json!({}), &["the variable $v of type Int! is missing"]).await;
    check_refused("$v: Int!", json!({ "v": null }), &["$v must not be null: it is of type Int!"]).await;
    check_refused("$v: Int", json!({}), &[]).await;
    check_refused("$v: Int", json!({ "v": null, "unknown": 1 }), &[]).await;
    check_refused("$v: Int! = 5", json!({}), &[]).await;
}

#[tokio::test]
async fn a_variable_has_its_type() {
    check_refused("$v: Int", json!({ "v": "5" }), &["$v must be of type Int"]).await;
    check_refused("$v: Int", json!({ "v": 1.5 }), &["$v must be of type Int"]).await;
    check_refused("$v: Int", json!({ "v": [5] }), &["$v must be of type Int"]).await;
    check_refused("$v: [ID!]!", json!({ "v": ["a", null] }), &["$v[1] must not be null: it is of type ID!"]).await;
    check_refused("$v: [ID!]!", json!({ "v": "a" }), &[]).await;
    let filter = "$v: CrossWikiPageFilter";
    check_refused(filter, json!({ "v": 7 }), &["$v must be an object of type CrossWikiPageFilter"]).await;
    let unknown = "$v has no field bot: it is of type CrossWikiPageFilter";
    check_refused(filter, json!({ "v": { "bot": true } }), &[unknown]).await;
    check_refused(filter, json!({ "v": { "isBot": "yes" } }), &["$v.isBot must be of type Boolean"]).await;
    let family = "$v.projectFamilies[0] must be one of the values of ProjectFamily";
    check_refused(filter, json!({ "v": { "projectFamilies": ["NONE"] } }), &[family]).await;
    check_refused(filter, json!({ "v": { "projectFamilies": ["WIKIPEDIA"], "isBot": null } }), &[]).await;
}

#[tokio::test]
async fn what_is_no_document_is_said_in_one_sentence() {
    let said = |document| refused(document, json!({}));
    assert_eq!(said("{").await, ["syntax error in line 1, column 2: expected selection"]);
    for document in [
        "",
        "{ a",
        "{ a(b: ) }",
        "query { a } }",
        "{ a }\nfragment on X { b }",
        "\u{1f600}",
        "query a { b } query a { c }",
    ] {
        let said = said(document).await;
        assert_eq!(said.len(), 1, "{document}: {said:?}");
        assert!(!said[0].ends_with('.') && !said[0].contains('_'), "{document}: {said:?}");
    }
}

#[tokio::test]
async fn an_answer_has_twenty_errors_at_most() {
    let fixture = Fixture::known().await;
    let many: String = (0..25).map(|i| format!("x{i} ")).collect();
    let response = fixture.schema.execute(format!("{{ pipeline {{ {many} }} }}")).await;
    assert_eq!(response.errors.len(), 20);
    assert!(response.extensions.contains_key("errorsLeftOut"), "{:?}", response.extensions);
}
