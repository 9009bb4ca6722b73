//! The library's own messages in words for people: each once, and nothing of how it reads them.

use async_graphql::ServerError;
use std::collections::HashSet;

/// Mends what is said of a request.
pub(super) fn mend(errors: &mut Vec<ServerError>) {
    for error in errors.iter_mut() {
        if let Some(said) = without_parser(&error.message) {
            error.message = said;
        } else if pages_a_ranking(&error.message) {
            error.message.push_str(" A ranking is no paged list: it takes limit.");
        }
    }
    let mut told = HashSet::new();
    errors.retain(|error| told.insert(format!("{:?}", (&error.message, &error.locations, &error.path))));
}

/// `Failed to parse "DateTime": not a time (occurred while parsing "TimeRange")` is `DateTime: not a time`.
fn without_parser(message: &str) -> Option<String> {
    let (scalar, why) = message.strip_prefix("Failed to parse \"")?.split_once("\": ")?;
    let why = why.split(" (occurred while parsing \"").next().unwrap_or(why);
    Some(format!("{scalar}: {why}"))
}

/// `Unknown argument "first" on field "topDomains" of type "Query".`
fn pages_a_ranking(message: &str) -> bool {
    let paging = ["first", "last", "after", "before"];
    paging.iter().any(|name| message.starts_with(&format!("Unknown argument \"{name}\" on field \"top")))
}
