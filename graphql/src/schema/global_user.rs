//! One person on all wikis.

use super::api;
use super::errors::ApiError;
use super::filter::{CrossWikiPageFilterInput, TimeRange, parse_cross_wiki_filter, parse_range};
use super::loaders;
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery};
use super::paging::PagingArguments;
use super::scalars::{count, list_size};
use super::user::User;
use async_graphql::{Context, ID, Object};
use schema::query::PageList;

/// One person on all wikis.
#[derive(Clone)]
pub(crate) struct GlobalUser {
    /// The name.
    pub(crate) user_name: String,
}

/// One person on all wikis: the accounts that share a user name. Names are unique across Wikimedia but can be changed.
#[Object]
impl GlobalUser {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::GlobalUser(self.user_name.clone()).encode()
    }

    /// The name, the same on all wikis.
    async fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The accounts with at least one page, the one with the newest page first; ties by domain.
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 100)] limit: i32,
    ) -> Result<Vec<User>, ApiError> {
        let limit = list_size("limit", Some(limit), 100)?;
        let mut newest = loaders(ctx).accounts(self.user_name.clone()).await?.to_vec();
        newest.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.domain.cmp(&b.domain)));
        Ok(newest.into_iter().take(limit).map(|newest| User { newest }).collect())
    }

    /// How many accounts there are, whatever the limit.
    async fn account_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(count(loaders(ctx).accounts(self.user_name.clone()).await?.len() as u64))
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
        let list = PageList::UserName(self.user_name.clone());
        let paging = PagingArguments { first, after, last, before };
        PageConnection::load(ctx, PageListQuery { list, range, filter, paging }).await
    }
}
