//! The shape of an answer: fields in the order in which they are asked for, and objects that stay objects where nothing
//! of them is left to tell. What the fields hold is not looked at.
//!
//! The library tells fields as they are done, and null for an object without fields.

use crate::limits::{ActualCost, Place};
use crate::schema::CONVENTIONS;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::registry::Registry;
use async_graphql::{Name, Pos, Positioned, Value, Variables};
use std::collections::HashSet;
use std::convert::Infallible;

/// The key under which an object tells its type to [`Shape::arrange`]; GraphQL keeps names that begin so for itself.
const MARK: &str = "__pagetrackType";

/// What was asked, as it was asked.
pub(super) struct Shape {
    document: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
}

impl Shape {
    /// Remembers a document, and lets each object of its answer tell its type.
    pub(super) fn take(document: &mut ExecutableDocument, operation_name: Option<&str>, variables: &Variables) -> Self {
        let document_as_asked = document.clone();
        mark(document);
        Self {
            document: document_as_asked,
            operation_name: operation_name.map(str::to_owned),
            variables: variables.clone(),
        }
    }

    /// The operation that is executed.
    pub(super) fn operation(&self) -> Option<&OperationDefinition> {
        crate::limits::chosen(&self.document, self.operation_name.as_deref()).next()
    }

    /// The variables' values.
    pub(super) fn variables(&self) -> &Variables {
        &self.variables
    }

    /// A variable's value; null for one that was not given.
    pub(super) fn variable(&self, name: &Name) -> Result<Value, Infallible> {
        Ok(self.variables.get(name).cloned().unwrap_or_default())
    }

    /// The document as it was asked.
    pub(super) fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// The answer's data in the order of the document, and what it cost.
    pub(super) fn arrange(&self, registry: &Registry, data: Value) -> (Value, u64) {
        let Some(operation) = self.operation() else { return (data, 0) };
        let cost = ActualCost::new(&self.variables);
        let mut arrange = Arrange { shape: self, registry, cost };
        let data = arrange.value(data, &[&operation.selection_set.node], ActualCost::ROOT);
        (data, arrange.cost.sum())
    }
}

fn mark(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => mark_operation(&mut operation.node),
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().for_each(|operation| mark_operation(&mut operation.node));
        }
    }
    document.fragments.values_mut().for_each(|fragment| mark_below(&mut fragment.node.selection_set.node));
}

/// A subscription's root has one field, and no other beside it.
fn mark_operation(operation: &mut OperationDefinition) {
    let set = &mut operation.selection_set.node;
    if operation.ty == OperationType::Subscription { mark_below(set) } else { mark_set(set) }
}

fn mark_set(set: &mut SelectionSet) {
    mark_below(set);
    let here = |name| Positioned::new(Name::new(name), Pos::default());
    let field = Field {
        alias: Some(here(MARK)),
        name: here("__typename"),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    set.items.push(Positioned::new(Selection::Field(Positioned::new(field, Pos::default())), Pos::default()));
}

fn mark_below(set: &mut SelectionSet) {
    for selection in &mut set.items {
        if let Some(fragment) = around_conditional_name(&mut selection.node) {
            selection.node = fragment;
        }
        match &mut selection.node {
            Selection::Field(field) if field.node.selection_set.node.items.is_empty() => {}
            Selection::Field(field) => mark_set(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => mark_below(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// A fragment with the directives of `__typename`, where it has some: of that field the library looks neither at their
/// variables, nor whether there are such directives.
fn around_conditional_name(selection: &mut Selection) -> Option<Selection> {
    let Selection::Field(field) = selection else { return None };
    if field.node.name.node != "__typename" || field.node.directives.is_empty() {
        return None;
    }
    let directives = std::mem::take(&mut field.node.directives);
    let pos = field.pos;
    let items = vec![Positioned::new(Selection::Field(field.clone()), pos)];
    let selection_set = Positioned::new(SelectionSet { items }, pos);
    Some(Selection::InlineFragment(Positioned::new(
        InlineFragment { type_condition: None, directives, selection_set },
        pos,
    )))
}

/// The fields asked of one object by the keys of their answers, in order; fields of one key have one answer.
type Asked<'a> = IndexMap<&'a str, Vec<&'a Field>>;

/// One walk over an answer.
struct Arrange<'a> {
    shape: &'a Shape,
    registry: &'a Registry,
    cost: ActualCost<'a>,
}

impl<'a> Arrange<'a> {
    fn value(&mut self, value: Value, sets: &[&'a SelectionSet], place: Place) -> Value {
        match value {
            Value::List(items) => Value::List(items.into_iter().map(|item| self.value(item, sets, place)).collect()),
            Value::Object(object) if !sets.is_empty() => Value::Object(self.object(object, sets, place)),
            other => other,
        }
    }

    fn object(
        &mut self,
        mut object: IndexMap<Name, Value>,
        sets: &[&'a SelectionSet],
        place: Place,
    ) -> IndexMap<Name, Value> {
        let mark = object.swap_remove(MARK);
        let type_name = match &mark {
            Some(Value::String(name)) => Some(name.as_str()),
            _ => None,
        };
        let (mut asked, mut spread) = (Asked::new(), HashSet::new());
        sets.iter().for_each(|set| self.collect(set, type_name, &mut asked, &mut spread));
        let mut arranged = IndexMap::with_capacity(object.len());
        for (key, fields) in asked {
            let Some((name, value)) = object.swap_remove_entry(key) else { continue };
            let is_description = type_name == Some("__Schema") && fields[0].name.node == "description";
            let place = self.cost.add(fields[0], &value, place);
            let below = fields.iter().map(|field| &field.selection_set.node).filter(|set| !set.items.is_empty());
            // The library describes what a schema is, not this one.
            let value =
                if is_description { CONVENTIONS.into() } else { self.value(value, &below.collect::<Vec<_>>(), place) };
            arranged.insert(name, value);
        }
        arranged.extend(object);
        arranged
    }

    fn collect(
        &self,
        set: &'a SelectionSet,
        type_name: Option<&str>,
        asked: &mut Asked<'a>,
        spread: &mut HashSet<&'a str>,
    ) {
        for selection in set.items.iter().map(|item| &item.node).filter(|item| !self.is_skipped(item.directives())) {
            match selection {
                Selection::Field(field) => {
                    asked.entry(field.node.response_key().node.as_str()).or_default().push(&field.node);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    if condition.is_none_or(|condition| self.applies(condition, type_name)) {
                        self.collect(&inline.node.selection_set.node, type_name, asked, spread);
                    }
                }
                Selection::FragmentSpread(named) => {
                    let name = &named.node.fragment_name.node;
                    let Some(fragment) = self.shape.document.fragments.get(name) else { continue };
                    let is_new = spread.insert(name.as_str());
                    if is_new && self.applies(&fragment.node.type_condition.node.on.node, type_name) {
                        self.collect(&fragment.node.selection_set.node, type_name, asked, spread);
                    }
                }
            }
        }
    }

    /// Whether a fragment on `condition` is of an object of this type; a subscription's root tells none.
    fn applies(&self, condition: &Name, type_name: Option<&str>) -> bool {
        let Some(type_name) = type_name else { return true };
        let kind = self.registry.types.get(condition.as_str());
        condition == type_name || kind.is_some_and(|kind| kind.is_possible_type(type_name))
    }

    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| match directive.node.name.node.as_str() {
            "skip" => self.condition(&directive.node) == Some(true),
            "include" => self.condition(&directive.node) == Some(false),
            _ => false,
        })
    }

    fn condition(&self, directive: &Directive) -> Option<bool> {
        let value = directive.get_argument("if")?.node.clone();
        let Ok(value) = value.into_const_with(|name| self.shape.variable(&name));
        match value {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }
}
