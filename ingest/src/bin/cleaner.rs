//! The program `cleaner`: the topic `input` to the topic `processed`.

use clap::Parser;
use ingest::process::{ProcessArgs, run_process};
use ingest::settings::parse_args;
use ingest::status::StageName;
use std::process::ExitCode;

/// Makes a clean page of each event, or records why not.
#[derive(Debug, Parser)]
#[command(name = "cleaner", version)]
struct Settings {
    #[command(flatten)]
    process: ProcessArgs,
}

fn main() -> ExitCode {
    let settings: Settings = parse_args();
    run_process(&settings.process, StageName::Cleaner, |ctx| async { Ok(ingest::cleaner::run(ctx).await?) })
}
