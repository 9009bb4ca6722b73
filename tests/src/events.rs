//! Events as bytes: recorded ones, copies of them, and what nobody recorded but the documentation describes.

use anyhow::Context;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::path::Path;

/// Every recorded event: page creations of 2020 to 2025, first revisions, edits, and events of another schema.
///
/// # Errors
/// When a file cannot be read.
pub fn recorded() -> anyhow::Result<Vec<Bytes>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = [
        "ingest/sample/page-create.jsonl",
        "ingest/sample/first-revisions.jsonl",
        "tests/data/edits.jsonl",
        "tests/data/page-change.jsonl",
    ];
    let mut events = Vec::new();
    for file in files {
        let path = root.join(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        events.extend(text.lines().map(|line| Bytes::copy_from_slice(line.as_bytes())));
    }
    Ok(events)
}

/// `count` copies of recorded page creations, each another page, of the day before `now`.
pub fn copies(seed: u64, count: usize, now: DateTime<Utc>) -> Vec<Bytes> {
    ingest::sample::history(seed, count, now).collect()
}

/// What no recording holds: a canary, a hidden creator, an IP author, a temporary account, and bytes that are no event.
pub fn special() -> Vec<Bytes> {
    let event = |domain: &str, page_id: u64, performer: &str| {
        format!(
            concat!(
                r#"{{"$schema":"/mediawiki/revision/create/2.0.0","meta":{{"domain":"{}","dt":"2026-05-18T08:03:14Z","#,
                r#""stream":"mediawiki.page-create","id":"special-{}"}},"database":"testwiki","page_id":{},"#,
                r#""page_title":"Special \"{}\"","page_namespace":0,"page_is_redirect":false,"rev_id":{},"#,
                r#""rev_timestamp":"2026-05-18T08:03:14Z","dt":"2026-05-18T08:03:14Z"{}}}"#
            ),
            domain, page_id, page_id, page_id, page_id, performer
        )
    };
    let performer = |fields: &str| format!(r#","performer":{{"user_text":"{fields}}}"#);
    let texts = [
        event("canary", 123, &performer(r#"Canary","user_id":123,"user_groups":["*"],"user_is_bot":false"#)),
        event("test.wikipedia.org", 124, ""),
        event("test.wikipedia.org", 125, &performer(r#"192.0.2.7","user_groups":["*"],"user_is_bot":false"#)),
        event("test.wikipedia.org", 126, &performer(r#"~2026-12345-67","user_id":9000001,"user_is_bot":false"#)),
        event("test.wikipedia.org", 0, &performer(r#"Zero","user_id":9000002,"user_is_bot":false"#)),
        r#"{"half":"an ev"#.into(),
        "[]".into(),
        "\u{202e}not json \u{1b}[2J".into(),
    ];
    texts.into_iter().map(Bytes::from).collect()
}
