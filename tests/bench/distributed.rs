//! The distributed pipeline on real Kafka and Cassandra: from a full `input` topic to all tables, and end to end.

use crate::ask::wait_for_any_answer;
use crate::embedded::free_port;
use crate::table::{Table, Wanted, percentile};
use crate::{bare_cassandra, latency};
use anyhow::Context;
use bytes::Bytes;
use futures::future::try_join_all;
use ingest::bus::{BusUrl, Followed, Record, Topic};
use schema::page::Page;
use schema::store::{Durability, Migration, Store, StoreUrl};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::process::Process;
use tests::stream_server::StreamServer;

/// A cluster's addresses, with names of their own for one measurement.
pub(crate) struct Cluster {
    bus: BusUrl,
    store: StoreUrl,
}

impl Cluster {
    /// None where the servers are not there.
    pub(crate) fn named(name: &str) -> anyhow::Result<Option<Self>> {
        Self::lasting(&format!("bench_{name}_{}", std::process::id()))
    }

    /// The same ones in each run.
    pub(crate) fn lasting(name: &str) -> anyhow::Result<Option<Self>> {
        let (Some(bus), Some(store)) = (tests::servers::kafka(name)?, tests::servers::cassandra(name)?) else {
            return Ok(None);
        };
        Ok(Some(Self { bus, store }))
    }

    /// Of servers that were there a moment ago.
    pub(crate) fn present(name: &str) -> anyhow::Result<Self> {
        Self::named(name)?.context("the servers were there a moment ago")
    }

    pub(crate) async fn open_store(&self) -> anyhow::Result<Arc<dyn Store>> {
        Ok(schema::store::open(&self.store, Migration::Apply, Durability::Power).await?)
    }

    /// So that the node does not compact them while the next run is measured.
    pub(crate) async fn drop_tables(&self) -> anyhow::Result<()> {
        let (node, keyspace) = self.node()?;
        bare_cassandra::drop_keyspace(node, keyspace).await
    }

    /// Waits until what was written is merged on disk.
    pub(crate) async fn wait_for_rest(&self) -> anyhow::Result<()> {
        bare_cassandra::wait_for_rest(self.node()?.0).await
    }

    fn node(&self) -> anyhow::Result<(&str, &str)> {
        let StoreUrl::Cassandra { nodes, keyspace } = &self.store else { anyhow::bail!("not Cassandra") };
        Ok((nodes.first().context("no node")?, keyspace))
    }

    pub(crate) fn start(&self, name: &'static str, more: &[&str], folder: &Path) -> anyhow::Result<Process> {
        let mut args: Vec<String> = more.iter().map(ToString::to_string).collect();
        args.extend(["--bus".into(), self.bus.to_string(), "--log".into(), "warn".into()]);
        if matches!(name, "writer" | "pagetrack") {
            args.extend(["--store".into(), self.store.to_string()]);
        }
        Process::start(name, &args, folder)
    }
}

/// Runs of either kind, in turn. The first ones warm the servers and count nothing.
const ROUNDS: usize = 3;
/// Pages of a warming run: the node compiles its code for some 300,000 rows.
const WARMING: usize = 40_000;
/// Pages stored before the clock starts: the bare loop's starts when it is connected, too.
const LEAD: u64 = 10_000;

/// All figures of the distributed mode; none where the servers are not there.
pub(crate) async fn measure(events: &[Bytes], pages: &[Page], table: &mut Table) -> anyhow::Result<()> {
    if Cluster::named("rows")?.is_none() {
        eprintln!("  distributed: not measured, there are no real servers");
        return Ok(());
    }
    measure_rates(events, pages, table).await?;
    let (mut delays, memory) = end_to_end(&Cluster::present("delay")?).await?;
    table.add("distributed: event → visible, 10/s, p50", Wanted::Stated, percentile(&mut delays, 50), "ms");
    table.add("distributed: event → visible, 10/s, p99", Wanted::AtMost(100.0), percentile(&mut delays, 99), "ms");
    for (name, peak) in memory {
        table.add(&format!("distributed: peak memory of `{name}` at 10/s"), Wanted::AtMost(256.0), peak, "MB");
    }
    Ok(())
}

async fn measure_rates(events: &[Bytes], pages: &[Page], table: &mut Table) -> anyhow::Result<()> {
    bare_inserts("warm", &pages[..WARMING]).await?;
    input_to_tables(&Cluster::present("warming")?, &events[..WARMING]).await?;
    let (mut through, mut bare, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (rate, peaks) = input_to_tables(&Cluster::present(&format!("rows{round}"))?, events).await?;
        through.push(rate);
        memory.extend(peaks);
        bare.push(bare_inserts(&format!("bare{round}"), pages).await?);
    }
    eprintln!("  pages/s in turn: {through:.0?} through, {bare:.0?} bare");
    let mut ratios: Vec<f64> = through.iter().zip(&bare).map(|(a, b)| a / b).collect();
    let rows = schema::tables::Table::ALL.len() as f64;
    let (through, bare) = (percentile(&mut through, 50) * rows, percentile(&mut bare, 50) * rows);
    table.add("distributed: `input` → all tables", Wanted::Stated, through, "rows/s");
    table.add("distributed: bare loop, one by one, 256 in flight", Wanted::Stated, bare, "rows/s");
    table.add("distributed: pipeline ÷ bare loop", Wanted::AtLeast(1.8), percentile(&mut ratios, 50), "×");
    for name in ["cleaner", "writer"] {
        let peak = memory.iter().filter(|(of, _)| *of == name).map(|(_, peak)| *peak).fold(0.0, f64::max);
        table.add(&format!("distributed: peak memory of `{name}`"), Wanted::AtMost(256.0), peak, "MB");
    }
    Ok(())
}

/// Pages per second, and each process's peak memory in MB.
async fn input_to_tables(cluster: &Cluster, events: &[Bytes]) -> anyhow::Result<(f64, Vec<(&'static str, f64)>)> {
    let folder = tempfile::tempdir()?;
    let store = cluster.open_store().await?;
    let bus = ingest::bus::open(&cluster.bus, store).await?;
    let mut deliveries = Vec::with_capacity(events.len());
    for event in events {
        deliveries.push(bus.publish(Topic::Input, Record { key: String::new(), payload: event.clone() }).await?);
    }
    try_join_all(deliveries).await?;
    let mut stored = bus.follow(Topic::Stored).await?;
    let cleaner = cluster.start("cleaner", &[], folder.path())?;
    let writer = cluster.start("writer", &[], folder.path())?;
    let (mut count, mut begun) = (0, None);
    while count < events.len() as u64 {
        let heard = tokio::time::timeout(Duration::from_secs(120), stored.next()).await;
        count += match heard.with_context(|| format!("{count} stored; {}", writer.log_end()))?? {
            Followed::Record(_) => 1,
            Followed::Missed(missed) => missed,
        };
        if count >= LEAD && begun.is_none() {
            begun = Some((count, Instant::now()));
        }
    }
    let (lead, begun) = begun.context("too few events")?;
    let rate = (count - lead) as f64 / begun.elapsed().as_secs_f64();
    cluster.drop_tables().await?;
    Ok((rate, vec![("cleaner", cleaner.peak_memory_mb()?), ("writer", writer.peak_memory_mb()?)]))
}

async fn bare_inserts(name: &str, pages: &[Page]) -> anyhow::Result<f64> {
    let cluster = Cluster::present(name)?;
    cluster.open_store().await?;
    let (node, keyspace) = cluster.node()?;
    let rate = bare_cassandra::insert_all(node, keyspace, pages).await?;
    cluster.drop_tables().await?;
    Ok(rate)
}

/// All processes of the distributed mode.
pub(crate) struct Processes {
    pub(crate) serve: Process,
    producer: Process,
    _stages: [Process; 2],
}

impl Processes {
    /// On new tables, with an API that listens on `port` and answers.
    pub(crate) async fn start(
        cluster: &Cluster,
        folder: &Path,
        server: &StreamServer,
        port: u16,
    ) -> anyhow::Result<Self> {
        cluster.open_store().await?;
        let listen = format!("127.0.0.1:{port}");
        let serve = cluster.start("pagetrack", &["serve", "--listen", &listen], folder)?;
        let stages = [cluster.start("writer", &[], folder)?, cluster.start("cleaner", &[], folder)?];
        let producer = cluster.start("producer", &["--source", server.url().as_str()], folder)?;
        wait_for_any_answer(&format!("http://{listen}")).await?;
        server.wait_for_visits(1).await;
        Ok(Self { serve, producer, _stages: stages })
    }
}

/// Milliseconds of each event through all processes, and the peak memory of those that no other figure has.
async fn end_to_end(cluster: &Cluster) -> anyhow::Result<(Vec<f64>, Vec<(&'static str, f64)>)> {
    let (folder, server, port) = (tempfile::tempdir()?, StreamServer::start().await, free_port()?);
    let all = Processes::start(cluster, folder.path(), &server, port).await?;
    let delays = latency::measure(&server, &format!("http://127.0.0.1:{port}")).await?;
    Ok((delays, vec![("producer", all.producer.peak_memory_mb()?), ("pagetrack serve", all.serve.peak_memory_mb()?)]))
}
