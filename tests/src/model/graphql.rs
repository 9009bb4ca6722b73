//! What GraphQL must answer: the same tables, through its own edges.

use super::Asked;
use schema::hour::{Hour, HourRange};
use schema::page::Page;
use schema::query::{PageFilter, PageList};
use schema::reference::Reference;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Pages asked for in one list.
const FIRST: usize = 50;

const PAGE: &str = "pageId pageTitle userName createdAt namespace isBot isRedirect revId eventId domain { name } user { userId } hour { hour }";

/// Questions about every wiki, every hour, every account and every page number of the reference.
pub fn questions(reference: &Reference) -> Vec<Asked> {
    let mut asked = domains(reference);
    asked.extend(lists(reference));
    asked.extend(pages_by_id(reference));
    asked.extend(hours(reference));
    asked
}

/// A text as GraphQL writes it, which is as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn domains(reference: &Reference) -> Vec<Asked> {
    let rows = reference.domains();
    let answer = |row: &schema::query::DomainRow| json!({ "name": row.domain.as_str(), "wiki": row.wiki.as_str() });
    let all: Vec<Value> = rows.iter().take(FIRST).map(answer).collect();
    vec![Asked {
        question: format!("{{ domains(first: {FIRST}) {{ nodes {{ name wiki }} totalCount }} }}"),
        answer: json!({ "domains": { "nodes": all, "totalCount": rows.len() } }),
    }]
}

fn lists(reference: &Reference) -> Vec<Asked> {
    let lists = reference.lists();
    lists.iter().filter_map(|(list, pages)| list_of(list, pages)).collect()
}

fn list_of(list: &PageList, pages: &[&Page]) -> Option<Asked> {
    let (field, name) = match list {
        PageList::Domain(domain) => (format!("domain(name: {})", quoted(domain.as_str())), "domain"),
        PageList::User(domain, user_id) => {
            (format!("user(domain: {}, userId: \"{user_id}\")", quoted(domain.as_str())), "user")
        }
        PageList::UserName(user_name) => (format!("globalUser(userName: {})", quoted(user_name)), "globalUser"),
        _ => return None,
    };
    let nodes: Vec<Value> = pages.iter().take(FIRST).map(|page| wire(page)).collect();
    let connection = json!({
        "nodes": nodes,
        "pageInfo": { "hasNextPage": pages.len() > FIRST },
        "totalCount": pages.len(),
    });
    let question = format!(
        "{{ {field} {{ pages(first: {FIRST}) {{ nodes {{ {PAGE} }} pageInfo {{ hasNextPage }} totalCount }} }} }}"
    );
    Some(Asked { question, answer: json!({ name: { "pages": connection } }) })
}

fn pages_by_id(reference: &Reference) -> Vec<Asked> {
    let ids: BTreeSet<_> = reference.pages().map(|page| page.page_id).collect();
    ids.into_iter()
        .map(|id| {
            let pages: Vec<Value> = reference.pages_by_id(id).iter().map(wire).collect();
            Asked {
                question: format!("{{ pagesById(pageId: \"{id}\") {{ {PAGE} }} }}"),
                answer: json!({ "pagesById": pages }),
            }
        })
        .collect()
}

fn hours(reference: &Reference) -> Vec<Asked> {
    let hours: BTreeSet<Hour> = reference.pages().map(|page| Hour::of(page.created_at)).collect();
    hours.into_iter().map(|hour| hour_of(reference, hour)).collect()
}

fn hour_of(reference: &Reference, hour: Hour) -> Asked {
    let range = HourRange { from: hour, to: hour.plus(1) };
    let count = |is_bot| reference.count_pages(&PageList::All, range, &PageFilter { is_bot, ..PageFilter::default() });
    let pages: Vec<&Page> = reference.pages().filter(|page| range.contains(Hour::of(page.created_at))).collect();
    let users: BTreeSet<_> = pages.iter().map(|page| (&page.domain, page.user_id)).collect();
    let domains: BTreeSet<_> = pages.iter().map(|page| &page.domain).collect();
    let answer = json!({ "hour": {
        "hour": hour.to_string(),
        "pageCount": count(None),
        "botPageCount": count(Some(true)),
        "userCount": users.len(),
        "domainCount": domains.len(),
    }});
    Asked {
        question: format!("{{ hour(hour: \"{hour}\") {{ hour pageCount botPageCount userCount domainCount }} }}"),
        answer,
    }
}

fn wire(page: &Page) -> Value {
    json!({
        "pageId": page.page_id.to_string(),
        "pageTitle": page.page_title,
        "userName": page.user_name,
        "createdAt": page.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "namespace": page.namespace,
        "isBot": page.is_bot,
        "isRedirect": page.is_redirect,
        "revId": page.rev_id.to_string(),
        "eventId": page.event_id,
        "domain": { "name": page.domain.as_str() },
        "user": { "userId": page.user_id.to_string() },
        "hour": { "hour": Hour::of(page.created_at).to_string() },
    })
}
