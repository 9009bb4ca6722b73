//! What the event parser is not to meet: events without end, bytes that are no UTF-8, comments. Pure.
//!
//! The parser keeps an unfinished event whole, however long, and gives up a connection at the first byte that is no
//! UTF-8, which would come again after each resume. So the bytes pass here first: what is no UTF-8 becomes U+FFFD, as
//! the specification of server-sent events asks, and a too long event loses its end.

use bytes::Bytes;

/// Passes bytes on, part by part.
#[derive(Debug)]
pub(super) struct Bounds {
    max_event_bytes: usize,
    /// Bytes of a character whose end has not come yet; at most 3.
    unfinished: Vec<u8>,
    /// Bytes passed of the current event, comments not counted.
    event_bytes: usize,
    line: Line,
    is_after_cr: bool,
}

/// Where in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Start,
    Inside,
    Comment,
    /// In an event that is too long already: nothing passes before its end.
    CutStart,
    CutInside,
}

impl Bounds {
    pub(super) fn new(max_event_bytes: usize) -> Self {
        Self { max_event_bytes, unfinished: Vec::new(), event_bytes: 0, line: Line::Start, is_after_cr: false }
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

    fn pass_text(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.line = match self.line {
            Line::Start if text[0] == b':' => Line::Comment,
            Line::Start => Line::Inside,
            Line::CutStart => Line::CutInside,
            other => other,
        };
        if self.line != Line::Inside {
            return;
        }
        let room = self.max_event_bytes.saturating_sub(self.event_bytes);
        self.event_bytes = self.event_bytes.saturating_add(text.len());
        if text.len() > room {
            self.line = Line::CutInside;
        }
        out.extend_from_slice(&text[..floor_char(text, room)]);
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        self.line = match self.line {
            Line::Start => {
                self.event_bytes = 0;
                out.push(b'\n');
                Line::Start
            }
            Line::Inside => {
                self.event_bytes += 1;
                out.push(b'\n');
                Line::Start
            }
            Line::Comment => Line::Start,
            Line::CutInside => Line::CutStart,
            Line::CutStart => {
                self.event_bytes = 0;
                out.extend_from_slice(b"\n\n");
                Line::Start
            }
        };
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
        check_pass(b":ok\n\ndata: x\r\n\r\ndata: y\r\r", "\ndata: x\n\ndata: y\n\n");
        check_pass("data: Вила\n\n".as_bytes(), "data: Вила\n\n");
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
    fn what_is_no_utf8_is_replaced() {
        check_pass(b"data: a\xffb\xf0\x9f\x98\n\n", "data: a\u{fffd}b\u{fffd}\n\n");
    }

    proptest! {
        #[test]
        fn parts_make_no_difference(bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(0xd0u8), Just(0x92u8), any::<u8>()], 0..200), at in 0usize..200) {
            let at = at.min(bytes.len());
            let mut bytes = bytes;
            bytes.extend_from_slice(b"\n\n"); // completes a character that waits for its end
            prop_assert_eq!(passed(&[&bytes]), passed(&[&bytes[..at], &bytes[at..]]));
        }
    }
}
