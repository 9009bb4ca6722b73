//! Writing: again, in any order, another version, the same page made again, records, hostile texts.

use crate::page::Page;
use crate::query::{PageList, PageQuery};
use crate::reference::Reference;
use crate::store::conformance::{Realm, check_all_reads, seal, write};
use crate::store::{PipelineRecord, Store};
use chrono::{DateTime, TimeDelta};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// An empty write is one.
pub async fn nothing_is_written(store: &dyn Store) {
    store.write_pages(&[], DateTime::UNIX_EPOCH).await.expect("an empty write is one");
}

/// Writing the same pages again, alone or with others, changes nothing.
pub async fn writing_twice_changes_nothing(store: &dyn Store) {
    let pages = Realm::of("writing_twice_changes_nothing").varied_pages(300);
    write(store, &pages[..200]).await;
    write(store, &pages[..200]).await;
    write(store, &pages[100..]).await;
    write(store, &[pages.clone(), pages.clone()].concat()).await;
    check_all_reads(store, &pages).await;
}

/// Pages shuffled and cut into batches of any size, many of them twice: always the same.
pub async fn any_order_gives_the_same(store: &dyn Store) {
    for seed in 1..=4 {
        let pages = Realm::of(&format!("any_order_gives_the_same_{seed}")).varied_pages(240);
        let mut events = [pages.clone(), newer_versions(&pages[..60]), pages[..120].to_vec()].concat();
        events.shuffle(&mut StdRng::seed_from_u64(seed));
        let mut rest = events.as_slice();
        for size in [1, 7, 64, 3, 150, 500] {
            let (batch, behind) = rest.split_at(size.min(rest.len()));
            store.write_pages(batch, DateTime::UNIX_EPOCH).await.expect("the store takes a batch");
            rest = behind;
        }
        seal(store).await;
        check_all_reads(store, &events).await;
    }
}

/// Of two events with one key the larger version wins with all its cells, whichever comes first.
pub async fn the_larger_version_wins(store: &dyn Store) {
    let realm = Realm::of("the_larger_version_wins");
    let old: Vec<Page> = (0..20).map(|n| realm.page(n)).collect();
    let new = newer_versions(&old);
    write(store, &[&old[..5], &new[5..10]].concat()).await;
    write(store, &[&new[..5], &old[5..10]].concat()).await;
    write(store, &[&old[10..15], &new[10..15], &new[15..], &old[15..]].concat()).await;
    let list = PageQuery::newest(PageList::Domain(realm.domain(0)), 100);
    let mut wanted = new.clone();
    wanted.reverse();
    assert_eq!(store.list_pages(&list).await.expect("the store answers").pages, wanted);
    check_all_reads(store, old.iter().chain(&new)).await;
}

/// A page that was deleted and made again is two creations; by its number the newest is found.
pub async fn a_page_made_again(store: &dyn Store) {
    let realm = Realm::of("a_page_made_again");
    let (first, mut again) = (realm.page(1), realm.page(1));
    again.created_at += TimeDelta::hours(2);
    again.version = again.created_at.timestamp_micros();
    again.user_id = realm.user_id(9);
    write(store, std::slice::from_ref(&again)).await;
    write(store, std::slice::from_ref(&first)).await;
    let by_id = store.pages_by_id(first.page_id).await.expect("the store answers");
    assert_eq!(by_id, [again.clone()], "the newest creation only, though the older was written last");
    let list = PageQuery::newest(PageList::Domain(realm.domain(0)), 10);
    let listed = store.list_pages(&list).await.expect("the store answers").pages;
    assert_eq!(listed, [again.clone(), first.clone()]);
    check_all_reads(store, [&first, &again]).await;
}

/// Records are kept by kind and key; the last one stays.
pub async fn records_are_replaced(store: &dyn Store) {
    let record = |kind: &str, key: &str, payload: &[u8]| PipelineRecord {
        kind: format!("records-are-replaced-{kind}"),
        key: key.into(),
        payload: payload.into(),
    };
    let records = [
        record("a", "stream", b"old"),
        record("a", "gap:2", &[0, 159, 146, 150]),
        record("b", "stream", b"other kind"),
        record("a", "stream", b"[{\"topic\":\"eqiad\",\"offset\":-1}]"),
        record("a", "", b""),
    ];
    let mut reference = Reference::default();
    for record in &records {
        store.put_record(record).await.expect("the store takes a record");
        reference.put_record(record);
    }
    for kind in ["a", "b", "none"].map(|kind| format!("records-are-replaced-{kind}")) {
        let stored = store.records(&kind).await.expect("the store answers");
        assert_eq!(stored, reference.records(&kind), "{kind}");
    }
    let position = &store.records(&records[0].kind).await.expect("the store answers")[2];
    assert_eq!(position.payload, records[3].payload);
}

/// Texts that strangers chose come back byte for byte.
pub async fn hostile_texts_come_back(store: &dyn Store) {
    let realm = Realm::of("hostile_texts_come_back");
    let long = "𝔘ñ".repeat(10_000);
    let name_of_255_bytes = format!("{}a", "ü".repeat(127));
    let texts = [
        "'; DROP TABLE pages; --",
        "\"quoted\" \\ back",
        "nul\0inside",
        "\u{202e}evil\u{2066}\u{200f}",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "e\u{301} é",
        "<script>alert(1)</script>",
        "\u{1b}[31mred\r\n",
        "%_?1 :a $1",
        "",
        " ",
        &name_of_255_bytes,
        &long,
    ];
    let pages: Vec<Page> = (0..).zip(texts).map(|(n, text)| hostile_page(&realm, n, text)).collect();
    write(store, &pages).await;
    check_all_reads(store, &pages).await;
}

fn hostile_page(realm: &Realm, number: u32, text: &str) -> Page {
    let name: String = text.chars().take(200).collect();
    Page {
        page_title: text.into(),
        // A name of its own also where the text is empty.
        user_name: if name.is_empty() { realm.user_name(0) } else { format!("{name}{}", realm.user_name(1)) },
        user_id: realm.user_id(u64::from(number)),
        event_id: if number.is_multiple_of(2) { Some(text.chars().take(100).collect()) } else { None },
        namespace: if number == 0 { i32::MIN } else { i32::MAX },
        rev_id: u64::try_from(i64::MAX).expect("it is positive"),
        ..realm.page(number)
    }
}

/// Events with the keys of `pages`, a larger version, and all other cells different where keys allow it.
pub(crate) fn newer_versions(pages: &[Page]) -> Vec<Page> {
    let newer = |page: &Page| Page {
        page_title: format!("{}_newer", page.page_title),
        namespace: page.namespace + 100,
        is_redirect: !page.is_redirect,
        is_bot: !page.is_bot,
        rev_id: page.rev_id + 1_000,
        event_id: None,
        version: page.version + 1_000,
        ..page.clone()
    };
    pages.iter().map(newer).collect()
}
