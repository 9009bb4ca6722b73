//! What can differ in a store, each in one line.

use crate::hour::Hour;
use crate::page::{Domain, Page, UserId, WikiId};
use crate::period::{Period, TimeUnit};
use crate::query::{Count, Series, UserCount};
use crate::store::OddRow;
use crate::tables::Table;
use std::fmt::{self, Display, Formatter};

/// One thing that is not as `pages_by_time` says it must be. Its `Display` is one line, in which texts of strangers are
/// escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// `pages_by_time` has the page, the table has not.
    Missing(Table, Box<Page>),
    /// The table has the page, `pages_by_time` has not.
    Extra(Table, Box<Page>),
    /// Both have it, with other cells.
    Different {
        /// The table.
        table: Table,
        /// As `pages_by_time` has it.
        wanted: Box<Page>,
        /// As the table has it.
        stored: Box<Page>,
    },
    /// A row that is no page's.
    Odd(Table, OddRow),
    /// More differs than is looked at row by row.
    Hour {
        /// The table.
        table: Table,
        /// The hour.
        hour: Hour,
        /// Rows of the hour in the table.
        stored: u64,
        /// Pages of the hour in `pages_by_time`.
        wanted: u64,
    },
    /// What the list of wikis says of one.
    Domain {
        /// The wiki.
        domain: Domain,
        /// Its listed database name, if it is listed.
        stored: Option<WikiId>,
        /// The largest one that its pages have, if it has pages.
        wanted: Option<WikiId>,
    },
    /// The list of hours lacks one that has pages.
    UnlistedHour(Hour),
    /// The accounts that a name or a number finds are not those that have pages.
    Accounts(AccountsOf),
    /// A count of a series.
    Count {
        /// The series.
        series: Series,
        /// The group and period, with the count that the store gives.
        count: Box<Count>,
        /// The pages that there are.
        wanted: u64,
    },
    /// A count of a person.
    UserCount {
        /// The period.
        period: Period,
        /// The person's group, with the count that the store gives.
        count: Box<UserCount>,
        /// The pages that there are.
        wanted: u64,
    },
}

/// Whose accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountsOf {
    /// Of a name.
    Name(String),
    /// Of a number.
    Id(UserId),
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(table, page) => write!(f, "{}: missing {}", table.name(), Shown(page)),
            Self::Extra(Table::PagesByTime, page) => write!(f, "pages_by_time: extra {}", Shown(page)),
            Self::Extra(table, page) => write!(f, "{}: not in pages_by_time {}", table.name(), Shown(page)),
            Self::Different { table, wanted, stored } => write_different(f, *table, wanted, stored),
            Self::Odd(table, row) => write!(f, "{}: no page's row {}: {}", table.name(), row.key, row.why),
            Self::Hour { table, hour, stored, wanted } => {
                write!(f, "{}: hour {hour}: {stored} rows, {wanted} pages in pages_by_time", table.name())
            }
            Self::Domain { domain, stored, wanted } => write_domain(f, domain, stored.as_ref(), wanted.as_ref()),
            Self::UnlistedHour(hour) => write!(f, "hours: {hour} is not listed"),
            Self::Accounts(AccountsOf::Name(name)) => write!(f, "accounts: those of user_name={name:?} differ"),
            Self::Accounts(AccountsOf::Id(id)) => write!(f, "accounts: those of user_id={id} differ"),
            Self::Count { series, count, wanted } => write_count(f, series, count, *wanted),
            Self::UserCount { period, count, wanted } => {
                let UserCount { user_name, domain, user_id, page_count, .. } = &**count;
                write!(
                    f,
                    "counts of people in {}: user_name={user_name:?} domain={domain} user_id={user_id} ",
                    named(*period)
                )?;
                write_kind(f, count.namespace, count.is_bot, count.is_redirect)?;
                write!(f, ": {page_count}, pages {wanted}")
            }
        }
    }
}

/// What tells a page from others.
struct Shown<'a>(&'a Page);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Page { page_id, domain, created_at, user_id, user_name, version, .. } = self.0;
        let at = created_at.format("%FT%TZ");
        write!(f, "page_id={page_id} domain={domain} created_at={at} user_id={user_id} ")?;
        write!(f, "user_name={:?} version={version}", Cut(user_name))
    }
}

/// A text that may be long.
struct Cut<'a>(&'a str);

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

fn write_different(f: &mut Formatter<'_>, table: Table, wanted: &Page, stored: &Page) -> fmt::Result {
    write!(f, "{}: differs {}:", table.name(), Shown(wanted))?;
    let mut cell = |name: &str, stored: &dyn fmt::Debug, wanted: &dyn fmt::Debug, is_same: bool| {
        if is_same { Ok(()) } else { write!(f, " {name} {stored:?} instead of {wanted:?}") }
    };
    macro_rules! cells {
        ($($name:ident),+) => {
            $(cell(stringify!($name), &stored.$name, &wanted.$name, stored.$name == wanted.$name)?;)+
        };
    }
    let (a, b) = (stored, wanted);
    cell("created_at", &a.created_at, &b.created_at, a.created_at == b.created_at)?;
    cell("user_id", &a.user_id.get(), &b.user_id.get(), a.user_id == b.user_id)?;
    cell("user_name", &Cut(&a.user_name), &Cut(&b.user_name), a.user_name == b.user_name)?;
    cell("page_title", &Cut(&a.page_title), &Cut(&b.page_title), a.page_title == b.page_title)?;
    cell("wiki", &a.wiki.as_str(), &b.wiki.as_str(), a.wiki == b.wiki)?;
    cell("event_id", &a.event_id.as_deref().map(Cut), &b.event_id.as_deref().map(Cut), a.event_id == b.event_id)?;
    cells!(namespace, is_redirect, is_bot, rev_id, version);
    Ok(())
}

fn write_domain(
    f: &mut Formatter<'_>,
    domain: &Domain,
    stored: Option<&WikiId>,
    wanted: Option<&WikiId>,
) -> fmt::Result {
    match (stored, wanted) {
        (Some(stored), Some(wanted)) => write!(f, "domains: {domain} has wiki {stored} instead of {wanted}"),
        (Some(_), None) => write!(f, "domains: {domain} is listed and has no page"),
        (None, _) => write!(f, "domains: {domain} is not listed"),
    }
}

fn write_count(f: &mut Formatter<'_>, series: &Series, count: &Count, wanted: u64) -> fmt::Result {
    match series {
        Series::All => write!(f, "counts of all wikis")?,
        Series::Domains => write!(f, "counts of each wiki")?,
        Series::Domain(domain) => write!(f, "counts of {domain}")?,
        Series::User(domain, user_id) => write!(f, "counts of user_id={user_id} domain={domain}")?,
        Series::UserName(name) => write!(f, "counts of user_name={name:?}")?,
    }
    write!(f, " in {}:", named(count.period))?;
    match &count.domain {
        Some(domain) => write!(f, " domain={domain} ")?,
        None => write!(f, " project_family={:?} ", count.project_family)?,
    }
    write_kind(f, count.namespace, count.is_bot, count.is_redirect)?;
    write!(f, ": {}, pages {wanted}", count.page_count)
}

fn write_kind(f: &mut Formatter<'_>, namespace: i32, is_bot: bool, is_redirect: bool) -> fmt::Result {
    write!(f, "namespace={namespace} is_bot={is_bot} is_redirect={is_redirect}")
}

/// `hour 2025-05-18-13`, `month 2025-05`.
fn named(period: Period) -> String {
    let (unit, length) = match period.unit {
        TimeUnit::Hour => ("hour", 13),
        TimeUnit::Day => ("day", 10),
        TimeUnit::Month => ("month", 7),
        TimeUnit::Year => ("year", 4),
    };
    format!("{unit} {}", &period.start.to_string()[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::Realm;

    #[test]
    fn a_line_steers_no_terminal() {
        let mut page = Realm::of("difference").page(1);
        page.user_name = "\u{1b}[2J\r\n\u{202e}x".into();
        let stored = Page { page_title: "\u{7}\u{9b}31m".repeat(100), event_id: None, ..page.clone() };
        let different = Difference::Different { table: Table::PagesById, wanted: page.into(), stored: stored.into() };
        let line = different.to_string();
        assert!(line.contains(r#"user_name="\u{1b}[2J\r\n\u{202e}x""#) && line.contains("page_title"), "{line}");
        assert!(line.contains("event_id None instead of Some(\"difference-1\")"), "{line}");
        assert!(!line.contains(char::is_control) && !line.contains('\u{202e}') && line.len() < 1_500, "{line}");
    }
}
