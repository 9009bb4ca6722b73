//! Lists in both directions: their order, paging over ties and long partitions, filters and time spans.

use crate::lists::list_pages;
use crate::page::{Page, PageId};
use crate::query::{ListOrder, MAX_ROWS_READ, PageFilter, PageList, PageQuery, TimeSpan};
use crate::reference::{Reference, lists_of, read_list};
use crate::store::Store;
use crate::store::conformance::{Realm, check_all_reads, costs, seal, write};
use crate::wiki::ProjectFamily;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// A question asked from either end of its list.
fn both(query: &PageQuery) -> [PageQuery; 2] {
    [ListOrder::NewestFirst, ListOrder::OldestFirst].map(|order| PageQuery { order, ..query.clone() })
}

/// Both directions of a question, read to the end, are what the reference says.
async fn check_list(store: &dyn Store, reference: &Reference, query: &PageQuery) {
    for query in both(query) {
        let read = read_list(store, query.clone()).await.expect("the store answers");
        let wanted = reference.list_pages(&PageQuery { limit: usize::MAX, ..query.clone() });
        assert!(read == wanted, "{} pages instead of {}: {query:?}", read.len(), wanted.len());
    }
}

/// Ties are ordered by numbers as text: 12 before 120 before 13, and descending.
pub async fn lists_are_ordered_as_text(store: &dyn Store) {
    let realm = Realm::of("lists_are_ordered_as_text");
    let base = realm.page_id(0).get();
    let numbers = [base, base + 1, base * 10, base * 10 + 5, base + 2, base * 100, (base + 1) * 10];
    let page = |(n, number): (u32, &u64)| Page {
        page_id: PageId::new(*number).expect("within the limits"),
        domain: realm.domain(n % 2),
        wiki: format!("w{}wiki", n % 2).parse().expect("a database name"),
        ..realm.page(1)
    };
    let mut pages: Vec<Page> = (0..).zip(&numbers).map(page).collect();
    // The same number on both wikis, in the same second.
    pages.push(Page { domain: realm.domain(1), ..pages[0].clone() });
    write(store, &pages).await;
    let by_user = read_list(store, PageQuery::newest(PageList::UserId(realm.user_id(0)), 2)).await;
    let mut keys: Vec<(String, String)> =
        pages.iter().map(|page| (page.page_id.to_string(), page.domain.to_string())).collect();
    keys.sort();
    keys.reverse();
    let listed = by_user.expect("the store answers");
    let stored: Vec<_> = listed.iter().map(|page| (page.page_id.to_string(), page.domain.to_string())).collect();
    assert_eq!(stored, keys);
    check_all_reads(store, &pages).await;
}

/// A partition of 10,000 pages, read by page to its end: each page once, in order.
pub async fn ten_thousand_pages_of_one_user(store: &dyn Store) {
    let realm = Realm::of("ten_thousand_pages_of_one_user");
    let pages: Vec<Page> = (0..10_000).map(|n| realm.page(n)).collect();
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    for list in [PageList::UserId(realm.user_id(0)), PageList::UserName(realm.user_name(0))] {
        check_list(store, &reference, &PageQuery::newest(list, 700)).await;
    }
}

/// 500 pages in one second: no page is repeated or skipped at the border of a slice, in any list.
pub async fn five_hundred_pages_in_one_second(store: &dyn Store) {
    let realm = Realm::of("five_hundred_pages_in_one_second");
    let page = |n: u32| Page {
        created_at: realm.page(60).created_at,
        domain: realm.domain(n % 2),
        wiki: format!("w{}wiki", n % 2).parse().expect("a database name"),
        // Each number twice, once a wiki; of different lengths.
        page_id: PageId::new(realm.page_id(u64::from(n / 2)).get() * 10u64.pow(n / 2 % 3)).expect("within the limits"),
        ..realm.page(60)
    };
    let pages: Vec<Page> = (0..500).map(page).chain([realm.page(59), realm.page(61)]).collect();
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let hour = TimeSpan { from: Some(realm.hour(0).start()), to: Some(realm.hour(0).end()) };
    for list in lists_of(&pages[0]) {
        assert!(reference.list(&list).len() > 200, "the ties span slices");
        for limit in [1, 7, 50, 249, 1_000] {
            check_list(store, &reference, &PageQuery { during: hour, ..PageQuery::newest(list.clone(), limit) }).await;
        }
    }
    check_all_reads(store, &pages).await;
}

/// Three of 5,000 pages pass: each call reads a bounded number of rows, and the cursors lead to all three, once.
pub async fn few_pages_pass_a_filter(store: &dyn Store) {
    let realm = Realm::of("few_pages_pass_a_filter");
    let bots = [2_400, 2_500, 2_501];
    let pages: Vec<Page> = (0..5_000).map(|n| Page { is_bot: bots.contains(&n), ..realm.page(n) }).collect();
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let only_bots = PageFilter { is_bot: Some(true), ..PageFilter::default() };
    for list in lists_of(&pages[0]).into_iter().skip(1) {
        let query = PageQuery { filter: only_bots.clone(), ..PageQuery::newest(list.clone(), 2) };
        for query in both(&query) {
            let first = store.list_pages(&query).await.expect("the store answers");
            // The first match is behind 2,400 rows: whoever finds it in one call has read too much.
            assert!(first.pages.is_empty() && first.next.is_some(), "more than {MAX_ROWS_READ} rows read: {query:?}");
        }
        check_list(store, &reference, &query).await;
        check_list(store, &reference, &PageQuery { limit: 3_000, ..query }).await;
    }
}

/// Every condition of a filter, and their conjunction, against the reference.
pub async fn every_filter(store: &dyn Store) {
    let realm = Realm::of("every_filter");
    let pages = realm.varied_pages(400);
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let all = PageFilter::default;
    let filters = [
        PageFilter { is_bot: Some(false), ..all() },
        PageFilter { is_redirect: Some(true), ..all() },
        PageFilter { namespaces: vec![6, -1], ..all() },
        PageFilter { domains: vec![realm.domain(1), realm.domain(7)], ..all() },
        PageFilter { project_families: vec![ProjectFamily::Other], ..all() },
        PageFilter { project_families: vec![ProjectFamily::Wikipedia], ..all() },
        PageFilter {
            is_bot: Some(true),
            is_redirect: Some(false),
            namespaces: vec![0],
            domains: vec![realm.domain(0)],
            ..all()
        },
    ];
    for filter in filters {
        for list in lists_of(&pages[0]) {
            let query = PageQuery {
                during: TimeSpan::of_hours(realm.hours()),
                filter: filter.clone(),
                ..PageQuery::newest(list, 9)
            };
            check_list(store, &reference, &query).await;
        }
    }
}

/// A time span has its first second and not its last, at each end open or not.
pub async fn time_spans_are_half_open(store: &dyn Store) {
    let realm = Realm::of("time_spans_are_half_open");
    let pages = realm.varied_pages(300);
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let at = |n: usize| Some(pages[n].created_at);
    let hour = |n: i64| Some(realm.hour(n).start());
    let past = Some(realm.hour(0).start() - TimeDelta::hours(1));
    let spans =
        [(hour(0), at(150)), (at(100), at(40)), (at(40), at(100)), (hour(1), hour(2)), (past, at(0)), (at(9), at(9))];
    let open = [(None, at(99)), (at(99), None), (None, None), (None, past)];
    for (from, to) in spans.into_iter().chain(open) {
        for list in lists_of(&pages[0]) {
            if list == PageList::All && (from.is_none() || to.is_none()) {
                continue;
            }
            let during = TimeSpan { from, to };
            check_list(store, &reference, &PageQuery { during, ..PageQuery::newest(list, 13) }).await;
        }
    }
}

/// A slice begins behind its key whether or not a page has that key; it ends with `next` only where more follows.
pub async fn a_slice_begins_behind_any_key(store: &dyn Store) {
    let realm = Realm::of("a_slice_begins_behind_any_key");
    let pages = realm.varied_pages(200);
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let during = TimeSpan::of_hours(realm.hours());
    for list in lists_of(&pages[21]) {
        let total = reference.list_pages(&PageQuery { during, ..PageQuery::newest(list.clone(), usize::MAX) }).len();
        for (n, limit) in [(21, 5), (42, total), (63, 1), (84, 3)] {
            let mut after = pages[n].key();
            if n % 2 == 0 {
                // A key between two pages.
                after.page_id = realm.page_id(500_000);
                after.domain = realm.domain(5);
            }
            let query = PageQuery { during, after: Some(after), ..PageQuery::newest(list.clone(), limit) };
            for query in both(&query) {
                let slice = store.list_pages(&query).await.expect("the store answers");
                assert_eq!(slice.pages, reference.list_pages(&query), "{query:?}");
                let more =
                    reference.list_pages(&PageQuery { limit: limit.saturating_add(1), ..query.clone() }).len() > limit;
                assert_eq!(slice.next, if more { slice.pages.last().map(Page::key) } else { None }, "{query:?}");
            }
        }
        for exactly in both(&PageQuery { during, ..PageQuery::newest(list, total) }) {
            let slice = store.list_pages(&exactly).await.expect("the store answers");
            assert_eq!((slice.pages.len(), slice.next), (total, None), "{exactly:?}");
        }
    }
}

/// One human's page behind 100,000 of bots, and from the other end one redirect: reached in few requests, each of a bounded
/// number of rows.
pub async fn a_filter_skips_hours(store: &dyn Store) {
    let realm = Realm::of("a_filter_skips_hours");
    let begin = realm.hour(0).start();
    let human = Page { is_bot: false, is_redirect: false, created_at: begin, ..realm.page(0) };
    let bots = (1..=100_000).map(|n| Page { is_bot: true, is_redirect: false, ..realm.page(n) });
    let mut pages: Vec<Page> = std::iter::once(human.clone()).chain(bots).collect();
    let newest = pages.iter().map(|page| page.created_at).max().expect("there are some");
    let redirect = Page { is_bot: true, is_redirect: true, created_at: newest, ..realm.page(100_001) };
    pages.push(redirect.clone());
    write(store, &pages).await;
    let lists = lists_of(&pages[0]).into_iter().filter(|list| !matches!(list, PageList::UserId(_)));
    for list in lists {
        // Other cases have pages on other wikis: of all wikis the case's own are asked, among as many as may be.
        let domains = if list == PageList::All { (0..100).map(|n| realm.domain(n)).collect() } else { Vec::new() };
        let of_humans = PageFilter { is_bot: Some(false), domains: domains.clone(), ..PageFilter::default() };
        let of_redirects = PageFilter { is_redirect: Some(true), domains, ..PageFilter::default() };
        for (order, filter, wanted) in
            [(ListOrder::NewestFirst, of_humans, &human), (ListOrder::OldestFirst, of_redirects, &redirect)]
        {
            let query = PageQuery { order, filter, ..PageQuery::newest(list.clone(), 5) };
            let before = costs::rows_of_lists(store);
            let (found, rows) = walk(store, query.clone()).await;
            assert_eq!(found, std::slice::from_ref(wanted), "{query:?}");
            assert!(rows.len() <= 4 && rows.iter().all(|rows| *rows <= MAX_ROWS_READ), "{query:?}: {rows:?}");
            // By the store's own count; what is beside them is as in `costs`.
            let read = costs::rows_of_lists(store) - before;
            let most = rows.len() as u64 * costs::most_of_a_filtered_list(store).await;
            assert!(read <= most, "{read} rows read in {} requests, {most} at most: {query:?}", rows.len());
        }
    }
}

/// Late pages that are not counted yet, in hours, days and months that the counts would pass over: a filtered list has them,
/// from either end.
pub async fn a_filter_finds_what_is_not_counted_yet(store: &dyn Store) {
    let realm = Realm::of("a_filter_finds_what_is_not_counted_yet");
    let first = Realm::first_of_long_ranges().plus(31 * 24).start();
    let every = |n: u32, hours: i32| first + TimeDelta::hours(1) * hours * n as i32;
    // Behind those that a request reads before it asks for counts, from either end.
    let bots = (0..1_200).map(|n| Page { is_bot: true, created_at: every(n, 2), ..realm.page(n) });
    let mut pages: Vec<Page> = bots.collect();
    write(store, &pages).await;
    let filter = PageFilter { is_bot: Some(false), ..PageFilter::default() };
    for (n, hours) in [(1, 31), (2, 700), (3, 1_201), (4, 1_202), (5, 1_731), (6, 2_390)] {
        let late = Page { created_at: every(1, hours), ..realm.page(10_000 + n) };
        store.write_pages(std::slice::from_ref(&late), chrono::DateTime::UNIX_EPOCH).await.expect("the store takes it");
        pages.push(late);
        let reference = Reference::of(&pages);
        for list in [PageList::Domain(realm.domain(0)), PageList::User(realm.domain(0), realm.user_id(0))] {
            for query in both(&PageQuery { filter: filter.clone(), ..PageQuery::newest(list, 3) }) {
                let (found, _) = walk(store, query.clone()).await;
                assert_eq!(found, reference.list_pages(&PageQuery { limit: usize::MAX, ..query.clone() }), "{query:?}");
            }
        }
        // Half of them are counted when the next one comes.
        if n.is_multiple_of(2) {
            seal(store).await;
        }
    }
}

/// Pages far apart, through every filter, from either end: those that a plain walk finds.
pub async fn a_filter_over_years(store: &dyn Store) {
    let realm = Realm::of("a_filter_over_years");
    let mut pages = realm.pages_of_years();
    // So many in one hour that the counts are asked at all.
    let first = Realm::first_of_long_ranges().plus(100 * 24).start();
    pages.extend((1_000..1_700).map(|n| Page {
        created_at: first + TimeDelta::seconds(n),
        namespace: 6,
        ..realm.page(1_000 + n as u32)
    }));
    write(store, &pages).await;
    let reference = Reference::of(&pages);
    let all = PageFilter::default;
    let filters = [
        PageFilter { is_bot: Some(true), ..all() },
        PageFilter { is_redirect: Some(true), namespaces: vec![0, 1], ..all() },
        PageFilter { namespaces: vec![-1], ..all() },
        PageFilter { namespaces: vec![2_600], ..all() },
        PageFilter { domains: vec![realm.domain(1)], ..all() },
    ];
    for list in lists_of(&pages[0]).into_iter().filter(|list| *list != PageList::All) {
        for (filter, limit) in filters.iter().zip([1, 3, 50, 2, 7]) {
            for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
                let query = PageQuery { order, filter: filter.clone(), ..PageQuery::newest(list.clone(), limit) };
                let (found, rows) = walk(store, query.clone()).await;
                assert!(rows.iter().all(|rows| *rows <= MAX_ROWS_READ), "{query:?}: {rows:?}");
                assert_eq!(found, reference.list_pages(&PageQuery { limit: usize::MAX, ..query.clone() }), "{query:?}");
            }
        }
    }
}

/// Pages come at the cursor's second, before and behind it: a walk meets each that was there at its start once, from either
/// end, filtered or not.
pub async fn a_walk_while_pages_come(store: &dyn Store) {
    let realm = Realm::of("a_walk_while_pages_come");
    // Two in each second, over some hours.
    let page = |n: u32| {
        let created_at = realm.page(n / 2 * 211).created_at;
        Page { page_id: realm.page_id(u64::from(n) * 2), is_bot: n.is_multiple_of(3), created_at, ..realm.page(0) }
    };
    let mut pages: Vec<Page> = (0..100).map(page).collect();
    write(store, &pages).await;
    let mut number = 10_000;
    for is_bot in [None, Some(false)] {
        for list in lists_of(&pages[0]) {
            for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
                let query = PageQuery {
                    order,
                    during: TimeSpan::of_hours(realm.hours()),
                    filter: PageFilter { is_bot, ..PageFilter::default() },
                    ..PageQuery::newest(list.clone(), 25)
                };
                let there = Reference::of(&pages).list_pages(&PageQuery { limit: usize::MAX, ..query.clone() });
                let come = walk_while_pages_come(store, query.clone(), &there, &mut number).await;
                pages.extend(come);
            }
        }
    }
    seal(store).await;
    check_all_reads(store, &pages).await;
}

/// Walks to the end; the pages that came meanwhile.
async fn walk_while_pages_come(store: &dyn Store, mut query: PageQuery, there: &[Page], number: &mut u64) -> Vec<Page> {
    let realm = Realm::of("a_walk_while_pages_come");
    let (mut met, mut come) = (Vec::new(), Vec::new());
    loop {
        let slice = list_pages(store, &query).await.expect("the store answers");
        let at = slice.pages.last().map_or(realm.hour(5).start(), |page| page.created_at);
        met.extend(slice.pages);
        if slice.next.is_none() {
            break;
        }
        query.after = slice.next;
        let times = [at, at - TimeDelta::seconds(100), at + TimeDelta::seconds(100)];
        let new: Vec<Page> = (*number..)
            .zip(times)
            .map(|(n, at)| Page {
                page_id: realm.page_id(n * 2 + 1),
                created_at: at.clamp(realm.hour(0).start(), realm.hour(40).start()),
                ..realm.page(0)
            })
            .collect();
        *number += times.len() as u64;
        store.write_pages(&new, chrono::DateTime::UNIX_EPOCH).await.expect("the store takes a batch");
        come.extend(new);
    }
    let distinct: BTreeSet<u64> = met.iter().map(|page| page.page_id.get()).collect();
    let old: Vec<&Page> = met.iter().filter(|page| !come.contains(page)).collect();
    assert_eq!(old, there.iter().collect::<Vec<_>>(), "{query:?}");
    assert!(distinct.len() == met.len() && met.len() > old.len(), "{query:?}");
    come
}

/// All pages of a filtered query, and the rows that each request read.
async fn walk(store: &dyn Store, mut query: PageQuery) -> (Vec<Page>, Vec<usize>) {
    let (mut found, mut rows) = (Vec::new(), Vec::new());
    loop {
        let slice = list_pages(store, &query).await.expect("the store answers");
        found.extend(slice.pages);
        rows.push(slice.rows_read);
        if slice.next.is_none() || rows.len() > 1_000 {
            return (found, rows);
        }
        query.after = slice.next;
    }
}
