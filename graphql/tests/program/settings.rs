//! Malformed settings: exit code 2, one line that names setting, value and remedy, and nothing was started.

use crate::http;
use crate::process::{Running, last_word};
use tempfile::TempDir;

/// Runs `command` with `setting` at `value`: the line names both, the variable, and each of `remedy`.
fn check_refused(command: &[&str], setting: &str, value: &str, remedy: &[&str]) {
    let arg = format!("{setting}={value}");
    let said = last_word(&[command, &[arg.as_str()]].concat(), 2);
    let variable = format!("PAGETRACK_{}", setting.trim_start_matches('-').to_uppercase().replace('-', "_"));
    for part in [setting, &format!("{value:?}"), &variable].into_iter().chain(remedy.iter().copied()) {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

/// The line of a command line that cannot be read has each of `parts`, and where to look.
fn check_unreadable(args: &[&str], parts: &[&str]) {
    let said = last_word(args, 2);
    for part in parts.iter().chain(&["pagetrack: ", "--help"]) {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

const SERVE: [&str; 2] = ["serve", "--bus=kafka://127.0.0.1:1"];

#[test]
fn a_malformed_address_is_refused() {
    for command in [&[][..], &["run"], &SERVE] {
        for bad in ["8000", "localhost:8000", "127.0.0.1:65536", "", "a\nb"] {
            check_refused(command, "--listen", bad, &["ADDRESS:PORT", "127.0.0.1:8000"]);
        }
    }
}

#[test]
fn a_malformed_store_is_refused() {
    for command in [&[][..], &["run"], &SERVE, &["migrate"]] {
        check_refused(command, "--store", "sqlite:here", &["embedded:FOLDER", "cassandra://HOST"]);
        check_refused(command, "--store", "cassandra://one", &["no keyspace", "cassandra://HOST"]);
    }
}

#[test]
fn a_malformed_bus_is_refused() {
    for command in [&[][..], &["run"], &["serve"]] {
        check_refused(command, "--bus", "redis://one", &["kafka://HOST"]);
        check_refused(command, "--bus", "kafka://one:port", &["kafka://HOST"]);
    }
}

#[test]
fn the_api_alone_wants_a_bus_that_others_reach() {
    check_refused(&["serve"], "--bus", "memory:", &["kafka://HOST[:PORT]", "`pagetrack`"]);
    let said = last_word(&["serve"], 2);
    for part in ["--bus is not set", "PAGETRACK_BUS", "kafka://HOST[:PORT]", "`pagetrack`"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_malformed_source_is_refused() {
    for bad in ["Sample", "yesterday", "stream.example.org"] {
        check_refused(&[], "--source", bad, &["unknown source", "auto, live, sample"]);
    }
    check_refused(&[], "--source", "ftp://example.org", &["the scheme \"ftp\"", "auto, live, sample"]);
}

#[test]
fn a_contact_that_breaks_the_header_is_refused() {
    for bad in ["me (at home)", "mé", "one\ntwo", &"x".repeat(201)] {
        check_refused(&[], "--contact", bad, &["at most 200 ASCII characters"]);
    }
}

#[test]
fn an_origin_that_is_none_is_refused() {
    for command in [&[][..], &["run"], &SERVE] {
        for bad in ["example.org", "https://example.org/", "https://example.org,", "ftp://example.org", "null", ""] {
            check_refused(command, "--cors", bad, &["SCHEME://HOST[:PORT]", "https://example.org"]);
        }
    }
}

#[test]
fn a_limit_out_of_its_bounds_is_refused() {
    check_unreadable(&["--limit-depth", "0"], &["'--limit-depth <1-50>'", "1..=50"]);
    check_unreadable(&["serve", "--limit-list=1001"], &["'--limit-list <1-1000>'", "1..=1000"]);
    check_unreadable(&["--limit-cost", "many"], &["'--limit-cost <1-1000000>'", "not a whole number"]);
    check_unreadable(&["--limit-cost", &"9".repeat(30)], &["--limit-cost", "too large"]);
    check_unreadable(&["--limit-cost", ""], &["--limit-cost", "not a whole number"]);
    let room = &["room for a document", "--limit-document-bytes"];
    for command in [&[][..], &SERVE] {
        check_refused(command, "--limit-body-bytes", "20000", room);
        check_refused(command, "--limit-concurrent-cost", "4999", &["room for one of --limit-cost"]);
    }
}

/// Each limit set to what it is not by default is told, and one of each place that keeps them is kept to.
#[test]
fn limits_that_are_set_are_told_and_kept() {
    let set = [
        ("document-bytes", "documentBytes", 300),
        ("tokens", "tokens", 60),
        ("directives", "directives", 3),
        ("nesting", "nesting", 7),
        ("fragments", "fragments", 2),
        ("depth", "depth", 4),
        ("aliases", "aliases", 5),
        ("root-fields", "rootFields", 6),
        ("selections", "selections", 40),
        ("cost", "cost", 99),
        ("concurrent-cost", "concurrentCost", 199),
        ("event-cost", "eventCost", 9),
        ("introspection-cost", "introspectionCost", 50),
        ("introspection-depth", "introspectionDepth", 8),
        ("list", "list", 11),
        ("errors", "errors", 2),
        ("seconds", "seconds", 12),
        ("body-bytes", "bodyBytes", 1_000),
        ("listeners", "listeners", 14),
        ("operations", "operations", 13),
    ];
    let flags: Vec<String> = set.iter().map(|(flag, _, value)| format!("--limit-{flag}={value}")).collect();
    let args = ["--listen=127.0.0.1:0", "--source=http://127.0.0.1:1/"];
    let folder = TempDir::new().unwrap();
    let app =
        Running::start(folder.path(), &args.into_iter().chain(flags.iter().map(String::as_str)).collect::<Vec<_>>());
    let said = app.stdout_until("REST");
    let address = http::address(&said);
    let (status, told) = http::send(address, "GET", "/limits", "application/json", "");
    let told = told.split("\r\n\r\n").nth(1).expect("a body");
    let wanted: Vec<String> = set.iter().map(|(_, name, value)| format!("{name:?}:{value}")).collect();
    assert_eq!((status, told), (200, format!("{{{}}}", wanted.join(",")).as_str()));
    let check = |accept: &str, query: &str, wanted: &str| {
        let body = format!("{{\"query\":\"{query}\"}}");
        let (_, answer) = http::send(address, "POST", "/graphql", accept, &body);
        assert!(answer.contains(wanted), "{wanted} of {query}: {answer}");
    };
    check("*/*", "{ pages(first: 11) { nodes { id } } }", "{\"data\":{\"pages\":");
    check("*/*", "{ pages(first: 12) { nodes { id } } }", "first must be 1 to 11");
    check("*/*", "{ a b c d }", "\"errorsLeftOut\":2");
    check("*/*", &"#".repeat(301), "bytes of the document: 301, at most 300");
    check("*/*", &"#".repeat(1_001), "HTTP/1.1 413 ");
    check("*/*", "{ __schema { types { fields { name } } } }", "cost of the introspection: ");
    let event = "subscription { pageCreated { page { user { pageCount } } } }";
    check("text/event-stream", event, "cost of each event: ");
}

#[test]
fn a_malformed_log_filter_is_refused() {
    for command in [&[][..], &SERVE, &["migrate"]] {
        check_refused(command, "--log", "ingest=loud", &["use error, warn, info or debug"]);
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_refused() {
    check_unreadable(&["--lisen", "127.0.0.1:0"], &["'--lisen'", "'--listen'"]);
    check_unreadable(&["srve"], &["'srve'", "'serve'"]);
    check_unreadable(&["--listen"], &["'--listen <LISTEN>'"]);
    check_unreadable(&["serve", "--source", "live"], &["'--source'"]);
    check_unreadable(&["--listen", "127.0.0.1:0", "serve"], &["'serve'", "'--listen"]);
    check_unreadable(&["--one\n\ntwo"], &["--one"]);
}
