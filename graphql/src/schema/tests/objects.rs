//! Objects and the edges between them.

use super::fixture::{Fixture, check_query};
use chrono::TimeDelta;
use schema::clock::Clock;

#[tokio::test]
async fn a_page_with_all_its_fields() {
    check_query(
        r#"{ page(domain: "it.wikisource.org", pageId: "5") {
            pageId pageTitle title url namespace namespaceName isRedirect isBot revId createdAt userName eventId
            domain { name wiki projectFamily language url }
            user { userId userName isBot isTemporary url }
            hour { hour start end isOver } } }"#,
        r#"{"data":{"page":{
            "pageId":"5","pageTitle":"Più_<b>_\"x\"_?#/29","title":"Più <b> \"x\" ?#/29",
            "url":"https://it.wikisource.org/wiki/Pi%C3%B9_%3Cb%3E_%22x%22_%3F%23/29",
            "namespace":108,"namespaceName":"OTHER","isRedirect":false,"isBot":false,"revId":"3000000005",
            "createdAt":"2025-05-18T08:30:00Z","userName":"~2025-12345-67","eventId":null,
            "domain":{"name":"it.wikisource.org","wiki":"itwikisource","projectFamily":"WIKISOURCE","language":"it",
                "url":"https://it.wikisource.org/"},
            "user":{"userId":"9","userName":"~2025-12345-67","isBot":false,"isTemporary":true,
                "url":"https://it.wikisource.org/wiki/User:~2025-12345-67"},
            "hour":{"hour":"2025-05-18-08","start":"2025-05-18T08:00:00Z","end":"2025-05-18T09:00:00Z","isOver":true}
        }}}"#,
    )
    .await;
}

#[tokio::test]
async fn one_number_on_two_wikis_is_two_pages_and_two_people() {
    check_query(
        r#"{ pagesById(pageId: "1") { domain { name } } usersById(userId: "1") { domain { name } userName } }"#,
        r#"{"data":{
            "pagesById":[{"domain":{"name":"commons.wikimedia.org"}},{"domain":{"name":"it.wikisource.org"}}],
            "usersById":[{"domain":{"name":"commons.wikimedia.org"},"userName":"Stranger"},
                {"domain":{"name":"it.wikisource.org"},"userName":"Alex brollo"}]}}"#,
    )
    .await;
}

#[tokio::test]
async fn an_account_and_the_person_behind_it() {
    check_query(
        r#"{ user(domain: "it.wikisource.org", userId: "1") {
            userName firstPageAt lastPageAt pages { nodes { pageId } totalCount }
            globalUser { accountCount accounts { domain { name } userId } pages { nodes { domain { name } pageId } } } } }"#,
        r#"{"data":{"user":{
            "userName":"Alex brollo","firstPageAt":"2025-05-17T09:30:00Z","lastPageAt":"2025-05-18T10:29:00Z",
            "pages":{"nodes":[{"pageId":"1"},{"pageId":"6"}],"totalCount":2},
            "globalUser":{"accountCount":2,
                "accounts":[{"domain":{"name":"it.wikisource.org"},"userId":"1"},
                    {"domain":{"name":"commons.wikimedia.org"},"userId":"4"}],
                "pages":{"nodes":[{"domain":{"name":"it.wikisource.org"},"pageId":"1"},
                    {"domain":{"name":"commons.wikimedia.org"},"pageId":"2"},
                    {"domain":{"name":"it.wikisource.org"},"pageId":"6"}]}}}}}"#,
    )
    .await;
}

#[tokio::test]
async fn accounts_whose_newest_pages_are_of_one_second_go_by_domain() {
    let accounts = [("www.wikidata.org", 2), ("commons.wikimedia.org", 3), ("it.wikisource.org", 1)];
    let pages = accounts.map(|(domain, id)| super::fixture::page(domain, id, (id, "A"), 60));
    let answer = Fixture::with(&pages).await.answer("{ globalUser(userName: \"A\") { accounts { userId } } }").await;
    let by_domain = serde_json::json!([{ "userId": "3" }, { "userId": "1" }, { "userId": "2" }]);
    assert_eq!(answer["data"]["globalUser"]["accounts"], by_domain);
}

#[tokio::test]
async fn a_wiki_counts_its_pages() {
    check_query(
        r#"{ domain(name: "www.wikidata.org") { wiki language projectFamily firstPageAt lastPageAt
            all: pageCount bots: botPageCount people: pageCount(filter: {isBot: false})
            hour: pageCount(during: {from: "2025-05-18T09:00:00Z", to: "2025-05-18T10:00:00Z"})
            now: pageCount(during: {lastHours: 1})
            pages(first: 1) { totalCount nodes { pageId } } } }"#,
        r#"{"data":{"domain":{"wiki":"wikidatawiki","language":null,"projectFamily":"WIKIDATA",
            "firstPageAt":"2025-05-18T09:28:00Z","lastPageAt":"2025-05-18T09:29:00Z",
            "all":2,"bots":2,"people":0,"hour":2,"now":0,"pages":{"totalCount":2,"nodes":[{"pageId":"3"}]}}}}"#,
    )
    .await;
}

#[tokio::test]
async fn an_hour_counts_pages_accounts_and_wikis() {
    check_query(
        r#"{ hour(hour: "2025-05-18-09") { pageCount botPageCount userCount domainCount isOver
            bots: pageCount(filter: {isBot: true, domains: ["www.wikidata.org"]})
            users { totalCount edges { pageCount botPageCount node { userId userName } } }
            domains { totalCount edges { pageCount botPageCount node { name wiki } } }
            pages { totalCount nodes { pageId } }
            previous { hour } next { hour next { hour } } }
          future: hour(hour: "2025-05-18-11") { hour } }"#,
        r#"{"data":{"hour":{"pageCount":3,"botPageCount":2,"userCount":2,"domainCount":2,"isOver":true,"bots":2,
            "users":{"totalCount":2,"edges":[
                {"pageCount":1,"botPageCount":0,"node":{"userId":"4","userName":"Alex brollo"}},
                {"pageCount":2,"botPageCount":2,"node":{"userId":"7","userName":"SomeBot"}}]},
            "domains":{"totalCount":2,"edges":[
                {"pageCount":1,"botPageCount":0,"node":{"name":"commons.wikimedia.org","wiki":"commonswiki"}},
                {"pageCount":2,"botPageCount":2,"node":{"name":"www.wikidata.org","wiki":"wikidatawiki"}}]},
            "pages":{"totalCount":3,"nodes":[{"pageId":"2"},{"pageId":"3"},{"pageId":"4"}]},
            "previous":{"hour":"2025-05-18-08"},"next":{"hour":"2025-05-18-10","next":null}},"future":null}}"#,
    )
    .await;
}

#[tokio::test]
async fn each_id_finds_its_object_again() {
    let fixture = Fixture::known().await;
    let document = r#"{ page(domain: "it.wikisource.org", pageId: "5") { id user { id globalUser { id } } domain { id } hour { id } } }"#;
    let answer = fixture.answer(document).await;
    let page = &answer["data"]["page"];
    let ids = [
        &page["id"],
        &page["user"]["id"],
        &page["user"]["globalUser"]["id"],
        &page["domain"]["id"],
        &page["hour"]["id"],
    ];
    let ids: Vec<&str> = ids.iter().map(|id| id.as_str().unwrap()).chain(["nonsense", "", "cCBhIGIgYw"]).collect();
    let variables = async_graphql::Variables::from_json(serde_json::json!({ "ids": ids }));
    let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }";
    let answer = fixture.answer(async_graphql::Request::new(document).variables(variables)).await;
    let nodes = answer["data"]["nodes"].as_array().unwrap();
    for (i, name) in ["Page", "User", "GlobalUser", "Domain", "HourlyActivity"].iter().enumerate() {
        assert_eq!((&nodes[i]["__typename"], &nodes[i]["id"]), (&(*name).into(), &ids[i].into()), "{answer}");
    }
    assert!(nodes[5..].iter().all(serde_json::Value::is_null) && nodes.len() == 8, "{answer}");
}

#[tokio::test]
async fn an_older_creation_keeps_its_id() {
    let (old, new) = (
        super::fixture::page("it.wikisource.org", 8, (1, "A"), 500),
        super::fixture::page("it.wikisource.org", 8, (2, "B"), 10),
    );
    let fixture = Fixture::with(&[old, new]).await;
    let answer = fixture.answer("{ pages { nodes { id createdAt } } }").await;
    let nodes = answer["data"]["pages"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{answer}");
    assert_ne!(nodes[0]["id"], nodes[1]["id"]);
    for node in nodes {
        let again =
            fixture.answer(format!("{{ node(id: {}) {{ id ... on Page {{ createdAt }} }} }}", node["id"])).await;
        assert_eq!(&again["data"]["node"], node);
    }
}

#[tokio::test]
async fn the_pipeline_says_what_it_knows_and_null_for_what_it_does_not() {
    check_query(
        r#"{ pipeline { source sourceReason isConnected lagSeconds lastEventAt lastCanaryAt
            stages { name inCount excludedCount lagRecords eventsPerSecond } rejected { reason count lastAt }
            gaps(first: 2) { totalCount nodes { from reason } pageInfo { hasNextPage } } } }"#,
        r#"{"data":{"pipeline":{"source":"SAMPLE","sourceReason":"no network","isConnected":false,"lagSeconds":null,
            "lastEventAt":"2025-05-18T10:29:58Z","lastCanaryAt":"2025-05-18T10:00:00Z",
            "stages":[
                {"name":"PRODUCER","inCount":10,"excludedCount":1,"lagRecords":null,"eventsPerSecond":1.5},
                {"name":"CLEANER","inCount":null,"excludedCount":null,"lagRecords":null,"eventsPerSecond":null},
                {"name":"WRITER","inCount":null,"excludedCount":null,"lagRecords":null,"eventsPerSecond":null}],
            "rejected":null,
            "gaps":{"totalCount":3,"pageInfo":{"hasNextPage":true},"nodes":[
                {"from":"1970-01-01T00:50:00Z","reason":"HISTORY_EXPIRED"},
                {"from":"1970-01-01T00:33:20Z","reason":"HISTORY_EXPIRED"}]}}}}"#,
    )
    .await;
}

#[tokio::test]
async fn what_was_rejected_is_the_sum_of_all_stages() {
    let fixture = Fixture::known().await;
    fixture.hear_all_stages();
    let answer = fixture.answer("{ pipeline { rejected { reason count lastAt } } }").await;
    let wanted = serde_json::json!([
        { "reason": "ANONYMOUS_CREATOR", "count": 3, "lastAt": "2025-05-18T10:02:00Z" },
        { "reason": "INVALID_JSON", "count": 6, "lastAt": "2025-05-18T10:01:00Z" },
    ]);
    assert_eq!(answer["data"]["pipeline"]["rejected"], wanted, "{answer}");
}

#[tokio::test]
async fn the_pipeline_says_since_when_its_store_is_open() {
    let mut fixture = Fixture::known().await;
    let question = "{ pipeline { startedAt } }";
    fixture.clock.set(fixture.clock.now() + TimeDelta::seconds(75));
    assert_eq!(fixture.answer(question).await["data"]["pipeline"]["startedAt"], "2025-05-18T10:30:00Z");
    fixture.start_again();
    assert_eq!(fixture.answer(question).await["data"]["pipeline"]["startedAt"], "2025-05-18T10:31:15Z");
}

#[tokio::test]
async fn the_busiest_wikis_beside_the_range_before() {
    check_query(
        r#"{ topDomains { rank domain { name } pageCount botPageCount previousPageCount growth }
            growing: topDomains(orderBy: GROWTH, limit: 1) { domain { name } } }"#,
        r#"{"data":{"topDomains":[
            {"rank":1,"domain":{"name":"commons.wikimedia.org"},"pageCount":2,"botPageCount":0,"previousPageCount":0,"growth":null},
            {"rank":2,"domain":{"name":"it.wikisource.org"},"pageCount":2,"botPageCount":0,"previousPageCount":1,"growth":2.0},
            {"rank":3,"domain":{"name":"www.wikidata.org"},"pageCount":2,"botPageCount":2,"previousPageCount":0,"growth":null}],
            "growing":[{"domain":{"name":"commons.wikimedia.org"}}]}}"#,
    )
    .await;
}
