//! What the stages' programs say when they cannot start: an exit code, and one line that names setting, value, remedy.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PRODUCER: &str = env!("CARGO_BIN_EXE_producer");
const CLEANER: &str = env!("CARGO_BIN_EXE_cleaner");
const WRITER: &str = env!("CARGO_BIN_EXE_writer");
/// Nothing listens there.
const NO_BROKER: &str = "--bus=kafka://127.0.0.1:1";

fn run(program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    for name in ["BUS", "STORE", "SOURCE", "CONTACT", "LOG"] {
        command.env_remove(format!("PAGETRACK_{name}"));
    }
    command.args(args).output().expect("the program was built for this test")
}

/// The only line that it said, having ended with `code`.
fn last_word(program: &str, args: &[&str], code: i32) -> String {
    let output = run(program, args);
    let said = String::from_utf8(output.stderr).expect("what it says is text");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert_eq!((output.stdout.len(), said.lines().count()), (0, 1), "{args:?}: {said}");
    said
}

/// Runs with `setting` at `value`: the line names both, the variable, and each of `remedy`.
fn check_refused(program: &str, setting: &str, value: &str, remedy: &[&str]) {
    let arg = format!("{setting}={value}");
    let args = if setting == "--bus" { vec![arg.as_str()] } else { vec![NO_BROKER, arg.as_str()] };
    let said = last_word(program, &args, 2);
    let variable = format!("PAGETRACK_{}", setting.trim_start_matches('-').to_uppercase());
    for part in [setting, &format!("{value:?}"), &variable].into_iter().chain(remedy.iter().copied()) {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_malformed_bus_is_refused_by_every_program() {
    for program in [PRODUCER, CLEANER, WRITER] {
        check_refused(program, "--bus", "redis://one", &["use kafka://HOST"]);
        check_refused(program, "--bus", "kafka://one:port", &["use kafka://HOST"]);
    }
}

#[test]
fn a_bus_within_one_process_is_refused_where_it_is_the_default_too() {
    for program in [PRODUCER, CLEANER, WRITER] {
        check_refused(program, "--bus", "memory:", &["use kafka://HOST[:PORT]", "`pagetrack`"]);
        assert!(last_word(program, &[], 2).contains("use kafka://HOST[:PORT]"));
    }
}

#[test]
fn the_help_offers_no_bus_that_is_refused() {
    for program in [PRODUCER, CLEANER, WRITER] {
        let help = String::from_utf8(run(program, &["--help"]).stdout).expect("the help is text");
        assert!(help.contains("kafka://HOST[:PORT]") && !help.contains("memory:"), "{help}");
    }
}

#[test]
fn a_command_line_that_cannot_be_read_is_refused_in_one_line() {
    for program in [PRODUCER, CLEANER, WRITER] {
        let said = last_word(program, &["--buss", "kafka://one"], 2);
        assert!(said.contains("'--buss'") && said.contains("'--bus'") && said.contains("--help"), "{said}");
    }
}

#[test]
fn a_malformed_store_is_refused() {
    check_refused(WRITER, "--store", "sqlite:here", &["embedded:FOLDER", "cassandra://HOST"]);
    check_refused(WRITER, "--store", "cassandra://one", &["cassandra://HOST"]);
}

#[test]
fn a_malformed_source_is_refused_and_so_is_the_sample() {
    check_refused(PRODUCER, "--source", "yesterday", &["auto", "live", "sample"]);
    check_refused(PRODUCER, "--source", "sample", &["`pagetrack --source sample`"]);
}

#[test]
fn a_contact_that_breaks_the_header_is_refused() {
    for bad in ["me (at home)", "mé", "one\ntwo", &"x".repeat(201)] {
        check_refused(PRODUCER, "--contact", bad, &["at most 200 ASCII characters"]);
    }
}

#[test]
fn a_malformed_log_filter_is_refused() {
    check_refused(CLEANER, "--log", "ingest=loud", &["use error, warn, info or debug"]);
}

#[test]
fn an_unreachable_broker_ends_the_program_in_time() {
    let started = Instant::now();
    for program in [PRODUCER, CLEANER, WRITER].map(|program| std::thread::spawn(move || run(program, &[NO_BROKER]))) {
        let output = program.join().expect("it ran");
        let said = String::from_utf8(output.stderr).expect("what it says is text");
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("no Kafka broker answers at 127.0.0.1:1") && said.contains("--bus"), "{said}");
    }
    assert!(started.elapsed() < Duration::from_secs(15));
}
