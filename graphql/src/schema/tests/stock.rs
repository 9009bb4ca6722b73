//! What the questions that everybody asks cost in reads: those of the README, the dashboard and the playground, as written.

use super::fixture::{Fixture, page};
use async_graphql::{Request, Variables};
use futures::StreamExt;
use serde_json::{Value, json};
use std::path::Path;

/// Calls of the store for each; a row that grows must be worth it. Those of more than ten read the people of each hour
/// of a day, or of a day and the one before it: distinct people do not add up.
const CALLS: &str = "\
README.md activity: 102
README.md domain: 6
README.md hours: 24
README.md pageCreated: 0
README.md pages: 2
README.md pipeline: 0
README.md reports: 13
README.md search: 2
web/graphiql/examples/FirstSteps.graphql: 1
web/graphiql/examples/Health.graphql: 0
web/graphiql/examples/HoursActivity.graphql: 27
web/graphiql/examples/Live.graphql: 0
web/graphiql/examples/Person.graphql: 4
web/graphiql/examples/Pipeline.graphql: 0
web/graphiql/examples/Rankings.graphql: 52
web/graphiql/examples/Reports.graphql: 12
web/graphiql/examples/Search.graphql: 2
web/graphiql/examples/Week.graphql: 54
web/graphiql/examples/WikisPages.graphql: 4
web/src/charts/hours.graphql: 2
web/src/domains/topDomains.graphql: 5
web/src/feed/feed.graphql LatestPages: 2
web/src/feed/feed.graphql PageCreated: 1
web/src/pipeline/pipeline.graphql: 0
";

/// A question and where it stands.
struct Question {
    name: String,
    document: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project")
}

/// The README's blocks, by what they ask first.
fn of_the_readme() -> Vec<Question> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = text.split("```graphql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let question = |document: &str| {
        let fields = document.lines().nth(1).expect("a field").trim();
        let first = fields.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        Question { name: format!("README.md {first}"), document: document.into() }
    };
    blocks.map(question).collect()
}

/// The `.graphql` files of a folder. Each defines the fragments that it spreads.
fn of_a_folder(folder: &str) -> Vec<Question> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "graphql") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push(Question { name, document: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    found
}

/// Each operation of a document by itself.
fn operations(question: Question) -> Vec<(String, Option<String>, String)> {
    let names: Vec<String> = question
        .document
        .lines()
        .filter_map(|line| line.strip_prefix("query ").or_else(|| line.strip_prefix("subscription ")))
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match names.as_slice() {
        [] => vec![(question.name, None, question.document)],
        [_] => vec![(question.name, Some(names[0].clone()), question.document)],
        _ => names
            .into_iter()
            .map(|name| (format!("{} {name}", question.name), Some(name), question.document.clone()))
            .collect(),
    }
}

/// What the variables of all questions are.
pub(super) fn variables() -> Value {
    json!({
        "hours": 24, "limit": 100, "first": 100, "name": "www.wikidata.org", "userName": "Person 3",
        "filter": {"isBot": false, "domains": ["www.wikidata.org"]}, "text": "wiki",
    })
}

fn questions() -> impl Iterator<Item = (String, Option<String>, String)> {
    let all = [of_the_readme(), of_a_folder("web/src"), of_a_folder("web/graphiql/examples")];
    all.into_iter().flatten().flat_map(operations)
}

/// The queries among the questions, each with the name of its operation.
pub(super) fn queries() -> impl Iterator<Item = (String, Option<String>)> {
    let queries = questions().filter(|(_, name, document)| !is_subscription(name.as_deref(), document));
    queries.map(|(_, name, document)| (document, name))
}

fn is_subscription(operation: Option<&str>, document: &str) -> bool {
    let kind = format!("subscription {}", operation.unwrap_or_default());
    document.lines().any(|line| line.trim_end_matches(" {").starts_with(kind.trim_end()))
}

/// Calls of the store for one answer, which no limit refuses; a subscription's is of the page `told`, which the feed has not told yet.
async fn calls(fixture: &Fixture, operation: Option<String>, document: &str, told: u64) -> usize {
    // What changes in the pipeline is told without a page.
    let is_of_pages = is_subscription(operation.as_deref(), document) && document.contains("pageCreated");
    let mut request = Request::new(document).variables(Variables::from_json(variables()));
    request.operation_name = operation;
    let mut answers = fixture.schema.execute_stream(request);
    let tell = async {
        if is_of_pages {
            fixture.wait_for_subscriber().await;
            fixture.hub.tell(page("www.wikidata.org", told, (3, "Person 3"), 0));
        }
    };
    let (answer, ()) = tokio::join!(answers.next(), tell);
    let answer = answer.expect("an answer");
    assert!(answer.errors.is_empty(), "{document}\n{:?}", answer.errors);
    fixture.calls.take().len()
}

#[tokio::test]
async fn each_costs_what_the_table_says() {
    let domains = ["it.wikisource.org", "commons.wikimedia.org", "www.wikidata.org"];
    let pages: Vec<_> = (1..=300u64)
        .map(|id| {
            page(domains[id as usize % 3], id, (id % 100 + 1, &format!("Person {}", id % 100 + 1)), 200 * id as i64)
        })
        .collect();
    let fixture = Fixture::with(&pages).await;
    let mut table = Vec::new();
    for (told, (name, operation, document)) in (1_000..).zip(questions()) {
        table.push(format!("{name}: {}\n", calls(&fixture, operation, &document, told).await));
    }
    table.sort();
    assert_eq!(table.concat(), CALLS, "the table of what is measured, and the one that is wanted");
}
