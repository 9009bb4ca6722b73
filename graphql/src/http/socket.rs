//! One WebSocket connection: operations side by side over graphql-transport-ws.

mod protocol;

use super::answer::{Answers, answers, is_request_error, new_request_id};
use crate::limits::Limits;
use crate::live::{Groups, ReplaysOfConnection, Told};
use async_graphql::Request;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::{FutureExt, StreamExt};
use protocol::{Close, FromClient, ToClient};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_stream::StreamMap;
use tokio_util::sync::CancellationToken;

pub(super) use protocol::PROTOCOL;

/// How long a client may take to introduce itself.
const INIT_TIME: Duration = Duration::from_secs(10);

/// How often a silent client is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long a client may be silent, or not take what is sent to it.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves one connection until the client leaves, breaks the protocol, or `stop`.
pub(super) async fn serve(socket: WebSocket, groups: Arc<Groups>, limits: Limits, stop: CancellationToken) {
    let begun = Instant::now();
    let mut connection = Connection {
        socket,
        groups,
        limits,
        operations: StreamMap::new(),
        replays: ReplaysOfConnection::default(),
        is_acknowledged: false,
        begun,
        heard: begun,
    };
    let close = tokio::select! {
        () = stop.cancelled() => Close::GoingAway,
        close = connection.run() => close,
    };
    if close == Close::Silent {
        tracing::debug!("a subscriber was given up: {}", close.reason());
    }
    let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
    // The client may be gone: then there is nobody to tell.
    let _ = timeout(Duration::from_secs(1), end(connection.socket, frame)).await;
}

/// Closes the connection and waits until the client has, too.
async fn end(mut socket: WebSocket, frame: CloseFrame) {
    // An error says that the client closed first: its close is answered when there is nothing more to read.
    let _ = socket.send(Message::Close(Some(frame))).await;
    while let Some(Ok(_)) = socket.recv().await {}
}

struct Connection {
    socket: WebSocket,
    groups: Arc<Groups>,
    limits: Limits,
    operations: StreamMap<String, Answers>,
    replays: ReplaysOfConnection,
    is_acknowledged: bool,
    begun: Instant,
    /// When the client was last seen to be there.
    heard: Instant,
}

impl Connection {
    async fn run(&mut self) -> Close {
        let mut pings = interval_at(self.begun + PING_EVERY, PING_EVERY);
        loop {
            let done = tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => self.hear(message).await,
                    Some(Err(error)) => Err(error.into()),
                    None => Err(Close::Gone),
                },
                Some((id, answer)) = self.operations.next() => self.tell(id, answer).await,
                _ = pings.tick() => self.ping().await,
                () = sleep_until(self.begun + INIT_TIME), if !self.is_acknowledged => Err(Close::InitTimeout),
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Close> {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Binary(_) => return Err(Close::BadMessage("messages are text".into())),
            Message::Close(_) => return Err(Close::Gone),
        };
        match protocol::parse(&text)? {
            FromClient::ConnectionInit { .. } if self.is_acknowledged => Err(Close::SecondInit),
            FromClient::ConnectionInit { .. } => {
                self.is_acknowledged = true;
                self.send(&ToClient::ConnectionAck).await
            }
            FromClient::Ping { .. } => self.send(&ToClient::Pong).await,
            FromClient::Pong { .. } => Ok(()),
            FromClient::Subscribe { id, payload } => self.subscribe(id, Request::from(payload)).await,
            FromClient::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    async fn subscribe(&mut self, id: String, request: Request) -> Result<(), Close> {
        if !self.is_acknowledged {
            return Err(Close::Unauthorized);
        }
        if self.operations.contains_key(&id) {
            return Err(Close::Duplicate(id));
        }
        if self.operations.len() as u64 >= self.limits.operations {
            return Err(Close::TooManyOperations);
        }
        self.operations.insert(id, answers(&self.groups, request.data(self.replays.clone()), new_request_id()));
        Ok(())
    }

    async fn tell(&mut self, id: String, told: Option<Told>) -> Result<(), Close> {
        match told {
            Some(Told::Shared(payload)) => self.put(Message::Text(protocol::next(&id, &payload).into())).await,
            Some(Told::Own(answer)) if is_request_error(&answer) => {
                self.operations.remove(&id);
                self.send(&ToClient::Error { id: &id, payload: &answer.errors }).await
            }
            Some(Told::Own(answer)) => self.send(&ToClient::Next { id: &id, payload: &answer }).await,
            None => {
                self.operations.remove(&id);
                self.send(&ToClient::Complete { id: &id }).await
            }
        }
    }

    async fn ping(&mut self) -> Result<(), Close> {
        if self.heard.elapsed() > SILENCE {
            return Err(Close::Silent);
        }
        self.put(Message::Ping(Default::default())).await
    }

    async fn send(&mut self, message: &ToClient<'_>) -> Result<(), Close> {
        let text = serde_json::to_string(message).expect("a message is JSON");
        self.put(Message::Text(text.into())).await
    }

    /// Waits while the client does not read; meanwhile its feeds fill and count what they leave out.
    async fn put(&mut self, message: Message) -> Result<(), Close> {
        let mut sending = pin!(self.socket.send(message));
        let sent = match sending.as_mut().now_or_never() {
            Some(sent) => sent,
            None => {
                let sent = timeout(SILENCE, sending).await.map_err(|_| Close::Silent)?;
                // It has made room, so it is there, though our pings still wait behind what it has to read first.
                self.heard = Instant::now();
                sent
            }
        };
        sent.map_err(|_| Close::Gone)
    }
}
