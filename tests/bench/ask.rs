//! Questions to a running API.

use anyhow::Context;
use std::time::{Duration, Instant};

/// Pages of all hours that the sample covers, by the rollups.
pub(crate) async fn stored_pages(client: &reqwest::Client, base: &str) -> anyhow::Result<u64> {
    let body =
        serde_json::json!({ "query": "{ hours(during: { lastHours: 50 }, first: 50) { nodes { pageCount } } }" });
    let answer: serde_json::Value = client.post(format!("{base}/graphql")).json(&body).send().await?.json().await?;
    let nodes = answer["data"]["hours"]["nodes"].as_array().with_context(|| format!("no hours in {answer}"))?;
    Ok(nodes.iter().filter_map(|hour| hour["pageCount"].as_u64()).sum())
}

/// Waits until `wanted` pages can be read; the time when they could.
pub(crate) async fn wait_for_pages(base: &str, wanted: u64, every: Duration) -> anyhow::Result<Instant> {
    let client = reqwest::Client::new();
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let stored = stored_pages(&client, base).await?;
        if stored >= wanted {
            return Ok(Instant::now());
        }
        anyhow::ensure!(Instant::now() < deadline, "only {stored} of {wanted} pages after 180 s");
        tokio::time::sleep(every).await;
    }
}

/// Waits until the page with this number is answered; the time when it was.
pub(crate) async fn wait_for_page(client: &reqwest::Client, base: &str, page_id: &str) -> anyhow::Result<Instant> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = client.get(format!("{base}/pages/id/{page_id}")).send().await?;
        if answer.status() == reqwest::StatusCode::OK {
            return Ok(Instant::now());
        }
        anyhow::ensure!(Instant::now() < deadline, "page {page_id} was not visible within 20 s");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until the API answers at all; the time when it did.
pub(crate) async fn wait_for_any_answer(base: &str) -> anyhow::Result<Instant> {
    let client = reqwest::Client::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.get(format!("{base}/domains/")).send().await.is_err() {
        anyhow::ensure!(Instant::now() < deadline, "no answer at {base} within 30 s");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(Instant::now())
}
