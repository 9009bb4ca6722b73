//! What the APIs must answer for a set of events, from the pure reference of the tables.

pub mod graphql;
pub mod rest;

use bytes::Bytes;
use ingest::clean::{RejectReason, clean};
use schema::reference::Reference;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is counted and not kept.
const LEFT_OUT: [RejectReason; 3] = [RejectReason::Canary, RejectReason::AnonymousCreator, RejectReason::HiddenCreator];

/// One question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// A path, or a GraphQL document.
    pub question: String,
    /// The JSON that must come back.
    pub answer: Value,
}

/// What a set of events must have become.
#[derive(Debug, Default)]
pub struct Model {
    /// The tables.
    pub reference: Reference,
    /// Distinct events that give a page.
    pub pages: usize,
    /// Distinct events that give none, by reason.
    pub refused: BTreeMap<RejectReason, usize>,
    /// What the topic `rejected` must list, with the event's text: not canaries, not those left out on purpose.
    pub rejected: BTreeSet<(RejectReason, String)>,
}

impl Model {
    /// Of these events, in any order and however often each came.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Bytes>) -> Self {
        let distinct: std::collections::HashSet<&Bytes> = events.into_iter().collect();
        let mut model = Self::default();
        for event in distinct {
            match clean(event) {
                Ok(page) => {
                    model.reference.write(&page);
                    model.pages += 1;
                }
                Err(reject) => {
                    *model.refused.entry(reject.reason).or_default() += 1;
                    if !LEFT_OUT.contains(&reject.reason) {
                        // The stream is text: what is not comes through with replacement characters.
                        model.rejected.insert((reject.reason, String::from_utf8_lossy(event).into_owned()));
                    }
                }
            }
        }
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events;

    #[test]
    fn every_special_event_has_the_fate_that_it_is_there_for() {
        let model = Model::of(&events::special());
        assert_eq!(model.pages, 1);
        let refused: Vec<_> = model.refused.into_iter().collect();
        assert_eq!(
            refused,
            [
                (RejectReason::Canary, 1),
                (RejectReason::AnonymousCreator, 1),
                (RejectReason::HiddenCreator, 1),
                (RejectReason::InvalidJson, 3),
                (RejectReason::InvalidField, 1),
            ]
        );
    }

    #[test]
    fn the_recorded_events_are_pages_and_others() {
        let model = Model::of(&events::recorded().unwrap());
        assert!(model.pages > 400, "{}", model.pages);
        assert!(model.refused[&RejectReason::NotACreation] > 150, "{:?}", model.refused);
    }
}
