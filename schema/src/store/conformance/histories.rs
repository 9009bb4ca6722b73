//! Generated histories: pages in any order, again, 30 days late and by later versions, by two writers at once, between
//! sealings that stop anywhere and meet each other. However it went, at the end the store is as the reference model is.

use crate::hour::Hour;
use crate::page::Page;
use crate::store::conformance::Realm;
use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;

/// Steps behind which a sealing may be interrupted.
pub(crate) const STEPS: usize = 10;
/// How late some events are.
const LATE: TimeDelta = TimeDelta::days(30);
/// Creations that a history is about.
const PAGES: u32 = 40;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A writer writes a batch.
    Write { writer: usize, events: Vec<Event> },
    /// Two write at once.
    WriteBoth([Vec<Event>; 2]),
    /// A pass over what is to be counted; it may die behind a step.
    Seal { sealer: usize, dies_behind: Option<usize> },
    /// While a sealing waits behind a step, another writer writes and seals.
    Meet { behind: usize, events: Vec<Event> },
}

/// An event about one of the creations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    page: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    First,
    Late,
    ByAnother,
}

/// The pages that events are about, in a case's own realm.
pub(crate) struct Creations {
    realm: Realm,
    pages: Vec<Page>,
}

impl Creations {
    /// What these events write.
    pub(crate) fn of(&self, events: &[Event]) -> Vec<Page> {
        let page = |event: &Event| {
            let page = std::slice::from_ref(&self.pages[event.page as usize]);
            match event.kind {
                Kind::First => page.to_vec(),
                Kind::Late => late(page),
                Kind::ByAnother => by_others(&self.realm, page),
            }
        };
        events.iter().flat_map(page).collect()
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kind = prop_oneof![3 => Just(Kind::First), 1 => Just(Kind::Late), 2 => Just(Kind::ByAnother)];
    vec((0..PAGES, kind).prop_map(|(page, kind)| Event { page, kind }), 1..25)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..2_usize, events()).prop_map(|(writer, events)| Act::Write { writer, events }),
        1 => [events(), events()].prop_map(Act::WriteBoth),
        3 => (0..2_usize, option::of(0..STEPS)).prop_map(|(sealer, dies_behind)| Act::Seal { sealer, dies_behind }),
        2 => (0..STEPS, events()).prop_map(|(behind, events)| Act::Meet { behind, events }),
    ];
    vec(act, 1..9)
}

/// Plays so many histories; `play` panics where its store is wrong.
pub(crate) fn check_histories<F: Future<Output = ()>>(
    name: &str,
    cases: u32,
    runtime: &Runtime,
    play: impl Fn(Creations, Vec<Act>) -> F,
) {
    let config =
        ProptestConfig { cases, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() };
    let (number, used) = (AtomicUsize::new(0), Mutex::default());
    let outcome = TestRunner::new(config).run(&acts(), |acts| {
        let realm = unused_realm(name, &number, &used);
        let creations = Creations { pages: realm.varied_pages(PAGES), realm };
        let played = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(play(creations, acts))));
        played.map_err(|panic| TestCaseError::fail(words_of(panic.as_ref())))
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}

/// The next realm of which no hour is another case's, late ones included: they share a store.
fn unused_realm(name: &str, number: &AtomicUsize, used: &Mutex<HashSet<Hour>>) -> Realm {
    let mut used = used.lock().expect("no holder of this lock panics");
    loop {
        let realm = Realm::of(&format!("{name}_{}", number.fetch_add(1, Ordering::Relaxed)));
        let begins = [realm.hour(0), Hour::of(realm.hour(0).start() - LATE)];
        if begins.iter().all(|hour| !used.contains(hour)) {
            used.extend(begins);
            return realm;
        }
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// The same creations as later events have them: other groups, other authors.
pub(crate) fn by_others(realm: &Realm, pages: &[Page]) -> Vec<Page> {
    let other = |page: &Page| Page {
        user_name: realm.user_name(50),
        user_id: realm.user_id(50),
        namespace: page.namespace + 10,
        is_bot: !page.is_bot,
        version: page.version + 1_000,
        ..page.clone()
    };
    pages.iter().map(other).collect()
}

/// The same pages as made 30 days before.
pub(crate) fn late(pages: &[Page]) -> Vec<Page> {
    let late = |page: &Page| Page { created_at: page.created_at - LATE, ..page.clone() };
    pages.iter().map(late).collect()
}
