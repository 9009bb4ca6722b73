//! The sealing protocol: stopped behind each step, written into between any two, and two sealers at once.

use super::counting::*;
use crate::page::Page;
use crate::period::{Period, TimeUnit};
use crate::store::conformance::Realm;
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta};
use futures::FutureExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sealings of which lengths of periods a case is about: an hour's, and one that is made of parts.
const UNITS: [TimeUnit; 2] = [TimeUnit::Hour, TimeUnit::Day];

/// A sealer dies behind each step, of an hour or a day: the next one's counts are exact.
#[tokio::test]
async fn a_sealer_may_die_behind_any_step() {
    let Some([store]) = open_stores("dying").await else { return };
    for (unit, step) in UNITS.iter().flat_map(|unit| STEPS.map(|step| (*unit, step))) {
        let realm = Realm::of(&format!("dying_{unit:?}_{step:?}").to_lowercase());
        let pages = some_pages(&realm, 60);
        let mut events = Vec::new();
        for round in [pages[..40].to_vec(), by_others(&realm, &pages[..20]), pages[30..].to_vec()] {
            store.write_pages(&round, DateTime::UNIX_EPOCH).await.unwrap();
            events.extend(round);
            set_hook(
                &store,
                Some(Arc::new(move |at, period| {
                    let dies = at == step && period.unit == unit;
                    let end = if dies { Err(StoreError::Unavailable("dead".into())) } else { Ok(()) };
                    futures::future::ready(end).boxed()
                })),
            );
            store.seal_counts(long_after()).await.expect_err("the sealer dies");
        }
        set_hook(&store, None);
        seal_all(&store).await;
        check_recount(&store, &events, &format!("{unit:?} {step:?}")).await;
    }
}

/// The same to one that counted the hour before and knows what it wrote then, while others take accounts' pages away, so that
/// their counts become 0; and whether it goes on itself or another does.
#[tokio::test]
async fn a_sealer_that_knows_the_hour_may_die_behind_any_step() {
    let Some([store, other]) = open_stores("knowing").await else { return };
    for (goes_on, step) in [&store, &other].into_iter().flat_map(|next| STEPS.map(|step| (next, step))) {
        let realm = Realm::of(&format!("knowing_{}_{step:?}", Arc::ptr_eq(goes_on, &store)).to_lowercase());
        // Of few minutes: an hour that was written to all over is counted as a whole.
        let at = |n: i64| realm.hour(0).start() + TimeDelta::seconds(4 * n);
        let pages: Vec<Page> =
            some_pages(&realm, 60).into_iter().zip(0..).map(|(page, n)| Page { created_at: at(n), ..page }).collect();
        store.write_pages(&pages[..40], DateTime::UNIX_EPOCH).await.unwrap();
        seal_all(&store).await;
        let changed = [by_others(&realm, &pages[..20]), pages[40..].to_vec()].concat();
        store.write_pages(&changed, DateTime::UNIX_EPOCH).await.unwrap();
        let dies = move |at, period: Period| {
            let dies = at == step && period.unit == TimeUnit::Hour;
            let end = if dies { Err(StoreError::Unavailable("dead".into())) } else { Ok(()) };
            futures::future::ready(end).boxed()
        };
        set_hook(&store, Some(Arc::new(dies)));
        store.seal_counts(long_after()).await.expect_err("the sealer dies");
        set_hook(&store, None);
        seal_all(goes_on).await;
        check_recount(&store, &[&pages[..40], &changed].concat(), &format!("{step:?}")).await;
    }
}

/// Pages are written behind each step, among them such that change what was counted.
#[tokio::test]
async fn pages_may_come_behind_any_step() {
    let Some([store, writer]) = open_stores("coming").await else { return };
    for (unit, step) in UNITS.iter().flat_map(|unit| STEPS.map(|step| (*unit, step))) {
        let realm = Realm::of(&format!("coming_{unit:?}_{step:?}").to_lowercase());
        let pages = some_pages(&realm, 40);
        let rounds = [by_others(&realm, &pages[..20]), pages[20..].to_vec()];
        let (writer, coming) = (Arc::clone(&writer), Arc::new(rounds.clone()));
        let round = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&round);
        store.write_pages(&pages[..20], DateTime::UNIX_EPOCH).await.unwrap();
        set_hook(
            &store,
            Some(Arc::new(move |at, period| {
                let (writer, coming, round) = (Arc::clone(&writer), Arc::clone(&coming), Arc::clone(&counter));
                async move {
                    if at == step && period.unit == unit {
                        let round = round.fetch_add(1, Ordering::SeqCst);
                        if let Some(pages) = coming.get(round) {
                            writer.write_pages(pages, DateTime::UNIX_EPOCH).await?;
                        }
                    }
                    Ok(())
                }
                .boxed()
            })),
        );
        // A pass is done with what was marked when it began: each brings the next pages.
        for _ in 0..=rounds.len() {
            seal_all(&store).await;
        }
        set_hook(&store, None);
        seal_all(&store).await;
        let came = round.load(Ordering::SeqCst).min(rounds.len());
        assert!(came > 0, "nothing came behind {step:?}");
        let events = [pages[..20].to_vec(), rounds[..came].concat()].concat();
        check_recount(&store, &events, &format!("{unit:?} {step:?}")).await;
    }
}

/// While one sealing waits behind a step, another one of the same period runs from its begin to its end, behind a write.
#[tokio::test]
async fn two_sealers_may_meet_at_any_step() {
    let Some([store, other]) = open_stores("meeting").await else { return };
    for (unit, step) in UNITS.iter().flat_map(|unit| STEPS.map(|step| (*unit, step))) {
        let realm = Realm::of(&format!("meeting_{unit:?}_{step:?}").to_lowercase());
        let pages = some_pages(&realm, 40);
        let more = by_others(&realm, &pages[..10]);
        let (other, coming) = (Arc::clone(&other), more.clone());
        let met = Arc::new(AtomicUsize::new(0));
        store.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
        seal_all(&store).await;
        store.write_pages(&pages[..1], DateTime::UNIX_EPOCH).await.unwrap();
        set_hook(
            &store,
            Some(Arc::new(move |at, period| {
                let (other, coming, met) = (Arc::clone(&other), coming.clone(), Arc::clone(&met));
                async move {
                    if at == step && period.unit == unit && met.fetch_add(1, Ordering::SeqCst) == 0 {
                        other.write_pages(&coming, DateTime::UNIX_EPOCH).await?;
                        seal_all(&other).await;
                    }
                    Ok(())
                }
                .boxed()
            })),
        );
        seal_all(&store).await;
        set_hook(&store, None);
        check_recount(&store, &[pages, more].concat(), &format!("{unit:?} {step:?}")).await;
    }
}

/// Two writers and their sealers at once, events in any order, three times over, some of them 30 days late.
#[tokio::test]
async fn any_order_three_times_over() {
    let Some(stores) = open_stores::<2>("any_order").await else { return };
    for seed in 0..3 {
        let realm = Realm::of(&format!("any_order_{seed}"));
        let pages = some_pages(&realm, 120);
        let events = [pages.clone(), late(&pages[..60]), by_others(&realm, &pages[..40])].concat();
        let writing = stores.iter().enumerate().map(async |(number, store)| {
            let mut random = StdRng::seed_from_u64(seed * 2 + number as u64);
            for _ in 0..3 {
                let mut part = events.clone();
                part.shuffle(&mut random);
                let mut rest = part.as_slice();
                while !rest.is_empty() {
                    let (batch, behind) = rest.split_at(random.random_range(1..=rest.len().min(60)));
                    let (wrote, sealed) =
                        tokio::join!(store.write_pages(batch, DateTime::UNIX_EPOCH), store.seal_counts(long_after()));
                    wrote.unwrap();
                    sealed.unwrap();
                    rest = behind;
                }
            }
        });
        futures::future::join_all(writing).await;
        tokio::join!(seal_all(&stores[0]), seal_all(&stores[1]));
        for store in &stores {
            check_recount(store, &events, &format!("seed {seed}")).await;
        }
    }
}
