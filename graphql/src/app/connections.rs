//! HTTP connections: bounded in number and in the time that a request's head may take, or that a client takes nothing, and
//! ended with the process.

use crate::http::Ends;
use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures::future::join;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// After an accept that failed for lack of something, of file handles as a rule.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Bytes that the kernel takes of an answer beyond those on their way. Without a bound they are megabytes for each client
/// that does not read: memory of the machine that no limit of ours sees, and events that are old when they are read.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 * 1024;

/// What holds for connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionLimits {
    /// Connections at one time; more wait to be accepted. WebSockets are not among them: they have a bound of their own.
    pub(super) max: usize,
    /// How long a connection may take for a request's head, the wait for the next request included.
    pub(super) head: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub(super) taking: Duration,
    /// How long answers under way may take once the server stops; whoever is still connected then is cut off.
    pub(super) last_answers: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: 4_096,
            head: Duration::from_secs(30),
            taking: Duration::from_secs(60),
            last_answers: Duration::from_secs(2),
        }
    }
}

/// Answers until it is to stop; requests under way and WebSockets then have a moment to end.
///
/// # Errors
/// None: a listener that accepts nothing is told of, and asked again.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    Ends { stop, sockets }: Ends,
) -> anyhow::Result<()> {
    let places = Arc::new(Semaphore::new(limits.max));
    let (open, cut_off) = (TaskTracker::new(), CancellationToken::new());
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &places)).await {
        let (stream, place) = accepted?;
        prepare(&stream).unwrap_or_else(|error| tracing::debug!(%error, "a connection keeps the system's settings"));
        let connection = answer(stream, router.clone(), limits, stop.clone());
        let cut_off = cut_off.clone();
        open.spawn(async move {
            cut_off.run_until_cancelled(connection).await;
            drop(place);
        });
    }
    drop(listener);
    open.close();
    sockets.close();
    if timeout(limits.last_answers, join(open.wait(), sockets.wait())).await.is_err() {
        let (connections, sockets) = (open.len(), sockets.len());
        tracing::info!(connections, sockets, "cut off: they had not ended in time");
        cut_off.cancel();
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> anyhow::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.context("the places were closed")?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, place)),
            // The client has gone already.
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted just now");
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// An answer is written at once, not held back for more; and it waits where its client is seen to be slow.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)?;
    Ok(())
}

/// Serves one connection; at `stop` it ends with the answer that is under way.
async fn answer(stream: TcpStream, router: Router, limits: ConnectionLimits, stop: CancellationToken) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.taking));
    let service = router.map_request(|request: Request<hyper::body::Incoming>| request.map(Body::new));
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.unwrap_or_else(|error| tracing::debug!(%error, "a connection ended early"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Origins;
    use crate::limits::Limits;
    use crate::schema::tests::fixture::Fixture;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;
    use tokio::task::JoinHandle;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        max: 2,
        head: Duration::from_millis(300),
        taking: Duration::from_millis(300),
        last_answers: Duration::from_secs(5),
    };
    const WITHIN: Duration = Duration::from_secs(10);
    const HEAD: &str = "GET / HTTP/1.1\r\nhost: a\r\n";

    async fn start(router: Router) -> (SocketAddr, CancellationToken, JoinHandle<anyhow::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let ends = Ends { stop: stop.clone(), ..Ends::default() };
        (address, stop, tokio::spawn(serve(listener, router, LIMITS, ends)))
    }

    fn quick() -> Router {
        Router::new().route("/", get(async || "here"))
    }

    /// All that a connection says to `text` until it ends.
    async fn say(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(WITHIN, stream.read_to_string(&mut answer)).await.expect("the connection ends").unwrap();
        answer
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_or_half_is_ended() {
        let (address, ..) = start(quick()).await;
        let (nothing, half) = tokio::join!(say(address, ""), say(address, HEAD));
        assert!(!nothing.contains("200") && !half.contains("200"), "{nothing:?} {half:?}");
        // It is ended after an answer, too.
        assert!(say(address, &format!("{HEAD}\r\n")).await.ends_with("here"));
    }

    #[tokio::test]
    async fn beyond_the_bound_a_connection_waits_for_a_place() {
        let (address, ..) = start(quick()).await;
        let held = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let close = &format!("{HEAD}connection: close\r\n\r\n");
        // The places are taken until the first two are ended for saying nothing.
        let begun = std::time::Instant::now();
        assert!(say(address, close).await.ends_with("here"));
        assert!(begun.elapsed() >= LIMITS.head / 2, "{:?}", begun.elapsed());
        drop(held);
    }

    #[tokio::test]
    async fn who_takes_nothing_of_a_long_answer_is_ended() {
        let gone = CancellationToken::new();
        let guard = Arc::new(std::sync::Mutex::new(Some(gone.clone().drop_guard())));
        let handler = get(move || {
            let guard = guard.lock().unwrap().take();
            let parts = futures::stream::repeat_with(move || {
                let _held = &guard;
                Ok::<_, std::convert::Infallible>("x".repeat(64 * 1024))
            });
            async { Body::from_stream(parts) }
        });
        let (address, ..) = start(Router::new().route("/", handler)).await;
        let mut silent = TcpStream::connect(address).await.unwrap();
        silent.write_all(format!("{HEAD}\r\n").as_bytes()).await.unwrap();
        timeout(WITHIN, gone.cancelled()).await.expect("the answer is given up");
        drop(silent);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn little_is_taken_for_a_client_that_does_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpSocket::new_v4().unwrap();
        client.set_recv_buffer_size(4_096).unwrap();
        let silent = client.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        prepare(&stream).unwrap();
        let (part, mut taken) = ([0; 4_096], 0);
        // What is on its way makes room for a little more.
        while timeout(Duration::from_millis(100), stream.writable()).await.is_ok() {
            taken += stream.try_write(&part).unwrap_or(0);
        }
        assert!((1..=4 * UNSENT as usize).contains(&taken), "{taken} bytes");
        drop(silent);
    }

    #[tokio::test]
    async fn an_answer_under_way_ends_before_the_server_does() {
        let (asked, may_answer) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (asks, waits) = (Arc::clone(&asked), Arc::clone(&may_answer));
        let handler = get(move || async move {
            asks.add_permits(1);
            waits.acquire().await.unwrap().forget();
            "late"
        });
        let (address, stop, served) = start(Router::new().route("/", handler)).await;
        let answer = tokio::spawn(async move { say(address, &format!("{HEAD}\r\n")).await });
        asked.acquire().await.unwrap().forget();
        stop.cancel();
        may_answer.add_permits(1);
        assert!(answer.await.unwrap().ends_with("late"));
        timeout(WITHIN, served).await.expect("the server ends").unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_socket_has_a_moment_for_its_last_words() {
        let (listener, ends) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Ends::default());
        let speaks = ends.sockets.token();
        let mut served = tokio::spawn(serve(listener, quick(), LIMITS, ends.clone()));
        ends.stop.cancel();
        timeout(Duration::from_millis(50), &mut served).await.expect_err("the socket speaks");
        drop(speaks);
        timeout(LIMITS.last_answers / 2, served).await.expect("the server ends").unwrap().unwrap();
    }

    #[tokio::test]
    async fn nothing_is_read_for_a_client_that_has_gone() {
        let fixture = Fixture::known().await;
        fixture.calls.set_silent(true);
        let limits = Limits::default();
        let (address, ..) = start(crate::http::router(fixture.groups(), limits, Origins::None, Ends::default())).await;
        let body = r#"{"query":"{ user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt } }"}"#;
        let head = "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        let wait_for = async |reads| {
            while fixture.calls.waiting() != reads {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(WITHIN, wait_for(1)).await.expect("the store is read");
        drop(stream);
        // Well before the request's own time is over.
        timeout(limits.time() / 2, wait_for(0)).await.expect("the store is not read any more");
    }
}
