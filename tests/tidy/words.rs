//! Words and places: module docs, file names, nothing that points outside the project.

use crate::files::{assert_none, sources};

#[test]
fn every_module_says_what_it_holds() {
    let wrong: Vec<String> =
        sources(&[".rs"]).into_iter().filter(|f| !f.text.starts_with("//! ")).map(|f| f.path).collect();
    assert_none(&wrong, "every .rs file starts with //!");
}

#[test]
fn files_have_names_that_say_something() {
    let vague = ["mod.rs", "utils.rs", "util.rs", "common.rs", "helpers.rs", "misc.rs"];
    let wrong: Vec<String> = sources(&[".rs", ".ts"])
        .into_iter()
        .map(|f| f.path)
        .filter(|path| vague.iter().any(|name| path.ends_with(&format!("/{name}"))))
        .collect();
    assert_none(&wrong, "no mod.rs, utils, common, helpers");
}

#[test]
fn the_project_stands_alone() {
    let outside = [concat!("../", "shared"), concat!("/work", "/"), concat!("#[ig", "nore")];
    let wrong: Vec<String> = sources(&[".rs", ".ts", ".svelte", ".sh", ".md", ".toml", ".json", ".xml", ".mjs"])
        .into_iter()
        .filter(|f| outside.iter().any(|word| f.text.contains(word)))
        .map(|f| f.path)
        .collect();
    assert_none(&wrong, "nothing refers to a place outside the project, and no test is ignored");
}
