//! Damage by hand, each kind of it, on a real node: found, named and mended.

use super::connect;
use super::counting::{open_stores, seal_all};
use crate::page::Page;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::heads::{self, Head};
use crate::store::cassandra::periods::{self, parse_name};
use crate::store::conformance::Realm;
use crate::store::{Migration, Store};
use crate::tables::Table;
use crate::verify::tests::{
    check_clean, check_clean_while_pages_arrive, check_mended, check_told, fill, hour_name, lines_of,
    pages_of_all_kinds,
};
use chrono::{DateTime, TimeDelta};
use tokio::sync::{Mutex, MutexGuard};

const REALM: &str = "verify_cassandra";

/// The keyspace that the tests share, one after the other; each leaves it mended, or does not give it back.
static KEYSPACE: Mutex<Option<String>> = Mutex::const_new(None);

/// A keyspace with pages, one page of it, and what damages it.
struct Filled {
    store: CassandraStore,
    keyspace: String,
    page: Page,
    free: MutexGuard<'static, Option<String>>,
}

impl Filled {
    /// None without a node.
    async fn new() -> Option<Self> {
        let mut free = KEYSPACE.lock().await;
        let (_, nodes, fresh) = connect().await?;
        let pages = pages_of_all_kinds(&Realm::of(REALM));
        let (keyspace, migration) = match free.take() {
            Some(keyspace) => (keyspace, Migration::Expect),
            None => (fresh, Migration::Apply),
        };
        let store = CassandraStore::open(&nodes, &keyspace, migration).await.expect("the tables are there");
        if migration == Migration::Apply {
            assert_eq!(check_clean(&store).await.pages, 0);
            fill(&store, &pages).await;
            assert_eq!(check_clean(&store).await.pages, 427);
        }
        Some(Self { store, keyspace, page: pages[300].clone(), free })
    }

    /// All is mended: the next test may have it.
    fn give_back(mut self) {
        *self.free = Some(std::mem::take(&mut self.keyspace));
    }

    async fn damage(&self, cql: &str) {
        let cql = cql.replace("KEYSPACE", &self.keyspace);
        self.store.session.query_unpaged(cql.as_str(), ()).await.unwrap_or_else(|error| panic!("{cql}: {error}"));
    }

    /// After `cql` a line with these words is told, none of other tables but of `also`, and a repair mends it.
    async fn check_damage(&self, cql: &str, wanted: &[&str], also: &[&str]) {
        self.damage(cql).await;
        let found = check_told(&self.store, cql, wanted, also).await;
        check_mended(&self.store, cql, &found).await.expect("the store takes the repair");
    }

    async fn head(&self, period: &str) -> Head {
        let period = parse_name(period).expect("a period's name");
        heads::load_current(&self.store, period).await.expect("the node answers").expect("the period is sealed")
    }
}

/// The key of the page's row.
pub(super) fn key_of(table: Table, page: &Page) -> String {
    let Page { page_id, user_id, user_name, domain, .. } = page;
    let at = page.created_at.timestamp_millis();
    let creation = format!("created_at = {at} AND page_id = '{page_id}'");
    match table {
        Table::PagesById => format!("page_id = '{page_id}' AND domain = '{domain}'"),
        Table::PagesByUser => format!("user_id = '{user_id}' AND {creation} AND domain = '{domain}'"),
        Table::PagesByAccount => format!("domain = '{domain}' AND user_id = '{user_id}' AND {creation}"),
        Table::PagesByDomain => format!("domain = '{domain}' AND {creation}"),
        Table::PagesByTitle => format!("domain = '{domain}' AND page_title = '{}' AND {creation}", page.page_title),
        Table::PagesByTime => {
            let hour = hour_name(page);
            format!("date_hour = '{hour}' AND user_id = '{user_id}' AND {creation} AND domain = '{domain}'")
        }
        Table::PagesByUserName => format!("user_name = '{user_name}' AND {creation} AND domain = '{domain}'"),
        Table::LatestPages => format!("date_hour = '{}' AND {creation} AND domain = '{domain}'", hour_name(page)),
    }
}

/// What else may be told, where the counts are taken from the rows.
const OTHERS: [&str; 4] = ["accounts: ", "counts of ", "pages_by_", "latest_pages: "];

#[tokio::test]
async fn pages_that_arrive_meanwhile_do_not_differ() {
    let Some([store]) = open_stores("meanwhile").await else { return };
    check_clean_while_pages_arrive(&*store, &Realm::of("verify_meanwhile")).await;
}

#[tokio::test]
async fn a_row_that_is_gone() {
    let Some(filled) = Filled::new().await else { return };
    for table in Table::ALL {
        let (name, key) = (table.name(), key_of(table, &filled.page));
        let wanted = match table {
            Table::PagesByTime => "pages_by_id: not in pages_by_time page_id=".into(),
            _ => format!("{name}: missing page_id="),
        };
        filled.check_damage(&format!("DELETE FROM KEYSPACE.{name} WHERE {key}"), &[&wanted], &OTHERS).await;
    }
    filled.give_back();
}

#[tokio::test]
async fn a_cell_that_is_changed_or_gone() {
    let Some(filled) = Filled::new().await else { return };
    // Titles first: behind the change of `pages_by_time` the page has another one.
    for (number, table) in (70..).zip(Table::ALL.into_iter().rev()) {
        let (name, key) = (table.name(), key_of(table, &filled.page));
        let wanted = format!("{name}: differs page_id=");
        let wanted = if table == Table::PagesByTime { "pages_by_id: differs page_id=" } else { &wanted };
        let change = format!("UPDATE KEYSPACE.{name} SET namespace = {number} WHERE {key}");
        filled.check_damage(&change, &[wanted, " namespace "], &OTHERS).await;
        let column = if table == Table::PagesByTitle { "wiki" } else { "page_title" };
        let change = format!("UPDATE KEYSPACE.{name} SET {column} = 'by_hand_{number}' WHERE {key}");
        filled.check_damage(&change, &[wanted, &format!(" {column} "), " version "], &OTHERS).await;
        let gone = format!("DELETE wiki FROM KEYSPACE.{name} WHERE {key}");
        filled.check_damage(&gone, &[&format!("{name}: no page's row"), ": wiki is missing"], &OTHERS).await;
    }
}

/// Its hour cannot be counted before it is mended.
#[tokio::test]
async fn a_cell_that_is_counted_is_gone() {
    let Some(filled) = Filled::new().await else { return };
    let key = key_of(Table::LatestPages, &filled.page);
    for column in ["user_name", "user_id", "namespace", "is_bot", "is_redirect"] {
        let gone = format!("DELETE {column} FROM KEYSPACE.latest_pages WHERE {key}");
        let told = format!(": {column} is missing");
        filled.check_damage(&gone, &["latest_pages: no page's row", &told], &OTHERS).await;
    }
    filled.give_back();
}

/// Two creations of one page are written again, of which the table by number keeps the newer one.
#[tokio::test]
async fn the_number_of_a_page_made_again_is_gone() {
    let Some(filled) = Filled::new().await else { return };
    let first = &filled.page;
    let again = Page {
        created_at: first.created_at + TimeDelta::hours(2),
        version: first.version + 7_200_000_000,
        user_name: "A".into(),
        page_title: "A".into(),
        ..first.clone()
    };
    filled.store.write_pages(std::slice::from_ref(&again), DateTime::UNIX_EPOCH).await.unwrap();
    seal_all(&filled.store).await;
    let gone = format!("DELETE FROM KEYSPACE.pages_by_id WHERE {}", key_of(Table::PagesById, first));
    filled.check_damage(&gone, &["pages_by_id: missing page_id="], &OTHERS).await;
    let found = filled.store.pages_by_id(first.page_id).await.unwrap();
    let of_page: Vec<&Page> = found.iter().filter(|page| page.domain == first.domain).collect();
    assert_eq!(of_page, [&Page { version: of_page[0].version, ..again }]);
}

#[tokio::test]
async fn a_page_that_one_table_has() {
    let Some(filled) = Filled::new().await else { return };
    for (number, table) in (5_000..).zip(Table::ALL) {
        let page = Realm::of(REALM).page(number);
        let hour = hour_name(&page);
        let (by_hour, hour) =
            if table.is_by_hour() { ("date_hour, ", format!("'{hour}', ")) } else { ("", String::new()) };
        let Page { page_id, user_id, user_name, domain, page_title, wiki, version, .. } = &page;
        let insert = format!(
            "INSERT INTO KEYSPACE.{} ({by_hour}page_id, user_id, user_name, domain, page_title, created_at, wiki, namespace, \
             is_redirect, is_bot, rev_id, event_id) VALUES ({hour}'{page_id}', '{user_id}', '{user_name}', '{domain}', \
             '{page_title}', {}, '{wiki}', 0, false, false, 5, '') USING TIMESTAMP {version}",
            table.name(),
            page.created_at.timestamp_millis()
        );
        let wanted = format!("{}: not in pages_by_time page_id={page_id}", table.name());
        let wanted = if table == Table::PagesByTime { "pages_by_id: missing page_id=" } else { &wanted };
        filled.check_damage(&insert, &[wanted], &OTHERS).await;
    }
    check_clean(&filled.store).await;
    filled.give_back();
}

#[tokio::test]
async fn lists_that_lack_something() {
    let Some(filled) = Filled::new().await else { return };
    let (domain, hour) = (&filled.page.domain, hour_name(&filled.page));
    let gone = format!("DELETE FROM KEYSPACE.domains WHERE shelf = 'all' AND domain = '{domain}'");
    filled.check_damage(&gone, &["domains: ", "is not listed"], &[]).await;
    let other = format!("UPDATE KEYSPACE.domains SET wiki = 'a' WHERE shelf = 'all' AND domain = '{domain}'");
    filled.check_damage(&other, &["domains: ", "has wiki a instead of"], &[]).await;
    let gone = format!("DELETE FROM KEYSPACE.hours WHERE shelf = '{}' AND date_hour = '{hour}'", &hour[..4]);
    // Without its hour, the list of all wikis does not find the hour's pages, nor do the counts made of it.
    filled.check_damage(&gone, &[&format!("hours: {hour} is not listed")], &OTHERS).await;
    filled.give_back();
}

/// What a hand deletes or changes has the time as its timestamp, as the rows of a later sealing have.
#[tokio::test]
async fn counts_that_are_lost() {
    let Some(filled) = Filled::new().await else { return };
    let Page { domain, user_id, user_name, .. } = &filled.page;
    let hour = hour_name(&filled.page);
    for (shelf, period, name) in [
        (&hour[..7], &hour[..13], "hour"),
        (&hour[..4], &hour[..10], "day"),
        ("months", &hour[..7], "month"),
        ("years", &hour[..4], "year"),
    ] {
        let on_shelf = format!("shelf = '{shelf}' AND period = '{period}'");
        let gone = |table: &str, key: &str| format!("DELETE FROM KEYSPACE.{table} WHERE {key}{on_shelf}");
        let all = format!("counts of all wikis in {name} {period}:");
        filled.check_damage(&gone("counts_of_all", ""), &[&all], &["counts of "]).await;
        let of_domain = format!("counts of {domain} in {name} {period}:");
        let of_domain_key = format!("domain = '{domain}' AND ");
        filled.check_damage(&gone("counts_by_domain", &of_domain_key), &[&of_domain], &["counts of "]).await;
        let Page { namespace, is_bot, is_redirect, .. } = &filled.page;
        let kind = format!("namespace = {namespace} AND is_bot = {is_bot} AND is_redirect = {is_redirect}");
        let changed = format!(
            "UPDATE KEYSPACE.counts_by_domain SET page_count = 7000 WHERE {of_domain_key}{on_shelf} AND {kind}"
        );
        filled.check_damage(&changed, &[&of_domain], &["counts of "]).await;
        if name != "year" {
            let of_name = format!("counts of user_name={user_name:?} in {name} {period}:");
            let key = format!("user_name = '{user_name}' AND ");
            filled.check_damage(&gone("counts_by_user_name", &key), &[&of_name], &["counts of "]).await;
            let of_user = format!("counts of user_id={user_id} domain={domain} in {name} {period}:");
            let key = format!("domain = '{domain}' AND user_id = '{user_id}' AND ");
            filled.check_damage(&gone("counts_by_user", &key), &[&of_user], &["counts of "]).await;
        }
        let generation = filled.head(period).await.generation;
        let key = format!("period = '{period}' AND generation = {generation}");
        let gone = format!("DELETE FROM KEYSPACE.counts_by_period WHERE {key}");
        let of_each = format!("counts of each wiki in {name} {period}:");
        filled.check_damage(&gone, &[&of_each], &["counts of "]).await;
    }
    let head = filled.head(&hour).await.period;
    let gone = format!(
        "DELETE FROM KEYSPACE.heads WHERE shelf = '{}' AND period = '{}'",
        periods::head_shelf_of(head),
        periods::name_of(head)
    );
    filled.check_damage(&gone, &[&format!("counts of each wiki in hour {hour}:")], &["counts of "]).await;
    filled.give_back();
}

#[tokio::test]
async fn accounts_that_are_not_found() {
    let Some(filled) = Filled::new().await else { return };
    let Page { user_id, user_name, .. } = &filled.page;
    let gone = format!("DELETE FROM KEYSPACE.accounts_by_id WHERE user_id = '{user_id}'");
    filled.check_damage(&gone, &[&format!("accounts: those of user_id={user_id} differ")], &["accounts: "]).await;
    // A delete would hide what is written again: the day is the timestamp.
    let gone = "TRUNCATE KEYSPACE.accounts_by_name";
    filled.check_damage(gone, &[&format!("accounts: those of user_name={user_name:?} differ")], &["accounts: "]).await;
    filled.give_back();
}

/// Of two events with one key but different authors the loser's row stays where the author is in the key.
#[tokio::test]
async fn an_author_who_lost_may_stay() {
    let Some(filled) = Filled::new().await else { return };
    let realm = Realm::of(REALM);
    let first = realm.page(7_000);
    let by = |user: u64, name: u64, later: i64| Page {
        user_id: realm.user_id(user),
        user_name: realm.user_name(name),
        version: first.version + later,
        ..first.clone()
    };
    let created_at = first.created_at + TimeDelta::hours(30);
    let again = Page { created_at, version: created_at.timestamp_micros(), ..by(90, 90, 0) };
    for page in [first.clone(), by(90, 90, 5), by(91, 91, 3), by(90, 92, 7), again] {
        filled.store.write_pages(&[page], DateTime::UNIX_EPOCH).await.expect("the store takes the page");
        check_clean(&filled.store).await;
    }
    // But a winner must be there.
    let name = Table::PagesByUserName.name();
    let winner = key_of(Table::PagesByUserName, &by(90, 92, 7));
    filled
        .check_damage(&format!("DELETE FROM KEYSPACE.{name} WHERE {winner}"), &["pages_by_user_name: missing"], &OTHERS)
        .await;
    filled.give_back();
}

/// A row in another hour's partition is told; nothing takes it away.
#[tokio::test]
async fn a_row_in_another_hour_is_told() {
    let Some(filled) = Filled::new().await else { return };
    let Page { page_id, domain, .. } = &filled.page;
    let cql = format!(
        "INSERT INTO KEYSPACE.latest_pages (date_hour, created_at, domain, page_id, page_title) \
         VALUES ('2001-01-01-00', {}, '{domain}', '{page_id}', 'x')",
        filled.page.created_at.timestamp_millis()
    );
    filled.damage(&cql).await;
    let (_, lines) = lines_of(&filled.store).await;
    assert!(
        lines.len() == 1 && lines[0].starts_with("latest_pages: no page's row date_hour=\"2001-01-01-00\""),
        "{lines:?}"
    );
    filled.damage("DELETE FROM KEYSPACE.latest_pages WHERE date_hour = '2001-01-01-00'").await;
    filled.give_back();
}
