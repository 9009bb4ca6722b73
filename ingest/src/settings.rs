//! The settings that programs share, the same names everywhere, and what each program sets up first.
//!
//! A malformed setting ends the program with code 2 and one line, before anything opens.

use crate::bus::{BusUrl, SHARED_BUS_FORM};
use crate::source::SourceSetting;
use clap::error::ErrorKind;
use clap::{Args, Parser};
use schema::retention::Keep;
use schema::store::StoreUrl;
use std::fmt::Display;
use std::io::IsTerminal;
use std::str::FromStr;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Where pages are kept.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Where pages are kept: embedded:FOLDER or cassandra://HOST[:PORT][,HOST…]/KEYSPACE.
    #[arg(long, env = "PAGETRACK_STORE", default_value = "embedded:./data")]
    pub store: String,
}

impl StoreArgs {
    /// The store's address; ends the program when it is none.
    pub fn validate(&self) -> StoreUrl {
        parse_setting("--store", &self.store)
    }
}

/// How long pages are kept.
#[derive(Debug, Clone, Args)]
pub struct KeepArgs {
    /// How long pages are kept: all, or a number of days such as 90d, at least 33d. Counts stay for ever.
    ///
    /// The store keeps this setting: it is set by `pagetrack run` and `pagetrack migrate` when they start, to all where it
    /// is not given, and every other program takes it from there. A day before an hour's pages go the hour is frozen: what
    /// comes for it then is rejected as BEYOND_RETENTION. At least 33 days, because the stream replays 31: with fewer, a
    /// start after a long stop would reject what it replays. On Cassandra it counts for pages written from then on.
    #[arg(long, env = "PAGETRACK_KEEP", default_value = "all")]
    pub keep: String,
}

impl KeepArgs {
    /// How long; ends the program when it is malformed or too short.
    pub fn validate(&self) -> Keep {
        parse_setting("--keep", &self.keep)
    }
}

/// What carries records between stages.
#[derive(Debug, Clone, Args)]
pub struct BusArgs {
    /// What carries records between stages: memory: or kafka://HOST[:PORT][,HOST…][/PREFIX].
    #[arg(long, env = "PAGETRACK_BUS", default_value = "memory:")]
    pub bus: String,
}

impl BusArgs {
    /// The bus's address; ends the program when it is none.
    pub fn validate(&self) -> BusUrl {
        parse_setting("--bus", &self.bus)
    }
}

/// What carries records to and from the other processes.
#[derive(Debug, Clone, Args)]
pub struct SharedBusArgs {
    /// What carries records between the processes: kafka://HOST[:PORT][,HOST…][/PREFIX]. Must be set.
    #[arg(long, env = "PAGETRACK_BUS")]
    pub bus: Option<String>,
}

impl SharedBusArgs {
    /// The bus's address; ends the program when it is none, or none that other processes reach.
    pub fn validate(&self) -> BusUrl {
        let Some(text) = &self.bus else { fail_unset("--bus", SHARED_BUS_FORM) };
        BusUrl::parse_shared(text).unwrap_or_else(|why| fail_setting("--bus", text, &why))
    }
}

/// Where events come from.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// Where events come from: auto, live, sample, or the address of a server that speaks like the stream.
    #[arg(long, env = "PAGETRACK_SOURCE", default_value = "auto")]
    pub source: String,
    /// Address or page of who runs this, for the User-Agent that the stream's policy wants.
    #[arg(long, env = "PAGETRACK_CONTACT", default_value = "contact not set")]
    pub contact: String,
}

impl SourceArgs {
    /// The source and the contact; ends the program when one is malformed.
    pub fn validate(&self) -> (SourceSetting, String) {
        let is_text = |c: char| c.is_ascii_graphic() || c == ' ';
        if self.contact.len() > 200 || !self.contact.chars().all(is_text) || self.contact.contains(['(', ')']) {
            fail_setting(
                "--contact",
                &self.contact,
                "use an address or a page of at most 200 ASCII characters, no brackets",
            );
        }
        (parse_setting("--source", &self.source), self.contact.clone())
    }
}

/// What is logged.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What is logged to standard error: error, warn, info, debug, or a filter such as ingest=debug.
    #[arg(long, env = "PAGETRACK_LOG", default_value = "info,eventsource_client=error,scylla=off")]
    pub log: String,
}

impl LogArgs {
    /// Starts logging to standard error; ends the program when the filter is malformed.
    pub fn init(&self) {
        self.init_through(std::io::stderr);
    }

    /// The same, where `writer` brings the records to standard error. Colours are for terminals only.
    pub fn init_through(&self, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
        let filter = EnvFilter::try_new(&self.log)
            .unwrap_or_else(|e| fail_setting("--log", &self.log, &format!("{e}; use error, warn, info or debug")));
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
        // A second start within one process keeps the first.
        let _ = logs.with_ansi(std::io::stderr().is_terminal() && !is_plain).try_init();
    }
}

/// The settings of the command line and the environment. One that cannot be read ends the program with code 2 and one
/// line; `--help` and `--version` print and end it.
pub fn parse_args<P: Parser>() -> P {
    P::try_parse().unwrap_or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
        _ => fail_args(P::command().get_name(), &error.render().to_string()),
    })
}

#[expect(clippy::print_stderr, reason = "the last word of a program that cannot start")]
fn fail_args(program: &str, rendered: &str) -> ! {
    eprintln!("{program}: {}; see `{program} --help`", in_one_line(rendered));
    std::process::exit(2)
}

/// The library's paragraphs are: what is wrong, tips, the usage. The first two are kept.
fn in_one_line(rendered: &str) -> String {
    let paragraphs = rendered.split("\n\n").take_while(|paragraph| !paragraph.trim_start().starts_with("Usage:"));
    let words = paragraphs.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let parts: Vec<String> = words.filter(|part| !part.starts_with("For more information")).collect();
    let line = parts.join("; ").trim_start_matches("error: ").replace("tip: ", "");
    in_plain_words(&line)
}

/// What the standard library says of numbers, for people.
fn in_plain_words(line: &str) -> String {
    let numbers = [
        (": invalid digit found in string", ": not a whole number"),
        (": cannot parse integer from empty string", ": not a whole number"),
        (": number too large to fit in target type", ": too large"),
    ];
    numbers.iter().fold(line.to_owned(), |line, (said, plain)| line.replace(said, plain))
}

fn parse_setting<T: FromStr<Err = String>>(name: &str, text: &str) -> T {
    text.parse().unwrap_or_else(|why: String| fail_setting(name, text, &why))
}

/// Ends the program with code 2 and one line that names setting, value and remedy.
#[expect(clippy::print_stderr, reason = "the last word of a program that cannot start")]
pub fn fail_setting(name: &str, value: &str, remedy: &str) -> ! {
    eprintln!("{name} {value:?} (or PAGETRACK_{}): {remedy}", variable(name));
    std::process::exit(2)
}

/// The same for a setting that has no default and was not given.
#[expect(clippy::print_stderr, reason = "the last word of a program that cannot start")]
fn fail_unset(name: &str, remedy: &str) -> ! {
    eprintln!("{name} is not set (or PAGETRACK_{}): {remedy}", variable(name));
    std::process::exit(2)
}

fn variable(name: &str) -> String {
    name.trim_start_matches('-').to_uppercase().replace('-', "_")
}

/// Ends the program with code 1 and one line: what failed, and why in the causes' words.
#[expect(clippy::print_stderr, reason = "the last word of a program that failed")]
pub fn report_failure(program: &str, error: &dyn Display) -> std::process::ExitCode {
    eprintln!("{program}: {error:#}");
    std::process::ExitCode::FAILURE
}

/// Chooses the one TLS back end; two of them in one program panic at the first connection.
pub fn install_crypto() {
    // An error means that it was chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Cancelled at the first SIGTERM or Ctrl-C; a second one ends the program at once.
///
/// # Errors
/// When the system refuses the handlers.
pub fn shutdown_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let first = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            if first.is_cancelled() {
                std::process::exit(130);
            }
            first.cancel();
        }
    });
    Ok(stop)
}
