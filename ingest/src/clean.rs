//! One event's bytes to a clean page or the reason why not. Pure: no clock, no state, no socket.

mod wire;

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use schema::hour::Hour;
use schema::page::{Domain, Page, PageId, ParseError, UserId, WikiId};
use schema::wiki::domain_of_wiki;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use wire::{Envelope, Event, Meta, Performer, Text};
use xxhash_rust::xxh3::xxh3_64;

/// The longest event that is read, bytes.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// The longest title or name, bytes: MediaWiki's own limit is 255 and a namespace's name.
const MAX_TEXT_BYTES: usize = 1024;
/// The longest `meta.id`, bytes: it is a UUID of 36.
const MAX_EVENT_ID_BYTES: usize = 255;
/// 2001-01-01T00:00:00Z: no wiki is older than that year.
const FIRST_DAY: i64 = 978_307_200;
/// What `meta.domain` holds at times instead of the wiki: the host of the login.
const LOGIN_HOST: &str = "auth.wikimedia.org";
const CANARY: &str = "canary";

/// Why an event is not stored. The first three are left out on purpose; the others are faults of the event, but for the
/// last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectReason {
    /// The stream's own test event; counted apart, a proof of life.
    Canary,
    /// No user id: an IP address.
    AnonymousCreator,
    /// No creator at all.
    HiddenCreator,
    /// Another kind of event: an edit, a deletion.
    NotACreation,
    /// Not JSON, or not an object.
    InvalidJson,
    /// A field that a row needs is absent.
    MissingField,
    /// A field has a value that cannot be right.
    InvalidField,
    /// Longer than 256 KiB.
    TooLarge,
    /// Its hour is frozen by retention.
    BeyondRetention,
}

/// An event that is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {detail}")]
pub struct Reject {
    /// Which rule.
    pub reason: RejectReason,
    /// What was found, in short; quoted parts are escaped.
    pub detail: String,
}

impl Reject {
    /// Quotes at most 200 characters of `detail`: messages of the JSON reader hold whole strings of the event.
    pub(crate) fn new(reason: RejectReason, detail: impl AsRef<str>) -> Self {
        Self { reason, detail: detail.as_ref().chars().take(200).collect() }
    }

    fn missing(field: &str) -> Self {
        Self::new(RejectReason::MissingField, format!("no {field}"))
    }

    fn invalid(detail: impl AsRef<str>) -> Self {
        Self::new(RejectReason::InvalidField, detail)
    }
}

impl From<ParseError> for Reject {
    fn from(error: ParseError) -> Self {
        Self::invalid(error.to_string())
    }
}

/// The page that the event tells of.
///
/// Accepted are `mediawiki.page-create`, first revisions of `mediawiki.revision-create` (the same fields) and
/// creations of `mediawiki.page_change.v1`.
///
/// # Errors
/// The first rule that the event breaks, in the order: size, JSON, canary, kind of event, creator, fields.
pub fn clean(raw: &[u8]) -> Result<Page, Reject> {
    if raw.len() > MAX_EVENT_BYTES {
        return Err(Reject::new(RejectReason::TooLarge, format!("{} bytes", raw.len())));
    }
    let text = std::str::from_utf8(raw).map_err(|e| Reject::new(RejectReason::InvalidJson, e.to_string()))?;
    if !text.trim_start().starts_with('{') {
        return Err(Reject::new(RejectReason::InvalidJson, "not an object")); // the reader would take a list for one
    }
    let event: Event<'_> = serde_json::from_str(text).map_err(|e| unreadable(text, &e))?;
    let meta = event.meta.as_ref().ok_or_else(|| Reject::missing("meta"))?;
    if meta.domain.as_ref().is_some_and(|domain| domain.0 == CANARY) {
        return Err(Reject::new(RejectReason::Canary, "the stream's test event"));
    }
    check_is_creation(&event, meta)?;
    let (user_id, performer) = creator(&event)?;
    page(&event, meta, performer, user_id, raw)
}

/// Refuses a page that no event is cleaned to: what others wrote into the topic of clean pages must not stop a store.
///
/// # Errors
/// The first rule that the page breaks.
pub(crate) fn check(page: &Page) -> Result<(), Reject> {
    checked(&page.user_name, "user_name", MAX_TEXT_BYTES)?;
    checked(&page.page_title, "page_title", MAX_TEXT_BYTES)?;
    page.event_id.as_ref().map(|id| checked(id, "event_id", MAX_EVENT_ID_BYTES)).transpose()?;
    checked_namespace(Some(page.namespace))?;
    checked_revision(page.rev_id)?;
    let (time, version) = (page.created_at, page.version);
    if !is_possible(time) {
        return Err(Reject::invalid(format!("created {time}")));
    }
    if version.div_euclid(1_000_000) != time.timestamp() {
        return Err(Reject::invalid(format!("version {version} of a page created {time}")));
    }
    Ok(())
}

/// Whether a page can be of this time.
fn is_possible(time: DateTime<Utc>) -> bool {
    time.timestamp() >= FIRST_DAY && time < Hour::MAX.start()
}

/// Tells apart what is not JSON and what has a field of a wrong kind; a canary stays one whatever it holds.
fn unreadable(text: &str, error: &serde_json::Error) -> Reject {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Reject::new(RejectReason::InvalidJson, error.to_string());
    }
    match serde_json::from_str::<Envelope<'_>>(text) {
        Ok(envelope) if envelope.meta.domain.0 == CANARY => Reject::new(RejectReason::Canary, "a malformed test event"),
        _ => Reject::invalid(error.to_string()),
    }
}

fn check_is_creation(event: &Event<'_>, meta: &Meta<'_>) -> Result<(), Reject> {
    let stream = text_of(&meta.stream, "meta.stream")?;
    let other = |what: String| Err(Reject::new(RejectReason::NotACreation, what));
    match stream {
        "mediawiki.page-create" | "mediawiki.revision-create" => {}
        "mediawiki.page_change.v1" => {
            let kind = text_of(&event.page_change_kind, "page_change_kind")?;
            if kind != "create" {
                return other(format!("page_change_kind {}", quoted(kind)));
            }
        }
        stream => return other(format!("stream {}", quoted(stream))),
    }
    let parent = event.rev_parent_id.or(event.revision.as_ref().and_then(|r| r.rev_parent_id));
    match parent {
        None | Some(0) => Ok(()),
        Some(parent) => other(format!("revision {parent} came before")),
    }
}

/// The account; temporary accounts have a number too, IP addresses have none.
fn creator<'e, 'a>(event: &'e Event<'a>) -> Result<(UserId, &'e Performer<'a>), Reject> {
    let performer = event.performer.as_ref().ok_or_else(|| Reject::new(RejectReason::HiddenCreator, "no performer"))?;
    match performer.user_id {
        None | Some(0) => Err(Reject::new(RejectReason::AnonymousCreator, "no performer.user_id")),
        Some(number) => Ok((UserId::new(number)?, performer)),
    }
}

fn page(
    event: &Event<'_>,
    meta: &Meta<'_>,
    performer: &Performer<'_>,
    user_id: UserId,
    raw: &[u8],
) -> Result<Page, Reject> {
    let change = event.page.as_ref();
    let revision = event.revision.as_ref();
    let wiki = WikiId::from_str(text_of(either(&event.database, &event.wiki_id), "database")?)?;
    let page_id = event.page_id.or(change.and_then(|p| p.page_id)).ok_or_else(|| Reject::missing("page_id"))?;
    let title = event.page_title.as_ref().or(change.and_then(|p| p.page_title.as_ref()));
    let namespace = event.page_namespace.or(change.and_then(|p| p.namespace_id));
    let rev_id = event.rev_id.or(revision.and_then(|r| r.rev_id)).ok_or_else(|| Reject::missing("rev_id"))?;
    let event_id = meta.id.as_ref().map(|id| checked(&id.0, "meta.id", MAX_EVENT_ID_BYTES)).transpose()?;
    let created_at = created_at(event, meta)?;
    Ok(Page {
        page_id: PageId::new(page_id)?,
        user_id,
        user_name: checked_text(performer.user_text.as_ref(), "performer.user_text")?,
        domain: domain(meta, &wiki)?,
        page_title: checked_text(title, "page_title")?,
        created_at,
        wiki,
        namespace: checked_namespace(namespace)?,
        is_redirect: event.page_is_redirect.or(change.and_then(|p| p.is_redirect)).unwrap_or(false),
        is_bot: performer.user_is_bot.or(performer.is_bot).unwrap_or(false),
        rev_id: checked_revision(rev_id)?,
        version: version(created_at, event_id.as_deref().map_or(raw, str::as_bytes)),
        event_id,
    })
}

/// `created_at` in µs plus the hash mod 1,000,000: of two different events with one key one is larger, on every machine.
fn version(created_at: DateTime<Utc>, identity: &[u8]) -> i64 {
    let hash = i64::try_from(xxh3_64(identity) % 1_000_000).expect("less than a million");
    created_at.timestamp() * 1_000_000 + hash
}

fn domain(meta: &Meta<'_>, wiki: &WikiId) -> Result<Domain, Reject> {
    let host = text_of(&meta.domain, "meta.domain")?;
    if host != LOGIN_HOST {
        return Ok(host.parse()?);
    }
    domain_of_wiki(wiki)
        .ok_or_else(|| Reject::invalid(format!("no domain is known of database {}", quoted(wiki.as_str()))))
}

/// The event's own time, whole seconds, checked against the time at which the stream took it.
fn created_at(event: &Event<'_>, meta: &Meta<'_>) -> Result<DateTime<Utc>, Reject> {
    let received = parse_time(text_of(&meta.dt, "meta.dt")?, "meta.dt")?;
    let rev_dt = event.revision.as_ref().and_then(|r| r.rev_dt.as_ref());
    let own = [(event.dt.as_ref(), "dt"), (event.rev_timestamp.as_ref(), "rev_timestamp"), (rev_dt, "rev_dt")];
    let time = match own.iter().find_map(|(text, name)| text.map(|text| (text, name))) {
        Some((text, name)) => parse_time(&text.0, name)?,
        None => received,
    };
    let is_plausible = is_possible(time) && time.signed_duration_since(received) <= TimeDelta::days(1);
    if is_plausible { Ok(time) } else { Err(Reject::invalid(format!("created {time}, received {received}"))) }
}

fn parse_time(text: &str, field: &str) -> Result<DateTime<Utc>, Reject> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .and_then(|time| DateTime::from_timestamp(time.timestamp(), 0))
        .ok_or_else(|| Reject::invalid(format!("{field} {} is not a time", quoted(text))))
}

fn checked_namespace(namespace: Option<i32>) -> Result<i32, Reject> {
    match namespace {
        None => Err(Reject::missing("page_namespace")),
        Some(number) if number < 0 => Err(Reject::invalid(format!("page_namespace {number} holds no pages"))),
        Some(number) => Ok(number),
    }
}

fn checked_revision(rev_id: u64) -> Result<u64, Reject> {
    let is_possible = rev_id > 0 && i64::try_from(rev_id).is_ok();
    if is_possible { Ok(rev_id) } else { Err(Reject::invalid(format!("rev_id {rev_id}"))) }
}

fn checked_text(text: Option<&Text<'_>>, field: &str) -> Result<String, Reject> {
    checked(&text.ok_or_else(|| Reject::missing(field))?.0, field, MAX_TEXT_BYTES)
}

/// Kept as it came, for strangers wrote it and readers escape it; only what a store cannot hold is refused.
fn checked(text: &str, field: &str, max_bytes: usize) -> Result<String, Reject> {
    let fault = if text.is_empty() {
        "is empty"
    } else if text.len() > max_bytes {
        "is too long"
    } else if text.contains('\0') {
        "holds a NUL"
    } else {
        return Ok(text.to_owned());
    };
    Err(Reject::invalid(format!("{field} {} {fault}", quoted(text))))
}

fn either<'e, 'a>(first: &'e Option<Text<'a>>, second: &'e Option<Text<'a>>) -> &'e Option<Text<'a>> {
    if first.is_some() { first } else { second }
}

fn text_of<'e>(text: &'e Option<Text<'_>>, field: &str) -> Result<&'e str, Reject> {
    text.as_ref().map(|text| text.0.as_ref()).ok_or_else(|| Reject::missing(field))
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(64).collect::<String>())
}
