//! Totals of a range beside those of the range before it; each is read where it is asked for.

use super::bounds::{MAX_HOURS_APART, before};
use super::errors::ApiError;
use super::loaders;
use super::scalars::{Time, count};
use async_graphql::{Context, Object};
use schema::hour::HourRange;
use schema::query::{Count, PageFilter, Series};
use std::collections::HashSet;

/// A range beside the range of the same length before it.
pub(crate) struct Overview {
    /// The range.
    pub(crate) hours: HourRange,
    /// Which pages.
    pub(crate) filter: PageFilter,
}

/// A range beside the range of the same length before it.
#[Object]
impl Overview {
    /// The range.
    async fn current(&self) -> Totals {
        Totals { hours: self.hours, filter: self.filter.clone() }
    }

    /// The range of the same length before it.
    async fn previous(&self) -> Totals {
        Totals { hours: before(self.hours), filter: self.filter.clone() }
    }

    /// Up to when pages are counted.
    async fn as_of(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        loaders(ctx).as_of().await.map(Time)
    }
}

/// Totals of a range.
pub(crate) struct Totals {
    hours: HourRange,
    filter: PageFilter,
}

impl Totals {
    async fn sum(&self, ctx: &Context<'_>, is_counted: impl Fn(&Count) -> bool) -> Result<i32, ApiError> {
        let counts = loaders(ctx).totals(Series::of_all(&self.filter), self.hours).await?;
        Ok(count(self.passing(&counts).filter(|count| is_counted(count)).map(|count| count.page_count).sum()))
    }

    fn passing<'a>(&'a self, counts: &'a [Count]) -> impl Iterator<Item = &'a Count> {
        counts.iter().filter(|count| self.filter.matches_count(count))
    }

    /// Whether people and wikis are told apart.
    fn is_short(&self) -> bool {
        self.hours.len() <= MAX_HOURS_APART
    }
}

/// Totals of a range. `userCount` (distinct names) and `domainCount` are exact up to 744 hours and null beyond.
#[Object]
impl Totals {
    /// The range's first instant.
    async fn start(&self) -> Time {
        Time(self.hours.from.start())
    }

    /// The first instant behind the range.
    async fn end(&self) -> Time {
        Time(self.hours.to.start())
    }

    /// How many pages were created.
    async fn page_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        self.sum(ctx, |_| true).await
    }

    /// How many of them were made as a bot.
    async fn bot_page_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        self.sum(ctx, |count| count.is_bot).await
    }

    /// How many of them were created as redirects.
    async fn redirect_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        self.sum(ctx, |count| count.is_redirect).await
    }

    /// How many people created them: a name counts once, on however many wikis. Null beyond 744 hours.
    async fn user_count(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        if !self.is_short() {
            return Ok(None);
        }
        let mut people = loaders(ctx).people().await?;
        Ok(Some(count(people.count(self.hours, &self.filter).await?)))
    }

    /// On how many wikis. Null beyond 744 hours.
    async fn domain_count(&self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        if !self.is_short() {
            return Ok(None);
        }
        let counts = loaders(ctx).totals(Series::of_each(&self.filter), self.hours).await?;
        let wikis: HashSet<_> = self.passing(&counts).filter_map(|count| count.domain.as_ref()).collect();
        Ok(Some(count(wikis.len() as u64)))
    }
}
