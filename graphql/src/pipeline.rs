//! What the API tells about the pipeline: the stages' states and the gaps, as ingest publishes them.

use async_trait::async_trait;
pub use ingest::clean::RejectReason;
pub use ingest::status::{Gap, GapReason, ReasonCount, SourceKind, SourceStatus, StageCounts, StageName, StageStatus};

/// Where the pipeline's state comes from.
#[async_trait]
pub trait PipelineState: Send + Sync {
    /// One stage's state, its instances added up; none when it was not heard of for 10 s.
    fn stage(&self, stage: StageName) -> Option<StageStatus>;

    /// The times for which events may be missing, in any order. None when they cannot be read just now.
    async fn gaps(&self) -> Option<Vec<Gap>>;
}
