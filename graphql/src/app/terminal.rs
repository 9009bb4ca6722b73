//! The terminal's face: the addresses once, then one status line that updates.

use ingest::status::{PipelineView, SourceKind, StageName, StageStatus};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the line is written anew on a terminal, and elsewhere.
const ON_TERMINAL: Duration = Duration::from_secs(1);
const ELSEWHERE: Duration = Duration::from_secs(60);

/// Prints where to go.
pub(super) fn print_addresses(address: SocketAddr) {
    let base = format!("http://{address}");
    write_out(&format!(
        "pagetrack {}\n  dashboard   {base}/\n  playground  {base}/graphiql\n  GraphQL     {base}/graphql\n  REST        {base}/domains/\n",
        env!("CARGO_PKG_VERSION")
    ));
}

/// Says plainly that the sample plays.
pub(super) fn print_sample(reason: &str) {
    write_out(&format!(
        "\n  SAMPLE: recorded events, not the present. Why: {}\n  The live stream is tried again in the background.\n\n",
        printable(reason)
    ));
}

/// Says that the live stream has taken over.
pub(super) fn print_live() {
    write_out("\n  LIVE: the stream answers; the sample made way.\n\n");
}

/// Keeps the status line until `shutdown`.
pub(super) async fn keep_status_line(view: &PipelineView, shutdown: CancellationToken) {
    let is_terminal = std::io::stdout().is_terminal();
    let mut tick = tokio::time::interval(if is_terminal { ON_TERMINAL } else { ELSEWHERE });
    tick.tick().await;
    while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
        let line = status_line(&view.stages());
        write_out(&if is_terminal { format!("\r\x1b[2K{line}") } else { format!("{line}\n") });
    }
    if is_terminal {
        write_out("\n");
    }
}

/// Events per second, stored, rejected, canaries, lag in seconds, source; `?` where nothing is known.
fn status_line(stages: &[StageStatus]) -> String {
    let of = |name: StageName| stages.iter().filter(move |s| s.stage == name);
    let sum = |name: StageName, f: fn(&StageStatus) -> u64| {
        of(name).map(f).reduce(|a, b| a + b).map_or("?".into(), |n| n.to_string())
    };
    // Summed from 0.0: an empty sum of floats is -0.0.
    let rate = of(StageName::Writer).fold(0.0, |sum, s| sum + s.events_per_second);
    let lag = of(StageName::Writer).filter_map(|s| s.lag_seconds).reduce(f64::min);
    let source = of(StageName::Producer).find_map(|s| s.source.as_ref()).map_or("?".into(), |source| {
        let kind = if source.kind == SourceKind::Live { "live" } else { "sample" };
        let state = if source.is_connected { "" } else { " (not connected)" };
        format!("{kind}{state}")
    });
    format!(
        "{rate:.1} events/s | stored {} | rejected {} | canaries {} | lag {} | {source}",
        sum(StageName::Writer, |s| s.counts.out_count),
        sum(StageName::Cleaner, |s| s.counts.rejected_count),
        sum(StageName::Cleaner, |s| s.counts.canary_count),
        lag.map_or("?".into(), |lag| format!("{lag:.1} s")),
    )
}

/// Text from outside without control characters, so that it cannot steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Writes to standard output. A closed pipe is no reason to stop following the stream.
fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::debug!("standard output is closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_stage_is_a_question_mark_and_not_zero() {
        assert_eq!(status_line(&[]), "0.0 events/s | stored ? | rejected ? | canaries ? | lag ? | ?");
    }

    #[test]
    fn strangers_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\nc"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
    }
}
