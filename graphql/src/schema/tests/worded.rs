//! What is said of wrong documents: each thing once, in words that name what was asked and nothing of the program.

use super::fixture::Fixture;

async fn check_said(document: &str, wanted: &[&str]) {
    let answer = Fixture::known().await.answer(document).await;
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let said: Vec<&str> = errors.iter().map(|error| error["message"].as_str().unwrap_or_default()).collect();
    assert_eq!(said, wanted, "{document}");
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "BAD_USER_INPUT"), "{answer}");
}

#[tokio::test]
async fn a_value_that_cannot_be_read_says_what_would_be_right() {
    let time = "DateTime: not a time like 2025-05-18T08:03:14Z";
    check_said("{ pages(during: {from: \"yesterday\"}) { nodes { id } } }", &[time]).await;
    check_said("{ reports(at: \"x\") { start } }", &[time]).await;
    check_said("{ hour(hour: \"now\") { hour } }", &["Hour: not an hour like 2025-05-18-13"]).await;
    let integers = "Int: Only integers from -2147483648 to 2147483647 are accepted.";
    check_said("{ reports(hours: 3000000000) { start } }", &[integers]).await;
}

#[tokio::test]
async fn nothing_is_said_twice_of_one_place() {
    let unknown = "Unknown type \"Nothing\"";
    check_said("query($a: Nothing) { pages(first: $a) { nodes { id } } }", &[unknown]).await;
    // Two places are two errors.
    check_said("{ nothing nothing }", &["Unknown field \"nothing\" on type \"Query\"."; 2]).await;
}

#[tokio::test]
async fn wrong_documents_are_told_what_is_wrong() {
    for (document, wanted) in [
        ("{ pages }", "Field \"pages\" of type \"PageConnection\" must have a selection of subfields"),
        (
            "{ pages(firs: 1) { nodes { id } } }",
            "Unknown argument \"firs\" on field \"pages\" of type \"Query\". Did you mean \"first\"?",
        ),
        ("{ pages(first: \"1\") { nodes { id } } }", "Invalid value for argument \"first\", expected type \"Int\""),
        ("{ pages(during: 7) { nodes { id } } }", "Expected input type \"TimeRange\", found 7."),
        ("{ ...f }", "Unknown fragment: \"f\""),
        ("{ __typename } fragment f on Page { id }", "Fragment \"f\" is never used"),
        ("query($a: Int) { __typename }", "Variable \"$a\" is not used"),
        ("{ pages(first: $a) { nodes { id } } }", "Variable \"$a\" is not defined"),
        ("{ nodes(ids: [null]) { id } }", "Invalid value for argument \"ids.0\", expected type \"ID\""),
        (
            "query($a: String) { pages(first: $a) { nodes { id } } }",
            "Variable \"$a\" of type \"String\" used in position expecting type \"Int\"",
        ),
        (
            "query($a: ID) { nodes(ids: [$a]) { id } }",
            "Variable \"$a\" of type \"ID\" used in position expecting type \"ID!\"",
        ),
        (
            "query($a: Int) { ...f } fragment f on Query { pages(filter: {isBot: $a}) { nodes { id } } }",
            "Variable \"$a\" of type \"Int\" used in position expecting type \"Boolean\"",
        ),
        (
            "query($a: Boolean) { pages { nodes { id @include(if: $a) } } }",
            "Variable \"$a\" of type \"Boolean\" used in position expecting type \"Boolean!\"",
        ),
        ("{ pages(filter: {isBot: true, isBot: false}) { nodes { id } } }", "the input field isBot is given twice"),
        ("{ __typename @nothing }", "Unknown directive \"nothing\""),
        ("{ pages { __typename @include(if: $a) } }", "Variable \"$a\" is not defined"),
        ("query @skip(if: true) { __typename }", "Directive \"skip\" may not be used on \"QUERY\""),
    ] {
        check_said(document, &[wanted]).await;
    }
}

#[tokio::test]
async fn right_documents_are_told_nothing() {
    for (document, data) in [
        ("query($a: Boolean = true) { __typename @skip(if: $a) b: __typename @include(if: $a) }", "{\"b\":\"Query\"}"),
        ("query($a: Int = 20) { reports { topUsers(limit: $a) { userName } } }", ""),
        ("query($a: [ID!]! = []) { nodes(ids: $a) { id } }", "{\"nodes\":[]}"),
        ("query($a: Boolean) { pages(first: 1, filter: {isBot: $a}) { nodes { ... @skip(if: true) { id } } } }", ""),
    ] {
        let answer = Fixture::known().await.answer(document).await;
        assert_eq!(answer.get("errors"), None, "{document}");
        assert!(answer["data"].to_string().contains(data), "{document}: {answer}");
    }
}
