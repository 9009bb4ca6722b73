//! What one request may ask: found out from its text, before validation and execution, in a fraction of a millisecond.

mod cost;
mod scan;
mod syntax;
mod weights;

use crate::schema::errors::ApiError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{ServerError, Variables};

/// Selections within each other, spreads included, that are admitted at most.
pub(crate) use cost::MAX_LEVELS;

/// The limits of a request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Tokens of the document.
    pub tokens: usize,
    /// Directives in the document.
    pub directives: usize,
    /// Brackets of any kind within each other.
    pub nesting: usize,
    /// Fragments that are defined.
    pub fragments: usize,
    /// Fields within each other.
    pub depth: u64,
    /// Aliases, fragments written out.
    pub aliases: u64,
    /// Fields of the root, fragments written out.
    pub root_fields: u64,
    /// Fields and spreads, fragments written out.
    pub selections: u64,
    /// Estimated objects and reads.
    pub cost: u64,
    /// The same for each event of a subscription, which is executed for every subscriber.
    pub event_cost: u64,
    /// Estimated objects of an introspection, which has a budget of its own: playgrounds and code generators ask for
    /// everything, deeply, and cost no read.
    pub introspection_cost: u64,
    /// Fields within each other below `__schema` and `__type`.
    pub introspection_depth: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 20 * 1024,
            tokens: 2_000,
            directives: 20,
            nesting: 40,
            fragments: 50,
            depth: 10,
            aliases: 30,
            root_fields: 20,
            selections: 5_000,
            cost: 5_000,
            event_cost: 40,
            introspection_cost: 1_000_000,
            introspection_depth: 20,
        }
    }
}

/// A document that may be validated and executed.
pub struct Admitted {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// What it costs at most.
    pub cost: u64,
}

/// Parses a document when it keeps to `limits`.
///
/// # Errors
/// `LIMIT_EXCEEDED` names the limit; what is no document is the parser's error.
pub fn admit(query: &str, variables: &Variables, limits: &Limits) -> Result<Admitted, ServerError> {
    scan::check(query, limits).map_err(refused)?;
    let document = parse_query(query).map_err(syntax::in_one_sentence)?;
    let cost = cost::check(&document, variables, limits).map_err(refused)?;
    Ok(Admitted { document, cost })
}

/// The key of a subscription's events in their answers; none where the operation is none.
pub(crate) fn event_key(document: &ExecutableDocument, operation_name: Option<&str>) -> Option<String> {
    let operation = chosen(document, operation_name).next()?;
    let is_subscription = operation.ty == OperationType::Subscription;
    is_subscription.then(|| first_key(document, &operation.selection_set.node)).flatten()
}

/// The key of the first field, fragments written out: the cost pass has refused what contains itself.
fn first_key(document: &ExecutableDocument, set: &SelectionSet) -> Option<String> {
    set.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => Some(field.node.response_key().node.to_string()),
        Selection::InlineFragment(inline) => first_key(document, &inline.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
            first_key(document, &fragment.node.selection_set.node)
        }
    })
}

/// Whether the operation that would be executed is a query; so is what is no document, for executing it says why.
pub(crate) fn is_query(query: &str, operation_name: Option<&str>) -> bool {
    if scan::check(query, &Limits::default()).is_err() {
        return true;
    }
    let Ok(document) = parse_query(query) else { return true };
    chosen(&document, operation_name).all(|operation| operation.ty == OperationType::Query)
}

/// The operation of this name; without a name any, for executing more than one is refused.
pub(crate) fn chosen<'a>(
    document: &'a ExecutableDocument,
    operation_name: Option<&'a str>,
) -> impl Iterator<Item = &'a OperationDefinition> {
    let operations = document.operations.iter().filter(move |(name, _)| match (operation_name, name) {
        (Some(wanted), Some(name)) => name.as_str() == wanted,
        _ => true,
    });
    operations.map(|(_, operation)| &operation.node)
}

fn refused(error: ApiError) -> ServerError {
    let mut error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
    // Of the whole document: it has no place.
    error.locations.clear();
    error
}

/// Refuses what is more than allowed, naming both.
fn at_most<N: PartialOrd + std::fmt::Display>(what: &str, found: N, allowed: N) -> Result<(), ApiError> {
    if found <= allowed {
        return Ok(());
    }
    Err(ApiError::LimitExceeded(format!("{what}: {found}, at most {allowed} in one request")))
}

#[cfg(test)]
mod tests;
