//! Which recorded event comes next and how long after the last: the stream's skew and its bursts. Pure, seeded.

use super::template::Template;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use schema::page::Domain;

/// Shares of all events, per cent: two wikis make 80 %.
const WIKIDATA: u32 = 43;
const COMMONS: u32 = 37;
/// Of a thousand events of the other wikis so many are MediaWiki messages: under 1 % of all.
const MESSAGES: u32 = 20;
/// Of a thousand single events so many begin a bot's burst.
const BURSTS: u32 = 9;
/// While a bot is at work, so many of a hundred events are others'.
const MIXED_IN: u32 = 15;
/// Within a burst events follow one another so much faster.
const BURST_PACE: f64 = 0.03;
/// The mean wait that [`Planner::next`] gives: about 36 % of all events are of bursts.
const MEAN_WAIT: f64 = 0.66;

/// The next event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Which template.
    pub(super) template: usize,
    /// The wait before it, 1 on average.
    pub(super) wait: f64,
}

/// Chooses events without end, the same for the same seed.
#[derive(Debug)]
pub(super) struct Planner {
    rng: StdRng,
    pools: Pools,
    burst: Option<Burst>,
}

#[derive(Debug)]
struct Burst {
    template: usize,
    left: u32,
}

/// Indices of templates by the wikis that share them.
#[derive(Debug, Default)]
struct Pools {
    wikidata: Pool,
    commons: Pool,
    others: Pool,
    messages: Vec<usize>,
}

#[derive(Debug, Default)]
struct Pool {
    all: Vec<usize>,
    bots: Vec<usize>,
}

impl Planner {
    pub(super) fn new(seed: u64, templates: &[Template]) -> Self {
        let mut pools = Pools::default();
        for (index, template) in templates.iter().enumerate() {
            if template.page.namespace == 8 {
                pools.messages.push(index);
                continue;
            }
            let pool = pools.of(&template.page.domain);
            pool.all.push(index);
            if template.page.is_bot {
                pool.bots.push(index);
            }
        }
        Self { rng: StdRng::seed_from_u64(seed), pools, burst: None }
    }

    pub(super) fn next(&mut self) -> Step {
        let is_mixed_in = self.rng.random_range(0..100) < MIXED_IN;
        let wait = -(1.0 - self.rng.random::<f64>()).ln() / MEAN_WAIT;
        match &mut self.burst {
            Some(burst) if !is_mixed_in => {
                let template = burst.template;
                burst.left -= 1;
                if burst.left == 0 {
                    self.burst = None;
                }
                Step { template, wait: wait * BURST_PACE }
            }
            Some(_) => Step { template: self.single(), wait: wait * BURST_PACE },
            None => {
                if self.rng.random_range(0..1000) < BURSTS {
                    self.burst = Some(Burst { template: self.bot(), left: self.rng.random_range(10..90) });
                }
                Step { template: self.single(), wait }
            }
        }
    }

    fn single(&mut self) -> usize {
        let share = self.rng.random_range(0..100);
        let is_message = self.rng.random_range(0..1000) < MESSAGES;
        let others = if is_message { &self.pools.messages } else { &self.pools.others.all };
        let pool = by_share(share, &self.pools.wikidata.all, &self.pools.commons.all, others);
        *pool.choose(&mut self.rng).expect("events of each of these wikis are recorded")
    }

    fn bot(&mut self) -> usize {
        let share = self.rng.random_range(0..100);
        let pool = by_share(share, &self.pools.wikidata.bots, &self.pools.commons.bots, &self.pools.others.bots);
        *pool.choose(&mut self.rng).expect("bots of each of these wikis are recorded")
    }
}

impl Pools {
    fn of(&mut self, domain: &Domain) -> &mut Pool {
        match domain.as_str() {
            "www.wikidata.org" => &mut self.wikidata,
            "commons.wikimedia.org" => &mut self.commons,
            _ => &mut self.others,
        }
    }
}

fn by_share<'p>(share: u32, wikidata: &'p [usize], commons: &'p [usize], others: &'p [usize]) -> &'p [usize] {
    match share {
        0..WIKIDATA => wikidata,
        s if s < WIKIDATA + COMMONS => commons,
        _ => others,
    }
}
