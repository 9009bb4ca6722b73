//! Wikis by how many pages they got: a range beside the range of the same length before it. Pure over rollups.

use super::domain::Domain;
use super::scalars;
use async_graphql::{Enum, SimpleObject};
use schema::hour::HourRange;
use schema::query::{Count, PageFilter};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// INCREASE: pages more than before. GROWTH: times as many; use it with minPageCount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum RankOrder {
    /// Most pages first.
    PageCount,
    /// Most pages more than before first.
    Increase,
    /// Most times as many as before first; what was not there before above all.
    Growth,
}

/// A wiki's place among the wikis. `growth` = pageCount / previousPageCount; null where that was 0, and then ranked
/// above all in GROWTH order.
#[derive(Clone, SimpleObject)]
pub(crate) struct DomainRank {
    /// 1 for the first.
    pub(crate) rank: i32,
    /// The wiki.
    pub(crate) domain: Domain,
    /// Pages in the range.
    pub(crate) page_count: i32,
    /// How many of them were made as a bot.
    pub(crate) bot_page_count: i32,
    /// Pages in the range of the same length before it.
    pub(crate) previous_page_count: i32,
    /// pageCount / previousPageCount; null where that was 0.
    pub(crate) growth: Option<f64>,
}

/// A wiki's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The wiki.
    pub(crate) domain: schema::page::Domain,
    /// Pages in the range.
    pub(crate) pages: u64,
    /// How many of them were made as a bot.
    pub(crate) bot_pages: u64,
    /// Pages in the range before.
    pub(crate) previous: u64,
}

/// The first `limit` wikis of `range` in `order`; ties by name. `counts` hold both ranges.
pub(crate) fn rank(
    counts: &[Count],
    range: HourRange,
    filter: &PageFilter,
    order: RankOrder,
    min_pages: u64,
) -> Vec<Numbers> {
    let mut by_domain: BTreeMap<&schema::page::Domain, Numbers> = BTreeMap::new();
    for count in counts.iter().filter(|count| filter.matches_count(count)) {
        let Some(domain) = &count.domain else { continue };
        let numbers = by_domain.entry(domain).or_insert_with(|| Numbers {
            domain: domain.clone(),
            pages: 0,
            bot_pages: 0,
            previous: 0,
        });
        if range.contains(count.period.start) {
            numbers.pages += count.page_count;
            numbers.bot_pages += if count.is_bot { count.page_count } else { 0 };
        } else {
            numbers.previous += count.page_count;
        }
    }
    let mut ranked: Vec<Numbers> = by_domain.into_values().filter(|n| n.pages >= min_pages).collect();
    ranked.sort_by(|a, b| compare(a, b, order).then_with(|| a.domain.cmp(&b.domain)));
    ranked
}

fn compare(a: &Numbers, b: &Numbers, order: RankOrder) -> Ordering {
    let by_count = b.pages.cmp(&a.pages);
    let wide = i128::from;
    match order {
        RankOrder::PageCount => by_count,
        RankOrder::Increase => {
            (wide(b.pages) - wide(b.previous)).cmp(&(wide(a.pages) - wide(a.previous))).then(by_count)
        }
        // a.pages / a.previous against b.pages / b.previous without division; x / 0 is above all.
        RankOrder::Growth => match (a.previous, b.previous) {
            (0, 0) => by_count,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => (wide(b.pages) * wide(a.previous)).cmp(&(wide(a.pages) * wide(b.previous))).then(by_count),
        },
    }
}

impl Numbers {
    /// As a row of the ranking.
    #[expect(clippy::cast_precision_loss, reason = "a quotient for people; counts stay far below 2^52")]
    pub(crate) fn at(&self, index: usize, domain: Domain) -> DomainRank {
        DomainRank {
            rank: scalars::count(index as u64 + 1),
            domain,
            page_count: scalars::count(self.pages),
            bot_page_count: scalars::count(self.bot_pages),
            previous_page_count: scalars::count(self.previous),
            growth: (self.previous > 0).then(|| self.pages as f64 / self.previous as f64),
        }
    }
}
