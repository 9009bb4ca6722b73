//! Filtered lists while a sealing is under way: what it has not counted yet is not passed over.

use super::counting::*;
use super::*;
use crate::lists::list_pages;
use crate::period::{Period, TimeUnit};
use crate::query::{ListOrder, PageFilter, PageList, PageQuery};
use crate::store::cassandra::seal::Step;
use crate::store::conformance::Realm;
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta};
use futures::FutureExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How many pages were found behind each step.
type Found = Arc<Mutex<BTreeMap<(TimeUnit, Step), Vec<usize>>>>;

/// A human's page comes late, into an hour of a sealed year of bots' pages: behind every step of its counting, in hour,
/// day, month and year, a list of humans' pages has it from either end.
#[tokio::test]
async fn a_late_page_is_listed_behind_any_step() {
    let Some([store, reader]) = open_stores("filtered").await else { return };
    let realm = Realm::of("filtered");
    let first = Realm::first_of_long_ranges();
    let at = |hours: i64| first.start() + TimeDelta::hours(hours);
    let bots = (0..1_200u32).map(|n| Page { is_bot: true, created_at: at(i64::from(n) * 3), ..realm.page(n) });
    for batch in bots.collect::<Vec<_>>().chunks(400) {
        store.write_pages(batch, DateTime::UNIX_EPOCH).await.unwrap();
    }
    seal_all(&store).await;
    let late = Page { created_at: at(1_801), ..realm.page(5_000) };
    store.write_pages(&[late], DateTime::UNIX_EPOCH).await.unwrap();
    let found = Found::default();
    let (seen, list) = (Arc::clone(&found), PageList::Domain(realm.domain(0)));
    let hook: sealer::Hook = Arc::new(move |step: Step, period: Period| {
        let (reader, seen, list) = (Arc::clone(&reader), Arc::clone(&seen), list.clone());
        async move {
            for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
                let count = count_humans(&*reader, PageQuery { order, ..PageQuery::newest(list.clone(), 5) }).await?;
                seen.lock().unwrap().entry((period.unit, step)).or_default().push(count);
            }
            Ok(())
        }
        .boxed()
    });
    set_hook(&store, Some(hook));
    seal_all(&store).await;
    set_hook(&store, None);
    let found = found.lock().unwrap();
    for unit in [TimeUnit::Hour, TimeUnit::Day, TimeUnit::Month, TimeUnit::Year] {
        for step in STEPS {
            assert_eq!(found.get(&(unit, step)), Some(&vec![1, 1]), "{unit:?} {step:?}");
        }
    }
}

async fn count_humans(store: &dyn Store, mut query: PageQuery) -> Result<usize, StoreError> {
    query.filter = PageFilter { is_bot: Some(false), ..PageFilter::default() };
    let mut count = 0;
    loop {
        let slice = list_pages(store, &query).await?;
        count += slice.pages.len();
        if slice.next.is_none() {
            return Ok(count);
        }
        query.after = slice.next;
    }
}
