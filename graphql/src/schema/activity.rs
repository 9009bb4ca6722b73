//! Pages over time: the types that charts are made of, and how much may be read and answered for one.

use super::bounds::hours_of;
use super::domain::Domain;
use super::errors::ApiError;
use super::filter::TimeRange;
use super::node::load_domain;
use super::scalars::{Time, count, ranking_size};
use super::wiki::ProjectFamily;
use super::{api, loaders};
use crate::loaders::{MAX_COUNTS, TooMuch};
use async_graphql::{Context, Enum, Object, SimpleObject};
use schema::activity::{Dimension, Points, SeriesKey, Split};
use schema::hour::{Hour, HourRange};
use schema::period::{self, PeriodRange};
use schema::query::{PageFilter, Series};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Points that one answer has at most: of all series together, each as long as the range has buckets.
const MAX_POINTS: usize = 20_000;

/// Length of a bucket, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum TimeUnit {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

/// What to split by. Splitting a long range by DOMAIN in HOURs is LIMIT_EXCEEDED; the message names the unit that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Dimension")]
pub(crate) enum ActivityDimension {
    /// Each wiki by itself.
    Domain,
    /// Each family of wikis by itself.
    ProjectFamily,
    /// Each namespace's number by itself.
    Namespace,
    /// Bots' pages and others.
    Bot,
    /// Redirects and others.
    Redirect,
}

impl TimeUnit {
    const SHORTEST_FIRST: [TimeUnit; 3] = [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Month];

    fn name(self) -> &'static str {
        match self {
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Month => "MONTH",
        }
    }

    /// The buckets that hold these hours.
    pub(crate) fn periods(self, hours: HourRange) -> PeriodRange {
        let unit = match self {
            Self::Hour => period::TimeUnit::Hour,
            Self::Day => period::TimeUnit::Day,
            Self::Month => period::TimeUnit::Month,
        };
        PeriodRange::holding(unit, hours)
    }
}

/// What is asked of pages over time.
pub(crate) struct ActivityQuery {
    /// Whose pages.
    pub(crate) whose: Series,
    /// From when to when.
    pub(crate) during: TimeRange,
    /// Length of a bucket.
    pub(crate) unit: TimeUnit,
    /// What to split by.
    pub(crate) by: Vec<ActivityDimension>,
    /// Which pages.
    pub(crate) filter: PageFilter,
    /// Series at most.
    pub(crate) limit: i32,
}

/// Pages over time in series of equal length.
pub(crate) struct Activity {
    unit: TimeUnit,
    hours: HourRange,
    page_count: u64,
    series: Vec<ActivitySeries>,
    rest: Option<ActivitySeries>,
}

impl Activity {
    /// Reads what `query` asks.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for wrong arguments, `LIMIT_EXCEEDED` with the unit that fits for too much.
    pub(crate) async fn load(ctx: &Context<'_>, query: ActivityQuery) -> Result<Self, ApiError> {
        let ActivityQuery { whose, during, unit, by, filter, limit } = query;
        let limit = ranking_size(limit)?;
        let range = during.parse(api(ctx).clock.now())?;
        let hours = hours_of(ctx, range.span, whose.list()).await?;
        let by: BTreeSet<Dimension> = by.into_iter().map(Into::into).collect();
        let by = by.into_iter().collect();
        let split = Split { buckets: unit.periods(hours), by, filter, limit, max_points: MAX_POINTS };
        match loaders(ctx).chart(whose.clone(), split.clone()).await? {
            Ok(activity) => Ok(Self::of(unit, split.buckets.hours, &activity)),
            Err(too_much) => Err(refusal(ctx, &whose, (unit, hours), split, too_much).await?),
        }
    }

    fn of(unit: TimeUnit, hours: HourRange, activity: &schema::activity::Activity) -> Self {
        let buckets: Arc<[Hour]> = activity.buckets.clone().into();
        let series = |key: &SeriesKey, points: &Points| ActivitySeries {
            key: key.clone(),
            points: points.clone(),
            buckets: buckets.clone(),
        };
        Self {
            unit,
            hours,
            page_count: activity.page_count,
            series: activity.series.iter().map(|(key, points)| series(key, points)).collect(),
            rest: activity.rest.as_ref().map(|points| series(&SeriesKey::default(), points)),
        }
    }
}

/// The refusal of what is too much, with the shortest unit by which it is not.
async fn refusal(
    ctx: &Context<'_>,
    whose: &Series,
    (unit, hours): (TimeUnit, HourRange),
    split: Split,
    too_much: TooMuch,
) -> Result<ApiError, ApiError> {
    let name = unit.name();
    let too_many = match too_much {
        TooMuch::Counts => format!("more than {MAX_COUNTS} counts to read"),
        TooMuch::Points => format!("more than {MAX_POINTS} points to answer"),
    };
    let longer = TimeUnit::SHORTEST_FIRST.into_iter().skip_while(|other| *other != unit).skip(1);
    for other in longer {
        let split = Split { buckets: other.periods(hours), ..split.clone() };
        if loaders(ctx).chart(whose.clone(), split).await?.is_ok() {
            let fits = other.name();
            return Ok(ApiError::LimitExceeded(format!("by {name} there are {too_many}; by {fits} it fits")));
        }
    }
    let text = format!("by {name} there are {too_many}, and no longer unit fits; ask for a shorter range");
    Ok(ApiError::LimitExceeded(text))
}

/// Pages over time in series of equal length, without holes: buckets without pages are 0.
#[Object]
impl Activity {
    /// The first instant of the range as answered, widened to whole buckets.
    async fn start(&self) -> Time {
        Time(self.hours.from.start())
    }

    /// The first instant behind the range as answered, widened to whole buckets.
    async fn end(&self) -> Time {
        Time(self.hours.to.start())
    }

    /// Length of a bucket.
    async fn unit(&self) -> TimeUnit {
        self.unit
    }

    /// Pages of all series together.
    async fn page_count(&self) -> i32 {
        count(self.page_count)
    }

    /// Up to when pages are counted.
    async fn as_of(&self, ctx: &Context<'_>) -> Result<Time, ApiError> {
        loaders(ctx).as_of().await.map(Time)
    }

    /// The largest series first, ties by what they are of; `limit` of them. One series where `by` is empty.
    async fn series(&self) -> &[ActivitySeries] {
        &self.series
    }

    /// All other series added up; null where there are none.
    async fn rest(&self) -> Option<&ActivitySeries> {
        self.rest.as_ref()
    }
}

/// One series.
pub(crate) struct ActivitySeries {
    key: SeriesKey,
    points: Points,
    buckets: Arc<[Hour]>,
}

/// One series. The fields of dimensions that were not asked for are null.
#[Object]
impl ActivitySeries {
    /// The wiki.
    async fn domain(&self, ctx: &Context<'_>) -> Result<Option<Domain>, ApiError> {
        let Some(name) = &self.key.domain else { return Ok(None) };
        // What is counted is there, or will be in a moment: the tables of one page are written side by side.
        load_domain(ctx, name.clone()).await?.map(Some).ok_or(ApiError::Unavailable)
    }

    /// The family of wikis.
    async fn project_family(&self) -> Option<ProjectFamily> {
        self.key.project_family.map(Into::into)
    }

    /// The namespace's number.
    async fn namespace(&self) -> Option<i32> {
        self.key.namespace
    }

    /// True: bots' pages; false: others.
    async fn is_bot(&self) -> Option<bool> {
        self.key.is_bot
    }

    /// True: redirects; false: others.
    async fn is_redirect(&self) -> Option<bool> {
        self.key.is_redirect
    }

    /// Pages of all buckets together.
    async fn page_count(&self) -> i32 {
        count(self.points.page_count)
    }

    /// One point per bucket, oldest first.
    async fn points(&self) -> Vec<ActivityPoint> {
        let points = self.buckets.iter().zip(&self.points.by_bucket);
        points.map(|(hour, pages)| ActivityPoint { start: Time(hour.start()), page_count: count(*pages) }).collect()
    }
}

/// One bucket of a series.
#[derive(Clone, SimpleObject)]
pub(crate) struct ActivityPoint {
    /// The bucket's first instant.
    start: Time,
    /// Pages in it.
    page_count: i32,
}
