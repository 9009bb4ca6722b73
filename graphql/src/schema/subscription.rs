//! What happens from now on.

use super::api;
use super::errors::{ApiError, bad_input};
use super::filter::{CrossWikiPageFilterInput, parse_cross_wiki_filter};
use super::page::Page;
use super::pipeline::Pipeline;
use super::scalars::{Time, count};
use crate::live::{FeedCursor, Joined, LiveEvent, Replay, ReplayFrom, ReplaysOfConnection, Together};
use async_graphql::{Context, Object, Subscription as SubscriptionRoot};
use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use schema::hour::Hour;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_stream::wrappers::ReceiverStream;

/// How far back a replay by time reaches.
const MAX_SINCE_DAYS: i64 = 7;

/// How far a client's clock may be ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// How often the pipeline's state is told at most.
const STATE_EVERY: Duration = Duration::from_secs(1);

/// One event of the live feed.
pub(crate) struct PageCreatedEvent(LiveEvent);

/// One event of the live feed.
#[Object]
impl PageCreatedEvent {
    /// The page.
    async fn page(&self) -> Page {
        Page(Arc::clone(&self.0.page))
    }

    /// Where to go on after a break: give it as `after`.
    async fn cursor(&self) -> String {
        self.0.cursor.encode()
    }

    /// Events left out just before this one since this subscriber read too slowly; 0 as a rule. `after` with the previous
    /// cursor brings them.
    async fn missed_count(&self) -> i32 {
        count(self.0.missed_count)
    }
}

/// The root of all subscriptions.
pub struct Subscription;

/// What happens from now on.
#[SubscriptionRoot]
impl Subscription {
    /// Each new page once it is stored and can be read. `after` or `since` first replays what came in between; an event
    /// met twice has the same `page.id`.
    async fn page_created(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(
            desc = "Begin behind the event with this cursor, in the order of storing, so that late events are there, \
                          too. BAD_CURSOR where the server no longer holds what came behind it: then go on with `since`."
        )]
        after: Option<String>,
        #[graphql(
            desc = "Begin with the pages created from this time on, oldest first; 7 days back at most. Not together \
                          with `after`."
        )]
        since: Option<Time>,
    ) -> Result<BoxStream<'static, Result<PageCreatedEvent, ApiError>>, ApiError> {
        let (api, filter) = (api(ctx), parse_cross_wiki_filter(filter)?);
        let together = ctx.data_opt::<Together>().cloned();
        // Where one member stands is no matter of the group.
        let from = if together.is_none() { parse_from(after, since, api.clock.now())? } else { None };
        if let (Some(from), Some(joined)) = (from, ctx.data_opt::<Arc<Joined>>()) {
            let (hub, store) = (Arc::clone(&api.hub), Arc::clone(&api.store));
            let of_connection = ctx.data_opt::<ReplaysOfConnection>().cloned();
            let replay = Replay::open(hub, store, filter, from, Arc::clone(joined), of_connection).await?;
            return Ok(replay.events().map(|event| event.map(PageCreatedEvent)).boxed());
        }
        let feed = api.hub.subscribe(filter);
        let feed = feed.ok_or_else(ApiError::too_many_listen)?;
        together.iter().for_each(Together::listens);
        let told = ReceiverStream::new(feed).map(move |event| {
            together.iter().for_each(|group| group.begin(&event));
            Ok(PageCreatedEvent(event))
        });
        Ok(told.boxed())
    }

    /// The pipeline's state: as it is, and whenever it has changed, at most once a second.
    async fn pipeline_changed(&self, ctx: &Context<'_>) -> impl Stream<Item = Pipeline> + use<> {
        let api = api(ctx).clone();
        let mut ticks = interval(STATE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        unfold((ticks, None), move |(mut ticks, mut told): (Interval, Option<Pipeline>)| {
            let pipeline = Arc::clone(&api.pipeline);
            async move {
                loop {
                    ticks.tick().await;
                    let now = Pipeline::now(pipeline.as_ref());
                    if told.as_ref().is_none_or(|told| !told.says_the_same(&now)) {
                        told = Some(now.clone());
                        return Some((now, (ticks, told)));
                    }
                }
            }
        })
    }
}

/// Where to begin; none for who wants only what comes.
fn parse_from(after: Option<String>, since: Option<Time>, now: DateTime<Utc>) -> Result<Option<ReplayFrom>, ApiError> {
    match (after, since) {
        (None, None) => Ok(None),
        (Some(cursor), None) => parse_after(&cursor, now).map(|cursor| Some(ReplayFrom::Cursor(cursor))),
        (None, Some(since)) => parse_since(since, now).map(|since| Some(ReplayFrom::Time(since))),
        (Some(_), Some(_)) => Err(bad_input("give after or since, not both")),
    }
}

/// A cursor's list by time reaches back no further than one that began as early as it may, and was read for a day.
fn parse_after(cursor: &str, now: DateTime<Utc>) -> Result<FeedCursor, ApiError> {
    let cursor = FeedCursor::decode(cursor)?;
    let earliest = now - TimeDelta::days(MAX_SINCE_DAYS + 1);
    match &cursor.listed {
        Some(key) if key.created_at < earliest => Err(ApiError::PlaceNotHeld),
        _ => Ok(cursor),
    }
}

fn parse_since(since: Time, now: DateTime<Utc>) -> Result<DateTime<Utc>, ApiError> {
    let since = since.next_second().clamp(Hour::MIN.start(), Hour::MAX.start());
    if since > now + CLOCK_SKEW {
        return Err(bad_input("since lies in the future; leave it out to hear what comes"));
    }
    if since < now - TimeDelta::days(MAX_SINCE_DAYS) {
        let text = format!("since reaches back {MAX_SINCE_DAYS} days at most; read older pages by `pages(during: …)`");
        return Err(bad_input(text));
    }
    Ok(since)
}
