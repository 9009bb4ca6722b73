//! The embedded pipeline: from the stream's bytes to readable rows, beside a loop that only inserts.

use crate::ask::{stored_pages, wait_for_any_answer, wait_for_pages};
use crate::feed::Feed;
use crate::table::{Table, Wanted, percentile};
use crate::{bare_sqlite, latency};
use anyhow::Context;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use schema::clock::{Clock, SystemClock};
use schema::page::Page;
use schema::store::embedded::EmbeddedStore;
use schema::store::{Durability, Migration, Store, StoreUrl};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::process::Process;

const ROUNDS: usize = 3;

/// All figures of one process.
pub(crate) async fn measure(events: &[Bytes], pages: &[Page], table: &mut Table) -> anyhow::Result<()> {
    let (mut through, mut bare, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let (rate, peak) = pipeline(folder.path(), events).await?;
        through.push(rate);
        memory.push(peak);
        bare.push(insert_only(pages).await?);
    }
    let mut ratios: Vec<f64> = through.iter().zip(&bare).map(|(a, b)| a / b).collect();
    table.add(
        "embedded: stream → readable, 200,000 events",
        Wanted::AtLeast(15_000.0),
        percentile(&mut through, 50),
        "events/s",
    );
    table.add("embedded: bare insert of the same rows", Wanted::Stated, percentile(&mut bare, 50), "pages/s");
    table.add("embedded: pipeline ÷ bare insert", Wanted::AtLeast(0.6), percentile(&mut ratios, 50), "×");
    table.add("embedded: peak memory under that load", Wanted::AtMost(256.0), percentile(&mut memory, 100), "MB");
    let mut counting = counted_by_uncounted(pages).await?;
    table.add("embedded: writing with counts ÷ without", Wanted::AtLeast(0.85), percentile(&mut counting, 50), "×");
    table.add("embedded: start → first answer", Wanted::AtMost(0.5), start_to_answer().await?, "s");
    let mut delays = latency::embedded().await?;
    table.add("embedded: event → visible, 10/s, p50", Wanted::Stated, percentile(&mut delays, 50), "ms");
    table.add("embedded: event → visible, 10/s, p99", Wanted::AtMost(50.0), percentile(&mut delays, 99), "ms");
    Ok(())
}

/// The settings of one process on `folder`, listening on `port`.
pub(crate) fn arguments(folder: &Path, source: &str, port: u16) -> Vec<String> {
    let store = format!("embedded:{}", folder.join("data").display());
    let listen = format!("127.0.0.1:{port}");
    ["--listen", &listen, "--store", &store, "--source", source, "--log", "warn"].map(String::from).to_vec()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Events per second into the store of `folder`, and the process's peak memory in MB.
pub(crate) async fn pipeline(folder: &Path, events: &[Bytes]) -> anyhow::Result<(f64, f64)> {
    let feed = Feed::start(events).await?;
    let port = free_port()?;
    let mut process = Process::start("pagetrack", &arguments(folder, &feed.url(), port), folder)?;
    let base = format!("http://127.0.0.1:{port}");
    wait_for_any_answer(&base).await?;
    let before = stored_pages(&reqwest::Client::new(), &base).await?;
    feed.release().await?;
    let begun = Instant::now();
    let done = wait_for_pages(&base, before + events.len() as u64, Duration::from_millis(100)).await?;
    let peak = process.peak_memory_mb()?;
    process.stop(Duration::from_secs(15)).await?;
    Ok((events.len() as f64 / (done - begun).as_secs_f64(), peak))
}

/// The rate of a store that counts by the rate of one that does not, in turn.
async fn counted_by_uncounted(pages: &[Page]) -> anyhow::Result<Vec<f64>> {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (counted, uncounted) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let store = EmbeddedStore::open_uncounted(uncounted.path()).await?;
        let without = write_rate(&store, pages).await?;
        let store = EmbeddedStore::open(counted.path(), Migration::Apply, Durability::Process).await?;
        ratios.push(write_rate(&store, pages).await? / without);
    }
    Ok(ratios)
}

/// Pages per second into `store`, as the writer's batches come.
async fn write_rate(store: &dyn Store, pages: &[Page]) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let writes = pages.chunks(2_000).map(|batch| store.write_pages(batch, SystemClock.now()));
    stream::iter(writes).buffer_unordered(4).map_ok(drop).try_collect::<()>().await?;
    Ok(pages.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Pages per second of a loop that does nothing else.
async fn insert_only(pages: &[Page]) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let url = StoreUrl::Embedded(folder.path().into());
    let store = schema::store::open(&url, Migration::Apply, Durability::Process).await?;
    drop(store);
    let path = folder.path().join(schema::store::embedded::DATABASE_FILE);
    let pages = pages.to_vec();
    tokio::task::spawn_blocking(move || bare_sqlite::insert_all(&path, &pages))
        .await
        .context("the bare loop panicked")?
}

/// Seconds from the start of the process to its first answer, on a store that is there; the median of five.
async fn start_to_answer() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut seconds = Vec::new();
    for _ in 0..6 {
        let port = free_port()?;
        let begun = Instant::now();
        let mut process =
            Process::start("pagetrack", &arguments(folder.path(), "http://127.0.0.1:9/", port), folder.path())?;
        let answered = wait_for_any_answer(&format!("http://127.0.0.1:{port}")).await?;
        seconds.push((answered - begun).as_secs_f64());
        process.stop(Duration::from_secs(15)).await?;
    }
    // The first start made the store.
    Ok(percentile(&mut seconds[1..], 50))
}
