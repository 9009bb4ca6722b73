//! Where events come from: the stream or the sample. Hands them on in order with the position after each; does not
//! publish them, which is the producer's.

mod overlap;
mod player;
mod reader;
mod recent;

use crate::position::{StreamPosition, TopicPartition};
use crate::sse::{Connector, no_answer};
use crate::status::{Gap, SourceKind};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use url::{ParseError, Url};

pub(crate) use player::play;
pub(crate) use reader::{Reader, ReaderContext};

/// The public stream of page creations.
pub const PUBLIC_STREAM: &str = "https://stream.wikimedia.org/v2/stream/mediawiki.page-create";

/// The public stream's address.
///
/// # Panics
/// Never: it is one.
pub fn public_stream() -> Url {
    PUBLIC_STREAM.parse().expect("the public stream's address is one")
}

/// What the producer takes events from.
#[derive(Debug, Clone)]
pub enum EventSource {
    /// A stream of server-sent events.
    Stream(StreamSettings),
    /// Recorded events, multiplied.
    Sample(SampleSettings),
}

/// A stream and how to speak to it.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// Its address, http or https.
    pub url: Url,
    /// Who runs this, for the User-Agent.
    pub contact: String,
    /// How its events are named to readers.
    pub kind: SourceKind,
    /// How long to wait for what.
    pub timeouts: StreamTimeouts,
}

impl StreamSettings {
    /// The public stream.
    pub fn live(contact: impl Into<String>) -> Self {
        Self::at(public_stream(), contact)
    }

    /// A server that speaks like it.
    pub fn at(url: Url, contact: impl Into<String>) -> Self {
        Self { url, contact: contact.into(), kind: SourceKind::Live, timeouts: StreamTimeouts::default() }
    }

    /// The server's name, with its port where it is not the usual one.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What is said of a server that took longer than `patience` to answer.
    pub fn no_answer(&self, patience: Duration) -> String {
        no_answer(&self.host(), patience)
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct StreamTimeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte; the stream has no heart-beat, and is never silent for so long.
    pub read: Duration,
    /// The first wait after a failure; doubled with each further one.
    pub backoff_min: Duration,
    /// The longest wait after a failure.
    pub backoff_max: Duration,
    /// The wait after a 403: it goes away only by a new setting, or a new policy.
    pub forbidden: Duration,
    /// How far before the position to resume, for the stream's order is not strict.
    pub overlap: Duration,
}

impl Default for StreamTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(75),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            forbidden: Duration::from_secs(300),
            overlap: Duration::from_secs(60),
        }
    }
}

/// How the sample is played.
#[derive(Debug, Clone)]
pub struct SampleSettings {
    /// The same seed plays the same pages.
    pub seed: u64,
    /// Pages of the last 24 hours, played at once.
    pub pages: usize,
    /// Why the sample plays, for readers.
    pub reason: String,
    /// The rate at which it goes on.
    pub events_per_second: f64,
}

impl SampleSettings {
    /// 20,000 pages, then 2 a second.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { seed: 1, pages: 20_000, reason: reason.into(), events_per_second: 2.0 }
    }
}

/// The setting `--source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSetting {
    /// The public stream; the sample while it cannot be reached and no live event was ever stored.
    Auto,
    /// The public stream.
    Live,
    /// The sample.
    Sample,
    /// A server that speaks like the stream.
    Url(Url),
}

impl FromStr for SourceSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => return Ok(Self::Auto),
            "live" => return Ok(Self::Live),
            "sample" => return Ok(Self::Sample),
            _ => {}
        }
        let error =
            |why: String| format!("{why} in {text:?}; use auto, live, sample or an http:// or https:// address");
        let url = Url::parse(text).map_err(|e| match e {
            ParseError::RelativeUrlWithoutBase => error("unknown source".into()),
            malformed => error(malformed.to_string()),
        })?;
        match url.scheme() {
            "http" | "https" if url.username().is_empty() && url.password().is_none() => Ok(Self::Url(url)),
            "http" | "https" => Err(error("a name or password".into())),
            other => Err(error(format!("the scheme {other:?}"))),
        }
    }
}

impl fmt::Display for SourceSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Live => f.write_str("live"),
            Self::Sample => f.write_str("sample"),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// Whether the stream answers now, as it should, within `timeout`. The connection is closed again.
///
/// # Errors
/// Why not, in words.
pub async fn probe(settings: &StreamSettings, timeout: Duration) -> Result<(), String> {
    let connector = Connector::new(settings)?;
    match tokio::time::timeout(timeout, connector.connect(None, DateTime::UNIX_EPOCH)).await {
        Ok(answer) => answer.map(drop).map_err(|refusal| refusal.to_string()),
        Err(_) => Err(settings.no_answer(timeout)),
    }
}

/// How far the stream was read, and the last event that moved it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The stream's id.
    pub(crate) id: StreamPosition,
    /// The event that the overlap must bring back.
    pub(crate) last_event: Option<LastEvent>,
}

/// An event by which the overlap is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastEvent {
    /// Its own time.
    pub(crate) created_at: DateTime<Utc>,
    /// XXH3-128 of its bytes, hex.
    pub(crate) hash: String,
    /// The topic of the stream that it came on; none where an older version stored it.
    #[serde(default)]
    pub(crate) topic: Option<TopicPartition>,
}

/// What a source hands on, in order.
#[derive(Debug)]
pub(crate) enum SourceItem {
    /// An event.
    Event {
        /// As received.
        payload: Bytes,
        /// Its own time, where it has one.
        event_at: Option<DateTime<Utc>>,
        /// What may be stored once this and all before it are durable.
        checkpoint: Option<Checkpoint>,
    },
    /// A time for which events may be missing.
    Gap(Gap),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_named_or_an_address() {
        for text in ["auto", "live", "sample", "http://127.0.0.1:9/stream", "https://example.org/v2"] {
            assert_eq!(text.parse::<SourceSetting>().unwrap().to_string(), text);
        }
        let error = |text: &str| text.parse::<SourceSetting>().unwrap_err();
        assert_eq!(
            error("ftp://example.org"),
            "the scheme \"ftp\" in \"ftp://example.org\"; use auto, live, sample or an http:// or https:// address"
        );
        for text in ["", "Live", "example.org", "http://", "file:///etc/passwd", "http://me:secret@example.org"] {
            assert!(error(text).contains("use auto, live, sample or"), "{text}");
        }
        for text in ["", "Live", "example.org"] {
            assert!(error(text).starts_with("unknown source in"), "{}", error(text));
        }
    }
}
