//! Long lists as a body that is written while it is read: one slice in memory, and none is read before the socket
//! has taken the one before.

use crate::error::ApiError;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use schema::store::StoreError;
use serde::Serialize;

/// Answers `{<head>[…]}` with the items of all slices, where `head` is `"name":` after other members.
///
/// # Errors
/// When the first slice cannot be read. A later failure is logged and breaks the body off, so that no client takes
/// a part for the whole.
pub(crate) async fn respond<T: Serialize>(
    head: String,
    slices: impl Stream<Item = Result<Vec<T>, StoreError>> + Send + 'static,
) -> Result<Response, ApiError> {
    let mut slices = Box::pin(slices);
    let mut buffer = format!("{{{head}[").into_bytes();
    let mut is_first = true;
    let opening = match slices.next().await {
        None => buffer,
        Some(slice) => {
            is_first = !append(&mut buffer, is_first, &slice?);
            buffer
        }
    };
    let rest = slices.map(move |slice| {
        let mut buffer = Vec::new();
        is_first &= !append(&mut buffer, is_first, &slice.inspect_err(log)?);
        Ok::<_, StoreError>(buffer.into())
    });
    let ends = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
    let body = ends(opening).chain(rest).chain(ends(b"]}".to_vec()));
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response())
}

/// Appends the items, and says whether there were any.
fn append<T: Serialize>(buffer: &mut Vec<u8>, mut is_first: bool, items: &[T]) -> bool {
    for item in items {
        if !std::mem::take(&mut is_first) {
            buffer.push(b',');
        }
        serde_json::to_writer(&mut *buffer, item).expect("texts, numbers and times are JSON, and memory takes them");
    }
    !items.is_empty()
}

fn log(error: &StoreError) {
    tracing::error!(%error, "a REST answer was broken off");
}
