//! What the event parser is not to meet: events without end or without data, bytes that are no UTF-8, comments. Pure.
//!
//! The parser keeps an unfinished event whole, however long, and gives up a connection at the first byte that is no
//! UTF-8 and at a block that says nothing, which would come again after each resume. So the bytes pass here first: what
//! is no UTF-8 becomes U+FFFD, as the specification of server-sent events asks, a too long event loses its end, and of a
//! block only the fields `event`, `id` and `data` pass, if it has data at all.

use bytes::Bytes;

/// The longest name of a field that passes.
const LONGEST_NAME: usize = "event".len();
/// What an event's lines before its data may weigh together; a line beyond it is left out. Real ids have 200 bytes.
const MAX_HELD_BYTES: usize = 8 * 1024;

/// Passes bytes on, part by part.
#[derive(Debug)]
pub(super) struct Bounds {
    max_event_bytes: usize,
    /// Bytes of a character whose end has not come yet; at most 3.
    unfinished: Vec<u8>,
    /// The beginning of a line whose field is not known yet.
    name: Vec<u8>,
    /// Lines of the current event before its first data: they pass with it or not at all.
    held: Vec<u8>,
    /// Where in `held` the last line begins.
    held_line: usize,
    /// Bytes passed of the current event.
    event_bytes: usize,
    has_data: bool,
    /// The event is too long: nothing more of it passes.
    is_cut: bool,
    line: Line,
    is_after_cr: bool,
}

/// Where in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// In the field's name.
    Name,
    /// In a field that passes.
    Field,
    /// In a comment, or a field that says nothing here.
    Skipped,
}

impl Bounds {
    pub(super) fn new(max_event_bytes: usize) -> Self {
        Self {
            max_event_bytes,
            unfinished: Vec::new(),
            name: Vec::new(),
            held: Vec::new(),
            held_line: 0,
            event_bytes: 0,
            has_data: false,
            is_cut: false,
            line: Line::Name,
            is_after_cr: false,
        }
    }

    /// What of `bytes` may go on; lines end with a line feed.
    pub(super) fn pass(&mut self, bytes: &Bytes) -> Bytes {
        let mut out = Vec::with_capacity(bytes.len());
        if self.unfinished.is_empty() && std::str::from_utf8(bytes).is_ok() {
            self.pass_lines(bytes, &mut out);
        } else {
            let mut all = std::mem::take(&mut self.unfinished);
            all.extend_from_slice(bytes);
            let text = self.decode(&all);
            self.pass_lines(text.as_bytes(), &mut out);
        }
        out.into()
    }

    fn decode(&mut self, bytes: &[u8]) -> String {
        let (whole, rest) = bytes.split_at(unfinished_character(bytes).unwrap_or(bytes.len()));
        self.unfinished = rest.to_vec();
        String::from_utf8_lossy(whole).into_owned()
    }

    fn pass_lines(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(&first) = bytes.first() {
            let end = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(bytes.len());
            if end > 0 {
                self.is_after_cr = false;
                self.pass_text(&bytes[..end], out);
                bytes = &bytes[end..];
                continue;
            }
            if !(first == b'\n' && self.is_after_cr) {
                self.end_line(out);
            }
            self.is_after_cr = first == b'\r';
            bytes = &bytes[1..];
        }
    }

    fn pass_text(&mut self, mut text: &[u8], out: &mut Vec<u8>) {
        if self.line == Line::Name {
            let colon = text.iter().position(|b| *b == b':');
            let name = &text[..colon.unwrap_or(text.len())];
            self.name.extend_from_slice(&name[..name.len().min(LONGEST_NAME + 1 - self.name.len())]);
            if colon.is_none() && self.name.len() <= LONGEST_NAME {
                return;
            }
            text = &text[name.len()..];
            self.begin_field(out);
        }
        self.put(text, out);
    }

    /// The line's field is known: its name passes or the line does not.
    fn begin_field(&mut self, out: &mut Vec<u8>) {
        let name = std::mem::take(&mut self.name);
        self.line = match name.as_slice() {
            b"data" | b"event" | b"id" => Line::Field,
            _ => Line::Skipped,
        };
        if name == b"data" && !self.has_data {
            self.has_data = true;
            self.event_bytes = self.held.len();
            out.append(&mut self.held);
        }
        self.held_line = self.held.len();
        self.put(&name, out);
    }

    fn put(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if self.line != Line::Field || self.is_cut {
            return;
        }
        if !self.has_data {
            self.hold(text);
            return;
        }
        let room = self.max_event_bytes.saturating_sub(self.event_bytes);
        self.event_bytes = self.event_bytes.saturating_add(text.len());
        self.is_cut = text.len() > room;
        out.extend_from_slice(&text[..floor_char(text, room)]);
        if self.is_cut {
            out.push(b'\n');
        }
    }

    fn hold(&mut self, text: &[u8]) {
        if self.held.len() + text.len() < MAX_HELD_BYTES {
            self.held.extend_from_slice(text);
        } else {
            self.held.truncate(self.held_line);
            self.line = Line::Skipped;
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if self.line == Line::Name && self.name.is_empty() {
            self.end_event(out);
            return;
        }
        if self.line == Line::Name {
            self.begin_field(out);
        }
        self.put(b"\n", out);
        self.line = Line::Name;
    }

    fn end_event(&mut self, out: &mut Vec<u8>) {
        if self.has_data {
            out.push(b'\n');
        }
        self.held.clear();
        (self.event_bytes, self.has_data, self.is_cut) = (0, false, false);
    }
}

/// The start of a character at the end of `bytes` that more bytes may finish.
fn unfinished_character(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(3);
    (from..bytes.len()).find(|start| {
        matches!(std::str::from_utf8(&bytes[*start..]), Err(e) if e.valid_up_to() == 0 && e.error_len().is_none())
    })
}

/// The largest length up to `max` that cuts no character.
fn floor_char(text: &[u8], max: usize) -> usize {
    if max >= text.len() {
        return text.len();
    }
    (0..=max).rev().find(|at| text[*at] & 0xc0 != 0x80).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(parts: &[&[u8]]) -> String {
        let mut bounds = Bounds::new(32);
        let out: Vec<u8> = parts.iter().flat_map(|part| bounds.pass(&Bytes::copy_from_slice(part))).collect();
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check_pass(bytes: &[u8], expected: &str) {
        assert_eq!(passed(&[bytes]), expected, "at once");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(passed(&single), expected, "byte by byte");
    }

    #[test]
    fn usual_events_pass() {
        check_pass(b"id: 1\ndata: x\n\n", "id: 1\ndata: x\n\n");
        check_pass(b":ok\n\ndata: x\r\n\r\ndata: y\r\r", "data: x\n\ndata: y\n\n");
        check_pass("data: Вила\n\n".as_bytes(), "data: Вила\n\n");
        check_pass(b"data: x\nid: 2\nevent: error\n\n", "data: x\nid: 2\nevent: error\n\n");
        check_pass(b"data\n\ndata:\n\n", "data\n\ndata:\n\n");
    }

    #[test]
    fn what_says_nothing_does_not_pass() {
        for nothing in ["foo: x", "event:", "event: error", "retry: soon", "id: 7", "data2: x", "datum", "", ":"] {
            check_pass(format!("{nothing}\n\ndata: x\n\n").as_bytes(), "data: x\n\n");
        }
        check_pass(b"foo: x\nevent: message\nretry: 1\nid: 1\ndata: x\n\n", "event: message\nid: 1\ndata: x\n\n");
    }

    #[test]
    fn comments_do_not_pass_and_do_not_count() {
        let long = format!("data: x\n:{}\ndata: y\n\n", "c".repeat(100));
        check_pass(long.as_bytes(), "data: x\ndata: y\n\n");
    }

    #[test]
    fn a_long_event_loses_its_end_and_its_neighbours_nothing() {
        let long = format!("data: a\n\ndata: {}\nid: 7\n\ndata: b\n\n", "x".repeat(100));
        check_pass(long.as_bytes(), &format!("data: a\n\ndata: {}\n\ndata: b\n\n", "x".repeat(26)));
        let many_lines = format!("{}\ndata: b\n\n", "data: y\n".repeat(100));
        check_pass(many_lines.as_bytes(), "data: y\ndata: y\ndata: y\ndata: y\n\n\ndata: b\n\n");
        let wide = format!("data: {}\n\n", "я".repeat(100));
        check_pass(wide.as_bytes(), &format!("data: {}\n\n", "я".repeat(13)));
    }

    #[test]
    fn an_endless_id_is_left_out_and_the_event_stays() {
        let long = format!("id: {}\nevent: message\ndata: x\n\n", "7".repeat(2 * MAX_HELD_BYTES));
        check_pass(long.as_bytes(), "event: message\ndata: x\n\n");
    }

    #[test]
    fn what_is_no_utf8_is_replaced() {
        check_pass(b"data: a\xffb\xf0\x9f\x98\n\n", "data: a\u{fffd}b\u{fffd}\n\n");
    }

    proptest! {
        #[test]
        fn parts_make_no_difference(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(0xd0u8), Just(0x92u8), any::<u8>()], 0..200), at in 0usize..200, is_data in any::<bool>()) {
            let at = at.min(bytes.len());
            let mut bytes = if is_data { [b"data:".as_slice(), &bytes].concat() } else { bytes };
            bytes.extend_from_slice(b"\n\n"); // completes a character that waits for its end
            prop_assert_eq!(passed(&[&bytes]), passed(&[&bytes[..at], &bytes[at..]]));
        }
    }
}
