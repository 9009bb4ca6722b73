//! A subscription's root field, where a fragment holds it: the library looks for it nowhere but in the root itself, and
//! ends without a word.

use crate::schema::errors::bad_input;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Error, Name, ServerError};

/// Writes out the fragments that are all of a subscription's root. Those with directives stay: there GraphQL allows none.
pub(crate) fn write_out_roots(document: &mut ExecutableDocument) {
    let mut spread = Vec::new();
    let ExecutableDocument { operations, fragments } = document;
    let write_out = |operation: &mut OperationDefinition, spread: &mut Vec<Name>| {
        while operation.ty == OperationType::Subscription {
            let [only] = operation.selection_set.node.items.as_slice() else { return };
            let (condition, set) = match &only.node {
                Selection::InlineFragment(inline) if inline.node.directives.is_empty() => {
                    (inline.node.type_condition.as_ref(), &inline.node.selection_set)
                }
                Selection::FragmentSpread(named) if named.node.directives.is_empty() => {
                    let name = &named.node.fragment_name.node;
                    let Some(fragment) = fragments.get(name).filter(|_| !spread.contains(name)) else { return };
                    spread.push(name.clone());
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
                _ => return,
            };
            if condition.is_some_and(|condition| condition.node.on.node != "Subscription") {
                return;
            }
            operation.selection_set = set.clone();
        }
    };
    match operations {
        DocumentOperations::Single(operation) => write_out(&mut operation.node, &mut spread),
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().for_each(|operation| write_out(&mut operation.node, &mut spread));
        }
    }
    // One that nothing spreads any more would be refused as unused; the outer ones first, for they spread the inner ones.
    for name in spread {
        if !is_spread(document, &name) {
            document.fragments.remove(&name);
        }
    }
}

/// Why a subscription would not be heard: the library then ends it without a word.
pub(super) fn conditional(operation: &OperationDefinition) -> Option<ServerError> {
    let mut items = operation.selection_set.node.items.iter().filter(|_| operation.ty == OperationType::Subscription);
    let is_conditional = |selection: &Selection| match selection {
        Selection::Field(field) => !field.node.directives.is_empty(),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => true,
    };
    let item = items.find(|item| is_conditional(&item.node))?;
    Some(Error::from(bad_input("the field of a subscription's root takes no directives")).into_server_error(item.pos))
}

fn is_spread(document: &ExecutableDocument, name: &Name) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).any(|set| spreads(set, name))
}

fn spreads(set: &SelectionSet, name: &Name) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => spreads(&field.node.selection_set.node, name),
        Selection::InlineFragment(inline) => spreads(&inline.node.selection_set.node, name),
        Selection::FragmentSpread(named) => named.node.fragment_name.node == *name,
    })
}
