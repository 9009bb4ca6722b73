//! Filtered lists: periods in which the counts have no page that passes are not read. Counts outlive pages: a list ends
//! behind the last page that is kept, whatever is counted there.

use crate::counts::series_of;
use crate::hour::{Hour, HourRange};
use crate::period::{Period, PeriodRange, TimeUnit};
use crate::query::{Count, ListOrder, MAX_ROWS_READ, PageList, PageQuery, PageSlice, Series};
use crate::store::{Store, StoreError};
use chrono::TimeDelta;
use std::cmp::Reverse;

/// Rows read before counts are asked: most filters drop little.
const FIRST_ROWS: usize = 300;
/// Series that are looked into at most; a list of more is read row by row.
const MAX_SERIES: usize = 100;
/// Rows to be left for pages beside any look at the counts.
const KEPT_ROWS: usize = 100;

/// A part of a list, as [`Store::list_pages`] gives it. Reads at most [`MAX_ROWS_READ`] rows and counts while the filter
/// drops pages: if these are used up it gives what it has, possibly nothing, and where to go on.
///
/// # Errors
/// The store's.
pub async fn list_pages(store: &dyn Store, query: &PageQuery) -> Result<PageSlice, StoreError> {
    if query.filter.is_empty() {
        return store.list_pages(query).await;
    }
    let mut search = Search { store, query: query.clone(), wanted: query.limit, found: PageSlice::default() };
    if search.read_rows(FIRST_ROWS).await? {
        return Ok(search.found);
    }
    let Some(series) = search.load_series().await? else {
        search.read_rows(usize::MAX).await?;
        return Ok(search.found);
    };
    let uncounted = store.uncounted().await?;
    loop {
        let stood = search.query.after.clone();
        match search.skip(&series, &uncounted).await? {
            Some(Skipped::ToTheEnd) => {
                search.found.next = None;
                return Ok(search.found);
            }
            Some(Skipped::ToAMatch) => {
                // Where it did not move the hour has a match, however far behind.
                let rows = if search.query.after == stood { usize::MAX } else { FIRST_ROWS };
                if search.read_rows(rows).await? {
                    return Ok(search.found);
                }
            }
            None => {
                search.read_rows(usize::MAX).await?;
                return Ok(search.found);
            }
        }
    }
}

/// How far a search could skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Skipped {
    /// The next page that passes may be where the search stands now.
    ToAMatch,
    /// No page that passes is left.
    ToTheEnd,
}

/// A request while it is answered.
struct Search<'a> {
    store: &'a dyn Store,
    /// What is left to be read.
    query: PageQuery,
    /// Pages asked for.
    wanted: usize,
    found: PageSlice,
}

impl Search<'_> {
    fn rows_left(&self) -> usize {
        MAX_ROWS_READ.saturating_sub(self.found.rows_read)
    }

    /// Reads on; true when the request is answered.
    async fn read_rows(&mut self, max_rows: usize) -> Result<bool, StoreError> {
        let rows_left = self.rows_left();
        let query = &mut self.query;
        query.limit = self.wanted - self.found.pages.len();
        query.max_rows = max_rows.min(rows_left);
        let slice = self.store.list_pages(query).await?;
        query.after.clone_from(&slice.next);
        self.found.rows_read += slice.rows_read;
        self.found.pages.extend(slice.pages);
        self.found.next = slice.next;
        Ok(self.found.next.is_none() || self.found.pages.len() == self.wanted || self.rows_left() < 2)
    }

    /// The series that tell where pages pass; none where they are too many to ask.
    async fn load_series(&self) -> Result<Option<Vec<Series>>, StoreError> {
        if matches!(self.query.list, PageList::UserId(_)) || self.query.filter.domains.len() > MAX_SERIES {
            return Ok(None);
        }
        series_of(self.store, &self.query.list, &self.query.filter).await.map(Some)
    }

    /// Moves to the next hour with a page that passes, the one where the search stands included. None when the rows are
    /// used up before it is found: what was passed over by then has none.
    async fn skip(&mut self, series: &[Series], uncounted: &[PeriodRange]) -> Result<Option<Skipped>, StoreError> {
        let Some(here) = self.query.after.as_ref().map(|key| Hour::of(key.created_at)) else {
            return Ok(Some(Skipped::ToTheEnd));
        };
        let Some(to_be_read) = self.hours_left(here) else { return Ok(Some(Skipped::ToTheEnd)) };
        let mut left = to_be_read;
        let mut next = self.next_part(left);
        while let Some(part) = next {
            // Of an hour that is not counted yet nothing is known.
            let Some(part) = self.counted_part(part, uncounted) else { return Ok(Some(Skipped::ToAMatch)) };
            let Some(counts) = self.load_counts(series, part).await? else { return Ok(None) };
            let nearest = self.nearest(counts.into_iter().filter(|count| self.query.filter.matches_count(count)));
            (left, next) = match nearest {
                Some(period) if period.unit == TimeUnit::Hour => {
                    self.stand_before(period.hours());
                    return Ok(Some(Skipped::ToAMatch));
                }
                Some(period) => (self.up_to(left, period.hours()), period.parts()),
                None => {
                    let left = self.behind(left, part.hours);
                    (left, self.next_part(left))
                }
            };
            self.stand_before(left);
        }
        Ok(Some(Skipped::ToTheEnd))
    }

    /// What of a part lies in front of all that is not counted, by shorter periods where that cuts the nearest one; none
    /// where the nearest hour is not counted.
    fn counted_part(&self, mut part: PeriodRange, uncounted: &[PeriodRange]) -> Option<PeriodRange> {
        loop {
            let hours = self.counted_hours(part, uncounted);
            if !hours.is_empty() {
                return Some(PeriodRange { hours, ..part });
            }
            let nearest = match self.query.order {
                ListOrder::NewestFirst => part.hours.to.plus(-1),
                ListOrder::OldestFirst => part.hours.from,
            };
            let parts = Period::of(part.unit, nearest).parts()?;
            part = PeriodRange { hours: parts.hours.overlap(part.hours), ..parts };
        }
    }

    /// The whole periods of a part in front of all that is not counted.
    fn counted_hours(&self, part: PeriodRange, uncounted: &[PeriodRange]) -> HourRange {
        let PeriodRange { unit, mut hours } = part;
        let shorter = uncounted.iter().filter(|uncounted| uncounted.unit <= unit);
        for within in shorter.map(|uncounted| uncounted.hours.overlap(part.hours)).filter(|within| !within.is_empty()) {
            match self.query.order {
                ListOrder::NewestFirst => hours.from = hours.from.max(unit.ceil(within.to)),
                ListOrder::OldestFirst => hours.to = hours.to.min(unit.floor(within.from)),
            }
        }
        hours
    }

    /// The hours that are still to be read, the one where the search stands included.
    fn hours_left(&self, here: Hour) -> Option<HourRange> {
        let during = self.query.during;
        let from = during.from.map_or(Hour::MIN, Hour::of);
        let to = during.to.map_or(Hour::MAX, |to| Hour::of(to).plus(1));
        let left = match self.query.order {
            ListOrder::NewestFirst => HourRange { from, to: to.min(here.plus(1)) },
            ListOrder::OldestFirst => HourRange { from: from.max(here), to },
        };
        (!left.is_empty()).then_some(left)
    }

    /// The nearest hours of `left` that one read can tell of: those of a day, else the days of a month, the months of a
    /// year, or all years.
    fn next_part(&self, left: HourRange) -> Option<PeriodRange> {
        if left.is_empty() {
            return None;
        }
        let newest_first = self.query.order == ListOrder::NewestFirst;
        let edge = if newest_first { left.to } else { left.from };
        let steps =
            [(TimeUnit::Hour, TimeUnit::Day), (TimeUnit::Day, TimeUnit::Month), (TimeUnit::Month, TimeUnit::Year)];
        for (unit, within) in steps {
            // The edge of a day lies between two days: the one to be read is asked.
            let hours = if newest_first {
                HourRange { from: within.floor(edge.plus(-1)), to: edge }
            } else {
                HourRange { from: edge, to: within.after(edge) }
            };
            let is_whole = if newest_first { within.after(hours.from) == edge } else { within.floor(edge) == edge };
            if !is_whole || hours.from < left.from || hours.to > left.to {
                return Some(PeriodRange { unit, hours: hours.overlap(left) });
            }
        }
        Some(PeriodRange { unit: TimeUnit::Year, hours: left })
    }

    /// The counts of a part; none where they are more than may be read, or where the store cannot count now.
    async fn load_counts(&mut self, series: &[Series], part: PeriodRange) -> Result<Option<Vec<Count>>, StoreError> {
        // At most half of what is left, so that pages can be read where that does not do.
        let Some(most) = self.rows_left().checked_sub(KEPT_ROWS).map(|rows| rows / 2) else { return Ok(None) };
        match self.store.counts_of_each(series, part, most).await {
            Ok(counts) => {
                // Where they were too many, so many were read.
                self.found.rows_read += counts.as_ref().map_or(most + 1, Vec::len);
                Ok(counts)
            }
            Err(StoreError::Unavailable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn nearest(&self, counts: impl Iterator<Item = Count>) -> Option<Period> {
        let periods = counts.map(|count| count.period);
        match self.query.order {
            ListOrder::NewestFirst => periods.max_by_key(|period| (period.start, Reverse(period.unit))),
            ListOrder::OldestFirst => periods.min_by_key(|period| (period.start, period.unit)),
        }
    }

    /// What is left of `left` when all before `hours` is passed over.
    fn up_to(&self, left: HourRange, hours: HourRange) -> HourRange {
        match self.query.order {
            ListOrder::NewestFirst => HourRange { to: left.to.min(hours.to), ..left },
            ListOrder::OldestFirst => HourRange { from: left.from.max(hours.from), ..left },
        }
    }

    /// What is left of `left` when `hours` are passed over too.
    fn behind(&self, left: HourRange, hours: HourRange) -> HourRange {
        match self.query.order {
            ListOrder::NewestFirst => HourRange { to: hours.from, ..left },
            ListOrder::OldestFirst => HourRange { from: hours.to, ..left },
        }
    }

    /// Goes on with the first page of `hours`, unless that is behind the search already.
    fn stand_before(&mut self, hours: HourRange) {
        let Some(key) = &mut self.query.after else { return };
        match self.query.order {
            // Whatever page has the new key's second lies in hours without a match.
            ListOrder::NewestFirst if hours.to.start() < key.created_at => key.created_at = hours.to.start(),
            ListOrder::OldestFirst if hours.from.start() > key.created_at + TimeDelta::seconds(1) => {
                key.created_at = hours.from.start() - TimeDelta::seconds(1);
            }
            _ => return,
        }
        self.found.next.clone_from(&self.query.after);
    }
}
