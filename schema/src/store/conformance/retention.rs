//! Retention, by a clock that moves: [`retention_conformance!`](crate::retention_conformance) makes a test of each case, on
//! a store of its own.

use crate::hour::{Hour, HourRange};
use crate::lists;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::query::{CountQuery, ListOrder, PageFilter, PageQuery, Series};
use crate::reference::{Reference, lists_of, read_list};
use crate::retention::Keep;
use crate::store::conformance::{Realm, series_of, sums};
use crate::store::{Repair, Store};
use crate::verify::tests::check_clean_at;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::Arc;

type Pass = Box<dyn Fn(Vec<Page>, DateTime<Utc>) -> BoxFuture<'static, ()>>;

/// A store that no other case has.
pub(crate) struct Aging {
    pub(crate) store: Arc<dyn Store>,
    /// Has those of these pages go whose time is over by then: a test has no node whose clock it could move.
    pub(crate) pass: Pass,
    /// What lives as long as the test.
    pub(crate) _keep: Box<dyn std::any::Any>,
}

/// Makes one test of each case, on the store that `$open` gives: an `async fn(&str) -> Option<Aging>`. None skips it.
#[macro_export]
macro_rules! retention_conformance {
    ($open:path) => {
        $crate::retention_conformance! { $open;
            pages_go_and_counts_stay, lists_end_where_pages_end, a_late_page_is_refused, a_replay_changes_nothing,
            a_longer_retention_thaws_nothing, a_repair_leaves_what_is_frozen, all_is_kept_without_a_setting
        }
    };
    ($open:path; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(aging) = $open(stringify!($case)).await {
                    $crate::store::conformance::retention::$case(aging).await;
                }
            }
        )+
    };
}

const DAYS: u32 = 40;

/// Pages of two times, 25 days apart, in one month and in one day before and behind what is frozen later.
struct Story {
    old: Vec<Page>,
    new: Vec<Page>,
}

impl Story {
    fn of(case: &str) -> Self {
        let realm = Realm::of(case);
        let month = Hour::of("2025-05-02T10:00:00Z".parse().expect("a time"));
        let by = TimeDelta::hours(month.count() - realm.hour(0).count());
        let at = |page: &Page, more: TimeDelta| {
            let created_at = page.created_at + by + more;
            Page { created_at, version: created_at.timestamp_micros() + page.version % 1_000, ..page.clone() }
        };
        let pages = realm.varied_pages(360);
        let old: Vec<Page> = pages[..240].iter().map(|page| at(page, TimeDelta::zero())).collect();
        let mut new: Vec<Page> = pages[240..].iter().map(|page| at(page, TimeDelta::days(25))).collect();
        // A page made again, by an account that has no other page left, and one of a wiki that has none.
        new.push(Page { user_id: realm.user_id(3), ..at(&pages[5], TimeDelta::days(26)) });
        let mut old = old;
        old.push(Page {
            domain: realm.domain(9),
            user_id: realm.user_id(9),
            ..at(&realm.page(9_000), TimeDelta::zero())
        });
        Self { old, new }
    }

    fn all(&self) -> Vec<Page> {
        [self.old.clone(), self.new.clone()].concat()
    }

    /// When the old ones are written, when the new ones, and when the old ones are gone.
    fn times() -> [DateTime<Utc>; 3] {
        ["2025-05-03T00:00:00Z", "2025-05-29T00:00:00Z", "2025-06-12T01:00:00Z"]
            .map(|time| time.parse().expect("a time"))
    }
}

async fn write(store: &dyn Store, pages: &[Page], now: DateTime<Utc>) -> Hour {
    let mut frozen = Hour::MIN;
    for batch in pages.chunks(100) {
        frozen = store.write_pages(batch, now).await.expect("the store takes a batch");
    }
    seal(store, now).await;
    frozen
}

async fn seal(store: &dyn Store, now: DateTime<Utc>) {
    for _ in 0..1_000 {
        let pass = store.seal_counts(now).await.expect("the store seals");
        if pass.left == 0 {
            return;
        }
    }
    panic!("counts are left");
}

impl Aging {
    /// The story up to where its old pages are gone.
    async fn tell(&self, story: &Story) {
        let [first, second, gone] = Story::times();
        self.store.set_keep(Keep::Days(DAYS), first).await.expect("the store takes the setting");
        assert!(write(&*self.store, &story.old, first).await <= Hour::of(story.old[0].created_at));
        write(&*self.store, &story.new, second).await;
        check(&*self.store, &story.all(), &story.all()).await;
        check_clean_at(&*self.store, second).await;
        self.age(&story.old, gone).await;
    }

    async fn age(&self, pages: &[Page], now: DateTime<Utc>) {
        seal(&*self.store, now).await;
        self.store.remove_expired(now).await.expect("the store removes pages");
        (self.pass)(pages.to_vec(), now).await;
    }
}

/// Lists and lookups are those of `kept`, counts and wikis those of `all`.
async fn check(store: &dyn Store, all: &[Page], kept: &[Page]) {
    check_lists(store, all, &Reference::of(kept)).await;
    check_counts(store, all).await;
    let domains = store.domains().await.expect("the store answers");
    assert_eq!(domains, Reference::of(all).domains(), "wikis");
}

async fn check_lists(store: &dyn Store, all: &[Page], kept: &Reference) {
    let lists: std::collections::HashSet<_> = all.iter().flat_map(lists_of).collect();
    for list in lists {
        for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
            let query = PageQuery { order, ..PageQuery::newest(list.clone(), 100) };
            let wanted = kept.list_pages(&PageQuery { limit: 10_000, ..query.clone() });
            assert_eq!(read_list(store, query).await.expect("the store answers"), wanted, "{list:?} {order:?}");
        }
    }
    for page in all {
        let key = [(page.domain.clone(), page.page_id)];
        let found = store.load_pages(&key).await.expect("the store answers");
        assert_eq!(found, [kept.load_page(&page.domain, page.page_id)]);
        let found = store.load_users(&[(page.domain.clone(), page.user_id)]).await.expect("the store answers");
        assert_eq!(found, [kept.load_user(&page.domain, page.user_id)]);
        assert_eq!(store.users_by_id(page.user_id).await.expect("the store answers"), kept.users_by_id(page.user_id));
        let found = store.pages_by_title(&page.domain, &page.page_title, 9).await.expect("the store answers");
        assert_eq!(found, kept.pages_by_title(&page.domain, &page.page_title, 9));
        let found = store.users_by_name(&page.user_name).await.expect("the store answers");
        assert_eq!(found, kept.users_by_name(&page.user_name));
    }
}

/// The series of these pages' wikis, accounts and people, and the hours and days in which they lie.
pub(crate) fn counted_of(pages: &[Page]) -> (BTreeSet<Series>, BTreeSet<Period>) {
    let (mut series, mut periods) = (BTreeSet::new(), BTreeSet::new());
    for page in pages {
        series.extend(series_of(page));
        periods.extend([TimeUnit::Hour, TimeUnit::Day].map(|unit| Period::of(unit, Hour::of(page.created_at))));
    }
    (series, periods)
}

async fn check_counts(store: &dyn Store, all: &[Page]) {
    let reference = Reference::of(all);
    let (series, periods) = counted_of(all);
    for series in [Series::All, Series::Domains].iter().chain(&series) {
        for unit in [TimeUnit::Year, TimeUnit::Month, TimeUnit::Hour] {
            let query = CountQuery { unit, ..CountQuery::total(series.clone(), HourRange::ALL) };
            let mut counts = store.counts(&query).await.expect("the store answers").expect("no bound was asked");
            counts.retain(|count| count.page_count > 0);
            assert_eq!(sums(counts, unit), reference.counts(series, HourRange::ALL, unit), "{query:?}");
        }
    }
    for period in periods {
        let people = store.user_counts(period).await.expect("the store answers");
        assert_eq!(people, reference.user_counts(period.hours()), "people of {period:?}");
    }
}

/// What was kept long enough is gone from all lists; counts and wikis tell of it; and nothing differs.
pub(crate) async fn pages_go_and_counts_stay(aging: Aging) {
    let story = Story::of("pages_go");
    aging.tell(&story).await;
    check(&*aging.store, &story.all(), &story.new).await;
    let [.., gone] = Story::times();
    let found = check_clean_at(&*aging.store, gone).await;
    assert_eq!((found.pages, found.frozen), (story.new.len() as u64, "2025-05-04-01".parse().expect("an hour")));
    // All of them.
    let later = gone + TimeDelta::days(30);
    aging.age(&story.new, later).await;
    check(&*aging.store, &story.all(), &[]).await;
    assert_eq!(check_clean_at(&*aging.store, later).await.pages, 0);
}

/// Filters that skip hours by counts come to an end where counts are left and pages are not, from either side.
pub(crate) async fn lists_end_where_pages_end(aging: Aging) {
    let (realm, mut story) = (Realm::of("lists_end"), Story::of("lists_end"));
    // More than are read before counts are asked, and what passes is rare.
    let begin = story.new[0].created_at;
    story.new.extend((0..700).map(|n| {
        let created_at = begin + TimeDelta::seconds(n);
        let page = realm.page(20_000 + u32::try_from(n).expect("a few"));
        Page { created_at, version: created_at.timestamp_micros(), namespace: 100 + i32::from(n == 350), ..page }
    }));
    story.old[0].namespace = 101;
    aging.tell(&story).await;
    let kept = Reference::of(&story.new);
    for namespace in [101, 100, 14] {
        for list in lists_of(&story.old[0]).into_iter().chain(lists_of(&story.new[120])) {
            for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
                let filter = PageFilter { namespaces: vec![namespace], ..PageFilter::default() };
                let query = PageQuery { order, filter, ..PageQuery::newest(list.clone(), 60) };
                let wanted = kept.list_pages(&PageQuery { limit: 10_000, ..query.clone() });
                assert_eq!(read_filtered(&*aging.store, query).await, wanted, "{list:?} {namespace} {order:?}");
            }
        }
    }
}

async fn read_filtered(store: &dyn Store, mut query: PageQuery) -> Vec<Page> {
    let mut pages = Vec::new();
    for _ in 0..100 {
        let slice = lists::list_pages(store, &query).await.expect("the store answers");
        pages.extend(slice.pages);
        match slice.next {
            None => return pages,
            next => query.after = next,
        }
    }
    panic!("the list has no end");
}

/// A page of a frozen hour is not written, those beside it are; also while the hour's pages are still there.
pub(crate) async fn a_late_page_is_refused(aging: Aging) {
    let (realm, story) = (Realm::of("late"), Story::of("late"));
    let [first, second, gone] = Story::times();
    aging.store.set_keep(Keep::Days(DAYS), first).await.expect("the store takes the setting");
    write(&*aging.store, &story.old, first).await;
    let late = |n: u32, page: &Page| Page { page_id: realm.page_id(u64::from(50_000 + n)), ..page.clone() };
    let (mut all, in_time) = (story.all(), late(0, &story.new[0]));
    write(&*aging.store, &[story.new.as_slice(), std::slice::from_ref(&in_time)].concat(), second).await;
    all.push(in_time);
    let mut kept = all.clone();
    for (n, now) in [(1, "2025-06-11T00:00:00Z".parse().expect("a time")), (2, gone)] {
        let beside = late(10 + n, &story.new[1]);
        let frozen = write(&*aging.store, &[late(n, &story.old[0]), beside.clone()], now).await;
        assert!(Hour::of(story.old[0].created_at) < frozen && frozen <= Hour::of(beside.created_at), "{frozen}");
        all.push(beside.clone());
        kept.push(beside);
        check_clean_at(&*aging.store, now).await;
        if now == gone {
            aging.age(&story.old, gone).await;
            kept.retain(|page| page.created_at > first);
        }
        check(&*aging.store, &all, &kept).await;
    }
}

/// Everything written again, in another order, when a part of it is gone, and that part by later events with the same
/// keys: neither pages nor counts change.
pub(crate) async fn a_replay_changes_nothing(aging: Aging) {
    let story = Story::of("replay");
    let [.., gone] = Story::times();
    aging.tell(&story).await;
    let mut all = story.all();
    all.reverse();
    let later = |page: &Page| Page { version: page.version + 1, page_title: "Later".into(), ..page.clone() };
    for events in [all.clone(), story.old.iter().map(later).collect(), all] {
        write(&*aging.store, &events, gone).await;
        check(&*aging.store, &story.all(), &story.new).await;
        check_clean_at(&*aging.store, gone).await;
    }
}

/// A longer retention, or none: what was frozen stays so, and what is kept since stays.
pub(crate) async fn a_longer_retention_thaws_nothing(aging: Aging) {
    let story = Story::of("longer");
    let [.., gone] = Story::times();
    aging.tell(&story).await;
    for keep in [Keep::Days(90), Keep::All] {
        aging.store.set_keep(keep, gone).await.expect("the store takes the setting");
        let frozen = write(&*aging.store, &story.all(), gone).await;
        assert_eq!(frozen, "2025-05-04-01".parse().expect("an hour"));
        check(&*aging.store, &story.all(), &story.new).await;
        check_clean_at(&*aging.store, gone).await;
    }
    // Written when all is kept, and later than what could have been written before.
    let later: Vec<Page> = story
        .new
        .iter()
        .map(|page| {
            let created_at = page.created_at + TimeDelta::days(60);
            Page { created_at, version: created_at.timestamp_micros(), ..page.clone() }
        })
        .collect();
    let long_after = gone + TimeDelta::days(1_000);
    write(&*aging.store, &later, gone + TimeDelta::days(60)).await;
    aging.age(&[story.all(), later.clone()].concat(), long_after).await;
    for page in &later {
        let key = [(page.domain.clone(), page.page_id)];
        assert_eq!(aging.store.load_pages(&key).await.expect("the store answers"), [Some(page.clone())]);
    }
    check_counts(&*aging.store, &[story.all(), later].concat()).await;
    check_clean_at(&*aging.store, long_after).await;
}

/// Counts taken anew from the pages keep those of frozen hours, of which there are none.
pub(crate) async fn a_repair_leaves_what_is_frozen(aging: Aging) {
    let story = Story::of("repair");
    let [.., gone] = Story::times();
    aging.tell(&story).await;
    let hours: BTreeSet<Hour> = story.new.iter().map(|page| Hour::of(page.created_at)).collect();
    let frozen = "2025-05-04-01".parse().expect("an hour");
    let hours: Vec<Hour> = hours.into_iter().chain([frozen]).collect();
    aging.store.repair(Repair::Counts(hours), gone).await.expect("the store repairs");
    seal(&*aging.store, gone).await;
    check(&*aging.store, &story.all(), &story.new).await;
    check_clean_at(&*aging.store, gone).await;
}

/// Without a setting nothing is frozen and nothing goes.
pub(crate) async fn all_is_kept_without_a_setting(aging: Aging) {
    let story = Story::of("all_is_kept");
    let long_after = "2040-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(write(&*aging.store, &story.all(), long_after).await, Hour::MIN);
    aging.age(&[], long_after).await;
    check(&*aging.store, &story.all(), &story.all()).await;
    assert_eq!(check_clean_at(&*aging.store, long_after).await.frozen, Hour::MIN);
}
