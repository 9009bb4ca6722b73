//! Which files may name a driver: backends stay behind their trait.

use crate::files::{assert_none, sources};

const DRIVERS: [(&str, &[&str]); 4] = [
    ("scylla", &["schema/src/store/cassandra"]),
    ("rdkafka", &["ingest/src/bus/kafka"]),
    ("rusqlite", &["schema/src/store/embedded"]),
    ("eventsource_client", &["ingest/src/sse"]),
];

#[test]
fn drivers_are_named_by_their_backend_only() {
    let mut wrong = Vec::new();
    for file in sources(&[".rs"]).iter().filter(|f| !f.path.starts_with("tests/")) {
        for (driver, homes) in DRIVERS {
            let names_it = file.text.contains(&format!("{driver}::")) || file.text.contains(&format!("use {driver}"));
            if names_it && !homes.iter().any(|home| file.path.starts_with(home)) {
                wrong.push(format!("{} names {driver}", file.path));
            }
        }
    }
    assert_none(&wrong, "a driver is named by its backend only");
}

#[test]
fn nothing_counts_by_reading_everything() {
    let refused = ["count(*)", "select distinct", "allow filtering"];
    let places = ["schema/", "ingest/", "rest-compat/", "graphql/"];
    let wrong: Vec<String> = sources(&[".rs", ".cql", ".sql"])
        .into_iter()
        .filter(|f| places.iter().any(|place| f.path.starts_with(place)))
        .filter(|f| refused.iter().any(|word| code(&f.text).to_lowercase().contains(word)))
        .map(|f| f.path)
        .collect();
    assert_none(&wrong, "no COUNT(*), no SELECT DISTINCT, no ALLOW FILTERING");
}

fn code(text: &str) -> String {
    let is_comment = |line: &&str| ["//", "--"].iter().any(|mark| line.trim_start().starts_with(mark));
    text.lines().filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n")
}
