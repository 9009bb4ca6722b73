//! The server's history: events with their topics and times, and what a resume gives of it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// As the service: one topic for each data centre, and mostly one of them in use.
const TOPICS: [&str; 2] = ["eqiad.mediawiki.page-create", "codfw.mediawiki.page-create"];

#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<Logged>,
    held_from: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Logged {
    topic: usize,
    /// Milliseconds since 1970.
    time: i64,
    pub(super) event: Bytes,
}

#[derive(Deserialize)]
struct Asked {
    topic: String,
    timestamp: Option<i64>,
}

impl Log {
    pub(super) fn push(&mut self, at: DateTime<Utc>, event: Bytes) {
        let topic = usize::from(self.events.len() % 5 == 4);
        self.events.push(Logged { topic, time: at.timestamp_millis(), event });
    }

    pub(super) fn expire_before(&mut self, at: DateTime<Utc>) {
        self.held_from = at.timestamp_millis();
    }

    pub(super) fn get(&self, index: usize) -> Option<&Logged> {
        self.events.get(index)
    }

    /// Where each topic starts: at the first event of the asked time, or at the latest where there is no such event
    /// or it is no longer held.
    pub(super) fn starts(&self, last_event_id: Option<&str>) -> [usize; 2] {
        let latest = self.events.len();
        let asked: Vec<Asked> = last_event_id.and_then(|id| serde_json::from_str(id).ok()).unwrap_or_default();
        TOPICS.map(|topic| {
            let time = asked.iter().find(|asked| asked.topic == topic).and_then(|asked| asked.timestamp);
            match time.filter(|time| *time >= self.held_from) {
                Some(time) => self.events.iter().position(|event| event.time >= time).unwrap_or(latest),
                None => latest,
            }
        })
    }
}

/// What one connection was sent of each topic: the next id.
#[derive(Debug, Default)]
pub(super) struct Sent(BTreeMap<usize, i64>);

impl Sent {
    pub(super) fn id_after(&mut self, logged: &Logged) -> String {
        self.0.insert(logged.topic, logged.time + 1);
        let entries: Vec<String> = TOPICS
            .iter()
            .enumerate()
            .map(|(index, topic)| match self.0.get(&index) {
                Some(time) => format!(r#"{{"topic":"{topic}","partition":0,"timestamp":{time}}}"#),
                None => format!(r#"{{"topic":"{topic}","partition":0,"offset":-1}}"#),
            })
            .collect();
        format!("[{}]", entries.join(","))
    }
}

impl Logged {
    pub(super) fn is_from(&self, index: usize, starts: [usize; 2]) -> bool {
        index >= starts[self.topic]
    }
}
