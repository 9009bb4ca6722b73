//! One connection: the request's head, then events or what was asked for instead.

use super::log::Sent;
use super::{Misbehaviour, Shared, Visit};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

/// How long the one before may take to be seen closed.
const CLOSING: Duration = Duration::from_secs(2);

pub(super) async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let (mut reader, writer) = socket.into_split();
    let Ok(visit) = read_head(&mut reader).await else { return };
    let mut changes = shared.changes.subscribe();
    // A client that closed its last connection just before is no client with two.
    let _seen = tokio::time::timeout(CLOSING, changes.wait_for(|_| shared.lock().open == 0)).await.is_ok();
    // Seen from outside the connection stands at once, so what is published from now on is behind its start.
    let (how, is_refused, starts) = shared.change(|state| {
        let is_refused = state.wants_contact && !visit.user_agent.contains('(');
        state.visits.push(visit.clone());
        state.open += 1;
        state.max_open = state.max_open.max(state.open);
        let starts = state.log.starts(visit.last_event_id.as_deref());
        (if is_refused { None } else { state.script.pop_front() }, is_refused, starts)
    });
    let how = if is_refused { Some(Misbehaviour::Answer(403, String::new())) } else { how };
    let mut answer = Answer { writer, how, starts, shared: Arc::clone(&shared) };
    tokio::select! {
        _written = answer.give() => {}
        () = closed(&mut reader) => {}
    }
    drop(answer);
    drop(reader);
    shared.change(|state| state.open -= 1);
}

async fn closed(reader: &mut (impl AsyncReadExt + Unpin)) {
    let mut buffer = [0; 256];
    while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}

async fn read_head(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Visit> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(reader.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    Ok(Visit { user_agent: header("user-agent").unwrap_or_default(), last_event_id: header("last-event-id") })
}

struct Answer {
    writer: OwnedWriteHalf,
    how: Option<Misbehaviour>,
    /// Where each topic starts.
    starts: [usize; 2],
    shared: Arc<Shared>,
}

impl Answer {
    async fn give(&mut self) -> io::Result<()> {
        let (status, kind, more) = match &self.how {
            Some(Misbehaviour::Answer(status, headers)) => (*status, "text/plain", headers.clone()),
            Some(Misbehaviour::WrongContentType) => (200, "text/html", String::new()),
            _ => (200, "text/event-stream; charset=utf-8", "Transfer-Encoding: chunked\r\n".to_owned()),
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n{more}\r\n");
        self.writer.write_all(head.as_bytes()).await?;
        if more.starts_with("Transfer-Encoding") { self.stream().await } else { Ok(()) }
    }

    async fn stream(&mut self) -> io::Result<()> {
        self.chunk(b":ok\n\n").await?;
        let preface = self.shared.lock().preface.clone();
        if !preface.is_empty() {
            self.chunk(&preface).await?;
        }
        let mut changes = self.shared.changes.subscribe();
        let starts = self.starts;
        let (mut sent, mut count, mut index) = (Sent::default(), 0, starts[0].min(starts[1]));
        loop {
            if self.misbehave_after(count).await? {
                return Ok(());
            }
            changes.borrow_and_update();
            let next = self.shared.lock().log.get(index).cloned();
            let Some(logged) = next else {
                changes.changed().await.map_err(io::Error::other)?;
                continue;
            };
            if logged.is_from(index, starts) {
                let id = sent.id_after(&logged);
                self.event(&id, &logged.event, count).await?;
                count += 1;
            }
            index += 1;
        }
    }

    /// What is to happen between events; whether the connection ends with it.
    async fn misbehave_after(&mut self, count: usize) -> io::Result<bool> {
        match self.how.clone() {
            Some(Misbehaviour::CloseAfter(after)) if after == count => {
                self.writer.write_all(b"0\r\n\r\n").await?;
                return Ok(true);
            }
            Some(Misbehaviour::SilentAfter(after)) if after == count => std::future::pending().await,
            Some(Misbehaviour::ErrorAfter(after)) if after == count => {
                self.how = None;
                self.chunk(b"event: error\ndata: {\"message\":\"a consumer failed\"}\n\n").await?;
            }
            Some(Misbehaviour::InsertAfter(after, bytes)) if after == count => {
                self.how = None;
                self.chunk(&bytes).await?;
            }
            _ => {}
        }
        Ok(false)
    }

    async fn event(&mut self, id: &str, event: &[u8], count: usize) -> io::Result<()> {
        let end = if matches!(self.how, Some(Misbehaviour::Crlf)) { "\r\n" } else { "\n" };
        let mut bytes = format!("event: message{end}id: {id}{end}data: ").into_bytes();
        bytes.extend_from_slice(event);
        bytes.extend_from_slice(format!("{end}{end}").as_bytes());
        match self.how {
            Some(Misbehaviour::CutMidEvent(after)) if after == count => {
                self.chunk(&bytes[..bytes.len() / 2]).await?;
                Err(io::Error::other("cut"))
            }
            Some(Misbehaviour::Twice) => self.chunk(&bytes.repeat(2)).await,
            Some(Misbehaviour::Trickle) if count < 3 => {
                for byte in bytes {
                    self.chunk(&[byte]).await?;
                    self.writer.flush().await?;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            _ => self.chunk(&bytes).await,
        }
    }

    async fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.writer.write_all(&chunk).await
    }
}
