//! Damage by hand, each kind of it: found, named and mended.

use super::open;
use crate::store::conformance::Realm;
use crate::store::embedded::DATABASE_FILE;
use crate::tables::Table;
use crate::verify::tests::{check_clean, check_mended, check_told, fill, pages_of_all_kinds};
use rusqlite::Connection;
use std::path::Path;

const REALM: &str = "verify_embedded";

async fn filled(folder: &Path) {
    let store = open(folder).await.unwrap();
    fill(&store, &pages_of_all_kinds(&Realm::of(REALM))).await;
}

fn damage(folder: &Path, sql: &str) {
    let db = Connection::open(folder.join(DATABASE_FILE)).unwrap();
    assert!(db.execute(sql, []).unwrap() > 0, "{sql} changed nothing");
}

/// After `sql` a line with these words is told, none of other tables but of `also`, and a repair mends it.
async fn check_damage(sql: &str, wanted: &[&str], also: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    damage(folder.path(), sql);
    let store = open(folder.path()).await.unwrap();
    let found = check_told(&store, sql, wanted, also).await;
    check_mended(&store, sql, &found).await.unwrap();
}

#[tokio::test]
async fn an_unharmed_store_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    assert_eq!(check_clean(&store).await.pages, 0);
    let pages = pages_of_all_kinds(&Realm::of(REALM));
    fill(&store, &pages).await;
    let found = check_clean(&store).await;
    assert_eq!(found.pages, 427);
    assert!(found.rows > found.pages * (Table::ALL.len() as u64 - 1), "{found:?}");
}

#[tokio::test]
async fn a_row_that_is_gone() {
    let gone = |index: &str| format!("DELETE FROM {index} WHERE page_no = 77");
    check_damage(&gone("id_index"), &["pages_by_id: missing page_id="], &[]).await;
    let accounts = &["accounts: ", "counts of user_"];
    check_damage(&gone("user_index"), &["pages_by_user: missing page_id="], accounts).await;
    check_damage(&gone("account_index"), &["pages_by_account: missing page_id="], accounts).await;
    check_damage(&gone("domain_index"), &["pages_by_domain: missing page_id="], &["counts of w"]).await;
    check_damage(&gone("user_name_index"), &["pages_by_user_name: missing page_id="], accounts).await;
    check_damage(&gone("latest_index"), &["latest_pages: missing page_id="], &[]).await;
    check_damage(&gone("title_index"), &["pages_by_title: missing page_id="], &[]).await;
    let others = &["pages_by_", "latest_pages: ", "counts of "];
    check_damage(&gone("time_index"), &["latest_pages: not in pages_by_time page_id="], others).await;
}

#[tokio::test]
async fn a_row_under_another_key() {
    let others = &["accounts: ", "counts of "];
    for (index, table, change) in [
        ("id_index", "pages_by_id", "created_at = created_at + 1"),
        ("user_index", "pages_by_user", "user_id = '5'"),
        ("account_index", "pages_by_account", "user_id = '5'"),
        ("domain_index", "pages_by_domain", "created_at = created_at - 3600000"),
        ("user_name_index", "pages_by_user_name", "page_id = '1'"),
        ("latest_index", "latest_pages", "domain = 'x.org'"),
        ("title_index", "pages_by_title", "page_title = 'Other'"),
    ] {
        let sql = format!("UPDATE {index} SET {change} WHERE page_no = 77");
        check_damage(&sql, &[&format!("{table}: "), "no page's row", "it points at"], others).await;
    }
    let sql = "UPDATE time_index SET hour = hour + 3 WHERE page_no = 77";
    check_damage(sql, &["pages_by_time: no page's row date_hour=", "it points at"], &["pages_by", "latest", "counts"])
        .await;
}

#[tokio::test]
async fn a_row_too_much() {
    let sql = "INSERT INTO latest_index SELECT created_at, domain, '9' || page_id, page_no FROM latest_index WHERE page_no = 7";
    check_damage(sql, &["latest_pages: no page's row", "it points at"], &[]).await;
    let sql =
        "INSERT INTO id_index SELECT '9' || page_id, domain_no, created_at, 999999 FROM id_index WHERE page_no = 7";
    check_damage(sql, &["pages_by_id: no page's row", "its page is missing"], &[]).await;
    // An older creation instead of the newest.
    let sql = "UPDATE id_index SET created_at = p.created_at, page_no = p.page_no FROM pages p, domain_names d \
               WHERE p.page_id = CAST(id_index.page_id AS INTEGER) AND p.domain_no = id_index.domain_no \
               AND p.created_at < id_index.created_at";
    check_damage(sql, &["pages_by_id: differs page_id=", " created_at 20"], &[]).await;
}

/// A page is stored once: cells that are no key are the same in all tables, and only counts tell.
#[tokio::test]
async fn a_page_that_is_changed_or_gone() {
    let others = &["pages_by_", "latest_pages", "counts of ", "accounts: "];
    check_damage("UPDATE pages SET namespace = 99 WHERE page_no = 77", &["counts of ", "namespace=99"], others).await;
    check_damage("UPDATE pages SET user_id = 5 WHERE page_no = 77", &["pages_by_user: no page's row"], others).await;
    check_damage(
        "DELETE FROM pages WHERE page_no = 77",
        &["pages_by_id: no page's row", "its page is missing"],
        others,
    )
    .await;
}

#[tokio::test]
async fn counts_that_are_wrong() {
    let first = |table: &str, condition: &str| format!("{table} WHERE page_count > 0 AND {condition} LIMIT 1");
    for (unit, name) in [(0, "hour"), (1, "day"), (2, "month"), (3, "year")] {
        for (table, told) in [("total_counts", "counts of all wikis"), ("domain_counts", "counts of ")] {
            let key =
                if table == "total_counts" { "unit, start, family, kind" } else { "unit, start, domain_no, kind" };
            let row = format!("({key}) IN (SELECT {key} FROM {})", first(table, &format!("unit = {unit}")));
            let words = [told, &format!("in {name} 20")[..]];
            check_damage(&format!("UPDATE {table} SET page_count = page_count + 1 WHERE {row}"), &words, &["counts"])
                .await;
            check_damage(&format!("DELETE FROM {table} WHERE {row}"), &words, &["counts"]).await;
            let stray = format!("INSERT INTO {table} SELECT {unit}, 87672, {}, kind, 3 FROM {table} LIMIT 1", 1);
            check_damage(&stray, &[told, &format!("in {name} 1980"), ": 3, pages 0"], &["counts"]).await;
        }
    }
    for table in ["user_counts", "user_month_counts"] {
        let row =
            format!("rowid_key IN (SELECT start || '/' || account_no || '/' || kind FROM {})", first(table, "TRUE"));
        let row = row.replace("rowid_key", "start || '/' || account_no || '/' || kind");
        let words = ["counts of ", "user_name="];
        check_damage(&format!("UPDATE {table} SET page_count = page_count + 1 WHERE {row}"), &words, &["counts"]).await;
        check_damage(&format!("DELETE FROM {table} WHERE {row}"), &words, &["counts"]).await;
    }
}

#[tokio::test]
async fn lists_that_lack_something() {
    let wiki = "DELETE FROM domain_names WHERE domain_no = 1";
    let others = &["pages_by_", "latest_pages", "counts of ", "accounts: "];
    check_damage(wiki, &["pages_by_domain: no page's row", "its page's domain is missing"], others).await;
    check_damage(
        "UPDATE domain_names SET wiki = 'a' WHERE domain_no = 1",
        &["domains: ", "has wiki a instead of w"],
        &[],
    )
    .await;
    check_damage("DELETE FROM hours WHERE hour = (SELECT min(hour) FROM hours)", &["hours: ", "is not listed"], &[])
        .await;
    check_damage("UPDATE hours SET date_hour = 'x' WHERE hour = (SELECT min(hour) FROM hours)", &["hours: "], &[])
        .await;
    check_damage("DELETE FROM accounts WHERE account_no = 2", &["accounts: those of user_name="], &["counts of "])
        .await;
}
