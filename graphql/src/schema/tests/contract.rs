//! The public contract: the schema's text as it is kept beside the code.

use std::path::Path;

#[test]
fn the_schema_is_the_one_that_is_kept() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let now = crate::schema::sdl();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == now, "graphql/schema.graphql differs from the code; see the change with UPDATE=1 and git diff");
}

#[test]
fn everything_is_described() {
    let sdl = crate::schema::sdl();
    let lines: Vec<&str> = sdl.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let first = line.split([' ', ':', '(']).next().unwrap_or_default();
        let is_field = line.contains(": ") && !line.starts_with(['"', ')']);
        let is_type = matches!(first, "type" | "input" | "enum" | "interface" | "scalar" | "union");
        let is_value = !line.is_empty() && line.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        is_field || is_type || is_value
    };
    let is_schema =
        |i: usize| lines[..i].iter().rev().find(|line| line.ends_with('{')).is_some_and(|l| *l == "schema {");
    let bare: Vec<&str> = (1..lines.len())
        .filter(|i| declares(lines[*i]) && !lines[i - 1].ends_with('"') && !is_schema(*i))
        .filter(|i| !lines[..*i].iter().filter(|line| **line == "\"\"\"").count() % 2 == 1)
        .map(|i| lines[i])
        .collect();
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}
