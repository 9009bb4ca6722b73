//! The project's own source files, read once per test.

use std::path::{Path, PathBuf};

/// One source file.
pub(crate) struct Source {
    /// Its path from the project's folder, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

const OWN: [&str; 7] = ["schema", "ingest", "graphql", "rest-compat", "web", "tests", "deploy"];
const NOT_OURS: [&str; 5] = ["node_modules", "dist", "target", "generated", "test-results"];

/// All source files with one of these endings.
pub(crate) fn sources(endings: &[&str]) -> Vec<Source> {
    let root = root();
    let found: Vec<Source> = OWN
        .iter()
        .filter(|folder| root.join(folder).is_dir())
        .flat_map(|folder| walkdir::WalkDir::new(root.join(folder)).into_iter().filter_entry(is_ours))
        .map(|entry| entry.expect("the project's folders can be read"))
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| endings.iter().any(|ending| entry.path().to_string_lossy().ends_with(ending)))
        .map(|entry| read(&root, entry.path()))
        .collect();
    assert!(!found.is_empty(), "no source files found: the test looks in the wrong place");
    found
}

fn is_ours(entry: &walkdir::DirEntry) -> bool {
    !NOT_OURS.iter().any(|name| entry.file_name() == *name)
}

fn read(root: &Path, path: &Path) -> Source {
    let relative = path.strip_prefix(root).expect("found below the root");
    Source {
        path: relative.to_string_lossy().replace('\\', "/"),
        text: std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
    }
}

/// Fails with all findings at once.
pub(crate) fn assert_none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
