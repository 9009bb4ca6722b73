//! What the program prints while it runs: addresses, why the sample plays, what `migrate` did, and logs.

use crate::process::{Running, run};
use tempfile::TempDir;

const NO_STREAM: &str = "--source=http://127.0.0.1:1/";

#[test]
fn the_addresses_can_be_opened_whatever_it_listens_on() {
    for (listen, base) in
        [("0.0.0.0:0", "http://127.0.0.1:"), ("[::]:0", "http://[::1]:"), ("127.0.0.2:0", "http://127.0.0.2:")]
    {
        let folder = TempDir::new().unwrap();
        let app = Running::start(folder.path(), &["--listen", listen, NO_STREAM]);
        let said = app.stdout_until("REST");
        for line in said.lines().skip(1) {
            assert!(line.contains(base), "{listen}: {said}");
        }
    }
}

#[test]
fn a_sample_that_was_asked_for_promises_no_live_stream() {
    let folder = TempDir::new().unwrap();
    let app = Running::start(folder.path(), &["--listen=127.0.0.1:0", "--source=sample"]);
    let said = app.stdout_until("SAMPLE");
    assert!(said.contains("Why: asked for by --source sample"), "{said}");
    // The paragraph's end; a sentence about the stream would come before it.
    assert_eq!(app.stdout_until("\n"), "\n");
}

#[test]
fn migrate_says_what_it_did() {
    let folder = TempDir::new().unwrap();
    for _first_and_second in 0..2 {
        let ended = run(folder.path(), &["migrate"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout, "tables are up to date in embedded:./data; all pages are kept\n");
    }
}

#[test]
fn verify_answers_on_standard_output_and_tells_its_progress_elsewhere() {
    let folder = TempDir::new().unwrap();
    let missing = run(folder.path(), &["verify"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("run `pagetrack migrate` first"), "{missing:?}");
    run(folder.path(), &["migrate"]);
    for args in [&["verify"][..], &["verify", "--repair"]] {
        let ended = run(folder.path(), args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with("verified 0 pages, 0 rows in "), "{ended:?}");
        assert!(ended.stdout.ends_with(" s: nothing differs\n") && ended.stdout.lines().count() == 1, "{ended:?}");
        // What is no terminal gets a line now and then, and no escapes.
        assert!(ended.stderr.starts_with("pages_by_time: ") && ended.stderr.lines().count() == 1, "{ended:?}");
    }
}

#[test]
fn logs_that_go_elsewhere_than_to_a_terminal_are_plain_text() {
    let folder = TempDir::new().unwrap();
    let app = Running::start(folder.path(), &["--listen=127.0.0.1:0", NO_STREAM]);
    let said = app.stderr_until("no stream");
    assert!(!said.contains('\x1b') && said.contains("WARN"), "{said:?}");
}
