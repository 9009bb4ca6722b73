//! What a request over a lasting connection asks for: one answer, or a subscription, and which others it equals.

use crate::limits::{Limits, chosen, parse, root_field};
use crate::operation::{TellCost, write_out_roots};
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request, Value as Const, Variables};
use async_graphql_value::Value;
use sha2::{Digest, Sha256};

/// How a request is answered.
#[derive(Debug, PartialEq)]
pub(super) enum Plan {
    /// Once.
    Query,
    /// By events, together with equal ones.
    Subscription(Subscription),
}

/// What tells subscriptions apart. Clients choose what it is made of, so none may find two of one key.
pub(super) type GroupKey = [u8; 32];

/// A subscription.
#[derive(Debug, PartialEq)]
pub(super) struct Subscription {
    /// The same for all that have the same answers once they are live.
    pub(super) key: GroupKey,
    /// The variables that it declares.
    pub(super) declared: Variables,
    /// The variables that it declares, without those that only say where it goes on.
    pub(super) variables: Variables,
    /// Whether it first asks for what it missed.
    pub(super) resumes: bool,
    /// Whether each event makes those before it worthless, so that who comes later begins with the last one.
    pub(super) is_state: bool,
    /// Where its answers tell how many events were missed.
    pub(super) missed_keys: MissedKeys,
}

/// Where answers tell how many events were missed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct MissedKeys {
    /// The event's key in `data`.
    pub(super) event: String,
    /// The counts' keys in the event.
    pub(super) counts: Vec<String>,
}

/// What is no document is a query: executing it says why.
pub(super) fn plan(request: &Request, limits: &Limits) -> Plan {
    let Some(mut document) = parse(&request.query, limits) else { return Plan::Query };
    write_out_roots(&mut document);
    let mut operations = chosen(&document, request.operation_name.as_deref());
    match operations.find(|operation| operation.ty != OperationType::Query) {
        Some(operation) => Plan::Subscription(subscription(request, &document, operation)),
        None => Plan::Query,
    }
}

fn subscription(request: &Request, document: &ExecutableDocument, operation: &OperationDefinition) -> Subscription {
    let defined = |name: &Name| operation.variable_definitions.iter().find(|of| of.node.name.node == *name);
    let mut variables = request.variables.clone();
    variables.retain(|name, _| defined(name).is_some());
    let declared = variables.clone();
    let (mut resumes, mut is_state, mut missed_keys) = (false, false, MissedKeys::default());
    if let Some(root) = root_field(operation) {
        for value in ["after", "since"].into_iter().filter_map(|name| root.get_argument(name)) {
            resumes |= is_given(&value.node, operation, &request.variables);
            // Where one stands, others need not: once live they are the same.
            if let Value::Variable(name) = &value.node
                && uses(document, name) == 1
                && defined(name).is_some_and(|definition| definition.node.var_type.node.nullable)
            {
                variables.remove(name);
            }
        }
        is_state = root.name.node == "pipelineChanged";
        missed_keys.event = root.response_key().node.to_string();
        collect(document, &root.selection_set.node, &mut missed_keys.counts);
    }
    let key = serde_json::to_string(&(&request.query, &request.operation_name, &variables, TellCost::of(request).0))
        .expect("text is JSON");
    let key = Sha256::digest(key.as_bytes()).into();
    Subscription { key, declared, variables, resumes, is_state, missed_keys }
}

/// Whether an argument has a value.
fn is_given(value: &Value, operation: &OperationDefinition, variables: &Variables) -> bool {
    let Value::Variable(name) = value else { return *value != Value::Null };
    let default = || {
        let definitions = &operation.variable_definitions;
        let definition = definitions.iter().find(|definition| definition.node.name.node == *name);
        definition.and_then(|definition| definition.node.default_value.as_ref()).map(|value| &value.node)
    };
    variables.get(name).or_else(default).is_some_and(|value| *value != Const::Null)
}

/// The keys of `missedCount` in an event; the cost pass refuses fragments within themselves before they are executed.
fn collect(document: &ExecutableDocument, set: &SelectionSet, keys: &mut Vec<String>) {
    let mut sets = vec![set];
    let mut spread = Vec::<&Name>::new();
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node == "missedCount" => {
                    keys.push(field.node.response_key().node.to_string());
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(named) => {
                    let name = &named.node.fragment_name.node;
                    if !spread.contains(&name) {
                        spread.push(name);
                        sets.extend(document.fragments.get(name).map(|f| &f.node.selection_set.node));
                    }
                }
            }
        }
    }
    keys.sort();
    keys.dedup();
}

/// How often a document uses a variable.
fn uses(document: &ExecutableDocument, variable: &Name) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| {
        in_directives(&operation.node.directives, variable) + in_set(&operation.node.selection_set.node, variable)
    });
    let fragments = document.fragments.values().map(|fragment| {
        in_directives(&fragment.node.directives, variable) + in_set(&fragment.node.selection_set.node, variable)
    });
    operations.chain(fragments).sum()
}

fn in_set(set: &SelectionSet, variable: &Name) -> usize {
    let of = |selection: &Positioned<Selection>| {
        let below = match &selection.node {
            Selection::Field(field) => in_field(&field.node, variable),
            Selection::InlineFragment(inline) => in_set(&inline.node.selection_set.node, variable),
            Selection::FragmentSpread(_) => 0,
        };
        below + in_directives(selection.node.directives(), variable)
    };
    set.items.iter().map(of).sum()
}

fn in_field(field: &Field, variable: &Name) -> usize {
    let arguments: usize = field.arguments.iter().map(|(_, value)| in_value(&value.node, variable)).sum();
    arguments + in_set(&field.selection_set.node, variable)
}

fn in_directives(directives: &[Positioned<Directive>], variable: &Name) -> usize {
    let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
    arguments.map(|(_, value)| in_value(&value.node, variable)).sum()
}

fn in_value(value: &Value, variable: &Name) -> usize {
    match value {
        Value::Variable(name) => usize::from(name == variable),
        Value::List(items) => items.iter().map(|item| in_value(item, variable)).sum(),
        Value::Object(fields) => fields.values().map(|field| in_value(field, variable)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn planned(query: &str, variables: serde_json::Value) -> Subscription {
        match plan(&Request::new(query).variables(Variables::from_json(variables)), &Limits::default()) {
            Plan::Subscription(subscription) => subscription,
            Plan::Query => panic!("{query} is a subscription"),
        }
    }

    #[test]
    fn what_is_no_subscription_is_answered_once() {
        for query in ["{ a }", "query a { a } query b { b }", "{", "subscription {", ""] {
            assert_eq!(plan(&Request::new(query), &Limits::default()), Plan::Query, "{query}");
        }
        let both = "query a { a } subscription b { pageCreated { cursor } }";
        assert_eq!(plan(&Request::new(both).operation_name("a"), &Limits::default()), Plan::Query);
        assert!(matches!(plan(&Request::new(both).operation_name("b"), &Limits::default()), Plan::Subscription(_)));
    }

    #[test]
    fn whether_it_resumes_is_said_by_its_arguments() {
        for (arguments, variables, expect) in [
            ("filter: {isBot: true}", json!({}), false),
            ("after: \"x\"", json!({}), true),
            ("since: \"2025-05-18T10:00:00Z\"", json!({}), true),
            ("after: null", json!({}), false),
            ("after: $a", json!({}), false),
            ("after: $a", json!({ "a": null }), false),
            ("after: $a", json!({ "a": "x" }), true),
            ("since: $d", json!({}), true),
            ("since: $d", json!({ "d": null }), false),
        ] {
            let query = format!(
                "subscription($a: String, $d: DateTime = \"2025\") {{ pageCreated({arguments}) {{ cursor }} }}"
            );
            assert_eq!(planned(&query, variables).resumes, expect, "{arguments}");
        }
    }

    #[test]
    fn where_each_went_on_is_no_difference() {
        let query = "subscription($a: String, $f: F) { pageCreated(after: $a, filter: $f) { cursor } }";
        let key = |query: &str, variables| planned(query, variables).key;
        assert_eq!(key(query, json!({ "a": "x" })), key(query, json!({ "a": "y" })));
        assert_eq!(key(query, json!({ "a": "x" })), key(query, json!({})));
        assert_ne!(key(query, json!({ "f": 1 })), key(query, json!({ "f": 2 })));
        assert_ne!(key(query, json!({})), key(&query.replace("cursor", "missedCount"), json!({})));
        assert_eq!(key(query, json!({ "nothing": 1 })), key(query, json!({})), "what is not declared");
        let declared = planned(query, json!({ "nothing": 1, "a": "x", "f": 2 })).declared;
        assert_eq!(serde_json::to_value(declared).unwrap(), json!({ "a": "x", "f": 2 }), "what its replay is asked by");
        let required = query.replace("$a: String", "$a: String!");
        assert_ne!(key(&required, json!({ "a": "x" })), key(&required, json!({ "a": "y" })), "the group needs one");
        for beside in [
            "page { pages(after: [{x: $a}]) { id } }",
            "missedCount @include(if: $a)",
            "...F } } fragment F on P { a(x: $a) { b",
        ] {
            let used = query.replace("cursor", beside);
            assert_ne!(key(&used, json!({ "a": "x" })), key(&used, json!({ "a": "y" })), "{beside}");
        }
    }

    #[test]
    fn missed_events_are_told_under_any_key() {
        let keys = planned(
            "subscription { e: pageCreated { missedCount page { missedCount } ...F ... on E { n: missedCount } } } \
             fragment F on E { m: missedCount cursor ...F }",
            json!({}),
        );
        assert_eq!(
            (keys.missed_keys.event.as_str(), keys.missed_keys.counts),
            ("e", vec!["m".into(), "missedCount".into(), "n".into()])
        );
    }
}
