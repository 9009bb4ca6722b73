//! What happens from now on.

use super::api;
use super::cursor::{encode, page_key_bytes};
use super::errors::ApiError;
use super::filter::{CrossWikiPageFilterInput, parse_cross_wiki_filter};
use super::page::Page;
use super::scalars::count;
use crate::live::LiveEvent;
use async_graphql::{Context, SimpleObject, Subscription as SubscriptionRoot};
use futures::Stream;
use futures::stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// One event of the live feed.
#[derive(Clone, SimpleObject)]
pub(crate) struct PageCreatedEvent {
    /// The page.
    page: Page,
    /// The event's place in the feed.
    cursor: String,
    /// Events left out just before this one since this subscriber read too slowly; 0 as a rule.
    missed_count: i32,
}

impl From<LiveEvent> for PageCreatedEvent {
    fn from(event: LiveEvent) -> Self {
        let cursor = encode("stored", &page_key_bytes(&event.page.key()));
        Self { page: Page(event.page), cursor, missed_count: count(event.missed_count) }
    }
}

/// The root of all subscriptions.
pub struct Subscription;

/// What happens from now on.
#[SubscriptionRoot]
impl Subscription {
    /// Each new page once it is stored and can be read. An event met twice has the same `page.id`.
    async fn page_created(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
    ) -> Result<impl Stream<Item = PageCreatedEvent> + use<>, ApiError> {
        let feed = api(ctx).hub.subscribe(parse_cross_wiki_filter(filter)?);
        let feed = feed.ok_or_else(|| ApiError::LimitExceeded("too many listen already; try again later".into()))?;
        Ok(ReceiverStream::new(feed).map(PageCreatedEvent::from))
    }
}
