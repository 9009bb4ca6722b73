//! The hourly reports for one window.

use super::domain::{Domain, Domains, load_domains};
use super::errors::{ApiError, bad_input};
use super::filter::Range;
use super::loaders;
use super::node::NodeId;
use super::page_list::{PageConnection, PageListQuery};
use super::paging::PagingArguments;
use super::scalars::{Time, count, ranking_size};
use super::user::User;
use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use schema::hour::{Hour, HourRange};
use schema::query::{PageFilter, PageList, Series, TimeSpan};
use schema::reports::{MAX_HOURS, MAX_SKIP, People, Person, bot_pages_by_domain, domains_by_hour, window};
use std::collections::BTreeSet;

/// The hourly reports for one window.
#[derive(Clone, Copy)]
pub(crate) struct Reports(HourRange);

impl Reports {
    /// # Errors
    /// `BAD_USER_INPUT` for what is out of bounds.
    pub(crate) fn parse(at: DateTime<Utc>, hours: i32, skip: i32) -> Result<Self, ApiError> {
        let within = |name: &str, number: i32, min: u32, max: u32| {
            let number_of = u32::try_from(number).ok().filter(|number| (min..=max).contains(number));
            number_of.ok_or_else(|| bad_input(format!("{name} must be {min} to {max}, not {number}")))
        };
        let (hours, skip) = (within("hours", hours, 1, MAX_HOURS)?, within("skip", skip, 0, MAX_SKIP)?);
        if Hour::time_within(at.timestamp()).is_none() {
            return Err(bad_input("at must be from 1970 to 9999"));
        }
        Ok(Self(window(at, hours, skip)))
    }
}

/// The hourly reports for one window.
#[Object]
impl Reports {
    /// The window's first instant.
    async fn start(&self) -> Time {
        Time(self.0.from.start())
    }

    /// The first instant behind the window.
    async fn end(&self) -> Time {
        Time(self.0.to.start())
    }

    /// Up to when pages are counted.
    async fn as_of(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        loaders(ctx).as_of().await.map(Time)
    }

    /// One entry per hour, oldest first, also for hours without pages. Each hour costs as a list of wikis does: with their
    /// counts and names 69 hours fit into one request. A longer window is asked for in parts, by `at` and `hours`, or by
    /// REST.
    async fn domains_by_hour(&self, ctx: &Context<'_>) -> Result<Vec<ReportHour>, ApiError> {
        let counts = loaders(ctx).range_counts(self.0).await?;
        let hours = domains_by_hour(self.0, &counts);
        let names: BTreeSet<_> = hours.iter().flat_map(|hour| &hour.domains).map(|row| row.domain.clone()).collect();
        let wikis = load_domains(ctx, names.into_iter().collect()).await?;
        let report = |report: schema::reports::ReportHour| ReportHour {
            start: Time(report.hour.start()),
            end: Time(report.hour.end()),
            domains: counted(report.domains, &wikis),
        };
        Ok(hours.into_iter().map(report).collect())
    }

    /// The wikis on which bots created pages, most first, ties by name.
    async fn bot_pages_by_domain(&self, ctx: &Context<'_>) -> Result<Vec<DomainCount>, ApiError> {
        let rows = bot_pages_by_domain(&loaders(ctx).range_counts(self.0).await?);
        let wikis = load_domains(ctx, rows.iter().map(|row| row.domain.clone()).collect()).await?;
        Ok(counted(rows, &wikis))
    }

    /// The people who created most, on all wikis together; ties by name.
    async fn top_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 20)] limit: i32,
    ) -> Result<Vec<ReportUser>, ApiError> {
        let limit = ranking_size(limit)?;
        let people = loaders(ctx).people().await?.fold(self.0, People::default(), People::add).await?;
        Ok(people.top(limit).into_iter().map(|person| ReportUser { person, window: self.0 }).collect())
    }
}

/// One hour of a report.
#[derive(Clone, SimpleObject)]
pub(crate) struct ReportHour {
    /// The hour's first instant.
    start: Time,
    /// The first instant after it.
    end: Time,
    /// The wikis with pages, most first, ties by name.
    domains: Vec<DomainCount>,
}

/// Pages of one wiki in a window.
#[derive(Clone, SimpleObject)]
pub(crate) struct DomainCount {
    /// The wiki.
    domain: Domain,
    /// How many pages.
    page_count: i32,
}

/// A person in a window.
pub(crate) struct ReportUser {
    person: Person,
    window: HourRange,
}

impl ReportUser {
    /// A person in a window; none without pages there.
    pub(crate) async fn load(
        ctx: &Context<'_>,
        user_name: String,
        window: HourRange,
    ) -> Result<Option<Self>, ApiError> {
        let of_name = loaders(ctx).totals(vec![Series::UserName(user_name.clone())], window).await?;
        let of_name: u64 = of_name.iter().map(|count| count.page_count).sum();
        let person = Self::by_accounts(ctx, &user_name, window).await?;
        if person.as_ref().map_or(0, |person| person.page_count) == of_name {
            return Ok(person.map(|person| Self { person, window }));
        }
        // An account has another name by now, or no page that is kept: the hours tell which it was.
        let mut people = loaders(ctx).people().await?;
        let people = people.fold(window, People::default(), |people, mut rows| {
            rows.retain(|row| row.user_name == user_name);
            people.add(rows);
        });
        Ok(people.await?.top(1).pop().map(|person| Self { person, window }))
    }

    /// By the counts of the accounts that had the name, under whichever name.
    async fn by_accounts(ctx: &Context<'_>, user_name: &str, window: HourRange) -> Result<Option<Person>, ApiError> {
        let newest = loaders(ctx).accounts(user_name.to_owned()).await?;
        let counts = newest.iter().map(|page| {
            let account = Series::User(page.domain.clone(), page.user_id);
            loaders(ctx).totals(vec![account], window)
        });
        let mut people = People::default();
        for (page, counts) in newest.iter().zip(try_join_all(counts).await?) {
            let page_count = counts.iter().map(|count| count.page_count).sum();
            people.add_account(user_name.to_owned(), (page.domain.clone(), page.user_id), page_count);
        }
        Ok(people.top(1).pop())
    }
}

/// A person in a window. The titles are `pages { nodes { pageTitle } }`, paged like every list.
#[Object]
impl ReportUser {
    /// Opaque and lasting.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ReportUser(self.window, self.person.user_name.clone()).encode()
    }

    /// The name, the same on all wikis.
    async fn user_name(&self) -> &str {
        &self.person.user_name
    }

    /// The accounts with pages in the window, most first, ties by wiki.
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 100)] limit: i32,
    ) -> Result<Vec<User>, ApiError> {
        let limit = ranking_size(limit)?;
        let accounts = self.person.accounts.iter().take(limit);
        let keys: Vec<_> = accounts.map(|account| (account.domain.clone(), account.user_id)).collect();
        let users = loaders(ctx).users(keys.clone()).await?;
        Ok(keys.iter().filter_map(|key| Some(User { newest: users.get(key)?.clone()? })).collect())
    }

    /// Pages in the window on all wikis.
    async fn page_count(&self) -> i32 {
        count(self.person.page_count)
    }

    /// The pages of the window, newest first.
    async fn pages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100; 20 without it.")] first: Option<i32>,
        #[graphql(desc = "Go on behind this cursor of the same list.")] after: Option<String>,
        #[graphql(desc = "At most so many of the last ones, 1 to 100, instead of first.")] last: Option<i32>,
        #[graphql(desc = "Go on in front of this cursor of the same list; goes with last.")] before: Option<String>,
    ) -> Result<PageConnection, ApiError> {
        let list = PageList::UserName(self.person.user_name.clone());
        let asked = format!("{}..{}", self.window.from, self.window.to);
        let range = Range { span: TimeSpan::of_hours(self.window), asked, is_moving: false };
        let paging = PagingArguments { first, after, last, before };
        PageConnection::load(ctx, PageListQuery { list, range, filter: PageFilter::default(), paging }).await
    }
}

fn counted(rows: Vec<schema::reports::DomainCount>, wikis: &Domains) -> Vec<DomainCount> {
    let row = |row: schema::reports::DomainCount| {
        Some(DomainCount { domain: wikis.get(&row.domain)?.clone(), page_count: count(row.page_count) })
    };
    rows.into_iter().filter_map(row).collect()
}
