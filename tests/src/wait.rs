//! Waiting for a condition, with a deadline.

use anyhow::bail;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Asks `condition` until it gives something.
///
/// # Errors
/// After `deadline`, with what was waited for and the last error of the condition.
pub async fn until<T, F>(what: &str, deadline: Duration, mut condition: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let end = Instant::now() + deadline;
    loop {
        let last = match condition().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => "not yet".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        if Instant::now() >= end {
            bail!("{what}: not within {} s; last: {last}", deadline.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
}
