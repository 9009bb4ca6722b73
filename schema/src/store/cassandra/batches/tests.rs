//! Batches lose no row, keep a partition together and stay below what the node warns of.

use super::*;
use crate::page::Page;
use crate::store::conformance::realm::Realm;

fn check_chunks(pages: &[Page], table: Table) {
    let texts: Vec<_> = pages.iter().map(|page| PageTexts::of(page, 0)).collect();
    let chunks = chunks_of(table, texts.iter().collect());
    let mut ids: Vec<_> = chunks.iter().flatten().map(|row| row.page_id.as_str()).collect();
    ids.sort_unstable();
    let mut wanted: Vec<_> = texts.iter().map(|row| row.page_id.as_str()).collect();
    wanted.sort_unstable();
    assert_eq!(ids, wanted, "{table:?}: each row once");
    for chunk in chunks {
        let is_mixed = chunk.iter().any(|row| row.partition(table) != chunk[0].partition(table));
        let bytes: usize = chunk.iter().map(|row| row.weight()).sum();
        assert!(chunk.len() <= PARTITION_ROWS, "{table:?}: {} rows", chunk.len());
        assert!(chunk.len() == 1 || bytes <= PARTITION_BYTES, "{table:?}: {bytes} bytes");
        assert!(!is_mixed || chunk.len() <= MIXED_ROWS && bytes <= MIXED_BYTES, "{table:?}: {} rows", chunk.len());
    }
}

#[test]
fn each_row_goes_once_in_a_batch_the_node_takes() {
    let mut pages = Realm::of("batches").varied_pages(1_000);
    pages[500].page_title = "x".repeat(2 * MIXED_BYTES);
    pages[600..640].iter_mut().for_each(|page| page.page_title = "x".repeat(PARTITION_BYTES / 3));
    Table::ALL.into_iter().for_each(|table| check_chunks(&pages, table));
}

#[test]
fn rows_of_one_partition_share_their_batches() {
    let pages = Realm::of("batches").varied_pages(300);
    let texts: Vec<_> = pages.iter().map(|page| PageTexts::of(page, 0)).collect();
    let chunks = chunks_of(Table::PagesByDomain, texts.iter().collect());
    // Three wikis of 100 pages each, although they came in turn.
    assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 100]);
}

#[test]
fn few_rows_of_several_partitions_share_one() {
    let pages = Realm::of("batches").varied_pages(9);
    let texts: Vec<_> = pages.iter().map(|page| PageTexts::of(page, 0)).collect();
    assert_eq!(chunks_of(Table::PagesByDomain, texts.iter().collect()).len(), 1);
}
