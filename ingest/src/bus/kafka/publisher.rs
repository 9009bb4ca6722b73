//! Publishing: bounded in records and bytes, acknowledged by the brokers, tried again until it is.

use super::errors::{is_permanent, topic_error};
use crate::bus::{BusError, Delivery, Record};
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedMessage};
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, Message};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How many records may be on their way.
const MAX_RECORDS: usize = 16_384;
/// How many bytes may be on their way.
const MAX_BYTES: usize = 16 << 20;
const AGAIN_AFTER: Duration = Duration::from_millis(100);
const FULL_WAIT: Duration = Duration::from_millis(5);

type Client = ThreadedProducer<Reports>;

pub(super) struct Publisher {
    client: Arc<Client>,
    records: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    again: JoinHandle<()>,
}

/// Travels with a record through the client and comes back with its report.
struct Pending {
    done: oneshot::Sender<Result<(), BusError>>,
    /// Room in the queue, given back when this is dropped.
    _room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

struct Failed {
    message: OwnedMessage,
    pending: Box<Pending>,
}

struct Reports {
    again: mpsc::UnboundedSender<Failed>,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka producer");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        let (error, message) = match result {
            Ok(_) => return tell(*pending, Ok(())),
            Err((error, message)) => (error, message),
        };
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) => {
                tell(*pending, Err(BusError::Closed));
            }
            Some(code) if is_permanent(code) => tell(*pending, Err(topic_error(message.topic(), error.clone()))),
            _ => {
                tracing::warn!(%error, "a record was not delivered: publishing it again");
                // Bounded by the room that each holds; an error says that the bus is being closed.
                if let Err(lost) = self.again.send(Failed { message: message.detach(), pending }) {
                    tell(*lost.0.pending, Err(BusError::Closed));
                }
            }
        }
    }
}

fn tell(pending: Pending, result: Result<(), BusError>) {
    let _ = pending.done.send(result); // an error says that nobody awaits the delivery
}

impl Publisher {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, BusError> {
        let (again, failed) = mpsc::unbounded_channel();
        let client = Client::from_config_and_context(config, Reports { again })
            .map_err(|error| BusError::Unsupported(error.to_string()))?;
        let client = Arc::new(client);
        let again = tokio::spawn(publish_again(Arc::downgrade(&client), failed));
        let (records, bytes) = (Arc::new(Semaphore::new(MAX_RECORDS)), Arc::new(Semaphore::new(MAX_BYTES)));
        Ok(Self { client, records, bytes, again })
    }

    pub(super) async fn publish(&self, topic: &str, record: &Record) -> Result<Delivery, BusError> {
        let size = u32::try_from(record.size()).expect("a record's size was checked");
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(size).await.map_err(|_| BusError::Closed)?;
        let records = Arc::clone(&self.records).acquire_owned().await.map_err(|_| BusError::Closed)?;
        let (done, delivered) = oneshot::channel();
        let pending = Box::new(Pending { done, _room: (records, bytes) });
        let key = (!record.key.is_empty()).then_some(record.key.as_bytes());
        enqueue(&self.client, topic, key, &record.payload, pending).await?;
        Ok(Box::pin(async move { delivered.await.unwrap_or(Err(BusError::Closed)) }))
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.again.abort();
    }
}

async fn publish_again(client: Weak<Client>, mut failed: mpsc::UnboundedReceiver<Failed>) {
    while let Some(Failed { message, pending }) = failed.recv().await {
        sleep(AGAIN_AFTER).await;
        let Some(client) = client.upgrade() else { return };
        let payload = message.payload().unwrap_or_default();
        // On an error the delivery's sender is dropped, which its awaiter hears as closed.
        if let Err(error) = enqueue(&client, message.topic(), message.key(), payload, pending).await {
            tracing::error!(%error, topic = message.topic(), "a record cannot be published again");
        }
    }
}

async fn enqueue(
    client: &Client,
    topic: &str,
    key: Option<&[u8]>,
    payload: &[u8],
    mut pending: Box<Pending>,
) -> Result<(), BusError> {
    loop {
        let mut record = BaseRecord::with_opaque_to(topic, pending).payload(payload);
        record.key = key;
        match client.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => pending = back.delivery_opaque,
            Err((error, _)) => return Err(topic_error(topic, error)),
        }
        sleep(FULL_WAIT).await;
    }
}
