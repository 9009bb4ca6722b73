//! What each read costs: at most the rows that ARCHITECTURE.md says, however much else is stored.

use super::*;
use crate::hour::{Hour, HourRange};
use crate::lists;
use crate::page::{Domain, PageId, UserId};
use crate::period::{Period, TimeUnit, cover};
use crate::query::{Count, CountQuery, ListOrder, MAX_ROWS_READ, PageFilter, PageList, PageQuery, Series, TimeSpan};
use crate::store::conformance::counts::series_of;
use crate::store::{Call, Commit, Committed, PipelineRecord};
use chrono::TimeDelta;

/// Seconds of a realm's hours.
const SECONDS: u64 = 48 * 3600;
/// Years, and hours of one look, that a store lists to find those that have pages, where it must.
const LISTED: u64 = 60 + 168;
/// Days that have a page each.
const DAYS: u32 = 800;
/// Groups of a wiki in a period here: two namespaces, bots and others.
const GROUPS: u64 = 4;
/// Rows that are looked at under a name at once.
const UNDER_A_NAME: u64 = 10;

/// What each read costs in a small store.
pub async fn rows_read_of_ten_thousand_pages(store: &dyn Store) {
    check_costs(store, &Realm::of("rows_read_of_ten_thousand_pages"), 10_000).await;
}

/// The same in a large one.
pub async fn rows_read_of_a_million_pages(store: &dyn Store) {
    check_costs(store, &Realm::of("rows_read_of_a_million_pages"), 1_000_000).await;
}

/// What counts of years read: the fewest that there are, where as many hours as days have pages.
pub async fn rows_read_of_years(store: &dyn Store) {
    let realm = Realm::of("rows_read_of_years");
    let first = Realm::first_of_long_ranges();
    let page = |day: u32| {
        let created_at = first.plus(i64::from(day) * 24 + i64::from(day % 24)).start();
        Page { created_at, is_bot: day.is_multiple_of(2), version: created_at.timestamp_micros(), ..realm.page(day) }
    };
    let pages: Vec<Page> = (0..DAYS).map(page).collect();
    write(store, &pages).await;
    let costs = Costs { store, listed: listed(store).await, middle: page(DAYS / 2), realm: &realm };
    let whole =
        HourRange { from: TimeUnit::Year.floor(first), to: TimeUnit::Year.ceil(first.plus(i64::from(DAYS) * 24)) };
    let part = HourRange { from: first.plus(5 * 24 + 7), to: first.plus(i64::from(DAYS - 9) * 24 + 11) };
    let [wiki, account, person] = series_of(&pages[0]);
    // Of people there are no years.
    let of_people = [TimeUnit::Month, TimeUnit::Day, TimeUnit::Hour];
    for (series, units) in [(wiki, &TimeUnit::LONGEST_FIRST[..]), (account, &of_people), (person, &of_people)] {
        for (hours, covered) in [(HourRange::ALL, whole), (part, part)] {
            let periods: usize = cover(covered, units).into_iter().map(|part| part.periods().count()).sum();
            // Bots and others; and the heads.
            let most = costs.listed + 3 * periods as u64;
            let query = CountQuery::total(series.clone(), hours);
            let formula = |counts: &Option<Vec<Count>>| (counts.as_ref().map_or(0, Vec::len), most);
            let counts = costs.check(&format!("{query:?}"), Call::Counts, store.counts(&query), formula).await;
            let counted: u64 = counts.expect("no bound was asked").iter().map(|count| count.page_count).sum();
            let wanted = pages.iter().filter(|page| hours.contains(Hour::of(page.created_at))).count();
            assert_eq!(counted, wanted as u64, "{query:?}");
        }
    }
}

/// Half of all pages are those of one account on one wiki; it made ten on another. The rest is by 97 others. On wiki 2 no
/// two pages are of one namespace, so that there are as many counts as pages.
fn page(realm: &Realm, number: u32, count: u32) -> Page {
    let second = u64::from(number) * SECONDS / u64::from(count);
    let created_at = realm.hour(0).start() + TimeDelta::seconds(second.cast_signed());
    let (user, wiki) = match number {
        0..20 if number % 2 == 1 => (0, 1),
        _ if number.is_multiple_of(2) => (0, 0),
        _ => (1 + u64::from(number) % 97, number % 5),
    };
    Page {
        user_id: realm.user_id(user),
        user_name: realm.user_name(user),
        domain: realm.domain(wiki),
        wiki: format!("w{wiki}wiki").parse().expect("a database name"),
        namespace: match number {
            _ if wiki == 2 => 10_000 + number.cast_signed(),
            _ if number.is_multiple_of(7) => 14,
            _ => 0,
        },
        is_bot: number.is_multiple_of(3),
        created_at,
        version: created_at.timestamp_micros() + i64::from(number % 1_000),
        ..realm.page(number)
    }
}

async fn check_costs(store: &dyn Store, realm: &Realm, count: u32) {
    let begin = match store.has_commit_order() {
        true => Some(store.last_commit().await.expect("the store orders its commits")),
        false => None,
    };
    for first in (0..count).step_by(1_000) {
        let pages: Vec<Page> = (first..count.min(first + 1_000)).map(|number| page(realm, number, count)).collect();
        store.write_pages(&pages, DateTime::UNIX_EPOCH).await.expect("the store takes a batch");
    }
    seal(store).await;
    let listed = listed(store).await;
    let costs = Costs { store, realm, listed, middle: page(realm, count / 2, count) };
    costs.check_lists().await;
    costs.check_keys().await;
    costs.check_counts().await;
    costs.check_counts_by_hour().await;
    costs.check_records().await;
    if let Some(begin) = begin {
        costs.check_commits(begin).await;
    }
}

/// What a store reads beside pages and counts. One that counts as it writes has no heads and no lists of hours.
async fn listed(store: &dyn Store) -> u64 {
    let is_sealed = store.counts_as_of().await.expect("the store answers").is_some();
    if is_sealed { LISTED } else { 0 }
}

/// Rows that were read so far for lists, and for the counts that these ask.
pub(super) fn rows_of_lists(store: &dyn Store) -> u64 {
    let is_for_lists = |call| matches!(call, Call::ListPages | Call::Counts | Call::Uncounted);
    store.rows_read().into_iter().filter(|reads| is_for_lists(reads.call)).map(|reads| reads.rows).sum()
}

/// What one request for a filtered list of all wikis reads at most: beside pages and counts heads (of years, and of what a
/// month's or a day's parts are), and what is marked.
pub(super) async fn most_of_a_filtered_list(store: &dyn Store) -> u64 {
    MAX_ROWS_READ as u64 + 7 * listed(store).await
}

struct Costs<'a> {
    store: &'a dyn Store,
    realm: &'a Realm,
    /// Rows that are read beside those of the formulas.
    listed: u64,
    /// A page by the busiest account on the largest wiki.
    middle: Page,
}

impl Costs<'_> {
    fn rows(&self, call: Call) -> u64 {
        self.store.rows_read().into_iter().filter(|reads| reads.call == call).map(|reads| reads.rows).sum()
    }

    /// A read that gives `answers` rows of these calls: it read as many at least, and `most` at most.
    async fn check<T>(
        &self,
        what: &str,
        call: Call,
        reading: impl Future<Output = Result<T, StoreError>>,
        formula: impl FnOnce(&T) -> (usize, u64),
    ) -> T {
        let before = self.rows(call);
        let answer = reading.await.expect("the store answers");
        let read = self.rows(call) - before;
        let (answers, most) = formula(&answer);
        assert!((answers as u64..=most).contains(&read), "{what}: {read} rows read for {answers}, {most} at most");
        answer
    }

    async fn check_lists(&self) {
        let (domain, user_id) = (self.realm.domain(0), self.realm.user_id(0));
        let during = TimeSpan::of_hours(self.realm.hours());
        let lists = [
            (PageList::All, self.listed),
            (PageList::Domain(domain.clone()), 0),
            (PageList::UserId(user_id), 0),
            (PageList::User(domain, user_id), 0),
            (PageList::UserName(self.realm.user_name(0)), 0),
        ];
        for (list, listed) in lists {
            let newest = PageQuery { during, ..PageQuery::newest(list.clone(), 50) };
            let middle = PageQuery { after: Some(self.middle.key()), ..newest.clone() };
            for query in [newest.clone(), middle, PageQuery { order: ListOrder::OldestFirst, ..newest.clone() }] {
                let formula = |slice: &crate::query::PageSlice| (slice.pages.len(), 51 + listed);
                let what = format!("{query:?}");
                let slice = self.check(&what, Call::ListPages, self.store.list_pages(&query), formula).await;
                assert_eq!(slice.pages.len(), 50, "{what}");
            }
            self.check_filtered(&newest, listed).await;
        }
        for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
            let many_counts = PageQuery { order, ..PageQuery::newest(PageList::Domain(self.realm.domain(2)), 50) };
            self.check_filtered(&many_counts, 0).await;
        }
        // Of an account on one wiki, whatever it has elsewhere.
        let ten = PageQuery::newest(PageList::User(self.realm.domain(1), self.realm.user_id(0)), 50);
        let listing = self.store.list_pages(&ten);
        let slice = self.check("ten pages", Call::ListPages, listing, |slice| (slice.pages.len(), 10)).await;
        assert_eq!(slice.pages.len(), 10);
    }

    /// Nothing passes: rows and counts together are bounded.
    async fn check_filtered(&self, newest: &PageQuery, listed: u64) {
        let filter = PageFilter { namespaces: vec![99], ..PageFilter::default() };
        let query = PageQuery { filter, ..newest.clone() };
        let before = rows_of_lists(self.store);
        let slice = lists::list_pages(self.store, &query).await.expect("the store answers");
        let read = rows_of_lists(self.store) - before;
        let most = most_of_a_filtered_list(self.store).await - 3 * (self.listed - listed);
        assert!(slice.pages.is_empty() && read <= most, "{read} rows read, {most} at most: {query:?}");
        assert!(slice.rows_read <= MAX_ROWS_READ, "{} rows told: {query:?}", slice.rows_read);
    }

    async fn check_keys(&self) {
        let (store, realm, middle) = (self.store, self.realm, &self.middle);
        let pages: Vec<(Domain, PageId)> = (0..20)
            .map(|n| (realm.domain(0), realm.page_id(n * 2)))
            .chain([(realm.domain(0), realm.page_id(7))])
            .collect();
        let found = |pages: &Vec<Option<Page>>| (pages.iter().flatten().count(), 21);
        let loaded = self.check("pages", Call::LoadPages, store.load_pages(&pages), found).await;
        assert!(loaded.iter().flatten().count() >= 10);
        let users: Vec<(Domain, UserId)> = (0..5).map(|n| (realm.domain(n), realm.user_id(0))).collect();
        self.check("users", Call::LoadUsers, store.load_users(&users), |users| (users.iter().flatten().count(), 5))
            .await;
        let names = [realm.domain(0), realm.domain(1), realm.domain(9)];
        self.check("wikis", Call::LoadDomains, store.load_domains(&names), |_| (2, 3)).await;
        let with_id = |pages: &Vec<Page>| (pages.len(), pages.len() as u64);
        self.check("pages of a number", Call::PagesById, store.pages_by_id(middle.page_id), with_id).await;
        let under_title = store.pages_by_title(&middle.domain, &middle.page_title, 5);
        let under_title = self.check("pages of a title", Call::PagesByTitle, under_title, with_id).await;
        assert_eq!(under_title, std::slice::from_ref(middle));
        let with_id = |pages: &Vec<Page>| (pages.len(), 2 * pages.len() as u64);
        let accounts = self.check("accounts", Call::UsersById, store.users_by_id(middle.user_id), with_id).await;
        assert_eq!(accounts.len(), 2);
        let with_name = |pages: &Vec<Page>| (pages.len(), (1 + UNDER_A_NAME) * pages.len() as u64);
        let named = store.users_by_name(&middle.user_name);
        assert_eq!(self.check("accounts of a name", Call::UsersByName, named, with_name).await.len(), 2);
        self.check("all wikis", Call::Domains, store.domains(), |wikis| (wikis.len(), wikis.len() as u64)).await;
    }

    async fn check_counts(&self) {
        let all = self.realm.hours();
        let part = HourRange { from: all.from.plus(5), to: all.to.plus(-7) };
        for hours in [HourRange::ALL, all, part] {
            // What has no pages has no rows: the realm lies within two years.
            let periods =
                cover(hours.overlap(all), &TimeUnit::LONGEST_FIRST).into_iter().flat_map(|part| part.periods());
            let periods = periods.count().max(2) as u64;
            let wiki = Series::Domain(self.realm.domain(0));
            let account = Series::User(self.realm.domain(0), self.realm.user_id(0));
            let of_account = [account, Series::UserName(self.realm.user_name(0))];
            // Of people there are hours and months, and no days on one store.
            let hours_of_people = hours.overlap(all).hours().count() as u64;
            for (series, rows) in [
                (wiki, periods * GROUPS),
                (of_account[0].clone(), hours_of_people * GROUPS),
                (of_account[1].clone(), 2 * hours_of_people * GROUPS),
            ] {
                let query = CountQuery::total(series, hours);
                let most = self.listed + periods + rows;
                let formula = |counts: &Option<Vec<_>>| (counts.as_ref().map_or(0, Vec::len).min(1), most);
                let counts = self.check(&format!("{query:?}"), Call::Counts, self.store.counts(&query), formula).await;
                assert!(!counts.expect("they are few").is_empty(), "{query:?}");
            }
        }
        self.check_counts_of_wikis(|series| CountQuery::total(series, part), 0).await;
        let hour = Period { start: self.realm.hour(3), unit: TimeUnit::Hour };
        let people = |people: &Vec<_>| (people.len(), people.len() as u64 + self.listed);
        let people = self.check("people", Call::UserCounts, self.store.user_counts(hour), people).await;
        assert!(people.len() > 97, "{} people", people.len());
        // A day's people are those of its hours where none are counted by day; where they are, it is sealed.
        let day = Period::of(TimeUnit::Day, self.realm.hour(30));
        let mut of_hours = 0;
        for start in day.hours().hours() {
            let hour = Period { start, unit: TimeUnit::Hour };
            of_hours += self.store.user_counts(hour).await.expect("the store answers").len();
        }
        let has_days = self.listed > 0;
        let people = |people: &Vec<_>| {
            (people.len(), if has_days { people.len() as u64 + self.listed } else { of_hours as u64 })
        };
        self.check("people of a day", Call::UserCounts, self.store.user_counts(day), people).await;
    }

    /// What R1, R2 and a chart read.
    async fn check_counts_by_hour(&self) {
        let hours = HourRange { from: self.realm.hour(9), to: self.realm.hour(15) };
        let heads = hours.hours().count() as u64;
        let (wiki, account) = (self.realm.domain(0), self.realm.user_id(0));
        for (series, groups) in [
            (Series::Domain(wiki.clone()), GROUPS),
            (Series::User(wiki, account), GROUPS),
            (Series::UserName(self.realm.user_name(0)), 2 * GROUPS),
        ] {
            let query = CountQuery::hourly(series, hours);
            let formula = |counts: &Option<Vec<_>>| {
                let counts = counts.as_ref().map_or(0, Vec::len);
                (counts, heads * (groups + 1) + self.listed)
            };
            let counts = self.check(&format!("{query:?}"), Call::Counts, self.store.counts(&query), formula).await;
            assert!(counts.expect("they are few").len() as u64 > heads, "{query:?}");
        }
        self.check_counts_of_wikis(|series| CountQuery::hourly(series, hours), heads).await;
    }

    /// Of all wikis, together and apart: each row is a count of the answer, for here no two wikis are of one family and kind
    /// but those of wiki 2; and `heads` beside them.
    async fn check_counts_of_wikis(&self, query_of: impl Fn(Series) -> CountQuery, heads: u64) {
        for series in [Series::All, Series::Domains] {
            let query = query_of(series);
            let formula = |counts: &Option<Vec<_>>| {
                let counts = counts.as_ref().map_or(0, Vec::len);
                (counts, counts as u64 + heads + self.listed)
            };
            let counts = self.check(&format!("{query:?}"), Call::Counts, self.store.counts(&query), formula).await;
            assert!(counts.expect("no bound was asked").len() as u64 > heads, "{query:?}");
        }
    }

    async fn check_records(&self) {
        let kind = self.realm.domain(0).to_string();
        for key in ["a", "b", "c"] {
            let record = PipelineRecord { kind: kind.clone(), key: key.into(), payload: Vec::new() };
            self.store.put_record(&record).await.expect("the store takes a record");
        }
        let formula = |records: &Vec<_>| (records.len(), 3);
        assert_eq!(self.check("records", Call::Records, self.store.records(&kind), formula).await.len(), 3);
    }

    /// Two parts of the order of commits.
    async fn check_commits(&self, begin: Commit) {
        let mut place = begin;
        for part in 0..2 {
            let formula = |committed: &Option<Committed>| (committed.as_ref().map_or(0, Vec::len), 51);
            let listing = self.store.list_committed(place, 50);
            let pages = self.check("commits", Call::ListCommitted, listing, formula).await.expect("nothing is removed");
            assert_eq!(pages.len(), 50, "part {part}");
            place = pages[49].0;
        }
    }
}
