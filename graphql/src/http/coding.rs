//! Content coding: which answers are compressed, and how.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::map_request;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// Bytes below which a coding saves nothing.
const MIN_BYTES: u64 = 1024;

type Compressible = And<And<SizeAbove, NotForContentType>, NotForContentType>;

/// Brotli, gzip or zstd, as the client likes best: of what is longer than 1 KB or not known to be shorter. Events are
/// sent as they are, each at once; so are pictures that are compressed in themselves.
pub(super) fn code(router: Router) -> Router {
    router.layer(layer()).layer(map_request(async |request: Request| with_careful_choice(request)))
}

fn layer() -> CompressionLayer<Compressible> {
    let worth_it = SizeAbove::new(MIN_BYTES + 1).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// Of codings that a client likes alike zstd is none: before Node 22.15 the client of GraphQL Code Generator lists it and
/// breaks on it.
fn with_careful_choice(mut request: Request) -> Request {
    if let Some(listed) = careful_choice(request.headers()) {
        request.headers_mut().insert(header::ACCEPT_ENCODING, listed);
    }
    request
}

/// The codings that a client takes, without zstd unless it likes that best.
fn careful_choice(headers: &HeaderMap) -> Option<HeaderValue> {
    let lists: Vec<&str> = headers.get_all(header::ACCEPT_ENCODING).iter().flat_map(HeaderValue::to_str).collect();
    let codings: Vec<(&str, f32)> = lists.iter().flat_map(|list| list.split(',')).map(coding).collect();
    let weight = |name: &str| codings.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
    let common = weight("br").into_iter().chain(weight("gzip")).fold(0.0, f32::max);
    if lists.is_empty() || weight("zstd").is_some_and(|zstd| zstd > common) {
        return None;
    }
    let others = codings.iter().filter(|(coding, _)| !coding.eq_ignore_ascii_case("zstd"));
    let mut listed: Vec<String> = others.map(|(coding, q)| format!("{coding};q={q:.3}")).collect();
    listed.push("zstd;q=0".into());
    listed.join(", ").parse().ok()
}

/// A coding's name and weight; one that cannot be read has none.
fn coding(text: &str) -> (&str, f32) {
    let Some((name, weight)) = text.split_once(';') else { return (text.trim(), 1.0) };
    let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|q| q.strip_prefix('=')?.parse().ok());
    (name.trim(), weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0))
}
