//! Limits of the bare text: counted before the parser, which recurses, sees it.

use super::{Limits, at_most};
use crate::schema::errors::{ApiError, bad_input};
use std::collections::HashSet;

/// What a document's text consists of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found<'a> {
    tokens: u64,
    directives: u64,
    nesting: u64,
    /// A field that an object among the arguments has twice: the parser would keep the last one.
    repeated: Option<&'a [u8]>,
}

/// Refuses a text that is too long, has too many tokens or directives, is nested too deeply, or says a field of an object
/// twice.
pub(super) fn check(query: &str, limits: &Limits) -> Result<(), ApiError> {
    at_most("bytes of the document", query.len() as u64, limits.document_bytes)?;
    let found = scan(query.as_bytes());
    at_most("tokens of the document", found.tokens, limits.tokens)?;
    at_most("directives", found.directives, limits.directives)?;
    at_most("brackets within each other", found.nesting, limits.nesting)?;
    match found.repeated {
        Some(name) => Err(bad_input(format!("the input field {} is given twice", String::from_utf8_lossy(name)))),
        None => Ok(()),
    }
}

fn scan(text: &[u8]) -> Found<'_> {
    let mut found = Found::default();
    let (mut at, mut open, mut name) = (0, Vec::new(), &text[..0]);
    while at < text.len() {
        let rest = &text[at..];
        let (length, is_token) = lexeme(rest);
        if is_token {
            found.tokens += 1;
            match rest[0] {
                b'{' | b'[' | b'(' => open.push(Bracket::new(rest[0], open.last())),
                b'}' | b']' | b')' => drop(open.pop()),
                b'@' => found.directives += 1,
                b':' => {
                    let is_new = open.last_mut().is_none_or(|bracket| bracket.has_new(name));
                    found.repeated = found.repeated.or((!is_new).then_some(name));
                }
                _ => {}
            }
            found.nesting = found.nesting.max(open.len() as u64);
            name = &rest[..length];
        }
        at += length;
    }
    found
}

/// A bracket that is open.
enum Bracket<'a> {
    /// Of selections.
    Selections,
    /// Of arguments, or of a list among them.
    Values,
    /// Of an object among arguments, with the names of its fields.
    Object(HashSet<&'a [u8]>),
}

impl<'a> Bracket<'a> {
    fn new(byte: u8, around: Option<&Self>) -> Self {
        match (byte, around) {
            (b'{', Some(Self::Values | Self::Object(_))) => Self::Object(HashSet::new()),
            (b'{', _) => Self::Selections,
            _ => Self::Values,
        }
    }

    /// Whether an object has no field of this name yet; others have no such fields.
    fn has_new(&mut self, name: &'a [u8]) -> bool {
        match self {
            Self::Object(fields) => fields.insert(name),
            Self::Selections | Self::Values => true,
        }
    }
}

/// The length of what `rest` begins with, and whether it is a token.
fn lexeme(rest: &[u8]) -> (usize, bool) {
    match rest[0] {
        b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => (1, false),
        b'#' => (run(rest, |byte| !matches!(byte, b'\r' | b'\n')), false),
        b'"' if rest.starts_with(b"\"\"\"") => (block_string(rest), true),
        b'"' => (string(rest), true),
        byte if is_name(byte) => (run(rest, is_name), true),
        _ => (1, true),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    rest.iter().take_while(|byte| belongs(**byte)).count().max(1)
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 1,
            b'"' | b'\r' | b'\n' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

fn block_string(rest: &[u8]) -> usize {
    let mut at = 3;
    while at < rest.len() {
        if rest[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_are_text() {
        let check = |text: &str, tokens, directives, nesting| {
            assert_eq!(scan(text.as_bytes()), Found { tokens, directives, nesting, repeated: None }, "{text}");
        };
        check("{ a(b: [1]) @c }", 12, 1, 3);
        check(r#"{ a(b: "((\"@[[") }"#, 8, 0, 2);
        check("{ a(b: \"\"\"\\\"\"\" {{ @\"\"\") }", 8, 0, 2);
        check("{ a # {{{{ @@\n }", 3, 0, 1);
        check("\"unfinished", 1, 0, 0);
        check("\"\"\"", 1, 0, 0);
        check("", 0, 0, 0);
    }
    #[test]
    fn a_field_of_an_object_is_given_once() {
        let check = |text: &str, repeated: Option<&str>| {
            assert_eq!(scan(text.as_bytes()).repeated, repeated.map(str::as_bytes), "{text}");
        };
        check("{ a(b: {c: 1 c: 2}) }", Some("c"));
        check("{ a(b: [{c: 1}, {d: {c: {c: 1}, e: 1}, e: 2, d: 1}]) }", Some("d"));
        check("query($a: A = {b: 1, b: 1}) { a }", Some("b"));
        check("{ a(b: {c: 1, d: {c: 1}}, e: {c: c}) { c: c c: c f(c: 1) } }", None);
        check("{ a(b: {c: \"c: 1, c: 1\"}) }", None);
        check("{ a(b: 1, b: 2) }", None); // the library tells of arguments
        check("({:::", Some(":"));
    }
}
