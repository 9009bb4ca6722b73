//! `make bench`: wanted beside measured, in one run on this machine. Bounded in count and time, on loopback only.
//! `make bench-live`: of the live feed. `make bench-large`: of a store of 10,000,000 pages, which is kept between runs.

mod ask;
mod bare_cassandra;
mod bare_counts;
mod bare_sqlite;
mod distributed;
mod embedded;
mod feed;
mod fill;
mod latency;
mod live;
mod machine;
mod people;
mod pure;
mod reads;
mod sealing;
mod stored;
mod table;
mod walk;

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use distributed::Cluster;
use fill::Pages;
use schema::page::Page;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use table::Table;

/// Distinct events of the embedded run.
const EVENTS: usize = 200_000;
/// Of these, how many go through Kafka into Cassandra.
const DISTRIBUTED: usize = 60_000;
const SEED: u64 = 42;
/// In their order; the last three only where they are named.
const PARTS: [&str; 7] = ["clean", "embedded", "distributed", "stored", "sealing", "live", "large"];
/// Pages of the stores that are compared.
const SMALL: usize = 10_000;
const MILLION: usize = 1_000_000;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
async fn main() -> anyhow::Result<()> {
    ingest::settings::install_crypto();
    let machine = machine::describe();
    eprintln!("bench on {machine}");
    let events = ingest::sample::history(SEED, EVENTS, Utc::now());
    let events: Vec<Bytes> =
        (0..).zip(events).map(|(n, event)| people::event_of_many(&event, n)).collect::<anyhow::Result<_>>()?;
    let pages: Vec<Page> = events.iter().filter_map(|event| ingest::clean::clean(event).ok()).collect();
    let (mut table, begun) = (Table::default(), Instant::now());
    for part in PARTS.into_iter().filter(|part| is_wanted(part)) {
        let begun = Instant::now();
        match part {
            "clean" => pure::measure_clean(&events, &mut table),
            "embedded" => embedded::measure(&events, &pages, &mut table).await?,
            "live" => live::measure(&mut table).await?,
            "distributed" => {
                distributed::measure(&events[..DISTRIBUTED], &pages[..DISTRIBUTED], &mut table).await?;
            }
            "stored" => measure_stored(&mut table).await?,
            "sealing" => measure_sealing(&mut table).await?,
            _ => measure_large(&mut table).await?,
        }
        eprintln!("-- {part}: {} s", begun.elapsed().as_secs());
    }
    let by = match named().collect::<Vec<_>>().join(" ").as_str() {
        "" => "make bench".to_owned(),
        target @ ("live" | "large") => format!("make bench-{target}"),
        parts => format!("tests/bench.sh {parts}"),
    };
    let took = begun.elapsed().as_secs_f64() / 60.0;
    let mut out = std::io::stdout().lock();
    write!(out, "\n{}\nMeasured on {machine}, by `{by}` in {took:.1} minutes.\n", table.to_markdown())?;
    Ok(())
}

/// Stores of two sizes; what does not grow from one to the other does not grow with history.
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
async fn measure_stored(table: &mut Table) -> anyhow::Result<()> {
    let sized = |count| Pages { count, now: Utc::now() };
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let small = stored::embedded(folders[0].path(), sized(SMALL), None, table).await?;
    stored::embedded(folders[1].path(), sized(MILLION), Some(&small), table).await?;
    let (Some(few), Some(many)) = (Cluster::named("small")?, Cluster::named("million")?) else { return Ok(()) };
    let small = stored::cassandra(&few, sized(SMALL), None, table).await?;
    stored::cassandra(&many, sized(MILLION), Some(&small), table).await?;
    few.drop_tables().await?;
    many.drop_tables().await?;
    measure_sealing(table).await
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
async fn measure_sealing(table: &mut Table) -> anyhow::Result<()> {
    match Cluster::named("sealing")? {
        Some(cluster) => sealing::measure(&cluster, Utc::now(), table).await,
        None => Ok(()),
    }
}

/// A store of ten million pages, in the folder of `PAGETRACK_BENCH_LARGE`: what an earlier run left is gone on with.
async fn measure_large(table: &mut Table) -> anyhow::Result<()> {
    let folder =
        PathBuf::from(std::env::var("PAGETRACK_BENCH_LARGE").context("PAGETRACK_BENCH_LARGE names no folder")?);
    std::fs::create_dir_all(&folder)?;
    let pages = Pages { count: 10 * MILLION, now: begun_at(&folder)? };
    let small_folder = tempfile::tempdir()?;
    let small = stored::embedded(small_folder.path(), Pages { count: SMALL, ..pages }, None, table).await?;
    stored::embedded(&folder, pages, Some(&small), table).await?;
    let (Some(few), Some(many)) = (Cluster::named("small")?, Cluster::lasting("bench_large")?) else { return Ok(()) };
    let small = stored::cassandra(&few, Pages { count: SMALL, ..pages }, None, table).await?;
    few.drop_tables().await?;
    stored::cassandra(&many, pages, Some(&small), table).await.map(drop)
}

/// The present of the run that began the folder: the pages of a later run must be the same.
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
fn begun_at(folder: &Path) -> anyhow::Result<DateTime<Utc>> {
    let file = folder.join("begun-at");
    if !file.exists() {
        std::fs::write(&file, Utc::now().to_rfc3339())?;
    }
    Ok(std::fs::read_to_string(&file)?.parse()?)
}

fn named() -> impl Iterator<Item = String> {
    std::env::args().skip(1).filter(|arg| !arg.starts_with('-'))
}

fn is_named(part: &str) -> bool {
    named().any(|name| name == part)
}

/// Whether the command line names this part, or none: then all are measured but what is a part of another, or has a target
/// of its own.
fn is_wanted(part: &str) -> bool {
    is_named(part) || named().next().is_none() && !matches!(part, "sealing" | "live" | "large")
}
