//! What subscribers are told: an answer of their own, or the bytes that a group shares.

use super::plan::MissedKeys;
use crate::operation::{RequestId, finish_error};
use crate::schema::scalars::count;
use async_graphql::{Response as Answer, ServerError, Value};
use ingest::bus::FeedPosition;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What one subscriber is told.
#[expect(clippy::large_enum_variant, reason = "it is told and gone; few are held at a time")]
pub(crate) enum Told {
    /// An answer that was executed for it alone.
    Own(Answer),
    /// The JSON of an answer to all who asked the same.
    Shared(Arc<str>),
}

/// The answer to an event, for all who asked the same.
pub(super) struct SharedAnswer {
    json: Arc<str>,
    /// Why nothing was executed; empty where it was.
    refused: Vec<ServerError>,
    /// Behind the event.
    pub(super) position: Option<FeedPosition>,
    /// Events that all of them missed just before it.
    pub(super) missed: u64,
    held: Arc<AtomicUsize>,
}

impl SharedAnswer {
    /// Makes the bytes, which `held` counts while they are there.
    pub(super) fn new(answer: Answer, position: Option<FeedPosition>, missed: u64, held: &Arc<AtomicUsize>) -> Self {
        let refused = if is_request_error(&answer) { answer.errors.clone() } else { Vec::new() };
        let json: Arc<str> = serde_json::to_string(&answer).expect("an answer is JSON").into();
        held.fetch_add(json.len(), Ordering::Relaxed);
        Self { json, refused, position, missed, held: Arc::clone(held) }
    }

    /// Whether nothing was executed.
    pub(super) fn is_refusal(&self) -> bool {
        !self.refused.is_empty()
    }

    /// As it is told to one that missed so many events before it; a refusal bears the name of that one's own request.
    pub(super) fn told(&self, missed: u64, keys: &MissedKeys, id: &RequestId) -> Told {
        if self.is_refusal() {
            let mut refused = self.refused.clone();
            refused.iter_mut().for_each(|error| finish_error(error, Some(&id.0)));
            return Told::Own(Answer::from_errors(refused));
        }
        let patched = if missed == 0 { None } else { with_missed(&self.json, missed, keys) };
        Told::Shared(patched.unwrap_or_else(|| Arc::clone(&self.json)))
    }
}

impl Drop for SharedAnswer {
    fn drop(&mut self) {
        self.held.fetch_sub(self.json.len(), Ordering::Relaxed);
    }
}

/// Whether nothing was executed: the document, its variables or its cost were refused.
pub(crate) fn is_request_error(answer: &Answer) -> bool {
    answer.data == Value::Null && !answer.errors.is_empty() && answer.errors.iter().all(|error| error.path.is_empty())
}

/// The answer with more events missed; none where it does not tell how many.
fn with_missed(json: &str, missed: u64, keys: &MissedKeys) -> Option<Arc<str>> {
    let mut answer: Value = serde_json::from_str(json).ok()?;
    let Value::Object(event) = field(field(&mut answer, "data")?, &keys.event)? else { return None };
    for key in &keys.counts {
        if let Some(Value::Number(number)) = event.get(key.as_str()) {
            let sum = number.as_u64()?.saturating_add(missed);
            event.insert(async_graphql::Name::new(key), count(sum).into());
        }
    }
    Some(serde_json::to_string(&answer).ok()?.into())
}

fn field<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(object) => object.get_mut(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_missed(json: &str, keys: &[&str], expect: Option<&str>) {
        let keys = MissedKeys { event: "e".into(), counts: keys.iter().map(|key| (*key).to_owned()).collect() };
        assert_eq!(with_missed(json, 5, &keys).as_deref(), expect);
    }

    #[test]
    fn what_one_missed_is_added_under_each_of_its_keys_and_nothing_else_changes() {
        check_missed(
            r#"{"data":{"e":{"z":"missed","missed":1,"a":{"missed":7},"again":1}},"extensions":{"cost":2}}"#,
            &["missed", "again", "skipped"],
            Some(r#"{"data":{"e":{"z":"missed","missed":6,"a":{"missed":7},"again":6}},"extensions":{"cost":2}}"#),
        );
        check_missed(
            r#"{"data":{"e":{"missed":2147483647}}}"#,
            &["missed"],
            Some(r#"{"data":{"e":{"missed":2147483647}}}"#),
        );
        check_missed(r#"{"data":null,"errors":[]}"#, &["missed"], None);
    }

    #[test]
    fn bytes_are_counted_while_they_are_held() {
        let held = Arc::new(AtomicUsize::new(0));
        let answer = SharedAnswer::new(Answer::new(7), None, 0, &held);
        assert_eq!(held.load(Ordering::Relaxed), answer.json.len());
        drop(answer);
        assert_eq!(held.load(Ordering::Relaxed), 0);
    }
}
