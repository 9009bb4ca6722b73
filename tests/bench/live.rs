//! The live feed under load: half of the subscribers read, half do not, and those that read get every event.

mod listener;

use crate::ask::wait_for_any_answer;
use crate::distributed::{Cluster, Processes};
use crate::embedded::{arguments, free_port};
use crate::latency::fresh_events;
use crate::table::{Table, Wanted, percentile};
use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use listener::{Heard, Listener, document};
use schema::page::Page;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tests::process::{Process, cpu_time_of};
use tests::stream_server::StreamServer;
use tokio::time::{MissedTickBehavior, interval};

/// Subscribers, events a second, and for how many seconds these come: more than a queue holds for one who takes nothing,
/// and not as long as the server waits for one.
const LOADS: [(usize, u32, u64); 2] = [(1_000, 20, 55), (100, 200, 20)];
/// Distinct documents among the subscribers.
const DOCUMENTS: [usize; 2] = [1, 50];

/// How long more events come for those who begin to read only then.
const MORE_FOR: Duration = Duration::from_secs(60);

/// Events that warm the servers of the distributed mode, and how many of them come a second.
const WARMING: usize = 4_000;
const WARMING_RATE: u32 = 200;

/// Connections that are made at once.
const AT_ONCE: usize = 50;

/// What one run has.
#[derive(Debug, Clone, Copy)]
struct Load {
    subscribers: usize,
    /// Events a second.
    rate: u32,
    /// How many come.
    events: usize,
    /// Distinct documents among the subscribers.
    documents: usize,
}

impl Load {
    fn all() -> impl Iterator<Item = Self> {
        let each = |(subscribers, rate, seconds)| {
            let events = rate as usize * seconds as usize;
            DOCUMENTS.map(|documents| Self { subscribers, rate, events, documents })
        };
        LOADS.into_iter().flat_map(each)
    }
}

/// What was told to the server of each page, by wiki, number and time.
pub(super) type Published = Arc<Mutex<HashMap<(String, String, DateTime<Utc>), Told>>>;

/// When a page was told to the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) at: Instant,
    /// Which of all it is, from 1.
    pub(super) number: usize,
}

/// What a run showed.
struct Figures {
    /// Milliseconds from the stream to each reader's socket: more than from the commit.
    delays: Vec<f64>,
    /// Percent of their events that those who did not read learned to have missed.
    missed: f64,
    memory_mb: f64,
    /// Processors that the server was using, and those that the clients and the stream were.
    server: f64,
    clients: f64,
}

/// Loads of few events for many, and of many for few; with equal and with distinct documents. Then through Kafka and
/// Cassandra.
pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    for load in Load::all() {
        let mut figures = embedded(load).await.with_context(|| format!("{load:?}"))?;
        add(table, "live", load, &mut figures);
    }
    for load in Load::all() {
        let Some(cluster) = Cluster::named(&format!("live_{}_{}", load.rate, load.documents))? else { return Ok(()) };
        let mut figures = distributed(&cluster, load).await.with_context(|| format!("{load:?}, distributed"))?;
        add(table, "live, distributed", load, &mut figures);
        cluster.drop_tables().await?;
    }
    Ok(())
}

fn add(table: &mut Table, mode: &str, load: Load, figures: &mut Figures) {
    let plural = if load.documents == 1 { "" } else { "s" };
    let of = format!(
        "{mode}: {} subscribers × {}/s, {} document{plural}",
        crate::table::figure(load.subscribers as f64),
        load.rate,
        load.documents
    );
    let mut row = |what: &str, wanted, measured, unit| table.add(&format!("{of}: {what}"), wanted, measured, unit);
    row("stream → socket, p50", Wanted::Stated, percentile(&mut figures.delays, 50), "ms");
    row("stream → socket, p99", Wanted::AtMost(250.0), percentile(&mut figures.delays, 99), "ms");
    row("memory growth", Wanted::AtMost(150.0), figures.memory_mb, "MB");
    row("left out for those who do not read", Wanted::Stated, figures.missed, "%");
    row("the server's processors", Wanted::Stated, figures.server, "cores");
    row("the clients' own, the stream's included", Wanted::Stated, figures.clients, "cores");
}

async fn embedded(load: Load) -> anyhow::Result<Figures> {
    let (folder, server, port) = (tempfile::tempdir()?, StreamServer::start().await, free_port()?);
    let process = Process::start("pagetrack", &arguments(folder.path(), server.url().as_str(), port), folder.path())?;
    wait_for_any_answer(&format!("http://127.0.0.1:{port}")).await?;
    server.wait_for_visits(1).await;
    run(&process, port, &server, load).await.with_context(|| process.log_end())
}

async fn distributed(cluster: &Cluster, load: Load) -> anyhow::Result<Figures> {
    let (folder, server, port) = (tempfile::tempdir()?, StreamServer::start().await, free_port()?);
    let all = Processes::start(cluster, folder.path(), &server, port).await?;
    warm(port, &server).await.context("warming")?;
    run(&all.serve, port, &server, load).await.with_context(|| all.serve.log_end())
}

/// Has the servers compile what events take; all of these have been told when it is over.
async fn warm(port: u16, server: &StreamServer) -> anyhow::Result<()> {
    let published = Published::default();
    let listener = Listener::connect(port, document(0), false, &published).await?;
    let heard = tokio::spawn(listener.hear(WARMING));
    // Not all at once: what was missed at the end nobody would come to know.
    publish(server, WARMING_RATE, fresh_events(4_711, WARMING), 1, &published).await;
    heard.await?.map(drop)
}

async fn run(process: &Process, port: u16, server: &StreamServer, load: Load) -> anyhow::Result<Figures> {
    let events = fresh_events(4_712, load.events);
    let before = process.memory_mb()?;
    let published = Published::default();
    let (readers, silent) = connect(load, port, &published).await?;
    let wanted = events.len();
    let reading: Vec<_> = readers.into_iter().map(|reader| tokio::spawn(reader.hear(wanted))).collect();
    let cpu = (Instant::now(), process.cpu_time()?, cpu_time_of("self")?);
    publish(server, load.rate, events, 1, &published).await;
    let heard = all(reading).await.context("one that reads")?;
    let seconds = cpu.0.elapsed().as_secs_f64();
    let (of_server, of_clients) = (process.cpu_time()? - cpu.1, cpu_time_of("self")? - cpu.2);
    let delays: Vec<f64> = heard.into_iter().flat_map(|heard| heard.delays).collect();
    ensure!(delays.len() == load.subscribers / 2 * wanted, "those who read did not get every event");
    // What was left out last is told with the next event.
    let more = fresh_events(4_713, 2 * MORE_FOR.as_secs() as usize);
    let late = tokio::select! {
        late = all(silent.into_iter().map(|silent| tokio::spawn(silent.hear(wanted))).collect()) => {
            late.with_context(|| format!("one that read only {:.0} s later", cpu.0.elapsed().as_secs_f64()))?
        }
        () = publish(server, 2, more, wanted + 1, &published) => bail!("those who did not read do not come to the end"),
    };
    let missed: u64 = late.iter().map(|heard| heard.missed).sum();
    Ok(Figures {
        delays,
        missed: 100.0 * missed as f64 / (late.len() * wanted) as f64,
        memory_mb: process.peak_memory_mb()? - before,
        server: of_server.as_secs_f64() / seconds,
        clients: of_clients.as_secs_f64() / seconds,
    })
}

/// Those that will read, and those that will not until all is over.
async fn connect(load: Load, port: u16, published: &Published) -> anyhow::Result<(Vec<Listener>, Vec<Listener>)> {
    let (mut readers, mut silent) = (Vec::new(), Vec::new());
    let numbers: Vec<usize> = (0..load.subscribers).collect();
    for part in numbers.chunks(AT_ONCE) {
        // Each document has as many that read as that do not.
        let listening =
            part.iter().map(|i| Listener::connect(port, document(i / 2 % load.documents), i % 2 == 1, published));
        for (i, listener) in part.iter().zip(try_join_all(listening).await?) {
            if i % 2 == 0 { readers.push(listener) } else { silent.push(listener) }
        }
    }
    Ok((readers, silent))
}

fn note(published: &Published, page: &Page, number: usize) {
    let key = (page.domain.to_string(), page.page_id.to_string(), page.created_at);
    let told = Told { at: Instant::now(), number };
    published.lock().expect("no holder of this lock panics").insert(key, told);
}

/// Publishes events, which are numbered from `first` on.
async fn publish(server: &StreamServer, rate: u32, events: Vec<(Bytes, Page)>, first: usize, published: &Published) {
    let mut tick = interval(Duration::from_secs(1) / rate);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for (number, (event, page)) in (first..).zip(events) {
        tick.tick().await;
        note(published, &page, number);
        server.publish(page.created_at, event);
    }
}

async fn all(tasks: Vec<tokio::task::JoinHandle<anyhow::Result<Heard>>>) -> anyhow::Result<Vec<Heard>> {
    try_join_all(tasks).await?.into_iter().collect()
}
