//! A process that runs one stage: validate, open the bus, run until SIGTERM or Ctrl-C, tell its state meanwhile.

use crate::bus::{BusUrl, open_shared};
use crate::settings::{LogArgs, SharedBusArgs, install_crypto, report_failure, shutdown_signal};
use crate::stage::StageContext;
use crate::status::{StageMeter, StageName, publish_status};
use anyhow::Context;
use schema::clock::SystemClock;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long blocking calls may go on after the end.
const LAST_CALLS: Duration = Duration::from_millis(500);

/// The settings of every stage's process.
#[derive(Debug, Clone, clap::Args)]
pub struct ProcessArgs {
    /// What carries the records.
    #[command(flatten)]
    pub bus: SharedBusArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Runs one stage as a process; its own settings must have been validated.
///
/// Exit code 0 after a stop that was asked for, 1 after a failure; 2 at once where settings cannot work.
pub fn run_process<R>(args: &ProcessArgs, stage: StageName, run: impl FnOnce(StageContext) -> R) -> ExitCode
where
    R: Future<Output = anyhow::Result<()>>,
{
    let bus = args.bus.validate();
    args.log.init();
    install_crypto();
    let ended = block_on(open_and_run(&bus, stage, run));
    let program = format!("{stage:?}").to_lowercase();
    ended.map_or_else(|error| report_failure(&program, &error), |()| ExitCode::SUCCESS)
}

/// Runs a program's one future to its end. Blocking calls still under way then (a commit to a coordinator that is away)
/// do not hold up the exit: what they were about comes again.
///
/// # Errors
/// The future's, or that no runtime could be had.
pub fn block_on(run: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    allow_many_files();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let ended = runtime.block_on(run);
    runtime.shutdown_timeout(LAST_CALLS);
    ended
}

/// Each connection is a file. Many systems allow a process 1,024 at first, and far more where it asks.
fn allow_many_files() {
    if let Err(error) = rlimit::increase_nofile_limit(rlimit::INFINITY) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

async fn open_and_run<R>(bus: &BusUrl, stage: StageName, run: impl FnOnce(StageContext) -> R) -> anyhow::Result<()>
where
    R: Future<Output = anyhow::Result<()>>,
{
    let shutdown = shutdown_signal().context("cannot listen for signals")?;
    let bus = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        bus = open_shared(bus) => bus?,
    };
    let clock = Arc::new(SystemClock);
    let meter = StageMeter::new(stage, clock.clone());
    // The state is told once more after the stage ended, so that its last counters are heard.
    let has_ended = CancellationToken::new();
    let mut telling = tokio::spawn(publish_status(Arc::clone(&bus), Arc::clone(&meter), has_ended.clone()));
    tracing::info!(?stage, "started");
    let running = run(StageContext { bus, clock, meter, shutdown: shutdown.clone() });
    tokio::pin!(running);
    let told = tokio::select! {
        ran = &mut running => {
            has_ended.cancel();
            ran?;
            telling.await
        }
        // A stage whose state nobody hears is taken for dead: it stops, drained, and says why.
        told = &mut telling => {
            shutdown.cancel();
            running.await?;
            told
        }
    };
    Ok(told.context("the state was not told to its end")??)
}
