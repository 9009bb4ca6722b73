//! Which sealed periods make up a range: the longest that there are, and their parts where a longer one is not sealed.

use crate::hour::HourRange;
use crate::period::{Period, PeriodRange, TimeUnit, cover};
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::heads::{self, Head};
use crate::store::cassandra::hours::stored_years;

/// The heads of the sealed periods that make up `hours`, in order of time. `units` go from the longest to the hour; of
/// longer periods those are taken that are `usable`.
pub(super) async fn sealed_periods(
    store: &CassandraStore,
    hours: HourRange,
    units: &[TimeUnit],
    usable: fn(&Head) -> bool,
) -> Result<Vec<Head>, StoreError> {
    let years = stored_years(store).await?;
    let mut found = Vec::new();
    let mut open = vec![(hours, units)];
    while let Some((hours, units)) = open.pop() {
        for range in cover(hours, units).into_iter().flat_map(|range| within(range, &years)) {
            let shorter = &units[units.iter().position(|unit| *unit == range.unit).map_or(units.len(), |at| at + 1)..];
            let mut heads = heads::in_range(store, range).await?;
            heads.retain(|head| shorter.is_empty() || usable(head));
            if !shorter.is_empty() {
                open.extend(gaps(range.hours, &heads).into_iter().map(|gap| (gap, shorter)));
            }
            found.append(&mut heads);
        }
    }
    found.sort_by_key(|head| head.period);
    Ok(found)
}

/// The parts of a range that can hold pages, where it would be many shelves otherwise.
fn within(range: PeriodRange, years: &[Period]) -> Vec<PeriodRange> {
    if range.unit >= TimeUnit::Month {
        return vec![range];
    }
    let parts = years.iter().map(|year| PeriodRange { hours: range.hours.overlap(year.hours()), ..range });
    parts.filter(|part| !part.hours.is_empty()).collect()
}

/// What of `hours` no head stands for.
fn gaps(hours: HourRange, heads: &[Head]) -> Vec<HourRange> {
    let mut gaps = Vec::new();
    let mut from = hours.from;
    for covered in heads.iter().map(|head| head.period.hours()) {
        gaps.push(HourRange { from, to: covered.from });
        from = covered.to;
    }
    gaps.push(HourRange { from, to: hours.to });
    gaps.retain(|gap| !gap.is_empty());
    gaps
}
