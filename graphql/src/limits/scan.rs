//! Limits of the bare text: counted before the parser, which recurses, sees it.

use super::{Limits, at_most};
use crate::schema::errors::ApiError;

/// What a document's text consists of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    tokens: u64,
    directives: u64,
    nesting: u64,
}

/// Refuses a text that is too long, has too many tokens or directives, or is nested too deeply.
pub(super) fn check(query: &str, limits: &Limits) -> Result<(), ApiError> {
    at_most("bytes of the document", query.len() as u64, limits.document_bytes)?;
    let found = scan(query.as_bytes());
    at_most("tokens of the document", found.tokens, limits.tokens)?;
    at_most("directives", found.directives, limits.directives)?;
    at_most("brackets within each other", found.nesting, limits.nesting)
}

fn scan(text: &[u8]) -> Found {
    let mut found = Found::default();
    let (mut at, mut open) = (0, 0u64);
    while at < text.len() {
        let rest = &text[at..];
        let (length, is_token) = lexeme(rest);
        if is_token {
            found.tokens += 1;
            match rest[0] {
                b'{' | b'[' | b'(' => open += 1,
                b'}' | b']' | b')' => open = open.saturating_sub(1),
                b'@' => found.directives += 1,
                _ => {}
            }
            found.nesting = found.nesting.max(open);
        }
        at += length;
    }
    found
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
            assert_eq!(scan(text.as_bytes()), Found { tokens, directives, nesting }, "{text}");
        };
        check("{ a(b: [1]) @c }", 12, 1, 3);
        check(r#"{ a(b: "((\"@[[") }"#, 8, 0, 2);
        check("{ a(b: \"\"\"\\\"\"\" {{ @\"\"\") }", 8, 0, 2);
        check("{ a # {{{{ @@\n }", 3, 0, 1);
        check("\"unfinished", 1, 0, 0);
        check("\"\"\"", 1, 0, 0);
        check("", 0, 0, 0);
    }
}
