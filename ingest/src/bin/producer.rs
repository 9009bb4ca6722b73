//! The program `producer`: the event stream to the topic `input`.

use clap::Parser;
use ingest::process::{ProcessArgs, run_process};
use ingest::settings::{SourceArgs, fail_setting, parse_args};
use ingest::source::{EventSource, SourceSetting, StreamSettings};
use ingest::status::StageName;
use std::process::ExitCode;

/// Reads the event stream and publishes each event as received.
#[derive(Debug, Parser)]
#[command(name = "producer", version)]
struct Settings {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    source: SourceArgs,
}

fn main() -> ExitCode {
    let settings: Settings = parse_args();
    let (source, contact) = settings.source.validate();
    let source = fixed_source(source, contact);
    run_process(&settings.process, StageName::Producer, |ctx| async { Ok(ingest::producer::run(ctx, source).await?) })
}

/// `auto` is the live stream here: a store that others share must never fill with the sample.
fn fixed_source(setting: SourceSetting, contact: String) -> EventSource {
    match setting {
        SourceSetting::Auto | SourceSetting::Live => EventSource::Stream(StreamSettings::live(contact)),
        SourceSetting::Url(url) => EventSource::Stream(StreamSettings::at(url, contact)),
        SourceSetting::Sample => fail_setting(
            "--source",
            "sample",
            "it never reaches a shared store; play it with `pagetrack --source sample`",
        ),
    }
}
