//! What could not be stored, as the topic `rejected` keeps it: once per content, under the hash of the bytes.

use crate::bus::Record;
use crate::clean::RejectReason;
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// How many bytes of an event are kept.
const KEPT_BYTES: usize = 64 * 1024;

/// One rejected event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Why.
    pub reason: RejectReason,
    /// When last, by the clock of the process that rejected it.
    pub at: DateTime<Utc>,
    /// The first 64 KiB of the event's bytes, base64.
    pub bytes: String,
    /// How many bytes the event had.
    pub length: u64,
    /// xxh3-128 of all bytes, hex; the record's key.
    pub hash: String,
}

/// The record of the topic `rejected`; the same bytes give the same key.
pub(crate) fn rejected_record(event: &[u8], reason: RejectReason, at: DateTime<Utc>) -> Record {
    let hash = format!("{:032x}", xxh3_128(event));
    let bytes = BASE64.encode(&event[..event.len().min(KEPT_BYTES)]);
    let rejected = Rejected { reason, at, bytes, length: event.len() as u64, hash: hash.clone() };
    let payload = serde_json::to_vec(&rejected).expect("a rejected event is JSON");
    Record { key: hash, payload: payload.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_event_keeps_its_beginning_its_length_and_its_hash() {
        let event = vec![0xff; 300_000];
        let record = rejected_record(&event, RejectReason::TooLarge, DateTime::UNIX_EPOCH);
        let kept: Rejected = serde_json::from_slice(&record.payload).unwrap();
        assert_eq!(BASE64.decode(kept.bytes.as_bytes()).unwrap(), vec![0xff; 65_536]);
        assert_eq!((kept.length, &kept.hash), (300_000, &record.key));
        assert_ne!(rejected_record(&event[1..], RejectReason::TooLarge, DateTime::UNIX_EPOCH).key, record.key);
    }
}
