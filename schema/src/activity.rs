//! Pages over time: counts put into buckets of one length and split into series. Pure.

use crate::hour::Hour;
use crate::page::Domain;
use crate::period::PeriodRange;
use crate::query::{Count, PageFilter, Series};
use crate::wiki::ProjectFamily;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// What pages are split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
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

/// What the pages of a series have in common; none where pages are not split by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeriesKey {
    /// The wiki.
    pub domain: Option<Domain>,
    /// The family of wikis.
    pub project_family: Option<ProjectFamily>,
    /// The namespace's number.
    pub namespace: Option<i32>,
    /// Bots' pages or others.
    pub is_bot: Option<bool>,
    /// Redirects or others.
    pub is_redirect: Option<bool>,
}

impl SeriesKey {
    fn of(count: &Count, by: &[Dimension]) -> Self {
        let mut key = Self::default();
        for dimension in by {
            match dimension {
                Dimension::Domain => key.domain.clone_from(&count.domain),
                Dimension::ProjectFamily => key.project_family = Some(count.project_family),
                Dimension::Namespace => key.namespace = Some(count.namespace),
                Dimension::Bot => key.is_bot = Some(count.is_bot),
                Dimension::Redirect => key.is_redirect = Some(count.is_redirect),
            }
        }
        key
    }
}

/// Pages per bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Points {
    /// Of all buckets together.
    pub page_count: u64,
    /// One number per bucket, oldest first; 0 for a bucket without pages.
    pub by_bucket: Vec<u64>,
}

/// Pages over time, split into series of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Of all series together.
    pub page_count: u64,
    /// The first hour of each bucket, oldest first.
    pub buckets: Vec<Hour>,
    /// The largest series first, ties by key; one where pages are not split, even without pages.
    pub series: Vec<(SeriesKey, Points)>,
    /// All other series added up; none where there are none.
    pub rest: Option<Points>,
}

/// How pages are put into series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Split {
    /// The buckets.
    pub buckets: PeriodRange,
    /// What to split by.
    pub by: Vec<Dimension>,
    /// Only pages that pass.
    pub filter: PageFilter,
    /// Series at most, besides the rest.
    pub limit: usize,
    /// Points of all series at most.
    pub max_points: usize,
}

impl Split {
    /// The series of which the counts tell all that this split asks.
    pub fn series(&self, whose: &Series) -> Vec<Series> {
        match whose {
            Series::All if self.by.contains(&Dimension::Domain) => Series::of_each(&self.filter),
            Series::All => Series::of_all(&self.filter),
            _ => vec![whose.clone()],
        }
    }

    /// The buckets' first hours; none where already one series would have too many points.
    pub fn starts(&self) -> Option<Vec<Hour>> {
        let starts: Vec<Hour> =
            self.buckets.periods().map(|period| period.start).take(self.max_points.saturating_add(1)).collect();
        (starts.len() <= self.max_points).then_some(starts)
    }

    /// The counts of buckets and of shorter periods, put into series; none where these have too many points.
    pub fn apply(&self, counts: &[Count]) -> Option<Activity> {
        let buckets = self.starts()?;
        let passing: Vec<(usize, &Count)> = counts
            .iter()
            .filter(|count| self.filter.matches_count(count))
            .filter_map(|count| {
                Some((buckets.binary_search(&self.buckets.unit.floor(count.period.start)).ok()?, count))
            })
            .collect();
        let keys = self.ranked(&passing);
        let (shown, others) = keys.split_at(keys.len().min(self.limit));
        let lines = shown.len() + usize::from(!others.is_empty());
        if lines.saturating_mul(buckets.len()) > self.max_points {
            return None;
        }
        let place: HashMap<&SeriesKey, usize> = shown.iter().zip(0..).collect();
        let mut points = vec![Points { page_count: 0, by_bucket: vec![0; buckets.len()] }; lines];
        for (bucket, count) in &passing {
            let line = place.get(&SeriesKey::of(count, &self.by)).copied().unwrap_or(shown.len());
            points[line].page_count += count.page_count;
            points[line].by_bucket[*bucket] += count.page_count;
        }
        let rest = points.get(shown.len()).cloned();
        let page_count = passing.iter().map(|(_, count)| count.page_count).sum();
        Some(Activity { page_count, buckets, series: shown.iter().cloned().zip(points).collect(), rest })
    }

    /// All series, the largest first, ties by key.
    fn ranked(&self, counts: &[(usize, &Count)]) -> Vec<SeriesKey> {
        let mut sums: BTreeMap<SeriesKey, u64> = BTreeMap::new();
        if self.by.is_empty() {
            sums.insert(SeriesKey::default(), 0);
        }
        for (_, count) in counts {
            *sums.entry(SeriesKey::of(count, &self.by)).or_default() += count.page_count;
        }
        let mut sums: Vec<(SeriesKey, u64)> = sums.into_iter().collect();
        sums.sort_by_key(|(_, sum)| Reverse(*sum)); // stable: ties stay by key
        sums.into_iter().map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests;
