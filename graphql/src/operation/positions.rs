//! Where variables are used: each has a type that fits there (GraphQL, section 5.8.5).
//!
//! The library has the rule, but its walk tells it of no value (async-graphql 7.2.1).

use crate::schema::errors::bad_input;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
    VariableDefinition,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Error, Pos, Positioned, ServerError, Value as Const};
use async_graphql_value::Value;
use std::collections::HashSet;

/// What is wrong with the variables' uses, one error for each use.
pub(super) fn check(document: &ExecutableDocument, registry: &Registry) -> Vec<ServerError> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    operations.flat_map(|operation| Walk::over(operation, document, registry)).collect()
}

/// One walk over an operation, and over each fragment of it once. How deep it may be the cost pass has bounded.
struct Walk<'a> {
    document: &'a ExecutableDocument,
    registry: &'a Registry,
    definitions: &'a [Positioned<VariableDefinition>],
    spread: HashSet<&'a str>,
    errors: Vec<ServerError>,
}

/// What a place takes.
struct Place<'a> {
    kind: &'a str,
    /// Whether it has a value of its own for one that is not given.
    has_default: bool,
    pos: Pos,
}

impl<'a> Walk<'a> {
    fn over(
        operation: &'a OperationDefinition,
        document: &'a ExecutableDocument,
        registry: &'a Registry,
    ) -> Vec<ServerError> {
        let definitions = &operation.variable_definitions;
        let mut walk = Self { document, registry, definitions, spread: HashSet::new(), errors: Vec::new() };
        let root = match operation.ty {
            OperationType::Query => Some(registry.query_type.as_str()),
            OperationType::Mutation => registry.mutation_type.as_deref(),
            OperationType::Subscription => registry.subscription_type.as_deref(),
        };
        walk.directives(&operation.directives);
        walk.set(&operation.selection_set.node, root);
        walk.errors
    }

    fn set(&mut self, set: &'a SelectionSet, parent: Option<&'a str>) {
        for selection in &set.items {
            self.directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|condition| &*condition.node.on.node);
                    self.set(&inline.node.selection_set.node, condition.or(parent));
                }
                Selection::FragmentSpread(named) => {
                    let name = &named.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        self.directives(&fragment.node.directives);
                        self.set(&fragment.node.selection_set.node, Some(&fragment.node.type_condition.node.on.node));
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &'a Field, parent: Option<&str>) {
        let parent = parent.and_then(|parent| self.registry.types.get(parent));
        let known = parent.and_then(|parent| parent.field_by_name(&field.name.node));
        for (name, value) in &field.arguments {
            self.argument(known.and_then(|known| known.args.get(&*name.node)), value);
        }
        self.set(&field.selection_set.node, known.map(|known| MetaTypeName::concrete_typename(&known.ty)));
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        for directive in directives {
            let known = self.registry.directives.get(&*directive.node.name.node);
            for (name, value) in &directive.node.arguments {
                self.argument(known.and_then(|known| known.args.get(&*name.node)), value);
            }
        }
    }

    fn argument(&mut self, argument: Option<&MetaInputValue>, value: &Positioned<Value>) {
        // One that is not known is the library's to tell.
        if let Some(argument) = argument {
            self.value(&value.node, &Place::of(argument, value.pos));
        }
    }

    fn value(&mut self, value: &Value, place: &Place<'_>) {
        match (value, MetaTypeName::create(place.kind).unwrap_non_null()) {
            (Value::Variable(name), _) => {
                let mut definitions = self.definitions.iter();
                let definition = definitions.find(|definition| definition.node.name.node == *name);
                self.errors.extend(definition.and_then(|definition| self.mismatch(definition, place)));
            }
            (Value::List(items), MetaTypeName::List(kind)) => {
                let place = Place { kind, has_default: false, pos: place.pos };
                items.iter().for_each(|item| self.value(item, &place));
            }
            // One item stands for a list of it.
            (Value::Object(_), MetaTypeName::List(kind)) => self.value(value, &Place { kind, ..*place }),
            (Value::Object(fields), MetaTypeName::Named(kind)) => {
                let Some(MetaType::InputObject { input_fields, .. }) = self.registry.types.get(kind) else { return };
                for (name, value) in fields {
                    if let Some(field) = input_fields.get(name.as_str()) {
                        self.value(value, &Place::of(field, place.pos));
                    }
                }
            }
            _ => {}
        }
    }

    fn mismatch(&self, definition: &Positioned<VariableDefinition>, place: &Place<'_>) -> Option<ServerError> {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let kind = var_type.node.to_string();
        if !self.registry.types.contains_key(MetaTypeName::concrete_typename(&kind)) {
            return None;
        }
        // What is not given is then the default, and that is not null.
        let is_filled = place.has_default || default_value.as_ref().is_some_and(|value| value.node != Const::Null);
        let wanted = if is_filled { place.kind.trim_end_matches('!') } else { place.kind };
        if fits(wanted, &kind) {
            return None;
        }
        let message = format!(
            "Variable \"${}\" of type \"{kind}\" used in position expecting type \"{}\"",
            name.node, place.kind
        );
        let mut error = Error::from(bad_input(message)).into_server_error(definition.pos);
        error.locations.push(place.pos);
        Some(error)
    }
}

impl<'a> Place<'a> {
    fn of(input: &'a MetaInputValue, pos: Pos) -> Self {
        Self { kind: &input.ty, has_default: input.default_value.is_some(), pos }
    }
}

/// Whether each value of the type `given` is one of the type `wanted`.
fn fits(wanted: &str, given: &str) -> bool {
    match (MetaTypeName::create(wanted), MetaTypeName::create(given)) {
        (MetaTypeName::NonNull(wanted), MetaTypeName::NonNull(given)) => fits(wanted, given),
        (MetaTypeName::NonNull(_), _) => false,
        (_, MetaTypeName::NonNull(given)) => fits(wanted, given),
        (MetaTypeName::List(wanted), MetaTypeName::List(given)) => fits(wanted, given),
        (MetaTypeName::Named(wanted), MetaTypeName::Named(given)) => wanted == given,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_fits_where_it_has_no_value_that_the_other_lacks() {
        for (wanted, given) in
            [("Int", "Int"), ("Int", "Int!"), ("Int!", "Int!"), ("[Int]", "[Int!]!"), ("[[A]]", "[[A!]]!")]
        {
            assert!(fits(wanted, given), "{given} as {wanted}");
        }
        for (wanted, given) in
            [("Int!", "Int"), ("Int", "String"), ("[Int]", "Int"), ("Int", "[Int]"), ("[Int!]", "[Int]")]
        {
            assert!(!fits(wanted, given), "{given} as {wanted}");
        }
    }
}
