//! The files of the dashboard, the playground and the pages about REST, inside the binary.

use super::caching::knows;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// What the dashboard's build made; empty where it was not run.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

/// The dashboard: nothing from elsewhere, nothing inline; what strangers wrote can never run.
const DASHBOARD_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The playground: the same, and the one style that GraphiQL 4.1.2 makes itself (by its hash), its fonts and pictures.
/// Measured in a browser; the journeys fail at any breach.
const PLAYGROUND_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; img-src 'self' data:; font-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Swagger UI and ReDoc: styles and pictures that they make themselves, and ReDoc's search, which is a worker.
const REST_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; worker-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const NOT_BUILT: &str =
    "the dashboard is not part of this build: run `npm ci && npm run build` in web/, then build again\n";

/// A page, by its path in the build.
pub(super) fn page(path: &str, headers: &HeaderMap) -> Response {
    serve(path, headers).unwrap_or_else(|| (StatusCode::NOT_FOUND, NOT_BUILT).into_response())
}

/// Any other file, by its path.
pub(super) async fn file(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    serve(path, request.headers()).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn serve(path: &str, headers: &HeaderMap) -> Option<Response> {
    let file = Files::get(path)?;
    // Weak: its bytes differ by content coding.
    let tag = format!("W/\"{}\"", data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..16]));
    let common = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, caching(path).into()),
        (header::VARY, "accept-encoding".into()),
        (header::CONTENT_SECURITY_POLICY, policy(path).into()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".into()),
        (header::REFERRER_POLICY, "no-referrer".into()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| knows(known, &tag)) {
        return Some((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let content_type = [(header::CONTENT_TYPE, content_type(path, file.metadata.mimetype()))];
    Some((common, content_type, file.data.into_owned()).into_response())
}

fn policy(path: &str) -> &'static str {
    match path.split('/').next() {
        Some("graphiql") => PLAYGROUND_POLICY,
        Some("docs" | "redoc") => REST_POLICY,
        _ => DASHBOARD_POLICY,
    }
}

/// The build puts a hash of the content into the names below `assets/`: such a file never changes.
fn caching(path: &str) -> &'static str {
    if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

fn content_type(path: &str, guessed: &str) -> String {
    let is_text = guessed.starts_with("text/") || path.ends_with(".svg");
    if is_text { format!("{guessed}; charset=utf-8") } else { guessed.into() }
}
