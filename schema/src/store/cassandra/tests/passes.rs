//! What a pass proves, how the running hour rests, what becomes of old generations and of an older layout's pages.

use super::counting::*;
use super::{CassandraStore, Migration, connect, upgrade};
use crate::hour::Hour;
use crate::page::Page;
use crate::period::{Period, PeriodRange, TimeUnit};
use crate::query::{PageList, PageQuery};
use crate::retention::Keep;
use crate::store::cassandra::periods::{name_of, shelf_of};
use crate::store::conformance::Realm;
use crate::store::rows_read::{Call, RowsRead};
use crate::store::{Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

async fn as_of(store: &CassandraStore) -> DateTime<Utc> {
    store.counts_as_of().await.unwrap().expect("counts may be behind the pages")
}

/// Pages of the first minutes of an hour.
fn pages_of(hour: Hour, count: u32) -> Vec<Page> {
    let pages = some_pages(&Realm::of("passes"), count).into_iter().zip(0..);
    pages.map(|(page, n)| Page { created_at: hour.start() + TimeDelta::seconds(n), ..page }).collect()
}

#[tokio::test]
async fn a_pass_says_up_to_when_it_counted() {
    let Some([store, writer]) = open_stores("as_of").await else { return };
    let hour = Hour::of("2026-03-31T23:00:00Z".parse().unwrap());
    let at = |seconds| hour.start() + TimeDelta::seconds(seconds);
    assert_eq!(as_of(&store).await, DateTime::UNIX_EPOCH, "no pass was made");
    let pages = pages_of(hour, 90);
    writer.write_pages(&pages[..30], DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.seal_counts(at(60)).await.unwrap().left, 0);
    assert_eq!(as_of(&store).await, at(60));

    // The running hour rests: what came since is not counted, and nobody says so.
    writer.write_pages(&pages[30..60], DateTime::UNIX_EPOCH).await.unwrap();
    let pass = store.seal_counts(at(62)).await.unwrap();
    assert_eq!((pass.sealed, pass.left), (0, 1));
    assert_eq!(as_of(&store).await, at(60));

    // Nor is it by a pass that fails; but by one of another process, and by one whose clock is behind nothing changes.
    let fails = |_, _| futures::future::ready(Err(StoreError::Unavailable("dead".into()))).boxed();
    set_hook(&writer, Some(Arc::new(fails)));
    writer.seal_counts(at(3_601)).await.expect_err("the pass fails");
    assert_eq!(as_of(&store).await, at(60));
    set_hook(&writer, None);
    assert_eq!(writer.seal_counts(at(3_601)).await.unwrap().left, 0);
    assert_eq!(store.seal_counts(at(3_590)).await.unwrap().left, 0);
    assert_eq!(as_of(&store).await, at(3_601));
    check_recount(&store, &pages[..60], "the day is not sealed yet").await;

    // Day and month are over: they are sealed, and again with a late page.
    assert_eq!(store.seal_counts(at(2 * 86_400)).await.unwrap().sealed, 2);
    check_recount(&store, &pages[..60], "the month is sealed").await;
    writer.write_pages(&pages[60..], DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.seal_counts(at(2 * 86_400)).await.unwrap().sealed, 3);
    check_recount(&store, &pages, "a late page came").await;
}

/// Two writers mark 260 hours each: what is read of that tells of half of them, so all hours may be behind.
#[tokio::test]
async fn marks_that_are_too_many_tell_of_all_hours() {
    let Some([store, other]) = open_stores("marks").await else { return };
    let first = Hour::of("2026-01-01T00:00:00Z".parse().unwrap());
    let of_hour = |(page, n): (Page, i64)| Page { created_at: first.plus(n).start(), ..page };
    let pages: Vec<Page> = some_pages(&Realm::of("passes"), 260).into_iter().zip(0..).map(of_hour).collect();
    assert_eq!(store.seal_counts(long_after()).await.unwrap().left, 0);
    let all = |found: &[PeriodRange]| found.iter().any(|range| range.hours.from == Hour::MIN);
    store.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    let found = store.uncounted().await.unwrap();
    assert!(!all(&found) && found.len() > 260, "{found:?}");
    other.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    assert!(all(&store.uncounted().await.unwrap()));
}

#[tokio::test]
async fn a_pass_asks_for_rest_where_many_pages_come() {
    let Some([store, writer]) = open_stores("rest").await else { return };
    let hour = Hour::of("2026-03-31T23:00:00Z".parse().unwrap());
    let rest = async |store: &CassandraStore| store.seal_counts(hour.plus(2).start()).await.unwrap().rest;
    assert_eq!(rest(&store).await, Duration::ZERO, "nothing comes");
    for part in pages_of(hour, 3_000).chunks(500) {
        writer.write_pages(part, DateTime::UNIX_EPOCH).await.unwrap();
    }
    assert_eq!(rest(&store).await, Duration::ZERO, "they come to another process");
    assert!(rest(&writer).await > Duration::ZERO);
    assert_eq!(rest(&writer).await, Duration::ZERO, "no more come");
}

/// A clock that was ahead has had the running day sealed: it is sealed on, or readers would miss what came since.
#[tokio::test]
async fn a_day_sealed_too_early_is_sealed_on() {
    let Some([store]) = open_stores("early").await else { return };
    let hour = Hour::of("2026-03-15T10:00:00Z".parse().unwrap());
    let (first, second) = (pages_of(hour, 20), late(&late(&pages_of(hour, 20))));
    let next_day: Vec<Page> = pages_of(hour.plus(24), 30).split_off(20);
    store.write_pages(&first, DateTime::UNIX_EPOCH).await.unwrap();
    store.write_pages(&second, DateTime::UNIX_EPOCH).await.unwrap();
    seal_all(&store).await;
    store.write_pages(&next_day, DateTime::UNIX_EPOCH).await.unwrap();
    let pass = store.seal_counts(hour.plus(25).start()).await.unwrap();
    assert_eq!((pass.sealed, pass.left), (4, 0), "hour, day, month, year");
    check_recount(&store, &[first, second, next_day].concat(), "sealed early").await;
}

#[tokio::test]
async fn old_generations_are_removed() {
    let Some([store, other]) = open_stores("old").await else { return };
    let hour = Hour::of("2026-03-31T12:00:00Z".parse().unwrap());
    let at = |minutes| hour.start() + TimeDelta::minutes(minutes);
    let pages = pages_of(hour, 60);
    for (n, part) in pages.chunks(20).enumerate() {
        store.write_pages(part, DateTime::UNIX_EPOCH).await.unwrap();
        store.seal_counts(at(61 + n as i64)).await.unwrap();
    }
    assert_eq!(generations_of_hours(&store).await, 3);
    // A process looks once a minute, so another one does. Its clock may be ahead or behind: the grace begins when it looks
    // first, and lasts by its own measure of time.
    for (clock, older, generations) in [(300, 0, 3), (61, 900, 3), (0, 310, 1)] {
        other.sealer.grow_older(Duration::from_secs(older));
        other.seal_counts(at(clock)).await.unwrap();
        assert_eq!(generations_of_hours(&store).await, generations, "{older} s older");
    }
    check_recount(&store, &pages, "old generations are gone").await;
}

async fn generations_of_hours(store: &CassandraStore) -> usize {
    let keyspace = store.rollups.generations.people.get_table_spec().expect("it names a table").ks_name().to_owned();
    let cql = format!("SELECT period, generation FROM {keyspace}.people_by_period");
    let answer = store.session.query_unpaged(cql, ()).await.unwrap().into_rows_result().unwrap();
    let rows: BTreeSet<(String, i64)> = answer.rows().unwrap().map(Result::unwrap).collect();
    rows.iter().filter(|(period, _)| period.len() == 13).count()
}

/// Layout 1 had no marks and no tables of accounts: its pages are written again, beside new ones, and are counted like any
/// other. What needs the new tables waits until all are there.
#[tokio::test]
async fn pages_of_an_older_layout_are_entered_and_counted() {
    let Some((session, nodes, keyspace)) = connect().await else { return };
    let open = async |migration| CassandraStore::open(&nodes, &keyspace, migration).await.unwrap();
    let pages = some_pages(&Realm::of("upgrade"), 200);
    let all = [pages.clone(), late(&pages)].concat();
    let older = open(Migration::Apply).await;
    older.write_pages(&all, DateTime::UNIX_EPOCH).await.unwrap();
    let hours = all.iter().map(|page| Hour::of(page.created_at)).collect::<BTreeSet<_>>().len();
    let accounts = accounts_of(&older, &all).await;
    assert!(accounts.len() > 20, "{}", accounts.len());
    let added = [
        "pages_by_title",
        "marks",
        "heads",
        "counts_by_domain",
        "pages_by_account",
        "accounts_by_id",
        "accounts_by_name",
        "upgrades",
    ];
    for table in added {
        session.query_unpaged(format!("DROP TABLE {keyspace}.{table}"), ()).await.unwrap();
    }
    let version = format!("INSERT INTO {keyspace}.schema_version (shelf, version) VALUES ('layout', 1)");
    session.query_unpaged(version, ()).await.unwrap();

    let newer = open(Migration::Apply).await;
    assert_eq!(as_of(&newer).await, DateTime::UNIX_EPOCH);
    check_accounts_wait(&newer, &pages[0], "tables of accounts").await;
    assert_eq!(newer.list_pages(&PageQuery::newest(PageList::All, 1_000)).await.unwrap().pages.len(), all.len());

    // Step by step, each by another process; one that was behind does not throw the others back.
    let behind = open(Migration::Expect).await;
    for step in 1..hours {
        let newer = open(Migration::Expect).await;
        assert!(upgrade::proceed(&newer, long_after(), 1).await.unwrap().is_some(), "hour {step} of {hours}");
        check_accounts_wait(&newer, &pages[0], "are done").await;
    }
    upgrade::begin(&session, &keyspace, Some(1)).await.unwrap();
    assert_eq!(behind.seal_counts(long_after()).await.unwrap().left, 0);
    assert_eq!(accounts_of(&newer, &all).await, accounts);
    seal_all(&newer).await;
    check_recount(&newer, &all, "an older layout").await;
    assert_eq!(as_of(&newer).await, long_after());
}

/// Layout 2 had no table of titles: the rows by title are written, and no count is taken anew. Meanwhile titles wait, and
/// nothing else.
#[tokio::test]
async fn titles_of_an_older_layout_are_entered() {
    let Some((session, nodes, keyspace)) = connect().await else { return };
    let open = async |migration| CassandraStore::open(&nodes, &keyspace, migration).await.unwrap();
    let pages = some_pages(&Realm::of("titles"), 200);
    let hours = pages.iter().map(|page| Hour::of(page.created_at)).collect::<BTreeSet<_>>().len();
    let older = open(Migration::Apply).await;
    // Hours freeze, and rows have an end, which is far away.
    older.set_keep(Keep::Days(36_000), DateTime::UNIX_EPOCH).await.unwrap();
    older.write_pages(&pages, DateTime::UNIX_EPOCH).await.unwrap();
    seal_all(&older).await;
    let version = format!("INSERT INTO {keyspace}.schema_version (shelf, version) VALUES ('layout', 2)");
    for statement in [format!("DROP TABLE {keyspace}.pages_by_title"), version] {
        session.query_unpaged(statement, ()).await.unwrap();
    }
    let newer = open(Migration::Apply).await;
    let under_title =
        async |store: &CassandraStore, page: &Page| store.pages_by_title(&page.domain, &page.page_title, 9).await;
    for step in 1..hours {
        let error = under_title(&newer, &pages[0]).await.expect_err("not all titles are entered");
        let wanted = "being entered into the table of titles";
        assert!(matches!(&error, StoreError::Unavailable(why) if why.contains(wanted)), "{error}");
        assert!(!newer.users_by_id(pages[0].user_id).await.unwrap().is_empty(), "accounts answer");
        // What it froze would not be entered any more.
        let error = newer.set_keep(Keep::Days(90), long_after()).await.expect_err("not all is entered");
        assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("keep all until")), "{error}");
        let left = upgrade::proceed(&newer, long_after(), 1).await.unwrap();
        assert_eq!(left, Some(upgrade::Added::Titles), "hour {step} of {hours}");
    }
    let pass = newer.seal_counts(long_after()).await.unwrap();
    assert_eq!((pass.sealed, pass.left), (0, 0), "nothing is counted anew");
    for page in &pages {
        assert_eq!(under_title(&newer, page).await.unwrap(), std::slice::from_ref(page));
    }
    let cql = "SELECT gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    let answer = session.query_unpaged(cql, (&keyspace, "pages_by_title")).await.unwrap().into_rows_result().unwrap();
    assert_eq!(answer.single_row::<(i32,)>().unwrap().0, 86_400, "as the other tables");
    check_recount(&newer, &pages, "titles are entered").await;
}

/// Layout 3 had marks that tell no minutes: theirs are counted, and the next ones tell.
#[tokio::test]
async fn marks_of_an_older_layout_are_counted() {
    let Some((session, nodes, keyspace)) = connect().await else { return };
    let open = async |migration| CassandraStore::open(&nodes, &keyspace, migration).await;
    let pages = some_pages(&Realm::of("marks"), 60);
    let older = open(Migration::Apply).await.unwrap();
    older.write_pages(&pages[..50], DateTime::UNIX_EPOCH).await.unwrap();
    let marks =
        "(shelf text, period text, incarnation bigint, number bigint, PRIMARY KEY ((shelf), period, incarnation))";
    let version = "INSERT INTO KEYSPACE.schema_version (shelf, version) VALUES ('layout', 3)";
    let layout_3 = ["DROP TABLE KEYSPACE.marks", &format!("CREATE TABLE KEYSPACE.marks {marks}"), version];
    for statement in layout_3 {
        session.query_unpaged(statement.replace("KEYSPACE", &keyspace), ()).await.unwrap();
    }
    let periods = pages.iter().map(|page| Period::of(TimeUnit::Hour, Hour::of(page.created_at)));
    for period in periods.collect::<BTreeSet<_>>() {
        let mark = format!("INSERT INTO {keyspace}.marks (shelf, period, incarnation, number) VALUES (?, ?, 7, 1)");
        session.query_unpaged(mark, (shelf_of(period), name_of(period))).await.unwrap();
    }
    let newer = open(Migration::Apply).await.unwrap();
    seal_all(&newer).await;
    check_recount(&newer, &pages[..50], "marks without minutes").await;
    newer.write_pages(&pages[50..], DateTime::UNIX_EPOCH).await.unwrap();
    seal_all(&open(Migration::Expect).await.unwrap()).await;
    check_recount(&newer, &pages, "marks with minutes").await;
}

/// Who sealed an hour last reads, when pages come to it again, the minutes of these; anybody else reads all of it, and so
/// does who was not the last any more.
#[tokio::test]
async fn an_hour_is_counted_again_by_its_minutes() {
    let Some([store, other]) = open_stores("minutes").await else { return };
    let hour = Hour::of("2026-03-31T12:00:00Z".parse().unwrap());
    let at = |second: i64| hour.start() + TimeDelta::seconds(second);
    let mut pages: Vec<Page> = (0..)
        .zip(some_pages(&Realm::of("minutes"), 6_000))
        .map(|(n, page)| Page { created_at: at(n * 3_600 / 6_000), ..page })
        .collect();
    for batch in pages.chunks(500) {
        store.write_pages(batch, DateTime::UNIX_EPOCH).await.unwrap();
    }
    let rows_read = async |store: &CassandraStore| {
        let sums = RowsRead::default();
        let pass = sums.of(Call::Counts, store.seal_counts(long_after())).await.unwrap();
        assert_eq!(pass.left, 0);
        sums.load().iter().map(|reads| reads.rows).sum::<u64>()
    };
    let all = 6_000..8_000;
    let rows = rows_read(&store).await;
    assert!(all.contains(&rows), "{rows} rows read at first");
    for (round, (writer, sealer, wanted)) in [
        (&store, &store, 100..3_000),
        (&other, &store, 100..3_000),
        (&store, &other, all.clone()),
        (&store, &store, all),
        (&other, &store, 100..3_000),
    ]
    .into_iter()
    .enumerate()
    {
        let realm = Realm::of("minutes");
        let new =
            Page { created_at: at(i64::try_from(round).unwrap() * 600 + 30), ..realm.page(10_000 + round as u32) };
        writer.write_pages(std::slice::from_ref(&new), DateTime::UNIX_EPOCH).await.unwrap();
        pages.push(new);
        let rows = rows_read(sealer).await;
        assert!(wanted.contains(&rows), "round {round}: {rows} rows read instead of {wanted:?}");
        check_recount(sealer, &pages, "a page more").await;
    }
}

async fn check_accounts_wait(store: &CassandraStore, page: &Page, wanted: &str) {
    let (domain, user_id) = (page.domain.clone(), page.user_id);
    let list = PageQuery::newest(PageList::User(domain.clone(), user_id), 1);
    let errors = [
        store.list_pages(&list).await.map(|_| ()),
        store.load_users(&[(domain, user_id)]).await.map(|_| ()),
        store.users_by_id(user_id).await.map(|_| ()),
        store.users_by_name(&page.user_name).await.map(|_| ()),
        store.pages_by_title(&page.domain, &page.page_title, 1).await.map(|_| ()),
    ];
    for error in errors.map(|answer| answer.expect_err("older pages are not entered yet")) {
        assert!(matches!(&error, StoreError::Unavailable(why) if why.contains(wanted)), "{error}");
    }
}

/// What is known of the accounts of these pages: their lists, and whom a number and a name lead to.
async fn accounts_of(store: &CassandraStore, pages: &[Page]) -> Vec<Vec<Page>> {
    let mut found = Vec::new();
    let keys: BTreeSet<_> = pages.iter().map(|page| (page.domain.clone(), page.user_id, &page.user_name)).collect();
    for (domain, user_id, name) in keys {
        let list = PageQuery::newest(PageList::User(domain, user_id), 1_000);
        found.push(store.list_pages(&list).await.unwrap().pages);
        found.push(store.users_by_id(user_id).await.unwrap());
        found.push(store.users_by_name(name).await.unwrap());
    }
    found
}
