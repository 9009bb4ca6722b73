//! How many reads a document costs: lists of objects with their edges are one read each.

use super::fixture::{Fixture, page};
use crate::live::Told;
use crate::operation::RequestId;
use futures::StreamExt;

async fn hundred_pages() -> Fixture {
    let domains = ["it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org"];
    let pages: Vec<_> =
        (1..=100u64).map(|id| page(domains[id as usize % 3], id, (id, &format!("Person {id}")), id as i64)).collect();
    Fixture::with(&pages).await
}

#[tokio::test]
async fn a_hundred_pages_with_users_and_wikis_cost_a_list_and_a_batch() {
    let fixture = hundred_pages().await;
    let answer = fixture
        .answer(
            "{ pages(first: 100) { nodes { title user { userName domain { name } } domain { name wiki language } } } }",
        )
        .await;
    assert_eq!(answer["data"]["pages"]["nodes"].as_array().unwrap().len(), 100, "{answer}");
    assert_eq!(answer["data"]["pages"]["nodes"][0]["user"]["userName"], "Person 1");
    // The rows carry their wiki's names: the wikis cost nothing.
    assert_eq!(fixture.calls.take(), ["list_pages", "load_users"]);
}

#[tokio::test]
async fn an_hours_accounts_and_wikis_cost_a_batch_each() {
    let fixture = hundred_pages().await;
    let document = "{ hour(hour: \"2025-05-18-10\") { pageCount botPageCount domainCount userCount \
        users(first: 100) { nodes { userName } } domains { nodes { wiki } } } }";
    let answer = fixture.answer(document).await;
    assert_eq!(answer["data"]["hour"]["users"]["nodes"].as_array().unwrap().len(), 100, "{answer}");
    let mut calls = fixture.calls.take();
    calls.sort_unstable();
    assert_eq!(calls, ["counts", "counts", "counts_as_of", "load_domains", "load_users", "user_counts"]);
}

/// Many pages of a wiki that ask its chart and its people read each once.
#[tokio::test]
async fn one_wikis_chart_and_people_are_read_once() {
    let fixture = Fixture::known().await;
    let of_wiki = "activity(during: {lastHours: 2}) { pageCount } topUsers(during: {lastHours: 2}, limit: 1) { rank }";
    let document =
        format!("{{ domain(name: \"www.wikidata.org\") {{ pages {{ nodes {{ domain {{ {of_wiki} }} }} }} }} }}");
    let document = document.replacen("pages", "pages(first: 2)", 1);
    let answer = fixture.answer(document).await;
    assert_eq!(answer["data"]["domain"]["pages"]["nodes"][1]["domain"]["activity"]["pageCount"], 2, "{answer}");
    let calls = fixture.calls.take();
    let count = |call| calls.iter().filter(|other| **other == call).count();
    // Hours of the range, and of the one before it.
    assert_eq!((count("counts"), count("user_counts")), (1, 4), "{calls:?}");
}

#[tokio::test]
async fn neighbouring_hours_are_one_read() {
    let fixture = hundred_pages().await;
    let answer = fixture.answer("{ hours(during: {lastHours: 24}, first: 24) { nodes { hour pageCount } } }").await;
    assert_eq!(answer["data"]["hours"]["nodes"][0]["pageCount"], 100, "{answer}");
    assert_eq!(fixture.calls.take(), ["counts_as_of", "counts"]);
}

#[tokio::test]
async fn rankings_of_one_range_read_it_and_the_one_before_once() {
    let fixture = hundred_pages().await;
    let document = "{ all: topDomains { pageCount } growing: topDomains(orderBy: GROWTH) { pageCount } \
        bots: topDomains(during: {lastHours: 24}, filter: {isBot: true}) { pageCount } }";
    let answer = fixture.answer(document).await;
    assert_eq!((&answer["data"]["all"][0]["pageCount"], &answer["data"]["bots"]), (&34.into(), &serde_json::json!([])));
    assert_eq!(fixture.calls.take(), ["counts_as_of", "counts", "counts", "load_domains"]);
}

#[tokio::test]
async fn a_report_reads_its_range_once_and_its_wikis_together() {
    let fixture = hundred_pages().await;
    let document = "{ reports(skip: 0, hours: 3, at: \"2025-05-18T11:00:00Z\") {
        domainsByHour { domains { pageCount domain { name } } } botPagesByDomain { pageCount domain { name } } } }";
    let answer = fixture.answer(document).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let mut calls = fixture.calls.take();
    calls.sort_unstable();
    assert_eq!(calls, ["counts", "counts_as_of", "load_domains"]);
}

#[tokio::test]
async fn each_event_of_a_subscription_reads_anew() {
    let fixture = hundred_pages().await;
    let mut stream = fixture.schema.execute_stream("subscription { pageCreated { page { user { lastPageAt } } } }");
    let hub = fixture.hub.clone();
    let tell = async {
        fixture.wait_for_subscriber().await;
        hub.tell(page("it.wikisource.org", 1_001, (3, "Person 3"), 0));
        hub.tell(page("it.wikisource.org", 1_002, (3, "Person 3"), 0));
    };
    let ((), first) = tokio::join!(tell, stream.next());
    assert!(first.unwrap().errors.is_empty());
    assert!(stream.next().await.unwrap().errors.is_empty());
    assert_eq!(fixture.calls.take(), ["load_users", "load_users"]);
}

#[tokio::test]
async fn distinct_subscriptions_read_once_of_each_event() {
    let fixture = hundred_pages().await;
    let groups = fixture.groups();
    let listen = |field: &str| {
        let document = format!("subscription {{ pageCreated {{ page {{ user {{ {field} }} }} }} }}");
        groups.open(document.into(), RequestId("r".into()))
    };
    let mut listeners =
        [listen("lastPageAt"), listen("userName"), listen("pageCount"), listen("isTemporary pageCount")];
    while fixture.hub.subscriber_count() < listeners.len() {
        tokio::task::yield_now().await;
    }
    for id in [1_001, 1_002] {
        fixture.hub.tell(page("it.wikisource.org", id, (3, "Person 3"), 0));
        let told = futures::future::join_all(listeners.iter_mut().map(|listener| listener.next())).await;
        let tell_time: Vec<bool> = told
            .into_iter()
            .map(|told| match told {
                Some(Told::Shared(json)) => json.contains("asOf"),
                _ => panic!("an event is shared"),
            })
            .collect();
        assert_eq!(tell_time, [false, false, true, true], "who counts is told up to when");
        let mut calls = fixture.calls.take();
        calls.sort_unstable();
        assert_eq!(calls, ["counts", "counts_as_of", "load_users"]);
    }
}

/// However many ask for a list, each list is read once; a list of several is a read each.
#[tokio::test]
async fn lists_of_a_list_are_read_once_each() {
    let fixture = hundred_pages().await;
    let calls = async |document: &str| {
        let answer = fixture.answer(document).await;
        assert!(answer["errors"].is_null(), "{answer}");
        fixture.calls.take()
    };
    for wikis in [1, 3] {
        let of_wikis = format!("{{ domains(first: {wikis}) {{ nodes {{ pages(first: 2) {{ nodes {{ id }} }} }} }} }}");
        assert_eq!(calls(&of_wikis).await, [&["domains"][..], &vec!["list_pages"; wikis]].concat());
    }
    // Fifty pages of three wikis, and their first, second and last pages.
    let of_pages = "{ pages(first: 50) { nodes { domain { pages(first: 2) { nodes { id } } } } } }";
    assert_eq!(calls(of_pages).await, ["list_pages"; 4]);
    let again = "{ a: pages(first: 2) { nodes { id } } b: pages(first: 2) { edges { cursor } } domains { nodes { id } }
        some: domains(first: 1) { nodes { id } } search(text: \"wiki\") { __typename } }";
    let mut of_the_root = calls(again).await;
    of_the_root.sort_unstable();
    assert_eq!(of_the_root, ["domains", "list_pages", "users_by_name"]);
}

/// Fifty lists that are none of them alike are read a few at a time.
#[tokio::test]
async fn many_lists_are_read_a_few_at_a_time() {
    let fixture = hundred_pages().await;
    let document = "{ pages(first: 50) { nodes { user { pages(first: 1) { nodes { title } } } } } }";
    let answer = fixture.answer(document).await;
    assert_eq!(answer["data"]["pages"]["nodes"].as_array().unwrap().len(), 50, "{answer}");
    assert_eq!(fixture.calls.most_lists_at_once(), 8);
    assert_eq!(fixture.calls.take().iter().filter(|call| **call == "list_pages").count(), 51);
}

#[tokio::test]
async fn nodes_of_pages_are_one_batch() {
    let fixture = hundred_pages().await;
    let answer = fixture.answer("{ pages(first: 100) { nodes { id } } }").await;
    let ids: Vec<&str> =
        answer["data"]["pages"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    fixture.calls.take();
    let answer = fixture.answer(format!("{{ nodes(ids: {ids:?}) {{ id }} }}")).await;
    assert_eq!(answer["data"]["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect::<Vec<_>>(), ids);
    assert_eq!(fixture.calls.take(), ["load_pages"]);
}

#[tokio::test]
async fn up_to_when_pages_are_counted_is_asked_once_and_before_the_counts() {
    let fixture = hundred_pages().await;
    let fields = [
        "overview { asOf current { pageCount domainCount } }",
        "people: overview { current { userCount } }",
        "activity(during: {lastHours: 2}) { asOf pageCount }",
        "reports { asOf domainsByHour { domains { pageCount } } }",
        "top: reports { topUsers { userName } }",
        "topDomains { rank }",
        "pages(first: 1, during: {lastHours: 1}) { asOf totalCount }",
        r#"domain(name: "www.wikidata.org") { pageCount topUsers { rank } }"#,
        r#"hour(hour: "2025-05-18-10") { users { nodes { id } } }"#,
        "hours(during: {lastHours: 3}, first: 3) { nodes { pageCount userCount } }",
        "topUsers { rank }",
    ];
    // All but the last together: as much as one request may ask.
    for document in fields.into_iter().chain([fields[..10].join(" ").as_str()]) {
        let answer = fixture.answer(format!("{{ {document} }}")).await;
        assert!(answer["errors"].is_null(), "{answer}");
        let calls = fixture.calls.take();
        let is_count = |call: &&str| matches!(*call, "counts" | "user_counts");
        let first = calls.iter().position(is_count);
        let asked: Vec<usize> = (0..calls.len()).filter(|i| calls[*i] == "counts_as_of").collect();
        assert!(asked.len() == 1 && Some(asked[0]) < first, "{document}: {calls:?}");
    }
}

#[tokio::test]
async fn totals_are_read_once_and_people_only_where_they_are_asked_for() {
    let fixture = hundred_pages().await;
    let calls = async |fields: &str| {
        let answer = fixture.answer(format!("{{ overview {{ current {{ {fields} }} }} }}")).await;
        assert!(answer["errors"].is_null(), "{answer}");
        fixture.calls.take()
    };
    assert_eq!(calls("start end").await, [""; 0]);
    assert_eq!(calls("pageCount botPageCount redirectCount").await, ["counts_as_of", "counts"]);
    assert_eq!(calls("pageCount domainCount").await, ["counts_as_of", "counts", "counts"]);
    let people = calls("userCount").await;
    assert!(people.len() > 1 && people[1..].iter().all(|call| *call == "user_counts"), "{people:?}");
}

#[tokio::test]
async fn the_wikis_of_all_series_are_one_read() {
    let fixture = hundred_pages().await;
    let document = "{ activity(during: {lastHours: 5}, by: [DOMAIN]) { series { domain { wiki } pageCount } } }";
    let answer = fixture.answer(document).await;
    assert_eq!(answer["data"]["activity"]["series"].as_array().unwrap().len(), 3, "{answer}");
    assert_eq!(fixture.calls.take(), ["counts_as_of", "counts", "load_domains"]);
}
