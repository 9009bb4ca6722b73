//! The sample takes over where there is no stream, and makes way when there is one; its rows never mix with live ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which fail by panicking")]

mod stores;

use chrono::{DateTime, Utc};
use ingest::bus::BusUrl;
use ingest::source::SourceSetting;
use schema::clock::{Clock, SystemClock};
use schema::store::StoreUrl;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use stores::check_refused;
use tests::app::{Spawned, spawn_from};
use tests::ask::ask_graphql;
use tests::stream_server::{Misbehaviour, StreamServer};
use tests::{events, wait};

/// Ten seconds of patience, a minute of probing, and a loaded machine.
const DEADLINE: Duration = Duration::from_secs(90);

pub(crate) async fn spawn(folder: &Path, source: SourceSetting, server: &StreamServer) -> Spawned {
    let store = StoreUrl::Embedded(folder.into());
    let live_stream = server.url();
    // An app that stopped just now may hold its folder for a moment, until its last connection is gone.
    let started = wait::until("the folder", Duration::from_secs(10), || {
        let (source, live_stream) = (source.clone(), live_stream.clone());
        let store = &store;
        async move { Ok(Some(spawn_from(store, &BusUrl::Memory, source, live_stream).await?)) }
    });
    started.await.unwrap()
}

/// The answer's `data`.
async fn ask(app: &Spawned, document: &str) -> Value {
    ask_graphql(&reqwest::Client::new(), &app.base(), document).await.unwrap()["data"].take()
}

async fn wait_for(app: &Spawned, what: &str, document: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    let found = wait::until(what, DEADLINE, || async {
        let client = reqwest::Client::new();
        let data = ask_graphql(&client, &app.base(), document).await?["data"].take();
        Ok(is_there(&data).then_some(data))
    });
    found.await.unwrap()
}

const SOURCE: &str = "{ pipeline { source sourceReason isConnected } pages(first: 1) { nodes { pageId } } }";
const WRITTEN: &str =
    "{ pipeline { stages { name outCount } } hours(during: {lastHours: 50}, first: 50) { nodes { pageCount } } }";
pub(crate) const COUNT: &str = "{ hours(during: {lastHours: 50}, first: 50) { nodes { pageCount } } }";

fn total(data: &Value) -> u64 {
    data["hours"]["nodes"].as_array().into_iter().flatten().filter_map(|hour| hour["pageCount"].as_u64()).sum()
}

/// What this start's writer wrote.
fn written(data: &Value) -> u64 {
    let stages = data["pipeline"]["stages"].as_array().into_iter().flatten();
    stages.filter(|stage| stage["name"] == "WRITER").filter_map(|stage| stage["outCount"].as_u64()).sum()
}

fn is_sample(data: &Value) -> bool {
    data["pipeline"]["source"] == "SAMPLE" && data["pages"]["nodes"][0].is_object()
}

fn publish(server: &StreamServer, seed: u64, count: usize) -> DateTime<Utc> {
    let now = SystemClock.now();
    events::copies(seed, count, now).into_iter().for_each(|event| server.publish(now, event));
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_takes_over_and_makes_way() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    for _ in 0..5 {
        server.misbehave(Misbehaviour::Answer(503, String::new()));
    }
    let app = spawn(folder.path(), SourceSetting::Auto, &server).await;
    assert!(ask(&app, SOURCE).await["pages"]["nodes"].as_array().unwrap().is_empty(), "the live store is empty");

    let data = wait_for(&app, "the sample", SOURCE, is_sample).await;
    let reason = data["pipeline"]["sourceReason"].as_str().unwrap();
    assert!(reason.contains("503"), "the reason in words: {reason}");
    check_refused(folder.path(), SourceSetting::Live, &server, &["in use by another pagetrack"]).await;

    let is_live = |data: &Value| data["pipeline"]["source"] == "LIVE" && data["pipeline"]["isConnected"] == true;
    let data = wait_for(&app, "the live stream", SOURCE, is_live).await;
    assert!(data["pages"]["nodes"].as_array().unwrap().is_empty(), "no sample row in the live store: {data}");
    publish(&server, 7, 5);
    wait_for(&app, "the live events", COUNT, |data| total(data) == 5).await;
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_the_call_and_says_nothing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("http://{address}/").parse().unwrap();
    let store = StoreUrl::Embedded(folder.path().into());
    let app = spawn_from(&store, &BusUrl::Memory, SourceSetting::Auto, url).await.unwrap();
    let data = ask(&app, SOURCE).await;
    assert!(data["pipeline"]["sourceReason"].is_null(), "nothing is known yet: {data}");

    let data = wait_for(&app, "the sample", SOURCE, is_sample).await;
    assert_eq!(data["pipeline"]["sourceReason"], format!("no answer from {address} within 10 s"));
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_live_pages_never_plays_the_sample() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    let app = spawn(folder.path(), SourceSetting::Live, &server).await;
    server.wait_for_visits(1).await;
    publish(&server, 8, 3);
    wait_for(&app, "the live events", COUNT, |data| total(data) == 3).await;
    app.stop().await.unwrap();

    for _ in 0..20 {
        server.misbehave(Misbehaviour::Answer(503, String::new()));
    }
    let app = spawn(folder.path(), SourceSetting::Auto, &server).await;
    // Beyond the patience of ten seconds: the reader's own waits are 1, 2, 4 and 8 s, less their jitter.
    server.wait_for_visits(1).await;
    let begun = SystemClock.now();
    let past_patience = |_: &Value| (SystemClock.now() - begun).num_seconds() >= 12;
    let data = wait_for(&app, "the end of the patience", SOURCE, past_patience).await;
    assert_eq!(data["pipeline"]["source"], "LIVE");
    assert_eq!(total(&ask(&app, COUNT).await), 3);
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_sample_asks_no_stream_and_is_made_anew() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StreamServer::start().await);
    for _ in 0..2 {
        let app = spawn(folder.path(), SourceSetting::Sample, &server).await;
        let data = wait_for(&app, "the history", WRITTEN, |data| written(data) >= 20_000).await;
        assert!(total(&data) >= 20_000);
        assert!(total(&data) < 20_500, "an earlier start's pages are gone: {data}");
        app.stop().await.unwrap();
    }
    assert!(server.visits().is_empty(), "{:?}", server.visits());
}
