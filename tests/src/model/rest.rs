//! What REST must answer.

use super::Asked;
use schema::hour::Hour;
use schema::page::Page;
use schema::query::PageList;
use schema::reference::Reference;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Every question that the reference's pages can be found by, and some that find nothing.
pub fn questions(reference: &Reference) -> Vec<Asked> {
    let mut asked = unknown();
    asked.extend(domains(reference));
    asked.extend(pages_by_user(reference));
    asked.extend(pages_by_id(reference));
    asked.extend(users_by_hour(reference));
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
