//! Hostile requests to a running server: each is refused before it costs it anything, by a 4xx or as the
//! lasting connections refuse an operation.

mod corpus;
mod usage;

use crate::process::Running;
use corpus::Attack;
use futures::{SinkExt, StreamExt};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use usage::{cpu, peak_memory, resident_memory};

/// Of the server's time on all its threads, for one request.
const MAX_CPU: Duration = Duration::from_millis(50);

/// How much more the server holds at any time while one request is repeated.
const MAX_GROWTH: u64 = 20_000_000;

const REPEATS: usize = 20;

/// By which way a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Answered once. With this media type the status tells of every error in a request.
    Once,
    /// Answered by server-sent events.
    Events,
    /// Over a WebSocket.
    Socket,
}

impl Way {
    fn accept(self) -> &'static str {
        match self {
            Self::Once | Self::Socket => "application/graphql-response+json",
            Self::Events => "text/event-stream",
        }
    }
}

/// What a request gets: the status, and all that is said.
fn answer(address: &str, accept: &str, attack: &Attack) -> (u16, String) {
    let Attack { method, path, body, .. } = attack;
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

/// The first thing said to an operation over a WebSocket: a message, or why the connection is closed.
async fn said_over_socket(address: &str, payload: &str) -> String {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let subscribe = format!(r#"{{"type":"subscribe","id":"1","payload":{payload}}}"#);
    for text in [r#"{"type":"connection_init"}"#.to_owned(), subscribe] {
        // A message that is too long is refused before it has been read.
        let _ = socket.send(Message::text(text)).await;
    }
    let answers = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) if text.contains("connection_ack") => {}
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Close(frame))) => return format!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                ended => return format!("ended: {ended:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), answers).await.expect("an answer in time")
}

/// Sends a request, which must be refused; else what was said.
fn refused(address: &str, way: Way, attack: &Attack, runtime: &Runtime) -> Result<(), String> {
    if way == Way::Socket {
        let said = runtime.block_on(said_over_socket(address, &attack.body));
        let is_refused = ["{\"type\":\"error\"", "closed: ", "ended: "].iter().any(|begin| said.starts_with(begin));
        return if is_refused { Ok(()) } else { Err(said) };
    }
    let (status, said) = answer(address, way.accept(), attack);
    let is_told = way == Way::Events && status == 200 && said.contains("{\"errors\":") && !said.contains("\"data\"");
    if is_told || (400..500).contains(&status) { Ok(()) } else { Err(said) }
}

#[test]
fn hostile_requests_cost_the_server_nothing() {
    let folder = TempDir::new().unwrap();
    let app = Running::start(folder.path(), &["--listen=127.0.0.1:0", "--source=http://127.0.0.1:1/"]);
    let said = app.stdout_until("REST");
    let address = said.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut wrong = Vec::new();
    let (mut worst_cpu, mut worst_growth) = ((Duration::ZERO, ""), (0, ""));
    for attack in corpus::attacks() {
        let ways: &[Way] = if attack.is_operation { &[Way::Once, Way::Events, Way::Socket] } else { &[Way::Once] };
        for &way in ways {
            let send = || refused(address, way, &attack, &runtime);
            if let Err(said) = send() {
                wrong.push(format!("{}, {way:?}: {}", attack.name, said.chars().take(300).collect::<String>()));
                continue;
            }
            usage::forget_peak(app.pid());
            let (before, mut most) = (resident_memory(app.pid()), Duration::ZERO);
            for _ in 0..REPEATS {
                let begun = cpu(app.pid());
                assert_eq!(send(), Ok(()), "{}, {way:?}", attack.name);
                most = most.max(cpu(app.pid()).saturating_sub(begun));
            }
            let growth = peak_memory(app.pid()).saturating_sub(before);
            if most > MAX_CPU || growth > MAX_GROWTH {
                wrong.push(format!("{}, {way:?}: {most:?} of CPU, {growth} bytes more", attack.name));
            }
            worst_cpu = worst_cpu.max((most, attack.name));
            worst_growth = worst_growth.max((growth, attack.name));
        }
    }
    println!("worst: {worst_cpu:?}, {worst_growth:?}");
    assert_eq!(wrong, Vec::<String>::new());
    // It is there and well.
    assert_eq!(answer(address, Way::Once.accept(), &Attack::harmless()).0, 200);
}
