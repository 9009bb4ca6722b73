//! The cost of a parsed document: each fragment is measured once, sums stop at the top instead of wrapping.

mod dearest;

use super::weights::{self, Weight};
use super::{Limits, at_most};
use crate::schema::errors::ApiError;
use crate::schema::node::NodeId;
use async_graphql::parser::Positioned;
use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
    VariableDefinition,
};
use async_graphql::{Name, Value, Variables};
use async_graphql_value::{Number, Value as Written};
use schema::reports::DEFAULT_HOURS;
use std::collections::{HashMap, HashSet};

/// Selections within each other, spreads included, beyond which a document is refused: the measure recurses.
pub(crate) const MAX_LEVELS: u32 = 100;

/// Refuses a document that asks for too much; else what it costs.
pub(super) fn check(document: &ExecutableDocument, variables: &Variables, limits: &Limits) -> Result<u64, ApiError> {
    at_most("fragments", document.fragments.len() as u64, limits.fragments)?;
    let mut cost = 0;
    let mut spread = HashSet::new();
    for (_, operation) in document.operations.iter() {
        // Each has defaults of its own, so a fragment may cost otherwise in another.
        let mut pass = Pass::new(document, Inputs::of_operation(&operation.node, variables));
        let measure = pass.selection_set(&operation.node.selection_set.node, Mode::Query, 0)?;
        measure.check(limits)?;
        let mut afford = |what, most| match at_most(what, measure.cost, most) {
            Err(ApiError::LimitExceeded(why)) => {
                let dearest = pass.dearest(&operation.node.selection_set.node)?;
                let hint = if dearest.is_empty() { dearest } else { format!("; most of it is {dearest}") };
                Err(ApiError::LimitExceeded(why + &hint))
            }
            other => other,
        };
        afford("cost", limits.cost)?;
        if operation.node.ty == OperationType::Subscription {
            // GraphQL allows one; each would listen by itself.
            at_most("fields of a subscription's root", measure.top_fields, 1)?;
            afford("cost of each event", limits.event_cost)?;
        }
        at_most("fields of the root", measure.top_fields, limits.root_fields)?;
        cost = cost.max(measure.cost);
        spread.extend(pass.known.keys().map(|(name, _)| *name));
    }
    let mut pass = Pass::new(document, Inputs::new(variables));
    for name in document.fragments.keys().filter(|name| !spread.contains(name.as_str())) {
        // Used by no operation: the validation says so, but it walks it first.
        let measure = pass.fragment(name, Mode::Query, 0)?;
        measure.check(limits)?;
        at_most("cost", measure.cost, limits.cost)?;
    }
    Ok(cost)
}

/// What is asked for, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Measure {
    cost: u64,
    /// Cost of each hour of the report that this is a part of.
    hourly: u64,
    depth: u64,
    introspection_cost: u64,
    introspection_depth: u64,
    selections: u64,
    aliases: u64,
    top_fields: u64,
    /// Whether some field is a read of its own.
    reads: bool,
    /// Selections within each other, spreads included.
    height: u32,
}

impl Measure {
    /// All but what reads cost.
    fn check(&self, limits: &Limits) -> Result<(), ApiError> {
        at_most("selections", self.selections, limits.selections)?;
        at_most("aliases", self.aliases, limits.aliases)?;
        at_most("fields within each other", self.depth, limits.depth)?;
        at_most("fields of an introspection within each other", self.introspection_depth, limits.introspection_depth)?;
        at_most("cost of the introspection", self.introspection_cost, limits.introspection_cost)
    }

    /// Beside each other.
    fn add(&mut self, other: Measure) {
        self.cost = self.cost.saturating_add(other.cost);
        self.hourly = self.hourly.saturating_add(other.hourly);
        self.introspection_cost = self.introspection_cost.saturating_add(other.introspection_cost);
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.top_fields = self.top_fields.saturating_add(other.top_fields);
        self.reads |= other.reads;
        self.depth = self.depth.max(other.depth);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.height = self.height.max(other.height);
    }

    /// Below a field.
    fn below(mut self, weight: Weight) -> Measure {
        self.cost = self.cost.saturating_mul(weight.times).saturating_add(weight.own);
        self.hourly = self.hourly.saturating_mul(weight.times);
        self.introspection_cost = self.introspection_cost.saturating_mul(weight.times);
        self.depth += 1;
        self.top_fields = 1;
        self
    }

    /// Below a list of a report's hours: how many these are, only the report knows.
    fn by_hour(self) -> Measure {
        Measure { cost: 0, hourly: self.hourly.saturating_add(self.cost), ..self }
    }

    /// Below a report of so many hours.
    fn of_hours(self, hours: u64) -> Measure {
        Measure { cost: self.cost.saturating_add(self.hourly.saturating_mul(hours)), hourly: 0, ..self }
    }

    /// Below `__schema` or `__type`: what was counted as cost is the introspection's.
    fn as_introspection(self) -> Measure {
        Measure {
            cost: 1,
            depth: 1,
            introspection_cost: self.cost.saturating_add(self.introspection_cost),
            introspection_depth: self.depth.max(self.introspection_depth),
            ..self
        }
    }
}

/// Whether a field gives all wikis of an hour or a window, however many these are.
fn is_of_all_wikis(field: &str, mode: Mode) -> bool {
    field == "botPagesByDomain" || field == "domains" && mode == Mode::Counted
}

/// Which weights hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// Everywhere else.
    Query,
    /// Directly below a field that has read the numbers which these fields tell.
    Counted,
    /// Below `__schema` or `__type`.
    Introspection,
}

impl Mode {
    /// The weights that hold below a field.
    pub(super) fn below(self, field: &str) -> Self {
        match (self, field) {
            (Self::Introspection, _) | (_, "__schema" | "__type") => Self::Introspection,
            (Self::Counted, _) if weights::stays_counted(field) => Self::Counted,
            _ if weights::has_counted(field) => Self::Counted,
            _ => Self::Query,
        }
    }
}

/// One walk over a document.
struct Pass<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    inputs: Inputs<'a>,
    /// None while a fragment is being measured: to meet it again means that it contains itself.
    known: HashMap<(&'a str, Mode), Option<Measure>>,
}

impl<'a> Pass<'a> {
    fn new(document: &'a ExecutableDocument, inputs: Inputs<'a>) -> Self {
        Self { fragments: &document.fragments, inputs, known: HashMap::new() }
    }

    fn selection_set(&mut self, set: &'a SelectionSet, mode: Mode, level: u32) -> Result<Measure, ApiError> {
        at_most("selections within each other", level, MAX_LEVELS)?;
        let mut sum = Measure::default();
        for selection in &set.items {
            sum.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, mode, level)?,
                Selection::InlineFragment(inline) => {
                    self.selection_set(&inline.node.selection_set.node, mode, level + 1)?
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, mode, level)?,
            });
            sum.selections = sum.selections.saturating_add(1);
        }
        sum.height += 1;
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field, mode: Mode, level: u32) -> Result<Measure, ApiError> {
        let name = field.name.node.as_str();
        let below = mode.below(name);
        let begins_introspection = mode != Mode::Introspection && below == Mode::Introspection;
        let mut children = self.selection_set(&field.selection_set.node, below, level + 1)?;
        if name == "domainsByHour" {
            children = children.by_hour();
        } else if name == "reports" {
            let hours = self.inputs.times(field, "hours").unwrap_or(DEFAULT_HOURS.into());
            children = children.of_hours(hours);
        }
        let weight = self.weight(field, mode, children.reads);
        let mut measure = children.below(weight);
        measure.reads |= mode != Mode::Introspection && weight.own > 1;
        if matches!(name, "domainsByHour" | "botPagesByDomain") {
            measure.hourly = measure.hourly.saturating_add(weights::HOUR_OF_REPORT);
        }
        if begins_introspection {
            measure = measure.as_introspection();
        }
        measure.aliases = measure.aliases.saturating_add(u64::from(field.alias.is_some()));
        Ok(measure)
    }

    /// A field's weight, below which something is a read of its own or not.
    fn weight(&self, field: &Field, mode: Mode, reads: bool) -> Weight {
        let name = field.name.node.as_str();
        match mode {
            Mode::Introspection => weights::of_introspection(name),
            _ if reads && is_of_all_wikis(name, mode) => {
                Weight { times: weights::WIKIS, ..self.inputs.weight(field, mode) }
            }
            _ => self.inputs.weight(field, mode),
        }
    }

    fn fragment(&mut self, name: &'a Name, mode: Mode, level: u32) -> Result<Measure, ApiError> {
        let key = (name.as_str(), mode);
        match self.known.get(&key) {
            Some(Some(measure)) => {
                at_most("selections within each other", level + measure.height, MAX_LEVELS)?;
                return Ok(*measure);
            }
            Some(None) => return Err(ApiError::LimitExceeded(format!("the fragment {name} contains itself"))),
            None => {}
        }
        // What is not defined is the validation's to refuse.
        let Some(fragment) = self.fragments.get(name) else { return Ok(Measure::default()) };
        self.known.insert(key, None);
        let measure = self.selection_set(&fragment.node.selection_set.node, mode, level + 1)?;
        self.known.insert(key, Some(measure));
        Ok(measure)
    }
}

/// The arguments that say how long a list is.
pub(super) struct Inputs<'a> {
    variables: &'a Variables,
    defaults: HashMap<&'a str, &'a Value>,
}

impl<'a> Inputs<'a> {
    /// With these values only.
    pub(super) fn new(variables: &'a Variables) -> Self {
        Self { variables, defaults: HashMap::new() }
    }

    /// With these values, and the operation's defaults for those that are not there.
    fn of_operation(operation: &'a OperationDefinition, variables: &'a Variables) -> Self {
        let default = |definition: &'a Positioned<VariableDefinition>| {
            let value = definition.node.default_value.as_ref()?;
            Some((definition.node.name.node.as_str(), &value.node))
        };
        Self { variables, defaults: operation.variable_definitions.iter().filter_map(default).collect() }
    }

    /// A field's weight with its arguments.
    pub(super) fn weight(&self, field: &Field, mode: Mode) -> Weight {
        let name = field.name.node.as_str();
        if name == "nodes" && field.get_argument("ids").is_some() {
            // Each is a read, as it is by `node`; one that is no list stands for a list of it.
            let ids = self.times(field, "ids").unwrap_or(1);
            return Weight { own: ids.saturating_add(self.report_users(field, "ids")), times: ids };
        }
        if name == "node" {
            return Weight { own: self.report_users(field, "id").saturating_add(1), times: 1 };
        }
        let weight = if mode == Mode::Counted { weights::of_counted(name) } else { weights::of(name) };
        let asked = ["first", "last", "limit"].into_iter().find_map(|name| self.times(field, name));
        let is_filtered = name == "pages" && self.is_given(field, "filter");
        let filter = if is_filtered { weights::FILTER } else { 0 };
        Weight { own: weight.own + filter, times: asked.unwrap_or(weight.times) }
    }

    /// How long a list the argument asks for; none where it is absent or no such number: the default holds, or the
    /// validation refuses it. Nothing is copied: a variable may be large, and used often.
    fn times(&self, field: &Field, argument: &str) -> Option<u64> {
        match &field.get_argument(argument)?.node {
            Written::Variable(name) => match self.variable(name)? {
                Value::Number(number) => size(number),
                Value::List(items) => Some(items.len() as u64),
                _ => None,
            },
            Written::Number(number) => size(number),
            Written::List(items) => Some(items.len() as u64),
            _ => None,
        }
    }

    /// What those of an argument's ids add that are dear.
    fn report_users(&self, field: &Field, argument: &str) -> u64 {
        let is_dear = |id: &Value| matches!(id, Value::String(id) if NodeId::may_be_of_report(id));
        let of_variable = |name: &Name| match self.variable(name) {
            Some(Value::List(ids)) => ids.iter().filter(|id| is_dear(id)).count(),
            Some(id) => usize::from(is_dear(id)),
            None => 0,
        };
        let of_written = |id: &Written| match id {
            Written::Variable(name) => of_variable(name),
            Written::String(id) => usize::from(NodeId::may_be_of_report(id)),
            _ => 0,
        };
        let count = match field.get_argument(argument).map(|argument| &argument.node) {
            Some(Written::List(ids)) => ids.iter().map(of_written).sum(),
            Some(id) => of_written(id),
            None => 0,
        };
        weights::REPORT_USER.saturating_mul(count as u64)
    }

    /// Whether an argument is there, and is not null.
    fn is_given(&self, field: &Field, argument: &str) -> bool {
        match field.get_argument(argument).map(|argument| &argument.node) {
            None | Some(Written::Null) => false,
            Some(Written::Variable(name)) => self.variable(name).is_some_and(|value| *value != Value::Null),
            Some(_) => true,
        }
    }

    fn variable(&self, name: &Name) -> Option<&Value> {
        self.variables.get(name).or_else(|| self.defaults.get(name.as_str()).copied())
    }
}

fn size(number: &Number) -> Option<u64> {
    (!number.is_f64()).then(|| number.as_i64().map_or(u64::MAX, |n| u64::try_from(n).unwrap_or(1)))
}
