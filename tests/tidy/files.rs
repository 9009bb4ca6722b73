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

/// What lies in the project's folder and is not written by hand.
const NOT_OURS: [&str; 5] = ["node_modules", "dist", "target", "generated", "test-results"];

/// The paths of all files of the project.
pub(crate) fn paths() -> Vec<String> {
    let root = root();
    let walk = walkdir::WalkDir::new(&root).into_iter().filter_entry(is_ours);
    let entries = walk.map(|entry| entry.expect("the project's folders can be read"));
    let found: Vec<String> = entries.filter(|e| e.file_type().is_file()).map(|e| relative(&root, e.path())).collect();
    for known in ["Makefile", ".ci/run", "schema/src/lib.rs", "web/src/main.ts"] {
        assert!(found.iter().any(|path| path == known), "{known} was not found: the test looks in the wrong place");
    }
    found
}

/// All source files with one of these endings.
pub(crate) fn sources(endings: &[&str]) -> Vec<Source> {
    let is_asked = |path: &String| endings.iter().any(|ending| path.ends_with(ending));
    let found: Vec<Source> = paths().into_iter().filter(is_asked).map(read).collect();
    assert!(!found.is_empty(), "no source files found: the test looks in the wrong place");
    found
}

/// Hidden folders are tools' own, but for the one that says how the project is checked; `data` is a run's.
fn is_ours(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_tools = entry.depth() == 1 && (name == "data" || (name.starts_with('.') && name != ".ci"));
    let is_made = entry.file_type().is_dir() && NOT_OURS.contains(&name.as_ref());
    !is_tools && !is_made
}

fn relative(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("found below the root");
    relative.to_string_lossy().replace('\\', "/")
}

fn read(path: String) -> Source {
    let text = std::fs::read_to_string(root().join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    Source { path, text }
}

/// Fails with all findings at once.
pub(crate) fn assert_none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
