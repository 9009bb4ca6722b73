//! Slash redirects: 307 to the path's twin, with an absolute location, as Starlette gives them.

use crate::error::ApiError;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// Sends a request for a known path but for its trailing slash there, the query kept.
///
/// The location begins with the request's own `Host`; forwarding headers are not trusted, and without a host that
/// could be one the location is the path alone.
pub(crate) async fn redirect(uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    to_twin(&uri, &headers)
}

/// The same for a path with several slashes at its end, where there is one without any; else no such route.
pub(crate) async fn redirect_many(uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let mut segments = without_slashes(uri.path()).split('/');
    let is_page = segments.next() == Some("")
        && segments.next() == Some("pages")
        && matches!(segments.next(), Some("user" | "domain" | "id"))
        && segments.next().is_some_and(|id| !id.is_empty())
        && segments.next().is_none();
    if is_page { to_twin(&uri, &headers) } else { Err(ApiError::UnknownRoute) }
}

/// The redirect to the twin of `uri`.
pub(crate) fn to_twin(uri: &Uri, headers: &HeaderMap) -> Result<Response, ApiError> {
    let location = location(uri, headers.get(header::HOST));
    let location = HeaderValue::try_from(location).map_err(|_| ApiError::UnknownRoute)?;
    Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response())
}

fn location(uri: &Uri, host: Option<&HeaderValue>) -> String {
    let path = uri.path();
    let bare = without_slashes(path);
    let twin = if bare.len() < path.len() { bare.to_owned() } else { format!("{path}/") };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = host.and_then(|host| host.to_str().ok()).or_else(|| uri.authority().map(Authority::as_str));
    let origin = host.filter(|host| is_host(host)).map(|host| format!("http://{host}")).unwrap_or_default();
    format!("{origin}{twin}{query}")
}

/// The path without the slashes at its end, encoded ones too: routes are found on the decoded path.
fn without_slashes(mut path: &str) -> &str {
    while let Some(shorter) = ["/", "%2F", "%2f"].iter().find_map(|slash| path.strip_suffix(slash)) {
        path = shorter;
    }
    path
}

/// Whether `text` is `host` or `host:port` and nothing that a browser could read otherwise.
fn is_host(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
        && text.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_location(uri: &str, host: &'static str, expect: &str) {
        let host = HeaderValue::from_static(host);
        assert_eq!(location(&uri.parse().unwrap(), Some(&host)), expect, "{uri} {host:?}");
    }

    #[test]
    fn a_location_is_absolute_and_only_with_a_host_that_is_one() {
        check_location("/domains?x=1&y=%20", "localhost:8000", "http://localhost:8000/domains/?x=1&y=%20");
        check_location("/pages/user/%D1%8F/", "[::1]:80", "http://[::1]:80/pages/user/%D1%8F");
        for bad in ["", "a b", "user@evil.org", "evil.org/x", "evil.org?", "evil.org#", "a:b:c", "evil.org\\", ":80"] {
            check_location("/domains", bad, "/domains/");
        }
    }
}
