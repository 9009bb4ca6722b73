//! The whole of Pagetrack within the test's process, on a free port.

use graphql::app::{App, Role, Settings, Terminal};
use graphql::http::Origins;
use graphql::limits::Limits;
use ingest::bus::BusUrl;
use ingest::source::{SourceSetting, public_stream};
use schema::clock::SystemClock;
use schema::retention::Keep;
use schema::store::StoreUrl;
use std::net::SocketAddr;
use std::sync::Arc;
use url::Url;

/// A running app.
pub struct Spawned {
    app: App,
}

/// Starts every stage and the API on a free port of this machine, fed by the stream at `source`.
///
/// # Errors
/// What the composition root could not open.
pub async fn spawn_app(store: &StoreUrl, bus: &BusUrl, source: Url) -> anyhow::Result<Spawned> {
    spawn_from(store, bus, SourceSetting::Url(source), public_stream()).await
}

/// The same from any source; `live_stream` stands for the public stream.
///
/// # Errors
/// What the composition root could not open.
pub async fn spawn_from(
    store: &StoreUrl,
    bus: &BusUrl,
    source: SourceSetting,
    live_stream: Url,
) -> anyhow::Result<Spawned> {
    let settings = Settings {
        keep: Keep::All,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        store: store.clone(),
        bus: bus.clone(),
        source,
        live_stream,
        contact: "https://example.org/tests".into(),
        limits: Limits::default(),
        origins: Origins::None,
        role: Role::Run,
        terminal: Terminal::Hidden,
    };
    Ok(Spawned { app: App::start(settings, Arc::new(SystemClock)).await? })
}

impl Spawned {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// `http://HOST:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.app.address())
    }

    /// Drains, commits and ends.
    ///
    /// # Errors
    /// The error that a part of it ended with.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.app.stop().await
    }
}
