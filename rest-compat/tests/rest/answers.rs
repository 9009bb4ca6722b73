//! The documented answers of the five routes.

use crate::server::{Server, page};
use schema::page::Page;

const SOURCE: &str = "it.wikisource.org";
const DATA: &str = "www.wikidata.org";
const COMMONS: &str = "commons.wikimedia.org";

fn recorded() -> Vec<Page> {
    vec![
        page(SOURCE, 975885, 58904, "Spinoziano", "2025-05-18T08:03:14"),
        page(SOURCE, 975886, 58904, "Spinoziano", "2025-05-18T08:03:14"),
        page(DATA, 975886, 58904, "Another", "2025-05-18T09:00:00"),
        page(COMMONS, 975886, 7, "Third", "2025-05-18T09:00:00"),
        page(COMMONS, 12, 120, "Renamed", "2025-05-18T10:59:59"),
        page(COMMONS, 13, 120, "Before", "2025-05-18T08:00:00"),
    ]
}

async fn check_rest(path: &str, expect: &str) {
    let server = Server::with(&recorded()).await;
    assert_eq!(server.get(path).await, expect, "GET {path}");
}

#[tokio::test]
async fn domains_are_listed_by_name() {
    check_rest("/domains/", r#"200 {"domains":["commons.wikimedia.org","it.wikisource.org","www.wikidata.org"]}"#)
        .await;
}

#[tokio::test]
async fn a_page_has_the_documented_keys_in_the_documented_order() {
    check_rest(
        "/pages/id/975885",
        r#"200 {"page":{"page_id":"975885","user_id":"58904","user_name":"Spinoziano","domain":"it.wikisource.org","page_title":"Pagina:Storia_975885.djvu/7","created_at":"2025-05-18T08:03:14"}}"#,
    )
    .await;
}

#[tokio::test]
async fn of_pages_with_one_number_the_newest_answers_and_the_first_domain_of_a_tie() {
    let server = Server::with(&recorded()).await;
    let newest = server.get("/pages/id/975886").await;
    assert!(newest.contains(r#""domain":"commons.wikimedia.org""#), "{newest}");
    let narrowed = server.get("/pages/id/975886?domain=it.wikisource.org").await;
    assert!(narrowed.contains(r#""domain":"it.wikisource.org""#), "{narrowed}");
    let last_wins = server.get("/pages/id/975886?domain=it.wikisource.org&domain=www.wikidata.org").await;
    assert!(last_wins.contains(r#""domain":"www.wikidata.org""#), "{last_wins}");
}

#[tokio::test]
async fn an_unknown_page_is_404() {
    let expect = r#"404 {"detail":"Page not found"}"#;
    for path in ["/pages/id/1", "/pages/id/x", "/pages/id/975885?domain=www.wikidata.org", "/pages/id/975885?domain="] {
        check_rest(path, expect).await;
    }
}

#[tokio::test]
async fn pages_of_a_user_are_newest_first_over_all_wikis() {
    let server = Server::with(&recorded()).await;
    let ids = |answer: String| {
        let json: serde_json::Value = serde_json::from_str(answer.strip_prefix("200 ").unwrap()).unwrap();
        let pages = json["pages"].as_array().unwrap();
        pages.iter().map(|p| format!("{}:{}", p["domain"], p["page_id"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(server.get("/pages/user/58904").await),
        ["www.wikidata.org:975886", "it.wikisource.org:975886", "it.wikisource.org:975885"]
    );
    assert_eq!(
        ids(server.get("/pages/user/58904?domain=www.wikidata.org&domain=it.wikisource.org").await),
        ["it.wikisource.org:975886", "it.wikisource.org:975885"]
    );
}

#[tokio::test]
async fn a_list_of_pages_is_compact_json() {
    check_rest(
        "/pages/user/120",
        concat!(
            r#"200 {"pages":[{"page_id":"12","user_id":"120","user_name":"Renamed","domain":"commons.wikimedia.org","page_title":"Pagina:Storia_12.djvu/7","created_at":"2025-05-18T10:59:59"},"#,
            r#"{"page_id":"13","user_id":"120","user_name":"Before","domain":"commons.wikimedia.org","page_title":"Pagina:Storia_13.djvu/7","created_at":"2025-05-18T08:00:00"}]}"#
        ),
    )
    .await;
}

#[tokio::test]
async fn an_unknown_user_has_no_pages() {
    for path in ["/pages/user/1", "/pages/user/Spinoziano", "/pages/user/58904?domain=no.where", "/pages/user/058904"] {
        check_rest(path, r#"200 {"pages":[]}"#).await;
    }
}

#[tokio::test]
async fn pages_of_a_wiki_are_counted() {
    check_rest("/pages/domain/it.wikisource.org", r#"200 {"domain":"it.wikisource.org","count":2}"#).await;
    check_rest("/pages/domain/en.wikipedia.org", r#"200 {"domain":"en.wikipedia.org","count":0}"#).await;
    check_rest("/pages/domain/No+Such%20%D1%8F", r#"200 {"domain":"No+Such я","count":0}"#).await;
}

#[tokio::test]
async fn users_of_a_range_are_grouped_by_id_and_name_in_the_order_of_the_text() {
    check_rest(
        "/stats/time-range/?from_hour=2025-05-18-08&to_hour=2025-05-18-10",
        concat!(
            r#"200 {"from_":"2025-05-18-08","to":"2025-05-18-10","users":["#,
            r#"{"user_id":"120","user_name":"Before","count":1},{"user_id":"120","user_name":"Renamed","count":1},"#,
            r#"{"user_id":"58904","user_name":"Another","count":1},{"user_id":"58904","user_name":"Spinoziano","count":2},"#,
            r#"{"user_id":"7","user_name":"Third","count":1}]}"#
        ),
    )
    .await;
}

#[tokio::test]
async fn both_hours_of_a_range_are_included_and_no_other() {
    check_rest(
        "/stats/time-range/?to_hour=2025-05-18-10&from_hour=2025-05-18-10",
        r#"200 {"from_":"2025-05-18-10","to":"2025-05-18-10","users":[{"user_id":"120","user_name":"Renamed","count":1}]}"#,
    )
    .await;
    check_rest(
        "/stats/time-range/?from_hour=2025-05-18-08&to_hour=2025-05-18-10&domain=it.wikisource.org",
        r#"200 {"from_":"2025-05-18-08","to":"2025-05-18-10","users":[{"user_id":"58904","user_name":"Spinoziano","count":2}]}"#,
    )
    .await;
    check_rest(
        "/stats/time-range/?from_hour=2025-05-18-08&to_hour=2025-05-18-10&domain=x",
        r#"200 {"from_":"2025-05-18-08","to":"2025-05-18-10","users":[]}"#,
    )
    .await;
}
