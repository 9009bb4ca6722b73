//! Nothing disappears between the stages: what goes in comes out or is counted with a reason.

use crate::feed::{DEADLINE, Feed, check_tables, wait_for_pages};
use crate::pair::Place;
use anyhow::{Context, ensure};
use data_encoding::BASE64;
use ingest::bus::{Record, Topic};
use ingest::clean::RejectReason;
use ingest::rejected::Rejected;
use schema::clock::{Clock, SystemClock};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tests::{ask, events, wait};

const STAGES: &str =
    "{ pipeline { stages { name inCount outCount rejectedCount excludedCount canaryCount inFlightCount } } }";

/// Per process, `in = out + rejected + excluded + canaries + in flight` at every look; and as sets, over a restart,
/// what came in is the pages in the tables, the list of rejected events, and what is left out on purpose.
pub(crate) async fn every_event_is_counted_once(place: Place) -> anyhow::Result<()> {
    let mut feed = Feed::start().await;
    let app = feed.spawn(&place).await?;
    feed.publish(events::recorded()?);
    wait_for_balance(&app.base()).await?;
    app.stop().await?;
    let app = feed.spawn(&place).await?;
    feed.publish(events::special());
    feed.publish(events::copies(3, 200, SystemClock.now()));
    let model = feed.model();
    wait_for_pages(&app.base(), &model).await?;
    wait_for_balance(&app.base()).await?;
    app.stop().await?;
    check_tables(&place, &model).await?;
    let store = place.open_store().await?;
    let bus = ingest::bus::open(&place.bus, Arc::clone(&store)).await?;
    let listed = bus.read_compacted(Topic::Rejected).await?;
    let rejected: BTreeSet<_> = listed.iter().map(read_rejected).collect::<anyhow::Result<_>>()?;
    let wrong: Vec<_> = rejected.symmetric_difference(&model.rejected).collect();
    ensure!(wrong.is_empty(), "listed as rejected and not wanted, or the other way round: {wrong:#?}");
    Ok(())
}

/// The reason and the text of an event that is shorter than what is kept of one.
fn read_rejected(record: &Record) -> anyhow::Result<(RejectReason, String)> {
    let rejected: Rejected = serde_json::from_slice(&record.payload)?;
    Ok((rejected.reason, String::from_utf8(BASE64.decode(rejected.bytes.as_bytes())?)?))
}

/// Looks until no record is in flight; at every look the counts must balance.
async fn wait_for_balance(base: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::new();
    let mut looks = 0;
    let look = async || -> anyhow::Result<Result<bool, String>> {
        let answer = ask::ask_graphql(&client, base, STAGES).await?;
        let stages = answer["data"]["pipeline"]["stages"].as_array().cloned();
        let stages = stages.with_context(|| format!("no stages: {answer}"))?;
        Ok(balance(&stages))
    };
    let unbalanced = wait::until("nothing in flight", DEADLINE, || {
        looks += 1;
        let looked = look();
        async {
            Ok(match looked.await? {
                Err(unbalanced) => Some(Err(unbalanced)),
                Ok(is_done) => is_done.then_some(Ok(())),
            })
        }
    })
    .await?;
    ensure!(looks > 0, "never looked");
    unbalanced.map_err(anyhow::Error::msg)
}

/// Whether all three stages did something and have nothing in flight; an error where a stage's counts do not add up.
fn balance(stages: &[Value]) -> Result<bool, String> {
    let mut done = 0;
    for stage in stages {
        let count = |name: &str| stage[name].as_u64().unwrap_or(0);
        let out = ["outCount", "rejectedCount", "excludedCount", "canaryCount", "inFlightCount"];
        let sum: u64 = out.iter().map(|name| count(name)).sum();
        if count("inCount") != sum {
            return Err(format!("the counts do not add up: {stage}"));
        }
        done += usize::from(count("inCount") > 0 && count("inFlightCount") == 0);
    }
    Ok(done == 3)
}
