//! The real programs as processes that can be killed at any moment.

use anyhow::{Context, bail, ensure};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Of processor time, a second: what Linux tells programs on every architecture that it is asked on here (proc(5)).
const TICKS: u64 = 100;

/// A running program. Killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `name` (`pagetrack`, `producer`, `cleaner`, `writer`) with `args`; what it prints goes to a file in `folder`,
    /// behind what an earlier run of it printed there.
    ///
    /// # Errors
    /// When the program cannot be built or started.
    pub fn start(name: &'static str, args: &[String], folder: &Path) -> anyhow::Result<Self> {
        let program = binaries()?.join(name);
        let log = folder.join(format!("{name}.log"));
        let open = || OpenOptions::new().create(true).append(true).open(&log);
        let (out, err): (File, File) = (open()?, open()?);
        let child = Command::new(&program)
            .args(args)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { name, child, log })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Ends it as a power cut would: SIGKILL.
    ///
    /// # Errors
    /// When it had already ended by itself: then there was nothing to kill.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.ensure_running()?;
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// When it still runs after `deadline`, with the end of its log.
    pub async fn stop(&mut self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "cannot signal {}", self.name);
        self.end(deadline).await.context("after SIGTERM")
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it still runs after `deadline`, with the end of its log.
    pub async fn end(&mut self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        let child = &mut self.child;
        let ended = crate::wait::until("the end of a process", deadline, || {
            let ended = child.try_wait().map_err(anyhow::Error::from);
            async move { ended }
        });
        let ended = ended.await;
        ended.with_context(|| format!("{}\n{}", self.name, self.log_end()))
    }

    /// Fails with the end of its log when it has ended.
    ///
    /// # Errors
    /// When it has ended.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself: {status}\n{}", self.name, self.log_end()),
        }
    }

    /// The most memory that it ever had resident, in MB.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn peak_memory_mb(&self) -> anyhow::Result<f64> {
        self.memory("VmHWM:")
    }

    /// The memory that it has resident now, in MB.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn memory_mb(&self) -> anyhow::Result<f64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, what: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)).context("no figure of its memory")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// User and system time that it took so far.
    ///
    /// # Errors
    /// When it has ended, or the system does not tell.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        cpu_time_of(&self.child.id().to_string())
    }

    /// What it printed last.
    pub fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"));
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// All that it printed, in all its runs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time of the process with this number, or of `self`.
///
/// # Errors
/// When there is none, or the system does not tell.
pub fn cpu_time_of(process: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before it may hold anything, spaces too.
    let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// The folder of the programs, built from the present sources, once.
fn binaries() -> anyhow::Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = FOLDER.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// `cargo test` builds a crate's programs only for its own tests, so a stale one could lie there.
fn build() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("a test lies in target/PROFILE/deps")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins", "--quiet", "--locked"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // Cargo tells a test its package by the environment, and dependencies that look at that (ring does) would be compiled
    // again, with all that is made of them.
    for (name, _) in std::env::vars_os() {
        let is_of_package = |name: &str| ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| name.starts_with(start));
        if name.to_str().is_some_and(is_of_package) {
            command.env_remove(name);
        }
    }
    // With the tests a program is compiled as `cargo test` has done it already; a bench is of the program that people run.
    command.arg(if folder.ends_with("release") { "--release" } else { "--tests" });
    ensure!(command.status().context("cannot run cargo")?.success(), "the programs do not build");
    Ok(folder.to_owned())
}
