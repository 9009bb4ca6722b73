//! What the tests of sealing share: keyspaces, pages of one hour and late ones, and the recount.

use super::*;
use crate::hour::{Hour, HourRange};
use crate::period::TimeUnit;
use crate::query::Series;
use crate::reference::Reference;
use crate::store::cassandra::seal::Step;
pub(super) use crate::store::conformance::histories::{by_others, late};
use crate::store::conformance::retention::counted_of;
use crate::store::conformance::{Realm, sums};
use std::sync::Arc;

/// 2030-01-01: behind all pages of the tests.
pub(super) fn long_after() -> DateTime<Utc> {
    Hour::from_count(525_960).start()
}

/// Stores on one new keyspace, each as a process of its own has it; none without a node.
pub(super) async fn open_stores<const N: usize>(name: &str) -> Option<[Arc<CassandraStore>; N]> {
    let (_, nodes, keyspace) = connect().await?;
    let keyspace = keyspace.replace("other", name);
    let mut stores = Vec::new();
    for number in 0..N {
        let migration = if number == 0 { Migration::Apply } else { Migration::Expect };
        stores.push(Arc::new(CassandraStore::open(&nodes, &keyspace, migration).await.expect("the keyspace opens")));
    }
    stores.try_into().ok()
}

/// Sets what happens behind the steps of a store's sealings.
pub(super) fn set_hook(store: &CassandraStore, hook: Option<sealer::Hook>) {
    *store.sealer.hook.lock().unwrap() = hook;
}

/// All steps of a sealing, in their order.
pub(super) const STEPS: [Step; 10] = [
    Step::Head,
    Step::Marks,
    Step::Rows,
    Step::Counts,
    Step::Flip,
    Step::Wikis,
    Step::Derived,
    Step::Noted,
    Step::Longer,
    Step::Unmarked,
];

/// Pages of the realm's first hours.
pub(super) fn some_pages(realm: &Realm, count: u32) -> Vec<Page> {
    realm.varied_pages(count)
}

/// Passes until nothing is left.
pub(super) async fn seal_all(store: &CassandraStore) {
    for _ in 0..100 {
        if store.seal_counts(long_after()).await.expect("the store seals").left == 0 {
            return;
        }
    }
    panic!("counts are left after 100 passes");
}

/// Panics where the counts of what these events are about are not those of a recount.
pub(super) async fn check_recount(store: &CassandraStore, events: &[Page], what: &str) {
    let reference = Reference::of(events);
    let (series, periods) = counted_of(events);
    for series in &series {
        for unit in [TimeUnit::Year, TimeUnit::Hour] {
            check_series(store, &reference, series, HourRange::ALL, unit, what).await;
        }
    }
    for period in periods {
        for series in [Series::All, Series::Domains] {
            check_series(store, &reference, &series, period.hours(), period.unit, what).await;
        }
        let people = store.user_counts(period).await.expect("the store answers");
        assert_eq!(people, reference.user_counts(period.hours()), "{what}: people of {period:?}");
    }
}

async fn check_series(
    store: &CassandraStore,
    reference: &Reference,
    series: &Series,
    hours: HourRange,
    unit: TimeUnit,
    what: &str,
) {
    let query = CountQuery { unit, ..CountQuery::total(series.clone(), hours) };
    let counts = store.counts(&query).await.expect("the store answers").expect("no bound was asked");
    assert_eq!(sums(counts, unit), reference.counts(series, hours, unit), "{what}: {query:?}");
}
