//! The program `writer`: the topic `processed` to the tables.

use clap::Parser;
use ingest::process::{ProcessArgs, run_process};
use ingest::settings::{StoreArgs, parse_args};
use ingest::stage::StageContext;
use ingest::status::StageName;
use schema::store::{Durability, Migration, StoreUrl};
use std::process::ExitCode;

/// Writes each clean page to all tables.
#[derive(Debug, Parser)]
#[command(name = "writer", version)]
struct Settings {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    store: StoreArgs,
}

fn main() -> ExitCode {
    let settings: Settings = parse_args();
    let url = settings.store.validate();
    run_process(&settings.process, StageName::Writer, |ctx| write(ctx, url))
}

/// Behind Kafka a power cut must not roll the store back behind the committed offset.
async fn write(ctx: StageContext, url: StoreUrl) -> anyhow::Result<()> {
    let store = tokio::select! {
        () = ctx.shutdown.cancelled() => return Ok(()),
        store = schema::store::open(&url, Migration::Expect, Durability::Power) => store?,
    };
    Ok(ingest::writer::run(ctx, store).await?)
}
