//! One subscriber over graphql-transport-ws.

use super::Published;
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long an event may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What the kernel keeps for one who does not read: little, so that the server is what has to bear it.
const RECEIVED: u32 = 4_096;

/// A subscription that runs.
pub(super) struct Listener {
    socket: WebSocketStream<TcpStream>,
    /// Whether it reads nothing for a while.
    is_silent: bool,
    published: Published,
}

/// All that one subscriber was told.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Milliseconds from the stream to the socket, of each event.
    pub(super) delays: Vec<f64>,
    /// Events left out.
    pub(super) missed: u64,
}

/// What a subscriber asks for: as the dashboard does, under a name that makes it one of several.
pub(super) fn document(number: usize) -> String {
    format!(
        "subscription Live{number} {{ pageCreated {{ missedCount cursor page {{ id pageId title url namespace \
         namespaceName isRedirect isBot createdAt userName user {{ url }} domain {{ name }} }} }} }}"
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Next {
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    page_created: Event,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    missed_count: u64,
    page: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    page_id: String,
    created_at: DateTime<Utc>,
    domain: Wiki,
}

#[derive(Deserialize)]
struct Wiki {
    name: String,
}

impl Listener {
    /// Connects and subscribes; who will be silent takes little in the meantime.
    pub(super) async fn connect(
        port: u16,
        document: String,
        is_silent: bool,
        published: &Published,
    ) -> anyhow::Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        if is_silent {
            tcp.set_recv_buffer_size(RECEIVED)?;
        }
        let stream = tcp.connect(([127, 0, 0, 1], port).into()).await?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://127.0.0.1:{port}/graphql").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = client_async(request, stream).await?;
        let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": document } });
        for message in [json!({ "type": "connection_init" }), subscribe] {
            socket.send(Message::text(message.to_string())).await?;
        }
        let mut listener = Self { socket, is_silent, published: Published::clone(published) };
        ensure!(listener.next().await?.contains("connection_ack"), "not welcome");
        // Answered behind the subscription, so that runs by then.
        listener.socket.send(Message::text(r#"{"type":"ping"}"#)).await?;
        ensure!(listener.next().await?.contains("pong"), "refused");
        Ok(listener)
    }

    /// Reads until all of so many events were told or missed. They are told in the order of storing, so who did not read all
    /// the time knows by the first of those that come later.
    pub(super) async fn hear(mut self, wanted: usize) -> anyhow::Result<Heard> {
        let mut heard = Heard::default();
        loop {
            let text = self.next().await?;
            let now = Instant::now();
            let event: Next = serde_json::from_str(&text).with_context(|| text.clone())?;
            let event = event.payload.data.page_created;
            let key = (event.page.domain.name, event.page.page_id, event.page.created_at);
            let published = self.published.lock().expect("no holder of this lock panics").get(&key).copied();
            let published = published.context("a page that nobody published")?;
            heard.delays.push((now - published.at).as_secs_f64() * 1_000.0);
            heard.missed += event.missed_count;
            let counted = heard.delays.len() + heard.missed as usize;
            if self.is_silent && published.number > wanted {
                ensure!(counted == published.number, "{counted} told or missed of {}", published.number);
                return Ok(heard);
            }
            if !self.is_silent && counted >= wanted {
                ensure!(counted == wanted, "{counted} told or missed of {wanted}");
                return Ok(heard);
            }
        }
    }

    async fn next(&mut self) -> anyhow::Result<String> {
        let text = async {
            loop {
                match self.socket.next().await.context("the connection has ended")?? {
                    Message::Text(text) => return Ok(text.to_string()),
                    Message::Close(frame) => bail!("closed: {frame:?}"),
                    // The server's pings are no events.
                    _ => {}
                }
            }
        };
        tokio::time::timeout(DEADLINE, text).await.context("nothing came")?
    }
}
