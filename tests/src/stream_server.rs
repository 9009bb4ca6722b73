//! A local server that speaks like the event stream, and misbehaves on demand: programmed by tests while it runs.
//!
//! Speaks HTTP/1.1 over a bare socket, so that it can break off anywhere.

mod connection;
mod log;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use log::Log;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What the server does to one connection; the next one is served well again.
#[derive(Debug, Clone)]
pub enum Misbehaviour {
    /// Answers so instead, with these header lines (each ended by CRLF).
    Answer(u16, String),
    /// A web page instead of events.
    WrongContentType,
    /// Closes in order after so many events, as the service does every 15 minutes.
    CloseAfter(usize),
    /// Breaks off in the middle of the event after so many.
    CutMidEvent(usize),
    /// Sends no byte after the head and so many events.
    SilentAfter(usize),
    /// Tells of an error after so many events, and goes on.
    ErrorAfter(usize),
    /// Sends the first three events byte by byte.
    Trickle,
    /// Lines end with CRLF.
    Crlf,
    /// Each event twice.
    Twice,
    /// These bytes after so many events.
    InsertAfter(usize, Bytes),
}

/// One connection that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Its `User-Agent`.
    pub user_agent: String,
    /// Its `Last-Event-ID`.
    pub last_event_id: Option<String>,
}

/// The running server; stops when dropped.
pub struct StreamServer {
    url: Url,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

struct Shared {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    log: Log,
    script: VecDeque<Misbehaviour>,
    visits: Vec<Visit>,
    open: usize,
    max_open: usize,
    wants_contact: bool,
    preface: Bytes,
}

impl StreamServer {
    /// Starts on a free port of this machine.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let url = format!("http://{address}/v2/stream/mediawiki.page-create").parse().expect("an address");
        let shared = Arc::new(Shared { state: Mutex::default(), changes: watch::Sender::new(0) });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), stop.clone()));
        Self { url, shared, stop }
    }

    /// Its stream's address.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Appends an event that happened at `at`; those connected get it.
    pub fn publish(&self, at: DateTime<Utc>, event: Bytes) {
        self.shared.change(|state| state.log.push(at, event));
    }

    /// The next connection is served so; several wait in order.
    pub fn misbehave(&self, how: Misbehaviour) {
        self.shared.change(|state| state.script.push_back(how));
    }

    /// What every connection begins with, as it is.
    pub fn begin_with(&self, bytes: impl Into<Bytes>) {
        let preface = bytes.into();
        self.shared.change(|state| state.preface = preface);
    }

    /// Answers 403 to a User-Agent without a contact in parentheses.
    pub fn want_contact(&self) {
        self.shared.change(|state| state.wants_contact = true);
    }

    /// Forgets what happened before `at`: a resume from there starts at the latest event.
    pub fn expire_before(&self, at: DateTime<Utc>) {
        self.shared.change(|state| state.log.expire_before(at));
    }

    /// The connections that were made, in order.
    pub fn visits(&self) -> Vec<Visit> {
        self.shared.lock().visits.clone()
    }

    /// How many connections stood at once, at most.
    pub fn max_open(&self) -> usize {
        self.shared.lock().max_open
    }

    /// Waits until so many connections were made.
    ///
    /// # Panics
    /// After ten seconds.
    pub async fn wait_for_visits(&self, count: usize) {
        self.wait_for("visits", |state| state.visits.len() >= count).await;
    }

    /// Waits until a connection stands and all misbehaviours were shown.
    ///
    /// # Panics
    /// After ten seconds.
    pub async fn wait_for_calm(&self) {
        self.wait_for("calm", |state| state.open > 0 && state.script.is_empty()).await;
    }

    async fn wait_for(&self, what: &str, is_there: impl Fn(&State) -> bool) {
        let mut changes = self.shared.changes.subscribe();
        let found = changes.wait_for(|_| is_there(&self.shared.lock()));
        let found = tokio::time::timeout(Duration::from_secs(10), found).await;
        assert!(found.is_ok_and(|found| found.is_ok()), "the stream server saw no {what}: {:?}", self.visits());
    }
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        changed
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Ok((socket, _)) = listener.accept() => {
                let shared = Arc::clone(&shared);
                connections.spawn(connection::serve(socket, shared));
            }
        }
    }
    connections.shutdown().await;
}
