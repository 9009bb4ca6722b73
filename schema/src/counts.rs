//! Counts of lists, and of the people of many hours, put together from what a store counts.

use crate::hour::HourRange;
use crate::page::UserId;
use crate::period::{Period, PeriodRange, TimeUnit, cover};
use crate::query::{Count, CountQuery, PageFilter, PageList, Series, UserCount};
use crate::store::{Store, StoreError};
use futures::{StreamExt, TryStreamExt, stream};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Periods whose people are read side by side.
const PERIODS_AT_ONCE: usize = 4;

/// How many pages a list has in these hours: the sum of the fewest counts that there are.
///
/// # Errors
/// The store's.
pub async fn count_pages(
    store: &dyn Store,
    list: &PageList,
    hours: HourRange,
    filter: &PageFilter,
) -> Result<u64, StoreError> {
    let series = series_of(store, list, filter).await?;
    let all = PeriodRange { unit: TimeUnit::Year, hours };
    let counts = store.counts_of_each(&series, all, usize::MAX).await?.unwrap_or_default();
    Ok(counts.iter().filter(|count| filter.matches_count(count)).map(|count| count.page_count).sum())
}

/// The series that together count a list's pages that pass.
pub(crate) async fn series_of(
    store: &dyn Store,
    list: &PageList,
    filter: &PageFilter,
) -> Result<Vec<Series>, StoreError> {
    Ok(match list {
        PageList::All => Series::of_all(filter),
        PageList::UserId(user_id) => accounts_of(store, *user_id).await?,
        one => one.series().into_iter().collect(),
    })
}

async fn accounts_of(store: &dyn Store, user_id: UserId) -> Result<Vec<Series>, StoreError> {
    let newest = store.users_by_id(user_id).await?;
    Ok(newest.into_iter().map(|page| Series::User(page.domain, user_id)).collect())
}

/// The counts of a series by hour, sorted.
///
/// # Errors
/// The store's.
pub async fn hourly_counts(store: &dyn Store, series: Series, hours: HourRange) -> Result<Vec<Count>, StoreError> {
    let mut counts = store.counts(&CountQuery::hourly(series, hours)).await?.unwrap_or_default();
    counts.sort();
    Ok(counts)
}

/// Questions of a process whose people are added up at one time: each may be of a month's.
static FOLDS: Semaphore = Semaphore::const_new(4);

/// How long a further one waits for its turn: in its requester's time there must be some left to read.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// The turn of one question about the people of many hours.
#[derive(Debug)]
pub struct PeopleTurn {
    _permit: SemaphorePermit<'static>,
}

impl PeopleTurn {
    /// The next turn; none where others take theirs for 5 s.
    pub async fn take() -> Option<Self> {
        let turn = timeout(TURN_WITHIN, FOLDS.acquire()).await.ok()?;
        Some(Self { _permit: turn.expect("nobody closes it") })
    }
}

/// Adds the people of each hour or day of `hours` to `sum`, in no order of time. Holds the rows of a few periods beside it.
///
/// # Errors
/// The store's.
pub async fn fold_user_counts<T>(
    _turn: &PeopleTurn,
    store: &dyn Store,
    hours: HourRange,
    mut sum: T,
    mut add: impl FnMut(&mut T, Vec<UserCount>),
) -> Result<T, StoreError> {
    let periods: Vec<Period> =
        cover(hours, &[TimeUnit::Day, TimeUnit::Hour]).into_iter().flat_map(|part| part.periods()).collect();
    let mut read = stream::iter(periods).map(|period| store.user_counts(period)).buffer_unordered(PERIODS_AT_ONCE);
    while let Some(rows) = read.try_next().await? {
        add(&mut sum, rows);
    }
    Ok(sum)
}
