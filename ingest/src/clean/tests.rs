//! Every rule by a recorded or documented event, all recordings with their counts, and bytes that nobody wrote.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PAGE_CREATE: &str = include_str!("../../sample/page-create.jsonl");
const FIRST_REVISIONS: &str = include_str!("../../sample/first-revisions.jsonl");
const EDITS: &str = include_str!("../../../tests/data/edits.jsonl");
const PAGE_CHANGE: &str = include_str!("../../../tests/data/page-change.jsonl");

/// A documented event with one part replaced.
fn event(from: &str, to: &str) -> String {
    let whole = concat!(
        r#"{"$schema":"/mediawiki/revision/create/2.0.0","meta":{"stream":"mediawiki.page-create","#,
        r#""domain":"it.wikisource.org","dt":"2025-05-18T13:00:02.5Z","id":"7d0b2f0e-0001"},"#,
        r#""database":"itwikisource","page_id":975886,"page_title":"Pagina:Opere.djvu/1","page_namespace":108,"#,
        r#""page_is_redirect":false,"rev_id":3520001,"rev_timestamp":"2025-05-18T13:00:01Z","#,
        r#""dt":"2025-05-18T13:00:00.999Z","performer":{"user_text":"Candalua","user_id":5471,"user_is_bot":false}}"#
    );
    assert!(whole.contains(from), "{from} is not part of the event");
    whole.replacen(from, to, 1)
}

fn outcome(raw: &[u8]) -> String {
    match clean(raw) {
        Ok(page) => format!("page of {} at {}", page.domain, page.created_at.to_rfc3339()),
        Err(reject) => reject.to_string(),
    }
}

#[track_caller]
fn check_clean(raw: impl AsRef<[u8]>, expected: &str) {
    let found = outcome(raw.as_ref());
    assert!(found.starts_with(expected), "found {found}\nexpected {expected}");
}

#[track_caller]
fn check_changed(from: &str, to: &str, expected: &str) {
    check_clean(event(from, to), expected);
}

#[test]
fn a_documented_event_becomes_a_page() {
    insta::assert_snapshot!(as_json(&event("108", "108")), @r#"{"page_id":975886,"user_id":5471,"user_name":"Candalua","domain":"it.wikisource.org","page_title":"Pagina:Opere.djvu/1","created_at":1747573200,"wiki":"itwikisource","namespace":108,"is_redirect":false,"is_bot":false,"rev_id":3520001,"event_id":"7d0b2f0e-0001","version":1747573200087262}"#);
}

fn as_json(raw: &str) -> String {
    serde_json::to_string(&clean(raw.as_bytes()).unwrap()).unwrap()
}

#[test]
fn recordings_give_their_counts() {
    insta::assert_snapshot!(counts(PAGE_CREATE), @r#"{"AnonymousCreator": 1, "page": 58}"#);
    insta::assert_snapshot!(counts(FIRST_REVISIONS), @r#"{"AnonymousCreator": 4, "page": 380}"#);
    insta::assert_snapshot!(counts(EDITS), @r#"{"NotACreation": 200}"#);
    insta::assert_snapshot!(counts(PAGE_CHANGE), @r#"{"NotACreation": 13, "page": 3}"#);
}

fn counts(recording: &str) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for line in recording.lines() {
        let name = clean(line.as_bytes()).map_or_else(|r| format!("{:?}", r.reason), |_| "page".into());
        *counts.entry(name).or_default() += 1;
    }
    format!("{counts:?}")
}

#[test]
fn a_page_change_gives_the_same_facts() {
    let line = PAGE_CHANGE.lines().nth(1).unwrap();
    insta::assert_snapshot!(as_json(line), @r#"{"page_id":330276,"user_id":2490,"user_name":"DCausse (WMF)","domain":"test.wikidata.org","page_title":"User:DCausse_(WMF)/Test","created_at":1728059783,"wiki":"testwikidatawiki","namespace":2,"is_redirect":false,"is_bot":false,"rev_id":686143,"event_id":"f555013c-c5f5-4aca-bd60-5dd437037b45","version":1728059783379873}"#);
}

#[test]
fn a_recorded_anonymous_creator_is_excluded() {
    let line = PAGE_CREATE.lines().find(|l| !l.contains("\"user_id\"")).unwrap();
    check_clean(line, "AnonymousCreator");
    check_changed(r#""user_id":5471,"#, "", "AnonymousCreator");
    check_changed("5471", "0", "AnonymousCreator");
    check_changed("5471", "null", "AnonymousCreator");
}

#[test]
fn a_creator_without_a_trace_is_excluded() {
    check_changed(r#","performer":{"user_text":"Candalua","user_id":5471,"user_is_bot":false}"#, "", "HiddenCreator");
    check_changed(r#"{"user_text":"Candalua","user_id":5471,"user_is_bot":false}"#, "null", "HiddenCreator");
}

#[test]
fn a_temporary_account_has_a_number() {
    check_changed("Candalua", "~2026-12345-67", "page of it.wikisource.org");
}

#[test]
fn canaries_are_told_apart_whatever_they_hold() {
    let canary = concat!(
        r#"{"$schema":"/mediawiki/revision/create/2.0.0","meta":{"stream":"mediawiki.page-create","domain":"canary"},"#,
        r#""database":"examplewiki","dt":"2020-06-10T18:56:00Z","page_id":123,"page_title":"TestPage10","#,
        r#""performer":{"user_text":"example","user_id":123}}"#
    );
    check_clean(canary, "Canary");
    check_clean(canary.replace("123", "\"x\""), "Canary: a malformed");
    check_clean(r#"{"meta":{"domain":"canary"}}"#, "Canary");
}

#[test]
fn other_kinds_of_events_are_no_creations() {
    check_clean(EDITS.lines().next().unwrap(), "NotACreation: revision 352825217");
    check_clean(PAGE_CHANGE.lines().nth(3).unwrap(), "NotACreation: page_change_kind \"move\"");
    check_changed("mediawiki.page-create", "mediawiki.page-delete", "NotACreation: stream");
    check_changed(r#""rev_id""#, r#""rev_parent_id":7,"rev_id""#, "NotACreation: revision 7");
    check_changed(r#""rev_id""#, r#""rev_parent_id":0,"rev_id""#, "page");
}

#[test]
fn what_is_no_json_object_is_told() {
    for raw in ["", "null", "17", "[]", "[{\"meta\":{}}]", "\"x\"", ":ok", "{", "{}x", "{'a':1}", "\u{feff}{}"] {
        check_clean(raw, "InvalidJson");
    }
    let whole = event("108", "108");
    for length in 0..whole.len() {
        check_clean(&whole[..length], "InvalidJson");
    }
    check_clean(b"{\"meta\":\"\xff\"}", "InvalidJson");
    check_clean(b"{\"unread\":\"\xed\xa0\x80\"}", "InvalidJson");
    check_changed("Candalua", "Can\u{1}dalua", "InvalidJson");
    check_clean("[".repeat(100_000), "InvalidJson");
}

#[test]
fn what_a_row_needs_must_be_there() {
    check_clean("{}", "MissingField: no meta");
    check_clean(r#"{"meta":{}}"#, "MissingField: no meta.stream");
    check_changed(r#""page_id":975886,"#, "", "MissingField: no page_id");
    check_changed(r#""page_title":"Pagina:Opere.djvu/1","#, "", "MissingField: no page_title");
    check_changed(r#""page_namespace":108,"#, "", "MissingField: no page_namespace");
    check_changed(r#""rev_id":3520001,"#, "", "MissingField: no rev_id");
    check_changed(r#""user_text":"Candalua","#, "", "MissingField: no performer.user_text");
    check_changed(r#""database":"itwikisource","#, "", "MissingField: no database");
    check_changed(r#""domain":"it.wikisource.org","#, "", "MissingField: no meta.domain");
    check_changed(r#""dt":"2025-05-18T13:00:02.5Z","#, "", "MissingField: no meta.dt");
    check_changed(r#""page_is_redirect":false,"#, "", "page");
    check_changed(r#","user_is_bot":false"#, "", "page");
    check_changed(r#","id":"7d0b2f0e-0001""#, "", "page");
}

#[test]
fn values_that_cannot_be_right_are_told() {
    for number in ["0", "-1", "1.0", "1e3", "1e999", "\"5\"", "9223372036854775808", "99999999999999999999999", "[[1]]"]
    {
        check_changed("975886", number, "InvalidField");
        check_changed("3520001", number, "InvalidField");
    }
    check_changed("5471", "-5", "InvalidField");
    check_changed("108", "-1", "InvalidField: page_namespace");
    check_changed("108", "2147483648", "InvalidField");
    check_changed("Candalua", "", "InvalidField: performer.user_text");
    check_changed("Candalua", r"Can\u0000dalua", "InvalidField: performer.user_text \"Can\\0dalua\" holds a NUL");
    check_changed("Candalua", r"Can\ud800dalua", "InvalidField");
    check_changed("Candalua", &"x".repeat(1025), "InvalidField");
    check_changed("Candalua", &"x".repeat(1024), "page");
    check_changed(r#""page_id":975886"#, r#""page_id":1,"page_id":975886"#, "InvalidField: duplicate field");
    check_changed("it.wikisource.org", "IT.wikisource.org", "InvalidField: domain");
    check_changed("itwikisource", "it wikisource", "InvalidField: wiki");
    check_changed("7d0b2f0e-0001", "", "InvalidField: meta.id");
}

#[test]
fn what_is_not_read_may_be_anything() {
    let deep = format!(r#""unread":{}{},"rev_id""#, "[".repeat(60_000), "]".repeat(60_000));
    check_changed(r#""rev_id""#, &deep, "page");
    check_changed(r#""rev_id""#, r#""unread":"\ud800","unread":1e999,"rev_id""#, "page");
    check_changed("Pagina:Opere", r#"\"<b>\u202e\u001b[31m"#, "page");
}

#[test]
fn long_events_are_not_read() {
    let filler = "x".repeat(MAX_EVENT_BYTES);
    check_changed("108,", &format!("108,\"unread\":\"{filler}\","), "TooLarge");
    check_clean(filler, "InvalidJson");
}

#[test]
fn the_events_own_time_counts() {
    let own = r#""dt":"2025-05-18T13:00:00.999Z","#;
    check_changed("108", "108", "page of it.wikisource.org at 2025-05-18T13:00:00+00:00");
    check_changed(own, "", "page of it.wikisource.org at 2025-05-18T13:00:01+00:00");
    let neither = event(own, "").replace(r#""rev_timestamp":"2025-05-18T13:00:01Z","#, "");
    check_clean(neither, "page of it.wikisource.org at 2025-05-18T13:00:02+00:00");
    check_changed(
        "2025-05-18T13:00:00.999Z",
        "2025-05-18T14:30:00+01:30",
        "page of it.wikisource.org at 2025-05-18T13:00:00+00:00",
    );
    check_changed("2025-05-18T13:00:00.999Z", "2025-05-19T13:00:02Z", "page");
    check_changed("2025-05-18T13:00:00.999Z", "2025-05-19T13:00:03Z", "InvalidField: created");
    check_changed("2025-05-18T13:00:00.999Z", "2001-01-01T00:00:00Z", "page");
    check_changed("2025-05-18T13:00:00.999Z", "2000-12-31T23:59:59Z", "InvalidField: created");
    check_changed("2025-05-18T13:00:00.999Z", "yesterday", "InvalidField: dt");
    let at_the_end = event("2025-05-18T13:00:02.5Z", "9999-12-31T23:59:59-23:00");
    check_clean(at_the_end.replace("2025-05-18T13:00:00.999Z", "9999-12-31T23:59:59-23:00"), "InvalidField: created");
}

#[test]
fn the_login_host_is_no_wiki() {
    check_changed("it.wikisource.org", "auth.wikimedia.org", "page of it.wikisource.org");
    let unknown = event("it.wikisource.org", "auth.wikimedia.org").replace("itwikisource", "something");
    check_clean(unknown, "InvalidField: no domain is known of database");
}

#[test]
fn versions_order_by_time_then_by_identity() {
    let version = |raw: String| clean(raw.as_bytes()).unwrap().version;
    let base = version(event("108", "108"));
    assert_eq!(base.div_euclid(1_000_000), 1_747_573_200);
    assert_eq!(base, version(event("Candalua", "Another")), "the same meta.id");
    assert_ne!(base, version(event("0001", "0002")));
    let without_id = |title: &str| version(event(r#","id":"7d0b2f0e-0001""#, "").replace("Opere", title));
    assert_ne!(without_id("A"), without_id("B"));
    assert_eq!(without_id("A"), without_id("A"));
}

proptest! {
    #[test]
    fn no_bytes_panic(raw in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = clean(&raw);
    }

    #[test]
    fn no_mutated_event_panics(line in 0usize..75, at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..12), cut in 0usize..40) {
        let line = PAGE_CREATE.lines().chain(PAGE_CHANGE.lines()).nth(line).unwrap();
        let mut raw = line.as_bytes().to_vec();
        let from = at.index(raw.len());
        let to = (from + cut).min(raw.len());
        raw.splice(from..to, with);
        if let Ok(page) = clean(&raw) {
            prop_assert!(!page.page_title.is_empty() && page.created_at.timestamp() >= FIRST_DAY);
            prop_assert_eq!(clean(&raw), Ok(page));
        }
    }
}

/// What others write into the topic of clean pages.
#[test]
fn a_page_that_no_event_gives_is_refused() {
    let page = clean(event("108", "108").as_bytes()).unwrap();
    assert_eq!(check(&page), Ok(()));
    let far: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;
    let others = [
        Page { user_name: String::new(), ..page.clone() },
        Page { user_name: "x".repeat(70_000), ..page.clone() },
        Page { page_title: "x".repeat(70_000), ..page.clone() },
        Page { event_id: Some("x".repeat(256)), ..page.clone() },
        Page { namespace: -1, ..page.clone() },
        Page { rev_id: 0, ..page.clone() },
        Page { created_at: far, version: far.timestamp_micros(), ..page.clone() },
        Page { version: i64::MAX, ..page.clone() },
        Page { version: page.version - 1_000_000, ..page.clone() },
    ];
    for other in others {
        assert_eq!(check(&other).map_err(|refused| refused.reason), Err(RejectReason::InvalidField), "{other:?}");
    }
}
