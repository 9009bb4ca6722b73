//! The OpenAPI document says what the routes do.

use crate::server::{Server, page};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ROUTES: &str = include_str!("../../src/router.rs");

/// Each operation: its path, and what the document says of it.
async fn operations(server: &Server) -> (Value, Vec<(String, Value)>) {
    let answer = server.send("GET", "/openapi.json", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.headers["content-type"].as_bytes()), (200, &b"application/json"[..]));
    let mut document: Value = serde_json::from_str(&answer.body.expect("a body")).expect("the document is JSON");
    let paths: Map<String, Value> = serde_json::from_value(document["paths"].take()).expect("paths");
    let operations = paths.into_iter().map(|(path, mut methods)| (path, methods["get"].take())).collect();
    (document, operations)
}

async fn served() -> Server {
    let pages = [
        page("it.wikisource.org", 975_885, 1_204, "Alex brollo", "2025-05-18T06:00:00"),
        page("it.wikisource.org", 975_886, 1_204, "Alex brollo", "2025-05-18T13:00:00"),
        page("fr.wikisource.org", 7, 8, "Robot", "2025-05-18T14:00:00"),
    ];
    Server::with(&pages.map(|page| schema::page::Page { is_bot: page.user_name == "Robot", ..page })).await
}

fn parameters<'a>(operation: &'a Value, place: &str) -> Vec<&'a Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.filter(|parameter| parameter["in"] == place).collect()
}

/// The path with the examples of its parameters, and of those in the query that `wanted` names.
fn address(path: &str, operation: &Value, wanted: impl Fn(&Value) -> bool) -> String {
    let example = |parameter: &Value| match &parameter["schema"]["examples"][0] {
        Value::Null => parameter["schema"]["default"].to_string(),
        example => example.as_str().expect("a text").replace(' ', "%20"),
    };
    let name = |parameter: &Value| parameter["name"].as_str().expect("a name").to_owned();
    let mut path = path.to_owned();
    for parameter in parameters(operation, "path") {
        path = path.replace(&format!("{{{}}}", name(parameter)), &example(parameter));
    }
    let given = parameters(operation, "query").into_iter().filter(|parameter| wanted(parameter));
    let query: Vec<String> = given.map(|parameter| format!("{}={}", name(parameter), example(parameter))).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

#[tokio::test]
async fn every_route_is_told_and_no_other() {
    let (document, operations) = operations(&served().await).await;
    let told: BTreeSet<&str> = operations.iter().map(|(path, _)| path.as_str()).collect();
    let routes = ROUTES.split(".route(\"").skip(1).filter_map(|route| route.split_once("\", "));
    let is_answered = |handler: &str| handler.trim_start_matches("counted(").starts_with("only_get(");
    assert_eq!(told, routes.filter(|(_, handler)| is_answered(handler)).map(|(path, _)| path).collect());
    assert_eq!(
        (&document["openapi"], &document["info"]["version"]),
        (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION")))
    );
}

#[tokio::test]
async fn every_answer_fits_its_schema() {
    let server = served().await;
    let (document, operations) = operations(&server).await;
    for (path, operation) in &operations {
        let is_required = |parameter: &Value| parameter["required"] == true;
        for address in [address(path, operation, is_required), address(path, operation, |_| true)] {
            let answer = server.get(&address).await;
            let body = answer.strip_prefix("200 ").unwrap_or_else(|| panic!("{address}: {answer}"));
            let mut schema = operation["responses"]["200"]["content"]["application/json"]["schema"].clone();
            schema["components"] = closed(document["components"].clone());
            let validator = jsonschema::validator_for(&schema).expect("a schema");
            let body: Value = serde_json::from_str(body).expect("answers are JSON");
            assert!(
                ["wikisource.org", "Alex"].iter().any(|shown| body.to_string().contains(shown)),
                "{address}: {body}"
            );
            validator.validate(&body).unwrap_or_else(|error| panic!("{address}: {error} in {body}"));
        }
    }
}

/// The same schemas, with nothing in the answers that they do not tell of.
fn closed(mut components: Value) -> Value {
    for schema in components["schemas"].as_object_mut().expect("schemas").values_mut() {
        if schema["properties"].is_object() {
            schema["additionalProperties"] = false.into();
        }
    }
    components
}

#[tokio::test]
async fn what_is_required_or_bounded_is_refused_otherwise() {
    let server = served().await;
    let (_, operations) = operations(&server).await;
    let mut refused = 0;
    for (path, operation) in &operations {
        let queried = parameters(operation, "query");
        let required: Vec<&Value> = queried.iter().filter(|of| of["required"] == true).map(|of| &of["name"]).collect();
        let answer = server.get(&address(path, operation, |_| false)).await;
        let missing: Value = serde_json::from_str(answer.split_once(' ').expect("a status").1).unwrap_or_default();
        let missing: Vec<&Value> = missing["detail"].as_array().into_iter().flatten().map(|of| &of["loc"][1]).collect();
        assert_eq!(missing, required, "{path}: {answer}");
        for parameter in queried {
            for (bound, step) in [("minimum", -1), ("maximum", 1)] {
                let Some(bound) = parameter["schema"][bound].as_i64() else { continue };
                let name = parameter["name"].as_str().expect("a name");
                for (value, status) in [(bound, "200"), (bound + step, "422")] {
                    let address = address(path, operation, |of| of["required"] == true);
                    let sign = if address.contains('?') { '&' } else { '?' };
                    let answer = server.get(&format!("{address}{sign}{name}={value}")).await;
                    assert!(answer.starts_with(status), "{path} {name}={value}: {answer}");
                    refused += usize::from(status == "422");
                }
            }
        }
    }
    assert!(refused > 10);
}
