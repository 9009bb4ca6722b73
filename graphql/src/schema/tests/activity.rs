//! Pages over time against a plain recount of the pages; the present is 2025-05-18 10:30.

use super::fixture::{Fixture, NOW, page};
use chrono::{DateTime, TimeDelta, Utc};
use schema::hour::HourRange;
use schema::page::Page;
use schema::period::{PeriodRange, TimeUnit};
use schema::query::Series;
use schema::reference::Reference;
use schema::wiki::ProjectFamily;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

const DIMENSIONS: [&str; 5] = ["DOMAIN", "PROJECT_FAMILY", "NAMESPACE", "BOT", "REDIRECT"];
const UNITS: [(&str, &str); 3] =
    [("HOUR", "%Y-%m-%dT%H:00:00Z"), ("DAY", "%Y-%m-%dT00:00:00Z"), ("MONTH", "%Y-%m-01T00:00:00Z")];

/// The tests' range, with its ends as times; it holds a month's border and begins and ends within an hour.
const DURING: &str = r#"{from: "2025-04-29T07:30:00Z", to: "2025-05-02T05:00:01Z"}"#;
const FROM: &str = "2025-04-29T07:30:00Z";
const TO: &str = "2025-05-02T05:00:01Z";

/// 300 pages around the range: four wikis, three people, and some hours without any.
fn varied_pages() -> Vec<Page> {
    let domains = ["it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org", "de.wikipedia.org"];
    let start = NOW - FROM.parse::<DateTime<Utc>>().unwrap().timestamp();
    let vary = |n: u64| {
        let names = ["Ann", "Bob", "SomeBot"];
        let user = n as usize % 3;
        // 8 hours before the range to 12 behind it, every third hour empty.
        let hour = (n * n * 7 + n) as i64 % 90;
        let hour = hour - hour.rem_euclid(3) % 2 - 8;
        let at = start - hour * 3_600 - (n as i64 * 37) % 3_600;
        let mut page = page(domains[(n * n + n / 3) as usize % 4], n + 1, (user as u64 + 1, names[user]), at);
        page.namespace = [0, 0, 6, 14, -1, 108][n as usize % 6];
        page.is_redirect = n.is_multiple_of(7);
        page
    };
    (0..300).map(vary).collect()
}

type Key = (Option<String>, Option<ProjectFamily>, Option<i32>, Option<bool>, Option<bool>);

/// What of the pages is asked for.
struct Question<'a> {
    /// The document around the field, `FIELD` in its place.
    around: &'a str,
    path: &'a str,
    is_asked: &'a dyn Fn(&Page) -> bool,
    filter: &'a str,
    limit: usize,
}

const EVERYTHING: Question<'_> =
    Question { around: "{ FIELD }", path: "/activity", is_asked: &|_| true, filter: "{}", limit: 100 };

fn key(page: &Page, by: &[&str]) -> Key {
    let has = |name: &str| by.contains(&name).then_some(());
    (
        has("DOMAIN").map(|()| page.domain.to_string()),
        has("PROJECT_FAMILY").map(|()| ProjectFamily::of(&page.domain)),
        has("NAMESPACE").map(|()| page.namespace),
        has("BOT").map(|()| page.is_bot),
        has("REDIRECT").map(|()| page.is_redirect),
    )
}

/// The names of the range's buckets: each hour's, once.
fn buckets(format: &str) -> Vec<String> {
    let (mut at, to) = (FROM.parse::<DateTime<Utc>>().unwrap(), TO.parse::<DateTime<Utc>>().unwrap());
    let mut names = vec![at.format(format).to_string()];
    while at < to {
        names.push(at.format(format).to_string());
        at += TimeDelta::seconds(1_800);
    }
    names.push((to - TimeDelta::seconds(1)).format(format).to_string());
    names.dedup();
    names
}

fn recount(pages: &[Page], question: &Question<'_>, by: &[&str], format: &str) -> Value {
    let names = buckets(format);
    let mut groups: BTreeMap<Key, BTreeMap<String, u64>> = BTreeMap::new();
    if by.is_empty() {
        groups.entry(Key::default()).or_default();
    }
    for page in pages.iter().filter(|page| (question.is_asked)(page)) {
        let bucket = page.created_at.format(format).to_string();
        if names.contains(&bucket) {
            *groups.entry(key(page, by)).or_default().entry(bucket).or_default() += 1;
        }
    }
    let mut groups: Vec<_> =
        groups.into_iter().map(|(key, points)| (points.values().sum::<u64>(), key, points)).collect();
    groups.sort_by_key(|(sum, ..)| Reverse(*sum));
    let rest = groups.split_off(groups.len().min(question.limit));
    let points = |of: &dyn Fn(&String) -> u64| -> Vec<Value> {
        names.iter().map(|name| json!({ "start": name, "pageCount": of(name) })).collect()
    };
    let series = |(sum, key, found): &(u64, Key, BTreeMap<String, u64>)| {
        let (domain, family, namespace, is_bot, is_redirect) = key;
        json!({
            "domain": domain.as_ref().map(|name| json!({ "name": name })),
            "projectFamily": family.map(|family| format!("{family:?}").to_uppercase()),
            "namespace": namespace, "isBot": is_bot, "isRedirect": is_redirect, "pageCount": sum,
            "points": points(&|name| found.get(name).copied().unwrap_or_default()),
        })
    };
    let of_rest = |name: &String| rest.iter().filter_map(|(_, _, found)| found.get(name)).sum::<u64>();
    json!({
        "pageCount": groups.iter().chain(&rest).map(|(sum, ..)| sum).sum::<u64>(),
        "start": names[0],
        "series": groups.iter().map(series).collect::<Vec<_>>(),
        "rest": (!rest.is_empty()).then(|| json!({
            "pageCount": rest.iter().map(|(sum, ..)| sum).sum::<u64>(), "points": points(&of_rest),
        })),
    })
}

async fn check(fixture: &Fixture, pages: &[Page], question: &Question<'_>, by: &[&str], (unit, format): (&str, &str)) {
    let Question { filter, limit, .. } = question;
    let field = format!(
        "activity(during: {DURING}, unit: {unit}, by: [{}], filter: {filter}, limit: {limit}) {{
            start pageCount rest {{ pageCount points {{ start pageCount }} }}
            series {{ domain {{ name }} projectFamily namespace isBot isRedirect pageCount points {{ start pageCount }} }}
        }}",
        by.join(", ")
    );
    let answer = fixture.answer(question.around.replace("FIELD", &field)).await;
    let expect = recount(pages, question, by, format);
    let found = answer["data"].pointer(question.path);
    assert!(found == Some(&expect), "{field}\nanswered {answer}\nwanted {expect}");
}

#[tokio::test]
async fn every_split_by_every_unit_is_a_recount() {
    let pages = varied_pages();
    let fixture = Fixture::with(&pages).await;
    for unit in UNITS {
        for subset in 0..1 << DIMENSIONS.len() {
            let by: Vec<&str> = (0..5).filter(|i| subset >> i & 1 == 1).map(|i| DIMENSIONS[i]).collect();
            check(&fixture, &pages, &EVERYTHING, &by, unit).await;
        }
    }
    assert!(buckets(UNITS[2].1).len() == 2 && buckets(UNITS[0].1).len() == 71, "two months, 71 hours");
}

#[tokio::test]
async fn what_passes_the_filter_is_counted_and_the_others_are_the_rest() {
    let pages = varied_pages();
    let fixture = Fixture::with(&pages).await;
    let ask = async |filter: &str, limit: usize, is_asked: &dyn Fn(&Page) -> bool| {
        for by in [&[][..], &["NAMESPACE", "REDIRECT"], &["DOMAIN"], &["PROJECT_FAMILY", "BOT"]] {
            check(&fixture, &pages, &Question { filter, limit, is_asked, ..EVERYTHING }, by, UNITS[1]).await;
        }
    };
    ask("{}", 1, &|_| true).await;
    ask("{}", 3, &|_| true).await;
    ask("{isBot: false, namespaces: [0, 108]}", 2, &|page| !page.is_bot && [0, 108].contains(&page.namespace)).await;
    ask("{isRedirect: true}", 2, &|page| page.is_redirect).await;
    let named = ["de.wikipedia.org", "www.wikidata.org"];
    let wikis = r#"{domains: ["www.wikidata.org", "de.wikipedia.org", "unknown.org"]}"#;
    ask(wikis, 1, &|page| named.contains(&page.domain.as_str())).await;
    let families = "{projectFamilies: [COMMONS, WIKISOURCE]}";
    ask(families, 5, &|page| ["it.wikisource.org", "commons.wikimedia.org"].contains(&page.domain.as_str())).await;
    let both = r#"{projectFamilies: [COMMONS], domains: ["de.wikipedia.org"]}"#;
    ask(both, 5, &|_| false).await;
}

#[tokio::test]
async fn a_wiki_an_account_and_a_person_have_activity_of_their_own() {
    let pages = varied_pages();
    let fixture = Fixture::with(&pages).await;
    let of_wiki = |page: &Page| page.domain.as_str() == "de.wikipedia.org" && page.namespace == 0;
    let wiki = Question {
        around: r#"{ domain(name: "de.wikipedia.org") { FIELD } }"#,
        path: "/domain/activity",
        is_asked: &of_wiki,
        filter: "{namespaces: [0]}",
        ..EVERYTHING
    };
    let of_account = |page: &Page| page.domain.as_str() == "de.wikipedia.org" && page.user_name == "Bob";
    let account = Question {
        around: r#"{ user(domain: "de.wikipedia.org", userId: "2") { FIELD } }"#,
        path: "/user/activity",
        is_asked: &of_account,
        ..EVERYTHING
    };
    let of_person = |page: &Page| page.user_name == "Bob" && page.domain.as_str() != "it.wikisource.org";
    let person = Question {
        around: r#"{ globalUser(userName: "Bob") { FIELD } }"#,
        path: "/globalUser/activity",
        is_asked: &of_person,
        filter: r#"{domains: ["de.wikipedia.org", "www.wikidata.org", "commons.wikimedia.org"]}"#,
        limit: 2,
    };
    for question in [wiki, account, person] {
        for unit in UNITS {
            for by in [&[][..], &["DOMAIN", "REDIRECT"], &["NAMESPACE"]] {
                check(&fixture, &pages, &question, by, unit).await;
            }
        }
    }
}

#[tokio::test]
async fn open_ends_are_the_first_page_and_the_hour_that_runs() {
    let ends = async |fixture: &Fixture, around: &str, path: &str, arguments: &str| {
        let field = format!("activity(during: {arguments}) {{ start end unit pageCount series {{ pageCount }} }}");
        let answer = fixture.answer(around.replace("FIELD", &field)).await;
        let found = answer["data"].pointer(path).unwrap_or_else(|| panic!("{answer}")).clone();
        [&found["start"], &found["end"], &found["unit"], &found["pageCount"]]
            .map(Value::to_string)
            .join(" ")
            .replace('"', "")
    };
    let known = Fixture::known().await;
    let all = async |arguments: &str| ends(&known, "{ FIELD }", "/activity", arguments).await;
    assert_eq!(all("{}").await, "2025-05-17T09:00:00Z 2025-05-18T11:00:00Z HOUR 7");
    assert_eq!(all("{lastHours: 2}").await, "2025-05-18T09:00:00Z 2025-05-18T11:00:00Z HOUR 5");
    assert_eq!(all("{}, unit: MONTH").await, "2025-05-01T00:00:00Z 2025-06-01T00:00:00Z MONTH 7");
    assert_eq!(all("{to: \"2025-05-18T08:30:00Z\"}").await, "2025-05-17T09:00:00Z 2025-05-18T09:00:00Z HOUR 2");
    assert_eq!(all("{to: \"2001-01-01T00:00:00Z\"}").await, "2001-01-01T00:00:00Z 2001-01-01T00:00:00Z HOUR 0");
    assert_eq!(all("{from: \"2031-01-01T00:00:00Z\"}").await, "2031-01-01T00:00:00Z 2031-01-01T00:00:00Z HOUR 0");
    let wiki = r#"{ domain(name: "www.wikidata.org") { FIELD } }"#;
    assert_eq!(ends(&known, wiki, "/domain/activity", "{}").await, "2025-05-18T09:00:00Z 2025-05-18T11:00:00Z HOUR 2");
    let account = r#"{ user(domain: "it.wikisource.org", userId: "9") { FIELD } }"#;
    assert_eq!(ends(&known, account, "/user/activity", "{}").await, "2025-05-18T00:00:00Z 2025-05-19T00:00:00Z DAY 1");
    let empty = Fixture::with(&[]).await;
    let one = ends(&empty, "{ FIELD }", "/activity", "{}").await;
    assert_eq!(one, "2025-05-18T10:00:00Z 2025-05-18T11:00:00Z HOUR 0");
}

#[tokio::test]
async fn without_pages_there_is_a_line_of_zeros_and_no_series_by_wiki() {
    let answer = Fixture::with(&[])
        .await
        .answer(
            "{ all: activity(during: {lastHours: 2}) { pageCount rest { pageCount } series { points { pageCount } } }
            split: activity(during: {lastHours: 2}, by: [DOMAIN]) { rest { pageCount } series { pageCount } } }",
        )
        .await;
    let points = json!([{ "pageCount": 0 }, { "pageCount": 0 }]);
    let wanted = json!({ "all": { "pageCount": 0, "rest": null, "series": [{ "points": points }] },
        "split": { "rest": null, "series": [] } });
    assert_eq!(answer["data"], wanted, "{answer}");
}

/// The message of a refusal.
async fn refusal(fixture: &Fixture, arguments: &str) -> String {
    let answer = fixture.answer(format!("{{ activity({arguments}) {{ pageCount }} }}")).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{arguments}: {answer}");
    error["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_has_too_many_points_names_the_unit_that_fits() {
    let fixture = Fixture::known().await;
    let points = "more than 20000 points to answer";
    let since = |year: u32| format!("during: {{from: \"{year}-01-01T00:00:00Z\"}}");
    assert_eq!(refusal(&fixture, &since(2015)).await, format!("by HOUR there are {points}; by DAY it fits"));
    assert_eq!(refusal(&fixture, &since(1970)).await, format!("by HOUR there are {points}; by MONTH it fits"));
    let ever = "during: {from: \"1970-01-01T00:00:00Z\", to: \"9999-12-31T00:00:00Z\"}";
    let none = format!("there are {points}, and no longer unit fits; ask for a shorter range");
    assert_eq!(refusal(&fixture, ever).await, format!("by HOUR {none}"));
    assert_eq!(refusal(&fixture, &format!("{ever}, unit: MONTH")).await, format!("by MONTH {none}"));
    // Three wikis, two with their rest: as many lines as points are shared among.
    let year = "during: {lastHours: 8784}, by: [DOMAIN]";
    assert_eq!(refusal(&fixture, year).await, format!("by HOUR there are {points}; by DAY it fits"));
    let one = fixture.answer(format!("{{ activity({year}, limit: 1) {{ pageCount }} }}")).await;
    assert_eq!(one["data"]["activity"]["pageCount"], 7, "{one}");
}

#[tokio::test]
async fn what_reads_too_many_counts_names_the_unit_that_fits() {
    let pages = varied_pages();
    let fixture = Fixture::with(&pages).await;
    let by_domain = format!("during: {DURING}, by: [DOMAIN, NAMESPACE]");
    let counts = "more than 50000 counts to read";
    let hours = HourRange { from: "2025-04-29-07".parse().unwrap(), to: "2025-05-02-06".parse().unwrap() };
    let rows = |unit| {
        let buckets = PeriodRange::holding(unit, hours);
        Reference::of(&pages).counts(&Series::Domains, buckets.hours, unit).len()
    };
    let [by_hour, by_day, by_month] = [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Month].map(rows);
    assert!(by_hour > by_day && by_day > by_month, "{by_hour} {by_day} {by_month}");
    fixture.calls.set_most_counts(by_hour - 1);
    assert_eq!(refusal(&fixture, &by_domain).await, format!("by HOUR there are {counts}; by DAY it fits"));
    fixture.calls.set_most_counts(by_day - 1);
    assert_eq!(refusal(&fixture, &by_domain).await, format!("by HOUR there are {counts}; by MONTH it fits"));
    fixture.calls.set_most_counts(by_month - 1);
    let none = format!("by DAY there are {counts}, and no longer unit fits; ask for a shorter range");
    assert_eq!(refusal(&fixture, &format!("{by_domain}, unit: DAY")).await, none);
    assert_eq!(fixture.calls.take_bounds(), [50_000; 7]);
}

#[tokio::test]
async fn several_wikis_count_together() {
    let pages = varied_pages();
    let fixture = Fixture::with(&pages).await;
    let of_wikis = r#"filter: {domains: ["de.wikipedia.org", "it.wikisource.org", "www.wikidata.org"]}"#;
    let field = format!("activity(during: {DURING}, {of_wikis}) {{ pageCount }}");
    let answer = fixture.answer(format!("{{ {field} }}")).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let bounds = fixture.calls.take_bounds();
    assert!(bounds.len() == 3 && bounds[0] == 50_000 && bounds.is_sorted_by(|a, b| a > b), "{bounds:?}");
}

#[tokio::test]
async fn what_is_split_by_twice_is_split_by_once() {
    let fixture = Fixture::known().await;
    let ask = async |by: &str| {
        fixture
            .answer(format!(
                "{{ activity(during: {{}}, unit: MONTH, by: [{by}]) {{ series {{ isBot namespace pageCount }} }} }}"
            ))
            .await
    };
    let once = ask("BOT, NAMESPACE").await;
    assert!(once["data"]["activity"]["series"].as_array().is_some_and(|series| series.len() > 1), "{once}");
    assert_eq!(ask(&"NAMESPACE, BOT, BOT,".repeat(50)).await, once);
}
