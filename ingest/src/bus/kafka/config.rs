//! How the Kafka clients are set: nothing lost, and a process stays small (the client's own limits are huge).

use crate::bus::MAX_RECORD_BYTES;
use rdkafka::ClientConfig;

/// What a message may take, with room for headers and batch overhead.
const MESSAGE_BYTES: usize = MAX_RECORD_BYTES + 64 * 1024;
/// How much is fetched ahead per consumer.
const FETCH_BYTES: usize = 8 << 20;

/// Where the brokers are, as every client needs it.
pub(super) fn client(brokers: &[String]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers.join(","))
        .set("client.id", "pagetrack")
        .set("message.max.bytes", MESSAGE_BYTES.to_string())
        .set("reconnect.backoff.max.ms", "2000")
        .set("socket.keepalive.enable", "true");
    config
}

/// Acknowledged by all replicas, each once per session; a record waits for its broker as long as it takes. One request
/// is in flight at a time: what comes meanwhile shares the next one, so batches grow under load and wait for nothing
/// without it (with five the broker took half as much processor time again).
pub(super) fn producer(brokers: &[String]) -> ClientConfig {
    let mut config = client(brokers);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", "2")
        .set("max.in.flight.requests.per.connection", "1")
        .set("message.timeout.ms", "0")
        .set("compression.type", "lz4")
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "32768");
    config
}

/// A reader of partitions that it chooses itself; nothing is committed.
pub(super) fn reader(brokers: &[String], name: &str) -> ClientConfig {
    let mut config = client(brokers);
    config
        .set("group.id", name)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.message.max.bytes", MESSAGE_BYTES.to_string())
        .set("fetch.max.bytes", FETCH_BYTES.to_string())
        .set("receive.message.max.bytes", (FETCH_BYTES + (1 << 20)).to_string());
    config
}

/// A reader that follows a topic for one who may read slowly, one of many: it fetches little ahead.
pub(super) fn follower(brokers: &[String], name: &str) -> ClientConfig {
    let mut config = reader(brokers, name);
    config
        .set("queued.min.messages", "1000")
        .set("queued.max.messages.kbytes", "1024")
        .set("fetch.max.bytes", MESSAGE_BYTES.to_string());
    config
}

/// A member of a group. A member that dies is noticed within 10 s.
pub(super) fn member(brokers: &[String], group: &str) -> ClientConfig {
    let mut config = reader(brokers, group);
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "2000");
    config
}
