//! How long a client waits for a store that is silent: as long for the beginning of an answer as for each part of it.

use crate::error::ApiError;
use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream::{self, Stream};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::timeout;

/// The response, or 503 where it does not begin in time. A body that is still being read is broken off when nothing
/// comes for as long, so that no client takes a part for the whole.
pub(crate) async fn keep(patience: Duration, response: impl Future<Output = Response>) -> Response {
    match timeout(patience, response).await {
        Ok(response) if response.body().size_hint().exact().is_some() => response,
        Ok(response) => response.map(|body| Body::from_stream(parts(body.into_data_stream(), patience))),
        Err(_) => ApiError::Late.into_response(),
    }
}

/// The time runs while a part is waited for, not while the client takes the one before.
fn parts(body: BodyDataStream, patience: Duration) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(patience, body.next()).await {
            Ok(part) => Some((part?, Some(body))),
            Err(_) => {
                tracing::warn!("a REST answer was broken off: the store is silent");
                Some((Err(axum::Error::new(std::io::Error::from(ErrorKind::TimedOut))), None))
            }
        }
    })
}
