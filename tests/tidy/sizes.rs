//! Sizes: quality shows in the tail, so the tail has limits. They are not to be raised.

use crate::files::{Source, assert_none, sources};

const MAX_FILE: usize = 500;
const P90_FILE: usize = 350;
const MEDIAN_FILE: usize = 150;
const MAX_FUNCTION: usize = 80;
const P90_FUNCTION: usize = 40;

#[test]
fn files_are_short() {
    let files = sources(&[".rs", ".ts", ".svelte"]);
    let too_long: Vec<String> =
        files.iter().filter(|f| lines(f) > MAX_FILE).map(|f| format!("{}: {} lines", f.path, lines(f))).collect();
    assert_none(&too_long, "no file has more than 500 lines");
    let mut sizes: Vec<usize> = files.iter().map(lines).collect();
    assert!(percentile(&mut sizes, 50) <= MEDIAN_FILE, "the median file has {} lines", percentile(&mut sizes, 50));
    assert!(percentile(&mut sizes, 90) <= P90_FILE, "the 90th percentile has {} lines", percentile(&mut sizes, 90));
}

#[test]
fn functions_are_short() {
    let functions: Vec<(String, usize)> = sources(&[".rs"]).iter().flat_map(functions_of).collect();
    assert!(functions.len() > 100, "only {} functions found", functions.len());
    let too_long: Vec<String> =
        functions.iter().filter(|(_, n)| *n > MAX_FUNCTION).map(|(f, n)| format!("{f}: {n} lines")).collect();
    assert_none(&too_long, "no function has more than 80 lines");
    let mut sizes: Vec<usize> = functions.iter().map(|(_, n)| *n).collect();
    assert!(percentile(&mut sizes, 90) <= P90_FUNCTION, "the 90th percentile has {} lines", percentile(&mut sizes, 90));
}

fn lines(file: &Source) -> usize {
    file.text.lines().count()
}

fn percentile(sizes: &mut [usize], percent: usize) -> usize {
    sizes.sort_unstable();
    sizes[(sizes.len() - 1) * percent / 100]
}

/// Each function with its number of lines, by rustfmt's layout: it ends at a brace indented like its `fn`.
fn functions_of(file: &Source) -> Vec<(String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = lines[start..].iter().position(|l| *l == format!("{indent}}}") || is_one_line(l, indent));
        let Some(length) = end else { continue };
        found.push((format!("{}:{} {name}", file.path, start + 1), length + 1));
    }
    found
}

fn is_one_line(line: &str, indent: &str) -> bool {
    line.strip_prefix(indent).is_some_and(|rest| {
        !rest.starts_with(' ') && !rest.starts_with(')') && (rest.ends_with('}') || rest.ends_with(';'))
    })
}

fn function_name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let rest = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "]
        .iter()
        .fold(code, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}
