//! One account on one wiki.

use super::activity::{Activity, ActivityDimension, ActivityQuery, TimeUnit};
use super::domain::Domain;
use super::errors::ApiError;
use super::filter::{PageFilterInput, TimeRange, parse_filter, parse_range};
use super::global_user::GlobalUser;
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery, count_within};
use super::paging::PagingArguments;
use super::scalars::{Time, Url};
use super::{api, loaders};
use async_graphql::{Context, ID, Object};
use schema::page::Page;
use schema::query::{DomainRow, PageList, Series};
use std::sync::Arc;

/// One account on one wiki: what is known of it is its newest page.
#[derive(Clone)]
pub(crate) struct User {
    /// The account's newest page.
    pub(crate) newest: Arc<Page>,
}

impl User {
    fn list(&self) -> PageList {
        PageList::User(self.newest.domain.clone(), self.newest.user_id)
    }
}

/// One account on one wiki: that wiki's part of a partition of `pages_by_user`.
#[Object]
impl User {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::User(self.newest.domain.clone(), self.newest.user_id).encode()
    }

    /// The wiki's number of the account, in digits: `4171`.
    async fn user_id(&self) -> ID {
        self.newest.user_id.to_string().into()
    }

    /// The wiki.
    async fn domain(&self) -> Domain {
        Domain(DomainRow { domain: self.newest.domain.clone(), wiki: self.newest.wiki.clone() })
    }

    /// The newest name seen: `Alex brollo`.
    async fn user_name(&self) -> &str {
        &self.newest.user_name
    }

    /// Whether the newest page was made as a bot.
    async fn is_bot(&self) -> bool {
        self.newest.is_bot
    }

    /// Whether the account is a temporary one, as people without an account get it: `~2026-12345-67`.
    async fn is_temporary(&self) -> bool {
        is_temporary(&self.newest.user_name)
    }

    /// The person's page on the wiki.
    async fn url(&self) -> Url {
        Url::of_title(&self.newest.domain, &format!("User:{}", self.newest.user_name))
    }

    /// The same person on all wikis.
    async fn global_user(&self) -> GlobalUser {
        GlobalUser { user_name: self.newest.user_name.clone() }
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

    /// When the first page was created.
    async fn first_page_at(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        let oldest = loaders(ctx).oldest_page(self.list()).await?;
        Ok(Time(oldest.map_or(self.newest.created_at, |page| page.created_at)))
    }

    /// When the newest page was created.
    async fn last_page_at(&self) -> Time {
        Time(self.newest.created_at)
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

    /// Pages over time, split as asked.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Widened to whole buckets. Open at the start: from the first page; at the end: to now.")]
        during: TimeRange,
        #[graphql(desc = "Length of a bucket.", default_with = "TimeUnit::Day")] unit: TimeUnit,
        #[graphql(desc = "What to split by; all in one series without it.", default)] by: Vec<ActivityDimension>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<PageFilterInput>,
        #[graphql(desc = "Series at most, 1 to 100; the others are added up.", default = 20)] limit: i32,
    ) -> Result<Activity, ApiError> {
        let query = ActivityQuery {
            whose: Series::User(self.newest.domain.clone(), self.newest.user_id),
            during,
            unit,
            by,
            filter: parse_filter(filter)?,
            limit,
        };
        Activity::load(ctx, query).await
    }
}

/// MediaWiki's pattern of temporary names: a tilde, the year, a hyphen.
fn is_temporary(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('~') else { return false };
    let year = rest.bytes().take_while(u8::is_ascii_digit).count();
    year == 4 && rest.as_bytes().get(4) == Some(&b'-')
}
