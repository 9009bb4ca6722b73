//! Asks a running server all the model's questions over HTTP and compares the answers.

use crate::model::{Asked, Model, graphql, rest};
use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

const AT_ONCE: usize = 8;
/// Differences worth reading.
const SHOWN: usize = 5;

/// Asks REST and GraphQL at `base` (`http://HOST:PORT`) everything, and says how many questions that were.
///
/// # Errors
/// Names the first answers that differ.
pub async fn check_answers(base: &str, model: &Model) -> anyhow::Result<usize> {
    Ok(check_rest(base, model).await? + check_graphql(base, model).await?)
}

/// The REST half.
///
/// # Errors
/// Names the first answers that differ.
pub async fn check_rest(base: &str, model: &Model) -> anyhow::Result<usize> {
    let client = reqwest::Client::new();
    compare(rest::questions(&model.reference), async |path: &str| {
        let response = client.get(format!("{base}{path}")).send().await?;
        Ok(serde_json::from_slice(&response.bytes().await?)?)
    })
    .await
}

/// The GraphQL half.
///
/// # Errors
/// Names the first answers that differ, errors included.
pub async fn check_graphql(base: &str, model: &Model) -> anyhow::Result<usize> {
    let client = reqwest::Client::new();
    compare(graphql::questions(&model.reference), async |document: &str| {
        let mut answer = ask_graphql(&client, base, document).await?;
        Ok(if answer.get("errors").is_some() { answer } else { answer["data"].take() })
    })
    .await
}

/// One operation, and all that came back.
///
/// # Errors
/// When there is no answer, or none in JSON.
pub async fn ask_graphql(client: &reqwest::Client, base: &str, document: &str) -> anyhow::Result<Value> {
    let request = client.post(format!("{base}/graphql")).json(&json!({ "query": document }));
    let bytes = request.send().await?.bytes().await?;
    serde_json::from_slice(&bytes).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&bytes)))
}

async fn compare(questions: Vec<Asked>, ask: impl AsyncFn(&str) -> anyhow::Result<Value>) -> anyhow::Result<usize> {
    let count = questions.len();
    let ask = &ask;
    let different: Vec<String> = stream::iter(questions)
        .map(|asked| async move {
            let found = ask(&asked.question).await.with_context(|| asked.question.clone())?;
            anyhow::Ok((found != asked.answer).then(|| difference(&asked, &found)))
        })
        .buffer_unordered(AT_ONCE)
        .try_filter_map(async |difference| Ok(difference))
        .try_collect()
        .await?;
    let shown = different.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    ensure!(different.is_empty(), "{} of {count} answers differ:\n{shown}", different.len());
    Ok(count)
}

fn difference(asked: &Asked, found: &Value) -> String {
    let short = |value: &Value| value.to_string().chars().take(1_000).collect::<String>();
    format!("{}\n  answered {}\n  wanted   {}", asked.question, short(found), short(&asked.answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events;
    use schema::clock::{Clock, SystemClock};
    use schema::store::{Durability, Migration, StoreUrl};
    use std::sync::Arc;
    use std::time::Duration;

    /// Long enough for any of these answers.
    const TIME: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn rest_answers_as_the_model_does() {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Embedded(folder.path().into());
        let store = schema::store::open(&url, Migration::Apply, Durability::Process).await.unwrap();
        let model = Model::of(&events::recorded().unwrap());
        let pages: Vec<_> = model.reference.pages().cloned().collect();
        store.write_pages(&pages, SystemClock.now()).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server =
            tokio::spawn(axum::serve(listener, rest_compat::router(store, Arc::new(SystemClock), TIME)).into_future());
        assert!(check_rest(&base, &model).await.unwrap() > 700);
        server.abort();
    }
}
