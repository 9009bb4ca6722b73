//! The hourly reports over counts of whole hours: pages of each wiki, bots' pages, and the people who created most. Pure.

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, UserId};
use crate::query::{Count, UserCount};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Hours of a window unless asked otherwise.
pub const DEFAULT_HOURS: u32 = 6;
/// The longest window, in hours: a week.
pub const MAX_HOURS: u32 = 168;
/// Hours left out at the window's end unless asked otherwise: the last whole one may still be filling.
pub const DEFAULT_SKIP: u32 = 1;
/// Hours that can be left out at most; an earlier window is asked by its time.
pub const MAX_SKIP: u32 = 168;
/// People in a report unless asked otherwise.
pub const DEFAULT_PEOPLE: usize = 20;
/// People in a report at most.
pub const MAX_PEOPLE: usize = 100;

/// The hours of a report that is asked at `at`: `hours` of them, the last ending `skip` whole hours before the hour of
/// `at` began. At 19:32, six hours skipping one are those from 12:00 to 18:00.
pub fn window(at: DateTime<Utc>, hours: u32, skip: u32) -> HourRange {
    let to = Hour::of(at).plus(-i64::from(skip));
    HourRange { from: to.plus(-i64::from(hours)), to }
}

/// Pages of one wiki.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainCount {
    /// The wiki.
    pub domain: Domain,
    /// How many pages; never 0.
    pub page_count: u64,
}

/// One hour of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportHour {
    /// The hour.
    pub hour: Hour,
    /// The wikis with pages, most first, ties by name.
    pub domains: Vec<DomainCount>,
}

/// Each hour of the window, oldest first, with the pages of each wiki; an hour without pages has none.
pub fn domains_by_hour(window: HourRange, counts: &[Count]) -> Vec<ReportHour> {
    let mut by_hour: BTreeMap<Hour, Vec<&Count>> = window.hours().map(|hour| (hour, Vec::new())).collect();
    for count in counts {
        if let Some(of_hour) = by_hour.get_mut(&count.period.start) {
            of_hour.push(count);
        }
    }
    by_hour.into_iter().map(|(hour, counts)| ReportHour { hour, domains: ranked(counts) }).collect()
}

/// The wikis on which bots created pages, most first, ties by name.
pub fn bot_pages_by_domain(counts: &[Count]) -> Vec<DomainCount> {
    ranked(counts.iter().filter(|count| count.is_bot))
}

fn ranked<'a>(counts: impl IntoIterator<Item = &'a Count>) -> Vec<DomainCount> {
    let mut sums: BTreeMap<&Domain, u64> = BTreeMap::new();
    for count in counts {
        if let Some(domain) = &count.domain {
            *sums.entry(domain).or_default() += count.page_count;
        }
    }
    let row = |(domain, page_count): (&Domain, u64)| DomainCount { domain: domain.clone(), page_count };
    let mut rows: Vec<_> = sums.into_iter().map(row).collect();
    rows.sort_by_key(|row| Reverse(row.page_count)); // stable: ties stay by name
    rows
}

/// One person: one name is one person on all Wikimedia wikis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name that the accounts had.
    pub user_name: String,
    /// Pages on all wikis.
    pub page_count: u64,
    /// The accounts with pages, most first, ties by wiki: a number is each wiki's own.
    pub accounts: Vec<Account>,
}

/// One account of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The wiki.
    pub domain: Domain,
    /// Its number there.
    pub user_id: UserId,
    /// How many pages.
    pub page_count: u64,
}

/// Collects the people of some hours.
#[derive(Debug, Default)]
pub struct People(HashMap<String, BTreeMap<(Domain, UserId), u64>>);

impl People {
    /// Adds the rows of an hour or a day.
    pub fn add(&mut self, rows: Vec<UserCount>) {
        for row in rows {
            self.add_account(row.user_name, (row.domain, row.user_id), row.page_count);
        }
    }

    /// Adds pages of one account.
    pub fn add_account(&mut self, user_name: String, account: (Domain, UserId), page_count: u64) {
        if page_count > 0 {
            *self.0.entry(user_name).or_default().entry(account).or_default() += page_count;
        }
    }

    /// The `limit` people with most pages, ties by name.
    pub fn top(self, limit: usize) -> Vec<Person> {
        let mut people: Vec<_> = self
            .0
            .into_iter()
            .map(|(name, accounts)| (Reverse(accounts.values().sum::<u64>()), name, accounts))
            .collect();
        people.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        people.truncate(limit);
        people
            .into_iter()
            .map(|(Reverse(page_count), user_name, accounts)| person(user_name, page_count, accounts))
            .collect()
    }
}

fn person(user_name: String, page_count: u64, accounts: BTreeMap<(Domain, UserId), u64>) -> Person {
    let account = |((domain, user_id), page_count)| Account { domain, user_id, page_count };
    let mut accounts: Vec<Account> = accounts.into_iter().map(account).collect();
    accounts.sort_by_key(|account| Reverse(account.page_count)); // stable: ties stay by wiki
    Person { user_name, page_count, accounts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::period::{Period, TimeUnit};
    use crate::wiki::ProjectFamily;
    use proptest::prelude::*;

    fn check_window(at: &str, hours: u32, skip: u32, expect: &str) {
        let window = window(at.parse().unwrap(), hours, skip);
        assert_eq!(format!("{} to {}", window.from, window.to), expect, "{at}");
    }

    #[test]
    fn the_window_is_of_whole_hours_and_leaves_the_last_one_out() {
        check_window("2025-05-18T19:32:00Z", 6, 1, "2025-05-18-12 to 2025-05-18-18");
        check_window("2025-05-18T19:00:00Z", 6, 1, "2025-05-18-12 to 2025-05-18-18");
        check_window("2025-05-18T18:59:59Z", 6, 1, "2025-05-18-11 to 2025-05-18-17");
        check_window("2025-05-18T00:10:00Z", 6, 1, "2025-05-17-17 to 2025-05-17-23");
        check_window("2024-03-01T03:00:00Z", 6, 1, "2024-02-29-20 to 2024-03-01-02");
        check_window("2025-01-01T01:00:00Z", 6, 1, "2024-12-31-18 to 2025-01-01-00");
        check_window("2025-05-18T19:32:00Z", 168, 0, "2025-05-11-19 to 2025-05-18-19");
        check_window("2025-05-18T19:32:00+02:00", 1, 0, "2025-05-18-16 to 2025-05-18-17");
    }

    fn count(hour: i64, domain: &str, is_bot: bool, page_count: u64) -> Count {
        Count {
            period: Period::of(TimeUnit::Hour, Hour::from_count(hour)),
            domain: Some(domain.parse().unwrap()),
            project_family: ProjectFamily::Other,
            namespace: 0,
            is_bot,
            is_redirect: false,
            page_count,
        }
    }

    #[test]
    fn wikis_are_by_count_then_by_name_and_an_hour_without_pages_stays() {
        let counts = [
            count(1, "b.org", false, 2),
            count(1, "c.org", true, 1),
            count(1, "c.org", false, 1),
            count(1, "a.org", false, 9),
            count(3, "a.org", true, 4),
            count(4, "a.org", true, 100),
        ];
        let window = HourRange { from: Hour::from_count(1), to: Hour::from_count(4) };
        let shown =
            |rows: &[DomainCount]| rows.iter().map(|r| format!("{} {}", r.domain, r.page_count)).collect::<Vec<_>>();
        let hours = domains_by_hour(window, &counts);
        assert_eq!(hours.iter().map(|hour| hour.hour.count()).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(shown(&hours[0].domains), ["a.org 9", "b.org 2", "c.org 2"]);
        assert_eq!(shown(&hours[1].domains), [""; 0]);
        assert_eq!(shown(&hours[2].domains), ["a.org 4"]);
        assert_eq!(shown(&bot_pages_by_domain(&counts[..5])), ["a.org 4", "c.org 1"]);
    }

    fn user(domain: &str, user_id: u64, name: &str, page_count: u64) -> UserCount {
        let (domain, user_id) = (domain.parse().unwrap(), UserId::new(user_id).unwrap());
        let user_name = name.into();
        UserCount { user_name, domain, user_id, namespace: 0, is_bot: false, is_redirect: false, page_count }
    }

    #[test]
    fn one_name_is_one_person_and_one_number_is_not() {
        let mut people = People::default();
        people.add(vec![user("a.org", 7, "Ann", 2), user("b.org", 7, "Bob", 4), user("b.org", 8, "Ann", 3)]);
        people.add(vec![user("a.org", 7, "Ann", 2), user("a.org", 9, "Cas", 4), user("a.org", 1, "Dan", 1)]);
        let top = people.top(3);
        let names: Vec<_> = top.iter().map(|person| (person.user_name.as_str(), person.page_count)).collect();
        assert_eq!(names, [("Ann", 7), ("Bob", 4), ("Cas", 4)]);
        let accounts: Vec<_> =
            top[0].accounts.iter().map(|a| format!("{}:{} {}", a.domain, a.user_id, a.page_count)).collect();
        assert_eq!(accounts, ["a.org:7 4", "b.org:8 3"]);
    }

    proptest! {
        #[test]
        fn nothing_is_counted_twice_or_left_out(rows in proptest::collection::vec((1..5u64, 0..4usize, 1..9u64), 0..60)) {
            let names = ["Ann", "Bob", "Cas", "Dan"];
            let mut people = People::default();
            for part in rows.chunks(7) {
                people.add(part.iter().map(|(id, name, count)| user("a.org", *id, names[*name], *count)).collect());
            }
            let top = people.top(usize::MAX);
            prop_assert_eq!(top.iter().map(|p| p.page_count).sum::<u64>(), rows.iter().map(|row| row.2).sum::<u64>());
            prop_assert!(top.is_sorted_by_key(|person| (Reverse(person.page_count), person.user_name.clone())));
            for person in &top {
                prop_assert_eq!(person.accounts.iter().map(|a| a.page_count).sum::<u64>(), person.page_count);
            }
        }
    }
}
