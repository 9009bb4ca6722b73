//! Counts from the sealed periods: heads first, then the rows of the longest that there are.

use crate::page::Domain;
use crate::period::{Period, PeriodRange, TimeUnit};
use crate::query::{Count, CountQuery, Series, UserCount};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::derived::has_people;
use crate::store::cassandra::errors::of_value;
use crate::store::cassandra::generations::load_counts_until;
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::lookup::is_key;
use crate::store::cassandra::merge::{Cursor, Merge};
use crate::store::cassandra::periods::{OnShelf, on_shelves, parse_name, shelf_of};
use crate::store::cassandra::sealed::sealed_periods;
use crate::store::cassandra::slices::{PAGE_ROWS, collect_until};
use crate::store::cassandra::tally::Group;
use crate::wiki::ProjectFamily;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use scylla::response::query_result::QueryRowsResult;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads of one question at once. Where it is bounded they follow each other, so that together they keep to the bound.
const READS_AT_ONCE: usize = 8;

/// The counts of a query; none where they are more than it allows.
pub(super) async fn counts(store: &CassandraStore, query: &CountQuery) -> Result<Option<Vec<Count>>, StoreError> {
    let periods = PeriodRange { unit: query.unit, hours: query.hours };
    counts_of_each(store, std::slice::from_ref(&query.series), periods, query.max_rows).await
}

/// The same of several series together: those of one kind have the same heads.
pub(super) async fn counts_of_each(
    store: &CassandraStore,
    all: &[Series],
    periods: PeriodRange,
    max_rows: usize,
) -> Result<Option<Vec<Count>>, StoreError> {
    let left = AtomicUsize::new(max_rows);
    let mut known: BTreeMap<Kind, Vec<Head>> = BTreeMap::new();
    let mut reads = Vec::new();
    for series in all {
        let kind = Kind::of(series);
        let heads = match known.entry(kind) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(kind.heads(store, periods).await?),
        };
        if kind == Kind::Apart {
            reads.extend(heads.iter().map(|head| counts_of(store, *head, &left).boxed()));
        } else {
            reads.extend(runs_of(heads).into_iter().map(|run| derived_of(store, series, run, &left).boxed()));
        }
    }
    let at_once = if max_rows == usize::MAX { READS_AT_ONCE } else { 1 };
    sum_all(stream::iter(reads).buffered(at_once), &left).await
}

/// What decides which heads a series is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// All wikis, each by itself: from the generations.
    Apart,
    /// Wikis and all of them together: from the derived rows.
    Wikis,
    /// People and accounts: of these there are no years.
    People,
}

impl Kind {
    fn of(series: &Series) -> Self {
        match series {
            Series::Domains => Self::Apart,
            Series::All | Series::Domain(_) => Self::Wikis,
            Series::User(..) | Series::UserName(_) => Self::People,
        }
    }

    async fn heads(self, store: &CassandraStore, periods: PeriodRange) -> Result<Vec<Head>, StoreError> {
        let units = units_up_to(periods.unit, self == Self::People);
        // A longer period's derived rows are complete once a head says so; those of hours are never stood in for by others.
        let usable = if self == Self::Apart { |_: &Head| true } else { |head: &Head| head.derived.is_some() };
        sealed_periods(store, periods.hours, &units, usable).await
    }
}

/// The lengths of periods that may make up such a one, the longest first.
fn units_up_to(longest: TimeUnit, is_of_people: bool) -> Vec<TimeUnit> {
    let is_there = |unit: &TimeUnit| *unit <= longest && (has_people(*unit) || !is_of_people);
    TimeUnit::LONGEST_FIRST.into_iter().filter(is_there).collect()
}

/// The accounts that created pages in a period, in their order.
pub(super) async fn user_counts(store: &CassandraStore, period: Period) -> Result<Vec<UserCount>, StoreError> {
    let units = units_up_to(period.unit, true);
    let heads = sealed_periods(store, period.hours(), &units, |_| true).await?;
    let parts = heads.iter().map(|head| Cursor::of(store, head)).collect();
    let (mut merge, mut people) = (Merge::new(store, parts, None), Vec::new());
    loop {
        let merged = merge.next(PAGE_ROWS).await?;
        if merged.is_empty() {
            return Ok(people);
        }
        people.extend(merged.into_iter().map(|merged| merged.user).filter(|user| user.page_count > 0));
    }
}

/// The sums of what is read; none as soon as that is more rows than are `left`.
async fn sum_all(
    mut reads: impl Stream<Item = Result<Vec<Count>, StoreError>> + Unpin,
    left: &AtomicUsize,
) -> Result<Option<Vec<Count>>, StoreError> {
    let mut sums: BTreeMap<Count, u64> = BTreeMap::new();
    while let Some(counts) = reads.try_next().await? {
        let Some(rest) = left.load(Ordering::Relaxed).checked_sub(counts.len()) else { return Ok(None) };
        left.store(rest, Ordering::Relaxed);
        for count in counts.into_iter().filter(|count| count.page_count > 0) {
            let page_count = count.page_count;
            *sums.entry(Count { page_count: 0, ..count }).or_default() += page_count;
        }
    }
    Ok(Some(sums.into_iter().map(|(group, page_count)| Count { page_count, ..group }).collect()))
}

/// The counts of all wikis in a sealed period; where they are more than are `left`, some more than that.
async fn counts_of(store: &CassandraStore, head: Head, left: &AtomicUsize) -> Result<Vec<Count>, StoreError> {
    let count = |(Group { domain, namespace, is_bot, is_redirect }, page_count)| {
        let project_family = ProjectFamily::of(&domain);
        let domain = Some(domain);
        Count { period: head.period, domain, project_family, namespace, is_bot, is_redirect, page_count }
    };
    let most = left.load(Ordering::Relaxed);
    Ok(load_counts_until(store, &head, most).await?.into_iter().map(count).collect())
}

/// Sealed periods of one length on one shelf with no longer one between them, as one range.
fn runs_of(heads: &[Head]) -> Vec<OnShelf> {
    let shelf = |head: &Head| shelf_of(head.period);
    let runs = heads.chunk_by(|a, b| a.period.unit == b.period.unit && shelf(a) == shelf(b));
    let range = |run: &[Head]| {
        let (first, last) = (run[0].period, run[run.len() - 1].period);
        let mut hours = first.hours();
        hours.to = last.hours().to;
        PeriodRange { unit: first.unit, hours }
    };
    runs.flat_map(|run| on_shelves(range(run))).collect()
}

/// The counts of a series in one run; where they are more than are `left`, some more than that.
async fn derived_of(
    store: &CassandraStore,
    series: &Series,
    run: OnShelf,
    left: &AtomicUsize,
) -> Result<Vec<Count>, StoreError> {
    let (session, statements) = (&store.session, &store.rollups.derived);
    let most = left.load(Ordering::Relaxed);
    let OnShelf { shelf, from, to } = &run;
    match series {
        Series::All | Series::Domains => {
            collect_until(session, &statements.of_all, (shelf, from, to), most, push_families).await
        }
        Series::Domain(domain) => {
            let values = (domain.as_str(), shelf, from, to);
            collect_until(session, &statements.of_domain, values, most, push_wikis).await
        }
        Series::UserName(name) if !is_key(name) => Ok(Vec::new()),
        Series::UserName(name) => {
            collect_until(session, &statements.of_user_name, (name, shelf, from, to), most, push_wikis).await
        }
        Series::User(domain, user_id) => {
            let values = (domain.as_str(), user_id.to_string(), shelf, from, to);
            collect_until(session, &statements.of_user, values, most, push_wikis).await
        }
    }
}

fn push_wikis(rows: &QueryRowsResult, all: &mut Vec<Count>) -> Result<(), StoreError> {
    for row in rows.rows::<(&str, &str, i32, bool, bool, i64)>()? {
        let (domain, period, namespace, is_bot, is_redirect, count) = row?;
        let domain: Domain = domain.parse().map_err(of_value)?;
        let (project_family, period) = (ProjectFamily::of(&domain), parse_name(period)?);
        let (domain, page_count) = (Some(domain), count.cast_unsigned());
        all.push(Count { period, domain, project_family, namespace, is_bot, is_redirect, page_count });
    }
    Ok(())
}

fn push_families(rows: &QueryRowsResult, all: &mut Vec<Count>) -> Result<(), StoreError> {
    for row in rows.rows::<(i32, &str, i32, bool, bool, i64)>()? {
        let (family, period, namespace, is_bot, is_redirect, count) = row?;
        let known = ProjectFamily::of_number(family.into());
        let project_family = known.ok_or_else(|| StoreError::Corrupt(format!("{family} is no project family")))?;
        let (period, page_count) = (parse_name(period)?, count.cast_unsigned());
        all.push(Count { period, domain: None, project_family, namespace, is_bot, is_redirect, page_count });
    }
    Ok(())
}
