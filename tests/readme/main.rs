//! Every example of the README, as written, against a fresh app on the sample.

use anyhow::Context;
use futures::StreamExt;
use ingest::bus::BusUrl;
use ingest::source::{SourceSetting, public_stream};
use schema::store::StoreUrl;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::app::{Spawned, spawn_from};
use tests::ask::ask_graphql;

const README: &str = include_str!("../../README.md");

/// The blocks of one language, as written.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Runs the README's requests as written, but for the port and the folder; what their commands printed.
fn run_requests(address: SocketAddr, folder: &Path) -> anyhow::Result<String> {
    let blocks: Vec<&str> = blocks("sh").into_iter().filter(|block| block.contains("curl ")).collect();
    anyhow::ensure!(blocks.len() == 3, "the README has lost its curl examples");
    let script = blocks.join("\n").replace("127.0.0.1:8000", &address.to_string());
    let run = Command::new("bash").args(["-eu", "-c", &script]).current_dir(folder).output()?;
    let (out, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    anyhow::ensure!(run.status.success(), "{}: {out}\n{errors}", run.status);
    Ok(out.into_owned())
}

async fn sample_app(folder: &Path) -> anyhow::Result<Spawned> {
    spawn_from(&StoreUrl::Embedded(folder.into()), &BusUrl::Memory, SourceSetting::Sample, public_stream()).await
}

async fn wait_for_pages(client: &reqwest::Client, base: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let document = r#"{ hours(during: {lastHours: 1}) { nodes { pageCount } } domain(name: "commons.wikimedia.org") { pageCount } }"#;
    loop {
        let data = ask_graphql(client, base, document).await?["data"].take();
        let hour = data["hours"]["nodes"][0]["pageCount"].as_u64().unwrap_or_default();
        if hour > 0 && data["domain"]["pageCount"].as_u64().is_some_and(|count| count > 1_000) {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "the sample did not fill the store within 60 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The first event of a subscription, by server-sent events.
async fn first_event(client: &reqwest::Client, base: &str, document: &str) -> anyhow::Result<Value> {
    let request = client.post(format!("{base}/graphql")).header("accept", "text/event-stream");
    let mut parts = request.json(&json!({ "query": document })).send().await?.bytes_stream();
    let mut said = Vec::new();
    loop {
        let part = tokio::time::timeout(Duration::from_secs(60), parts.next()).await?;
        said.extend(part.context("the events have ended")??);
        let text = String::from_utf8_lossy(&said);
        let data = text.split_once("data: {").and_then(|(_, rest)| rest.split_once("\n\n"));
        if let Some((event, _)) = data {
            return Ok(serde_json::from_str(&format!("{{{event}"))?);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_answers() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let app = sample_app(folder.path()).await?;
    let base = app.base();
    let client = reqwest::Client::new();
    wait_for_pages(&client, &base).await?;

    let (live, documents): (Vec<_>, Vec<_>) =
        blocks("graphql").into_iter().partition(|document| document.starts_with("subscription"));
    assert!(documents.len() >= 4 && live.len() == 1, "the README has lost its GraphQL examples");
    for document in live {
        let event = first_event(&client, &base, document).await?;
        assert!(event["data"]["pageCreated"]["page"]["url"].is_string(), "{event}");
    }
    for document in documents {
        let answer = ask_graphql(&client, &base, document).await?;
        assert_eq!(answer.get("errors"), None, "{document}\n{answer}");
        let fields = answer["data"].as_object().with_context(|| format!("no data: {answer}"))?;
        assert!(fields.values().all(|value| !value.is_null()), "{document}\n{answer}");
    }

    let (address, place) = (app.address(), folder.path().to_owned());
    let printed = tokio::task::spawn_blocking(move || run_requests(address, &place)).await??;
    let begins = [r#"{"domains":[""#, r#"{"domain":"commons.wikimedia.org","count":"#, r#""users":[{"user_id":"#];
    let reports = [r#"{"commons.wikimedia.org":"#, r#""created_by_bots":"#, r#""page_titles":[""#];
    let pages = [r#"{"pages":[{"page_id":"#, r#"{"page":{"page_id":"#];
    let graphql = [r#"{"data":{"pages":{"nodes":[{"title":""#];
    for answer in begins.into_iter().chain(pages).chain(reports).chain(graphql) {
        assert!(printed.contains(answer), "no {answer} in {printed}");
    }
    assert!(!printed.contains(r#""count":0"#), "{printed}");
    app.stop().await
}
