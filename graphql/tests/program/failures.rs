//! What cannot work: one clear line within 15 s, and exit code 1.

use crate::process::{last_word_in, run};
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

const ANY_PORT: &str = "--listen=127.0.0.1:0";

/// Its one line has each of `parts`.
fn check_fails(folder: &Path, args: &[&str], parts: &[&str]) {
    let said = last_word_in(folder, args, 1);
    for part in parts.iter().chain(&["pagetrack: "]) {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_port_in_use_is_named_before_anything_is_opened() {
    let (folder, taken) = (TempDir::new().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = taken.local_addr().unwrap();
    let listen = format!("--listen={address}");
    for args in [&[listen.as_str()][..], &["serve", "--bus=kafka://127.0.0.1:1", listen.as_str()]] {
        check_fails(folder.path(), args, &[&address.to_string(), "cannot listen", "another --listen"]);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let parts = ["file/data", "cannot be written", "another by --store"];
    for args in [&[ANY_PORT][..], &[ANY_PORT, "--source=sample"], &["migrate"]] {
        check_fails(folder.path(), &[args, &["--store=embedded:file/data"]].concat(), &parts);
    }
}

#[test]
fn a_folder_in_use_is_named() {
    let folder = TempDir::new().unwrap();
    let first = crate::process::Running::start(folder.path(), &[ANY_PORT, "--source=http://127.0.0.1:1/"]);
    first.stdout_until("REST");
    for args in [&[ANY_PORT][..], &["migrate"], &["verify"], &["verify", "--repair"]] {
        check_fails(folder.path(), args, &["--store embedded:./data", "in use by another pagetrack; stop it"]);
    }
}

#[test]
fn a_database_of_a_newer_version_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let (data, database) = (folder.path().join("data"), include_bytes!("../newer/pagetrack.db"));
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("pagetrack.db"), database).unwrap();
    let parts = ["pagetrack.db has layout version 1000", "run the newer pagetrack", "--store"];
    for args in [&[ANY_PORT][..], &["migrate"]] {
        check_fails(folder.path(), args, &parts);
    }
    assert_eq!(std::fs::read(data.join("pagetrack.db")).unwrap(), database);
}

#[test]
fn a_store_without_tables_names_the_command_to_run() {
    let folder = TempDir::new().unwrap();
    let args = ["serve", ANY_PORT, "--bus=kafka://127.0.0.1:1"];
    check_fails(folder.path(), &args, &["no database of pagetrack at ./data", "`pagetrack migrate`"]);
}

#[test]
fn an_unreachable_broker_is_named() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), &["migrate"]).code, Some(0));
    for args in [&["run", ANY_PORT][..], &["serve", ANY_PORT]] {
        let args = [args, &["--bus=kafka://127.0.0.1:1"]].concat();
        check_fails(folder.path(), &args, &["no Kafka broker answers at 127.0.0.1:1", "--bus"]);
    }
}

#[test]
fn an_unreachable_node_is_named() {
    let folder = TempDir::new().unwrap();
    for args in [&["run", ANY_PORT][..], &["serve", ANY_PORT, "--bus=kafka://127.0.0.1:1"], &["migrate"]] {
        let args = [args, &["--store=cassandra://127.0.0.1:1/pagetrack"]].concat();
        check_fails(folder.path(), &args, &["--store cassandra://127.0.0.1:1/pagetrack", "unavailable"]);
    }
}
