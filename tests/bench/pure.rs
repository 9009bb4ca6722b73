//! `clean` alone: events per second on one core.

use crate::table::{Table, Wanted};
use bytes::Bytes;
use std::time::Instant;

/// Cleans every event three times; the median run counts.
pub(crate) fn measure_clean(events: &[Bytes], table: &mut Table) {
    let mut rates: Vec<f64> = (0..3).map(|_| clean_all(events)).collect();
    table.add("`clean`, one core", Wanted::Stated, crate::table::percentile(&mut rates, 50), "events/s");
}

fn clean_all(events: &[Bytes]) -> f64 {
    let begun = Instant::now();
    let clean = events.iter().filter(|event| std::hint::black_box(ingest::clean::clean(event)).is_ok()).count();
    assert_eq!(clean, events.len(), "every sample event is clean");
    events.len() as f64 / begun.elapsed().as_secs_f64()
}
