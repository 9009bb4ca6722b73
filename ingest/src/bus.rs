//! The seam between stages: topics, records, and the promise that a resolved delivery is durable.
//!
//! Chosen by URL in one `match`; below [`open`] nothing asks which bus it got.

#[cfg(test)]
mod conformance;
mod follow;
mod kafka;
mod memory;
mod position;

pub use follow::keep_following;
pub use kafka::KafkaBus;
pub use memory::MemoryBus;
pub use position::FeedPosition;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use schema::store::{Store, parse_hosts};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The largest record that a bus takes, key and payload together; a Kafka broker's own default is a little more.
pub const MAX_RECORD_BYTES: usize = 1_000_000;
/// How many bytes one [`Consumer::receive`] gives at most, besides its first record.
const RECEIVE_BYTES: usize = 4 << 20;

/// The topics, the same on every bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Events as received, byte for byte. Consumed by the cleaner.
    Input,
    /// Clean pages as JSON, keyed `domain:page_id`. Consumed by the writer.
    Processed,
    /// Clean pages as JSON, announced by the writer when rows can be read and before its commit.
    Stored,
    /// What could not be stored, as JSON with a reason, keyed by the hash of the event's bytes. Kept.
    Rejected,
    /// The resume position and the gaps, keyed. Compacted, kept.
    Positions,
    /// Each process's state every 2 s, keyed by process. Compacted.
    Status,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 6] =
        [Topic::Input, Topic::Processed, Topic::Stored, Topic::Rejected, Topic::Positions, Topic::Status];

    /// The topic's name.
    pub const fn name(self) -> &'static str {
        match self {
            Topic::Input => "input",
            Topic::Processed => "processed",
            Topic::Stored => "stored",
            Topic::Rejected => "rejected",
            Topic::Positions => "positions",
            Topic::Status => "status",
        }
    }

    /// Whether the last record of each key is kept for ever.
    pub const fn is_compacted(self) -> bool {
        matches!(self, Topic::Rejected | Topic::Positions | Topic::Status)
    }
}

/// One record: a key (may be empty) and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// Decides the partition; the last record of a key is kept in compacted topics.
    pub key: String,
    /// The bytes.
    pub payload: Bytes,
}

impl Record {
    /// What it takes of a queue, bytes.
    pub fn size(&self) -> usize {
        self.key.len() + self.payload.len()
    }

    fn check_size(&self, topic: Topic) -> Result<(), BusError> {
        let size = self.size();
        if size <= MAX_RECORD_BYTES {
            return Ok(());
        }
        let name = topic.name();
        Err(BusError::Unsupported(format!(
            "a record of {size} bytes for {name}: at most {MAX_RECORD_BYTES} are carried"
        )))
    }
}

/// Where a received record stands, so that its completion can be committed.
///
/// `assignment` counts how often the partition was given to this consumer: completions that carry an older
/// one are dropped, for another consumer has the partition now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The partition.
    pub partition: i32,
    /// Which assignment of the partition.
    pub assignment: u64,
    /// The record's number within the partition.
    pub offset: i64,
}

/// A record with its place.
#[derive(Debug, Clone)]
pub struct Received {
    /// The record.
    pub record: Record,
    /// Its place.
    pub position: Position,
}

/// Why a bus could not serve, named by what the caller does about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// Retry later.
    #[error("bus unavailable: {0}")]
    Unavailable(String),
    /// Fix the configuration: rights, a record too large, a malformed setting.
    #[error("{0}")]
    Unsupported(String),
    /// The bus was closed: stop.
    #[error("bus closed")]
    Closed,
}

/// Resolves when the next durable thing has the record: the broker's acknowledgement, or on the memory bus the
/// commit of the topic's consumer. A topic that nobody consumes on the memory bus resolves at once.
pub type Delivery = BoxFuture<'static, Result<(), BusError>>;

/// Transport between stages.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Accepts a record, waiting while the topic's queue is full (in records or bytes), and promises its delivery.
    /// The record travels whether or not the delivery is awaited.
    ///
    /// # Errors
    /// `Unsupported` for a record beyond [`MAX_RECORD_BYTES`].
    async fn publish(&self, topic: Topic, record: Record) -> Result<Delivery, BusError>;

    /// Joins the consumers of `topic` under `group`; a group without a commit starts at the earliest record.
    /// What a member received and did not commit comes again, to whoever has its partition next.
    async fn subscribe(&self, topic: Topic, group: &str) -> Result<Box<dyn Consumer>, BusError>;

    /// Every record of `topic` from now on, for every follower; each follower hears all partitions. Never holds
    /// publishers up: one that lags too far behind is told by [`Followed::Missed`].
    async fn follow(&self, topic: Topic) -> Result<Box<dyn Follower>, BusError>;

    /// Every record of `topic` behind a position that a follower of it gave, in this process or another. None where the
    /// bus no longer holds all of them, or the position is none of this topic's. Where some go while it is being read,
    /// [`Followed::Missed`] says so.
    async fn follow_from(&self, topic: Topic, at: &FeedPosition) -> Result<Option<Box<dyn Follower>>, BusError>;

    /// The last record of each key of a compacted topic.
    async fn read_compacted(&self, topic: Topic) -> Result<Vec<Record>, BusError>;
}

/// One member of a consumer group.
#[async_trait]
pub trait Consumer: Send {
    /// The next records in order of their partitions: waits for the first, then takes what is there, at most `max`
    /// and not many more than 4 MiB. Dropping the future loses nothing.
    async fn receive(&mut self, max: usize) -> Result<Vec<Received>, BusError>;

    /// Everything in `position`'s partition up to and including it is done. Older assignments are ignored.
    /// Durable within a second, and at [`Consumer::close`].
    fn commit(&mut self, position: Position) -> Result<(), BusError>;

    /// Whether an assignment is still this consumer's.
    fn holds(&self, position: Position) -> bool;

    /// Stops (or resumes) fetching while the membership is kept alive by `receive`, which then gives nothing.
    fn set_paused(&mut self, paused: bool) -> Result<(), BusError>;

    /// Records between the last one received and the end of the assigned partitions; none where not known.
    fn lag(&self) -> Option<u64>;

    /// Commits what was given to `commit` and leaves the group.
    async fn close(self: Box<Self>) -> Result<(), BusError>;
}

/// What a follower hears.
#[derive(Debug, Clone)]
pub enum Followed {
    /// A record.
    Record(Record),
    /// So many records were left out, since the follower was too slow.
    Missed(u64),
}

/// Whether the records in front of this position are wanted, asked when they are there.
pub type IsWanted<'a> = dyn Fn(&FeedPosition) -> bool + Send + Sync + 'a;

/// Hears every record of a topic.
#[async_trait]
pub trait Follower: Send {
    /// The next one. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Followed, BusError>;

    /// Waits until there is one, and passes over those that are there unless they are wanted, at less cost than hearing
    /// them. Dropping the future loses nothing.
    async fn pass_over(&mut self, is_wanted: &IsWanted<'_>) -> Result<(), BusError>;

    /// Behind what was given last; at first where it began.
    fn position(&self) -> FeedPosition;
}

/// Which bus: `memory:` or `kafka://host[:port][,host…][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusUrl {
    /// Queues within this process; what must last is kept by the store.
    Memory,
    /// A Kafka cluster.
    Kafka {
        /// The brokers to ask first, `host:port` each.
        brokers: Vec<String>,
        /// What the names of topics and groups begin with, so that several installations share a cluster; may be empty.
        prefix: String,
    },
}

const BUS_URL_FORM: &str = "use memory: or kafka://HOST[:PORT][,HOST…][/PREFIX]";
/// What to do where the memory bus does not serve.
pub(crate) const SHARED_BUS_FORM: &str =
    "use kafka://HOST[:PORT][,HOST…][/PREFIX], or run `pagetrack` for everything in one process";

impl FromStr for BusUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "memory:" { Ok(Self::Memory) } else { Self::parse_kafka(text, BUS_URL_FORM) }
    }
}

impl BusUrl {
    /// Parses the address of a bus that several processes share.
    ///
    /// # Errors
    /// In words, with what to use: also for the bus that stays within one process.
    pub fn parse_shared(text: &str) -> Result<Self, String> {
        if text == "memory:" {
            return Err(format!("it stays within one process; {SHARED_BUS_FORM}"));
        }
        Self::parse_kafka(text, SHARED_BUS_FORM)
    }

    fn parse_kafka(text: &str, form: &str) -> Result<Self, String> {
        let error = |why: &str| format!("{why} in {text:?}; {form}");
        let rest = text.strip_prefix("kafka://").ok_or_else(|| error("unknown kind of bus"))?;
        let (hosts, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let brokers = parse_hosts(hosts, 9092).map_err(|why| error(&why))?;
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if prefix.len() > 64 || !prefix.bytes().all(is_name) {
            return Err(error("a prefix must be a-z, A-Z, 0-9, '.', '_' and '-', at most 64:"));
        }
        Ok(Self::Kafka { brokers, prefix: prefix.into() })
    }
}

impl fmt::Display for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Kafka { brokers, prefix } if prefix.is_empty() => write!(f, "kafka://{}", brokers.join(",")),
            Self::Kafka { brokers, prefix } => write!(f, "kafka://{}/{prefix}", brokers.join(",")),
        }
    }
}

/// Opens the bus at `url`; `store` keeps the compacted topics of the memory bus.
///
/// # Errors
/// `Unavailable` when no broker answers within 15 s, `Unsupported` when topics are missing and may not be created.
pub async fn open(url: &BusUrl, store: Arc<dyn Store>) -> Result<Arc<dyn Bus>, BusError> {
    open_with(url, Some(store)).await
}

/// Opens a bus that several processes share, for a process that has no store.
///
/// # Errors
/// As [`open`], and `Unsupported` for a bus that lives within one process.
pub async fn open_shared(url: &BusUrl) -> Result<Arc<dyn Bus>, BusError> {
    open_with(url, None).await
}

async fn open_with(url: &BusUrl, store: Option<Arc<dyn Store>>) -> Result<Arc<dyn Bus>, BusError> {
    match url {
        BusUrl::Memory => match store {
            Some(store) => Ok(MemoryBus::new(store)),
            None => Err(BusError::Unsupported(format!("--bus {url} stays within one process; {SHARED_BUS_FORM}"))),
        },
        BusUrl::Kafka { brokers, prefix } => Ok(KafkaBus::open(brokers, prefix).await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bus_urls_are_read_and_written() {
        let check = |text: &str, shown: &str| assert_eq!(text.parse::<BusUrl>().unwrap().to_string(), shown);
        check("memory:", "memory:");
        check("kafka://one,two:9093", "kafka://one:9092,two:9093");
        check("kafka://one/", "kafka://one:9092");
        check("kafka://one/team-a", "kafka://one:9092/team-a");
    }

    #[test]
    fn a_malformed_bus_url_is_named_with_its_remedy() {
        for bad in ["", "memory", "redis://one", "kafka://", "kafka://one:0", "kafka://one/a/b", "kafka://one/ä"] {
            let why = bad.parse::<BusUrl>().unwrap_err();
            assert!(why.contains(bad) && why.contains("kafka://HOST"), "{why}");
        }
    }

    #[test]
    fn a_bus_within_one_process_is_not_shared() {
        let kafka = BusUrl::Kafka { brokers: vec!["one:9092".into()], prefix: String::new() };
        assert_eq!(BusUrl::parse_shared("kafka://one"), Ok(kafka));
        for bad in ["memory:", "redis://one", ""] {
            let why = BusUrl::parse_shared(bad).unwrap_err();
            assert!(why.contains("kafka://HOST") && !why.contains("use memory:"), "{why}");
        }
    }

    #[tokio::test]
    async fn what_stays_within_one_process_is_not_opened_for_several() {
        let Err(BusError::Unsupported(why)) = open_shared(&BusUrl::Memory).await else { panic!("it opened") };
        assert!(why.contains("--bus memory: stays within one process; use kafka://HOST"), "{why}");
    }
}
