//! The program `pagetrack`: settings, then the composition root. Nothing else.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use graphql::app::{App, Remedy, Role, Screen, Settings, Terminal, verify_store};
use graphql::http::Origins;
use graphql::limits::Limits;
use ingest::bus::BusUrl;
use ingest::process::block_on;
use ingest::settings::{
    BusArgs, KeepArgs, LogArgs, SharedBusArgs, SourceArgs, StoreArgs, fail_setting, install_crypto, parse_args,
    report_failure, shutdown_signal,
};
use ingest::source::{SourceSetting, public_stream};
use schema::clock::{Clock, SystemClock};
use schema::retention::Keep;
use schema::store::{Durability, Migration};
use std::io::Write;
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
    /// Creates the missing tables, sets how long pages are kept, and ends.
    Migrate(MigrateArgs),
    /// Recounts every table and every count from pages_by_time, prints what differs, and ends with code 1 if anything does.
    ///
    /// An embedded store must not be in use. A store on Cassandra may be: what differs is looked at again before it is
    /// told. Progress goes to standard error, differences to standard output, a line each, at most 100. Hours that retention
    /// has frozen (see run --keep) are not looked at; up to which, the last line says.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    bus: BusArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(flatten)]
    bus: SharedBusArgs,
}

#[derive(Debug, Args)]
struct ApiArgs {
    /// Address and port of the API and the dashboard.
    #[arg(long, env = "PAGETRACK_LISTEN", default_value = "127.0.0.1:8000")]
    listen: String,
    #[command(flatten)]
    store: StoreArgs,
    /// Pages of other hosts that may ask from a browser: their origins, such as https://example.org,http://localhost:5173, or *. None without it.
    #[arg(long, env = "PAGETRACK_CORS", value_name = "ORIGIN[,ORIGIN…]|*")]
    cors: Option<String>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Debug, Args)]
struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Builds anew what differs, then verifies again. A page that any table has is written into all; none is deleted.
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn main() -> ExitCode {
    let cli: Cli = parse_args();
    install_crypto();
    match block_on(execute(cli.command.unwrap_or(Command::Run(cli.run)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => report_failure("pagetrack", &e),
    }
}

async fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run(args) => run(args).await,
        Command::Serve(args) => serve(args).await,
        Command::Migrate(args) => migrate(args).await,
        Command::Verify(args) => verify(args).await,
    }
}

async fn run(args: RunArgs) -> anyhow::Result<()> {
    let (source, contact) = args.source.validate();
    let keep = args.keep.validate();
    let settings = Settings { source, contact, keep, ..args.api.settings(args.bus.validate(), Role::Run) };
    start(settings, &args.api.log).await
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    start(args.api.settings(args.bus.validate(), Role::Serve), &args.api.log).await
}

impl ApiArgs {
    /// The settings, all checked before anything opens; a malformed one ends the program with code 2.
    fn settings(&self, bus: BusUrl, role: Role) -> Settings {
        let listen = self
            .listen
            .parse::<SocketAddr>()
            .unwrap_or_else(|_| fail_setting("--listen", &self.listen, "use ADDRESS:PORT, such as 127.0.0.1:8000"));
        let origins = self.cors.as_deref().map_or(Ok(Origins::None), str::parse);
        Settings {
            listen,
            limits: self.limits.validate().unwrap_or_else(|(name, value, remedy)| fail_setting(name, &value, remedy)),
            origins: origins
                .unwrap_or_else(|why: String| fail_setting("--cors", self.cors.as_deref().unwrap_or_default(), &why)),
            store: self.store.validate(),
            bus,
            // `serve` has no source: what is said here is not looked at.
            source: SourceSetting::Live,
            live_stream: public_stream(),
            contact: String::new(),
            role,
            // Nor does it set this.
            keep: Keep::All,
            terminal: Terminal::Hidden,
        }
    }
}

async fn start(settings: Settings, log: &LogArgs) -> anyhow::Result<()> {
    let screen = Screen::of_process();
    log.init_through(screen.log_writers());
    let settings = Settings { terminal: Terminal::Shown(screen), ..settings };
    let stop = shutdown_signal().context("signals cannot be handled")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        app = App::start(settings, clock) => app?,
    };
    app.run_until(stop).await
}

async fn migrate(args: MigrateArgs) -> anyhow::Result<()> {
    let (url, keep) = (args.store.validate(), args.keep.validate());
    args.log.init();
    let store = schema::store::open(&url, Migration::Apply, Durability::Process)
        .await
        .with_context(|| format!("cannot open --store {url}"))?;
    store.set_keep(keep, SystemClock.now()).await.with_context(|| format!("cannot set --keep {keep}"))?;
    let kept = if keep == Keep::All { "all pages are kept".into() } else { format!("pages are kept for {keep}") };
    // A closed pipe does not make it undone.
    let _ = writeln!(std::io::stdout(), "tables are up to date in {url}; {kept}");
    Ok(())
}

async fn verify(args: VerifyArgs) -> anyhow::Result<()> {
    let url = args.store.validate();
    let screen = Screen::of_process_that_answers();
    args.log.init_through(screen.log_writers());
    let remedy = if args.repair { Remedy::Repair } else { Remedy::Tell };
    verify_store(&url, remedy, &screen, &SystemClock).await
}
