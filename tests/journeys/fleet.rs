//! The real processes of a pair: one that does everything, or each stage by itself where bus and store are shared.

use crate::feed::{DEADLINE, wait_for_pages};
use crate::pair::Place;
use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::time::Duration;
use tests::model::Model;
use tests::process::Process;
use url::Url;

/// Design: a stop is drained and done within 10 s.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A kind of process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything in one.
    Everything,
    Producer,
    Cleaner,
    Writer,
    /// The API alone.
    Serve,
}

impl Part {
    /// Whether it writes rows and commits.
    pub(crate) fn writes(self) -> bool {
        matches!(self, Self::Everything | Self::Writer)
    }

    /// Whether it connects to the stream when it starts.
    pub(crate) fn reads_the_stream(self) -> bool {
        matches!(self, Self::Everything | Self::Producer)
    }
}

/// The processes.
pub(crate) struct Fleet {
    processes: Vec<(Part, Process)>,
    settings: Vec<String>,
    source: Vec<String>,
    listen: String,
    folder: PathBuf,
    kills: usize,
}

impl Fleet {
    /// Starts what the pair is made of, and waits until its API answers.
    pub(crate) async fn start(place: &Place, stream: &Url) -> anyhow::Result<Self> {
        let parts: &[Part] = if place.pair.is_shared() {
            &[Part::Writer, Part::Producer, Part::Cleaner, Part::Serve]
        } else {
            &[Part::Everything]
        };
        let mut fleet = Self {
            processes: Vec::new(),
            settings: words(&["--bus", &place.bus.to_string(), "--store", &place.store.to_string()]),
            source: words(&["--source", stream.as_str(), "--contact", "https://example.org/tests"]),
            listen: format!("127.0.0.1:{}", free_port()?),
            folder: place.folder.path().to_owned(),
            kills: 0,
        };
        if place.pair.is_shared() {
            fleet.migrate(place).await?;
        }
        for part in parts {
            fleet.restart(*part)?;
        }
        Ok(fleet)
    }

    async fn migrate(&self, place: &Place) -> anyhow::Result<()> {
        let args = words(&["migrate", "--store", &place.store.to_string()]);
        let mut migrate = Process::start("pagetrack", &args, &self.folder)?;
        let status = migrate.end(DEADLINE).await?;
        ensure!(status.success(), "pagetrack migrate: {status}\n{}", migrate.log_end());
        Ok(())
    }

    /// Starts a part.
    pub(crate) fn restart(&mut self, part: Part) -> anyhow::Result<()> {
        let (bus, store) = self.settings.split_at(2);
        let log = words(&["--log", "warn"]);
        let listen = words(&["--listen", &self.listen]);
        let (name, args) = match part {
            Part::Everything => ("pagetrack", [&words(&["run"]), bus, store, &self.source, &listen, &log].concat()),
            Part::Serve => ("pagetrack", [&words(&["serve"]), bus, store, &listen, &log].concat()),
            Part::Producer => ("producer", [bus, &self.source, &log].concat()),
            Part::Cleaner => ("cleaner", [bus, &log].concat()),
            Part::Writer => ("writer", [bus, store, &log].concat()),
        };
        self.processes.push((part, Process::start(name, &args, &self.folder)?));
        Ok(())
    }

    /// `http://HOST:PORT` of its API.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Kills this part.
    pub(crate) fn kill(&mut self, part: Part) -> anyhow::Result<()> {
        let index = self.processes.iter().position(|(of, _)| *of == part).context("no such process")?;
        self.processes.remove(index).1.kill()
    }

    /// Kills the part whose turn it is: the processes take turns, the one killed longest ago comes first.
    pub(crate) fn kill_next(&mut self) -> anyhow::Result<Part> {
        let (part, mut process) = self.processes.remove(0);
        process.kill()?;
        self.kills += 1;
        Ok(part)
    }

    /// Waits until the API counts the model's pages.
    pub(crate) async fn wait_for_pages(&mut self, model: &Model) -> anyhow::Result<()> {
        let counted = wait_for_pages(&self.base(), model).await;
        for (_, process) in &mut self.processes {
            process.ensure_running()?;
        }
        let logs: Vec<String> =
            self.processes.iter().map(|(part, process)| format!("{part:?}: {}", process.log_end())).collect();
        counted.with_context(|| format!("after {} kills\n{}", self.kills, logs.join("\n")))
    }

    /// Ends all by SIGTERM: each drains and exits 0.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        for (part, process) in &mut self.processes {
            let status = process.stop(STOP_WITHIN).await?;
            ensure!(status.success(), "{part:?} after SIGTERM: {status}\n{}", process.log_end());
        }
        Ok(())
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
