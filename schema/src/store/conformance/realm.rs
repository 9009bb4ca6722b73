//! The wikis, accounts and hours of one case, derived from its name.

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, Page, PageId, UserId};
use chrono::TimeDelta;

/// Hours that a case may use.
const HOURS: i64 = 48;
/// 2001-01-01-00: the oldest date that the pipeline takes.
const FIRST_HOUR: i64 = 271_752;
/// Blocks of hours until the year 2024.
const BLOCKS: u64 = 4_200;

/// What one case has for itself.
#[derive(Debug, Clone)]
pub struct Realm {
    name: String,
    base: u64,
    first_hour: i64,
}

impl Realm {
    /// The realm of the case of this name.
    pub fn of(name: &str) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_64(name.as_bytes());
        let block = i64::try_from(hash % BLOCKS).expect("fewer blocks than i64 has numbers");
        Self {
            name: name.replace('_', "-"),
            base: (1 + hash % 100_000_000) * 1_000_000,
            first_hour: FIRST_HOUR + block * HOURS,
        }
    }

    /// A wiki; they differ by `number`.
    pub fn domain(&self, number: u32) -> Domain {
        format!("w{number}.{}.org", self.name).parse().expect("a host name")
    }

    /// The number of a page or an account: 8 to 14 digits, the first ones the realm's own.
    fn number(&self, number: u64) -> u64 {
        self.base + number
    }

    /// A page's number.
    pub fn page_id(&self, number: u64) -> PageId {
        PageId::new(self.number(number)).expect("within the limits")
    }

    /// An account's number.
    pub fn user_id(&self, number: u64) -> UserId {
        UserId::new(self.number(number)).expect("within the limits")
    }

    /// A person's name.
    pub fn user_name(&self, number: u64) -> String {
        format!("{} Üser {number}", self.name)
    }

    /// One of 48 hours.
    pub fn hour(&self, number: i64) -> Hour {
        assert!((0..HOURS).contains(&number), "a case has {HOURS} hours");
        Hour::from_count(self.first_hour + number)
    }

    /// All of them.
    pub fn hours(&self) -> HourRange {
        HourRange { from: self.hour(0), to: self.hour(0).plus(HOURS) }
    }

    /// A page of wiki 0 by account 0, `number` seconds after the first hour began.
    pub fn page(&self, number: u32) -> Page {
        let created_at = self.hour(0).start() + TimeDelta::seconds(i64::from(number));
        Page {
            page_id: self.page_id(u64::from(number)),
            user_id: self.user_id(0),
            user_name: self.user_name(0),
            domain: self.domain(0),
            page_title: format!("Page_{number}"),
            created_at,
            wiki: "w0wiki".parse().expect("a database name"),
            namespace: 0,
            is_redirect: false,
            is_bot: false,
            rev_id: u64::from(number) + 1,
            event_id: Some(format!("{}-{number}", self.name)),
            version: created_at.timestamp_micros(),
        }
    }

    /// `count` pages over many wikis, accounts, hours, seconds, namespaces and flags.
    pub fn varied_pages(&self, count: u32) -> Vec<Page> {
        let vary = |number: u32| {
            let (wiki, user) = (number % 3, u64::from(number % 7));
            let second = i64::from((number / 4) * 97 % (6 * 3600));
            let created_at = self.hour(0).start() + TimeDelta::seconds(second);
            Page {
                domain: self.domain(wiki),
                wiki: format!("w{wiki}wiki").parse().expect("a database name"),
                user_id: self.user_id(user),
                user_name: self.user_name(user / 2),
                created_at,
                namespace: [0, 0, 6, 14, 1, -1][number as usize % 6],
                is_bot: number.is_multiple_of(5),
                is_redirect: number.is_multiple_of(11),
                version: created_at.timestamp_micros() + i64::from(number),
                ..self.page(number)
            }
        };
        (0..count).map(vary).collect()
    }

    /// 2024-01-02-00: behind the hours of all realms.
    pub fn first_of_long_ranges() -> Hour {
        Hour::from_count(473_376)
    }

    /// Pages of two years around the borders of days, months and years. The hours are not the realm's alone.
    pub fn pages_of_years(&self) -> Vec<Page> {
        let days = [0, 1, 27, 28, 29, 30, 31, 58, 59, 60, 61, 89, 90, 182, 334, 364, 365, 366, 367, 395, 700, 730, 731];
        let hour = |day: i64, hour: i64| Self::first_of_long_ranges().plus(day * 24 + hour);
        let hours: Vec<Hour> = days.iter().flat_map(|day| [0, 1, 23].map(|of_day| hour(*day, of_day))).collect();
        let varied = self.varied_pages(u32::try_from(hours.len() * 2).expect("a few hours"));
        let page =
            |((n, hour), page): ((i64, &Hour), Page)| Page { created_at: hour.start() + TimeDelta::seconds(n), ..page };
        (0..).zip(hours.iter().chain(&hours)).zip(varied).map(page).collect()
    }
}
