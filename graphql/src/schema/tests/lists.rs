//! Lists read by page: nothing repeated, nothing skipped, and cursors that hold for their own list only.

use super::fixture::{Fixture, page};
use async_graphql::{Request, Variables};
use serde_json::{Value, json};

/// Reads a whole list, `first` items at a time; `path` leads to the connection.
async fn read_all(fixture: &Fixture, document: &str, path: &str) -> Vec<Value> {
    let (mut nodes, mut after) = (Vec::new(), Value::Null);
    for _ in 0..100 {
        let variables = Variables::from_json(json!({ "after": after }));
        let answer = fixture.answer(Request::new(document).variables(variables)).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let connection = answer["data"].pointer(path).unwrap();
        nodes.extend(connection["nodes"].as_array().unwrap().iter().cloned());
        if connection["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = connection["pageInfo"]["endCursor"].clone();
        assert!(after.is_string());
    }
    panic!("the list has no end");
}

async fn many_pages() -> Fixture {
    // Seven pages in each second, so that page borders fall within one.
    let pages: Vec<_> = (1..=50u64)
        .map(|id| {
            let domain = if id % 5 == 0 { "it.wikisource.org" } else { "www.wikidata.org" };
            page(domain, id, (id % 3 + 1, if id % 2 == 0 { "SomeBot" } else { "Person" }), (id / 7) as i64)
        })
        .collect();
    Fixture::with(&pages).await
}

async fn check_complete(document: &str, path: &str, wanted: usize) {
    let nodes = read_all(&many_pages().await, document, path).await;
    let mut unique: Vec<String> = nodes.iter().map(Value::to_string).collect();
    unique.sort();
    unique.dedup();
    assert_eq!((nodes.len(), unique.len()), (wanted, wanted), "{document}");
}

#[tokio::test]
async fn every_list_is_complete_when_read_by_page() {
    let info = "nodes { id } pageInfo { hasNextPage endCursor }";
    let check = async |list: &str, path: &str, wanted| {
        check_complete(&format!("query($after: String) {{ {} }}", list.replace("INFO", info)), path, wanted).await;
    };
    check("pages(first: 3, after: $after) { INFO }", "/pages", 50).await;
    check("pages(first: 3, after: $after, filter: {isBot: true}) { INFO }", "/pages", 25).await;
    check("pages(first: 3, after: $after, filter: {domains: [\"it.wikisource.org\"]}) { INFO }", "/pages", 10).await;
    check("pages(first: 3, after: $after, during: {lastHours: 1}) { INFO }", "/pages", 50).await;
    check("domain(name: \"www.wikidata.org\") { pages(first: 7, after: $after) { INFO } }", "/domain/pages", 40).await;
    check("globalUser(userName: \"Person\") { pages(first: 4, after: $after) { INFO } }", "/globalUser/pages", 25)
        .await;
    check("hour(hour: \"2025-05-18-10\") { users(first: 1, after: $after) { INFO } }", "/hour/users", 6).await;
    check("hour(hour: \"2025-05-18-10\") { domains(first: 1, after: $after) { INFO } }", "/hour/domains", 2).await;
    check("domains(first: 1, after: $after) { INFO }", "/domains", 2).await;
    check("domains(first: 1, after: $after, search: \"DATA\") { INFO }", "/domains", 1).await;
    check("hours(first: 5, after: $after, during: {lastHours: 24}) { INFO }", "/hours", 24).await;
}

#[tokio::test]
async fn hours_begin_in_their_range() {
    let check = async |during: &str, wanted: Value| {
        let document = format!("{{ hours(during: {during}) {{ nodes {{ hour }} totalCount }} }}");
        let answer = Fixture::known().await.answer(document).await;
        let names: Vec<_> =
            answer["data"]["hours"]["nodes"].as_array().unwrap().iter().map(|n| n["hour"].clone()).collect();
        assert_eq!(Value::from(names), wanted, "{during}: {answer}");
    };
    check("{lastHours: 2}", json!(["2025-05-18-10", "2025-05-18-09"])).await;
    check("{from: \"2025-05-18T08:00:01Z\"}", json!(["2025-05-18-10", "2025-05-18-09"])).await;
    check("{from: \"2025-05-18T08:00:00Z\", to: \"2025-05-18T09:00:00Z\"}", json!(["2025-05-18-08"])).await;
    check("{from: \"2025-05-18T10:00:00+02:00\", to: \"2025-05-18T08:00:01Z\"}", json!(["2025-05-18-08"])).await;
    check("{to: \"2025-05-17T10:00:00Z\"}", json!(["2025-05-17-09"])).await;
    check("{from: \"2030-01-01T00:00:00Z\"}", json!([])).await;
}

#[tokio::test]
async fn a_cursor_holds_for_its_own_list_only() {
    let fixture = many_pages().await;
    let answer = fixture.answer("{ pages(first: 3) { pageInfo { endCursor } } }").await;
    let cursor = answer["data"]["pages"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    let code = async |list: &str| {
        let answer = fixture.answer(format!("{{ {} }}", list.replace("CURSOR", &format!("{cursor:?}")))).await;
        answer["errors"][0]["extensions"]["code"].clone()
    };
    assert_eq!(code("pages(after: CURSOR, first: 9) { nodes { id } }").await, Value::Null);
    for foreign in [
        "pages(after: CURSOR, filter: {isBot: true}) { nodes { id } }",
        "pages(after: CURSOR, during: {lastHours: 9}) { nodes { id } }",
        "domain(name: \"www.wikidata.org\") { pages(after: CURSOR) { nodes { id } } }",
        "globalUser(userName: \"Person\") { pages(after: CURSOR) { nodes { id } } }",
        "domains(after: CURSOR) { nodes { id } }",
        "hours(after: CURSOR, during: {lastHours: 3}) { nodes { id } }",
        "pages(after: \"AQ\") { nodes { id } }",
    ] {
        assert_eq!(code(foreign).await, "BAD_CURSOR", "{foreign}");
    }
}
