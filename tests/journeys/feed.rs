//! Events into the stream, and the wait until the tables have them.

use crate::pair::{Place, Storage};
use anyhow::ensure;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use ingest::clean::clean;
use schema::clock::{Clock, SystemClock};
use schema::reference::{Scope, differences};
use schema::store::Store;
use serde_json::Value;
use std::time::Duration;
use tests::app::{Spawned, spawn_app};
use tests::model::Model;
use tests::stream_server::StreamServer;
use tests::{ask, wait};

/// Longer than anything takes on a loaded machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// A stream server and what it was given.
pub(crate) struct Feed {
    pub(crate) server: StreamServer,
    pub(crate) events: Vec<Bytes>,
}

impl Feed {
    /// An empty stream.
    pub(crate) async fn start() -> Self {
        Self { server: StreamServer::start().await, events: Vec::new() }
    }

    /// Publishes events, at their own time where they tell one that the stream can still hold.
    pub(crate) fn publish(&mut self, events: impl IntoIterator<Item = Bytes>) {
        let now = SystemClock.now();
        for event in events {
            self.server.publish(time_of(&event, now), event.clone());
            self.events.push(event);
        }
    }

    /// Waits until so many connections were made.
    pub(crate) async fn wait_for_visits(&self, count: usize) -> anyhow::Result<()> {
        wait::until("a connection to the stream", DEADLINE, || async {
            Ok((self.server.visits().len() >= count).then_some(()))
        })
        .await
    }

    /// What must have become of everything published.
    pub(crate) fn model(&self) -> Model {
        Model::of(&self.events)
    }

    /// Starts the app in this process and waits until it hears the stream: without a position it begins at the latest.
    pub(crate) async fn spawn(&self, place: &Place) -> anyhow::Result<Spawned> {
        let visits = self.server.visits().len();
        drop(place.open_store().await?);
        let app = spawn_app(&place.store, &place.bus, self.server.url()).await?;
        self.wait_for_visits(visits + 1).await?;
        Ok(app)
    }
}

/// The stream holds a week: recorded events of past years happen now.
fn time_of(event: &[u8], now: DateTime<Utc>) -> DateTime<Utc> {
    let week = chrono::TimeDelta::days(7);
    clean(event).ok().map(|page| page.created_at).filter(|time| *time > now - week && *time <= now).unwrap_or(now)
}

/// How many pages the API at `base` counts, over all wikis.
pub(crate) async fn count_stored(base: &str) -> anyhow::Result<u64> {
    let get = async |path: &str| -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&reqwest::get(format!("{base}{path}")).await?.bytes().await?)?)
    };
    let domains = get("/domains/").await?;
    let mut count = 0;
    for domain in domains["domains"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        count += get(&format!("/pages/domain/{domain}")).await?["count"].as_u64().unwrap_or(0);
    }
    Ok(count)
}

/// Waits until the app counts as many pages as the model.
pub(crate) async fn wait_for_pages(base: &str, model: &Model) -> anyhow::Result<()> {
    let wanted = model.reference.pages().count() as u64;
    wait::until("all pages in the tables", DEADLINE, || async {
        let count = count_stored(base).await?;
        ensure!(count >= wanted, "{count} of {wanted} pages");
        Ok(Some(()))
    })
    .await
}

/// Every answer of the APIs, then every read of every table, equals the model. Ends the app in between.
pub(crate) async fn check_all(place: &Place, app: Spawned, model: &Model) -> anyhow::Result<()> {
    // An embedded store's counts are never late, and while the app has it no one else can.
    if place.pair.storage == Storage::Cassandra {
        wait_until_counted(place.open_store().await?.as_ref()).await?;
    }
    let asked = ask::check_answers(&app.base(), model).await?;
    app.stop().await?;
    check_tables(place, model).await?;
    eprintln!("  {} pages, {asked} questions", model.pages);
    Ok(())
}

/// Every read of every table equals the model.
pub(crate) async fn check_tables(place: &Place, model: &Model) -> anyhow::Result<()> {
    let store = place.open_store().await?;
    wait_until_counted(store.as_ref()).await?;
    let different = differences(store.as_ref(), &model.reference, Scope::Whole).await?;
    ensure!(different.is_empty(), "the tables differ from the model:\n{}", different.join("\n"));
    Ok(())
}

/// Waits until all that is written is counted, and helps to count it: the app's own sealer may be at rest or gone.
async fn wait_until_counted(store: &dyn Store) -> anyhow::Result<()> {
    wait::until("counts of all pages", DEADLINE, || async {
        let pass = store.seal_counts(SystemClock.now()).await?;
        ensure!(pass.left == 0, "{} periods are left", pass.left);
        Ok(Some(()))
    })
    .await
}
