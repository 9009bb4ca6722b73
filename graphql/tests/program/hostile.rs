//! Hostile requests to a running server: each is refused before it costs it anything, by a 4xx or as the
//! lasting connections refuse an operation.

mod corpus;
mod usage;

use crate::http;
use crate::process::Running;
use corpus::Attack;
use futures::{SinkExt, StreamExt};
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
    /// Answered once, as everything was before that media type: a document that is none may be told with status 200.
    Plain,
    /// Answered by server-sent events.
    Events,
    /// Over a WebSocket.
    Socket,
}

impl Way {
    fn accept(self) -> &'static str {
        match self {
            Self::Once | Self::Socket => "application/graphql-response+json",
            Self::Plain => "application/json",
            Self::Events => "text/event-stream",
        }
    }
}

fn answer(address: &str, way: Way, Attack { method, path, body, .. }: &Attack) -> (u16, String) {
    http::send(address, method, path, way.accept(), body)
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
    let (status, said) = answer(address, way, attack);
    let is_told = way != Way::Once && status == 200 && said.contains("{\"errors\":") && !said.contains("\"data\"");
    if is_told || (400..500).contains(&status) { Ok(()) } else { Err(said) }
}

#[test]
fn hostile_requests_cost_the_server_nothing() {
    println!("worst: {:?}", check_all(&[]));
}

#[test]
fn hostile_requests_cost_a_server_on_cassandra_nothing() {
    let Ok(url) = std::env::var("PAGETRACK_TEST_CASSANDRA") else {
        assert!(std::env::var_os("CI").is_none(), "PAGETRACK_TEST_CASSANDRA must be set in CI");
        println!("SKIPPED: PAGETRACK_TEST_CASSANDRA is not set (tests/servers/up.sh starts it)");
        return;
    };
    println!(
        "worst: {:?}",
        check_all(&[&format!("--store={}/hostile_{}", url.trim_end_matches('/'), std::process::id())])
    );
}

/// The most of the server's time and memory that one request took, and which.
type Worst = ((Duration, &'static str), (u64, &'static str));

/// All attacks on a server with these settings.
fn check_all(settings: &[&str]) -> Worst {
    let folder = TempDir::new().unwrap();
    let args = [&["--listen=127.0.0.1:0", "--source=http://127.0.0.1:1/"], settings].concat();
    let app = Running::start(folder.path(), &args);
    let said = app.stdout_until("REST");
    let address = http::address(&said);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut wrong = Vec::new();
    let (mut worst_cpu, mut worst_growth) = ((Duration::ZERO, ""), (0, ""));
    for attack in corpus::attacks() {
        let ways: &[Way] = match attack.is_operation {
            true => &[Way::Once, Way::Plain, Way::Events, Way::Socket],
            false => &[Way::Once],
        };
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
    assert_eq!(wrong, Vec::<String>::new());
    // It is there and well.
    assert_eq!(answer(address, Way::Once, &Attack::harmless()).0, 200);
    (worst_cpu, worst_growth)
}
