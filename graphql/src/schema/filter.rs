//! Which pages and which times: the inputs, checked and turned into the store's own.

use super::errors::{ApiError, bad_input};
use super::scalars::Time;
use super::wiki::ProjectFamily;
use async_graphql::InputObject;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use schema::hour::{Hour, HourRange};
use schema::page::Domain;
use schema::query::{PageFilter, TimeSpan};
use std::fmt::Write;

const MAX_NAMESPACES: usize = 20;
const MAX_DOMAINS: usize = 100;
const MAX_LAST_HOURS: i32 = 8784;

/// Which pages: all conditions given must hold; what is left out does not matter. An empty list is BAD_USER_INPUT.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "PageFilter")]
pub(crate) struct PageFilterInput {
    /// true: only bots' pages; false: without them.
    is_bot: Option<bool>,
    /// true: only redirects; false: without them.
    is_redirect: Option<bool>,
    /// By number, since names cannot express 100 and more; 20 at most.
    namespaces: Option<Vec<i32>>,
}

/// PageFilter where more than one wiki is in question.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "CrossWikiPageFilter")]
pub(crate) struct CrossWikiPageFilterInput {
    /// true: only bots' pages; false: without them.
    is_bot: Option<bool>,
    /// true: only redirects; false: without them.
    is_redirect: Option<bool>,
    /// By number, since names cannot express 100 and more; 20 at most.
    namespaces: Option<Vec<i32>>,
    /// Wikis by domain, such as `it.wikisource.org`; 100 at most.
    domains: Option<Vec<String>>,
    /// Families of wikis.
    project_families: Option<Vec<ProjectFamily>>,
}

impl PageFilterInput {
    /// As the store has it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a list that is empty or too long.
    pub(crate) fn parse(self) -> Result<PageFilter, ApiError> {
        let Self { is_bot, is_redirect, namespaces } = self;
        CrossWikiPageFilterInput { is_bot, is_redirect, namespaces, ..Default::default() }.parse()
    }
}

impl CrossWikiPageFilterInput {
    /// As the store has it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a list that is empty or too long, or a domain that is none.
    pub(crate) fn parse(self) -> Result<PageFilter, ApiError> {
        let domains = condition("domains", self.domains, MAX_DOMAINS)?
            .iter()
            .map(|name| name.parse::<Domain>().map_err(|error| bad_input(error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        let families = condition("projectFamilies", self.project_families, 11)?;
        Ok(PageFilter {
            is_bot: self.is_bot,
            is_redirect: self.is_redirect,
            namespaces: sorted(condition("namespaces", self.namespaces, MAX_NAMESPACES)?),
            domains: sorted(domains),
            project_families: sorted(families.into_iter().map(Into::into).collect()),
        })
    }
}

/// The filter of an argument that may be left out.
pub(crate) fn parse_filter(filter: Option<PageFilterInput>) -> Result<PageFilter, ApiError> {
    filter.unwrap_or_default().parse()
}

/// The filter of an argument that may be left out.
pub(crate) fn parse_cross_wiki_filter(filter: Option<CrossWikiPageFilterInput>) -> Result<PageFilter, ApiError> {
    filter.unwrap_or_default().parse()
}

fn condition<T>(name: &str, list: Option<Vec<T>>, max: usize) -> Result<Vec<T>, ApiError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    match list.len() {
        0 => Err(bad_input(format!("{name} is an empty list; leave it out instead"))),
        n if n > max => Err(bad_input(format!("{name} has {n} entries; {max} at most"))),
        _ => Ok(list),
    }
}

/// Equal conditions give equal cursors.
pub(super) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

/// A range of time: `from` and `to`, either open, or `lastHours`, which ends now. Both kinds at once, or `to` before
/// `from`: BAD_USER_INPUT. Counts want whole hours (the error names the nearest); lists and activity take any time.
#[derive(Debug, Clone, Copy, Default, InputObject)]
pub(crate) struct TimeRange {
    /// Included: `2025-05-18T08:00:00Z`.
    from: Option<Time>,
    /// Not included: `2025-05-18T09:00:00Z`.
    to: Option<Time>,
    /// 1 to 8784: the running hour and that many less one before it.
    last_hours: Option<i32>,
}

/// A range as it was asked for and what that means now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// From when to when.
    pub(crate) span: TimeSpan,
    /// How it was asked for: a range that moves with the clock keeps its cursors.
    pub(crate) asked: String,
    /// Whether it moves with the clock. Then the cursors of its lists hold where it began, or a walk over a full hour
    /// would lose the hour that drops out.
    pub(crate) is_moving: bool,
}

impl TimeRange {
    /// What the range means at `now`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when both kinds are mixed, the end is before the start, or `lastHours` is out of bounds.
    pub(crate) fn parse(self, now: DateTime<Utc>) -> Result<Range, ApiError> {
        match (self.from, self.to, self.last_hours) {
            (None, None, Some(hours)) => last_hours(hours, now),
            (_, _, Some(_)) => Err(bad_input("give from and to, or lastHours, not both")),
            (from, to, None) => between(from, to),
        }
    }
}

/// The range of an argument that may be left out: all that is kept.
pub(crate) fn parse_range(range: Option<TimeRange>, now: DateTime<Utc>) -> Result<Range, ApiError> {
    range.unwrap_or_default().parse(now)
}

fn last_hours(hours: i32, now: DateTime<Utc>) -> Result<Range, ApiError> {
    if !(1..=MAX_LAST_HOURS).contains(&hours) {
        return Err(bad_input(format!("lastHours must be 1 to {MAX_LAST_HOURS}, not {hours}")));
    }
    let end = Hour::of(now).plus(1);
    let span = TimeSpan::of_hours(HourRange { from: end.plus(-i64::from(hours)), to: end });
    Ok(Range { span, asked: format!("last {hours} hours"), is_moving: true })
}

fn between(from: Option<Time>, to: Option<Time>) -> Result<Range, ApiError> {
    let bound = |time: Time| time.next_second().clamp(Hour::MIN.start(), Hour::MAX.start());
    let span = TimeSpan { from: from.map(bound), to: to.map(bound) };
    if let (Some(from), Some(to)) = (span.from, span.to)
        && to < from
    {
        return Err(bad_input("to is before from"));
    }
    let mut asked = String::new();
    for (word, time) in [("from", span.from), ("to", span.to)] {
        if let Some(time) = time {
            write!(asked, "{word} {} ", time.timestamp()).expect("writing to a string cannot fail");
        }
    }
    Ok(Range { span, asked, is_moving: false })
}

impl Range {
    /// What a cursor of this range's list holds for the item `key`.
    pub(crate) fn cursor_key(&self, key: Vec<u8>) -> Vec<u8> {
        match self.span.from {
            Some(from) if self.is_moving => [&from.timestamp().to_be_bytes()[..], &key].concat(),
            _ => key,
        }
    }

    /// The item's key in what a cursor holds. The range begins from now on where that of the cursor's list did.
    ///
    /// # Errors
    /// `BAD_CURSOR` for bytes that [`Self::cursor_key`] did not make.
    pub(crate) fn go_on(&mut self, cursor: Vec<u8>) -> Result<Vec<u8>, ApiError> {
        if !self.is_moving {
            return Ok(cursor);
        }
        let (from, key) = cursor.split_first_chunk::<8>().ok_or(ApiError::BadCursor)?;
        let from = Hour::time_within(i64::from_be_bytes(*from)).ok_or(ApiError::BadCursor)?;
        self.span.from = Some(Hour::of(from).start());
        Ok(key.to_vec())
    }

    /// The whole hours of the range; none where it begins or ends within an hour.
    pub(crate) fn hours(&self) -> Option<HourRange> {
        let whole = |time: DateTime<Utc>| (Hour::of(time).start() == time).then(|| Hour::of(time));
        Some(HourRange {
            from: self.span.from.map_or(Some(Hour::MIN), whole)?,
            to: self.span.to.map_or(Some(Hour::MAX), whole)?,
        })
    }

    /// The whole hours of the range, for counts.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` where it begins or ends within an hour, with the whole hours that hold it.
    pub(crate) fn whole_hours(&self) -> Result<HourRange, ApiError> {
        self.hours().ok_or_else(|| {
            let last_moment = TimeDelta::hours(1) - TimeDelta::nanoseconds(1);
            let ends = [("from", self.span.from), ("to", self.span.to.map(|to| to + last_moment))];
            let name = |time| Hour::of(time).start().to_rfc3339_opts(SecondsFormat::Secs, true);
            let words: Vec<String> =
                ends.iter().filter_map(|(word, time)| time.map(|t| format!("{word}: \"{}\"", name(t)))).collect();
            bad_input(format!("counts are of whole hours; those of this range are {{{}}}", words.join(", ")))
        })
    }
}

/// What a cursor is bound to besides its parent.
pub(crate) fn scope(range: &Range, filter: &PageFilter) -> String {
    let PageFilter { is_bot, is_redirect, namespaces, domains, project_families } = filter;
    format!("{}|{is_bot:?}|{is_redirect:?}|{namespaces:?}|{domains:?}|{project_families:?}", range.asked)
}
