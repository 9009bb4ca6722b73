//! The sample: recorded page creations multiplied, as bytes, with the stream's skew. Pure: the same seed and the
//! same present give the same bytes. Not the player, which is the source's.

mod plan;
mod rhythm;
mod template;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use plan::{Planner, Step};
use rhythm::Day;
use std::sync::LazyLock;
use std::time::Duration;
use template::{Copied, Template};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// What was recorded: page creations, and first revisions, which have the same fields.
pub(crate) const RECORDED: [&str; 2] =
    [include_str!("../sample/page-create.jsonl"), include_str!("../sample/first-revisions.jsonl")];

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| RECORDED.iter().flat_map(|file| file.lines()).filter_map(Template::of).collect());

/// `pages` events of the 24 hours before `now`, oldest first, each another page.
pub fn history(seed: u64, pages: usize, now: DateTime<Utc>) -> impl Iterator<Item = Bytes> + Send {
    let mut planner = Planner::new(seed, &TEMPLATES);
    let steps: Vec<Step> = (0..pages).map(|_| planner.next()).collect();
    let total: f64 = steps.iter().map(|step| step.wait).sum();
    let day = Day::before(now);
    let mut copies = Copies::new(seed, 0);
    let mut done = 0.0;
    steps.into_iter().map(move |step| {
        done += step.wait;
        copies.next(step.template, day.at(done / total))
    })
}

/// What goes on after `history(seed, pages, _)`, without end.
pub fn live(seed: u64, pages: usize) -> Live {
    let mut planner = Planner::new(seed, &TEMPLATES);
    for _ in 0..pages {
        planner.next();
    }
    Live { planner, copies: Copies::new(seed, u64::try_from(pages).unwrap_or(u64::MAX)) }
}

/// Events without end; the caller waits and says when each happens.
#[derive(Debug)]
pub struct Live {
    planner: Planner,
    copies: Copies,
}

impl Live {
    /// The wait before the next event and the event, to be called with the time when it is due.
    pub fn next_event(&mut self, events_per_second: f64) -> (Duration, impl FnOnce(DateTime<Utc>) -> Bytes + '_) {
        let step = self.planner.next();
        let wait = Duration::try_from_secs_f64(step.wait / events_per_second).unwrap_or(Duration::from_secs(60));
        (wait, move |at| self.copies.next(step.template, at))
    }
}

/// Numbers the copies.
#[derive(Debug)]
struct Copies {
    seed: u64,
    number: u64,
    /// The last second that was written, and how.
    time: (DateTime<Utc>, String),
}

impl Copies {
    fn new(seed: u64, first: u64) -> Self {
        let start = DateTime::UNIX_EPOCH;
        Self { seed, number: first, time: (start, text_of(start)) }
    }

    fn next(&mut self, template: usize, at: DateTime<Utc>) -> Bytes {
        if self.time.0 != at {
            self.time = (at, text_of(at));
        }
        let bits = xxh3_128_with_seed(&self.number.to_le_bytes(), self.seed);
        let copied = Copied { number: self.number, bits, time: &self.time.1 };
        self.number += 1;
        TEMPLATES[template].write(copied).into()
    }
}

fn text_of(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::clean;
    use chrono::TimeDelta;
    use schema::page::Page;
    use std::collections::{HashMap, HashSet};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_768_000_123, 0).unwrap()
    }

    fn pages(count: usize) -> Vec<Page> {
        history(7, count, now()).map(|raw| clean(&raw).unwrap()).collect()
    }

    fn share(pages: &[Page], is_counted: impl Fn(&Page) -> bool) -> f64 {
        pages.iter().filter(|page| is_counted(page)).count() as f64 / pages.len() as f64
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let twice = || history(7, 500, now()).collect::<Vec<_>>();
        assert_eq!(twice(), twice());
        assert_ne!(twice(), history(8, 500, now()).collect::<Vec<_>>());
    }

    #[test]
    fn the_skew_is_the_streams() {
        let pages = pages(20_000);
        let of = |domain: &str| share(&pages, |p| p.domain.as_str() == domain);
        let two = of("www.wikidata.org") + of("commons.wikimedia.org");
        assert!((0.76..0.84).contains(&two), "two wikis make {two}");
        let usual = share(&pages, |p| matches!(p.namespace, 0 | 6 | 14) || p.namespace % 2 == 1);
        assert!(usual > 0.85, "namespaces 0, 6, 14 and talk pages make {usual}");
        let messages = share(&pages, |p| p.namespace == 8);
        assert!(messages > 0.0 && messages < 0.01, "namespace 8 makes {messages}");
        let bots = share(&pages, |p| p.is_bot);
        assert!((0.35..0.75).contains(&bots), "bots make {bots}");
        assert!(pages.iter().map(|p| &p.domain).collect::<HashSet<_>>().len() > 30);
    }

    #[test]
    fn bots_come_in_bursts() {
        let mut per_second: HashMap<(DateTime<Utc>, String), u32> = HashMap::new();
        for page in pages(20_000).into_iter().filter(|p| p.is_bot) {
            *per_second.entry((page.created_at, page.user_name)).or_default() += 1;
        }
        let busy = per_second.values().filter(|count| **count >= 4).count();
        assert!(busy > 100, "only {busy} seconds with 4 or more pages of one bot");
    }

    #[test]
    fn events_fill_the_day_oldest_first() {
        let pages = pages(20_000);
        assert!(pages.is_sorted_by_key(|p| p.created_at));
        let (first, last) = (pages[0].created_at, pages[19_999].created_at);
        assert!(first >= now() - TimeDelta::days(1) && first < now() - TimeDelta::minutes(1430), "{first}");
        assert!(last <= now() && last > now() - TimeDelta::minutes(1), "{last}");
    }

    #[test]
    fn nothing_repeats_and_live_goes_on() {
        let mut live = live(7, 5_000);
        let going_on = (0..5_000).map(|_| (live.next_event(2.0).1)(now()));
        let pages: Vec<Page> = history(7, 5_000, now()).chain(going_on).map(|raw| clean(&raw).unwrap()).collect();
        let distinct = |of: fn(&Page) -> String| pages.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|p| format!("{} {}", p.domain, p.page_title)), 10_000);
        assert_eq!(distinct(|p| p.page_id.to_string()), 10_000);
        assert_eq!(distinct(|p| p.rev_id.to_string()), 10_000);
        assert_eq!(distinct(|p| p.event_id.clone().unwrap()), 10_000);
    }

    #[test]
    fn live_keeps_its_rate() {
        let mut live = live(7, 100);
        let total: Duration = (0..20_000).map(|_| live.next_event(2.0).0).sum();
        assert!((8_500..11_500).contains(&total.as_secs()), "20,000 events took {total:?}");
    }

    #[test]
    fn few_and_no_events_are_fine() {
        assert_eq!(history(1, 0, now()).count(), 0);
        assert_eq!(history(1, 1, now()).count(), 1);
    }
}
