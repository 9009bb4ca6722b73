//! What an answer cost: by the weights of requests, over what is in it.

use super::cost::{Inputs, Mode};
use async_graphql::parser::types::Field;
use async_graphql::{Value, Variables};

/// The cost of one answer, added up field by field from the root.
pub(crate) struct ActualCost<'a> {
    inputs: Inputs<'a>,
    sum: u64,
}

/// Where in an answer a field stands; nowhere is where its cost is that of the field above.
pub(crate) type Place = Option<Mode>;

impl<'a> ActualCost<'a> {
    /// Of an answer to a request with these variables, defaults filled in.
    pub(crate) fn new(variables: &'a Variables) -> Self {
        Self { inputs: Inputs::new(variables), sum: 0 }
    }

    /// Of the root's fields.
    pub(crate) const ROOT: Place = Some(Mode::Query);

    /// Adds a field with this answer, and says where the fields of its objects stand.
    pub(crate) fn add(&mut self, field: &Field, value: &Value, place: Place) -> Place {
        let mode = place?;
        let name = field.name.node.as_str();
        let below = mode.below(name);
        if below == Mode::Introspection {
            self.sum = self.sum.saturating_add(1);
            return None;
        }
        let weight = self.inputs.weight(field, mode);
        let times = match value {
            // Within a connection these are of each item.
            Value::List(items) if matches!(name, "nodes" | "edges") && weight.times == 1 => items.len() as u64,
            _ => 1,
        };
        self.sum = self.sum.saturating_add(weight.own.saturating_mul(times));
        // The points of a chart are in its own weight, however many they are.
        (name != "points").then_some(below)
    }

    /// What was added.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }
}
