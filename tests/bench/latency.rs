//! From the event on the stream to its answer over REST, at 10 events a second.

use crate::ask::{wait_for_any_answer, wait_for_page};
use crate::embedded::{arguments, free_port};
use bytes::Bytes;
use chrono::Utc;
use schema::page::Page;
use std::time::{Duration, Instant};
use tests::process::Process;
use tests::stream_server::StreamServer;

const EVENTS: usize = 200;
const EVERY: Duration = Duration::from_millis(100);

/// Milliseconds of each event through one process.
pub(crate) async fn embedded() -> anyhow::Result<Vec<f64>> {
    let folder = tempfile::tempdir()?;
    let server = StreamServer::start().await;
    let port = free_port()?;
    let _process = Process::start("pagetrack", &arguments(folder.path(), server.url().as_str(), port), folder.path())?;
    let base = format!("http://127.0.0.1:{port}");
    wait_for_any_answer(&base).await?;
    server.wait_for_visits(1).await;
    measure(&server, &base).await
}

/// Publishes at 10 a second and asks for each until it is there.
pub(crate) async fn measure(server: &StreamServer, base: &str) -> anyhow::Result<Vec<f64>> {
    let client = reqwest::Client::new();
    let mut delays = Vec::with_capacity(EVENTS);
    let mut tick = tokio::time::interval(EVERY);
    for (event, page) in fresh_events(4_711, EVENTS + 5) {
        tick.tick().await;
        server.publish(page.created_at, event);
        let published = Instant::now();
        let visible = wait_for_page(&client, base, &page.page_id.to_string()).await?;
        delays.push((visible - published).as_secs_f64() * 1_000.0);
    }
    // The first ones warm connections and caches.
    Ok(delays.split_off(5))
}

/// Events of the present, each with its page; the same for the same seed.
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
pub(crate) fn fresh_events(seed: u64, count: usize) -> Vec<(Bytes, Page)> {
    let events = ingest::sample::history(seed, count, Utc::now());
    events.map(|event| (event.clone(), ingest::clean::clean(&event).expect("sample events are clean"))).collect()
}
