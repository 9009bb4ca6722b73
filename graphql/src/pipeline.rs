//! What the API tells about the pipeline: the stages' states and the gaps, as ingest publishes them.

use async_trait::async_trait;
use ingest::bus::{Bus, Topic};
pub use ingest::clean::RejectReason;
use ingest::status::PipelineView;
pub use ingest::status::{Gap, GapReason, ReasonCount, SourceKind, SourceStatus, StageCounts, StageName, StageStatus};
use std::sync::Arc;

/// Where the pipeline's state comes from.
#[async_trait]
pub trait PipelineState: Send + Sync {
    /// One stage's state, its instances added up; none when it was not heard of for 10 s.
    fn stage(&self, stage: StageName) -> Option<StageStatus>;

    /// The times for which events may be missing, in any order. None when they cannot be read just now.
    async fn gaps(&self) -> Option<Vec<Gap>>;
}

/// The state as the bus tells it.
pub struct BusPipeline {
    /// What was heard on the topic `status`.
    pub view: Arc<PipelineView>,
    /// Where the gaps are kept.
    pub bus: Arc<dyn Bus>,
}

#[async_trait]
impl PipelineState for BusPipeline {
    fn stage(&self, stage: StageName) -> Option<StageStatus> {
        self.view.stage(stage)
    }

    async fn gaps(&self) -> Option<Vec<Gap>> {
        match self.bus.read_compacted(Topic::Positions).await {
            Ok(records) => {
                let gaps = records.iter().filter(|record| record.key.starts_with("gap:"));
                Some(gaps.filter_map(|record| parse_gap(&record.payload)).collect())
            }
            Err(error) => {
                tracing::warn!(%error, "gaps cannot be read");
                None
            }
        }
    }
}

fn parse_gap(payload: &[u8]) -> Option<Gap> {
    serde_json::from_slice(payload)
        .inspect_err(|error| tracing::error!(%error, "a gap is stored that cannot be read"))
        .ok()
}
