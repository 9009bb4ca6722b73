//! The same questions to both stores over the same pages: the answers are the same, cursors and `asOf` included.

use super::fixture::{Fixture, NOW, known_pages, page};
use super::stock::{queries, variables};
use crate::limits::Limits;
use crate::live::tests::harness::server;
use async_graphql::{Request, Variables};
use chrono::{DateTime, TimeDelta};
use schema::page::Page;
use schema::store::{Durability, Migration, Store, StoreUrl, open};
use serde_json::{Value, json};
use std::sync::Arc;

/// Questions about all that the schema has, beside those that everybody asks. Lists are also read to their end.
const QUESTIONS: &[&str] = &[
    "{ overview(during: {lastHours: 744}) { asOf current { pageCount botPageCount redirectCount userCount domainCount } previous { pageCount userCount domainCount } } }",
    "{ overview(filter: {isBot: false, projectFamilies: [WIKIDATA]}) { current { pageCount userCount domainCount } } }",
    "{ activity(during: {lastHours: 744}, unit: HOUR, by: [BOT, NAMESPACE], limit: 3) { asOf pageCount series { isBot namespace pageCount points { start pageCount } } rest { pageCount points { start pageCount } } } }",
    "{ activity(during: {from: \"2025-03-01T00:00:00Z\"}, unit: DAY, by: [PROJECT_FAMILY, REDIRECT], limit: 4) { series { projectFamily isRedirect pageCount points { start pageCount } } rest { pageCount } } }",
    "{ activity(during: {from: \"2025-03-01T00:00:00Z\"}, unit: MONTH, by: [DOMAIN]) { series { domain { name } pageCount points { start pageCount } } } }",
    "{ topDomains(during: {lastHours: 300}) { rank domain { name firstPageAt lastPageAt } pageCount botPageCount previousPageCount growth } }",
    "{ year: topDomains(during: {lastHours: 8784}) { domain { name } pageCount previousPageCount } all: topDomains(during: {from: \"2001-01-15T00:00:00Z\"}) { domain { name } pageCount } }",
    "{ topDomains(during: {lastHours: 300}, orderBy: GROWTH, minPageCount: 5, filter: {isBot: false}) { rank domain { name } growth } }",
    "{ topUsers(during: {lastHours: 700}, limit: 5) { rank pageCount botPageCount previousPageCount growth user { userName accountCount accounts(limit: 5) { userId isBot isTemporary firstPageAt lastPageAt domain { name } } } } }",
    "{ reports(at: \"2025-05-17T19:32:00Z\", hours: 168, skip: 1) { start end domainsByHour { start domains { pageCount domain { name } } } botPagesByDomain { pageCount domain { name } } topUsers(limit: 4) { id userName pageCount accounts { userId domain { name } } pages(first: 2) { totalCount nodes { pageTitle } pageInfo { endCursor hasNextPage } } } } }",
    "{ reports(skip: 0) { topUsers { userName pageCount } botPagesByDomain { pageCount domain { name } } } }",
    "{ domain(name: \"www.wikidata.org\") { id wiki projectFamily language url firstPageAt lastPageAt pageCount botPageCount(during: {lastHours: 700}) counted: pageCount(during: {lastHours: 30}, filter: {isRedirect: false, namespaces: [0, 6]}) topUsers(during: {lastHours: 700}, limit: 3) { rank user { userName } pageCount growth } activity(during: {lastHours: 100}, unit: DAY) { series { points { start pageCount } } } } }",
    "{ user(domain: \"it.wikisource.org\", userId: \"3\") { id userName isBot isTemporary url firstPageAt lastPageAt pageCount counted: pageCount(during: {lastHours: 400}, filter: {isBot: true}) globalUser { userName } activity(during: {lastHours: 700}, by: [NAMESPACE]) { series { namespace pageCount } } } }",
    "{ globalUser(userName: \"Alex brollo\") { id accountCount accounts { userId domain { name } pageCount } pageCount counted: pageCount(during: {lastHours: 500}, filter: {domains: [\"it.wikisource.org\"]}) activity(during: {lastHours: 700}, by: [DOMAIN]) { series { domain { name } pageCount } } } }",
    "{ globalUser(userName: \"Nobody\") { id } user(domain: \"it.wikisource.org\", userId: \"999\") { id } domain(name: \"en.wikipedia.org\") { id } page(domain: \"it.wikisource.org\", pageId: \"999\") { id } }",
    "{ pagesById(pageId: \"1\") { id title domain { name } user { userName } hour { hour pageCount } } usersById(userId: \"1\") { userName domain { name } pageCount pages(first: 3) { totalCount nodes { pageId } } } }",
    "{ page(domain: \"it.wikisource.org\", pageId: \"5\") { id pageTitle title url namespace namespaceName isRedirect isBot revId createdAt userName eventId hour { hour } user { id } } }",
    "{ hour(hour: \"2025-05-18-10\") { id start end isOver pageCount botPageCount userCount domainCount counted: pageCount(filter: {isBot: false}) previous { hour pageCount userCount } next { hour } } }",
    "{ hours(during: {lastHours: 60}, first: 60) { totalCount nodes { hour pageCount botPageCount userCount domainCount } } }",
    "{ search(text: \"wiki\") { __typename ... on Domain { name wiki } } }",
    "{ search(text: \"1\") { __typename ... on Page { id title } } }",
    "{ search(text: \"User:Alex brollo\") { __typename ... on GlobalUser { userName accountCount } } }",
    "{ search(text: \"https://it.wikisource.org/wiki/Page_1\") { __typename ... on Page { title createdAt } } }",
    "{ domains(projectFamilies: [WIKISOURCE], search: \"it\") { totalCount nodes { name pageCount } } }",
    "{ pipeline { countsAsOf } }",
];

/// Lists, read part by part from either end.
const LISTS: &[&str] = &[
    "pages(during: {lastHours: 744}, PART) { totalCount asOf NODES }",
    "pages(filter: {isBot: false, namespaces: [0]}, PART) { totalCount NODES }",
    "pages(filter: {domains: [\"it.wikisource.org\", \"commons.wikimedia.org\"], isRedirect: true}, PART) { totalCount NODES }",
    "domain(name: \"www.wikidata.org\") { pages(filter: {isBot: true}, during: {from: \"2025-04-20T07:30:00Z\", to: \"2025-05-18T00:00:00Z\"}, PART) { NODES } }",
    "user(domain: \"it.wikisource.org\", userId: \"3\") { pages(PART) { totalCount NODES } }",
    "globalUser(userName: \"Alex brollo\") { pages(filter: {projectFamilies: [COMMONS]}, PART) { totalCount NODES } }",
    "hour(hour: \"2025-05-18-10\") { pages(PART) { totalCount NODES } }",
    "hour(hour: \"2025-05-18-10\") { users(PART) { totalCount edges { pageCount botPageCount } NODES } }",
    "hour(hour: \"2025-05-18-10\") { domains(PART) { totalCount edges { pageCount botPageCount } NODES } }",
    "hours(during: {lastHours: 30}, PART) { totalCount NODES }",
    "domains(PART) { totalCount NODES }",
];

/// Pages of many kinds over ten weeks, closer together at their end.
fn pages() -> Vec<Page> {
    let wikis = ["www.wikidata.org", "it.wikisource.org", "commons.wikimedia.org"];
    let people = ["Alex brollo", "SomeBot", "Person", "~2025-12345-67", "OtherBot"];
    let varied = (10..600u64).map(|n| {
        let person = (n / 3) as usize % people.len();
        let at = (n * n * 17 % (70 * 24 * 3_600)) / if n.is_multiple_of(3) { 400 } else { 1 };
        let page = page(wikis[n as usize % 3], n, (person as u64 + 1, people[person]), at.cast_signed());
        Page { namespace: [0, 0, 6, 14][n as usize % 4], is_redirect: n.is_multiple_of(5), ..page }
    });
    known_pages().into_iter().chain(varied).collect()
}

async fn cassandra() -> Option<Arc<dyn Store>> {
    let url: StoreUrl = server("CASSANDRA", &format!("both_{:08x}", rand::random::<u32>()))?;
    Some(Box::pin(open(&url, Migration::Apply, Durability::Process)).await.expect("the keyspace opens"))
}

async fn ask(fixture: &Fixture, document: &str, variables: Value) -> Value {
    ask_one(fixture, document, None, variables).await
}

async fn ask_one(fixture: &Fixture, document: &str, operation: Option<String>, variables: Value) -> Value {
    let mut request = Request::new(document).variables(Variables::from_json(variables));
    request.operation_name = operation;
    let answer = serde_json::to_value(fixture.schema.execute(request).await).unwrap();
    assert!(answer.get("errors").is_none(), "{document}: {answer:#}");
    answer
}

/// Reads a list to its end; all that is said on the way.
async fn walk(fixture: &Fixture, list: &str, part: &str) -> Vec<Value> {
    let info = "edges { cursor } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let list = list.replace("PART", part).replace("NODES", info);
    let document = format!("query($at: String) {{ {list} }}");
    let goes_on =
        if part.starts_with("first") { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
    let (mut said, mut at) = (Vec::new(), Value::Null);
    for _ in 0..200 {
        let answer = ask(fixture, &document, json!({ "at": at })).await;
        let info = page_info(&answer["data"]);
        (at, said) = (info[goes_on.1].clone(), [said, vec![answer.clone()]].concat());
        if info[goes_on.0] == false {
            return said;
        }
    }
    panic!("the list has no end: {document}");
}

fn page_info(answer: &Value) -> &Value {
    let object = answer.as_object().expect("an object");
    object.get("pageInfo").unwrap_or_else(|| page_info(object.values().next().expect("a field")))
}

#[tokio::test]
async fn both_stores_give_the_same_answers() {
    let Some(store) = cassandra().await else { return };
    let (mut embedded, pages) = (Fixture::with(&pages()).await, pages());
    for batch in pages.chunks(100) {
        store.write_pages(batch, DateTime::UNIX_EPOCH).await.unwrap();
    }
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    while store.seal_counts(now).await.unwrap().left > 0 {
        tokio::task::yield_now().await;
    }
    let mut cassandra = Fixture::over(store, tempfile::tempdir().unwrap());
    // Each question asks for as much as it can.
    for fixture in [&mut embedded, &mut cassandra] {
        fixture.limit(Limits { cost: 1_000_000, ..Limits::default() });
    }
    let same = async |document: &str, operation: Option<String>, variables: Value| {
        let wanted = ask_one(&embedded, document, operation.clone(), variables.clone()).await;
        let found = ask_one(&cassandra, document, operation, variables).await;
        assert!(found == wanted, "{document}\nanswered {found:#}\nwanted {wanted:#}");
    };
    for document in QUESTIONS {
        same(document, None, json!({})).await;
    }
    for (document, operation) in queries() {
        same(&document, operation, variables()).await;
    }
    let mut walks_of_many_parts = 0;
    for (list, part) in
        LISTS.iter().flat_map(|list| ["first: 7, after: $at", "last: 7, before: $at"].map(|part| (list, part)))
    {
        let (wanted, found) = (walk(&embedded, list, part).await, walk(&cassandra, list, part).await);
        assert!(found == wanted, "{list} {part}\nanswered {found:#?}\nwanted {wanted:#?}");
        walks_of_many_parts += usize::from(wanted.len() > 1);
    }
    assert!(walks_of_many_parts > LISTS.len(), "{walks_of_many_parts} walks of more than one part");
    // What is not counted yet is in lists, and counts say that it is missing.
    let late = Page { created_at: now - TimeDelta::days(30), ..page("www.wikidata.org", 7_777, (3, "Person"), 0) };
    cassandra.calls.write_pages(&[late], DateTime::UNIX_EPOCH).await.unwrap();
    let question = "{ page(domain: \"www.wikidata.org\", pageId: \"7777\") { title } domain(name: \"www.wikidata.org\") { pageCount } }";
    let (before, after) = (ask(&embedded, question, json!({})).await, ask(&cassandra, question, json!({})).await);
    assert_eq!(after["data"]["page"]["title"], "Page 7777", "{after}");
    assert_eq!(after["data"]["domain"], before["data"]["domain"], "{after}");
    assert_eq!(after["extensions"]["asOf"], "2025-05-18T10:30:00Z", "{after}");
}
