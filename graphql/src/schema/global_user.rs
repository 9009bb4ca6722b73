//! One person on all wikis.

use super::activity::{Activity, ActivityDimension, ActivityQuery, TimeUnit};
use super::api;
use super::errors::ApiError;
use super::filter::{CrossWikiPageFilterInput, TimeRange, parse_cross_wiki_filter, parse_range};
use super::loaders;
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery, count_within};
use super::paging::PagingArguments;
use super::scalars::{count, ranking_size};
use super::user::User;
use async_graphql::{Context, ID, Object};
use schema::hour::HourRange;
use schema::page::Domain;
use schema::query::{PageList, Series};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One person on all wikis.
#[derive(Clone)]
pub(crate) struct GlobalUser {
    /// The name.
    pub(crate) user_name: String,
}

impl GlobalUser {
    fn list(&self) -> PageList {
        PageList::UserName(self.user_name.clone())
    }

    /// How many pages there are on each wiki, of all time.
    async fn pages_by_domain(&self, ctx: &Context<'_>) -> Result<BTreeMap<Domain, u64>, ApiError> {
        let series = Series::UserName(self.user_name.clone());
        let mut sums = BTreeMap::new();
        for count in loaders(ctx).totals(vec![series], HourRange::ALL).await?.iter() {
            count.domain.iter().for_each(|domain| *sums.entry(domain.clone()).or_default() += count.page_count);
        }
        Ok(sums)
    }
}

/// One person on all wikis: the accounts that share a user name. Names are unique across Wikimedia but can be changed.
#[Object]
impl GlobalUser {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::GlobalUser(self.user_name.clone()).encode()
    }

    /// The name, the same on all wikis: `Alex brollo`.
    async fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The accounts with at least one page, those of the wiki with most pages of all time first; ties by domain, then by
    /// user id as text.
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 100)] limit: i32,
    ) -> Result<Vec<User>, ApiError> {
        let limit = ranking_size(limit)?;
        let mut newest = loaders(ctx).accounts(self.user_name.clone()).await?.to_vec();
        if newest.len() > 1 {
            let counts = self.pages_by_domain(ctx).await?;
            newest.sort_by_cached_key(|page| {
                (Reverse(counts.get(&page.domain).copied().unwrap_or_default()), page.domain.clone(), page.user_id)
            });
        }
        Ok(newest.into_iter().take(limit).map(|newest| User { newest }).collect())
    }

    /// How many accounts there are, whatever the limit.
    async fn account_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(count(loaders(ctx).accounts(self.user_name.clone()).await?.len() as u64))
    }

    /// How many pages were created, of whole hours.
    async fn page_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages created within, whole hours; without it all that were ever seen.")] during: Option<
            TimeRange,
        >,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
    ) -> Result<i32, ApiError> {
        count_within(ctx, self.list(), during, parse_cross_wiki_filter(filter)?).await
    }

    /// Newest first, all wikis together.
    #[expect(clippy::too_many_arguments, reason = "one for each argument of the field")]
    async fn pages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages created within; without it all that are kept.")] during: Option<TimeRange>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<PageConnection, ApiError> {
        let range = parse_range(during, api(ctx).clock.now())?;
        let filter = parse_cross_wiki_filter(filter)?;
        let paging = PagingArguments { first, after, last, before };
        PageConnection::load(ctx, PageListQuery { list: self.list(), range, filter, paging }).await
    }

    /// Pages over time, split as asked.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Widened to whole buckets. Open at the start: from the first page; at the end: to now.")]
        during: TimeRange,
        #[graphql(desc = "Length of a bucket.", default_with = "TimeUnit::Day")] unit: TimeUnit,
        #[graphql(desc = "What to split by; all in one series without it.", default)] by: Vec<ActivityDimension>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "Series at most, 1 to 100; the others are added up.", default = 20)] limit: i32,
    ) -> Result<Activity, ApiError> {
        let query = ActivityQuery {
            whose: Series::UserName(self.user_name.clone()),
            during,
            unit,
            by,
            filter: parse_cross_wiki_filter(filter)?,
            limit,
        };
        Activity::load(ctx, query).await
    }
}
