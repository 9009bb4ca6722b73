//! Reads the stream for ever: connects, resumes, checks the overlap, waits after failures. One connection at a time.

use super::overlap::Progress;
use super::{Checkpoint, SourceItem, StreamSettings};
use crate::backoff::Backoff;
use crate::sse::{Connection, Connector, Ended, Message, Refusal};
use crate::stage::{StageContext, StageError};
use crate::status::SourceStatus;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

/// No server may ask for a longer wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// What a reader is given.
pub(crate) struct ReaderContext {
    /// The stage's; its shutdown ends the reading.
    pub(crate) stage: StageContext,
    /// Takes what is read; when it is full, the stream waits.
    pub(crate) out: Sender<SourceItem>,
    /// Where to resume.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// Reads one stream.
pub(crate) struct Reader {
    connector: Connector,
    settings: StreamSettings,
    progress: Progress,
    backoff: Backoff,
    ctx: StageContext,
    out: Sender<SourceItem>,
}

/// Nobody takes events any more.
struct Deaf;

impl Reader {
    /// Prepares; connects to nothing.
    ///
    /// # Errors
    /// `Unsupported` with the setting that does not work.
    pub(crate) fn new(settings: StreamSettings, given: ReaderContext) -> Result<Self, StageError> {
        Ok(Self {
            connector: Connector::new(&settings).map_err(StageError::Unsupported)?,
            progress: Progress::new(given.checkpoint, settings.timeouts.overlap),
            backoff: Backoff::new(settings.timeouts.backoff_min, settings.timeouts.backoff_max),
            settings,
            ctx: given.stage,
            out: given.out,
        })
    }

    /// Reads until shutdown, or until nobody listens.
    pub(crate) async fn run(mut self) {
        let shutdown = self.ctx.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => {}
            _deaf = self.read_on() => {}
        }
        self.tell(false, Some("stopped".into()));
    }

    async fn read_on(&mut self) -> Deaf {
        // No reason yet: there is none before the first try came to its end.
        self.tell(false, None);
        loop {
            let resume_id = self.progress.begin_connection();
            let wait = match self.connector.connect(resume_id, self.ctx.clock.now()).await {
                Ok(connection) => match self.read_connection(connection).await {
                    Ok(wait) => wait,
                    Err(deaf) => return deaf,
                },
                Err(refusal) => self.wait_after_refusal(&refusal),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads one connection to its end; how long to wait then.
    async fn read_connection(&mut self, mut connection: Connection) -> Result<Duration, Deaf> {
        tracing::info!(url = %self.settings.url, "connected to the stream");
        self.tell(true, None);
        let mut had_news = false;
        loop {
            match connection.next().await {
                Ok(Message::Event { id, data }) => {
                    if self.hand_on(data, id.as_deref()).await? {
                        had_news = true;
                        self.backoff.reset();
                    }
                }
                Ok(Message::Error(_)) => {
                    tracing::warn!("the stream told of an error in its data");
                    self.progress.note_error();
                }
                Err(ended) => return Ok(self.wait_after_end(&ended, had_news)),
            }
        }
    }

    /// Whether the event was new.
    async fn hand_on(&mut self, payload: Bytes, id: Option<&str>) -> Result<bool, Deaf> {
        let taken = self.progress.take(&payload, id, self.ctx.clock.now());
        if let Some(gap) = taken.gap {
            tracing::warn!(from = %gap.from, to = %gap.to, reason = ?gap.reason, "events may be missing");
            self.out.send(SourceItem::Gap(gap)).await.map_err(|_| Deaf)?;
        }
        if taken.is_new {
            let event = SourceItem::Event { payload, event_at: taken.event_at, checkpoint: taken.checkpoint };
            self.out.send(event).await.map_err(|_| Deaf)?;
        }
        Ok(taken.is_new)
    }

    /// A connection that brought something new was fine however it ended: the service cuts each after 15 minutes.
    fn wait_after_end(&mut self, ended: &Ended, had_news: bool) -> Duration {
        let wait = match ended {
            Ended::Closed if had_news => Duration::ZERO,
            _ => self.backoff.next_wait(),
        };
        tracing::info!(%ended, wait_ms = wait.as_millis(), "reconnecting");
        self.tell(false, Some(ended.to_string()));
        wait
    }

    fn wait_after_refusal(&mut self, refusal: &Refusal) -> Duration {
        let usual = self.backoff.next_wait();
        let wait = match refusal {
            Refusal::Forbidden => self.settings.timeouts.forbidden,
            Refusal::Status { retry_after: Some(asked), .. } => usual.max((*asked).min(MAX_RETRY_AFTER)),
            _ => usual,
        };
        tracing::warn!(%refusal, wait_ms = wait.as_millis(), "no stream");
        self.tell(false, Some(refusal.to_string()));
        wait
    }

    fn tell(&self, is_connected: bool, reason: Option<String>) {
        self.ctx.meter.set_source(SourceStatus { kind: self.settings.kind, reason, is_connected });
    }
}
