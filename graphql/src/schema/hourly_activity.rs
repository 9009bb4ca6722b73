//! One UTC hour: its pages, its accounts and its wikis.

use super::connection::{Connection, CountedEdge, HourlyDomainEdge, HourlyUserEdge};
use super::domain::{Domain, load_domains};
use super::errors::ApiError;
use super::filter::{CrossWikiPageFilterInput, Range, parse_cross_wiki_filter};
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery};
use super::paging::{Paging, PagingArguments, Part, part_of};
use super::scalars::{HourName, Time, count};
use super::user::User;
use super::{api, loaders, max_list};
use crate::loaders::Share;
use async_graphql::{Context, ID, Object};
use schema::hour::{Hour, HourRange};
use schema::page::UserId;
use schema::query::{PageFilter, PageList, Series, TimeSpan};
use std::collections::BTreeMap;

/// One UTC hour.
#[derive(Clone, Copy)]
pub(crate) struct HourlyActivity(pub(crate) Hour);

impl HourlyActivity {
    async fn count(&self, ctx: &Context<'_>, filter: &PageFilter) -> Result<u64, ApiError> {
        // Where no wiki is named a few rows tell it.
        let series = if filter.domains.is_empty() { Series::All } else { Series::Domains };
        let counts = loaders(ctx).hour_counts(self.0, series).await?;
        Ok(counts.iter().filter(|count| filter.matches_count(count)).map(|count| count.page_count).sum())
    }

    /// The hour's wikis with their shares, by domain.
    async fn shares_of_domains(&self, ctx: &Context<'_>) -> Result<BTreeMap<schema::page::Domain, Share>, ApiError> {
        let mut shares = BTreeMap::<_, Share>::new();
        for count in loaders(ctx).hour_counts(self.0, Series::Domains).await?.iter() {
            let Some(domain) = &count.domain else { continue };
            shares.entry(domain.clone()).or_default().add(count.page_count, count.is_bot);
        }
        Ok(shares)
    }
}

/// One UTC hour: a partition of `pages_by_time`.
#[Object]
impl HourlyActivity {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Hour(self.0).encode()
    }

    /// The hour's name: `2025-05-18-13`.
    async fn hour(&self) -> HourName {
        HourName(self.0)
    }

    /// Its first instant.
    async fn start(&self) -> Time {
        Time(self.0.start())
    }

    /// The first instant after it.
    async fn end(&self) -> Time {
        Time(self.0.end())
    }

    /// False while the hour runs.
    async fn is_over(&self, ctx: &Context<'_>) -> bool {
        self.0 < Hour::of(api(ctx).clock.now())
    }

    /// How many pages were created.
    async fn page_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
    ) -> Result<i32, ApiError> {
        Ok(count(self.count(ctx, &parse_cross_wiki_filter(filter)?).await?))
    }

    /// How many of them were made as a bot.
    async fn bot_page_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(count(self.count(ctx, &PageFilter { is_bot: Some(true), ..Default::default() }).await?))
    }

    /// How many accounts created them.
    async fn user_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(count(loaders(ctx).hour_users(self.0).await?.len() as u64))
    }

    /// On how many wikis.
    async fn domain_count(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        Ok(count(self.shares_of_domains(ctx).await?.len() as u64))
    }

    /// By user id, as text, then domain, which is the table's order; the edge has the count.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<Connection<User, HourlyUserEdge>, ApiError> {
        let scope = format!("hour {} users", self.0);
        let paging = Paging::parse(PagingArguments { first, after, last, before }, &scope, max_list(ctx))?;
        let shares = loaders(ctx).hour_users(self.0).await?;
        let all: Vec<_> = shares.iter().map(|(account, share)| (account.clone(), *share)).collect();
        let key = |(user_id, domain): &(UserId, schema::page::Domain)| format!("{user_id} {domain}").into_bytes();
        let part =
            part_of(all, &paging, &scope, |(account, _)| key(account), |(account, _), at| cmp_account(account, at));
        let keys = part.items.iter().map(|(_, ((user_id, domain), _))| (domain.clone(), *user_id)).collect();
        let users = loaders(ctx).users(keys).await?;
        Ok(counted(part, |((user_id, domain), _)| {
            users.get(&(domain.clone(), *user_id)).cloned().flatten().map(|newest| User { newest })
        }))
    }

    /// By domain; the edge has the count.
    async fn domains(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<Connection<Domain, HourlyDomainEdge>, ApiError> {
        let scope = format!("hour {} domains", self.0);
        let paging = Paging::parse(PagingArguments { first, after, last, before }, &scope, max_list(ctx))?;
        let all: Vec<_> = self.shares_of_domains(ctx).await?.into_iter().collect();
        let bytes = |domain: &schema::page::Domain| domain.as_str().as_bytes().to_vec();
        let part =
            part_of(all, &paging, &scope, |(name, _)| bytes(name), |(name, _), at| name.as_str().as_bytes().cmp(at));
        let names = part.items.iter().map(|(_, (name, _))| name.clone()).collect();
        let wikis = load_domains(ctx, names).await?;
        Ok(counted(part, |(name, _)| wikis.get(name).cloned()))
    }

    /// Newest first (the table orders an hour by user: this list has a table of its own).
    async fn pages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<PageConnection, ApiError> {
        let span = TimeSpan::of_hours(HourRange { from: self.0, to: self.0.plus(1) });
        let range = Range { span, asked: format!("hour {}", self.0), is_moving: false };
        let filter = parse_cross_wiki_filter(filter)?;
        let paging = PagingArguments { first, after, last, before };
        PageConnection::load(ctx, PageListQuery { list: PageList::All, range, filter, paging }).await
    }

    /// The hour before it; null for the first hour that there is to name.
    async fn previous(&self) -> Option<HourlyActivity> {
        (self.0 > Hour::MIN).then(|| Self(self.0.plus(-1)))
    }

    /// The hour after it; null for the hour that runs.
    async fn next(&self, ctx: &Context<'_>) -> Option<HourlyActivity> {
        let next = self.0.plus(1);
        (next <= Hour::of(api(ctx).clock.now())).then_some(Self(next))
    }
}

/// Compares an account with a cursor's `user_id domain`.
fn cmp_account((user_id, domain): &(UserId, schema::page::Domain), at: &[u8]) -> std::cmp::Ordering {
    let mut parts = at.splitn(2, |byte| *byte == b' ');
    let (id, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    user_id.to_string().as_bytes().cmp(id).then_with(|| domain.as_str().as_bytes().cmp(name))
}

/// A connection whose edges have counts. An item whose rows are not there yet (the tables of one page are written side
/// by side) is left out until they are, and so is an account of which no page is kept any more.
fn counted<K, N>(part: Part<(K, Share)>, node: impl Fn(&(K, Share)) -> Option<N>) -> Connection<N, CountedEdge<N>>
where
    N: async_graphql::OutputType + Clone,
    CountedEdge<N>: async_graphql::OutputType,
{
    let edges: Vec<CountedEdge<N>> = part
        .items
        .into_iter()
        .filter_map(|(cursor, item)| {
            let Share { pages, bot_pages } = item.1;
            Some(CountedEdge { cursor, node: node(&item)?, page_count: count(pages), bot_page_count: count(bot_pages) })
        })
        .collect();
    Connection {
        nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
        edges,
        page_info: part.page_info,
        total_count: count(part.total as u64),
    }
}
