//! `make bench`: wanted beside measured, in one run on this machine. Bounded in count and time, on loopback only.

mod ask;
mod bare_cassandra;
mod bare_sqlite;
mod distributed;
mod embedded;
mod feed;
mod latency;
mod machine;
mod pure;
mod table;

use bytes::Bytes;
use chrono::Utc;
use schema::page::Page;
use std::io::Write;
use table::Table;

/// Distinct events of the embedded run.
const EVENTS: usize = 200_000;
/// Of these, how many go through Kafka into Cassandra.
const DISTRIBUTED: usize = 120_000;
const SEED: u64 = 42;

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a bench measures the present")]
async fn main() -> anyhow::Result<()> {
    ingest::settings::install_crypto();
    let machine = machine::describe();
    eprintln!("bench on {machine}");
    let events: Vec<Bytes> = ingest::sample::history(SEED, EVENTS, Utc::now()).collect();
    let pages: Vec<Page> = events.iter().filter_map(|event| ingest::clean::clean(event).ok()).collect();
    let mut table = Table::default();
    if is_wanted("clean") {
        pure::measure_clean(&events, &mut table);
    }
    if is_wanted("embedded") {
        embedded::measure(&events, &pages, &mut table).await?;
    }
    if is_wanted("distributed") {
        distributed::measure(&events[..DISTRIBUTED], &pages[..DISTRIBUTED], &mut table).await?;
    }
    let mut out = std::io::stdout().lock();
    write!(out, "\n{}\nMeasured on {machine}, by `make bench`.\n", table.to_markdown())?;
    Ok(())
}

/// Whether the command line names this part, or none: then all are measured.
fn is_wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| name == part)
}
