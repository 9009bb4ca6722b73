//! One event's bytes to a clean page or the reason why not. Pure.

use serde::{Deserialize, Serialize};

/// Why an event is not stored. The first three are left out on purpose; the others are faults of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectReason {
    /// The stream's own test event; counted apart, a proof of life.
    Canary,
    /// No user id: an IP address.
    AnonymousCreator,
    /// No creator at all.
    HiddenCreator,
    /// Another kind of event: an edit, a deletion.
    NotACreation,
    /// Not JSON, or not an object.
    InvalidJson,
    /// A field that a row needs is absent.
    MissingField,
    /// A field has a value that cannot be right.
    InvalidField,
    /// Longer than 256 KiB.
    TooLarge,
    /// Its hour is frozen by retention.
    BeyondRetention,
}
