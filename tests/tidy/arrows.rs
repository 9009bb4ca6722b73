//! Which crate may depend on which: tests → graphql → {rest-compat, ingest} → schema.

use crate::files::{assert_none, root, sources};

const ALLOWED: [(&str, &[&str]); 5] = [
    ("schema", &[]),
    ("ingest", &["schema"]),
    ("rest-compat", &["schema"]),
    ("graphql", &["ingest", "rest-compat", "schema"]),
    ("tests", &["graphql", "ingest", "rest-compat", "schema"]),
];

#[test]
fn crates_depend_downwards_only() {
    let mut wrong = Vec::new();
    for (name, allowed) in ALLOWED {
        let path = root().join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&path).expect("each crate has a manifest");
        let manifest: toml::Table = text.parse().expect("the manifest is TOML");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            let ours = table.keys().filter(|dep| ALLOWED.iter().any(|(crate_name, _)| crate_name == dep));
            wrong.extend(ours.filter(|dep| !allowed.contains(&dep.as_str())).map(|dep| format!("{name} → {dep}")));
        }
    }
    assert_none(&wrong, "arrows: tests → graphql → {rest-compat, ingest} → schema");
}

#[test]
fn only_the_composition_root_knows_ingest_and_the_api() {
    let root_files = [
        "graphql/src/app.rs",
        "graphql/src/app/",
        "graphql/src/main.rs",
        "graphql/src/main/",
        "graphql/src/live",
        "graphql/src/pipeline",
    ];
    let wrong: Vec<String> = sources(&[".rs"])
        .into_iter()
        .filter(|f| f.path.starts_with("graphql/src/") && !root_files.iter().any(|root| f.path.starts_with(root)))
        .filter(|f| f.text.contains("ingest::"))
        .map(|f| f.path)
        .collect();
    assert_none(&wrong, "only app and main (and the live feed and pipeline, which read the bus) name ingest");
}
