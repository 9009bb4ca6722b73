//! Why there is no stream, in words that a person can act on. The libraries' own words go to the log.

use eventsource_client::Error;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// One sentence on a connection to `host` that did not come about; `patience` is what a time-out waited for.
pub(super) fn why_unreachable(error: &Error, host: &str, patience: Duration) -> String {
    let causes = causes(error);
    tracing::debug!(causes = spelled_out(error, &causes), host, "no connection");
    let is_dns = causes.iter().any(|cause| cause.to_string().starts_with("dns error"));
    if is_dns {
        return format!("the name {host} cannot be looked up: no network, or a wrong name");
    }
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return format!("no secure connection to {host}: {tls}");
    }
    // The innermost is the system's; the libraries wrap it in ones of their own.
    let system = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    match system.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => format!("{host} refuses connections"),
        Some(io::ErrorKind::TimedOut) => no_answer(host, patience),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            format!("there is no way to {host}: no network")
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => {
            format!("{host} broke the connection off")
        }
        _ => format!("{host} cannot be reached: {}", innermost(error, &causes)),
    }
}

/// Why a connection that stood ended, as its innermost cause says it.
pub(super) fn why_broken(error: &Error) -> String {
    innermost(error, &causes(error))
}

/// One sentence on a `host` that took longer than `patience`.
pub(crate) fn no_answer(host: &str, patience: Duration) -> String {
    format!("no answer from {host} within {} s", patience.as_secs())
}

fn innermost(error: &Error, causes: &[&(dyn StdError + 'static)]) -> String {
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn spelled_out(error: &Error, causes: &[&(dyn StdError + 'static)]) -> String {
    let parts = causes.iter().map(|cause| format!(": {cause}"));
    std::iter::once(error.to_string()).chain(parts).collect()
}

/// What lies behind an error, the outermost first.
fn causes(error: &Error) -> Vec<&(dyn StdError + 'static)> {
    let mut found = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        found.push(cause);
        // An I/O error's `source` leaves out what it holds itself.
        let held = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn StdError + 'static)).or_else(|| cause.source());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use launchdarkly_sdk_transport::TransportError;

    /// What is said of `error`, as it comes out of the transport.
    fn check_reason(error: impl StdError + Send + Sync + 'static, expect: &str) {
        let wrapped = io::Error::other(TransportError::new(error));
        let error = Error::Transport(TransportError::new(wrapped));
        assert_eq!(why_unreachable(&error, "stream.example.org", Duration::from_secs(10)), expect);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("dns error")]
    struct NoName(#[source] io::Error);

    #[test]
    fn each_failure_is_one_sentence_with_the_host() {
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        check_reason(NoName(lookup), "the name stream.example.org cannot be looked up: no network, or a wrong name");
        for (kind, expect) in [
            (io::ErrorKind::ConnectionRefused, "stream.example.org refuses connections"),
            (io::ErrorKind::TimedOut, "no answer from stream.example.org within 10 s"),
            (io::ErrorKind::NetworkUnreachable, "there is no way to stream.example.org: no network"),
            (io::ErrorKind::ConnectionReset, "stream.example.org broke the connection off"),
        ] {
            check_reason(io::Error::from(kind), expect);
        }
        let expired = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let expect = "no secure connection to stream.example.org: invalid peer certificate: Expired";
        check_reason(io::Error::new(io::ErrorKind::InvalidData, expired), expect);
        check_reason(
            io::Error::other("redirected to http://elsewhere/; if that is right, set --source to it"),
            "stream.example.org cannot be reached: redirected to http://elsewhere/; if that is right, set --source to it",
        );
    }
}
