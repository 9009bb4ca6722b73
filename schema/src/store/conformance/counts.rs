//! Counts: the rollups against a recount.

use crate::counts::{PeopleTurn, count_pages, fold_user_counts, hourly_counts};
use crate::hour::HourRange;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::query::{Count, CountQuery, PageFilter, PageList, Series, UserCount};
use crate::reference::{Reference, lists_of};
use crate::store::conformance::writes::newer_versions;
use crate::store::conformance::{Realm, check_all_reads, write};
use crate::store::{Call, Store};
use crate::wiki::ProjectFamily;
use std::collections::BTreeMap;

/// Counts per hour, per wiki and through filters equal a recount of the pages.
pub async fn counts_equal_a_recount(store: &dyn Store) {
    let realm = Realm::of("counts_equal_a_recount");
    let pages = realm.varied_pages(900);
    write(store, &pages).await;
    write(store, &pages[300..600]).await;
    check_counts(store, &realm, &pages).await;
}

/// A larger version moves its page from one group to the other; one that comes too late moves nothing.
pub async fn counts_follow_a_larger_version(store: &dyn Store) {
    let realm = Realm::of("counts_follow_a_larger_version");
    let pages = realm.varied_pages(90);
    let newer = newer_versions(&pages[..45]);
    write(store, &pages).await;
    write(store, &newer).await;
    write(store, &pages[..20]).await;
    let all: Vec<Page> = [pages, newer].concat();
    check_counts(store, &realm, &all).await;
    let bots = PageFilter { is_bot: Some(true), namespaces: vec![100], ..PageFilter::default() };
    assert!(Reference::of(&all).count_pages(&PageList::All, realm.hours(), &bots) > 0, "the case counts something");
    check_all_reads(store, &all).await;
}

/// Pages in every year, month, day and hour around the borders of periods: totals over ranges that begin and end
/// anywhere equal a recount, and so do the counts by each length of period.
pub async fn counts_of_long_ranges(store: &dyn Store) {
    let realm = Realm::of("counts_of_long_ranges");
    let (first, pages) = (Realm::first_of_long_ranges(), realm.pages_of_years());
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    for (from, to) in [(0, 731), (1, 730), (27, 367), (29, 31), (58, 365), (90, 91), (365, 365)] {
        let hours = HourRange { from: first.plus(from * 24 + 1), to: first.plus(to * 24 + 23) };
        for filter in filters(&realm) {
            for list in lists_of(&pages[0]).into_iter().skip(1) {
                check_count(store, &reference, &list, hours, &filter).await;
            }
        }
        for unit in TimeUnit::LONGEST_FIRST {
            check_series(store, &reference, &pages[0], hours, unit).await;
        }
    }
    let ends = HourRange { from: first, to: first.plus(8784) };
    let fewest = store.counts(&CountQuery::total(Series::Domain(realm.domain(0)), ends)).await;
    let fewest = fewest.expect("the store answers").expect("no bound was asked");
    assert!(fewest.iter().any(|count| count.period.unit >= TimeUnit::Month), "long periods are used: {fewest:?}");
}

/// The series of a page's wiki, account and person.
pub(crate) fn series_of(page: &Page) -> [Series; 3] {
    let (domain, user_name) = (page.domain.clone(), page.user_name.clone());
    [Series::Domain(domain.clone()), Series::User(domain, page.user_id), Series::UserName(user_name)]
}

async fn check_series(store: &dyn Store, reference: &Reference, page: &Page, hours: HourRange, unit: TimeUnit) {
    for series in series_of(page) {
        let query = CountQuery { unit, ..CountQuery::total(series.clone(), hours) };
        let counts = store.counts(&query).await.expect("the store answers").expect("no bound was asked");
        assert!(counts.iter().all(|count| count.period.unit <= unit && count.page_count > 0), "{counts:?}");
        assert_eq!(sums(counts, unit), reference.counts(&series, hours, unit), "{query:?}");
    }
}

/// Counts put together by periods of this length, sorted.
pub(crate) fn sums(counts: Vec<Count>, unit: TimeUnit) -> Vec<Count> {
    let mut sums: BTreeMap<Count, u64> = BTreeMap::new();
    for count in counts {
        let period = Period::of(unit, count.period.start);
        *sums.entry(Count { period, page_count: 0, ..count.clone() }).or_default() += count.page_count;
    }
    sums.into_iter().map(|(group, page_count)| Count { page_count, ..group }).collect()
}

/// A query that allows exactly the counts there are gets them; one that allows fewer gets none.
pub async fn a_bound_on_counts(store: &dyn Store) {
    let realm = Realm::of("a_bound_on_counts");
    write(store, &realm.varied_pages(300)).await;
    for series in [Series::Domains, Series::Domain(realm.domain(1)), Series::UserName(realm.user_name(1))] {
        let query = CountQuery::hourly(series, realm.hours());
        let all = store.counts(&query).await.expect("the store answers").expect("no bound was asked");
        assert!(all.len() > 5, "{}", all.len());
        let bounded = |max_rows| CountQuery { max_rows, ..query.clone() };
        // A person's count on a wiki is made up of the rows of two accounts.
        let rows = if matches!(query.series, Series::UserName(_)) { 2 * all.len() } else { all.len() };
        assert_eq!(store.counts(&bounded(rows)).await.expect("the store answers"), Some(all.clone()));
        assert_eq!(store.counts(&bounded(all.len() - 1)).await.expect("the store answers"), None);
    }
}

/// Counts that lie apart, over years: together no more rows are read than are asked for, and one that tells of more.
pub async fn a_bound_on_counts_of_years(store: &dyn Store) {
    let realm = Realm::of("a_bound_on_counts_of_years");
    let pages = realm.pages_of_years();
    write(store, &pages).await;
    let first = Realm::first_of_long_ranges();
    let hours = HourRange { from: first, to: first.plus(800 * 24) };
    let rows_of = async |series: &Series, max_rows: usize| {
        let before = rows_read(store);
        let counts = store.counts(&CountQuery { max_rows, ..CountQuery::hourly(series.clone(), hours) }).await;
        (counts.expect("the store answers"), rows_read(store) - before)
    };
    for series in [Series::Domains, Series::Domain(realm.domain(0)), Series::UserName(realm.user_name(0))] {
        let (all, _) = rows_of(&series, usize::MAX).await;
        assert!(all.is_some_and(|all| all.len() > 20), "{series:?}");
        let (counts, rows) = rows_of(&series, 10).await;
        assert_eq!(counts, None, "{series:?}");
        // Heads are read beside them: as of a wiki that nobody has, of which there may be more by then.
        let (_, heads) = rows_of(&Series::Domain(realm.domain(99)), 10).await;
        assert!(rows <= heads + 11, "{rows} rows read, {heads} of them heads: {series:?}");
    }
}

fn rows_read(store: &dyn Store) -> u64 {
    store.rows_read().iter().filter(|reads| reads.call == Call::Counts).map(|reads| reads.rows).sum()
}

/// A day's accounts are those of its hours, put together.
pub async fn people_of_a_day(store: &dyn Store) {
    let realm = Realm::of("people_of_a_day");
    let mut pages = realm.varied_pages(400);
    // One person in every hour, and somebody of the day after.
    pages.extend((0..30).map(|n| Page {
        page_id: realm.page_id(1_000 + u64::from(n)),
        user_name: realm.user_name(9),
        user_id: realm.user_id(9),
        ..realm.page(n * 3600)
    }));
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    for hour in [realm.hour(0), realm.hour(24)] {
        let day = Period::of(TimeUnit::Day, hour);
        let users = store.user_counts(day).await.expect("the store answers");
        assert_eq!(users, reference.user_counts(day.hours()));
        assert_eq!(users.iter().filter(|user| user.user_name == realm.user_name(9)).count(), 1);
    }
    let hours = HourRange { from: realm.hour(1), to: realm.hour(29) };
    let turn = PeopleTurn::take().await.expect("a turn in time");
    let merged = fold_user_counts(&turn, store, hours, BTreeMap::new(), |sums, rows| {
        for UserCount { user_name, page_count, .. } in rows {
            *sums.entry(user_name).or_insert(0) += page_count;
        }
    });
    assert_eq!(merged.await.expect("the store answers").get(&realm.user_name(9)), Some(&28));
}

async fn check_counts(store: &dyn Store, realm: &Realm, pages: &[Page]) {
    let reference = Reference::of(pages);
    let some = HourRange { from: realm.hour(1), to: realm.hour(3) };
    let none = HourRange { from: realm.hour(3), to: realm.hour(1) };
    let domain = |number| PageList::Domain(realm.domain(number));
    let users = [PageList::UserId(realm.user_id(1)), PageList::User(realm.domain(1), realm.user_id(1))];
    let lists = [PageList::All, domain(0), domain(2), domain(99), PageList::UserName(realm.user_name(0))];
    for hours in [realm.hours(), some, none] {
        let counts = hourly_counts(store, Series::Domains, hours).await.expect("the store answers");
        assert_eq!(counts, reference.counts(&Series::Domains, hours, TimeUnit::Hour), "{hours:?}");
        for filter in filters(realm) {
            for list in lists.iter().chain(&users) {
                check_count(store, &reference, list, hours, &filter).await;
            }
        }
    }
    for list in lists.iter().chain(&users).skip(1) {
        check_count(store, &reference, list, HourRange::ALL, &PageFilter::default()).await;
    }
}

async fn check_count(store: &dyn Store, reference: &Reference, list: &PageList, hours: HourRange, filter: &PageFilter) {
    let stored = count_pages(store, list, hours, filter).await.expect("the store answers");
    assert_eq!(stored, reference.count_pages(list, hours, filter), "{list:?} {hours:?} {filter:?}");
}

fn filters(realm: &Realm) -> Vec<PageFilter> {
    let all = PageFilter::default;
    vec![
        all(),
        PageFilter { is_bot: Some(true), ..all() },
        PageFilter { is_bot: Some(false), is_redirect: Some(true), ..all() },
        PageFilter { namespaces: vec![0, 14], ..all() },
        PageFilter { namespaces: vec![-1], domains: vec![realm.domain(0)], ..all() },
        PageFilter { project_families: vec![ProjectFamily::Other], ..all() },
        PageFilter { project_families: vec![ProjectFamily::Wikidata], ..all() },
    ]
}
