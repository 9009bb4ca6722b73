//! The variables of an operation: each that is required is there, and each has the type that it is declared with.
//!
//! The library looks at a variable only where it is used.

use crate::schema::errors::bad_input;
use async_graphql::parser::types::{OperationDefinition, VariableDefinition};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Error, Positioned, ServerError, Value, Variables};

/// Gives each variable that was left out its default.
pub(super) fn fill_defaults(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
}

/// What is wrong with the variables, one error for each.
pub(super) fn check(operation: &OperationDefinition, variables: &Variables, registry: &Registry) -> Vec<ServerError> {
    let wrong = |definition: &Positioned<VariableDefinition>| {
        let VariableDefinition { name, var_type, .. } = &definition.node;
        let (path, wanted) = (format!("${}", name.node), var_type.node.to_string());
        let message = match variables.get(&name.node) {
            None if var_type.node.nullable => return None,
            None => format!("the variable {path} of type {wanted} is missing"),
            Some(value) => mismatch(registry, &wanted, value, &path)?,
        };
        Some(Error::from(bad_input(message)).into_server_error(definition.pos))
    };
    operation.variable_definitions.iter().filter_map(wrong).collect()
}

/// Why `value` is not of the type `wanted`; none when it is.
fn mismatch(registry: &Registry, wanted: &str, value: &Value, path: &str) -> Option<String> {
    let no_match = || Some(format!("{path} must be of type {wanted}"));
    match (MetaTypeName::create(wanted), value) {
        (MetaTypeName::NonNull(_), Value::Null) => Some(format!("{path} must not be null: it is of type {wanted}")),
        (_, Value::Null) => None,
        (MetaTypeName::NonNull(of), _) => mismatch(registry, of, value, path),
        (MetaTypeName::List(of), Value::List(items)) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(i, item)| mismatch(registry, of, item, &format!("{path}[{i}]")))
        }
        // One item stands for a list of it.
        (MetaTypeName::List(of), _) => mismatch(registry, of, value, path),
        (MetaTypeName::Named(name), _) => match (registry.types.get(name), value) {
            (Some(MetaType::Scalar { is_valid: Some(is_valid), .. }), _) if !is_valid(value) => no_match(),
            (Some(MetaType::Scalar { .. }), Value::List(_) | Value::Object(_)) => no_match(),
            (Some(MetaType::Enum { enum_values, .. }), Value::String(text)) if !enum_values.contains_key(text) => {
                Some(format!("{path} must be one of the values of {name}"))
            }
            (Some(MetaType::Enum { .. }), Value::Enum(_) | Value::String(_)) => None,
            (Some(MetaType::Enum { .. }), _) => no_match(),
            (Some(kind @ MetaType::InputObject { .. }), _) => object_mismatch(registry, kind, value, path),
            // The library's validation has refused what is no type of an input.
            _ => None,
        },
    }
}

fn object_mismatch(registry: &Registry, kind: &MetaType, value: &Value, path: &str) -> Option<String> {
    let MetaType::InputObject { name, input_fields, oneof, .. } = kind else { return None };
    let Value::Object(object) = value else { return Some(format!("{path} must be an object of type {name}")) };
    if let Some(unknown) = object.keys().find(|key| !input_fields.contains_key(key.as_str())) {
        return Some(format!("{path} has no field {unknown}: it is of type {name}"));
    }
    if *oneof && (object.len() != 1 || object.values().any(|value| *value == Value::Null)) {
        return Some(format!("{path} must have exactly one field: it is of type {name}"));
    }
    input_fields.values().find_map(|field| match object.get(field.name.as_str()) {
        Some(value) => mismatch(registry, &field.ty, value, &format!("{path}.{}", field.name)),
        None if field.ty.ends_with('!') && field.default_value.is_none() => {
            Some(format!("{path}.{} of type {} is missing", field.name, field.ty))
        }
        None => None,
    })
}
