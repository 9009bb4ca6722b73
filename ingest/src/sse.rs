//! One connection to a server-sent-events stream. The only file that names the client and its transport.
//!
//! Reconnecting, resuming and waiting are the source's: the client's own forget the position and know no `Retry-After`.

mod bounds;
mod reason;

pub(crate) use reason::no_answer;

use crate::clean::MAX_EVENT_BYTES;
use crate::source::{StreamSettings, StreamTimeouts};
use bounds::Bounds;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use eventsource_client::{BoxStream, Client, ClientBuilder, Error, ReconnectOptions, Response, SSE};
use futures::StreamExt;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, HyperTransport, Request, ResponseFuture, TransportError};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// The client's part of the User-Agent, which the stream's policy asks for.
const CLIENT: &str = "eventsource-client/0.18.0";
/// An event that is too long keeps enough to be told so by the cleaner: the lines around its data are short.
const MAX_EVENT_AND_FIELDS: usize = MAX_EVENT_BYTES + 16 * 1024;
const MAX_REDIRECTS: u32 = 3;

/// Why no stream came about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Another status than 2xx.
    #[error("the stream answers {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// What the server asks for.
        retry_after: Option<Duration>,
    },
    /// 403: the stream wants to know who asks.
    #[error(
        "the stream refuses this program (403); set --contact to an address or page of who runs it, as the stream's policy wants"
    )]
    Forbidden,
    /// 2xx, and something else than events.
    #[error("the address gives {0:?} instead of text/event-stream; check --source")]
    NotAStream(String),
    /// No answer: a sentence that names the host.
    #[error("{0}")]
    Unreachable(String),
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    /// The server closed it: usual every 15 minutes.
    #[error("the stream closed the connection")]
    Closed,
    /// Broken, or silent for too long.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// What the stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// An event.
    Event {
        /// The position after it.
        id: Option<String>,
        /// Its bytes.
        data: Bytes,
    },
    /// `event: error`: something in the stream's data could not be sent.
    Error(String),
}

/// Opens connections to one stream.
pub(crate) struct Connector {
    transport: Guarded,
    url: Url,
    host: String,
    user_agent: String,
    timeouts: StreamTimeouts,
}

/// A stream of messages; closed when dropped.
pub(crate) struct Connection(BoxStream<eventsource_client::Result<SSE>>);

impl Connector {
    /// Prepares connections; opens none.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub(crate) fn new(settings: &StreamSettings) -> Result<Self, String> {
        // Two TLS back ends are linked in: without a choice the first connection panics. A second choice is refused.
        let _chosen_before = rustls::crypto::ring::default_provider().install_default();
        let mut builder =
            HyperTransport::builder().connect_timeout(settings.timeouts.connect).read_timeout(settings.timeouts.read);
        if is_this_machine(&settings.url) {
            builder = builder.disable_proxy();
        }
        let transport = builder.build_https().map_err(|e| format!("no HTTPS: {e}"))?;
        let user_agent = user_agent(&settings.contact);
        if !user_agent.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(format!("--contact {:?}: use plain ASCII", settings.contact));
        }
        let origin = (settings.url.scheme().to_owned(), settings.host());
        let guarded = Guarded { send: Arc::new(move |request| transport.request(request)), origin };
        let (url, host) = (settings.url.clone(), settings.host());
        Ok(Self { transport: guarded, url, host, user_agent, timeouts: settings.timeouts })
    }

    /// Connects and waits for the answer's head.
    ///
    /// # Errors
    /// Why there is no stream.
    pub(crate) async fn connect(&self, resume_id: Option<String>, now: DateTime<Utc>) -> Result<Connection, Refusal> {
        let unreachable =
            |error: &Error| Refusal::Unreachable(reason::why_unreachable(error, &self.host, self.timeouts.connect));
        let mut builder = ClientBuilder::for_url(self.url.as_str())
            .and_then(|builder| builder.header("User-Agent", &self.user_agent))
            .map_err(|e| unreachable(&e))?
            .redirect_limit(MAX_REDIRECTS)
            .reconnect(ReconnectOptions::reconnect(false).build());
        if let Some(id) = resume_id {
            builder = builder.last_event_id(id);
        }
        let mut stream = builder.build_with_transport(self.transport.clone()).stream();
        let patience = self.timeouts.connect + self.timeouts.read;
        let first = tokio::time::timeout(patience, stream.next())
            .await
            .map_err(|_| Refusal::Unreachable(no_answer(&self.host, patience)))?;
        match first {
            Some(Ok(SSE::Connected(details))) => check_is_stream(details.response()).map(|()| Connection(stream)),
            Some(Err(Error::UnexpectedResponse(response, _))) => Err(refusal(&response, now)),
            Some(Err(error)) => Err(unreachable(&error)),
            Some(Ok(_)) | None => Err(Refusal::Unreachable(format!("{} gives no answer", self.host))),
        }
    }
}

impl Connection {
    /// The next message. Dropping the future loses nothing.
    ///
    /// # Errors
    /// How the connection ended; nothing comes after that.
    pub(crate) async fn next(&mut self) -> Result<Message, Ended> {
        loop {
            match self.0.next().await {
                Some(Ok(SSE::Event(event))) if event.event_type == "error" => return Ok(Message::Error(event.data)),
                Some(Ok(SSE::Event(event))) => return Ok(Message::Event { id: event.id, data: event.data.into() }),
                Some(Ok(SSE::Connected(_) | SSE::Comment(_))) | Some(Err(Error::InvalidEvent)) => {}
                None | Some(Err(Error::Eof | Error::UnexpectedEof)) => return Err(Ended::Closed),
                Some(Err(error)) => return Err(Ended::Broken(reason::why_broken(&error))),
            }
        }
    }
}

/// The transport behind bounds on what comes in and on where redirects may lead.
#[derive(Clone)]
struct Guarded {
    send: Arc<dyn Fn(Request<Option<Bytes>>) -> ResponseFuture + Send + Sync>,
    origin: (String, String),
}

impl HttpTransport for Guarded {
    fn request(&self, request: Request<Option<Bytes>>) -> ResponseFuture {
        let uri = request.uri();
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        if (&scheme, &host) != (&self.origin.0, &self.origin.1) {
            let error = std::io::Error::other(format!("redirected to {uri}; if that is right, set --source to it"));
            return Box::pin(std::future::ready(Err(TransportError::new(error))));
        }
        let answer = (self.send)(request);
        Box::pin(async move { Ok(answer.await?.map(bounded)) })
    }
}

fn bounded(body: ByteStream) -> ByteStream {
    let mut bounds = Bounds::new(MAX_EVENT_AND_FIELDS);
    Box::pin(body.map(move |part| part.map(|bytes| bounds.pass(&bytes))))
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn user_agent(contact: &str) -> String {
    let name = concat!("Pagetrack/", env!("CARGO_PKG_VERSION"));
    if contact.is_empty() { format!("{name} {CLIENT}") } else { format!("{name} ({contact}) {CLIENT}") }
}

fn check_is_stream(response: &Response) -> Result<(), Refusal> {
    let kind = response.get_header_value("content-type").ok().flatten().unwrap_or_default();
    let is_stream = kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"));
    if is_stream { Ok(()) } else { Err(Refusal::NotAStream(kind.chars().take(64).collect())) }
}

fn refusal(response: &Response, now: DateTime<Utc>) -> Refusal {
    let retry_after = response.get_header_value("retry-after").ok().flatten();
    match response.status() {
        403 => Refusal::Forbidden,
        status => Refusal::Status { status, retry_after: retry_after.and_then(|text| parse_retry_after(text, now)) },
    }
}

/// Seconds, or a date.
fn parse_retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    DateTime::parse_from_rfc2822(text).ok().map(|at| (at.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc2822("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_utc();
        let parse = |text: &str| parse_retry_after(text, now);
        assert_eq!(parse("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn the_user_agent_names_program_contact_and_library() {
        assert_eq!(user_agent("ops@example.org"), "Pagetrack/0.1.0 (ops@example.org) eventsource-client/0.18.0");
        assert_eq!(user_agent(""), "Pagetrack/0.1.0 eventsource-client/0.18.0");
        let settings = StreamSettings::live("bad\r\nheader: x");
        assert!(Connector::new(&settings).is_err_and(|e| e.starts_with("--contact")));
    }
}
