//! Hostile requests to a running server: each is refused with a 4xx before it costs it anything.

mod corpus;
mod usage;

use crate::process::Running;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;
use usage::{cpu, peak_memory, resident_memory};

/// Of the server's time on all its threads, for one request.
const MAX_CPU: Duration = Duration::from_millis(50);

/// How much more the server holds at any time while one request is repeated.
const MAX_GROWTH: u64 = 20_000_000;

const REPEATS: usize = 20;

/// With this media type the status tells of every error in a request.
const ACCEPT: &str = "accept: application/graphql-response+json";

/// What `GET /graphql` and a body of `POST /graphql` get: the status.
fn status_of(address: &str, method: &str, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{ACCEPT}\r\n");
    let body_head = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body_head}").as_bytes()).unwrap();
    // A body that is too long is refused before it has been read: then the rest of it finds nobody.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    // So may the end of the answer.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_else(|| panic!("{text:?}"))
}

#[test]
fn hostile_requests_cost_the_server_nothing() {
    let folder = TempDir::new().unwrap();
    let app = Running::start(folder.path(), &["--listen=127.0.0.1:0", "--source=http://127.0.0.1:1/"]);
    let said = app.stdout_until("REST");
    let address = said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let mut wrong = Vec::new();
    let (mut worst_cpu, mut worst_growth) = ((Duration::ZERO, ""), (0, ""));
    for attack in corpus::attacks() {
        let send = || status_of(address, attack.method, &attack.path, &attack.body);
        let status = send();
        if !(400..500).contains(&status) {
            wrong.push(format!("{}: status {status}", attack.name));
        }
        usage::forget_peak(app.pid());
        let (before, mut most) = (resident_memory(app.pid()), Duration::ZERO);
        for _ in 0..REPEATS {
            let begun = cpu(app.pid());
            assert_eq!(send(), status, "{}", attack.name);
            most = most.max(cpu(app.pid()).saturating_sub(begun));
        }
        let growth = peak_memory(app.pid()).saturating_sub(before);
        if most > MAX_CPU || growth > MAX_GROWTH {
            wrong.push(format!("{}: {most:?} of CPU, {growth} bytes more", attack.name));
        }
        worst_cpu = worst_cpu.max((most, attack.name));
        worst_growth = worst_growth.max((growth, attack.name));
    }
    println!("worst: {worst_cpu:?}, {worst_growth:?}");
    assert_eq!(wrong, Vec::<String>::new());
    // It is there and well.
    assert_eq!(status_of(address, "POST", "/graphql", r#"{"query":"{ __typename }"}"#), 200);
}
