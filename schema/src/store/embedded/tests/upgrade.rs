//! A store of an older layout: it is counted while it takes pages and answers lists.

use super::{check_refused, open};
use crate::counts::count_pages;
use crate::hour::HourRange;
use crate::page::Page;
use crate::query::{PageFilter, PageList, PageQuery};
use crate::reference::{Reference, Scope, differences};
use crate::store::conformance::{Realm, newer_versions};
use crate::store::embedded::awaiting::{Awaiting, Work};
use crate::store::embedded::batch::{Batches, Counting};
use crate::store::embedded::{DATABASE_FILE, EmbeddedStore, layout, titles};
use crate::store::{Durability, Migration, Store, StoreError};
use chrono::DateTime;
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

/// More than two parts of counting.
const PAGES: u32 = 12_000;

/// Makes the database of `folder` what version 1 of the layout left: the same pages, rollups by hour and wiki only.
fn downgrade(folder: &Path) {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    db.execute_batch(include_str!("downgrade.sql")).unwrap();
}

async fn old_store(folder: &Path) -> Vec<Page> {
    let pages = Realm::of("old_store").varied_pages(PAGES);
    open(folder).await.unwrap().write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    downgrade(folder);
    pages
}

fn write(db: &mut Connection, batches: &mut Batches, pages: &[Page]) {
    let transaction = db.transaction().unwrap();
    batches.write(&transaction, &pages.iter().collect::<Vec<_>>()).unwrap();
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_sample_of_an_older_layout_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    drop(EmbeddedStore::open_sample(folder.path()).await.unwrap());
    downgrade(folder.path());
    check_refused(folder.path(), Migration::Apply, &["holds the recorded sample", "--store"]).await;
    drop(EmbeddedStore::open_sample(folder.path()).await.unwrap());
}

#[tokio::test]
async fn pages_written_while_older_ones_are_counted_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = old_store(folder.path()).await;
    let (newer, realm) = (newer_versions(&all), Realm::of("old_store"));
    for part in 0.. {
        // A process of its own for each part: the work is taken up where it was left.
        let path = folder.path().join(DATABASE_FILE);
        let mut db = layout::open_writer(&path, Migration::Apply, Durability::Process).unwrap();
        let mut batches = Batches::open(&db, Counting::On).unwrap();
        // Larger versions of pages that are counted and of pages that are not yet, and new pages.
        let changed: Vec<Page> = newer.iter().skip(part).step_by(900).cloned().collect();
        let new: Vec<Page> = (0..40u32).map(|n| realm.page(20_000 + n + 40 * u32::try_from(part).unwrap())).collect();
        write(&mut db, &mut batches, &changed);
        let goes_on = batches.count_part(&mut db).unwrap();
        let goes_on_by_title = titles::index_part(&mut db).unwrap();
        assert_eq!(goes_on, goes_on_by_title, "as many parts");
        write(&mut db, &mut batches, &new);
        all.extend(changed.into_iter().chain(new));
        if !goes_on {
            assert_eq!(part, 2, "as many parts as there are pages for");
            break;
        }
    }
    let store = open(folder.path()).await.unwrap();
    assert_eq!(differences(&store, &Reference::of(&all), Scope::Whole).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn an_older_store_answers_while_it_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let pages = old_store(folder.path()).await;
    check_refused(folder.path(), Migration::Expect, &["layout version 1", "`pagetrack migrate`"]).await;
    let store = open(folder.path()).await.unwrap();
    let newest = store.list_pages(&PageQuery::newest(PageList::All, 1)).await.unwrap();
    assert_eq!(newest.pages, Reference::of(&pages).list_pages(&PageQuery::newest(PageList::All, 1)));
    let deadline = Instant::now() + Duration::from_secs(20);
    let counted = loop {
        match count_pages(&store, &PageList::All, HourRange::ALL, &PageFilter::default()).await {
            Ok(counted) => break counted,
            Err(StoreError::Unavailable(line)) => assert!(line.contains("are being counted"), "{line}"),
            Err(other) => panic!("{other}"),
        }
        assert!(Instant::now() < deadline, "not counted within 20 s");
        tokio::task::yield_now().await;
    };
    assert_eq!(counted, u64::from(PAGES));
}

/// Makes the database of `folder` what version 2 of the layout left: no index by title.
fn downgrade_to_2(folder: &Path) {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    let sql = "DROP TABLE title_index; DROP TABLE unindexed; UPDATE schema_version SET version = 2";
    db.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_store_without_titles_counts_while_they_are_entered() {
    let folder = tempfile::tempdir().unwrap();
    let pages = Realm::of("old_titles").varied_pages(PAGES);
    open(folder.path()).await.unwrap().write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    downgrade_to_2(folder.path());
    check_refused(folder.path(), Migration::Expect, &["layout version 2", "`pagetrack migrate`"]).await;
    // The writer has no turn yet: titles wait, and say so; counts do not.
    let path = folder.path().join(DATABASE_FILE);
    let mut db = layout::open_writer(&path, Migration::Apply, Durability::Process).unwrap();
    assert!(titles::index_part(&mut db).unwrap(), "more than one part");
    let error = Awaiting::check_done(&db, Work::Indexing).expect_err("not all titles are entered");
    assert!(error.to_string().contains("entered in the index by title, 42 % are done"), "{error}");
    Awaiting::check_done(&db, Work::Counting).unwrap();
    drop(db);
    let store = open(folder.path()).await.unwrap();
    let count = count_pages(&store, &PageList::All, HourRange::ALL, &PageFilter::default()).await.unwrap();
    assert_eq!(count, u64::from(PAGES));
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.seal_counts(DateTime::UNIX_EPOCH).await.unwrap().left > 0 {
        assert!(Instant::now() < deadline, "not entered within 20 s");
    }
    assert_eq!(differences(&store, &Reference::of(&pages), Scope::Whole).await.unwrap(), [""; 0]);
}

/// Makes the database of `folder` what version 3 of the layout left: all ids of events as text.
fn downgrade_to_3(folder: &Path) {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    let sql = "UPDATE pages SET event_id = v.event_id FROM page_rows v WHERE v.page_no = pages.page_no; \
               UPDATE schema_version SET version = 3";
    db.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn ids_of_events_are_read_as_text_and_as_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages = Realm::of("event_ids").varied_pages(20);
    for (page, n) in pages.iter_mut().zip(0..) {
        page.event_id = Some(uuid::Uuid::from_u128(n).to_string());
    }
    let (older, newer) = pages.split_at(10);
    open(folder.path()).await.unwrap().write_pages(older, DateTime::UNIX_EPOCH).await.unwrap();
    downgrade_to_3(folder.path());
    check_refused(folder.path(), Migration::Expect, &["layout version 3", "`pagetrack migrate`"]).await;
    let store = open(folder.path()).await.unwrap();
    store.write_pages(newer, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(differences(&store, &Reference::of(&pages), Scope::Whole).await.unwrap(), [""; 0]);

    let db = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let strings = |sql: &str| -> Vec<String> {
        db.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    };
    let kinds = strings("SELECT typeof(event_id) FROM pages ORDER BY page_no");
    assert_eq!(kinds, [["text"; 10], ["blob"; 10]].concat());
    let mut expect: Vec<String> = pages.iter().filter_map(|page| page.event_id.clone()).collect();
    expect.sort_unstable();
    assert_eq!(strings("SELECT event_id FROM pages_by_time ORDER BY event_id"), expect);
}
