//! The reports as JSON, their keys in the order of the assignment's texts.

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schema::hour::HourRange;
use schema::reports;
use serde::Serialize;
use std::collections::BTreeMap;

/// The bounds of a report, the end not included: by the clock alone, which is ambiguous around midnight, and in full.
#[derive(Debug, Serialize)]
pub(crate) struct Times {
    time_start: String,
    time_end: String,
    start: String,
    end: String,
}

impl Times {
    pub(super) fn of(window: HourRange) -> Self {
        let clock = |time: DateTime<Utc>| time.format("%H:%M").to_string();
        let full = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (start, end) = (window.from.start(), window.to.start());
        Self { time_start: clock(start), time_end: clock(end), start: full(start), end: full(end) }
    }

    /// The same as members of an object that is written by hand.
    pub(super) fn members(&self) -> String {
        let object = serde_json::to_string(self).expect("texts are JSON");
        object.trim_start_matches('{').trim_end_matches('}').to_owned()
    }
}

/// One hour of `GET /reports/domains-by-hour/`.
#[derive(Debug, Serialize)]
pub(crate) struct HourReport {
    #[serde(flatten)]
    times: Times,
    /// One object per wiki, with its name as the only key.
    statistics: Vec<BTreeMap<String, u64>>,
}

impl From<reports::ReportHour> for HourReport {
    fn from(report: reports::ReportHour) -> Self {
        let hour = HourRange { from: report.hour, to: report.hour.plus(1) };
        let one = |row: reports::DomainCount| BTreeMap::from([(row.domain.into(), row.page_count)]);
        Self { times: Times::of(hour), statistics: report.domains.into_iter().map(one).collect() }
    }
}

/// `GET /reports/bots-by-domain/`.
#[derive(Debug, Serialize)]
pub(crate) struct BotReport {
    #[serde(flatten)]
    times: Times,
    statistics: Vec<BotCount>,
}

#[derive(Debug, Serialize)]
struct BotCount {
    domain: String,
    created_by_bots: u64,
}

impl BotReport {
    pub(super) fn new(window: HourRange, rows: Vec<reports::DomainCount>) -> Self {
        let count = |row: reports::DomainCount| BotCount { domain: row.domain.into(), created_by_bots: row.page_count };
        Self { times: Times::of(window), statistics: rows.into_iter().map(count).collect() }
    }
}

/// `GET /reports/top-users/`.
#[derive(Debug, Serialize)]
pub(crate) struct PeopleReport {
    #[serde(flatten)]
    pub(super) times: Times,
    /// Most pages first.
    pub(super) users: Vec<PersonReport>,
}

/// One person of `GET /reports/top-users/`.
#[derive(Debug, Serialize)]
pub(crate) struct PersonReport {
    user_name: String,
    /// The number of the account with most pages.
    user_id: String,
    /// All accounts with pages in the window.
    user_ids: Vec<AccountReport>,
    #[serde(flatten)]
    times: Times,
    /// All of them, however many titles follow.
    page_count: u64,
    /// The newest.
    page_titles: Vec<String>,
    /// Where every page is.
    all_pages: String,
}

#[derive(Debug, Serialize)]
struct AccountReport {
    domain: String,
    user_id: String,
    page_count: u64,
}

impl PersonReport {
    pub(super) fn new(person: reports::Person, page_titles: Vec<String>, window: HourRange) -> Self {
        let times = Times::of(window);
        let name = utf8_percent_encode(&person.user_name, NON_ALPHANUMERIC);
        let (at, hours) = (&times.end, window.len());
        let all_pages = format!("/reports/top-users/pages/?user_name={name}&at={at}&hours={hours}&skip=0");
        let account = |account: reports::Account| AccountReport {
            domain: account.domain.into(),
            user_id: account.user_id.to_string(),
            page_count: account.page_count,
        };
        let user_ids: Vec<AccountReport> = person.accounts.into_iter().map(account).collect();
        Self {
            user_id: user_ids.first().map(|account| account.user_id.clone()).unwrap_or_default(),
            user_name: person.user_name,
            user_ids,
            times,
            page_count: person.page_count,
            page_titles,
            all_pages,
        }
    }
}
