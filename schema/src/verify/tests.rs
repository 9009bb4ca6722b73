//! What both stores' tests of verifying share: pages of all kinds, and what must be found and mended.

use crate::clock::{Clock, SystemClock};
use crate::hour::Hour;
use crate::page::Page;
use crate::store::conformance::{Realm, newer_versions, write};
use crate::store::{Store, StoreError};
use crate::verify::{Event, Overrule, Reading, Verified, repair, verify};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicBool, Ordering};

/// Pages over wikis, accounts, hours and kinds; some made again, some in two versions, some with hostile texts.
pub(crate) fn pages_of_all_kinds(realm: &Realm) -> Vec<Page> {
    let mut pages = realm.varied_pages(400);
    pages.extend(newer_versions(&pages[..40]));
    for number in 0..20 {
        let mut again = pages[number * 7].clone();
        again.created_at += TimeDelta::hours(7);
        again.version = again.created_at.timestamp_micros();
        again.user_id = realm.user_id(3);
        pages.push(again);
    }
    for (number, text) in (1_000..).zip(["'; DROP", "\u{1b}[2J\r\n", "nul\0inside", "\u{202e}evil", "👩‍👩‍👧‍👦", "", "%_?1"])
    {
        let page = realm.page(number);
        pages.push(Page { page_title: text.into(), user_name: format!("{text}{}", page.user_name), ..page });
    }
    pages
}

/// Writes them as the pipeline does.
pub(crate) async fn fill(store: &dyn Store, pages: &[Page]) {
    write(store, pages).await;
}

/// Verifies; the lines that it tells.
pub(crate) async fn lines_of(store: &dyn Store) -> (Verified, Vec<String>) {
    lines_at(store, SystemClock.now()).await
}

async fn lines_at(store: &dyn Store, now: DateTime<Utc>) -> (Verified, Vec<String>) {
    let mut lines = Vec::new();
    let (mut last_share, mut seen_days) = (0.0, false);
    let mut tell = |event: Event<'_>| match event {
        Event::Difference(difference) => lines.push(difference.to_string()),
        Event::Progress(progress) => {
            assert!((last_share..=1.0).contains(&progress.share), "{last_share} then {progress:?}");
            last_share = progress.share;
            seen_days |= progress.reading == Reading::Periods;
        }
    };
    let found = verify(store, now, &mut tell).await.expect("the store answers");
    assert_eq!(seen_days, found.pages > 0, "the longer periods take their time, too");
    assert_eq!(found.differences, lines.len() as u64);
    (found, lines)
}

/// Nothing differs.
pub(crate) async fn check_clean(store: &dyn Store) -> Verified {
    check_clean_at(store, SystemClock.now()).await
}

/// The same at another time.
pub(crate) async fn check_clean_at(store: &dyn Store, now: DateTime<Utc>) -> Verified {
    let (found, lines) = lines_at(store, now).await;
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    found
}

/// Pages of the present come while it is verified, as they always do: none of them differs.
pub(crate) async fn check_clean_while_pages_arrive(store: &dyn Store, realm: &Realm) {
    let before = realm.varied_pages(500);
    fill(store, &before).await;
    let is_enough = AtomicBool::new(false);
    let writing = async {
        for number in 1_000.. {
            if is_enough.load(Ordering::Relaxed) {
                return number - 1_000;
            }
            let now = SystemClock.now();
            let created_at = DateTime::from_timestamp(now.timestamp(), 0).expect("the present is a time");
            let page = Page { created_at, version: created_at.timestamp_micros(), ..realm.page(number) };
            store.write_pages(&[page], now).await.expect("the store takes a page");
        }
        unreachable!("there are more numbers than pages are written")
    };
    let verifying = async {
        for _ in 0..3 {
            check_clean(store).await;
        }
        is_enough.store(true, Ordering::Relaxed);
    };
    let (written, ()) = tokio::join!(writing, verifying);
    assert!(written > 20, "{written} pages came meanwhile");
    assert_eq!(check_clean(store).await.pages, 500 + u64::from(written));
}

/// What differs is told in a line that begins so and holds these words; nothing of other tables is told but `also`.
pub(crate) async fn check_told(store: &dyn Store, what: &str, wanted: &[&str], also: &[&str]) -> Verified {
    let (found, lines) = lines_of(store).await;
    let is_wanted = |line: &&String| line.starts_with(wanted[0]) && wanted.iter().all(|word| line.contains(word));
    assert!(lines.iter().any(|line| is_wanted(&line)), "{what}: {wanted:?} is not in\n{}", lines.join("\n"));
    let is_known = |line: &String| line.starts_with(wanted[0]) || also.iter().any(|start| line.starts_with(start));
    assert!(lines.iter().all(is_known), "{what}: told more than {wanted:?} and {also:?}\n{}", lines.join("\n"));
    found
}

/// A repair, or two where the first does not help, and all is well.
pub(crate) async fn check_mended(store: &dyn Store, what: &str, found: &Verified) -> Result<(), StoreError> {
    repair(store, found, Overrule::Nothing, SystemClock.now()).await?;
    let (found, lines) = lines_of(store).await;
    if !lines.is_empty() {
        repair(store, &found, Overrule::LaterChanges, SystemClock.now()).await?;
    }
    let (_, lines) = lines_of(store).await;
    assert!(lines.is_empty(), "{what} is not mended:\n{}", lines.join("\n"));
    Ok(())
}

/// An hour's name, as the tables have it.
pub(crate) fn hour_name(page: &Page) -> String {
    Hour::of(page.created_at).to_string()
}
