//! No sleeping in tests: what is waited for is asked again and again, with a deadline; or the clock is paused.

use crate::files::{Source, assert_none, sources};

#[test]
fn tests_wait_for_conditions() {
    let wrong: Vec<String> = sources(&[".rs"]).iter().flat_map(lone_sleeps).collect();
    assert_none(
        &wrong,
        "a test sleeps only within a loop that asks for what it waits for, or in a file of paused tests",
    );
    let browser: Vec<String> = sources(&[".ts", ".mjs"])
        .into_iter()
        .filter(|f| f.text.contains(concat!("waitFor", "Timeout(")))
        .map(|f| f.path)
        .collect();
    assert_none(&browser, "the browser's tests wait for what is seen");
}

/// The sleeps in a file's tests that take time and stand in no `loop` and no `while`, by rustfmt's layout.
fn lone_sleeps(file: &Source) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    if is_paused(&lines) {
        return Vec::new();
    }
    let begin = if is_test(&file.path) { Some(0) } else { lines.iter().position(|line| *line == "#[cfg(test)]") };
    let tests = begin.unwrap_or(lines.len())..lines.len();
    let sleeps = tests.filter(|number| lines[*number].contains(concat!("sleep", "(")));
    let lone = sleeps.filter(|number| !around(&lines, *number).any(is_loop));
    lone.map(|number| format!("{}:{}", file.path, number + 1)).collect()
}

/// Whether all tests of a file run on the paused clock, where a sleep takes no time.
fn is_paused(lines: &[&str]) -> bool {
    let is_test = |line: &&&str| ["#[test]", "#[tokio::test"].iter().any(|mark| line.trim_start().starts_with(mark));
    let mut tests = lines.iter().filter(is_test).peekable();
    tests.peek().is_some() && tests.all(|line| line.contains("start_paused = true"))
}

/// Whether the whole file is there for tests.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "tests.rs", "conformance", "conformance.rs"].contains(&part))
}

/// The lines that open the blocks around a line, the innermost first, up to the function's own.
fn around<'a>(lines: &'a [&'a str], number: usize) -> impl Iterator<Item = &'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut inner = indent(lines[number]);
    let above = lines[..number].iter().rev().copied().filter(|line| !line.is_empty());
    let opening = above.filter(move |line| {
        let is_outer = indent(line) < inner;
        inner = inner.min(indent(line));
        is_outer
    });
    opening.take_while(|line| !line.contains("fn "))
}

fn is_loop(line: &str) -> bool {
    line.contains("loop {") || line.trim_start().starts_with("while ")
}
