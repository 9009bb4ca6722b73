//! `GET /reports/…`: pages per wiki and hour, bots' pages per wiki, the people who created most and their pages.

mod wire;

use crate::error::{ApiError, FieldError};
use crate::list;
use crate::pages::{slices, wire_slices};
use crate::params::Params;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use schema::clock::Clock;
use schema::counts::{PeopleTurn, fold_user_counts, hourly_counts};
use schema::hour::{Hour, HourRange};
use schema::query::{PageList, PageQuery, Series, TimeSpan};
use schema::reports::{
    DEFAULT_HOURS, DEFAULT_PEOPLE, DEFAULT_SKIP, MAX_HOURS, MAX_PEOPLE, MAX_SKIP, People, Person, bot_pages_by_domain,
    domains_by_hour, window,
};
use schema::store::{Store, StoreError};
use std::sync::Arc;
use wire::{BotReport, HourReport, PeopleReport, PersonReport, Times};

/// Titles of one person in a report at most; one bot can make 20,000 pages in six hours.
const TITLES: usize = 100;
/// People whose titles are read side by side.
const AT_ONCE: usize = 4;
/// Pages read at once while a person's are streamed.
const SLICE: usize = 1_000;

/// `GET /reports/domains-by-hour/`: each hour of the window, oldest first, with the pages of each wiki.
pub(crate) async fn by_hour(
    State(store): State<Arc<dyn Store>>,
    State(clock): State<Arc<dyn Clock>>,
    params: Params,
) -> Result<Json<Vec<HourReport>>, ApiError> {
    let window = parse_window(&params, clock.now()).map_err(ApiError::Invalid)?;
    let counts = hourly_counts(&*store, Series::Domains, window).await?;
    Ok(Json(domains_by_hour(window, &counts).into_iter().map(HourReport::from).collect()))
}

/// `GET /reports/bots-by-domain/`: the wikis on which bots created pages in the window.
pub(crate) async fn bots(
    State(store): State<Arc<dyn Store>>,
    State(clock): State<Arc<dyn Clock>>,
    params: Params,
) -> Result<Json<BotReport>, ApiError> {
    let window = parse_window(&params, clock.now()).map_err(ApiError::Invalid)?;
    let counts = hourly_counts(&*store, Series::Domains, window).await?;
    Ok(Json(BotReport::new(window, bot_pages_by_domain(&counts))))
}

/// `GET /reports/top-users/`: the people who created most in the window, each with the newest titles.
pub(crate) async fn top_users(
    State(store): State<Arc<dyn Store>>,
    State(clock): State<Arc<dyn Clock>>,
    params: Params,
) -> Result<Json<PeopleReport>, ApiError> {
    let (window, limit) =
        (parse_window(&params, clock.now()), number(&params, "limit", DEFAULT_PEOPLE, 1..=MAX_PEOPLE));
    let (window, limit) = match (window, limit) {
        (Ok(window), Ok(limit)) => (window, limit),
        (window, limit) => {
            let errors = window.err().into_iter().flatten().chain(limit.err());
            return Err(ApiError::Invalid(errors.collect()));
        }
    };
    let turn = PeopleTurn::take().await.ok_or(ApiError::Busy)?;
    let people = fold_user_counts(&turn, &*store, window, People::default(), People::add).await?;
    drop(turn);
    let users = stream::iter(people.top(limit))
        .map(|person| report_of(Arc::clone(&store), person, window))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(Json(PeopleReport { times: Times::of(window), users }))
}

/// `GET /reports/top-users/pages/?user_name=…`: every page of one person in the window, newest first.
pub(crate) async fn pages(
    State(store): State<Arc<dyn Store>>,
    State(clock): State<Arc<dyn Clock>>,
    params: Params,
) -> Result<Response, ApiError> {
    let name = params.last("user_name").ok_or_else(|| FieldError::missing("user_name"));
    let (window, name) = match (parse_window(&params, clock.now()), name) {
        (Ok(window), Ok(name)) => (window, name),
        (window, name) => {
            let errors = name.err().into_iter().chain(window.err().into_iter().flatten());
            return Err(ApiError::Invalid(errors.collect()));
        }
    };
    let query = query_of(name, window, SLICE);
    let head = Times::of(window).members();
    let name = serde_json::to_string(name).expect("a text is JSON");
    list::respond(format!("\"user_name\":{name},{head},\"pages\":"), wire_slices(store, Some(query))).await
}

async fn report_of(store: Arc<dyn Store>, person: Person, window: HourRange) -> Result<PersonReport, StoreError> {
    let newest = slices(store, Some(query_of(&person.user_name, window, TITLES)));
    let pages = newest.map_ok(|pages| stream::iter(pages).map(Ok::<_, StoreError>)).try_flatten();
    let titles = pages.map_ok(|page| page.page_title).take(TITLES).try_collect().await?;
    Ok(PersonReport::new(person, titles, window))
}

fn query_of(user_name: &str, window: HourRange, limit: usize) -> PageQuery {
    PageQuery { during: TimeSpan::of_hours(window), ..PageQuery::newest(PageList::UserName(user_name.into()), limit) }
}

/// From `hours`, `skip` and `at`; all that is wrong with them, in this order.
fn parse_window(params: &Params, now: DateTime<Utc>) -> Result<HourRange, Vec<FieldError>> {
    let hours = number(params, "hours", DEFAULT_HOURS, 1..=MAX_HOURS);
    let skip = number(params, "skip", DEFAULT_SKIP, 0..=MAX_SKIP);
    match (hours, skip, time(params, "at", now)) {
        (Ok(hours), Ok(skip), Ok(at)) => Ok(window(at, hours, skip)),
        (hours, skip, at) => Err([hours.err(), skip.err(), at.err()].into_iter().flatten().collect()),
    }
}

fn number<T>(
    params: &Params,
    name: &'static str,
    default: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, FieldError>
where
    T: Copy + PartialOrd + std::str::FromStr + std::fmt::Display,
{
    let Some(text) = params.last(name) else { return Ok(default) };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        FieldError::value(name, text, &format!("expected a whole number from {} to {}", range.start(), range.end()))
    })
}

/// A time with an offset, or without one for UTC, as the other answers write it.
fn time(params: &Params, name: &'static str, now: DateTime<Utc>) -> Result<DateTime<Utc>, FieldError> {
    let Some(text) = params.last(name) else { return Ok(now) };
    // A plus sign that was not encoded is a space in a query.
    let zoned = text.rsplit_once(' ').map(|(time, offset)| format!("{time}+{offset}"));
    let zoned = DateTime::parse_from_rfc3339(zoned.as_deref().unwrap_or(text)).map(|time| time.to_utc());
    let naive = |format| NaiveDateTime::parse_from_str(text, format).map(|time| time.and_utc());
    let time = zoned.or_else(|_| naive("%Y-%m-%dT%H:%M:%S%.f")).or_else(|_| naive("%Y-%m-%dT%H:%M"));
    time.ok().filter(|time| Hour::time_within(time.timestamp()).is_some()).ok_or_else(|| {
        FieldError::value(name, text, "expected a time of the form 2025-05-18T19:32:00Z, from 1970 to 9999")
    })
}
