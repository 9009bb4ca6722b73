//! As many people as the stream has: the recorded events are of 98, and what counts by people would hardly be measured. The
//! bots stay; the pages of people are of 50,000, few of them busy: some 20,000 different ones a day. Their names are as long
//! as the recorded ones, which have ten characters on average.

use anyhow::Context;
use bytes::Bytes;
use schema::page::{Page, UserId};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

const PEOPLE: f64 = 50_000.0;

/// How much busier the busy ones are.
const SKEW: i32 = 6;

/// Beyond the recorded accounts.
const FIRST_ID: u64 = 100_000_000;

/// The page as it is if one of the many created it; `number` says which.
pub(crate) fn of_many(page: Page, number: u64) -> Page {
    if page.is_bot {
        return page;
    }
    let person = person(number);
    let user_id = UserId::new(FIRST_ID + person).expect("within the limits");
    Page { user_id, user_name: name(person), ..page }
}

/// The same of an event.
pub(crate) fn event_of_many(event: &Bytes, number: u64) -> anyhow::Result<Bytes> {
    by_person(serde_json::from_slice(event)?, number)
}

/// The same, of a page that has this number.
pub(crate) fn event_of_own(event: &Bytes, number: u64) -> anyhow::Result<Bytes> {
    let mut event: Value = serde_json::from_slice(event)?;
    event["page_id"] = json!(number);
    by_person(event, number)
}

fn by_person(mut event: Value, number: u64) -> anyhow::Result<Bytes> {
    let performer = event["performer"].as_object_mut().context("sample events have a performer")?;
    if performer.get("user_is_bot") != Some(&Value::Bool(true)) {
        let person = person(number);
        performer.insert("user_text".to_owned(), json!(name(person)));
        performer.insert("user_id".to_owned(), json!(FIRST_ID + person));
    }
    Ok(serde_json::to_vec(&event)?.into())
}

fn name(person: u64) -> String {
    format!("User {person:05}")
}

/// The same for the same number.
fn person(number: u64) -> u64 {
    let share = xxh3_64(&number.to_le_bytes()) as f64 / u64::MAX as f64;
    (PEOPLE * share.powi(SKEW)) as u64
}
