//! Answers that a client or a cache may keep: for how long, and whether one that it has is still right.

use async_graphql::{Response as Answer, Value};
use axum::http::HeaderValue;
use data_encoding::HEXLOWER;
use xxhash_rust::xxh3::xxh3_128;

/// A cache in front of us may answer a burst of the same question; then it asks again, with the tag.
const LIVE: &str = "public, max-age=1";

/// For how long an answer may be kept, as `Cache-Control` says it.
pub(super) fn policy(answer: &Answer) -> String {
    match answer.cache_control.max_age {
        ..=0 => LIVE.into(),
        seconds => format!("public, max-age={seconds}"),
    }
}

/// What tells two answers apart. It is weak: the same answer has different bytes under each content coding, and says
/// anew each time up to when its counts are (`extensions.asOf`), which may change where they do not.
pub(super) fn tag(answer: &mut Answer) -> String {
    let as_of = answer.extensions.remove("asOf");
    let hash = xxh3_128(&serde_json::to_vec(&*answer).expect("an answer is JSON"));
    answer.extensions.extend(as_of.map(|as_of: Value| ("asOf".to_owned(), as_of)));
    format!("W/\"{}\"", HEXLOWER.encode(&hash.to_be_bytes()))
}

/// Whether a client has what this tag is of, by its `If-None-Match`: it may name several, or any.
pub(super) fn knows(known: &HeaderValue, tag: &str) -> bool {
    let mut tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag.trim_start_matches("W/"))
}
