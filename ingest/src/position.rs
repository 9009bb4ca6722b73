//! The resume position: the stream's own id, one timestamp per topic. Pure; ids are hostile.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::time::Duration;

const MAX_ID_BYTES: usize = 16 * 1024;
const MAX_TOPICS: usize = 64;
/// Kafka's own limit.
const MAX_TOPIC_BYTES: usize = 249;

/// A topic of the stream and one of its partitions.
pub type TopicPartition = (String, u32);

/// How far the stream was read, per topic and partition: the last message's time + 1 ms, none where the topic was at
/// its latest message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct StreamPosition(BTreeMap<TopicPartition, Option<u64>>);

/// One topic in the stream's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    topic: String,
    partition: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
}

impl StreamPosition {
    /// The position of an event's id. A time after `now` would make every later event look old and a resume begin at
    /// the latest event; it is taken as `now`, which only repeats more.
    ///
    /// # Errors
    /// In words, when it is not an array of 1 to 64 topics as the stream sends it.
    pub fn parse(id: &str, now: DateTime<Utc>) -> Result<Self, String> {
        if id.len() > MAX_ID_BYTES {
            return Err(format!("an id of {} bytes", id.len()));
        }
        let entries: Vec<Entry> = serde_json::from_str(id).map_err(|e| format!("an id that is no array: {e}"))?;
        let mut position = Self::try_from(entries)?;
        let latest = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        position.0.values_mut().flatten().for_each(|time| *time = (*time).min(latest));
        Ok(position)
    }

    /// Whether it names no topic: the start of everything, and nothing to resume from.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over what is newer; no topic ever steps back. The topic that stepped forward, the last one of several.
    pub fn merge(&mut self, newer: &Self) -> Option<TopicPartition> {
        let mut advanced = None;
        for (key, timestamp) in &newer.0 {
            let is_full = self.0.len() >= MAX_TOPICS;
            match self.0.entry(key.clone()) {
                MapEntry::Occupied(mut entry) if *timestamp > *entry.get() => {
                    entry.insert(*timestamp);
                    advanced = Some(key.clone());
                }
                MapEntry::Vacant(entry) if !is_full => {
                    entry.insert(*timestamp);
                    advanced = timestamp.map(|_| key.clone()).or(advanced);
                }
                _ => {}
            }
        }
        advanced
    }

    /// One topic's time, ms since 1970.
    pub fn time_of(&self, topic: &TopicPartition) -> Option<u64> {
        self.0.get(topic).copied().flatten()
    }

    /// The newest time of any topic, ms since 1970.
    pub fn newest(&self) -> Option<u64> {
        self.0.values().flatten().max().copied()
    }

    /// What to send as `Last-Event-ID`: each topic's time less the overlap; a topic without one gets the smallest of
    /// the others (without a time it would start at its latest message). None when no topic has a time.
    pub fn resume_id(&self, overlap: Duration) -> Option<String> {
        let smallest = self.0.values().flatten().min().copied()?;
        let overlap = u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX);
        let entries: Vec<Entry> = self
            .0
            .iter()
            .map(|((topic, partition), timestamp)| Entry {
                topic: topic.clone(),
                partition: *partition,
                timestamp: Some(timestamp.unwrap_or(smallest).saturating_sub(overlap)),
                offset: None,
            })
            .collect();
        Some(serde_json::to_string(&entries).expect("topics and numbers are JSON"))
    }
}

impl TryFrom<Vec<Entry>> for StreamPosition {
    type Error = String;

    fn try_from(entries: Vec<Entry>) -> Result<Self, String> {
        if entries.is_empty() || entries.len() > MAX_TOPICS {
            return Err(format!("an id of {} topics", entries.len()));
        }
        let is_name = |topic: &str| {
            (1..=MAX_TOPIC_BYTES).contains(&topic.len())
                && topic.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if !entries.iter().all(|entry| is_name(&entry.topic)) {
            return Err("an id with a topic of no such name".into());
        }
        let mut position = Self::default();
        for entry in entries {
            position.merge(&Self(BTreeMap::from([((entry.topic, entry.partition), entry.timestamp)])));
        }
        Ok(position)
    }
}

impl From<StreamPosition> for Vec<Entry> {
    fn from(position: StreamPosition) -> Self {
        let entry = |((topic, partition), timestamp): ((String, u32), Option<u64>)| {
            let offset = if timestamp.is_none() { Some(-1) } else { None };
            Entry { topic, partition, timestamp, offset }
        };
        position.0.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORDED: &str = concat!(
        r#"[{"topic":"eqiad.mediawiki.page-create","partition":0,"offset":-1},"#,
        r#"{"topic":"codfw.mediawiki.page-create","partition":0,"timestamp":1629474555001}]"#
    );

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_629_474_600, 0).unwrap()
    }

    fn parse(id: &str) -> Result<StreamPosition, String> {
        StreamPosition::parse(id, now())
    }

    #[track_caller]
    fn check_resume(id: &str, overlap: u64, expected: &str) {
        let resume = parse(id).unwrap().resume_id(Duration::from_secs(overlap));
        assert_eq!(resume.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn resuming_overlaps_and_never_starts_at_the_latest() {
        check_resume(
            RECORDED,
            60,
            concat!(
                r#"[{"topic":"codfw.mediawiki.page-create","partition":0,"timestamp":1629474495001},"#,
                r#"{"topic":"eqiad.mediawiki.page-create","partition":0,"timestamp":1629474495001}]"#
            ),
        );
        check_resume(
            r#"[{"topic":"a","partition":1,"timestamp":5}]"#,
            60,
            r#"[{"topic":"a","partition":1,"timestamp":0}]"#,
        );
        check_resume(r#"[{"topic":"a","partition":0,"offset":-1}]"#, 60, "none");
    }

    #[test]
    fn positions_never_step_back() {
        let at = |a: u64, b: u64| {
            parse(&format!(
                r#"[{{"topic":"a","partition":0,"timestamp":{a}}},{{"topic":"b","partition":0,"timestamp":{b}}}]"#
            ))
            .unwrap()
        };
        let mut position = at(10, 10);
        assert_eq!(position.merge(&at(9, 10)), None);
        assert_eq!(position.merge(&at(9, 11)), Some(("b".into(), 0)));
        assert_eq!(position, at(10, 11));
        assert_eq!(position.merge(&parse(r#"[{"topic":"a","partition":0,"offset":-1}]"#).unwrap()), None);
        assert_eq!(position, at(10, 11));
    }

    #[test]
    fn a_time_of_the_future_is_the_present() {
        let future = parse(&RECORDED.replace("1629474555001", "1629561000001")).unwrap();
        let now = parse(&RECORDED.replace("1629474555001", &u64::MAX.to_string())).unwrap();
        assert_eq!(future, now);
        assert!(future.newest().unwrap() < 1_629_561_000_001);
    }

    #[test]
    fn hostile_ids_are_refused() {
        let many = |n: usize| {
            let entries: Vec<_> =
                (0..n).map(|i| format!(r#"{{"topic":"t{i}","partition":0,"timestamp":1}}"#)).collect();
            format!("[{}]", entries.join(","))
        };
        assert!(parse(&many(64)).is_ok());
        for id in [
            String::new(),
            "[]".into(),
            "{}".into(),
            "17".into(),
            many(65),
            many(5_000),
            RECORDED.replace("1629474555001", "99999999999999999999999999"),
            RECORDED.replace("1629474555001", "-5"),
            RECORDED.replace("1629474555001", "1e400"),
            RECORDED.replace("codfw", "co\\r\\ndfw"),
            RECORDED.replace("codfw", ""),
            "[".repeat(10_000),
        ] {
            let id = id.replace(r#""topic":".mediawiki.page-create""#, r#""topic":"""#);
            assert!(parse(&id).is_err(), "{}", &id[..id.len().min(100)]);
        }
    }

    #[test]
    fn a_position_is_kept_as_the_streams_own_id() {
        let kept = serde_json::to_string(&parse(RECORDED).unwrap()).unwrap();
        assert_eq!(serde_json::from_str::<StreamPosition>(&kept).unwrap(), parse(RECORDED).unwrap());
        assert!(kept.contains(r#""offset":-1"#) && kept.contains("1629474555001"));
    }

    #[test]
    fn topics_do_not_pile_up() {
        let mut position = StreamPosition::default();
        for i in 0..1_000 {
            position.merge(&parse(&format!(r#"[{{"topic":"t{i}","partition":0,"timestamp":1}}]"#)).unwrap());
        }
        assert_eq!(position.0.len(), MAX_TOPICS);
    }

    proptest! {
        #[test]
        fn no_id_panics(id in ".{0,200}") {
            let _ = parse(&id);
        }
    }
}
