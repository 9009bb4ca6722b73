//! What REST must answer.

use super::Asked;
use chrono::DateTime;
use schema::hour::Hour;
use schema::page::{Page, UserId};
use schema::query::PageList;
use schema::reference::Reference;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Hours that get reports of their own: a recorded file has pages of many days.
const WINDOWS: usize = 20;
/// People of a ranking, and titles of each, where the request names no number.
const PEOPLE: usize = 20;
const TITLES: usize = 100;

/// Every question that the reference's pages can be found by, and some that find nothing.
pub fn questions(reference: &Reference) -> Vec<Asked> {
    let mut asked = unknown();
    asked.extend(domains(reference));
    asked.extend(pages_by_user(reference));
    asked.extend(pages_by_id(reference));
    asked.extend(users_by_hour(reference));
    asked.extend(reports(reference));
    asked
}

fn ask(question: impl Into<String>, answer: Value) -> Asked {
    Asked { question: question.into(), answer }
}

fn unknown() -> Vec<Asked> {
    vec![
        ask("/pages/user/1234567890123", json!({ "pages": [] })),
        ask("/pages/domain/no.such.wiki", json!({ "domain": "no.such.wiki", "count": 0 })),
        ask("/pages/id/1234567890123", json!({ "detail": "Page not found" })),
    ]
}

fn domains(reference: &Reference) -> Vec<Asked> {
    let names: Vec<String> = reference.domains().iter().map(|row| row.domain.to_string()).collect();
    let count = |name: &String| reference.pages().filter(|page| page.domain.as_str() == name).count();
    let counts: Vec<Asked> = names
        .iter()
        .map(|name| ask(format!("/pages/domain/{name}"), json!({ "domain": name, "count": count(name) })))
        .collect();
    std::iter::once(ask("/domains/", json!({ "domains": names }))).chain(counts).collect()
}

fn pages_by_user(reference: &Reference) -> Vec<Asked> {
    let question = |list: &PageList| match list {
        PageList::UserId(user_id) => Some(format!("/pages/user/{user_id}")),
        PageList::User(domain, user_id) => Some(format!("/pages/user/{user_id}?domain={domain}")),
        _ => None,
    };
    let lists = reference.lists();
    let pages = |pages: &Vec<&Page>| pages.iter().map(|page| wire(page)).collect::<Vec<_>>();
    lists.iter().filter_map(|(list, found)| Some(ask(question(list)?, json!({ "pages": pages(found) })))).collect()
}

fn pages_by_id(reference: &Reference) -> Vec<Asked> {
    let ids: BTreeSet<_> = reference.pages().map(|page| page.page_id).collect();
    let newest = |mut pages: Vec<Page>| {
        pages.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.domain.cmp(&b.domain)));
        pages.into_iter().next()
    };
    ids.into_iter()
        .filter_map(|id| {
            Some(ask(format!("/pages/id/{id}"), json!({ "page": wire(&newest(reference.pages_by_id(id))?) })))
        })
        .collect()
}

fn users_by_hour(reference: &Reference) -> Vec<Asked> {
    let hours: BTreeSet<Hour> = reference.pages().map(|page| Hour::of(page.created_at)).collect();
    hours
        .into_iter()
        .flat_map(|hour| [users(reference, hour, hour), users(reference, hour.plus(-2), hour.plus(2))])
        .collect()
}

fn users(reference: &Reference, from: Hour, to: Hour) -> Asked {
    let mut counts: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for page in reference.pages().filter(|page| (from..=to).contains(&Hour::of(page.created_at))) {
        *counts.entry((page.user_id.to_string(), &page.user_name)).or_default() += 1;
    }
    let users: Vec<Value> = counts
        .into_iter()
        .map(|((user_id, user_name), count)| json!({ "user_id": user_id, "user_name": user_name, "count": count }))
        .collect();
    let answer = json!({ "from_": from.to_string(), "to": to.to_string(), "users": users });
    ask(format!("/stats/time-range/?from_hour={from}&to_hour={to}"), answer)
}

/// The reports of some windows, one of them empty.
fn reports(reference: &Reference) -> Vec<Asked> {
    let hours: BTreeSet<Hour> = reference.pages().map(|page| Hour::of(page.created_at)).collect();
    let ends =
        hours.into_iter().take(WINDOWS).map(|hour| hour.plus(1)).chain([Hour::of(DateTime::UNIX_EPOCH).plus(99)]);
    ends.flat_map(|to| [by_hour, bots, top_users].map(|report| report(reference, to.plus(-3), to))).collect()
}

fn by_hour(reference: &Reference, from: Hour, to: Hour) -> Asked {
    let one = |hour: Hour| {
        let counts = ranked(reference, hour, hour.plus(1), |_| true);
        let statistics: Vec<Value> = counts.into_iter().map(|(name, count)| json!({ name: count })).collect();
        with_times(hour, hour.plus(1), json!({ "statistics": statistics }))
    };
    let hours: Vec<Value> = (0..to.count() - from.count()).map(|i| one(from.plus(i))).collect();
    ask(format!("/reports/domains-by-hour/{}", asked_at(to)), Value::Array(hours))
}

fn bots(reference: &Reference, from: Hour, to: Hour) -> Asked {
    let one = |(name, count)| json!({ "domain": name, "created_by_bots": count });
    let statistics: Vec<Value> = ranked(reference, from, to, |page| page.is_bot).into_iter().map(one).collect();
    let answer = with_times(from, to, json!({ "statistics": statistics }));
    ask(format!("/reports/bots-by-domain/{}", asked_at(to)), answer)
}

/// People by count, ties by name; of each its accounts by count, ties by wiki, and its newest titles.
fn top_users(reference: &Reference, from: Hour, to: Hour) -> Asked {
    let mut people: BTreeMap<&str, BTreeMap<(&str, UserId), u64>> = BTreeMap::new();
    for page in reference.pages().filter(|page| (from..to).contains(&Hour::of(page.created_at))) {
        *people.entry(&page.user_name).or_default().entry((page.domain.as_str(), page.user_id)).or_default() += 1;
    }
    let mut people: Vec<_> =
        people.into_iter().map(|(name, accounts)| (accounts.values().sum::<u64>(), name, accounts)).collect();
    people.sort_by_key(|(page_count, ..)| Reverse(*page_count));
    let one = |(page_count, name, accounts): (u64, &str, BTreeMap<(&str, UserId), u64>)| {
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        accounts.sort_by_key(|(_, page_count)| Reverse(*page_count));
        let user_ids: Vec<Value> = accounts
            .into_iter()
            .map(|((domain, id), count)| json!({ "domain": domain, "user_id": id.to_string(), "page_count": count }))
            .collect();
        let pages = reference.list(&PageList::UserName(name.into())).into_iter();
        let titles = pages.filter(|page| (from..to).contains(&Hour::of(page.created_at))).map(|page| &page.page_title);
        let end = iso(to);
        let person = json!({
            "user_name": name,
            "user_id": user_ids[0]["user_id"],
            "user_ids": user_ids,
            "page_count": page_count,
            "page_titles": titles.take(TITLES).collect::<Vec<_>>(),
            "all_pages": format!("/reports/top-users/pages/?user_name={}&at={end}&hours=3&skip=0", encoded(name)),
        });
        with_times(from, to, person)
    };
    let users: Vec<Value> = people.into_iter().take(PEOPLE).map(one).collect();
    ask(format!("/reports/top-users/{}", asked_at(to)), with_times(from, to, json!({ "users": users })))
}

fn encoded(name: &str) -> String {
    let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") };
    name.bytes().map(byte).collect()
}

/// Three hours, the last of which ends where `to` begins.
fn asked_at(to: Hour) -> String {
    format!("?hours=3&skip=1&at={}", iso(to.plus(1)))
}

fn iso(hour: Hour) -> String {
    hour.start().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Wikis by count, ties by name.
fn ranked(reference: &Reference, from: Hour, to: Hour, passes: impl Fn(&Page) -> bool) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for page in reference.pages().filter(|page| (from..to).contains(&Hour::of(page.created_at)) && passes(page)) {
        *counts.entry(page.domain.to_string()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn with_times(from: Hour, to: Hour, mut report: Value) -> Value {
    report["time_start"] = from.start().format("%H:%M").to_string().into();
    report["time_end"] = to.start().format("%H:%M").to_string().into();
    report["start"] = iso(from).into();
    report["end"] = iso(to).into();
    report
}

fn wire(page: &Page) -> Value {
    json!({
        "page_id": page.page_id.to_string(),
        "user_id": page.user_id.to_string(),
        "user_name": page.user_name,
        "domain": page.domain.as_str(),
        "page_title": page.page_title,
        "created_at": page.created_at.format("%Y-%m-%dT%H:%M:%S").to_string(),
    })
}
