//! A stage that is not heard of any more: its figures are gone, not frozen.

use crate::feed::{DEADLINE, Feed};
use crate::fleet::{Fleet, Part};
use crate::pair::Place;
use anyhow::{Context, ensure};
use schema::clock::{Clock, SystemClock};
use serde_json::Value;
use std::time::{Duration, Instant};
use tests::{ask, events, wait};

const STAGES: &str = "{ pipeline { stages { name inCount outCount rejectedCount excludedCount canaryCount inFlightCount \
                      eventsPerSecond lagRecords lagSeconds } rejected { count } } }";

/// How long a stage is taken to be there, but for the time between two signs of life.
const KNOWN_FOR: Duration = Duration::from_secs(7);

/// After 10 s it is taken to be gone; a busy machine takes some seconds more to tell.
const GONE_WITHIN: Duration = Duration::from_secs(25);

/// The cleaner is killed: after 10 s nothing of it is told, of the others all; then it is back.
pub(crate) async fn a_killed_cleaner_is_told_of_no_more(place: Place) -> anyhow::Result<()> {
    let mut feed = Feed::start().await;
    let mut fleet = Fleet::start(&place, &feed.server.url()).await?;
    feed.wait_for_visits(1).await?;
    feed.publish(events::copies(5, 50, SystemClock.now()));
    fleet.wait_for_pages(&feed.model()).await?;
    wait_for_known(&fleet, &["PRODUCER", "CLEANER", "WRITER"]).await?;
    fleet.kill(Part::Cleaner)?;
    let killed = Instant::now();
    wait_for_known(&fleet, &["PRODUCER", "WRITER"]).await?;
    ensure!(killed.elapsed() >= KNOWN_FOR, "gone after {:?}: a moment of silence is no end", killed.elapsed());
    ensure!(killed.elapsed() <= GONE_WITHIN, "gone only after {:?}", killed.elapsed());
    fleet.restart(Part::Cleaner)?;
    feed.publish(events::copies(6, 50, SystemClock.now()));
    fleet.wait_for_pages(&feed.model()).await?;
    wait_for_known(&fleet, &["PRODUCER", "CLEANER", "WRITER"]).await?;
    fleet.stop().await
}

/// Waits until exactly these stages have figures, and the others none at all.
async fn wait_for_known(fleet: &Fleet, wanted: &[&str]) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    wait::until("stages that are known", DEADLINE, || async {
        let answer = ask::ask_graphql(&client, &fleet.base(), STAGES).await?;
        let stages = answer["data"]["pipeline"]["stages"].as_array().with_context(|| format!("no stages: {answer}"))?;
        let known: Vec<&str> = stages.iter().filter(|stage| is_known(stage)).map(name).collect();
        let silent: Vec<&str> = stages.iter().filter(|stage| is_silent(stage)).map(name).collect();
        ensure!(known == wanted && known.len() + silent.len() == stages.len(), "{answer}");
        // Part of a sum is not the sum.
        ensure!(answer["data"]["pipeline"]["rejected"].is_null() == (known.len() < stages.len()), "{answer}");
        Ok(Some(()))
    })
    .await
}

fn name(stage: &Value) -> &str {
    stage["name"].as_str().unwrap_or_default()
}

fn figures(stage: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = stage.as_object().into_iter().flatten().map(|(name, figure)| (name.as_str(), figure));
    all.filter(|(name, _)| *name != "name")
}

fn is_known(stage: &Value) -> bool {
    // Before the producer nothing waits that could be counted.
    let is_without = |figure: &str| figure == "lagRecords" && name(stage) == "PRODUCER";
    figures(stage).all(|(name, figure)| figure.is_number() || is_without(name))
}

fn is_silent(stage: &Value) -> bool {
    figures(stage).all(|(_, figure)| figure.is_null())
}
