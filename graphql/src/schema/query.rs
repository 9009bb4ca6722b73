//! Where questions start.

use super::activity::{Activity, ActivityDimension, ActivityQuery, TimeUnit};
use super::bounds::{first_hour_from, people_hours, whole_hours};
use super::connection::{Connection, Edge};
use super::domain::Domain;
use super::errors::{ApiError, bad_input};
use super::filter::{CrossWikiPageFilterInput, TimeRange, parse_cross_wiki_filter, parse_range, sorted};
use super::global_user::GlobalUser;
use super::hourly_activity::HourlyActivity;
use super::node::{Node, hour_at, load_domain, load_global_user, load_node, load_page, load_user};
use super::overview::Overview;
use super::page::Page;
use super::page_list::{PageConnection, PageListQuery};
use super::paging::{Direction, Paging, PagingArguments, part_of};
use super::pipeline::Pipeline;
use super::ranks::{DomainRank, RankOrder, RankQuery, UserRank};
use super::reports::Reports;
use super::scalars::{HourName, Time, ranking_size};
use super::search::{SearchResult, check_length, has_in_name, search};
use super::user::User;
use super::wiki::ProjectFamily;
use super::{api, loaders, max_list};
use async_graphql::{Context, ID, Object};
use futures::future::try_join_all;
use schema::hour::{Hour, HourRange};
use schema::query::{DomainRow, PageList, Series};
use schema::reports::{DEFAULT_HOURS, DEFAULT_SKIP};
use std::cmp::Ordering;
use std::sync::Arc;

const MAX_IDS: usize = 100;

/// The root of all queries.
pub struct Query;

/// Where questions start. Every field is nullable, so that one failure does not take the others with it.
#[Object]
impl Query {
    /// Any object by its `id`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's `id`.")] id: ID,
    ) -> Result<Option<Node>, ApiError> {
        load_node(ctx, &id).await
    }

    /// Up to 100 objects by their ids, in the order asked; null where there is none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' ids, 100 at most.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Node>>>, ApiError> {
        if ids.len() > MAX_IDS {
            return Err(bad_input(format!("ids has {} entries; {MAX_IDS} at most", ids.len())));
        }
        try_join_all(ids.iter().map(|id| load_node(ctx, id))).await.map(Some)
    }

    /// One page of one wiki.
    async fn page(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wiki's host name: `it.wikisource.org`.")] domain: String,
        #[graphql(desc = "The wiki's number of the page, in digits: `975886`.")] page_id: ID,
    ) -> Result<Option<Page>, ApiError> {
        let (Ok(domain), Ok(page_id)) = (domain.parse(), page_id.parse()) else { return Ok(None) };
        load_page(ctx, domain, page_id).await
    }

    /// Every page with this number, one per wiki at most, by domain: for those who know only the number.
    async fn pages_by_id(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of the page on some wiki, in digits: `975886`.")] page_id: ID,
    ) -> Result<Option<Vec<Page>>, ApiError> {
        let Ok(page_id) = page_id.parse() else { return Ok(Some(Vec::new())) };
        let pages = api(ctx).store.pages_by_id(page_id).await?;
        Ok(Some(pages.into_iter().map(|page| Page(Arc::new(page))).collect()))
    }

    /// Pages of all wikis, newest first. Without `during`: all that is kept.
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
    ) -> Result<Option<PageConnection>, ApiError> {
        let range = parse_range(during, api(ctx).clock.now())?;
        let filter = parse_cross_wiki_filter(filter)?;
        let paging = PagingArguments { first, after, last, before };
        let query = PageListQuery { list: PageList::All, range, filter, paging };
        PageConnection::load(ctx, query).await.map(Some)
    }

    /// One account on one wiki.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wiki's host name: `it.wikisource.org`.")] domain: String,
        #[graphql(desc = "The wiki's number of the account, in digits: `4171`.")] user_id: ID,
    ) -> Result<Option<User>, ApiError> {
        let (Ok(domain), Ok(user_id)) = (domain.parse(), user_id.parse()) else { return Ok(None) };
        load_user(ctx, domain, user_id).await
    }

    /// Every account with this number, one per wiki, by domain: strangers to each other, as a rule.
    async fn users_by_id(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of the account on some wiki, in digits: `4171`.")] user_id: ID,
    ) -> Result<Option<Vec<User>>, ApiError> {
        let Ok(user_id) = user_id.parse() else { return Ok(Some(Vec::new())) };
        let newest = api(ctx).store.users_by_id(user_id).await?;
        Ok(Some(newest.into_iter().map(|page| User { newest: Arc::new(page) }).collect()))
    }

    /// One person on all wikis, by the exact user name: `Alex brollo`.
    async fn global_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exact name, with spaces: `Alex brollo`.")] user_name: String,
    ) -> Result<Option<GlobalUser>, ApiError> {
        load_global_user(ctx, user_name).await
    }

    /// One wiki by its domain: `it.wikisource.org`.
    async fn domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The wiki's host name: `it.wikisource.org`.")] name: String,
    ) -> Result<Option<Domain>, ApiError> {
        let Ok(name) = name.parse() else { return Ok(None) };
        load_domain(ctx, name).await
    }

    /// The wikis on which pages were created, by name.
    #[expect(clippy::too_many_arguments, reason = "one for each argument of the field")]
    async fn domains(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Part of a domain or database name, 2,000 characters at most.")] search: Option<String>,
        #[graphql(desc = "Only wikis of these families.")] project_families: Option<Vec<ProjectFamily>>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<Option<Connection<Domain, Edge<Domain>>>, ApiError> {
        if project_families.as_ref().is_some_and(Vec::is_empty) {
            return Err(bad_input("projectFamilies is an empty list; leave it out instead"));
        }
        check_length("search", search.as_deref().unwrap_or_default())?;
        let project_families = project_families.map(sorted);
        let scope = format!("domains|{search:?}|{project_families:?}");
        let paging = Paging::parse(PagingArguments { first, after, last, before }, &scope, max_list(ctx))?;
        let all = loaders(ctx).all_domains().await?;
        let part = search.map(|text| text.to_lowercase());
        let wanted = |row: &&DomainRow| is_wanted(row, part.as_deref(), project_families.as_deref());
        let rows: Vec<DomainRow> = all.iter().filter(wanted).cloned().collect();
        let bytes = |row: &DomainRow| row.domain.as_str().as_bytes().to_vec();
        let part = part_of(rows, &paging, &scope, bytes, |row, at| row.domain.as_str().as_bytes().cmp(at));
        Ok(Some(part.into_connection(Domain)))
    }

    /// The busiest or fastest growing wikis of a range (default: the last 24 hours) against the range of the same length
    /// before it.
    async fn top_domains(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whole hours; the last 24 without it. More than 744 (a month) have 200,000 counts at most.")]
        during: Option<TimeRange>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "What comes first.", default_with = "RankOrder::PageCount")] order_by: RankOrder,
        #[graphql(desc = "Only wikis with at least so many pages in the range.", default = 1)] min_page_count: i32,
        #[graphql(desc = "At most so many, 1 to 100.", default = 20)] limit: i32,
    ) -> Result<Option<Vec<DomainRank>>, ApiError> {
        let filter = parse_cross_wiki_filter(filter)?;
        let busiest = RankQuery::busiest(whole_hours(ctx, during).await?, filter, limit)?;
        busiest.ordered(order_by, min_page_count)?.domains(ctx).await.map(Some)
    }

    /// The people who created most in a range (default: the last 24 hours), on all wikis together, against the range of
    /// the same length before it.
    async fn top_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whole hours, 744 (a month) at most; the last 24 hours without it.")] during: Option<
            TimeRange,
        >,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "What comes first.", default_with = "RankOrder::PageCount")] order_by: RankOrder,
        #[graphql(desc = "Only people with at least so many pages in the range.", default = 1)] min_page_count: i32,
        #[graphql(desc = "At most so many, 1 to 100.", default = 20)] limit: i32,
    ) -> Result<Option<Vec<UserRank>>, ApiError> {
        let filter = parse_cross_wiki_filter(filter)?;
        let busiest = RankQuery::busiest(people_hours(ctx, during)?, filter, limit)?;
        busiest.ordered(order_by, min_page_count)?.people(ctx).await.map(Some)
    }

    /// Pages over time, split as asked: what every chart is made of.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Widened to whole buckets. Open at the start: from the first page; at the end: to now.")]
        during: TimeRange,
        #[graphql(desc = "Length of a bucket.", default_with = "TimeUnit::Hour")] unit: TimeUnit,
        #[graphql(desc = "What to split by; all in one series without it.", default)] by: Vec<ActivityDimension>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
        #[graphql(desc = "Series at most, 1 to 100; the others are added up.", default = 20)] limit: i32,
    ) -> Result<Option<Activity>, ApiError> {
        let filter = parse_cross_wiki_filter(filter)?;
        let query = ActivityQuery { whose: Series::All, during, unit, by, filter, limit };
        Activity::load(ctx, query).await.map(Some)
    }

    /// Totals of a range (default: the last 24 hours) and of the one before it.
    async fn overview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whole hours; the last 24 without it.")] during: Option<TimeRange>,
        #[graphql(desc = "Only pages that pass.")] filter: Option<CrossWikiPageFilterInput>,
    ) -> Result<Option<Overview>, ApiError> {
        let filter = parse_cross_wiki_filter(filter)?;
        Ok(Some(Overview { hours: whole_hours(ctx, during).await?, filter }))
    }

    /// The three hourly reports. The window is `hours` whole hours and ends `skip` whole hours before the hour of `at`
    /// began: at 19:32 it is 12:00 to 18:00.
    async fn reports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Asked at this time instead of now.")] at: Option<Time>,
        #[graphql(desc = "Hours of the window, 1 to 168.", default_with = "DEFAULT_HOURS.cast_signed()")] hours: i32,
        #[graphql(desc = "Hours left out at its end, 0 to 168.", default_with = "DEFAULT_SKIP.cast_signed()")]
        skip: i32,
    ) -> Result<Option<Reports>, ApiError> {
        let at = at.map_or_else(|| api(ctx).clock.now(), |at| at.0);
        Reports::parse(at, hours, skip).map(Some)
    }

    /// One hour. Null only for an hour in the future; an hour without pages has counts of 0.
    async fn hour(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The hour's name: `2025-05-18-13`.")] hour: HourName,
    ) -> Option<HourlyActivity> {
        hour_at(ctx, hour.0)
    }

    /// The hours that begin in the range, newest first.
    async fn hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From when to when. Open at the start: from the first page kept. Open at the end: to now.")]
        during: TimeRange,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<Option<Connection<HourlyActivity, Edge<HourlyActivity>>>, ApiError> {
        let now = api(ctx).clock.now();
        let mut range = during.parse(now)?;
        let scope = format!("hours|{}", range.asked);
        let mut paging = Paging::parse(PagingArguments { first, after, last, before }, &scope, max_list(ctx))?;
        paging.from = paging.from.map(|cursor| range.go_on(cursor)).transpose()?;
        let from = match range.span.from {
            Some(from) => first_hour_from(from),
            None => {
                loaders(ctx).oldest_page(PageList::All).await?.map_or(Hour::of(now), |page| Hour::of(page.created_at))
            }
        };
        let running = Hour::of(now).plus(1);
        let to = range.span.to.map_or(running, |to| first_hour_from(to).min(running));
        let key = |hour: &Hour| range.cursor_key(hour.to_string().into());
        Ok(Some(hours_between(HourRange { from, to }, &paging, &scope, key)))
    }

    /// Wikis by part of their domain or database name; people by their user name (exact but for its first letter's case),
    /// also as `User:Name` or `Special:Contributions/Name`; pages by number (`975886`, `#975886`) on whichever wiki, or by
    /// pasted address: any form of it that names wiki and title or number, also a mobile one. A title alone finds no page:
    /// write it as `en.wikipedia.org/wiki/Title`, as it was when the page was created. In this order, each once: the page,
    /// pages (newest first) or wiki of the address, the person, the wiki of exactly this name, pages of this number by
    /// domain, other wikis by domain. While the pages of an older store are entered, which the server logs, titles are
    /// UNAVAILABLE and all else answers.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for, 1 to 2,000 characters; spaces around it do not count.")] text: String,
        #[graphql(desc = "At most so many, 1 to 100.", default = 10)] limit: i32,
    ) -> Result<Option<Vec<SearchResult>>, ApiError> {
        search(ctx, &text, ranking_size(limit)?).await.map(Some)
    }

    /// The pipeline's health: is what I see complete, and how fresh is it?
    async fn pipeline(&self, ctx: &Context<'_>) -> Option<Pipeline> {
        Some(Pipeline::now(&*api(ctx).pipeline))
    }
}

/// Whether a wiki is of the families, and has `part`, which is in lower case, in its name.
fn is_wanted(row: &DomainRow, part: Option<&str>, families: Option<&[ProjectFamily]>) -> bool {
    part.is_none_or(|part| has_in_name(row, part))
        && families.is_none_or(|families| families.contains(&schema::wiki::ProjectFamily::of(&row.domain).into()))
}

/// A part of the hours, newest first, without listing the others.
fn hours_between(
    range: HourRange,
    paging: &Paging,
    scope: &str,
    cursor_key: impl Fn(&Hour) -> Vec<u8>,
) -> Connection<HourlyActivity, Edge<HourlyActivity>> {
    let at = paging.from.as_ref().and_then(|key| std::str::from_utf8(key).ok()?.parse::<Hour>().ok());
    let (left, hours) = match paging.direction {
        Direction::Forward => {
            let left = HourRange { to: at.map_or(range.to, |at| at.min(range.to)), ..range };
            (left, left.hours().rev().take(paging.size).collect::<Vec<_>>())
        }
        Direction::Backward => {
            let left = HourRange { from: at.map_or(range.from, |at| at.plus(1).max(range.from)), ..range };
            (left, left.hours().take(paging.size).rev().collect())
        }
    };
    let goes_on = left.len() > hours.len();
    let whole = Paging { direction: Direction::Forward, size: hours.len(), from: None };
    let mut part = part_of(hours, &whole, scope, cursor_key, |_, _| Ordering::Greater);
    part.total = range.len();
    (part.page_info.has_next_page, part.page_info.has_previous_page) = match paging.direction {
        Direction::Forward => (goes_on, at.is_some()),
        Direction::Backward => (at.is_some(), goes_on),
    };
    part.into_connection(HourlyActivity)
}
