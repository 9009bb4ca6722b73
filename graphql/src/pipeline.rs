//! What the API tells about the pipeline: the stages' states and the gaps, as ingest publishes them.

use async_trait::async_trait;
use ingest::bus::{Bus, Topic};
pub use ingest::clean::RejectReason;
use ingest::status::PipelineView;
pub use ingest::status::{Gap, GapReason, ReasonCount, SourceKind, SourceStatus, StageCounts, StageName, StageStatus};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Where the pipeline's state comes from.
#[async_trait]
pub trait PipelineState: Send + Sync {
    /// One stage's state, its instances added up; none when it was not heard of for 10 s.
    fn stage(&self, stage: StageName) -> Option<StageStatus>;

    /// The times for which events may be missing, in any order. None when they cannot be read just now.
    async fn gaps(&self) -> Option<Vec<Gap>>;
}

/// For how long gaps that were read are told, or that they cannot be: each reading of them may be a connection of its own to the bus.
const GAPS_FOR: Duration = Duration::from_secs(2);

/// The state as the bus tells it.
pub struct BusPipeline {
    /// What was heard on the topic `status`.
    view: Arc<PipelineView>,
    /// Where the gaps are kept.
    bus: Arc<dyn Bus>,
    /// The gaps that were read last, or none where the bus did not answer, and when; held while they are read.
    gaps: Mutex<Option<(Instant, Option<Vec<Gap>>)>>,
}

impl BusPipeline {
    /// As `view` hears it, with the gaps that `bus` keeps.
    pub fn new(view: Arc<PipelineView>, bus: Arc<dyn Bus>) -> Self {
        Self { view, bus, gaps: Mutex::default() }
    }
}

#[async_trait]
impl PipelineState for BusPipeline {
    fn stage(&self, stage: StageName) -> Option<StageStatus> {
        self.view.stage(stage)
    }

    async fn gaps(&self) -> Option<Vec<Gap>> {
        let mut known = self.gaps.lock().await;
        if let Some((read_at, gaps)) = known.as_ref()
            && read_at.elapsed() < GAPS_FOR
        {
            return gaps.clone();
        }
        let gaps = match self.bus.read_compacted(Topic::Positions).await {
            Ok(records) => {
                let gaps = records.iter().filter(|record| record.key.starts_with("gap:"));
                Some(gaps.filter_map(|record| parse_gap(&record.payload)).collect())
            }
            Err(error) => {
                tracing::warn!(%error, "gaps cannot be read");
                None
            }
        };
        known.insert((Instant::now(), gaps)).1.clone()
    }
}

fn parse_gap(payload: &[u8]) -> Option<Gap> {
    serde_json::from_slice(payload)
        .inspect_err(|error| tracing::error!(%error, "a gap is stored that cannot be read"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use ingest::bus::{MemoryBus, Record};
    use schema::clock::FixedClock;
    use schema::store::{Durability, Migration, StoreUrl, open};

    async fn record_gap(bus: &dyn Bus, from: i64) {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).expect("it is a time");
        let gap = Gap { from: time(from), to: time(from + 60), reason: GapReason::HistoryExpired };
        let payload = serde_json::to_vec(&gap).expect("it is JSON");
        let record = Record { key: format!("gap:{from}"), payload: payload.into() };
        bus.publish(Topic::Positions, record).await.expect("it takes it").await.expect("it keeps it");
    }

    #[tokio::test]
    async fn gaps_are_read_again_after_a_while() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = StoreUrl::Embedded(folder.path().into());
        let store = open(&url, Migration::Apply, Durability::Process).await.expect("a store");
        let bus: Arc<dyn Bus> = MemoryBus::new(store);
        let view = PipelineView::new(Arc::new(FixedClock::at(0)));
        let pipeline = BusPipeline::new(view, Arc::clone(&bus));
        let count = async || pipeline.gaps().await.expect("the bus answers").len();
        record_gap(&*bus, 1_000).await;
        assert_eq!(count().await, 1);
        record_gap(&*bus, 2_000).await;
        assert_eq!(count().await, 1, "known for two seconds");
        // Not before: the store works on threads of its own, which a clock that stands still would not wait for.
        tokio::time::pause();
        tokio::time::advance(GAPS_FOR).await;
        tokio::time::resume();
        assert_eq!(count().await, 2);
    }
}
