//! What only the embedded store has: its file, its folder, its views. The rest is the conformance suite's.

use crate::hour::HourRange;
use crate::page::Page;
use crate::period::TimeUnit;
use crate::query::{CountQuery, PageList, PageQuery, Series};
use crate::reference::{Reference, Scope, differences};
use crate::store::embedded::{DATABASE_FILE, EmbeddedStore, counts};
use crate::store::{Call, Durability, Migration, PipelineRecord, Store, StoreError};
use chrono::DateTime;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

mod histories;
mod retention;
mod upgrade;
mod verify;

fn page(page_id: u64, seconds: i64, title: &str) -> Page {
    Page {
        page_id: page_id.to_string().parse().unwrap(),
        user_id: "43130".parse().unwrap(),
        user_name: "Candalua".into(),
        domain: "it.wikisource.org".parse().unwrap(),
        page_title: title.into(),
        created_at: DateTime::from_timestamp(seconds, 0).unwrap(),
        wiki: "itwikisource".parse().unwrap(),
        namespace: 0,
        is_redirect: false,
        is_bot: false,
        rev_id: 1,
        event_id: None,
        version: seconds * 1_000_000,
    }
}

async fn open(folder: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(folder, Migration::Apply, Durability::Process).await
}

/// Opening `folder` is refused by one line with these words.
async fn check_refused(folder: &Path, migration: Migration, words: &[&str]) {
    check_refusal(EmbeddedStore::open(folder, migration, Durability::Process).await, words);
}

fn check_refusal(opened: Result<EmbeddedStore, StoreError>, words: &[&str]) {
    match opened {
        Err(StoreError::Unsupported(line)) => {
            assert!(!line.contains('\n') && words.iter().all(|word| line.contains(word)), "{line}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let record = PipelineRecord { kind: "positions".into(), key: "stream".into(), payload: vec![0, 1, 255] };
    let store = open(folder.path()).await.unwrap();
    store.write_pages(&[page(1, 60, "A"), page(2, 60, "B")], DateTime::UNIX_EPOCH).await.unwrap();
    store.put_record(&record).await.unwrap();
    drop(store);

    let store = open(folder.path()).await.unwrap();
    store.write_pages(&[page(3, 61, "C"), page(1, 60, "A")], DateTime::UNIX_EPOCH).await.unwrap();
    let slice = store.list_pages(&PageQuery::newest(PageList::All, 10)).await.unwrap();
    let titles: Vec<_> = slice.pages.iter().map(|p| p.page_title.as_str()).collect();
    assert_eq!(titles, ["C", "B", "A"]);
    assert_eq!(store.records("positions").await.unwrap(), [record]);
}

#[tokio::test]
async fn writes_that_wait_together_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let pages: Vec<Page> = (1..=300).map(|n| page(n, 3600 + i64::try_from(n).unwrap() / 7, "T")).collect();
    let results =
        futures::future::join_all(pages.chunks(1).map(|chunk| store.write_pages(chunk, DateTime::UNIX_EPOCH))).await;
    assert!(results.iter().all(Result::is_ok));
    let slice = store.list_pages(&PageQuery::newest(PageList::All, 1000)).await.unwrap();
    assert_eq!((slice.pages.len(), slice.next), (300, None));
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    check_refused(folder.path(), Migration::Apply, &["in use by another pagetrack"]).await;
    drop(store);
    assert!(open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).await.unwrap());
    let db = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    db.execute("UPDATE schema_version SET version = version + 1", []).unwrap();
    drop(db);
    check_refused(folder.path(), Migration::Apply, &["layout version 5", "writes 4", "newer pagetrack"]).await;
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(DATABASE_FILE);
    std::fs::write(&file, "not a database at all, but long enough to have a header ".repeat(4)).unwrap();
    check_refused(folder.path(), Migration::Apply, &["is not a database of pagetrack"]).await;

    std::fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE others (a)").unwrap();
    check_refused(folder.path(), Migration::Apply, &["is not a database of pagetrack"]).await;
}

#[tokio::test]
async fn an_unusable_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    check_refused(&file.join("below"), Migration::Apply, &["cannot be written", "--store"]).await;
    check_refused(&folder.path().join("none"), Migration::Expect, &["pagetrack migrate"]).await;
    check_refused(folder.path(), Migration::Expect, &["pagetrack migrate"]).await;
}

#[tokio::test]
async fn a_sample_is_made_anew_and_stays_apart_from_live_pages() {
    let folder = tempfile::tempdir().unwrap();
    // A kill may leave an empty file before the layout is there.
    std::fs::write(folder.path().join(DATABASE_FILE), "").unwrap();
    for start in 1..=3 {
        let sample = EmbeddedStore::open_sample(folder.path()).await.unwrap();
        sample.write_pages(&[page(start, 60, "A")], DateTime::UNIX_EPOCH).await.unwrap();
        let pages = sample.list_pages(&PageQuery::newest(PageList::All, 10)).await.unwrap().pages;
        assert_eq!(pages, [page(start, 60, "A")]);
    }
    for migration in [Migration::Apply, Migration::Expect] {
        check_refused(folder.path(), migration, &["holds the recorded sample", "--store"]).await;
    }
}

#[tokio::test]
async fn a_name_that_an_account_no_longer_has_costs_none_of_its_later_pages() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let renamed = |n: u64| Page { user_name: "Renamed".into(), ..page(10 + n, 7_200 + i64::try_from(n).unwrap(), "T") };
    let before = [page(1, 60, "A"), page(2, 61, "B")];
    let pages: Vec<Page> = before.iter().cloned().chain((0..3_000).map(renamed)).collect();
    store.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.users_by_name("Candalua").await.unwrap(), before[1..]);
    assert_eq!(store.users_by_name("Renamed").await.unwrap(), pages[pages.len() - 1..]);
    let read = store.rows_read().into_iter().find(|reads| reads.call == Call::UsersByName).unwrap();
    assert_eq!((read.calls, read.rows), (2, 6));
}

/// A sample in `folder` is refused by one line with these words.
async fn check_sample_refused(folder: &Path, words: &[&str]) {
    check_refusal(EmbeddedStore::open_sample(folder).await, words);
}

#[tokio::test]
async fn a_sample_replaces_nothing_but_an_earlier_sample_that_nobody_uses() {
    let folder = tempfile::tempdir().unwrap();
    let first = EmbeddedStore::open_sample(folder.path()).await.unwrap();
    check_sample_refused(folder.path(), &["in use by another pagetrack"]).await;
    assert!(folder.path().join(DATABASE_FILE).is_file());
    drop(first);

    let folder = tempfile::tempdir().unwrap();
    let live = open(folder.path()).await.unwrap();
    live.write_pages(&[page(1, 60, "A")], DateTime::UNIX_EPOCH).await.unwrap();
    drop(live);
    check_sample_refused(folder.path(), &["not the sample's", "--store"]).await;
    let live = open(folder.path()).await.unwrap();
    assert_eq!(live.list_pages(&PageQuery::newest(PageList::All, 10)).await.unwrap().pages, [page(1, 60, "A")]);
    drop(live);

    let (file, other) = (folder.path().join(DATABASE_FILE), "something else, and long enough ".repeat(9));
    std::fs::write(&file, &other).unwrap();
    check_sample_refused(folder.path(), &["is not a database of pagetrack"]).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), other);
}

/// The rows of a documented SELECT, their columns joined by `|`, and the columns' names.
fn select(folder: &Path, sql: &str) -> (String, Vec<String>) {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_names().collect::<Vec<_>>().join(",");
    let width = statement.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let cells = (0..width).map(|i| row.get::<_, rusqlite::types::Value>(i).map(|v| format!("{v:?}")));
        Ok(cells.collect::<Result<Vec<_>, _>>()?.join("|"))
    };
    let rows = statement.query_map([], text).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    (columns, rows)
}

#[tokio::test]
async fn documented_selects_work_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    // 2025-05-18 13:00:10: two of one second, so that the order of their ids as text shows.
    let at = 1_747_573_210;
    let pages = [page(975_886, at, "A"), page(1_000_000, at, "B"), page(975_885, at + 5, "C")];
    store.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    let tables = [
        ("pages_by_user", "user_id = '43130'"),
        ("pages_by_domain", "domain = 'it.wikisource.org'"),
        ("pages_by_time", "date_hour = '2025-05-18-13'"),
        ("pages_by_user_name", "user_name = 'Candalua'"),
        ("latest_pages", "date_hour = '2025-05-18-13'"),
    ];
    for (table, condition) in tables {
        let (_, rows) = select(folder.path(), &format!("SELECT page_id FROM {table} WHERE {condition}"));
        assert_eq!(rows, [r#"Text("975885")"#, r#"Text("975886")"#, r#"Text("1000000")"#], "{table}");
    }
    let documented = "page_id, user_id, user_name, domain, page_title, created_at";
    let (columns, rows) =
        select(folder.path(), &format!("SELECT {documented} FROM pages_by_id WHERE page_id = '1000000'"));
    assert_eq!(columns, "page_id,user_id,user_name,domain,page_title,created_at");
    let row = r#"Text("1000000")|Text("43130")|Text("Candalua")|Text("it.wikisource.org")|Text("B")|Text("2025-05-18 13:00:10")"#;
    assert_eq!(rows, [row]);
    let (columns, rows) = select(folder.path(), "SELECT * FROM domains");
    assert_eq!(
        (columns.as_str(), rows),
        ("domain,wiki", vec![r#"Text("it.wikisource.org")|Text("itwikisource")"#.into()])
    );
}

/// Here a creation has one author at a time, also in the tables with the author in their key.
#[tokio::test]
async fn a_larger_version_by_another_author_moves_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let (old, mut new) = (page(1, 60, "A"), page(1, 60, "A"));
    new.version += 1;
    new.user_id = "9".parse().unwrap();
    new.user_name = "Other".into();
    store.write_pages(&[old.clone(), page(2, 70, "B")], DateTime::UNIX_EPOCH).await.unwrap();
    store.write_pages(std::slice::from_ref(&new), DateTime::UNIX_EPOCH).await.unwrap();
    store.write_pages(std::slice::from_ref(&old), DateTime::UNIX_EPOCH).await.unwrap();
    let reference = Reference::of([&page(2, 70, "B"), &old, &new]);
    assert_eq!(differences(&store, &reference, Scope::Whole).await.unwrap(), [""; 0]);
    let left = store.list_pages(&PageQuery::newest(PageList::UserId(old.user_id), 10)).await.unwrap();
    assert_eq!(left.pages, [page(2, 70, "B")]);
}

async fn open_for_conformance() -> Option<crate::store::conformance::Opened> {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    Some(crate::store::conformance::Opened { store: std::sync::Arc::new(store), keep: Box::new(folder) })
}

crate::store_conformance!(open_for_conformance);

#[tokio::test]
async fn a_larger_version_takes_its_page_to_another_title() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let old = page(1, 60, "A");
    let new = Page { page_title: "Other".into(), version: old.version + 1, ..old.clone() };
    for pages in [&old, &new, &old] {
        store.write_pages(std::slice::from_ref(pages), DateTime::UNIX_EPOCH).await.unwrap();
    }
    assert_eq!(store.pages_by_title(&old.domain, &old.page_title, 9).await.unwrap(), [], "nothing is left there");
    assert_eq!(store.pages_by_title(&new.domain, "Other", 9).await.unwrap(), [new]);
}

/// The database groups a person's counts before it gives the first: it must not read all of them for that.
#[tokio::test]
async fn counts_beyond_the_bound_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pages: Vec<Page> = (1..=3_000).map(|n| page(n, n.cast_signed() * 3_600, "A")).collect();
    open(folder.path()).await.unwrap().write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    let mut db = Connection::open(folder.path().join(DATABASE_FILE)).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let stepped = Arc::clone(&steps);
    db.progress_handler(100, Some(move || stepped.fetch_add(100, Ordering::Relaxed) == u64::MAX)).unwrap();
    for series in [
        Series::UserName("Candalua".into()),
        Series::User("it.wikisource.org".parse().unwrap(), "43130".parse().unwrap()),
    ] {
        let query = CountQuery { series, hours: HourRange::ALL, unit: TimeUnit::Hour, max_rows: 100 };
        steps.store(0, Ordering::Relaxed);
        assert_eq!(counts::counts(&db, &query).unwrap(), None);
        let bounded = steps.load(Ordering::Relaxed);
        let all = counts::counts(&db, &CountQuery { max_rows: 3_000, ..query }).unwrap().expect("as many as there are");
        assert_eq!(all.iter().map(|count| count.page_count).sum::<u64>(), 3_000);
        let unbounded = steps.load(Ordering::Relaxed) - bounded;
        assert!(bounded * 10 < unbounded, "{bounded} steps, {unbounded} without a bound");
    }
}
