//! Totals of a range beside the one before; the present is 2025-05-18 10:30.

use super::fixture::{Fixture, check_query, page};
use schema::hour::{Hour, HourRange};
use schema::page::Page;
use schema::query::{PageFilter, PageList};
use schema::reference::Reference;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const ALL: &str = "start end pageCount botPageCount redirectCount userCount domainCount";

#[tokio::test]
async fn the_last_day_beside_the_one_before() {
    check_query(
        "{ overview { current { start end pageCount botPageCount redirectCount userCount domainCount }
            previous { start end pageCount userCount } } }",
        r#"{"data":{"overview":{
            "current":{"start":"2025-05-17T11:00:00Z","end":"2025-05-18T11:00:00Z","pageCount":6,"botPageCount":2,
                "redirectCount":0,"userCount":4,"domainCount":3},
            "previous":{"start":"2025-05-16T11:00:00Z","end":"2025-05-17T11:00:00Z","pageCount":1,"userCount":1}}}}"#,
    )
    .await;
}

/// A person in every hour of two days, others in some, over three wikis.
fn pages_of_two_days() -> Vec<Page> {
    let domains = ["it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org"];
    let always = (0..48u64).map(|n| (n, 1, "Always".to_owned(), n as i64 * 3_600));
    let others = (48..200u64).map(|n| (n, n % 11 + 2, format!("Person {}", n % 11), (n as i64 * 7_919) % 172_800));
    let made = always.chain(others).map(|(n, user_id, name, at)| {
        let mut page = page(domains[n as usize % 3], n + 1, (user_id, &name), at);
        page.is_redirect = n.is_multiple_of(4);
        page.is_bot = n.is_multiple_of(5);
        page.namespace = if n.is_multiple_of(3) { 14 } else { 0 };
        page
    });
    made.collect()
}

/// The totals of one range, counted page by page.
fn recount(pages: &[Page], (from, to): (&str, &str), filter: &PageFilter) -> Value {
    let hours = HourRange { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let count = |is_bot, is_redirect| {
        let both = PageFilter { is_bot: filter.is_bot.or(is_bot), is_redirect, ..filter.clone() };
        Reference::of(pages).count_pages(&PageList::All, hours, &both)
    };
    let asked = pages.iter().filter(|page| hours.contains(Hour::of(page.created_at)) && filter.matches(page));
    let (names, wikis): (BTreeSet<_>, BTreeSet<_>) = asked.map(|page| (&page.user_name, &page.domain)).unzip();
    json!({
        "start": hours.from.start().format("%FT%TZ").to_string(), "end": hours.to.start().format("%FT%TZ").to_string(),
        "pageCount": count(None, None), "botPageCount": if filter.is_bot == Some(false) { 0 } else { count(Some(true), None) },
        "redirectCount": count(None, Some(true)), "userCount": names.len(), "domainCount": wikis.len(),
    })
}

#[tokio::test]
async fn totals_are_a_recount_and_people_and_wikis_are_counted_once() {
    let pages = pages_of_two_days();
    let fixture = Fixture::with(&pages).await;
    let check = async |during: &str, ranges: [(&str, &str); 2], asked: &str, filter: PageFilter| {
        let document =
            format!("{{ overview(during: {during}, filter: {asked}) {{ current {{ {ALL} }} previous {{ {ALL} }} }} }}");
        let answer = fixture.answer(document).await;
        let [current, previous] = ranges.map(|range| recount(&pages, range, &filter));
        assert_eq!(answer["data"]["overview"], json!({ "current": current, "previous": previous }), "{during} {asked}");
    };
    let day = [("2025-05-17-11", "2025-05-18-11"), ("2025-05-16-11", "2025-05-17-11")];
    let all = PageFilter::default;
    check("{lastHours: 24}", day, "{}", all()).await;
    check("{lastHours: 24}", day, "{isBot: false}", PageFilter { is_bot: Some(false), ..all() }).await;
    check("{lastHours: 24}", day, "{namespaces: [14]}", PageFilter { namespaces: vec![14], ..all() }).await;
    let wikis = PageFilter { domains: vec!["it.wikisource.org".parse().unwrap(), "x.org".parse().unwrap()], ..all() };
    check("{lastHours: 24}", day, r#"{domains: ["it.wikisource.org", "x.org"]}"#, wikis).await;
    let families = PageFilter { project_families: vec![schema::wiki::ProjectFamily::Wikidata], ..all() };
    check("{lastHours: 24}", day, "{projectFamilies: [WIKIDATA]}", families).await;
    // From midnight to midnight, where people are kept by day; the first page is of 2025-05-16 10:30.
    let midnight = r#"{from: "2025-05-17T00:00:00Z", to: "2025-05-18T00:00:00Z"}"#;
    check(midnight, [("2025-05-17-00", "2025-05-18-00"), ("2025-05-16-00", "2025-05-17-00")], "{}", all()).await;
    check("{}", [("2025-05-16-10", "2025-05-18-11"), ("2025-05-14-09", "2025-05-16-10")], "{}", all()).await;
}

#[tokio::test]
async fn a_person_of_every_hour_is_one_person() {
    let domains = ["it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org"];
    let always: Vec<Page> =
        (0..800u64).map(|n| page(domains[n as usize % 3], n + 1, (1, "Always"), n as i64 * 3_600)).collect();
    let fixture = Fixture::with(&always).await;
    for hours in [24, 744] {
        let document = format!(
            "{{ overview(during: {{lastHours: {hours}}}) {{ current {{ pageCount userCount domainCount }} }} }}"
        );
        let answer = fixture.answer(document).await;
        let wanted = json!({ "pageCount": hours, "userCount": 1, "domainCount": 3 });
        assert_eq!(answer["data"]["overview"]["current"], wanted, "{answer}");
    }
}

#[tokio::test]
async fn people_and_wikis_are_told_apart_up_to_744_hours() {
    let fixture = Fixture::known().await;
    let ask = async |hours: u32| {
        let document = format!(
            "{{ overview(during: {{lastHours: {hours}}}) {{ current {{ pageCount userCount domainCount }} }} }}"
        );
        fixture.answer(document).await["data"]["overview"]["current"].take()
    };
    assert_eq!(ask(744).await, json!({ "pageCount": 7, "userCount": 4, "domainCount": 3 }));
    assert_eq!(ask(745).await, json!({ "pageCount": 7, "userCount": null, "domainCount": null }));
}

#[tokio::test]
async fn an_empty_store_has_totals_of_0() {
    let answer = Fixture::with(&[])
        .await
        .answer("{ overview(during: {}) { current { pageCount userCount domainCount } } }")
        .await;
    let wanted = json!({ "pageCount": 0, "userCount": 0, "domainCount": 0 });
    assert_eq!(answer["data"]["overview"]["current"], wanted, "{answer}");
}
