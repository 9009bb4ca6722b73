//! A recount of pages, and what a store's counts say otherwise.

use crate::hour::Hour;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::query::{Count, CountQuery, Series, UserCount};
use crate::store::{Store, StoreError};
use crate::verify::{Difference, Span, readable};
use crate::wiki::ProjectFamily;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Pages by group; the groups have a count of 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally(BTreeMap<Count, u64>);

/// Whether wikis are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wikis {
    Apart,
    Together,
}

impl Tally {
    /// Pages by hour.
    pub(super) fn add(&mut self, page: &Page, wikis: Wikis) {
        let group = Count {
            period: Period { start: Hour::of(page.created_at), unit: TimeUnit::Hour },
            domain: (wikis == Wikis::Apart).then(|| page.domain.clone()),
            project_family: ProjectFamily::of(&page.domain),
            namespace: page.namespace,
            is_bot: page.is_bot,
            is_redirect: page.is_redirect,
            page_count: 0,
        };
        *self.0.entry(group).or_default() += 1;
    }

    pub(super) fn of<'a>(pages: impl IntoIterator<Item = &'a Page>, wikis: Wikis) -> Self {
        let mut tally = Self::default();
        pages.into_iter().for_each(|page| tally.add(page, wikis));
        tally
    }

    /// What a store answered.
    pub(super) fn of_counts(counts: Vec<Count>) -> Self {
        let mut tally = Self::default();
        for count in counts {
            *tally.0.entry(Count { page_count: 0, ..count.clone() }).or_default() += count.page_count;
        }
        tally
    }

    /// The same by longer periods.
    pub(super) fn by(&self, unit: TimeUnit) -> Self {
        let mut tally = Self::default();
        for (group, count) in &self.0 {
            let group = Count { period: Period::of(unit, group.period.start), ..group.clone() };
            *tally.0.entry(group).or_default() += count;
        }
        tally
    }

    /// The longest period of a group.
    pub(super) fn longest(&self) -> Option<TimeUnit> {
        self.0.keys().map(|group| group.period.unit).max()
    }

    /// What `stored` says otherwise of periods that are over, `until` when this matters.
    pub(super) fn differences(&self, stored: &Self, series: &Series, until: Option<DateTime<Utc>>) -> Vec<Difference> {
        let is_over = |group: &&Count| until.is_none_or(|until| group.period.is_over(until));
        let mut groups: Vec<&Count> = self.0.keys().chain(stored.0.keys()).filter(is_over).collect();
        groups.sort_unstable();
        groups.dedup();
        let count_in = |tally: &Self, group: &Count| tally.0.get(group).copied().unwrap_or(0);
        let differing = groups.into_iter().filter(|group| count_in(self, group) != count_in(stored, group));
        let difference = |group: &Count| {
            let count = Count { page_count: count_in(stored, group), ..group.clone() };
            Difference::Count { series: series.clone(), count: count.into(), wanted: count_in(self, group) }
        };
        differing.map(difference).collect()
    }

    fn since(mut self, from: Hour) -> Self {
        self.0.retain(|group, _| group.period.start >= from);
        self
    }

    fn of_unit(&self, unit: TimeUnit) -> Self {
        Self(self.0.iter().filter(|(group, _)| group.period.unit == unit).map(|(g, n)| (g.clone(), *n)).collect())
    }
}

/// What the store's counts of a series over all hours that may be compared say otherwise than its pages by hour, for each length of period
/// that the store keeps.
pub(super) async fn series_differences(
    store: &dyn Store,
    series: &Series,
    pages: &Tally,
    span: Span,
) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    let mut below = None;
    for unit in TimeUnit::LONGEST_FIRST {
        // An answer in shorter periods than asked for has shown all of the store's up to the length asked for.
        if below.is_some_and(|longest| unit >= longest) {
            continue;
        }
        let query = CountQuery { unit, ..CountQuery::total(series.clone(), span.hours()) };
        let stored = Tally::of_counts(readable(store.counts(&query).await)?.unwrap_or_default());
        let longest = stored.longest().unwrap_or(unit);
        below = Some(longest);
        // A period that begins before these hours is answered by its parts.
        let wanted = pages.by(longest).since(span.from);
        found.extend(wanted.differences(&stored.of_unit(longest), series, span.until.map(|until| until.end)));
        if longest == TimeUnit::Hour {
            break;
        }
    }
    Ok(found)
}

/// The people of a period, recounted.
pub(super) fn people_of<'a>(pages: impl IntoIterator<Item = &'a Page>) -> BTreeMap<UserCount, u64> {
    let mut people = BTreeMap::new();
    for page in pages {
        let person = UserCount {
            user_name: page.user_name.clone(),
            domain: page.domain.clone(),
            user_id: page.user_id,
            namespace: page.namespace,
            is_bot: page.is_bot,
            is_redirect: page.is_redirect,
            page_count: 0,
        };
        *people.entry(person).or_default() += 1;
    }
    people
}

/// Adds what a store answered.
pub(super) fn add_people(people: &mut BTreeMap<UserCount, u64>, counts: Vec<UserCount>) {
    for count in counts {
        *people.entry(UserCount { page_count: 0, ..count.clone() }).or_default() += count.page_count;
    }
}

/// What `stored` says otherwise than `wanted`.
pub(super) fn people_differences(
    period: Period,
    wanted: &BTreeMap<UserCount, u64>,
    stored: &BTreeMap<UserCount, u64>,
) -> Vec<Difference> {
    let mut people: Vec<&UserCount> = wanted.keys().chain(stored.keys()).collect();
    people.sort_unstable();
    people.dedup();
    let count_in = |all: &BTreeMap<UserCount, u64>, person: &UserCount| all.get(person).copied().unwrap_or(0);
    let differing = people.into_iter().filter(|person| count_in(wanted, person) != count_in(stored, person));
    let difference = |person: &UserCount| {
        let count = UserCount { page_count: count_in(stored, person), ..person.clone() };
        Difference::UserCount { period, count: count.into(), wanted: count_in(wanted, person) }
    };
    differing.map(difference).collect()
}
