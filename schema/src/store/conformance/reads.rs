//! Reads by key: the documented ones, unknown keys, one number on two wikis, batches, accounts, wikis.

use crate::page::{Domain, Page, PageId, UserId};
use crate::period::{Period, TimeUnit};
use crate::query::{CountQuery, DomainRow, PageList, PageQuery, Series, UserCount};
use crate::reference::{Reference, lists_of};
use crate::store::Store;
use crate::store::conformance::{Realm, check_all_reads, write};
use chrono::TimeDelta;

/// The documented answers: a page by its number, a user's, a wiki's and an hour's pages.
pub async fn documented_reads(store: &dyn Store) {
    let realm = Realm::of("documented_reads");
    let pages = [realm.page(1), realm.page(2), realm.page(3)];
    write(store, &pages).await;
    let newest_first: Vec<Page> = pages.iter().rev().cloned().collect();
    let lists =
        [PageList::Domain(realm.domain(0)), PageList::UserId(realm.user_id(0)), PageList::UserName(realm.user_name(0))];
    for list in lists {
        let slice = store.list_pages(&PageQuery::newest(list.clone(), 3)).await.expect("the store answers");
        assert_eq!((slice.pages, slice.next), (newest_first.clone(), None), "{list:?}");
    }
    let by_id = store.pages_by_id(pages[1].page_id).await.expect("the store answers");
    assert_eq!(by_id, [pages[1].clone()]);
    let user = UserCount {
        user_name: realm.user_name(0),
        domain: realm.domain(0),
        user_id: realm.user_id(0),
        namespace: 0,
        is_bot: false,
        is_redirect: false,
        page_count: 3,
    };
    let hour = Period::of(TimeUnit::Hour, realm.hour(0));
    assert_eq!(store.user_counts(hour).await.expect("the store answers"), [user]);
    check_all_reads(store, &pages).await;
}

/// What was never written is not found, and is no error.
pub async fn unknown_keys(store: &dyn Store) {
    let realm = Realm::of("unknown_keys");
    let (domain, page_id, user_id) = (realm.domain(0), realm.page_id(1), realm.user_id(1));
    let lists = [
        PageList::Domain(domain.clone()),
        PageList::UserId(user_id),
        PageList::User(domain.clone(), user_id),
        PageList::UserName(realm.user_name(1)),
    ];
    for list in lists {
        for query in [PageQuery::newest(list.clone(), 10), PageQuery::oldest(list.clone(), 10)] {
            let slice = store.list_pages(&query).await.expect("the store answers");
            assert_eq!((slice.pages, slice.next), (vec![], None), "{query:?}");
        }
    }
    assert!(store.pages_by_id(page_id).await.expect("the store answers").is_empty());
    assert!(store.pages_by_title(&domain, "Page_1", 9).await.expect("the store answers").is_empty());
    assert!(store.users_by_id(user_id).await.expect("the store answers").is_empty());
    assert!(store.users_by_name(&realm.user_name(1)).await.expect("the store answers").is_empty());
    assert_eq!(store.load_pages(&[(domain.clone(), page_id)]).await.expect("the store answers"), [None]);
    assert_eq!(store.load_users(&[(domain.clone(), user_id)]).await.expect("the store answers"), [None]);
    assert_eq!(store.load_domains(&[domain]).await.expect("the store answers"), [None]);
    for unit in [TimeUnit::Hour, TimeUnit::Day] {
        assert!(store.user_counts(Period::of(unit, realm.hour(0))).await.expect("the store answers").is_empty());
    }
    let series = [
        Series::Domains,
        Series::Domain(realm.domain(0)),
        Series::User(realm.domain(0), user_id),
        Series::UserName(realm.user_name(1)),
    ];
    for series in series {
        let query = CountQuery::total(series, realm.hours());
        assert_eq!(store.counts(&query).await.expect("the store answers"), Some(vec![]), "{query:?}");
    }
    assert!(store.records("unknown keys").await.expect("the store answers").is_empty());
}

/// Page and user numbers are each wiki's own: the same ones on another wiki are another page and another account.
pub async fn two_wikis_with_the_same_ids(store: &dyn Store) {
    let realm = Realm::of("two_wikis_with_the_same_ids");
    let here = realm.page(5);
    let there = Page {
        domain: realm.domain(1),
        wiki: "w1wiki".parse().expect("a database name"),
        user_name: realm.user_name(1),
        ..realm.page(5)
    };
    let newer_there = Page { domain: there.domain.clone(), user_name: realm.user_name(1), ..realm.page(6) };
    let pages = [here.clone(), there.clone(), newer_there.clone()];
    write(store, &pages).await;
    let by_id = store.pages_by_id(here.page_id).await.expect("the store answers");
    assert_eq!(by_id, [here.clone(), there.clone()], "by domain");
    let users = store.users_by_id(here.user_id).await.expect("the store answers");
    assert_eq!(users, [here.clone(), newer_there.clone()], "the newest page of each account");
    let all = store.list_pages(&PageQuery::newest(PageList::UserId(here.user_id), 10)).await;
    assert_eq!(all.expect("the store answers").pages, [newer_there, there, here.clone()]);
    let account = PageList::User(realm.domain(0), here.user_id);
    let only_here = store.list_pages(&PageQuery::newest(account, 10)).await.expect("the store answers");
    assert_eq!((only_here.pages, only_here.next), (vec![here], None));
    check_all_reads(store, &pages).await;
}

/// An account's list is its own, however much a stranger with its number did on another wiki: one call gives all of it.
pub async fn strangers_with_ones_number(store: &dyn Store) {
    let realm = Realm::of("strangers_with_ones_number");
    let own: Vec<Page> = [0, 1_500, 2_999].map(|n| realm.page(n)).into();
    let stranger = |n| Page {
        domain: realm.domain(1),
        wiki: "w1wiki".parse().expect("a database name"),
        user_name: realm.user_name(1),
        ..realm.page(n)
    };
    write(store, &own).await;
    write(store, &(0..3_000).map(stranger).collect::<Vec<_>>()).await;
    let account = PageList::User(realm.domain(0), realm.user_id(0));
    let slice = store.list_pages(&PageQuery::newest(account.clone(), 10)).await.expect("the store answers");
    assert_eq!((slice.pages, slice.next), (own.iter().rev().cloned().collect(), None));
    let slice = store.list_pages(&PageQuery::oldest(account, 10)).await.expect("the store answers");
    assert_eq!((slice.pages, slice.next), (own.clone(), None));
    let users = store.users_by_id(realm.user_id(0)).await.expect("the store answers");
    assert_eq!(users, [own[2].clone(), stranger(2_999)]);
}

/// A title that was given again and again, and on other wikis: each wiki's own, newest first, and no more than asked.
pub async fn pages_of_a_title(store: &dyn Store) {
    let realm = Realm::of("pages_of_a_title");
    let titled = |page: Page, title: &str| Page { page_title: title.into(), ..page };
    let here: Vec<Page> = (1..=30).map(|n| titled(realm.page(n), "Again")).collect();
    let there = Page {
        domain: realm.domain(1),
        wiki: "w1wiki".parse().expect("a database name"),
        ..titled(realm.page(5), "Again")
    };
    // Two pages of one second: ties by page id, as text.
    let tied = Page { page_id: realm.page_id(9_000), ..here[29].clone() };
    let others = ["again", "Again_", "Agai", "Again%", "Àgain", "Talk:Again"];
    let others: Vec<Page> = (100..).zip(others).map(|(n, title)| titled(realm.page(n), title)).collect();
    let all = [here.as_slice(), &others, &[there.clone(), tied.clone()]].concat();
    write(store, &all).await;
    let (domain, reference) = (realm.domain(0), Reference::of(&all));
    for limit in [0, 1, 2, 7, 31, 1_000] {
        let found = store.pages_by_title(&domain, "Again", limit).await.expect("the store answers");
        assert_eq!(found, reference.pages_by_title(&domain, "Again", limit), "{limit}");
        assert_eq!(found.len(), limit.min(31));
    }
    let newest = store.pages_by_title(&domain, "Again", 2).await.expect("the store answers");
    assert_eq!(newest, [tied, here[29].clone()]);
    let found = store.pages_by_title(&there.domain, "Again", 9).await.expect("the store answers");
    assert_eq!(found, std::slice::from_ref(&there));
    for page in &others {
        let found = store.pages_by_title(&domain, &page.page_title, 9).await.expect("the store answers");
        assert_eq!(found, std::slice::from_ref(page));
    }
    check_all_reads(store, &all).await;
}

/// A batch answers each key at its place: also misses, and keys asked twice.
pub async fn batches_answer_in_order(store: &dyn Store) {
    let realm = Realm::of("batches_answer_in_order");
    let pages: Vec<Page> = (0..200).map(|n| Page { user_id: realm.user_id(u64::from(n)), ..realm.page(n) }).collect();
    write(store, &pages).await;
    let missing = realm.page_id(999_999);
    let mut keys: Vec<(Domain, PageId)> = pages.iter().rev().map(|page| (page.domain.clone(), page.page_id)).collect();
    keys.insert(7, (realm.domain(0), missing));
    keys.insert(50, (realm.domain(1), pages[3].page_id));
    keys.push(keys[0].clone());
    let known = |domain: &Domain, page_id: PageId| pages.iter().find(|p| p.page_id == page_id && p.domain == *domain);
    let wanted: Vec<Option<Page>> = keys.iter().map(|(domain, page_id)| known(domain, *page_id).cloned()).collect();
    assert_eq!(wanted.iter().flatten().count(), 201, "two keys are unknown");
    assert_eq!(store.load_pages(&keys).await.expect("the store answers"), wanted);

    let users: Vec<(Domain, UserId)> =
        [3, 777, 1, 3].iter().map(|number| (realm.domain(0), realm.user_id(*number))).collect();
    let wanted = [Some(pages[3].clone()), None, Some(pages[1].clone()), Some(pages[3].clone())];
    assert_eq!(store.load_users(&users).await.expect("the store answers"), wanted);
    assert!(store.load_pages(&[]).await.expect("the store answers").is_empty());
    assert!(store.load_users(&[]).await.expect("the store answers").is_empty());
    assert!(store.load_domains(&[]).await.expect("the store answers").is_empty());
}

/// A person's accounts: the newest page of each under the name, also where an account has another name by now.
pub async fn accounts_of_a_name(store: &dyn Store) {
    let realm = Realm::of("accounts_of_a_name");
    let on = |number: u32, wiki: u32, user: u64, name: u64| Page {
        domain: realm.domain(wiki),
        user_id: realm.user_id(user),
        user_name: realm.user_name(name),
        ..realm.page(number)
    };
    // Account 1 of wiki 0 was renamed from 0 to 5; on wiki 1 the name went from account 3 to account 2.
    let pages = [on(1, 0, 1, 0), on(2, 0, 1, 0), on(3, 0, 1, 5), on(4, 1, 3, 0), on(5, 1, 2, 0), on(6, 2, 1, 0)];
    write(store, &pages).await;
    let users = store.users_by_name(&realm.user_name(0)).await.expect("the store answers");
    assert_eq!(users, [1, 4, 3, 5].map(|n| pages[n].clone()));
    let users = store.users_by_id(realm.user_id(1)).await.expect("the store answers");
    assert_eq!(users, [2, 5].map(|n| pages[n].clone()));
    check_all_reads(store, &pages).await;
}

/// An account that was renamed and went on: the newest page under the old name is found, whichever day was written first,
/// and however many pages came on the day of the new name and behind it.
pub async fn a_renamed_account(store: &dyn Store) {
    let realm = Realm::of("a_renamed_account");
    let on = |number: u32, hour: i64, name: u64| {
        let created_at = realm.hour(hour).start() + TimeDelta::seconds(i64::from(number));
        let version = created_at.timestamp_micros();
        Page { user_name: realm.user_name(name), created_at, version, ..realm.page(number) }
    };
    let under_old = [on(1, 0, 0), on(2, 25, 0), on(3, 26, 0)];
    let same_day: Vec<Page> = (100..400).map(|n| on(n, 26, 1)).collect();
    let later: Vec<Page> = (400..1_000).map(|n| on(n, 47, 1)).collect();
    // The oldest day comes last.
    write(store, &later).await;
    write(store, &[&under_old[1..], &same_day[..]].concat()).await;
    write(store, &under_old[..1]).await;
    let old = store.users_by_name(&realm.user_name(0)).await.expect("the store answers");
    assert_eq!(old, [under_old[2].clone()]);
    let new = store.users_by_name(&realm.user_name(1)).await.expect("the store answers");
    assert_eq!(new, [later[599].clone()]);
    check_all_reads(store, under_old.iter().chain(&same_day).chain(&later)).await;
}

/// An hour's accounts: numbers of different lengths, several names, pages of several kinds.
pub async fn users_of_an_hour(store: &dyn Store) {
    let realm = Realm::of("users_of_an_hour");
    let mut pages = realm.varied_pages(120);
    let long_id = UserId::new(realm.user_id(1).get() * 10).expect("within the limits");
    pages.extend((500..510).map(|n| Page { user_id: long_id, ..realm.page(n) }));
    write(store, &pages).await;
    let users = store.user_counts(Period::of(TimeUnit::Hour, realm.hour(0))).await.expect("the store answers");
    assert!(
        users.is_sorted() && users.iter().any(|user| user.user_id == long_id && user.page_count == 10),
        "{users:?}"
    );
    assert!(users.iter().any(|user| user.is_bot) && users.iter().any(|user| user.namespace == -1), "{users:?}");
    check_all_reads(store, &pages).await;
}

/// The oldest page of each kind of list.
pub async fn oldest_pages(store: &dyn Store) {
    let realm = Realm::of("oldest_pages");
    let pages = realm.varied_pages(150);
    write(store, &pages).await;
    let oldest =
        Page { created_at: realm.hour(0).start(), page_id: realm.page_id(900), version: 1, ..pages[149].clone() };
    write(store, std::slice::from_ref(&oldest)).await;
    let reference = Reference::of(pages.iter().chain([&oldest]));
    for list in lists_of(&oldest).into_iter().skip(1) {
        let query = PageQuery::oldest(list, 1);
        let slice = store.list_pages(&query).await.expect("the store answers");
        assert_eq!(slice.pages, reference.list_pages(&query), "{query:?}");
        assert_eq!(slice.next, slice.pages.first().map(Page::key), "{query:?}");
    }
    check_all_reads(store, reference.pages()).await;
}

/// Each wiki with a page is listed once, by domain, with its database name.
pub async fn wikis_are_listed(store: &dyn Store) {
    let realm = Realm::of("wikis_are_listed");
    let pages = realm.varied_pages(60);
    write(store, &pages).await;
    write(store, &pages).await;
    let row =
        |n: u32| DomainRow { domain: realm.domain(n), wiki: format!("w{n}wiki").parse().expect("a database name") };
    let listed = store.domains().await.expect("the store answers");
    assert!(listed.windows(2).all(|pair| pair[0].domain < pair[1].domain), "by domain, each once");
    let ours: Vec<DomainRow> =
        listed.into_iter().filter(|row| row.domain.as_str().contains("wikis-are-listed")).collect();
    assert_eq!(ours, [row(0), row(1), row(2)]);
    let asked = [realm.domain(2), realm.domain(50), realm.domain(0)];
    let loaded = store.load_domains(&asked).await.expect("the store answers");
    assert_eq!(loaded, [Some(row(2)), None, Some(row(0))]);
}
