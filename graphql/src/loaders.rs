//! Reads that many objects of one operation share: each is asked once, and those of one kind together.
//!
//! Made anew for each execution, so nothing grows old in them; the executions of one event, which are at the same time,
//! share what they read.

mod as_of;
mod charts;
mod people;
mod shares;

pub(crate) use as_of::{AsOf, Counted};
pub(crate) use charts::{Chart, MAX_COUNTS, TooMuch};
pub(crate) use people::People;
pub(crate) use shares::{Share, UserShares};

use crate::schema::bounds::MAX_HOURS_APART;
use crate::schema::errors::ApiError;
use ::dataloader::BatchFn;
use ::dataloader::cached::Loader;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use schema::activity::Split;
use schema::counts::{count_pages, hourly_counts};
use schema::hour::{Hour, HourRange};
use schema::lists::list_pages;
use schema::page::{Domain, Page, PageId, PageKey, UserId};
use schema::period::{Period, PeriodRange, TimeUnit};
use schema::query::{Count, DomainRow, PageFilter, PageList, PageQuery, PageSlice, Series};
use schema::store::{Store, StoreError};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::Mutex;

/// More than any list asks for at once, so that a list is one batch.
const MAX_BATCH: usize = 2_000;

/// Reads of one kind without a batch form that one operation has in flight. After as many in a row that found the store
/// away, the rest of the batch is not tried: each may wait for the store as long as a request may take.
const MAX_IN_FLIGHT: usize = 8;

/// Counts of wikis that are read for one range of more than a month.
const MAX_TOTALS: usize = 200_000;

/// A read that is dropped half-way takes its batch along (another part of its list failed, or another execution of its event
/// has ended): then it is tried again.
const MAX_TRIES: usize = 5;

/// One operation's loaders. Whatever counts asks up to when pages are counted first.
pub struct Loaders {
    reads: Arc<Reads>,
    as_of: Arc<AsOf>,
    /// Held while people are read: their rows are many, so one operation reads those of one question at a time.
    people: Mutex<people::Known>,
}

/// What was read, each once.
pub(crate) struct Reads {
    store: Arc<dyn Store>,
    counted: Arc<Counted>,
    pages: Table<(Domain, PageId), Option<Arc<Page>>>,
    users: Table<(Domain, UserId), Option<Arc<Page>>>,
    domains: Table<Domain, Option<Arc<DomainRow>>>,
    accounts: Table<String, Arc<[Arc<Page>]>>,
    titles: Table<TitleKey, Arc<[Arc<Page>]>>,
    hour_counts: Table<(Hour, Series), Arc<[Count]>>,
    range_counts: Table<HourRange, Arc<[Count]>>,
    hour_users: Table<Hour, Arc<UserShares>>,
    lists: Table<PageQuery, Arc<PagesRead>>,
    all_domains: Table<(), Arc<[DomainRow]>>,
    page_counts: Table<PageCountKey, u64>,
    totals: Table<(Vec<Series>, HourRange), Totals>,
    charts: Table<(Series, Split), Chart>,
}

/// A part of a list of pages.
pub(crate) struct PagesRead {
    /// In the order of reading.
    pub(crate) pages: Vec<Arc<Page>>,
    /// Where the next part begins; none at the end of the list.
    pub(crate) next: Option<PageKey>,
}

/// Which pages to count.
type PageCountKey = (PageList, HourRange, PageFilter);

/// The fewest counts of some series; none where they are more than may be.
type Totals = Option<Arc<[Count]>>;

/// A wiki, a title, and how many of its pages.
type TitleKey = (Domain, String, usize);

type Table<K, V> = Loader<K, Result<V, ApiError>, Batch<K, V>>;

impl Reads {
    /// Nothing yet.
    pub(crate) fn new(store: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            store: store.clone(),
            counted: Arc::default(),
            pages: table(store, |store, keys| async move { Ok(shared(store.load_pages(&keys).await?)) }),
            users: table(store, |store, keys| async move { Ok(shared(store.load_users(&keys).await?)) }),
            domains: table(store, |store, names| async move { Ok(shared(store.load_domains(&names).await?)) }),
            accounts: table_of_each(store, |store, name: String| async move {
                Ok(store.users_by_name(&name).await?.into_iter().map(Arc::new).collect())
            }),
            titles: table_of_each(store, |store, (domain, page_title, limit): TitleKey| async move {
                let pages = store.pages_by_title(&domain, &page_title, limit).await?;
                Ok(pages.into_iter().map(Arc::new).collect())
            }),
            hour_counts: table(store, load_hour_counts),
            range_counts: table_of_each(store, |store, range| async move {
                Ok(hourly_counts(&*store, Series::Domains, range).await?.into())
            }),
            hour_users: table_of_each(store, |store, hour| async move {
                let people = store.user_counts(Period::of(TimeUnit::Hour, hour)).await?;
                Ok(Arc::new(shares::of_users(people)))
            }),
            lists: table_of_each(store, |store, query: PageQuery| async move {
                let PageSlice { pages, next, .. } = list_pages(&*store, &query).await?;
                Ok(Arc::new(PagesRead { pages: pages.into_iter().map(Arc::new).collect(), next }))
            }),
            all_domains: table_of_each(store, |store, ()| async move { Ok(store.domains().await?.into()) }),
            page_counts: table_of_each(store, |store, (list, hours, filter): PageCountKey| async move {
                count_pages(&*store, &list, hours, &filter).await
            }),
            totals: table_of_each(store, |store, (all, hours): (Vec<Series>, HourRange)| async move {
                let periods = PeriodRange { unit: TimeUnit::Year, hours };
                let are_apart = all.iter().any(|series| matches!(series, Series::Domains | Series::Domain(_)));
                let most = if are_apart && hours.len() > MAX_HOURS_APART { MAX_TOTALS } else { usize::MAX };
                Ok(store.counts_of_each(&all, periods, most).await?.map(Arc::from))
            }),
            charts: table_of_each(store, |store, (whose, split): (Series, Split)| async move {
                charts::read(&*store, &whose, &split).await
            }),
        })
    }

    /// Up to when pages are counted, once it was asked for.
    pub(crate) fn counted(&self) -> &Arc<Counted> {
        &self.counted
    }
}

impl Loaders {
    /// Loaders of what was read so far.
    pub(crate) fn new(reads: Arc<Reads>, as_of: Arc<AsOf>) -> Self {
        Self { reads, as_of, people: Mutex::default() }
    }

    /// The newest creation of a page.
    pub(crate) async fn page(&self, domain: Domain, page_id: PageId) -> Result<Option<Arc<Page>>, ApiError> {
        load(&self.reads.pages, (domain, page_id)).await
    }

    /// An account's newest page.
    pub(crate) async fn user(&self, domain: Domain, user_id: UserId) -> Result<Option<Arc<Page>>, ApiError> {
        load(&self.reads.users, (domain, user_id)).await
    }

    /// The newest pages of several accounts.
    pub(crate) async fn users(
        &self,
        keys: Vec<(Domain, UserId)>,
    ) -> Result<HashMap<(Domain, UserId), Option<Arc<Page>>>, ApiError> {
        load_many(&self.reads.users, keys).await
    }

    /// A wiki.
    pub(crate) async fn domain(&self, name: Domain) -> Result<Option<Arc<DomainRow>>, ApiError> {
        load(&self.reads.domains, name).await
    }

    /// Several wikis.
    pub(crate) async fn domains(
        &self,
        names: Vec<Domain>,
    ) -> Result<HashMap<Domain, Option<Arc<DomainRow>>>, ApiError> {
        load_many(&self.reads.domains, names).await
    }

    /// The newest page of each account under a name.
    pub(crate) async fn accounts(&self, user_name: String) -> Result<Arc<[Arc<Page>]>, ApiError> {
        load(&self.reads.accounts, user_name).await
    }

    /// The newest creations on a wiki under a title.
    pub(crate) async fn pages_by_title(
        &self,
        domain: Domain,
        page_title: String,
        limit: usize,
    ) -> Result<Arc<[Arc<Page>]>, ApiError> {
        load(&self.reads.titles, (domain, page_title, limit)).await
    }

    /// The counts of a series in an hour.
    pub(crate) async fn hour_counts(&self, hour: Hour, series: Series) -> Result<Arc<[Count]>, ApiError> {
        self.as_of().await?;
        load(&self.reads.hour_counts, (hour, series)).await
    }

    /// The rollups of a whole range.
    pub(crate) async fn range_counts(&self, range: HourRange) -> Result<Arc<[Count]>, ApiError> {
        self.as_of().await?;
        load(&self.reads.range_counts, range).await
    }

    /// An hour's accounts.
    pub(crate) async fn hour_users(&self, hour: Hour) -> Result<Arc<UserShares>, ApiError> {
        self.as_of().await?;
        load(&self.reads.hour_users, hour).await
    }

    /// All wikis, by name.
    pub(crate) async fn all_domains(&self) -> Result<Arc<[DomainRow]>, ApiError> {
        load(&self.reads.all_domains, ()).await
    }

    /// A part of a list of pages.
    pub(crate) async fn list_pages(&self, query: PageQuery) -> Result<Arc<PagesRead>, ApiError> {
        load(&self.reads.lists, query).await
    }

    /// A list's oldest page.
    pub(crate) async fn oldest_page(&self, list: PageList) -> Result<Option<Arc<Page>>, ApiError> {
        Ok(self.list_pages(PageQuery::oldest(list, 1)).await?.pages.first().cloned())
    }

    /// A list's newest page.
    pub(crate) async fn newest_page(&self, list: PageList) -> Result<Option<Arc<Page>>, ApiError> {
        Ok(self.list_pages(PageQuery::newest(list, 1)).await?.pages.first().cloned())
    }

    /// How many pages a list has.
    pub(crate) async fn count_pages(
        &self,
        list: PageList,
        hours: HourRange,
        filter: PageFilter,
    ) -> Result<u64, ApiError> {
        self.as_of().await?;
        load(&self.reads.page_counts, (list, hours, filter)).await
    }

    /// The fewest counts that tell how many pages these series have together in a range.
    pub(crate) async fn totals(&self, all: Vec<Series>, hours: HourRange) -> Result<Arc<[Count]>, ApiError> {
        self.as_of().await?;
        let totals = load(&self.reads.totals, (all, hours)).await?;
        let text =
            || format!("the wikis have more than {MAX_TOTALS} counts in this range; whole months or years have fewer");
        totals.ok_or_else(|| ApiError::LimitExceeded(text()))
    }

    /// Pages over time, of one list.
    pub(crate) async fn chart(&self, whose: Series, split: Split) -> Result<Chart, ApiError> {
        self.as_of().await?;
        load(&self.reads.charts, (whose, split)).await
    }

    /// The people of hours, as soon as nothing else of this operation reads people.
    pub(crate) async fn people(&self) -> Result<People<'_>, ApiError> {
        self.as_of().await?;
        Ok(People::new(&*self.reads.store, self.people.lock().await))
    }

    /// Up to when pages are counted, as it was before this operation's counts were read.
    pub(crate) async fn as_of(&self) -> Result<DateTime<Utc>, ApiError> {
        self.as_of.load(&*self.reads.store).await
    }
}

/// Reads many keys at once, one answer for each, in their order.
struct Batch<K, V>(Box<Read<K, V>>);

type Read<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Vec<Result<V, ApiError>>> + Send + Sync;

impl<K: Eq + Hash + Clone, V: Clone> BatchFn<K, Result<V, ApiError>> for Batch<K, V> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Result<V, ApiError>> {
        keys.iter().cloned().zip((self.0)(keys.to_vec()).await).collect()
    }
}

impl<K: Eq + Hash + Clone + Debug + Send + 'static, V: Clone + Send + 'static> Batch<K, V> {
    fn into_table(self) -> Table<K, V> {
        Loader::new(self).with_max_batch_size(MAX_BATCH).with_yield_count(1)
    }
}

/// Of what the store reads together: all of a batch fail, or none.
fn table<K, V, F, R>(store: &Arc<dyn Store>, read: F) -> Table<K, V>
where
    K: Eq + Hash + Clone + Debug + Send + 'static,
    V: Clone + Send + 'static,
    F: Fn(Arc<dyn Store>, Vec<K>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<V>, StoreError>> + Send + 'static,
{
    let store = store.clone();
    let batch = move |keys: Vec<K>| {
        let (count, reading) = (keys.len(), read(store.clone(), keys));
        async move {
            match reading.await {
                Ok(values) => values.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(ApiError::from(error)); count],
            }
        }
    };
    Batch(Box::new(move |keys| Box::pin(batch(keys)))).into_table()
}

/// Of what the store reads one by one: a few at a time, and each may fail by itself.
fn table_of_each<K, V, F, R>(store: &Arc<dyn Store>, read: F) -> Table<K, V>
where
    K: Eq + Hash + Clone + Debug + Send + 'static,
    V: Clone + Send + 'static,
    F: Fn(Arc<dyn Store>, K) -> R + Send + Sync + 'static,
    R: Future<Output = Result<V, StoreError>> + Send + 'static,
{
    let store = store.clone();
    let batch = move |keys: Vec<K>| {
        let readings: Vec<R> = keys.into_iter().map(|key| read(store.clone(), key)).collect();
        each_of(readings)
    };
    Batch(Box::new(move |keys| Box::pin(batch(keys)))).into_table()
}

/// Reads a few at a time, in their order, until the store seems to be away.
async fn each_of<V, R>(readings: Vec<R>) -> Vec<Result<V, ApiError>>
where
    R: Future<Output = Result<V, StoreError>>,
{
    let count = readings.len();
    let mut answers = Vec::with_capacity(count);
    let mut failed_in_a_row = 0;
    let mut reading = pin!(stream::iter(readings).buffered(MAX_IN_FLIGHT));
    while failed_in_a_row < MAX_IN_FLIGHT
        && let Some(answer) = reading.next().await
    {
        failed_in_a_row = if matches!(answer, Err(StoreError::Unavailable(_))) { failed_in_a_row + 1 } else { 0 };
        answers.push(answer.map_err(ApiError::from));
    }
    answers.extend((answers.len()..count).map(|_| Err(ApiError::Unavailable)));
    answers
}

async fn load<K, V>(table: &Table<K, V>, key: K) -> Result<V, ApiError>
where
    K: Eq + Hash + Clone + Debug,
    V: Clone,
{
    for _ in 0..MAX_TRIES {
        if let Ok(answer) = table.try_load(key.clone()).await {
            return answer;
        }
    }
    Err(always_dropped())
}

fn always_dropped() -> ApiError {
    tracing::error!("a batch of reads was dropped {MAX_TRIES} times");
    ApiError::Internal
}

async fn load_many<K, V>(table: &Table<K, V>, keys: Vec<K>) -> Result<HashMap<K, V>, ApiError>
where
    K: Eq + Hash + Clone + Debug,
    V: Clone,
{
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    for _ in 0..MAX_TRIES {
        if let Ok(answers) = table.try_load_many(keys.clone()).await {
            return answers.into_iter().map(|(key, answer)| Ok((key, answer?))).collect();
        }
    }
    Err(always_dropped())
}

fn shared<T>(rows: Vec<Option<T>>) -> Vec<Option<Arc<T>>> {
    rows.into_iter().map(|row| row.map(Arc::new)).collect()
}

/// Neighbouring hours of a series are read as one range.
async fn load_hour_counts(store: Arc<dyn Store>, keys: Vec<(Hour, Series)>) -> Result<Vec<Arc<[Count]>>, StoreError> {
    let mut hours: HashMap<&Series, Vec<Hour>> = HashMap::new();
    for (hour, series) in &keys {
        hours.entry(series).or_default().push(*hour);
    }
    let mut counts: HashMap<(Hour, Series), Vec<Count>> = HashMap::new();
    for (series, hours) in hours {
        for range in runs(&hours) {
            for count in hourly_counts(&*store, series.clone(), range).await? {
                counts.entry((count.period.start, series.clone())).or_default().push(count);
            }
        }
    }
    Ok(keys.iter().map(|key| counts.remove(key).unwrap_or_default().into()).collect())
}

/// The ranges that hold these hours and no others.
fn runs(hours: &[Hour]) -> Vec<HourRange> {
    let mut hours = hours.to_vec();
    hours.sort();
    let mut runs: Vec<HourRange> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some(run) if run.to == hour => run.to = hour.plus(1),
            _ => runs.push(HourRange { from: hour, to: hour.plus(1) }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_store_that_is_away_is_not_asked_on_and_on() {
        let asked = AtomicUsize::new(0);
        let read = async |fails: bool| {
            asked.fetch_add(1, Ordering::Relaxed);
            if fails { Err(StoreError::Unavailable("down".into())) } else { Ok(()) }
        };
        let answers = each_of((0..90).map(|n| read(n > 10)).collect()).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 11);
        assert_eq!((answers.len(), answers[89].clone()), (90, Err(ApiError::Unavailable)));
        assert!((19..=19 + MAX_IN_FLIGHT).contains(&asked.load(Ordering::Relaxed)));
        let answers = each_of((0..90).map(|n| read(n % MAX_IN_FLIGHT > 0)).collect()).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 12, "some are answered");
    }

    #[test]
    fn neighbouring_hours_are_one_range() {
        let hours = [7, 3, 4, 5, 9].map(Hour::from_count);
        let found: Vec<(i64, i64)> = runs(&hours).iter().map(|run| (run.from.count(), run.to.count())).collect();
        assert_eq!(found, [(3, 6), (7, 8), (9, 10)]);
    }
}
