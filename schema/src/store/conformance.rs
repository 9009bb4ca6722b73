//! What every store must do, one function a case: [`store_conformance!`](crate::store_conformance) makes a test of each.
//!
//! The cases share a store, so each has wikis, accounts and hours of its own ([`Realm`]). They panic where a store
//! does not do as it must.

mod costs;
mod counts;
#[cfg(test)]
pub(crate) mod histories;
mod lists;
mod reads;
pub(crate) mod realm;
#[cfg(test)]
pub(crate) mod retention;
mod writes;

pub use costs::*;
pub use counts::*;
pub use lists::*;
pub use reads::*;
pub use realm::Realm;
#[cfg(test)]
pub(crate) use writes::newer_versions;
pub use writes::*;

use crate::hour::Hour;
use crate::page::Page;
use crate::reference::{Reference, Scope, differences};
use crate::store::{Store, StoreError};
use chrono::DateTime;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A store to be tested.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What lives as long as the test: a folder, a server.
    pub keep: Box<dyn Any>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// Makes one test of each case, on the store that `$open` gives: an `async fn() -> Option<Opened>`. None skips the case;
/// `$open` says so.
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance! { $open;
            documented_reads, unknown_keys, two_wikis_with_the_same_ids, strangers_with_ones_number, batches_answer_in_order, accounts_of_a_name, a_renamed_account,
            users_of_an_hour, oldest_pages, wikis_are_listed, pages_of_a_title,
            lists_are_ordered_as_text, ten_thousand_pages_of_one_user, five_hundred_pages_in_one_second,
            few_pages_pass_a_filter, every_filter, time_spans_are_half_open, a_slice_begins_behind_any_key,
            nothing_is_written, writing_twice_changes_nothing, any_order_gives_the_same, the_larger_version_wins,
            a_page_made_again, records_are_replaced, hostile_texts_come_back,
            counts_equal_a_recount, counts_follow_a_larger_version, counts_of_long_ranges,
            a_bound_on_counts, a_bound_on_counts_of_years, people_of_a_day, a_filter_skips_hours,
            a_filter_over_years, a_filter_finds_what_is_not_counted_yet, a_walk_while_pages_come,
            rows_read_of_years, rows_read_of_ten_thousand_pages, rows_read_of_a_million_pages
        }
    };
    ($open:path; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(opened) = $open().await {
                    $crate::store::conformance::$case(opened.store.as_ref()).await;
                }
            }
        )+

        #[test]
        fn no_two_cases_share_an_hour() {
            let hours: std::collections::BTreeSet<_> =
                [$(stringify!($case)),+].iter().map(|name| $crate::store::conformance::Realm::of(name).hour(0)).collect();
            assert_eq!(hours.len(), [$(stringify!($case)),+].len());
        }
    };
}

/// Writes pages as the pipeline does, in batches, and has them counted.
pub(crate) async fn write(store: &dyn Store, pages: &[Page]) {
    for batch in pages.chunks(1_000) {
        store.write_pages(batch, DateTime::UNIX_EPOCH).await.expect("the store takes a batch");
    }
    seal(store).await;
}

/// Has all counts taken that are behind the pages; the cases' hours are over since long.
pub(crate) async fn seal(store: &dyn Store) {
    let now = Hour::from_count(LONG_AFTER).start();
    for _ in 0..MAX_PASSES {
        if store.seal_counts(now).await.expect("the store seals").left == 0 {
            return;
        }
    }
    panic!("counts are left after {MAX_PASSES} passes");
}

/// 2030-01-01-00: no case has pages as late.
const LONG_AFTER: i64 = 525_960;
/// More than any number of pages needs.
const MAX_PASSES: usize = 1_000;

/// Panics when the store answers any read otherwise than the rules say for these pages.
pub(crate) async fn check_all_reads<'a>(store: &dyn Store, pages: impl IntoIterator<Item = &'a Page>) {
    let found = differences(store, &Reference::of(pages), Scope::Part).await.expect("the store answers");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
