//! Every example of the README, as written, against a fresh app on the sample.

use anyhow::Context;
use graphql::app::{App, Role, Settings, Terminal};
use ingest::bus::BusUrl;
use ingest::source::SourceSetting;
use schema::clock::SystemClock;
use schema::store::StoreUrl;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

const README: &str = include_str!("../../README.md");

/// The blocks of one language, as written.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The addresses that the README's `curl` lines ask.
fn addresses() -> Vec<String> {
    let lines = blocks("sh").into_iter().flat_map(str::lines).filter(|line| line.starts_with("curl "));
    let words =
        lines.flat_map(|line| line.split(' ').map(|word| word.trim_matches('\'').to_owned()).collect::<Vec<_>>());
    words.filter(|word| word.starts_with("http://127.0.0.1:8000/") && !word.ends_with("/graphql")).collect()
}

async fn sample_app(folder: &std::path::Path) -> anyhow::Result<App> {
    let settings = Settings {
        listen: "127.0.0.1:0".parse()?,
        store: StoreUrl::Embedded(folder.into()),
        bus: BusUrl::Memory,
        source: SourceSetting::Sample,
        contact: String::new(),
        role: Role::Run,
        terminal: Terminal::Hidden,
    };
    App::start(settings, Arc::new(SystemClock)).await
}

async fn ask(client: &reqwest::Client, base: &str, document: &str) -> anyhow::Result<Value> {
    let body = serde_json::json!({ "query": document });
    Ok(client.post(format!("{base}/graphql")).json(&body).send().await?.json().await?)
}

async fn wait_for_pages(client: &reqwest::Client, base: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let document =
        r#"{ domain(name: "commons.wikimedia.org") { pages(first: 3, filter: {namespaces: [6]}) { nodes { id } } } }"#;
    while ask(client, base, document).await?["data"]["domain"]["pages"]["nodes"].as_array().is_none_or(|n| n.len() < 3)
    {
        anyhow::ensure!(Instant::now() < deadline, "the sample did not fill the store within 60 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_answers() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let app = sample_app(folder.path()).await?;
    let base = format!("http://{}", app.address());
    let client = reqwest::Client::new();
    wait_for_pages(&client, &base).await?;

    let documents: Vec<_> = blocks("graphql").into_iter().filter(|d| !d.starts_with("subscription")).collect();
    assert!(documents.len() >= 4, "the README has lost its GraphQL examples");
    for document in documents {
        let answer = ask(&client, &base, document).await?;
        assert_eq!(answer.get("errors"), None, "{document}\n{answer}");
        let fields = answer["data"].as_object().with_context(|| format!("no data: {answer}"))?;
        assert!(fields.values().all(|value| !value.is_null()), "{document}\n{answer}");
    }

    let addresses = addresses();
    assert!(addresses.len() >= 5, "the README has lost its curl examples: {addresses:?}");
    for address in addresses {
        let path = address.trim_start_matches("http://127.0.0.1:8000");
        let answer = client.get(format!("{base}{path}")).send().await?;
        let (status, body) = (answer.status().as_u16(), answer.text().await?);
        // The number of the example page is the recorded one; the sample gives pages new numbers.
        let expected = if path.starts_with("/pages/id/") { [200, 404] } else { [200, 200] };
        assert!(expected.contains(&status), "{address}: {status} {body}");
    }
    app.stop().await
}
