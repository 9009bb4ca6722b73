//! People: their counts, their accounts, and who created most; the present is 2025-05-18 10:30.

use super::fixture::{Fixture, check_query, page};
use schema::page::Page;
use serde_json::{Value, json};

/// Two people and a bot on two wikis, in the last day and the one before it; (page, wiki, account, hours ago).
fn two_days() -> Vec<Page> {
    let (it, wikidata) = ("it.wikisource.org", "www.wikidata.org");
    let of = |first: u64, domain, user: (u64, &str), hours: &[i64]| -> Vec<Page> {
        (first..).zip(hours).map(|(id, hours)| page(domain, id, user, hours * 3_600)).collect()
    };
    [
        of(1, it, (1, "Ann"), &[1, 2]),
        of(10, wikidata, (7, "Ann"), &[3, 30]),
        of(20, wikidata, (8, "Bob"), &[1, 2, 3, 40, 40, 41]),
        of(30, wikidata, (9, "SomeBot"), &[5, 6]),
        of(40, it, (4, "Cas"), &[30, 31]),
    ]
    .concat()
}

async fn ranked(field: &str, path: &str) -> Vec<String> {
    let fixture = Fixture::with(&two_days()).await;
    let fields = "rank user { userName } pageCount botPageCount previousPageCount growth";
    let answer = fixture.answer(field.replace("FIELDS", fields)).await;
    let rows = answer["data"].pointer(path).and_then(Value::as_array).unwrap_or_else(|| panic!("{answer}"));
    let row = |row: &Value| {
        let parts =
            ["rank", "pageCount", "botPageCount", "previousPageCount", "growth"].map(|name| row[name].to_string());
        format!("{} {}", row["user"]["userName"].as_str().unwrap(), parts.join(" "))
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn the_people_who_created_most_ties_by_name() {
    let top = async |arguments: &str| ranked(&format!("{{ topUsers{arguments} {{ FIELDS }} }}"), "/topUsers").await;
    let all = ["Ann 1 3 0 1 3.0", "Bob 2 3 0 3 1.0", "SomeBot 3 2 2 0 null"];
    assert_eq!(top("").await, all);
    assert_eq!(top("(limit: 2)").await, all[..2]);
    assert_eq!(top("(during: {lastHours: 24}, minPageCount: 3)").await, all[..2]);
    let growing = ["SomeBot 1 2 2 0 null", "Ann 2 3 0 1 3.0", "Bob 3 3 0 3 1.0"];
    assert_eq!(top("(orderBy: GROWTH)").await, growing);
    let more = ["Ann 1 3 0 1 3.0", "SomeBot 2 2 2 0 null", "Bob 3 3 0 3 1.0"];
    assert_eq!(top("(orderBy: INCREASE)").await, more);
    assert_eq!(top("(filter: {isBot: true})").await, ["SomeBot 1 2 2 0 null"]);
    assert_eq!(top(r#"(filter: {domains: ["it.wikisource.org"]})"#).await, ["Ann 1 2 0 0 null"]);
    assert_eq!(top("(filter: {projectFamilies: [WIKIDATA]}, limit: 1)").await, ["Bob 1 3 0 3 1.0"]);
    assert_eq!(top(r#"(during: {to: "2025-05-16T16:00:00Z", from: "2025-05-16T00:00:00Z"})"#).await, [""; 0]);
}

#[tokio::test]
async fn the_people_of_one_wiki() {
    let of_wikidata = r#"{ domain(name: "www.wikidata.org") { topUsers(limit: 2) { FIELDS } } }"#;
    assert_eq!(ranked(of_wikidata, "/domain/topUsers").await, ["Bob 1 3 0 3 1.0", "SomeBot 2 2 2 0 null"]);
    let people = r#"{ domain(name: "it.wikisource.org") { topUsers(filter: {isBot: false}, during: {lastHours: 48}) { FIELDS } } }"#;
    assert_eq!(ranked(people, "/domain/topUsers").await, ["Ann 1 2 0 0 null", "Cas 2 2 0 0 null"]);
}

#[tokio::test]
async fn a_person_s_pages_are_counted_on_one_wiki_and_on_all() {
    check_query(
        r#"{ user(domain: "it.wikisource.org", userId: "1") {
                pageCount recent: pageCount(during: {lastHours: 24}) bots: pageCount(filter: {isBot: true})
                globalUser {
                    pageCount recent: pageCount(during: {lastHours: 24})
                    there: pageCount(filter: {domains: ["commons.wikimedia.org"]}) } }
            stranger: user(domain: "commons.wikimedia.org", userId: "1") { pageCount }
            odd: user(domain: "it.wikisource.org", userId: "9") { pageCount(filter: {namespaces: [108]}) } }"#,
        r#"{"data":{"user":{"pageCount":2,"recent":1,"bots":0,"globalUser":{"pageCount":3,"recent":2,"there":1}},
            "stranger":{"pageCount":1},"odd":{"pageCount":1}}}"#,
    )
    .await;
}

#[tokio::test]
async fn accounts_are_busiest_first() {
    let (it, commons, wikidata) = ("it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org");
    let pages = [
        // Two accounts under one name on one wiki: together the busiest; the newest page is elsewhere.
        page(wikidata, 1, (12, "Ann"), 90_000),
        page(wikidata, 2, (5, "Ann"), 95_000),
        page(wikidata, 3, (5, "Ann"), 5_000_000),
        page(it, 4, (3, "Ann"), 10),
        page(it, 5, (3, "Bob"), 11),
        page(it, 6, (3, "Bob"), 12),
        page(commons, 7, (4, "Ann"), 20),
    ];
    let fixture = Fixture::with(&pages).await;
    let accounts = async |arguments: &str| {
        let document =
            format!("{{ globalUser(userName: \"Ann\") {{ accounts{arguments} {{ domain {{ name }} userId }} }} }}");
        let answer = fixture.answer(document).await;
        let rows = answer["data"]["globalUser"]["accounts"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        rows.iter().map(|row| json!([row["domain"]["name"], row["userId"]])).collect::<Vec<_>>()
    };
    let all = [json!([wikidata, "12"]), json!([wikidata, "5"]), json!([commons, "4"]), json!([it, "3"])];
    assert_eq!(accounts("").await, all);
    assert_eq!(accounts("(limit: 3)").await, all[..3]);
}
