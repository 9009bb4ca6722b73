//! Words and places: module docs, file names, nothing that points outside the project.

use crate::files::{assert_none, paths, sources};

#[test]
fn every_module_says_what_it_holds() {
    let wrong: Vec<String> =
        sources(&[".rs"]).into_iter().filter(|f| !f.text.starts_with("//! ")).map(|f| f.path).collect();
    assert_none(&wrong, "every .rs file starts with //!");
}

#[test]
fn files_and_folders_have_names_that_say_something() {
    let vague = ["utils", "util", "common", "helpers", "helper", "misc"];
    let stem = |part: &str| part.split('.').next().unwrap_or_default().to_lowercase();
    let is_vague = |path: &String| path.split('/').any(|part| part == "mod.rs" || vague.contains(&stem(part).as_str()));
    let wrong: Vec<String> = paths().into_iter().filter(is_vague).collect();
    assert_none(&wrong, "no mod.rs, utils, common, helpers");
}

const TEXTS: [&str; 20] = [
    ".rs", ".ts", ".svelte", ".sh", ".md", ".toml", ".json", ".xml", ".mjs", ".js", ".css", ".html", ".graphql",
    ".sql", ".cql", ".yml", ".yaml", ".options", "Makefile", ".ci/run",
];

#[test]
fn the_project_stands_alone() {
    let outside = [concat!("../", "shared"), concat!("/work", "/"), concat!("#[ig", "nore")];
    let wrong: Vec<String> = sources(&TEXTS)
        .into_iter()
        .filter(|f| outside.iter().any(|word| f.text.contains(word)))
        .map(|f| f.path)
        .collect();
    assert_none(&wrong, "nothing refers to a place outside the project, and no test is ignored");
}
