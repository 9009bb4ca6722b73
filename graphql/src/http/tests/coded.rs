//! Content coding, as the whole port has it: what is compressed, how, and when it is sent.

use super::*;
use axum::routing::get;
use futures::{SinkExt, StreamExt};
use std::convert::Infallible;

async fn ask(app: Router, path: &str, accepted: &str) -> Response {
    let request = axum::http::Request::get(path).header(header::ACCEPT_ENCODING, accepted);
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// `length` bytes of text at `/`, of this media type.
fn text(length: usize, media: &'static str) -> Router {
    let routes =
        Router::new().route("/", get(move || async move { ([(header::CONTENT_TYPE, media)], "a".repeat(length)) }));
    surround(routes, &Origins::None)
}

async fn check(app: Router, accepted: &str, coding: Option<&str>) {
    let response = ask(app, "/", accepted).await;
    let found = response.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(found.as_deref(), coding, "{accepted}");
    let length = to_bytes(response.into_body(), usize::MAX).await.unwrap().len();
    assert_eq!(coding.is_some(), length < 500, "{accepted}: {length} bytes");
}

#[tokio::test]
async fn what_is_longer_than_1_kb_is_coded_as_the_client_likes_it() {
    let long = || text(1_025, "application/json");
    for coding in ["br", "gzip", "zstd"] {
        check(long(), coding, Some(coding)).await;
    }
    check(long(), "gzip;q=0.5, zstd;q=0.9", Some("zstd")).await;
    // Some list zstd with the others and cannot read it.
    check(long(), "gzip, deflate, br, zstd", Some("br")).await;
    check(long(), "gzip, zstd", Some("gzip")).await;
    check(long(), "gzip;q=0.5, zstd;q=0.5", Some("gzip")).await;
    check(long(), "*", Some("br")).await;
    check(long(), "br;q=x, zstd", Some("zstd")).await;
    check(long(), "gzip, br;q=0", Some("gzip")).await;
    check(long(), "identity", None).await;
    check(long(), "compress", None).await;
    check(text(1_024, "application/json"), "br, gzip, zstd", None).await;
    check(text(5_000, "text/event-stream; charset=utf-8"), "br, gzip, zstd", None).await;
    check(text(5_000, "image/png"), "br, gzip, zstd", None).await;
}

#[tokio::test]
async fn the_answers_of_graphql_are_coded_and_say_what_they_depend_on() {
    let fixture = Fixture::known().await;
    let app = surround(app_of(&fixture), &Origins::None);
    let path = "/graphql?query=%7B__schema%7Btypes%7Bname%20description%7D%7D%7D";
    let response = ask(app, path, "gzip").await;
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
    let vary: Vec<_> = response.headers().get_all(header::VARY).iter().collect();
    assert_eq!(vary, ["accept, accept-encoding"]);
    assert!(response.headers()[header::ETAG].to_str().unwrap().starts_with("W/"));
}

#[tokio::test]
async fn a_body_that_is_written_while_it_is_read_is_sent_part_by_part() {
    for coding in ["br", "gzip", "zstd"] {
        let (mut parts, read) = futures::channel::mpsc::unbounded::<Result<&str, Infallible>>();
        let body = Arc::new(std::sync::Mutex::new(Some(Body::from_stream(read))));
        let routes = Router::new().route("/", get(move || async move { body.lock().unwrap().take().unwrap() }));
        let mut sent = ask(surround(routes, &Origins::None), "/", coding).await.into_body().into_data_stream();
        for part in ["one", "two"] {
            parts.send(Ok(part)).await.unwrap();
            let chunk =
                tokio::time::timeout(Duration::from_secs(10), sent.next()).await.expect("sent though more may come");
            assert!(!chunk.unwrap().unwrap().is_empty(), "{coding}");
        }
        drop(parts);
        while let Some(rest) = sent.next().await {
            rest.unwrap();
        }
    }
}
