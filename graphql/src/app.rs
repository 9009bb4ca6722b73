//! The composition root: which store, which bus, which stages and the API on one port, in one process.
//!
//! All-in-one and split run the same functions; this file only says which.

mod connections;
mod generation;
mod sample_mode;
mod terminal;
mod verification;

use crate::http::Origins;
use crate::limits::Limits;
use anyhow::Context;
use generation::{Generation, Plan, Right, StorePlan, Surface, Watch};
use ingest::bus::BusUrl;
use ingest::source::{EventSource, SampleSettings, SourceSetting, StreamSettings};
use sample_mode::{patience_ends, sample_folder, stream_answers};
use schema::clock::Clock;
use schema::retention::Keep;
use schema::store::{Store, StoreUrl};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
pub use terminal::{LogWriter, Screen, Terminal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;
pub use verification::{Remedy, verify_store};

/// What an app is to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API and the dashboard listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where pages are kept.
    pub store: StoreUrl,
    /// What carries records between stages.
    pub bus: BusUrl,
    /// Where events come from.
    pub source: SourceSetting,
    /// The stream that `auto` and `live` mean: the public one, but in tests.
    pub live_stream: Url,
    /// Who runs it, for the User-Agent.
    pub contact: String,
    /// How long pages are kept; what only reads does not set it.
    pub keep: Keep,
    /// The limits of requests.
    pub limits: Limits,
    /// The pages of other hosts that may ask from a browser.
    pub origins: Origins,
    /// Everything, or the API alone.
    pub role: Role,
    /// Whether addresses and the status line are printed.
    pub terminal: Terminal,
}

/// What the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All stages and the API.
    Run,
    /// The API and the dashboard; the stages run elsewhere.
    Serve,
}

/// A running app.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    shutdown: CancellationToken,
    supervisor: JoinHandle<anyhow::Result<()>>,
}

impl App {
    /// Binds, opens store and bus, and starts what `settings` ask for. When it returns the API answers.
    ///
    /// # Errors
    /// One line naming what could not be had: the port, the store, the bus.
    pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let listener = bind(settings.listen)?;
        let address = listener.local_addr().context("the listener has no address")?;
        let shutdown = CancellationToken::new();
        let supervisor = Supervisor { settings, clock, listener, shutdown: shutdown.clone() };
        let first = supervisor.begin().await?;
        supervisor.settings.terminal.print_addresses(address);
        if let Mode::Sample(reason) = first.mode() {
            supervisor.settings.terminal.print_sample(reason, &supervisor.settings.source);
        }
        Ok(Self { address, shutdown, supervisor: tokio::spawn(supervisor.run(first)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drains, commits and ends.
    ///
    /// # Errors
    /// The error that a part of it ended with.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.supervisor.await.context("the supervisor panicked")?
    }

    /// Runs until `stop` is cancelled, then drains; or until a part fails.
    ///
    /// # Errors
    /// The error of the part that failed.
    pub async fn run_until(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            ended = &mut self.supervisor => ended.context("the supervisor panicked")?,
            () = stop.cancelled() => self.stop().await,
        }
    }
}

fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(listen).map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "stop what uses it or choose another --listen",
            ErrorKind::AddrNotAvailable => "this machine has no such address; 0.0.0.0 takes all that it has",
            ErrorKind::PermissionDenied => "ports below 1024 want more rights; choose another --listen",
            _ => "choose another --listen",
        };
        anyhow::Error::new(error).context(format!("cannot listen on {listen}; {remedy}"))
    })?;
    listener.set_nonblocking(true).context("the listener cannot be made non-blocking")?;
    Ok(listener)
}

/// Which mode a generation runs in, and what may end it.
#[derive(Debug, Clone, PartialEq)]
enum Mode {
    /// The live stream (or no source at all).
    Live,
    /// The recorded sample, and why.
    Sample(String),
}

/// Runs one generation after the other on the same port.
struct Supervisor {
    settings: Settings,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    shutdown: CancellationToken,
}

impl Supervisor {
    /// The first generation.
    async fn begin(&self) -> anyhow::Result<Generation> {
        match self.settings.source {
            SourceSetting::Sample if self.settings.role == Role::Run => {
                self.open(Mode::Sample("asked for by --source sample".into()), None).await
            }
            _ => self.open(Mode::Live, None).await,
        }
    }

    /// Starts a generation; the live store may be open already.
    async fn open(&self, mode: Mode, live: Option<Arc<dyn Store>>) -> anyhow::Result<Generation> {
        let listener = self.listener.try_clone().context("the listener cannot be shared")?;
        Generation::start(self.plan(mode, live), listener, Arc::clone(&self.clock)).await
    }

    fn plan(&self, mode: Mode, live: Option<Arc<dyn Store>>) -> Plan {
        let s = &self.settings;
        let (store, bus, source) = match &mode {
            Mode::Live => {
                let right = if s.role == Role::Run { Right::Set(s.keep) } else { Right::Use };
                let opened = live.map(StorePlan::Kept);
                let store = opened.unwrap_or_else(|| StorePlan::Live(s.store.clone(), right));
                (store, s.bus.clone(), EventSource::Stream(self.stream()))
            }
            Mode::Sample(reason) => {
                let store = StorePlan::Sample(sample_folder(&s.store));
                (store, BusUrl::Memory, EventSource::Sample(SampleSettings::because(reason)))
            }
        };
        let source = (s.role == Role::Run).then_some(source);
        let surface = Surface { limits: s.limits, origins: s.origins.clone() };
        Plan { store, bus, source, mode, surface, terminal: s.terminal.clone() }
    }

    /// The stream that `--source` names.
    fn stream(&self) -> StreamSettings {
        match &self.settings.source {
            SourceSetting::Url(url) => StreamSettings::at(url.clone(), &self.settings.contact),
            _ => StreamSettings::at(self.settings.live_stream.clone(), &self.settings.contact),
        }
    }

    async fn run(self, first: Generation) -> anyhow::Result<()> {
        let mut generation = first;
        // Stays open while the sample plays, so that nobody else takes it meanwhile.
        let mut live = None;
        loop {
            let watch = generation.watch();
            let next = tokio::select! {
                ended = generation.failed() => Err(ended),
                next = self.next_mode(&watch) => Ok(next),
            };
            if *generation.mode() == Mode::Live {
                live = Some(generation.store());
            }
            let stopped = generation.stop().await;
            let Some(mode) = next? else { return stopped };
            stopped?;
            generation = self.open(mode, live.clone()).await?;
            match generation.mode() {
                Mode::Live => self.settings.terminal.print_live(),
                Mode::Sample(reason) => self.settings.terminal.print_sample(reason, &self.settings.source),
            }
        }
    }

    /// Waits for a reason to run differently; none at shutdown.
    async fn next_mode(&self, watch: &Watch) -> Option<Mode> {
        if self.settings.source == SourceSetting::Auto && self.settings.role == Role::Run {
            if let Mode::Sample(_) = watch.mode {
                return stream_answers(&self.stream(), &self.shutdown).await.then_some(Mode::Live);
            }
            if watch.is_first_start
                && let Some(reason) = patience_ends(&self.stream(), || watch.source(), &self.shutdown).await
            {
                return Some(Mode::Sample(reason));
            }
        }
        self.shutdown.cancelled().await;
        None
    }
}
