//! What a field costs: itself, and how often what is below it is answered.

/// What a filter adds to a list of pages: for each that passes, many rows may be read that do not.
pub(super) const FILTER: u64 = 40;

/// What an id of a person in a report's window adds: it reads the person's accounts, and where one was renamed the people
/// of up to 168 hours.
pub(super) const REPORT_USER: u64 = 200;

/// Wikis of an hour or a window, where what is read of each is more than its row.
pub(super) const WIKIS: u64 = 300;

/// What each hour of a report adds to a field that is of the counts of all its hours.
pub(super) const HOUR_OF_REPORT: u64 = 10;

/// A field's weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    /// The field itself: 1, more where it is a read of its own.
    pub(super) own: u64,
    /// How often the fields below are answered where no argument says it.
    pub(super) times: u64,
}

/// The weight of a field by name: one name means one thing in this schema.
pub(super) fn of(field: &str) -> Weight {
    let (own, times) = match field {
        "pages" | "domains" | "hours" | "gaps" => (10, 20),
        // Of an hour: all its people are read, as for `userCount`.
        "users" => (40, 20),
        "accounts" => (20, 100),
        // The list of wikis, a name's accounts, a number's pages.
        "search" => (40, 10),
        // As many counts as charts read, of two ranges.
        "topDomains" => (500, 20),
        // The people of every hour or day of two ranges.
        "topUsers" => (800, 20),
        // 50,000 counts, and 20,000 points however they are shared among the series.
        "activity" => (500, 20),
        "overview" => (400, 1),
        "domainsByHour" => (100, 1),
        "botPagesByDomain" => (100, 20),
        // Small numbers are pages and accounts on hundreds of wikis.
        "pagesById" | "usersById" => (10, 200),
        "stages" | "rejected" => (1, 8),
        "userCount" | "domainCount" => (40, 1),
        "firstPageAt" | "lastPageAt" | "accountCount" => (5, 1),
        "pageCount" | "botPageCount" | "redirectCount" | "totalCount" => (10, 1),
        _ => (1, 1),
    };
    Weight { own, times }
}

/// Whether the fields directly below a field tell numbers that were read with it.
pub(super) fn has_counted(field: &str) -> bool {
    matches!(field, "topDomains" | "topUsers" | "activity" | "domainsByHour" | "botPagesByDomain")
}

/// Whether the same holds below a field that stands where [`has_counted`] says.
pub(super) fn stays_counted(field: &str) -> bool {
    matches!(field, "domains" | "series" | "rest" | "points")
}

/// The weight of a field that tells what was read already; what leads on to an object weighs as everywhere.
pub(super) fn of_counted(field: &str) -> Weight {
    match field {
        "pageCount" | "botPageCount" => Weight { own: 1, times: 1 },
        "domains" => Weight { own: 1, times: 20 },
        _ => of(field),
    }
}

/// The weight of a field below `__schema` or `__type`.
pub(super) fn of_introspection(field: &str) -> Weight {
    let times = match field {
        "types" => 100,
        "fields" => 20,
        "enumValues" => 16,
        "args" | "inputFields" | "possibleTypes" | "directives" => 10,
        "interfaces" => 5,
        _ => 1,
    };
    Weight { own: 1, times }
}
