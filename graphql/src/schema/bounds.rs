//! Ranges of whole hours with two ends: what an open end means, and how long a range may be.

use super::errors::ApiError;
use super::filter::TimeRange;
use super::{api, loaders};
use async_graphql::Context;
use chrono::{DateTime, Utc};
use schema::hour::{Hour, HourRange};
use schema::query::{PageList, TimeSpan};

/// Hours where no range is given.
const DEFAULT_HOURS: i64 = 24;

/// The longest range of which people are told apart, and wikis counted.
pub(crate) const MAX_HOURS_APART: usize = 744;

/// The hours that a range touches. Open at the start: from the first page of `list`; open at the end: with the hour that
/// runs.
pub(crate) async fn hours_of(ctx: &Context<'_>, span: TimeSpan, list: PageList) -> Result<HourRange, ApiError> {
    let running = Hour::of(api(ctx).clock.now());
    let to = span.to.map_or(running.plus(1), first_hour_from);
    let from = match span.from {
        Some(from) => Hour::of(from),
        None => loaders(ctx).oldest_page(list).await?.map_or(running, |page| Hour::of(page.created_at)).min(to),
    };
    Ok(HourRange { from, to: to.max(from) })
}

/// The whole hours of a range of all wikis; the last 24 without one.
pub(crate) async fn whole_hours(ctx: &Context<'_>, during: Option<TimeRange>) -> Result<HourRange, ApiError> {
    let Some(during) = during else { return Ok(last_hours(ctx)) };
    let range = during.parse(api(ctx).clock.now())?;
    range.whole_hours()?;
    hours_of(ctx, range.span, PageList::All).await
}

/// The whole hours of a ranking of people; the last 24 without a range.
pub(crate) fn people_hours(ctx: &Context<'_>, during: Option<TimeRange>) -> Result<HourRange, ApiError> {
    let last = last_hours(ctx);
    let Some(during) = during else { return Ok(last) };
    let range = during.parse(api(ctx).clock.now())?;
    let hours = range.whole_hours()?;
    let hours = HourRange { from: hours.from, to: if range.span.to.is_none() { last.to } else { hours.to } };
    if hours.len() > MAX_HOURS_APART {
        let found = hours.len();
        let text = format!("a ranking of people is of {MAX_HOURS_APART} hours at most, not {found}");
        return Err(ApiError::LimitExceeded(text));
    }
    Ok(hours)
}

/// The range of the same length before it.
pub(crate) fn before(hours: HourRange) -> HourRange {
    let length = i64::try_from(hours.len()).expect("a range of hours is short");
    HourRange { from: hours.from.plus(-length), to: hours.from }
}

/// The first hour that begins at or after a time.
pub(crate) fn first_hour_from(time: DateTime<Utc>) -> Hour {
    let hour = Hour::of(time);
    if hour.start() == time { hour } else { hour.plus(1) }
}

fn last_hours(ctx: &Context<'_>) -> HourRange {
    let to = Hour::of(api(ctx).clock.now()).plus(1);
    HourRange { from: to.plus(-DEFAULT_HOURS), to }
}
