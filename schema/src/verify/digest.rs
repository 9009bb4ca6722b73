//! Digests of a table's rows per hour, the same in whatever order the rows come.

use crate::hour::Hour;
use crate::page::Page;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_128;

/// How many pages, and the sum of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digest {
    pub(super) count: u64,
    sum: u128,
}

/// The digests of a table.
#[derive(Debug, Default)]
pub(super) struct Digests {
    hours: BTreeMap<Hour, Digest>,
    /// One page's cells: kept for its room.
    cells: Vec<u8>,
}

impl Digests {
    pub(super) fn add(&mut self, page: &Page) {
        write_cells(page, &mut self.cells);
        let digest = self.hours.entry(Hour::of(page.created_at)).or_default();
        digest.count += 1;
        digest.sum = digest.sum.wrapping_add(xxh3_128(&self.cells));
    }

    pub(super) fn of(&self, hour: Hour) -> Digest {
        self.hours.get(&hour).copied().unwrap_or_default()
    }

    /// The hours that have pages.
    pub(super) fn hours(&self) -> impl Iterator<Item = Hour> {
        self.hours.keys().copied()
    }

    /// All pages.
    pub(super) fn count(&self) -> u64 {
        self.hours.values().map(|digest| digest.count).sum()
    }

    /// The hours in which the two are not the same, oldest first.
    pub(super) fn differing(&self, other: &Self) -> Vec<Hour> {
        let mut hours: Vec<Hour> = self.hours().chain(other.hours()).collect();
        hours.sort_unstable();
        hours.dedup();
        hours.retain(|hour| self.of(*hour) != other.of(*hour));
        hours
    }
}

/// Each cell, so that no two pages are written alike: texts begin with their length.
fn write_cells(page: &Page, to: &mut Vec<u8>) {
    to.clear();
    let numbers = [page.page_id.get(), page.user_id.get(), page.rev_id, page.version.cast_unsigned()];
    numbers.iter().for_each(|number| to.extend(number.to_le_bytes()));
    to.extend(page.created_at.timestamp_micros().to_le_bytes());
    to.extend(page.namespace.to_le_bytes());
    to.extend([u8::from(page.is_redirect), u8::from(page.is_bot), u8::from(page.event_id.is_some())]);
    let event_id = page.event_id.as_deref().unwrap_or_default();
    for text in [&page.user_name, page.domain.as_str(), &page.page_title, page.wiki.as_str(), event_id] {
        to.extend((text.len() as u64).to_le_bytes());
        to.extend(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{Realm, newer_versions};

    fn digests<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Digests {
        let mut digests = Digests::default();
        pages.into_iter().for_each(|page| digests.add(page));
        digests
    }

    #[test]
    fn every_cell_counts_and_no_order_does() {
        let pages = Realm::of("digest").varied_pages(60);
        let all = digests(&pages);
        assert_eq!(all.differing(&digests(pages.iter().rev())), []);
        assert_eq!(all.count(), 60);
        let (page, other) = (&pages[0], &newer_versions(&pages[..1])[0]);
        let changes: [fn(&mut Page, &Page); 8] = [
            |page, other| page.page_title = other.page_title.clone(),
            |page, other| page.namespace = other.namespace,
            |page, other| page.is_redirect = other.is_redirect,
            |page, other| page.is_bot = other.is_bot,
            |page, other| page.rev_id = other.rev_id,
            |page, other| page.version = other.version,
            |page, _| page.event_id = None,
            |page, _| std::mem::swap(&mut page.user_name, &mut page.page_title),
        ];
        for change in changes {
            let mut changed = page.clone();
            change(&mut changed, other);
            let changed = digests(pages[1..].iter().chain([&changed]));
            assert_eq!(all.differing(&changed), [Hour::of(page.created_at)]);
        }
    }
}
