//! Searching: what is found, in which order, and what is refused.

use super::fixture::{Fixture, page};
use async_graphql::{Request, Variables};
use schema::page::Page;
use serde_json::{Value, json};

/// Two people on three wikis; number 42 is a page of each, and a person's name. A title was given twice.
fn pages() -> Vec<Page> {
    let titled = |page: Page, title: &str| Page { page_title: title.into(), ..page };
    let (it, commons, wikidata) = ("it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org");
    vec![
        titled(page(it, 42, (1, "Ann"), 50), "User:Ann"),
        titled(page(it, 43, (1, "Ann"), 40), "Pagina:A_b.djvu/1"),
        titled(page(it, 44, (2, "42"), 30), "Pagina:A_b.djvu/1"),
        page(wikidata, 42, (7, "Ann"), 20),
        page(commons, 42, (8, "Itwikisource"), 10),
    ]
}

const QUESTION: &str = "query Search($text: String!, $limit: Int) { search(text: $text, limit: $limit) { __typename \
    ... on Domain { name } ... on GlobalUser { userName } ... on Page { pageId domain { name } } } }";

async fn ask(fixture: &Fixture, text: &str, limit: i32) -> Value {
    let variables = Variables::from_json(json!({"text": text, "limit": limit}));
    fixture.answer(Request::new(QUESTION).variables(variables)).await
}

/// Each result in a word: a wiki's name, `@` and a person's, or a page's number and wiki.
async fn found(fixture: &Fixture, text: &str, limit: i32) -> Vec<String> {
    let answer = ask(fixture, text, limit).await;
    let results = answer["data"]["search"].as_array().unwrap_or_else(|| panic!("{text}: {answer}")).clone();
    let word = |result: &Value| {
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        match result["__typename"].as_str() {
            Some("Domain") => text("name"),
            Some("GlobalUser") => format!("@{}", text("userName")),
            _ => format!("{} {}", text("pageId"), result["domain"]["name"].as_str().unwrap_or_default()),
        }
    };
    results.iter().map(word).collect()
}

#[tokio::test]
async fn what_is_meant_is_found_in_its_order() {
    let fixture = Fixture::with(&pages()).await;
    let (it, commons, wikidata) = ("it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org");
    let all = |number: u32| [commons, it, wikidata].map(|domain| format!("{number} {domain}"));
    let cases: &[(&str, &[&str])] = &[
        ("wiki", &[commons, it, wikidata]),
        (" WikiSource\n", &[it]),
        ("itwikisource", &["@Itwikisource", it]),
        ("it.m.wikisource.org", &[it]),
        ("http://it.m.wikisource.org/", &[it]),
        ("ann", &["@Ann"]),
        ("Anne", &[]),
        ("user:ann", &["@Ann"]),
        ("https://it.wikisource.org/wiki/User:Ann", &["42 it.wikisource.org", "@Ann"]),
        ("https://www.wikidata.org/wiki/User:Ann", &["@Ann"]),
        ("it.wikisource.org/wiki/Pagina:A%20b.djvu/1#x", &["44 it.wikisource.org", "43 it.wikisource.org"]),
        ("https://it.wikisource.org/wiki/Pagina:a_b.djvu/1", &[]),
        ("https://it.wikisource.org/?curid=43", &["43 it.wikisource.org"]),
        ("https://it.wikisource.org/?curid=9", &[]),
        ("https://fr.wikisource.org/", &[]),
        ("https://it.wikisource.org/?oldid=3000000042", &[]),
        ("'; DROP TABLE pages; --", &[]),
    ];
    for (text, wanted) in cases {
        assert_eq!(found(&fixture, text, 10).await, *wanted, "{text}");
    }
    assert_eq!(found(&fixture, "#42", 10).await, all(42));
    assert_eq!(found(&fixture, "42", 10).await, [&["@42".to_owned()], all(42).as_slice()].concat());
    assert_eq!(found(&fixture, "42", 2).await, ["@42", "42 commons.wikimedia.org"]);
    assert_eq!(found(&fixture, "wiki", 1).await, [commons]);
    assert_eq!(found(&fixture, "it.wikisource.org/wiki/Pagina:A_b.djvu/1", 1).await, ["44 it.wikisource.org"]);
}

#[tokio::test]
async fn the_wiki_of_exactly_the_name_comes_first() {
    let fixture = Fixture::with(&[
        page("ab.wikisource.org", 1, (1, "Ann"), 9),
        page("wikisource.org", 42, (1, "Ann"), 8),
        page("zh.wikisource.org", 3, (1, "Ann"), 7),
    ])
    .await;
    let wanted = ["wikisource.org", "ab.wikisource.org", "zh.wikisource.org"];
    assert_eq!(found(&fixture, "wikisource.org", 10).await, wanted);
    assert_eq!(found(&fixture, "https://www.wikisource.org", 10).await, wanted[..1]);
}

#[tokio::test]
async fn what_cannot_be_searched_is_refused() {
    let fixture = Fixture::with(&pages()).await;
    let refused = async |text: &str, limit, words: &str| {
        let answer = ask(&fixture, text, limit).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert!(error["message"].as_str().unwrap().contains(words), "{answer}");
        assert_eq!(fixture.calls.take(), [""; 0], "nothing is read");
    };
    refused("", 10, "text is empty").await;
    refused(" \n\t", 10, "text is empty").await;
    refused(&"ü".repeat(2_001), 10, "more than 2000 characters").await;
    refused("wiki", 0, "limit").await;
    refused("wiki", 101, "limit").await;
    assert_eq!(found(&fixture, &"ü".repeat(2_000), 10).await, [""; 0]);
}

#[tokio::test]
async fn equal_searches_of_one_request_read_a_title_once() {
    let fixture = Fixture::with(&pages()).await;
    let search = r#"search(text: "it.wikisource.org/wiki/Pagina:A_b.djvu/1") { __typename }"#;
    let answer = fixture.answer(format!("{{ a: {search} b: {search} c: {search} }}")).await;
    assert_eq!(answer["data"]["c"].as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(fixture.calls.take(), ["pages_by_title"]);
}

#[tokio::test]
async fn a_part_of_a_name_is_no_longer_than_an_address() {
    let fixture = Fixture::known().await;
    for (part, found) in [("IT.Wiki".to_owned(), 1), ("Ä".repeat(2_000), 0)] {
        let answer = fixture.answer(format!("{{ domains(search: {part:?}) {{ totalCount }} }}")).await;
        assert_eq!(answer, json!({ "data": { "domains": { "totalCount": found } } }));
    }
    let answer = fixture.answer(format!("{{ domains(search: {:?}) {{ totalCount }} }}", "Ä".repeat(2_001))).await;
    assert_eq!(answer["errors"][0]["message"], "search has more than 2000 characters");
}
