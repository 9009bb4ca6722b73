//! One wiki.

use super::activity::{Activity, ActivityDimension, ActivityQuery, TimeUnit};
use super::bounds::people_hours;
use super::errors::ApiError;
use super::filter::{PageFilterInput, TimeRange, parse_filter, parse_range};
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery, count_within};
use super::paging::PagingArguments;
use super::ranks::{RankQuery, UserRank};
use super::scalars::{Time, Url};
use super::wiki::ProjectFamily;
use super::{api, loaders};
use async_graphql::{Context, ID, Object};
use schema::query::{DomainRow, PageFilter, PageList, Series};
use schema::wiki::language_of;
use std::collections::HashMap;

/// One wiki.
#[derive(Clone)]
pub(crate) struct Domain(pub(crate) DomainRow);

/// Wikis by name.
pub(crate) type Domains = HashMap<schema::page::Domain, Domain>;

/// Those of `names` that there are, in one read.
pub(crate) async fn load_domains(ctx: &Context<'_>, names: Vec<schema::page::Domain>) -> Result<Domains, ApiError> {
    let rows = loaders(ctx).domains(names).await?;
    Ok(rows.into_iter().filter_map(|(name, row)| Some((name, Domain((*row?).clone())))).collect())
}

impl Domain {
    fn list(&self) -> PageList {
        PageList::Domain(self.0.domain.clone())
    }
}

/// One wiki: a partition of `pages_by_domain`.
#[Object]
impl Domain {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Domain(self.0.domain.clone()).encode()
    }

    /// The host name: `it.wikisource.org`.
    async fn name(&self) -> &str {
        self.0.domain.as_str()
    }

    /// The database name: `itwikisource`.
    async fn wiki(&self) -> &str {
        self.0.wiki.as_str()
    }

    /// The family of projects it belongs to.
    async fn project_family(&self) -> ProjectFamily {
        schema::wiki::ProjectFamily::of(&self.0.domain).into()
    }

    /// Language code by domain: `it`; null where a wiki has none.
    async fn language(&self) -> Option<&str> {
        language_of(&self.0.domain)
    }

    /// The wiki's start page.
    async fn url(&self) -> Url {
        Url::of_wiki(&self.0.domain)
    }

    /// How many pages were created, of whole hours.
    async fn page_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages created within, whole hours; without it all that were ever seen.")] during: Option<
            TimeRange,
        >,
        #[graphql(desc = "Only pages that pass.")] filter: Option<PageFilterInput>,
    ) -> Result<i32, ApiError> {
        count_within(ctx, self.list(), during, parse_filter(filter)?).await
    }

    /// Short for pageCount(filter: {isBot: true}).
    async fn bot_page_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages created within, whole hours; without it all that were ever seen.")] during: Option<
            TimeRange,
        >,
    ) -> Result<i32, ApiError> {
        count_within(ctx, self.list(), during, PageFilter { is_bot: Some(true), ..Default::default() }).await
    }

    /// When the first page was created.
    async fn first_page_at(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        let oldest = loaders(ctx).oldest_page(self.list()).await?;
        oldest.map(|page| Time(page.created_at)).ok_or(ApiError::Unavailable)
    }

    /// When the newest page was created.
    async fn last_page_at(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        let newest = loaders(ctx).newest_page(self.list()).await?;
        newest.map(|page| Time(page.created_at)).ok_or(ApiError::Unavailable)
    }

    /// Newest first.
    #[expect(clippy::too_many_arguments, reason = "one for each argument of the field")]
    async fn pages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages created within; without it all that are kept.")] during: Option<TimeRange>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<PageFilterInput>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<PageConnection, ApiError> {
        let range = parse_range(during, api(ctx).clock.now())?;
        let filter = parse_filter(filter)?;
        let paging = PagingArguments { first, after, last, before };
        PageConnection::load(ctx, PageListQuery { list: self.list(), range, filter, paging }).await
    }

    /// The people who created most in a range (default: the last 24 hours) on this wiki, against the range of the same
    /// length before it.
    async fn top_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whole hours, 744 (a month) at most; the last 24 hours without it.")] during: Option<
            TimeRange,
        >,
        #[graphql(desc = "Only pages that pass.")] filter: Option<PageFilterInput>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 20)] limit: i32,
    ) -> Result<Vec<UserRank>, ApiError> {
        let filter = PageFilter { domains: vec![self.0.domain.clone()], ..parse_filter(filter)? };
        RankQuery::busiest(people_hours(ctx, during)?, filter, limit)?.people(ctx).await
    }

    /// Pages over time, split as asked.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Widened to whole buckets. Open at the start: from the first page; at the end: to now.")]
        during: TimeRange,
        #[graphql(desc = "Length of a bucket.", default_with = "TimeUnit::Hour")] unit: TimeUnit,
        #[graphql(desc = "What to split by; all in one series without it.", default)] by: Vec<ActivityDimension>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<PageFilterInput>,
        #[graphql(desc = "Series at most, 1 to 100; the others are added up.", default = 20)] limit: i32,
    ) -> Result<Activity, ApiError> {
        let query = ActivityQuery {
            whose: Series::Domain(self.0.domain.clone()),
            during,
            unit,
            by,
            filter: parse_filter(filter)?,
            limit,
        };
        Activity::load(ctx, query).await
    }
}
