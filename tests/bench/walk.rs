//! A walk over all pages, list page by list page, while more come: each that was there at its start is met exactly once.

use crate::fill::Pages;
use crate::table::{Table, Wanted};
use anyhow::{Context, ensure};
use bytes::Bytes;
use chrono::{SecondsFormat, TimeDelta};
use schema::page::Page;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// Pages that come at once, each tenth of a second.
const ARRIVE: usize = 10;
pub(crate) const ARRIVE_EVERY: Duration = Duration::from_millis(100);

const QUERY: &str = "query ($after: String) { pages(first: 100, after: $after) { \
                     nodes { pageId createdAt domain { name } } pageInfo { hasNextPage endCursor } } }";

/// Which creation: its wiki, its page's number there, and when.
type Key = (String, String, String);

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    pages: List,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    nodes: Vec<Node>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    page_id: String,
    created_at: String,
    domain: Wiki,
}

#[derive(Deserialize)]
struct Wiki {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// Walks all pages from the newest to the oldest while `arrivals` are stored.
pub(crate) async fn measure(
    name: &str,
    base: &str,
    pages: Pages,
    arrivals: impl Future<Output = anyhow::Result<Infallible>>,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut wanted: HashSet<Key> = pages.all().map(|page| key(&page)).collect();
    ensure!(wanted.len() == pages.count, "the stored pages are not distinct");
    let begun = Instant::now();
    tokio::select! {
        walked = walk(base, &mut wanted) => walked?,
        Err(error) = arrivals => return Err(error),
    }
    let rate = pages.count as f64 / begun.elapsed().as_secs_f64();
    ensure!(wanted.is_empty(), "{} pages were not met", wanted.len());
    let row = format!("{name}: all pages by `after`, 100 a request, while 100/s come: each once");
    table.add(&row, Wanted::Stated, rate, "pages/s");
    Ok(())
}

async fn walk(base: &str, wanted: &mut HashSet<Key>) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    let (mut after, mut newcomers) = (None, HashSet::new());
    loop {
        let body = json!({ "query": QUERY, "variables": { "after": after } });
        let answer = client.post(format!("{base}/graphql")).json(&body).send().await?.bytes().await?;
        let answer: Answer =
            serde_json::from_slice(&answer).with_context(|| String::from_utf8_lossy(&answer).into_owned())?;
        for node in answer.data.pages.nodes {
            let key = (node.domain.name, node.page_id, node.created_at);
            // What is not wanted any more was met before, or came meanwhile: that may be met once, too.
            ensure!(wanted.remove(&key) || newcomers.insert(key.clone()), "{key:?} twice");
        }
        if !answer.data.pages.page_info.has_next_page {
            return Ok(());
        }
        after = answer.data.pages.page_info.end_cursor;
    }
}

/// Pages that come meanwhile, some of them of any day that `pages` has.
pub(crate) fn arrivals(pages: Pages) -> impl Iterator<Item = Vec<(Bytes, Page)>> {
    (0u32..).map(move |n| {
        let at = pages.now - TimeDelta::hours(i64::from(n) * 37 % pages.hours());
        let events = ingest::sample::history(1_000_000 + u64::from(n), ARRIVE, at);
        events.map(|event| (event.clone(), ingest::clean::clean(&event).expect("sample events are clean"))).collect()
    })
}

fn key(page: &Page) -> Key {
    let created_at = page.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    (page.domain.to_string(), page.page_id.to_string(), created_at)
}
