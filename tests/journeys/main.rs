//! The same journeys on every pair of transport and store, one after the other, with a closing line that counts them.
//!
//! Not under the test harness: a pair that was never tried must show, and in CI it must fail.

mod answers;
mod conservation;
mod kills;
mod silence;

mod caught;
mod feed;
mod fleet;
mod pair;

use pair::{Pair, Place};
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use tests::servers::is_ci;

type Outcome = Pin<Box<dyn Future<Output = anyhow::Result<()>>>>;

/// A journey and its name.
struct Journey {
    name: &'static str,
    run: fn(Place) -> Outcome,
    /// Whether it needs a process for each stage.
    is_of_stages: bool,
}

macro_rules! journeys {
    ($($module:ident::$name:ident),*; of stages: $($of_stages:ident::$of:ident),* $(,)?) => {
        [
            $(Journey { name: stringify!($name), run: |place| Box::pin($module::$name(place)), is_of_stages: false },)*
            $(Journey { name: stringify!($of), run: |place| Box::pin($of_stages::$of(place)), is_of_stages: true },)*
        ]
    };
}

const JOURNEYS: [Journey; 6] = journeys![
    answers::recorded_events_reach_every_answer,
    answers::events_that_come_again_change_nothing,
    answers::a_restart_goes_on_where_it_stopped,
    conservation::every_event_is_counted_once,
    kills::nothing_is_lost_or_doubled_by_kills;
    of stages: silence::a_killed_cleaner_is_told_of_no_more,
];

#[tokio::main]
async fn main() -> ExitCode {
    ingest::settings::install_crypto();
    let log = std::env::var("PAGETRACK_LOG").unwrap_or_else(|_| "warn,eventsource_client=off".into());
    ingest::settings::LogArgs { log }.init();
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let (mut passed, mut failed) = ([0; Pair::ALL.len()], 0);
    for (pair, passed) in Pair::ALL.iter().zip(&mut passed) {
        for journey in JOURNEYS.iter().filter(|journey| is_wanted(&filters, pair, journey)) {
            match run(*pair, journey).await {
                Ok(Some(())) => *passed += 1,
                Ok(None) => {}
                Err(error) => {
                    failed += 1;
                    eprintln!("journey {pair} {}: FAILED\n{error:?}", journey.name);
                }
            }
        }
    }
    let counts: Vec<String> = Pair::ALL.iter().zip(passed).map(|(pair, count)| format!("{pair} {count}")).collect();
    eprintln!(
        "journeys: {}{}",
        counts.join(", "),
        if failed > 0 { format!("; {failed} FAILED") } else { String::new() }
    );
    let is_gap = is_ci() && filters.is_empty() && passed.contains(&0);
    if failed > 0 || is_gap { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// It fits the pair, and every filter that was given is part of `PAIR NAME`.
fn is_wanted(filters: &[String], pair: &Pair, journey: &Journey) -> bool {
    let name = format!("{pair} {}", journey.name);
    (pair.is_shared() || !journey.is_of_stages) && filters.iter().all(|filter| name.contains(filter.as_str()))
}

/// None where the pair's servers are not there.
async fn run(pair: Pair, journey: &Journey) -> anyhow::Result<Option<()>> {
    let Some(place) = Place::new(pair)? else {
        eprintln!("journey {pair} {}: SKIPPED, no real servers; start them by tests/servers/up.sh", journey.name);
        return Ok(None);
    };
    let started = std::time::Instant::now();
    (journey.run)(place).await?;
    eprintln!("journey {pair} {}: ok ({:.1} s)", journey.name, started.elapsed().as_secs_f64());
    Ok(Some(()))
}
