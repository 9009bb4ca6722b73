//! The four pairs of transport and store, and an unused place on each for one journey.

use ingest::bus::BusUrl;
use schema::store::{Durability, Migration, Store, StoreUrl};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tests::{servers, wait};

const RELEASED_WITHIN: Duration = Duration::from_secs(10);

/// What carries the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Memory,
    Kafka,
}

/// What keeps the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Embedded,
    Cassandra,
}

/// A transport and a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) transport: Transport,
    pub(crate) storage: Storage,
}

impl Pair {
    /// All of them.
    pub(crate) const ALL: [Pair; 4] = [
        Pair { transport: Transport::Memory, storage: Storage::Embedded },
        Pair { transport: Transport::Kafka, storage: Storage::Embedded },
        Pair { transport: Transport::Memory, storage: Storage::Cassandra },
        Pair { transport: Transport::Kafka, storage: Storage::Cassandra },
    ];
}

impl Pair {
    /// Whether others reach both, so that each stage can be a process of its own.
    pub(crate) fn is_shared(self) -> bool {
        self == Pair { transport: Transport::Kafka, storage: Storage::Cassandra }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = if self.transport == Transport::Memory { "memory" } else { "kafka" };
        let storage = if self.storage == Storage::Embedded { "embedded" } else { "cassandra" };
        write!(f, "{transport}+{storage}")
    }
}

/// Empty tables and topics for one journey.
pub(crate) struct Place {
    pub(crate) pair: Pair,
    pub(crate) store: StoreUrl,
    pub(crate) bus: BusUrl,
    pub(crate) folder: TempDir,
}

impl Place {
    /// None where a server that it needs is not there.
    pub(crate) fn new(pair: Pair) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let name = format!("journey_{:016x}", rand::random::<u64>());
        let bus = match pair.transport {
            Transport::Memory => Some(BusUrl::Memory),
            Transport::Kafka => servers::kafka(&name)?,
        };
        let store = match pair.storage {
            Storage::Embedded => Some(StoreUrl::Embedded(folder.path().join("data"))),
            Storage::Cassandra => servers::cassandra(&name)?,
        };
        Ok(bus.zip(store).map(|(bus, store)| Self { pair, store, bus, folder }))
    }

    /// The tables, by the test itself. An embedded store only while no app has it: one that stopped just now may hold
    /// its folder for a moment, until its last connection is gone.
    pub(crate) async fn open_store(&self) -> anyhow::Result<Arc<dyn Store>> {
        wait::until("a store that no one else has", RELEASED_WITHIN, || async {
            Ok(Some(schema::store::open(&self.store, Migration::Apply, Durability::Process).await?))
        })
        .await
    }
}
