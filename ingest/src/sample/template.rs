//! A recorded event, cut where each copy differs: ids, times and the number in its title. Pure.

use crate::clean::clean;
use schema::page::Page;
use std::ops::Range;

/// What a copy puts in the place of the recorded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    PageId,
    RevId,
    Offset,
    EventId,
    RequestId,
    Time,
    /// After the recorded title: `_17`.
    Number,
    /// Instead of the digits of a Wikidata id: `Q140000017`.
    Item,
}

/// What differs from copy to copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copied<'a> {
    /// Numbered without end; no two copies of a sample share it.
    pub(super) number: u64,
    /// Random looking bits of this number.
    pub(super) bits: u128,
    /// When, RFC 3339.
    pub(super) time: &'a str,
}

/// A recorded event with slots.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<(String, Option<Slot>)>,
    length: usize,
    /// What the recorded event tells.
    pub(super) page: Page,
}

/// Ids beyond those in use when this was written, so that a sample's page is never one that exists.
const FIRST_PAGE_ID: u64 = 900_000_000;
const FIRST_REV_ID: u64 = 9_000_000_000;
const FIRST_ITEM: u64 = 900_000_000;
const FIRST_OFFSET: u64 = 400_000_000;

impl Template {
    /// The template of a recorded creation; none of an event that is no page.
    pub(super) fn of(recorded: &str) -> Option<Self> {
        let line = recorded.replace("mediawiki.revision-create", "mediawiki.page-create");
        let page = clean(line.as_bytes()).ok()?;
        let mut spans = spans(&line, page.domain.as_str() == "www.wikidata.org");
        spans.sort_by_key(|(span, _)| span.start);
        let mut parts = Vec::with_capacity(spans.len() + 1);
        let mut done = 0;
        for (span, slot) in spans {
            parts.push((line[done..span.start].to_owned(), Some(slot)));
            done = span.end;
        }
        parts.push((line[done..].to_owned(), None));
        Some(Self { parts, length: line.len() + 64, page })
    }

    /// One copy's bytes.
    pub(super) fn write(&self, copied: Copied<'_>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        for (text, slot) in &self.parts {
            bytes.extend_from_slice(text.as_bytes());
            if let Some(slot) = slot {
                slot.write(copied, &mut bytes);
            }
        }
        bytes
    }
}

impl Slot {
    fn write(self, copied: Copied<'_>, out: &mut Vec<u8>) {
        match self {
            Slot::PageId => write_number(FIRST_PAGE_ID + copied.number, out),
            Slot::RevId => write_number(FIRST_REV_ID + copied.number, out),
            Slot::Offset => write_number(FIRST_OFFSET + copied.number, out),
            Slot::Item => write_number(FIRST_ITEM + copied.number, out),
            Slot::EventId => write_uuid(copied.bits, out),
            Slot::RequestId => write_uuid(copied.bits.rotate_left(64) ^ u128::MAX, out),
            Slot::Time => out.extend_from_slice(copied.time.as_bytes()),
            Slot::Number => {
                out.push(b'_');
                write_number(copied.number + 1, out);
            }
        }
    }
}

fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A version 4 UUID of these bits.
fn write_uuid(bits: u128, out: &mut Vec<u8>) {
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    for (i, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        for half in [byte >> 4, byte & 0xf] {
            out.push(b"0123456789abcdef"[usize::from(half)]);
        }
    }
}

fn spans(line: &str, is_wikidata: bool) -> Vec<(Range<usize>, Slot)> {
    let plain = [
        ("\"page_id\":", Slot::PageId),
        ("\"rev_id\":", Slot::RevId),
        ("\"rev_slot_origin_rev_id\":", Slot::RevId),
        ("\"offset\":", Slot::Offset),
        ("\"id\":\"", Slot::EventId),
        ("\"request_id\":\"", Slot::RequestId),
        ("\"dt\":\"", Slot::Time),
        ("\"rev_timestamp\":\"", Slot::Time),
    ];
    let values = plain.iter().flat_map(|(key, slot)| values_of(line, key).map(|span| (span, *slot)));
    let titles = ["\"page_title\":\"", "\"uri\":\""].into_iter().flat_map(|key| values_of(line, key));
    values.chain(titles.map(|span| numbered(line, span, is_wikidata))).collect()
}

/// Where the values after `key` stand: a string's inside, or a number.
fn values_of(line: &str, key: &str) -> impl Iterator<Item = Range<usize>> {
    let is_string = key.ends_with('"');
    line.match_indices(key).map(move |(at, _)| {
        let start = at + key.len();
        let mut is_escaped = false;
        let length = line[start..].bytes().position(|byte| {
            let ends = if is_string { byte == b'"' && !is_escaped } else { !byte.is_ascii_digit() };
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        });
        start..start + length.expect("a recorded event is whole")
    })
}

/// The place of the number in a title or address: instead of an item's digits, else before the ending of a file's name.
fn numbered(line: &str, title: Range<usize>, is_wikidata: bool) -> (Range<usize>, Slot) {
    let text = &line[title.clone()];
    if is_wikidata {
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        return (title.end - digits..title.end, Slot::Item);
    }
    let ending = text.rfind('.').filter(|dot| {
        let rest = &text[dot + 1..];
        (2..=5).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    let at = title.start + ending.unwrap_or(text.len());
    (at..at, Slot::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_title(line: &str, expected: &str) {
        let template = Template::of(line).unwrap();
        let written = template.write(Copied { number: 16, bits: 7, time: "2026-01-02T03:04:05Z" });
        let page = clean(&written).unwrap();
        assert_eq!(page.page_title, expected);
        assert_eq!((page.page_id.get(), page.rev_id), (FIRST_PAGE_ID + 16, FIRST_REV_ID + 16));
        assert_eq!(page.created_at.to_rfc3339(), "2026-01-02T03:04:05+00:00");
        assert_eq!(page.event_id.as_deref(), Some("00000000-0000-4000-8000-000000000007"));
        assert_eq!((page.user_id, page.namespace), (template.page.user_id, template.page.namespace));
    }

    fn line_with(title: &str) -> &'static str {
        let lines = super::super::RECORDED.iter().flat_map(|file| file.lines());
        lines.into_iter().find(|line| line.contains(title)).unwrap()
    }

    #[test]
    fn copies_differ_in_ids_times_and_titles() {
        check_title(line_with("\"Q95750653\""), "Q900000016");
        check_title(line_with("Мелине"), "Мелине_17");
        let file = "File:Keith's_Magazine_on_Home_Building,_1915;_Keith's_Home-Builder_-_DPLA_-_baf2c6b254fbda2f3d9d0b3059945d19_(page_618)";
        check_title(line_with("(page_618).jpg\",\"page_namespace\""), &format!("{file}_17.jpg"));
    }

    #[test]
    fn anonymous_creations_are_no_templates() {
        assert!(Template::of(line_with("192.0.2.3")).is_none());
    }
}
