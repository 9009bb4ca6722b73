//! One hour of `pages_by_time`, and the counts of that hour.

use crate::hour::{Hour, HourRange};
use crate::page::{Page, PageKey};
use crate::period::{Period, TimeUnit};
use crate::query::{CountQuery, Series};
use crate::store::{Scan, Store, StoreError};
use crate::verify::tally::{Tally, Wikis, add_people, people_differences, people_of};
use crate::verify::{Difference, Scanning, Span, catch_up, readable};
use std::collections::{BTreeMap, HashMap};

/// The rows of an hour.
#[derive(Debug)]
pub(super) struct HourPages {
    pub(super) hour: Hour,
    pub(super) pages: Vec<Page>,
}

impl HourPages {
    pub(super) fn of(hour: Hour) -> Self {
        Self { hour, pages: Vec::new() }
    }

    pub(super) async fn load(store: &dyn Store, hour: Hour) -> Result<Self, StoreError> {
        let mut pages = Vec::new();
        let mut scanning = Scanning::of(store, Scan::Hour(hour));
        while let Some(rows) = scanning.next().await? {
            pages.extend(rows.into_iter().flatten());
        }
        Ok(Self { hour, pages })
    }

    /// Of each creation the page of the largest version.
    pub(super) fn winners(&self) -> impl Iterator<Item = &Page> {
        let mut winners: HashMap<PageKey, &Page> = HashMap::with_capacity(self.pages.len());
        for page in &self.pages {
            let winner = winners.entry(page.key()).or_insert(page);
            if winner.version < page.version {
                *winner = page;
            }
        }
        winners.into_values()
    }
}

/// What the store's counts of an hour say otherwise, also when it is looked at again.
pub(super) async fn check_counts(
    store: &dyn Store,
    hour: HourPages,
    span: Span,
) -> Result<Vec<Difference>, StoreError> {
    if !span.is_settled(Period::of(TimeUnit::Hour, hour.hour)) || count_differences(store, &hour).await?.is_empty() {
        return Ok(Vec::new());
    }
    catch_up(store, span.until).await?;
    count_differences(store, &HourPages::load(store, hour.hour).await?).await
}

async fn count_differences(store: &dyn Store, hour: &HourPages) -> Result<Vec<Difference>, StoreError> {
    let (pages, hour): (Vec<&Page>, Hour) = (hour.winners().collect(), hour.hour);
    let mut found = Vec::new();
    for (series, wikis) in [(Series::All, Wikis::Together), (Series::Domains, Wikis::Apart)] {
        let query = CountQuery::hourly(series.clone(), HourRange::of(hour));
        let stored = Tally::of_counts(readable(store.counts(&query).await)?.unwrap_or_default());
        found.extend(Tally::of(pages.iter().copied(), wikis).differences(&stored, &series, None));
    }
    let period = Period { start: hour, unit: TimeUnit::Hour };
    let mut stored = BTreeMap::new();
    add_people(&mut stored, readable(store.user_counts(period).await)?);
    found.extend(people_differences(period, &people_of(pages.iter().copied()), &stored));
    Ok(found)
}
