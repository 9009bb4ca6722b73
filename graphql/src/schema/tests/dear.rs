//! The dearest requests that are admitted: what they read is in proportion to what they are said to cost.

use super::fixture::{Fixture, page};
use crate::limits::{Limits, admit};
use async_graphql::Variables;
use data_encoding::BASE64URL_NOPAD;
use schema::page::Page;
use schema::store::Store;

/// Rows for each unit of the cost, at most: the people of a range are many, and read once.
const ROWS: u64 = 50;

/// Two days on 50 wikis by 2,000 people, a third of them bots.
fn many_pages() -> Vec<Page> {
    let made = (0..20_000u64).map(|n| {
        let (wiki, person) = (n % 50, n * 7 % 2_000);
        let name = if person.is_multiple_of(3) { format!("{person} Bot") } else { format!("Person {person}") };
        page(&format!("w{wiki}.wikipedia.org"), n + 1, (person + 1, &name), (n * 8) as i64)
    });
    // Some accounts have another name by now: what they made in a window is found among all people's.
    let of_person = |person: u64| (0..2_000).find(|n| n * 7 % 2_000 == person).expect("everybody has made some") % 50;
    let renamed = (0..24u64).map(|n| {
        let person = 3 * n + 1;
        page(&format!("w{}.wikipedia.org", of_person(person)), 30_000 + n, (person + 1, &format!("Renamed {n}")), 0)
    });
    made.chain(renamed).collect()
}

#[tokio::test]
async fn what_is_admitted_reads_in_proportion_to_its_cost() {
    let fixture = Fixture::with(&many_pages()).await;
    let many = |count: u64, field: &str| (0..count).map(|n| format!("a{n}: {field} ")).collect::<String>();
    let window = |n: u64| format!("r 2025-05-17-{:02} 2025-05-18-10 Person {}", n % 24, 3 * n + 1);
    let ids: Vec<String> = (0..24).map(|n| BASE64URL_NOPAD.encode(window(n).as_bytes())).collect();
    for document in [
        "hours(during: {lastHours: 48}, first: 48) { nodes { users(first: 1) { totalCount } } }".into(),
        format!("overview(during: {{lastHours: 744}}) {{ current {{ {} }} }}", many(30, "userCount")),
        format!("nodes(ids: {ids:?}) {{ id }}"),
        many(6, "topUsers(limit: 1) { rank }"),
        many(9, "activity(during: {lastHours: 48}, limit: 1) { pageCount }"),
        many(13, "reports(hours: 24) { botPagesByDomain { pageCount } }"),
        "reports(hours: 24) { domainsByHour { domains { pageCount domain { name } } } }".into(),
        "domains(first: 90) { nodes { pages(first: 1, filter: {isRedirect: true}) { nodes { id } } } }".into(),
        "pages(first: 40) { nodes { user { pages(first: 50) { nodes { title } } } } }".into(),
        "domains(first: 100) { nodes { pageCount botPageCount pages(first: 1) { totalCount } } }".into(),
        many(20, "pages(filter: {isRedirect: true}) { nodes { id } }"),
    ] {
        let document = format!("{{ {document} }}");
        let cost = admit(&document, &Variables::default(), &Limits::default()).expect("admitted").cost;
        let rows = || fixture.calls.rows_read().iter().map(|reads| reads.rows).sum::<u64>();
        let before = rows();
        let answer = fixture.answer(document.as_str()).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        let read = rows() - before;
        println!("{read} rows for {cost}: {document:.60}");
        assert!(read <= ROWS * cost, "{read} rows read, the cost is {cost}: {document}");
    }
}
