//! Wikis and people by how many pages they created: a range beside the range of the same length before it.

use super::bounds::before;
use super::domain::{Domain, load_domains};
use super::errors::{ApiError, bad_input};
use super::global_user::GlobalUser;
use super::loaders;
use super::scalars::{self, ranking_size};
use async_graphql::{Context, Enum, SimpleObject};
use schema::hour::HourRange;
use schema::query::{Count, PageFilter, Series};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;

/// INCREASE: pages more than before. GROWTH: times as many; use it with minPageCount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
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
    /// How many times previousPageCount pageCount is; null where that was 0.
    pub(crate) growth: Option<f64>,
}

/// A person's place among the people. `growth` = pageCount / previousPageCount; null where that was 0, and then ranked
/// above all in GROWTH order.
#[derive(Clone, SimpleObject)]
pub(crate) struct UserRank {
    /// 1 for the first.
    pub(crate) rank: i32,
    /// The person.
    pub(crate) user: GlobalUser,
    /// Pages in the range.
    pub(crate) page_count: i32,
    /// How many of them were made as a bot.
    pub(crate) bot_page_count: i32,
    /// Pages in the range of the same length before it.
    pub(crate) previous_page_count: i32,
    /// How many times previousPageCount pageCount is; null where that was 0.
    pub(crate) growth: Option<f64>,
}

/// What is asked of a ranking.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RankQuery {
    /// The range.
    hours: HourRange,
    /// Which pages.
    filter: PageFilter,
    order: RankOrder,
    min_pages: u64,
    limit: usize,
}

impl RankQuery {
    /// The busiest of a range, at most `limit`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a `limit` out of bounds.
    pub(crate) fn busiest(hours: HourRange, filter: PageFilter, limit: i32) -> Result<Self, ApiError> {
        let limit = ranking_size(limit)?;
        Ok(Self { hours, filter, order: RankOrder::PageCount, min_pages: 1, limit })
    }

    /// The same in another order, without those that have fewer pages than `min_page_count`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a number below 1.
    pub(crate) fn ordered(self, order: RankOrder, min_page_count: i32) -> Result<Self, ApiError> {
        let min_pages = u64::try_from(min_page_count).ok().filter(|min| *min > 0);
        let min_pages =
            min_pages.ok_or_else(|| bad_input(format!("minPageCount must be 1 or more, not {min_page_count}")))?;
        Ok(Self { order, min_pages, ..self })
    }

    /// The first wikis; ties by name.
    pub(crate) async fn domains(&self, ctx: &Context<'_>) -> Result<Vec<DomainRank>, ApiError> {
        let read = async |hours| loaders(ctx).totals(Series::of_each(&self.filter), hours).await;
        let (current, previous) = futures::try_join!(read(self.hours), read(before(self.hours)))?;
        let passing = |count: &&Count| self.filter.matches_count(count);
        let mut tally = Tally::default();
        for count in current.iter().filter(passing) {
            if let Some(domain) = &count.domain {
                tally.numbers(domain).add(count.page_count, count.is_bot);
            }
        }
        for count in previous.iter().filter(passing) {
            count.domain.iter().for_each(|domain| tally.add_previous(&domain, count.page_count));
        }
        let ranked = tally.top(self);
        let wikis = load_domains(ctx, ranked.iter().map(|(name, _)| (*name).clone()).collect()).await?;
        let place =
            |(i, (name, numbers)): (usize, &(_, Numbers))| Some(numbers.of_domain(i, wikis.get(*name)?.clone()));
        Ok(ranked.iter().enumerate().filter_map(place).collect())
    }

    /// The first people, all their accounts together; ties by name.
    pub(crate) async fn people(&self, ctx: &Context<'_>) -> Result<Vec<UserRank>, ApiError> {
        let mut people = loaders(ctx).people().await?;
        if let Some(ranked) = people.ranked(self) {
            return Ok(ranked);
        }
        let tally = people
            .fold(self.hours, Tally::<String>::default(), |tally, rows| {
                for row in rows.into_iter().filter(|row| self.filter.matches_user_count(row)) {
                    tally.numbers(row.user_name).add(row.page_count, row.is_bot);
                }
            })
            .await?;
        let tally = people
            .fold(before(self.hours), tally, |tally, rows| {
                for row in rows.iter().filter(|row| self.filter.matches_user_count(row)) {
                    tally.add_previous(row.user_name.as_str(), row.page_count);
                }
            })
            .await?;
        let place = |(i, (user_name, numbers)): (usize, (_, Numbers))| numbers.of_user(i, GlobalUser { user_name });
        let ranked: Vec<UserRank> = tally.top(self).into_iter().enumerate().map(place).collect();
        people.keep_ranked(self.clone(), ranked.clone());
        Ok(ranked)
    }
}

/// The numbers of a wiki or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Numbers {
    /// Pages in the range.
    pages: u64,
    /// How many of them were made as a bot.
    bot_pages: u64,
    /// Pages in the range before.
    previous: u64,
}

/// Adds up pages of wikis or of people: first those of the range, then those of the range before, which only matter for
/// what has pages in the range.
struct Tally<K>(HashMap<K, Numbers>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Ord> Tally<K> {
    fn numbers(&mut self, key: K) -> &mut Numbers {
        self.0.entry(key).or_default()
    }

    fn add_previous<Q>(&mut self, key: &Q, page_count: u64)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(numbers) = self.0.get_mut(key) {
            numbers.previous += page_count;
        }
    }

    /// The first ones as asked; ties by key.
    fn top(self, query: &RankQuery) -> Vec<(K, Numbers)> {
        let mut ranked: Vec<_> = self.0.into_iter().filter(|(_, numbers)| numbers.pages >= query.min_pages).collect();
        ranked.sort_unstable_by(|(a, x), (b, y)| compare(x, y, query.order).then_with(|| a.cmp(b)));
        ranked.truncate(query.limit);
        ranked
    }
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
    fn add(&mut self, page_count: u64, is_bot: bool) {
        self.pages += page_count;
        self.bot_pages += if is_bot { page_count } else { 0 };
    }

    #[expect(clippy::cast_precision_loss, reason = "a quotient for people; counts stay far below 2^52")]
    fn growth(&self) -> Option<f64> {
        (self.previous > 0).then(|| self.pages as f64 / self.previous as f64)
    }

    fn of_domain(&self, index: usize, domain: Domain) -> DomainRank {
        DomainRank {
            rank: scalars::count(index as u64 + 1),
            domain,
            page_count: scalars::count(self.pages),
            bot_page_count: scalars::count(self.bot_pages),
            previous_page_count: scalars::count(self.previous),
            growth: self.growth(),
        }
    }

    fn of_user(&self, index: usize, user: GlobalUser) -> UserRank {
        UserRank {
            rank: scalars::count(index as u64 + 1),
            user,
            page_count: scalars::count(self.pages),
            bot_page_count: scalars::count(self.bot_pages),
            previous_page_count: scalars::count(self.previous),
            growth: self.growth(),
        }
    }
}
