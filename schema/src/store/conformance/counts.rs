//! Counts: the rollups against a recount.

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, Page};
use crate::query::PageFilter;
use crate::reference::Reference;
use crate::store::Store;
use crate::store::conformance::writes::newer_versions;
use crate::store::conformance::{Realm, check_all_reads, write};
use crate::wiki::ProjectFamily;

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
    assert!(Reference::of(&all).count_pages(None, realm.hours(), &bots) > 0, "the case counts something");
    check_all_reads(store, &all).await;
}

async fn check_counts(store: &dyn Store, realm: &Realm, pages: &[Page]) {
    let reference = Reference::of(pages);
    let some = HourRange { from: realm.hour(1), to: realm.hour(3) };
    let none = HourRange { from: realm.hour(3), to: realm.hour(1) };
    for hours in [realm.hours(), some, none] {
        let counts = store.hour_counts(hours).await.expect("the store answers");
        assert_eq!(counts, reference.hour_counts(hours), "{hours:?}");
        for filter in filters(realm) {
            for domain in [None, Some(realm.domain(0)), Some(realm.domain(2)), Some(realm.domain(99))] {
                check_count(store, &reference, domain.as_ref(), hours, &filter).await;
            }
        }
    }
    for domain in [realm.domain(1), realm.domain(99)] {
        check_count(store, &reference, Some(&domain), HourRange::ALL, &PageFilter::default()).await;
    }
}

async fn check_count(
    store: &dyn Store,
    reference: &Reference,
    domain: Option<&Domain>,
    hours: HourRange,
    filter: &PageFilter,
) {
    let stored = store.count_pages(domain, hours, filter).await.expect("the store answers");
    // Recounted page by page, not through the reference's own counts.
    let counts = |page: &&Page| {
        hours.contains(Hour::of(page.created_at)) && filter.matches(page) && domain.is_none_or(|d| page.domain == *d)
    };
    let wanted = reference.pages().filter(counts).map(|_| 1u64).sum::<u64>();
    assert_eq!(stored, wanted, "{domain:?} {hours:?} {filter:?}");
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
