//! What a field costs: itself, and how often what is below it is answered.

/// What a filter adds to a list of pages: for each that passes, many rows may be read that do not.
pub(super) const FILTER: u64 = 40;

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
        "pages" | "domains" | "hours" | "users" | "gaps" => (10, 20),
        "accounts" => (10, 100),
        "topDomains" | "topUsers" => (200, 20),
        "domainsByHour" => (100, 6),
        "botPagesByDomain" => (100, 20),
        "pagesById" | "usersById" => (10, 10),
        "stages" | "rejected" => (1, 8),
        "userCount" | "domainCount" => (40, 1),
        "firstPageAt" | "lastPageAt" | "accountCount" => (5, 1),
        "pageCount" | "botPageCount" | "totalCount" => (10, 1),
        _ => (1, 1),
    };
    Weight { own, times }
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
