//! A stream that is never the bottleneck: all events as one text, written in large pieces when told to.

use anyhow::Context;
use bytes::Bytes;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Speaks like the stream to one client, then keeps the connection open.
pub(crate) struct Feed {
    address: SocketAddr,
    connected: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Feed {
    /// Listens on a free port with `events` at hand.
    pub(crate) async fn start(events: &[Bytes]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let text = stream_text(events);
        let (told_connected, connected) = oneshot::channel();
        let (go, started) = oneshot::channel();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await?;
            serve(socket, &text, told_connected, started).await
        });
        Ok(Self { address, connected, go })
    }

    /// Its stream's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v2/stream/mediawiki.page-create", self.address)
    }

    /// Waits for the client, then lets all events go.
    pub(crate) async fn release(self) -> anyhow::Result<()> {
        self.connected.await.context("nobody connected")?;
        self.go.send(()).map_err(|()| anyhow::anyhow!("the connection has ended"))
    }
}

fn stream_text(events: &[Bytes]) -> Vec<u8> {
    let mut text = Vec::new();
    for (i, event) in events.iter().enumerate() {
        let id = format!(
            r#"[{{"topic":"eqiad.mediawiki.page-create","partition":0,"timestamp":{}}}]"#,
            1_700_000_000_000 + i
        );
        text.extend_from_slice(format!("event: message\nid: {id}\ndata: ").as_bytes());
        text.extend_from_slice(event);
        text.extend_from_slice(b"\n\n");
    }
    text
}

async fn serve(
    mut socket: TcpStream,
    text: &[u8],
    connected: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n:ok\n\n").await?;
    // Whoever waited for it may have given up.
    let _ = connected.send(());
    go.await?;
    socket.write_all(text).await?;
    std::future::pending().await
}
