//! The terminal's face: the addresses once, then one status line that updates.

mod screen;

use ingest::source::SourceSetting;
use ingest::status::{PipelineView, SourceKind, StageName, StageStatus};
pub use screen::{LogWriter, Screen};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the line is written anew on a terminal, and elsewhere.
const ON_TERMINAL: Duration = Duration::from_secs(1);
const ELSEWHERE: Duration = Duration::from_secs(60);

/// Where the app is seen.
#[derive(Debug, Clone)]
pub enum Terminal {
    /// Addresses and the status line.
    Shown(Arc<Screen>),
    /// Nothing: tests.
    Hidden,
}

impl Terminal {
    /// Prints where to go.
    pub(super) fn print_addresses(&self, address: SocketAddr) {
        let base = format!("http://{}", reachable(address));
        self.print(&format!(
            "pagetrack {}\n  dashboard   {base}/\n  playground  {base}/graphiql\n  GraphQL     {base}/graphql\n  REST        {base}/domains/\n",
            env!("CARGO_PKG_VERSION")
        ));
    }

    /// Says plainly that the sample plays, and what comes then.
    pub(super) fn print_sample(&self, reason: &str, source: &SourceSetting) {
        self.print(&sample_notice(reason, source));
    }

    /// Says that the live stream has taken over.
    pub(super) fn print_live(&self) {
        self.print("\n  LIVE: the stream answers; the sample made way.\n\n");
    }

    fn print(&self, text: &str) {
        if let Self::Shown(screen) = self {
            screen.print(text);
        }
    }
}

/// Keeps the status line until `shutdown`.
pub(super) async fn keep_status_line(screen: &Screen, view: &PipelineView, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(if screen.is_terminal() { ON_TERMINAL } else { ELSEWHERE });
    tick.tick().await;
    while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
        screen.set_line(&status_line(&view.stages()));
    }
    screen.leave_line();
}

/// Where this machine's browser finds what listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn sample_notice(reason: &str, source: &SourceSetting) -> String {
    let outlook = match source {
        SourceSetting::Auto => "  The live stream is tried again in the background.\n",
        _ => "",
    };
    format!("\n  SAMPLE: recorded events, not the present. Why: {}\n{outlook}\n", printable(reason))
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
        match source.kind {
            SourceKind::Live if source.is_connected => "live",
            SourceKind::Live => "live (away)",
            SourceKind::Sample => "sample",
        }
        .to_owned()
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
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::status::SourceStatus;
    use schema::clock::SystemClock;

    #[test]
    fn an_unknown_stage_is_a_question_mark_and_not_zero() {
        assert_eq!(status_line(&[]), "0.0 events/s | stored ? | rejected ? | canaries ? | lag ? | ?");
    }

    fn producer(kind: SourceKind, is_connected: bool) -> StageStatus {
        let meter = ingest::status::StageMeter::new(StageName::Producer, Arc::new(SystemClock));
        meter.set_source(SourceStatus { kind, reason: None, is_connected });
        meter.snapshot()
    }

    #[test]
    fn only_a_stream_can_be_away() {
        let check = |kind, is_connected, expect: &str| {
            let line = status_line(&[producer(kind, is_connected)]);
            assert_eq!(line.rsplit(" | ").next(), Some(expect), "{line}");
            assert!(line.len() < 80, "it fits on a usual terminal: {line}");
        };
        check(SourceKind::Live, true, "live");
        check(SourceKind::Live, false, "live (away)");
        check(SourceKind::Sample, false, "sample");
    }

    #[test]
    fn the_live_stream_is_promised_where_it_is_tried() {
        let notice = |source| sample_notice("no\x1b network", &source);
        assert_eq!(
            notice(SourceSetting::Auto),
            "\n  SAMPLE: recorded events, not the present. Why: no\u{fffd} network\n  The live stream is tried again in the background.\n\n"
        );
        assert!(!notice(SourceSetting::Sample).contains("tried again"));
    }

    #[test]
    fn an_address_of_all_is_shown_as_one_that_can_be_opened() {
        let check = |listen: &str, expect: &str| {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expect);
        };
        check("0.0.0.0:80", "127.0.0.1:80");
        check("[::]:80", "[::1]:80");
        check("192.0.2.1:80", "192.0.2.1:80");
    }

    #[test]
    fn strangers_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\nc"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
    }
}
