//! One request over a connection of its own, byte by byte as a test wants it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request with a body of JSON; the status, and all that is said.
pub(crate) fn send(address: &str, method: &str, path: &str, accept: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: {accept}\r\n");
    let body_head = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body_head}").as_bytes()).unwrap();
    // A body that is too long is refused before it has been read: then the rest of it finds nobody.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    // So may the end of the answer.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    (status.unwrap_or_else(|| panic!("{text:?}")), text)
}

/// Where a program that says its addresses listens.
pub(crate) fn address(said: &str) -> &str {
    said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address is said")
}
