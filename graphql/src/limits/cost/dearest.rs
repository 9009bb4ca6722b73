//! Which fields make a document dear, for the refusal to name.

use super::{Mode, Pass};
use crate::schema::errors::ApiError;
use async_graphql::parser::types::{Field, Selection, SelectionSet};

impl<'a> Pass<'a> {
    /// The path of the fields that cost most, up to the last list: `pages × 100 / nodes / user / pages × 100`. Empty where no
    /// list is in it. Of a document that was measured and keeps to the other limits, so that the walk is short.
    pub(super) fn dearest(&mut self, root: &'a SelectionSet) -> Result<String, ApiError> {
        let (mut set, mut mode) = (root, Mode::Query);
        let mut path = Vec::new();
        let mut up_to_last_list = 0;
        while let Some(field) = self.dearest_field(set, mode)? {
            let name = field.name.node.as_str();
            let reads = self.selection_set(&field.selection_set.node, mode.below(name), 0)?.reads;
            let times = if mode == Mode::Introspection { 1 } else { self.weight(field, mode, reads).times };
            path.push(if times > 1 { format!("{name} × {times}") } else { name.to_owned() });
            if times > 1 {
                up_to_last_list = path.len();
            }
            (set, mode) = (&field.selection_set.node, mode.below(name));
        }
        path.truncate(up_to_last_list);
        Ok(path.join(" / "))
    }

    fn dearest_field(&mut self, set: &'a SelectionSet, mode: Mode) -> Result<Option<&'a Field>, ApiError> {
        let mut dearest = None;
        let mut most = 0;
        let mut sets = vec![set];
        while let Some(set) = sets.pop() {
            for selection in &set.items {
                match &selection.node {
                    Selection::Field(field) => {
                        let measure = self.field(&field.node, mode, 0)?;
                        let cost = measure.cost.saturating_add(measure.hourly);
                        if cost > most {
                            (dearest, most) = (Some(&field.node), cost);
                        }
                    }
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        let fragment = self.fragments.get(&spread.node.fragment_name.node);
                        sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                    }
                }
            }
        }
        Ok(dearest)
    }
}
