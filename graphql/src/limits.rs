//! What one request may ask: found out from its text, before validation and execution, in a fraction of a millisecond.

mod actual;
mod cost;
mod scan;
mod settings;
mod syntax;
mod weights;

use crate::schema::errors::ApiError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection};
use async_graphql::{ServerError, Variables};

pub(crate) use actual::{ActualCost, Place};
pub(crate) use cost::MAX_LEVELS;
pub use settings::Limits;

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
    scan::check(query, limits).map_err(ApiError::of_request)?;
    let document = parse_query(query).map_err(syntax::in_one_sentence)?;
    let cost = cost::check(&document, variables, limits).map_err(ApiError::of_request)?;
    Ok(Admitted { document, cost })
}

/// The key of a subscription's events in their answers; none where the operation is none. Its root is written out.
pub(crate) fn event_key(document: &ExecutableDocument, operation_name: Option<&str>) -> Option<String> {
    let operation = chosen(document, operation_name).next()?;
    let is_subscription = operation.ty == OperationType::Subscription;
    is_subscription.then(|| Some(root_field(operation)?.response_key().node.to_string())).flatten()
}

/// The first field that stands in an operation's root itself.
pub(crate) fn root_field(operation: &OperationDefinition) -> Option<&Field> {
    operation.selection_set.node.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => None,
    })
}

/// Whether the operation that would be executed is a query; so is what is no document, for executing it says why.
pub(crate) fn is_query(query: &str, operation_name: Option<&str>, limits: &Limits) -> bool {
    // Parsed only where it may be none: executing it parses it anyway.
    let may_be_none = ["subscription", "mutation"].iter().any(|word| query.contains(word));
    if !may_be_none {
        return true;
    }
    let Some(document) = parse(query, limits) else { return true };
    chosen(&document, operation_name).all(|operation| operation.ty == OperationType::Query)
}

/// The document of a text that is short enough to be parsed; none where executing it says what is wrong.
pub(crate) fn parse(query: &str, limits: &Limits) -> Option<ExecutableDocument> {
    scan::check(query, limits).ok()?;
    parse_query(query).ok()
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

/// Refuses what is more than allowed, naming both.
fn at_most<N: PartialOrd + std::fmt::Display>(what: &str, found: N, allowed: N) -> Result<(), ApiError> {
    if found <= allowed {
        return Ok(());
    }
    Err(ApiError::LimitExceeded(format!("{what}: {found}, at most {allowed} in one request")))
}

#[cfg(test)]
mod tests;
