//! What a kill caught between a write and its commit: rows that are there though their record will come again.

use crate::pair::{Place, Transport};
use anyhow::Context;
use chrono::{DateTime, Utc};
use ingest::bus::{Consumer, Topic};
use schema::page::{Page, PageKey};
use schema::query::{PageList, PageQuery};
use schema::store::Store;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Rows looked at; one would do.
const LOOKED_AT: usize = 1_000;
/// The broker notices within 10 s that a killed member is gone; then the group's records are given to the next.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

/// Rows that were written and whose record is not committed. To be asked while the writer is dead.
pub(crate) async fn written_uncommitted(place: &Place) -> anyhow::Result<Vec<PageKey>> {
    let store = place.open_store().await?;
    match place.pair.transport {
        Transport::Memory => behind_position(store.as_ref()).await,
        Transport::Kafka => behind_offset(place, store).await,
    }
}

/// On the memory bus the commit is the resume position: rows of events behind it.
async fn behind_position(store: &dyn Store) -> anyhow::Result<Vec<PageKey>> {
    let records = store.records(Topic::Positions.name()).await?;
    let record = records.iter().find(|record| record.key == "stream").context("rows, but no position")?;
    let last = time_of(&record.payload)?;
    let newest = store.list_pages(&PageQuery::newest(PageList::All, LOOKED_AT)).await?;
    Ok(newest.pages.iter().filter(|page| page.created_at > last).map(Page::key).collect())
}

/// The time of the last event that needs not come again; the first position is of before any event.
fn time_of(position: &[u8]) -> anyhow::Result<DateTime<Utc>> {
    let position: Value = serde_json::from_slice(position)?;
    match position["last_event"]["created_at"].as_str() {
        Some(last) => Ok(last.parse()?),
        None => Ok(DateTime::UNIX_EPOCH),
    }
}

/// On Kafka the commit is the group's offset: rows of the records that a member of the group is given next. They are
/// not committed here either.
async fn behind_offset(place: &Place, store: Arc<dyn Store>) -> anyhow::Result<Vec<PageKey>> {
    let bus = ingest::bus::open(&place.bus, Arc::clone(&store)).await?;
    let mut consumer = bus.subscribe(Topic::Processed, "writer").await?;
    let received = tokio::time::timeout(NOTICED_WITHIN, next_records(consumer.as_mut())).await;
    consumer.close().await?;
    // Nothing came: all was committed.
    let Ok(received) = received else { return Ok(Vec::new()) };
    let pages: Vec<Page> = received?;
    let keys: Vec<_> = pages.iter().map(|page| (page.domain.clone(), page.page_id)).collect();
    Ok(store.load_pages(&keys).await?.iter().flatten().map(Page::key).collect())
}

/// The first records that come.
async fn next_records(consumer: &mut dyn Consumer) -> anyhow::Result<Vec<Page>> {
    loop {
        let received = consumer.receive(LOOKED_AT).await?;
        if !received.is_empty() {
            return received.iter().map(|r| Ok(serde_json::from_slice(&r.record.payload)?)).collect();
        }
    }
}
