//! The program `pagetrack`: settings, then the composition root. Nothing else.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use graphql::app::{App, Role, Settings, Terminal};
use ingest::process::block_on;
use ingest::settings::{
    BusArgs, LogArgs, SourceArgs, StoreArgs, fail_setting, install_crypto, report_failure, shutdown_signal,
};
use ingest::source::{SourceSetting, public_stream};
use schema::clock::{Clock, SystemClock};
use schema::store::{Durability, Migration};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

/// Follows every new page on every Wikimedia wiki, live.
///
/// Without a command everything runs in one process: stream, tables, API and dashboard.
#[derive(Debug, Parser)]
#[command(name = "pagetrack", version, about, long_about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process (the default).
    Run(RunArgs),
    /// The API and the dashboard alone, on the tables that a writer elsewhere fills.
    Serve(ServeArgs),
    /// Creates the missing tables and ends.
    Migrate(MigrateArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Address and port of the API and the dashboard.
    #[arg(long, env = "PAGETRACK_LISTEN", default_value = "127.0.0.1:8000")]
    listen: String,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    bus: BusArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Args)]
struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    install_crypto();
    match block_on(execute(cli.command.unwrap_or(Command::Run(cli.run)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => report_failure("pagetrack", &e),
    }
}

async fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run(args) => run(args.serve, Some(args.source)).await,
        Command::Serve(args) => run(args, None).await,
        Command::Migrate(args) => migrate(args).await,
    }
}

async fn run(args: ServeArgs, source: Option<SourceArgs>) -> anyhow::Result<()> {
    let role = if source.is_some() { Role::Run } else { Role::Serve };
    let settings = validate(&args, source.as_ref(), role);
    args.log.init();
    let stop = shutdown_signal().context("signals cannot be handled")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        app = App::start(settings, clock) => app?,
    };
    app.run_until(stop).await
}

/// The settings, all checked before anything opens; a malformed one ends the program with code 2.
fn validate(args: &ServeArgs, source: Option<&SourceArgs>, role: Role) -> Settings {
    let listen = args
        .listen
        .parse::<SocketAddr>()
        .unwrap_or_else(|_| fail_setting("--listen", &args.listen, "use ADDRESS:PORT, such as 127.0.0.1:8000"));
    // `serve` has no source: what it says here is not looked at.
    let (source, contact) = source.map_or((SourceSetting::Live, String::new()), SourceArgs::validate);
    Settings {
        listen,
        store: args.store.validate(),
        bus: args.bus.validate(),
        source,
        live_stream: public_stream(),
        contact,
        role,
        terminal: Terminal::Shown,
    }
}

async fn migrate(args: MigrateArgs) -> anyhow::Result<()> {
    let url = args.store.validate();
    args.log.init();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    schema::store::open(&url, Migration::Apply, Durability::Process, clock)
        .await
        .with_context(|| format!("cannot open --store {url}"))?;
    Ok(())
}
