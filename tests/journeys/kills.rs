//! kill -9 of each process at random points while events flow.

use crate::caught::written_uncommitted;
use crate::feed::{DEADLINE, Feed, check_tables};
use crate::fleet::Fleet;
use crate::pair::Place;
use anyhow::{Context, ensure};
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use schema::clock::{Clock, SystemClock};
use std::collections::HashSet;
use std::time::Duration;
use tests::process::Process;
use tests::{events, wait};
use tokio::time::MissedTickBehavior;

/// Kills on each pair; where each stage is a process, in turn through them.
const KILLS: usize = 20;
/// Published around each kill: some before it, the rest while the process is away.
const BURST: usize = 400;
/// Published at once while events flow.
const STEP: usize = 10;
/// Between two steps: some 700 events a second flow.
const PACE: Duration = Duration::from_millis(15);

/// Kills, looks what was caught in flight, starts again; in the end the tables equal the model.
pub(crate) async fn nothing_is_lost_or_doubled_by_kills(place: Place) -> anyhow::Result<()> {
    let seed = seed()?;
    eprintln!("  kills on {} from PAGETRACK_TEST_SEED={seed}", place.pair);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut feed = Feed::start().await;
    let mut source = events::copies(rng.random(), BURST * (KILLS + 2), SystemClock.now()).into_iter();
    let mut fleet = Fleet::start(&place, &feed.server.url()).await?;
    feed.wait_for_visits(1).await?;
    publish_some(&mut feed, &mut source, BURST);
    fleet.wait_for_pages(&feed.model()).await?;
    let (mut caught, mut known) = (0, HashSet::new());
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for kill in 0..KILLS {
        let steps = rng.random_range(1..BURST / STEP);
        for _ in 0..steps {
            publish_some(&mut feed, &mut source, STEP);
            pace.tick().await;
        }
        let victim = fleet.kill_next()?;
        let written = if victim.writes() { written_uncommitted(&place).await? } else { Vec::new() };
        // What an earlier kill caught, and nobody committed since, proves nothing of this one.
        let new = written.into_iter().filter(|key| known.insert(key.clone())).count();
        eprintln!("  kill {kill}: {victim:?}, {new} newly written and not committed");
        caught += usize::from(new > 0);
        let visits = feed.server.visits().len();
        publish_some(&mut feed, &mut source, BURST - steps * STEP);
        fleet.restart(victim)?;
        if victim.reads_the_stream() {
            feed.wait_for_visits(visits + 1).await?;
        }
    }
    publish_some(&mut feed, &mut source, BURST);
    let model = feed.model();
    fleet.wait_for_pages(&model).await?;
    fleet.stop().await?;
    check_tables(&place, &model).await?;
    check_verified(&place).await?;
    ensure!(caught > 0, "no kill of seed {seed} fell between a write and its commit: the test showed nothing");
    Ok(())
}

/// The program itself finds that nothing differs.
async fn check_verified(place: &Place) -> anyhow::Result<()> {
    let args = ["verify", "--store", &place.store.to_string()].map(str::to_owned);
    // The test's own look at the tables may hold the folder for a moment.
    wait::until("a store that is verified", DEADLINE, || async {
        let mut verify = Process::start("pagetrack", &args, place.folder.path())?;
        let status = verify.end(DEADLINE).await?;
        let said = verify.log_end();
        ensure!(status.success() || said.contains("differ"), "pagetrack verify: {status}\n{said}");
        Ok(Some((status, said)))
    })
    .await
    .and_then(|(status, said)| {
        ensure!(status.success() && said.contains("nothing differs"), "pagetrack verify: {status}\n{said}");
        Ok(())
    })
}

fn seed() -> anyhow::Result<u64> {
    match std::env::var("PAGETRACK_TEST_SEED") {
        Ok(text) => text.parse().context("PAGETRACK_TEST_SEED is not a number"),
        Err(_) => Ok(rand::random()),
    }
}

fn publish_some(feed: &mut Feed, source: &mut impl Iterator<Item = Bytes>, count: usize) {
    feed.publish(source.take(count).collect::<Vec<_>>());
}
