//! Lists read by page: nothing repeated, nothing skipped, and cursors that hold for their own list only.

use super::fixture::{Fixture, NOW, page};
use async_graphql::{Request, Variables};
use chrono::DateTime;
use schema::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One part of a list from the cursor `at` on; `path` leads to the connection.
async fn read_part(fixture: &Fixture, document: &str, path: &str, at: &Value) -> Value {
    let variables = Variables::from_json(json!({ "at": at }));
    let answer = fixture.answer(Request::new(document).variables(variables)).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"].pointer(path).unwrap().clone()
}

/// Reads a whole list, forwards or backwards as `document` asks.
async fn read_all(fixture: &Fixture, document: &str, path: &str) -> Vec<Value> {
    let (mut nodes, mut at) = (Vec::new(), Value::Null);
    let is_backward = document.contains("last: ");
    let (goes_on, cursor) = if is_backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
    for _ in 0..100 {
        let connection = read_part(fixture, document, path, &at).await;
        let part = connection["nodes"].as_array().unwrap().iter().cloned();
        nodes = if is_backward { part.chain(nodes).collect() } else { nodes.into_iter().chain(part).collect() };
        if connection["pageInfo"][goes_on] == false {
            return nodes;
        }
        at = connection["pageInfo"][cursor].clone();
        assert!(at.is_string());
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

const INFO: &str = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";

/// The same list asked for from its end.
fn backwards(document: &str) -> String {
    document.replace("first: ", "last: ").replace("after: ", "before: ")
}

async fn check_complete(list: &str, path: &str, wanted: usize) {
    let fixture = many_pages().await;
    let nodes = if path.ends_with("gaps") { "nodes { from }" } else { "nodes { id }" };
    let document = format!("query($at: String) {{ {} }}", list.replace("INFO", &format!("{nodes} {INFO}")));
    let forwards = read_all(&fixture, &document, path).await;
    let mut unique: Vec<String> = forwards.iter().map(Value::to_string).collect();
    unique.sort();
    unique.dedup();
    assert_eq!((forwards.len(), unique.len()), (wanted, wanted), "{document}");
    assert_eq!(read_all(&fixture, &backwards(&document), path).await, forwards, "{document}");
}

#[tokio::test]
async fn every_list_is_complete_when_read_by_page_from_either_end() {
    check_complete("pages(first: 3, after: $at) { INFO }", "/pages", 50).await;
    check_complete("pages(first: 3, after: $at, filter: {isBot: true}) { INFO }", "/pages", 25).await;
    check_complete("pages(first: 3, after: $at, filter: {domains: [\"it.wikisource.org\"]}) { INFO }", "/pages", 10)
        .await;
    check_complete("pages(first: 3, after: $at, during: {lastHours: 1}) { INFO }", "/pages", 50).await;
    check_complete("domain(name: \"www.wikidata.org\") { pages(first: 7, after: $at) { INFO } }", "/domain/pages", 40)
        .await;
    check_complete(
        "globalUser(userName: \"Person\") { pages(first: 4, after: $at) { INFO } }",
        "/globalUser/pages",
        25,
    )
    .await;
    let user = "user(domain: \"www.wikidata.org\", userId: \"2\") { pages(first: 4, after: $at) { INFO } }";
    check_complete(user, "/user/pages", 14).await;
    check_complete("hour(hour: \"2025-05-18-10\") { pages(first: 9, after: $at) { INFO } }", "/hour/pages", 50).await;
    check_complete("hour(hour: \"2025-05-18-10\") { users(first: 1, after: $at) { INFO } }", "/hour/users", 6).await;
    check_complete("hour(hour: \"2025-05-18-10\") { domains(first: 1, after: $at) { INFO } }", "/hour/domains", 2)
        .await;
    check_complete("domains(first: 1, after: $at) { INFO }", "/domains", 2).await;
    check_complete("domains(first: 1, after: $at, search: \"DATA\") { INFO }", "/domains", 1).await;
    check_complete("hours(first: 5, after: $at, during: {lastHours: 24}) { INFO }", "/hours", 24).await;
    check_complete("pipeline { gaps(first: 2, after: $at) { INFO } }", "/pipeline/gaps", 3).await;
}

/// Parts from the end: what is in them and what lies beyond, in lists of the store and in those known as a whole.
#[tokio::test]
async fn a_part_from_the_end_says_what_lies_beyond() {
    let fixture = Fixture::known().await;
    let check = async |list: &str, field: &str, wanted: [Value; 3]| {
        let during = if list == "domains" { "" } else { "during: {lastHours: 48}, " };
        let part = format!("{list}({during}last: 2, before: $at) {{ nodes {{ {field} }} {INFO} }}");
        let (document, path) = (format!("query($at: String) {{ {part} }}"), format!("/{list}"));
        let mut at = Value::Null;
        for wanted in wanted {
            let part = read_part(&fixture, &document, &path, &at).await;
            let nodes: Vec<_> = part["nodes"].as_array().unwrap().iter().map(|node| node[field].clone()).collect();
            let info = &part["pageInfo"];
            assert_eq!(json!([nodes, info["hasPreviousPage"], info["hasNextPage"]]), wanted, "{document}");
            at = info["startCursor"].clone();
        }
    };
    let pages = [json!([["5", "6"], true, false]), json!([["3", "4"], true, true]), json!([["1", "2"], true, true])];
    check("pages", "pageId", pages).await;
    let wikis = [
        json!([["it.wikisource.org", "www.wikidata.org"], true, false]),
        json!([["commons.wikimedia.org"], false, true]),
        json!([[], false, true]),
    ];
    check("domains", "name", wikis).await;
    let hours = [
        json!([["2025-05-16-12", "2025-05-16-11"], true, false]),
        json!([["2025-05-16-14", "2025-05-16-13"], true, true]),
        json!([["2025-05-16-16", "2025-05-16-15"], true, true]),
    ];
    check("hours", "hour", hours).await;
}

/// A filter that drops more rows of one hour than a request reads: the answer is empty and still leads on, either way.
/// (All pages lie in the half hour before the fixture's present: of another hour the counts would tell that none passes.)
#[tokio::test]
async fn an_empty_part_leads_on() {
    let pages: Vec<_> = (1..=4_300i64)
        .map(|at| {
            page("www.wikidata.org", at.cast_unsigned(), (1, if at == 2_150 { "SomeBot" } else { "Person" }), at / 3)
        })
        .collect();
    let fixture = Fixture::with(&pages).await;
    let document = format!(
        "query($at: String) {{ pages(first: 5, after: $at, filter: {{isBot: true}}) {{ nodes {{ pageId }} {INFO} }} }}"
    );
    for document in [backwards(&document), document] {
        let first = read_part(&fixture, &document, "/pages", &Value::Null).await;
        assert_eq!(first["nodes"], json!([]), "{document}");
        assert_eq!(read_all(&fixture, &document, "/pages").await, [json!({ "pageId": "2150" })], "{document}");
    }
}

/// Pages that are made while a list is read backwards are found at its beginning, and none is repeated.
#[tokio::test]
async fn a_list_that_grows_is_read_backwards_to_its_new_beginning() {
    let fixture = Fixture::known().await;
    let document = format!("query($at: String) {{ pages(last: 5, before: $at) {{ nodes {{ pageId }} {INFO} }} }}");
    let end = read_part(&fixture, &document, "/pages", &Value::Null).await;
    fixture.calls.write_pages(&[page("www.wikidata.org", 9, (7, "SomeBot"), 0)], DateTime::UNIX_EPOCH).await.unwrap();
    let beginning = read_part(&fixture, &document, "/pages", &end["pageInfo"]["startCursor"]).await;
    let ids: Vec<_> = [beginning, end].iter().flat_map(|part| part["nodes"].as_array().unwrap().clone()).collect();
    let ids: Vec<_> = ids.iter().map(|node| node["pageId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["9", "1", "1", "2", "3", "4", "5", "6"]);
}

/// Of lists by name: what comes in front of where the walk stands and behind it repeats nothing and hides nothing, from
/// either end.
#[tokio::test]
async fn a_walk_by_name_meets_what_was_there_once_however_the_list_grows() {
    let check = async |list: &str, field: &str, path: &str| {
        let forwards =
            format!("query($at: String) {{ {} }}", list.replace("INFO", &format!("nodes {{ {field} }} {INFO}")));
        for document in [backwards(&forwards), forwards] {
            let is_backward = document.contains("last: ");
            let (goes_on, cursor) =
                if is_backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
            let fixture = Fixture::known().await;
            let there: BTreeSet<String> =
                read_all(&fixture, &document, path).await.iter().map(|node| node[field].to_string()).collect();
            let (mut met, mut at) = (Vec::new(), Value::Null);
            for round in 0.. {
                let part = read_part(&fixture, &document, path, &at).await;
                met.extend(part["nodes"].as_array().unwrap().iter().map(|node| node[field].to_string()));
                if part["pageInfo"][goes_on] == false {
                    break;
                }
                at = part["pageInfo"][cursor].clone();
                if round > 2 {
                    continue;
                }
                // A wiki and an account at either end of the names, and in the middle.
                let new = ["aa", "it.m", "zu"].map(|name| {
                    let user = format!("{name} {round}");
                    page(&format!("{name}{round}.wikipedia.org"), 100 + round, (100 + round, &user), 30)
                });
                fixture.calls.write_pages(&new, DateTime::UNIX_EPOCH).await.unwrap();
            }
            let unique: BTreeSet<String> = met.iter().cloned().collect();
            assert_eq!(unique.len(), met.len(), "{document}: {met:?}");
            assert!(there.is_subset(&unique), "{document}: {met:?}, and there were {there:?}");
            assert!(there.len() > 1 && (is_backward || unique.len() > there.len()), "{document}: {met:?}");
        }
    };
    check("domains(first: 1, after: $at) { INFO }", "name", "/domains").await;
    let hour = |list: &str| format!("hour(hour: \"2025-05-18-10\") {{ {list}(first: 1, after: $at) {{ INFO }} }}");
    check(&hour("domains"), "name", "/hour/domains").await;
    check(&hour("users"), "id", "/hour/users").await;
}

/// The clock comes to the next hour while a list of the last hours is read: what was there when the walk began is met once.
#[tokio::test]
async fn a_walk_over_the_last_hours_keeps_to_its_range_when_the_hour_changes() {
    let check = async |list: &str, field: &str, wanted: usize| {
        let fixture = Fixture::known().await;
        let part = format!(
            "{list}(during: {{lastHours: 4}}, first: 2, after: $at) {{ nodes {{ {field} }} totalCount {INFO} }}"
        );
        let (document, path) = (format!("query($at: String) {{ {part} }}"), format!("/{list}"));
        let whole = read_all(&fixture, &document.replace("first: 2", "first: 100"), &path).await;
        assert_eq!(whole.len(), wanted, "{document}");
        let mut at = Value::Null;
        let mut met = Vec::new();
        for hours in 0.. {
            fixture.clock.set(DateTime::from_timestamp(NOW + hours * 3_600, 0).unwrap());
            let part = read_part(&fixture, &document, &path, &at).await;
            met.extend(part["nodes"].as_array().unwrap().clone());
            if part["pageInfo"]["hasNextPage"] == false {
                break;
            }
            at = part["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(met, whole, "{document}");
        let afresh = read_all(&fixture, &document, &path).await;
        assert_ne!(afresh, whole, "a walk that begins now is of the present's hours");
    };
    check("pages", "id", 6).await;
    check("hours", "hour", 4).await;
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
    assert_eq!(code("pages(before: CURSOR, last: 9) { nodes { id } }").await, Value::Null);
    for foreign in [
        "pages(after: CURSOR, filter: {isBot: true}) { nodes { id } }",
        "pages(after: CURSOR, during: {lastHours: 9}) { nodes { id } }",
        "domain(name: \"www.wikidata.org\") { pages(after: CURSOR) { nodes { id } } }",
        "globalUser(userName: \"Person\") { pages(after: CURSOR) { nodes { id } } }",
        "domains(after: CURSOR) { nodes { id } }",
        "domains(before: CURSOR) { nodes { id } }",
        "pages(before: CURSOR, last: 2, filter: {isBot: true}) { nodes { id } }",
        "hours(after: CURSOR, during: {lastHours: 3}) { nodes { id } }",
        "pages(after: \"AQ\") { nodes { id } }",
    ] {
        assert_eq!(code(foreign).await, "BAD_CURSOR", "{foreign}");
    }
}

/// The cursor in the only list of an answer.
fn first_cursor(answer: &Value) -> &Value {
    match answer {
        Value::Object(object) if object.contains_key("cursor") => &object["cursor"],
        Value::Object(object) => first_cursor(object.values().next().expect("a field")),
        Value::Array(list) => first_cursor(list.first().expect("an item")),
        other => panic!("{other} instead of a list"),
    }
}

/// Of every list a cursor of it, given to lists that are like it but for one thing.
#[tokio::test]
async fn a_cursor_of_any_list_is_foreign_to_lists_that_are_like_it() {
    let fixture = many_pages().await;
    let check = async |own: &str, foreign: &[&str]| {
        let ask = |list: &str, at: &Value| {
            let document = format!("query($at: String) {{ {list} }}").replace("INFO", "nodes { __typename }");
            Request::new(document).variables(Variables::from_json(json!({ "at": at })))
        };
        let first = fixture.answer(ask(&own.replace("INFO", "edges { cursor }"), &Value::Null)).await;
        let cursor = first_cursor(&first["data"]);
        let answer = fixture.answer(ask(own, cursor)).await;
        assert!(answer.get("errors").is_none(), "{own}: {answer}");
        for foreign in foreign {
            let answer = fixture.answer(ask(foreign, cursor)).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_CURSOR", "{own}: {foreign}: {answer}");
        }
    };
    let hour = |hour: &str, list: &str| {
        format!("hour(hour: \"2025-05-18-{hour}\") {{ {list}(first: 1, after: $at) {{ INFO }} }}")
    };
    check(&hour("10", "users"), &[&hour("10", "domains"), &hour("09", "users"), &hour("10", "pages")]).await;
    check(&hour("10", "domains"), &[&hour("10", "users"), &hour("09", "domains")]).await;
    check(&hour("10", "pages"), &[&hour("09", "pages"), "pages(after: $at) { INFO }"]).await;
    let gaps = "pipeline { gaps(first: 1, after: $at) { INFO } }";
    check(gaps, &["hours(after: $at, during: {lastHours: 3}) { INFO }", "domains(after: $at) { INFO }"]).await;
    check(
        "domains(first: 1, after: $at) { INFO }",
        &[
            gaps,
            "domains(after: $at, search: \"data\") { INFO }",
            "domains(after: $at, projectFamilies: [WIKIDATA]) { INFO }",
        ],
    )
    .await;
    let hours = |during: &str| format!("hours(first: 1, after: $at, during: {during}) {{ INFO }}");
    check(&hours("{lastHours: 3}"), &[&hours("{lastHours: 4}"), &hours("{from: \"2025-05-18T08:00:00Z\"}")]).await;
    let of_wiki = |name: &str| format!("domain(name: \"{name}\") {{ pages(first: 1, after: $at) {{ INFO }} }}");
    check(&of_wiki("www.wikidata.org"), &[&of_wiki("it.wikisource.org")]).await;
    let of_account = |id: &str| {
        format!("user(domain: \"www.wikidata.org\", userId: \"{id}\") {{ pages(first: 1, after: $at) {{ INFO }} }}")
    };
    check(&of_account("1"), &[&of_account("2"), &of_wiki("www.wikidata.org")]).await;
    let of_person =
        |name: &str| format!("globalUser(userName: \"{name}\") {{ pages(first: 1, after: $at) {{ INFO }} }}");
    check(&of_person("Person"), &[&of_person("SomeBot"), "pages(after: $at) { INFO }"]).await;
    let report = |hours: u8| {
        let pages = "pages(first: 1, after: $at) { INFO }";
        format!("reports(at: \"2025-05-18T11:30:00Z\", skip: 0, hours: {hours}) {{ topUsers(limit: 1) {{ {pages} }} }}")
    };
    check(&report(6), &[&report(5), "pages(after: $at) { INFO }", &of_person("Person")]).await;
}
