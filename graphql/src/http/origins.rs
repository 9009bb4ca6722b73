//! Which pages may ask from a browser: those of this host, and of the origins that are set.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::str::FromStr;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use url::Url;

/// How long a browser may remember what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// The name of a request, in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How far the page that asks is from this host, as browsers say it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The pages of other hosts that may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Origins {
    /// None.
    #[default]
    None,
    /// All.
    Any,
    /// Those of these origins.
    Listed(Vec<HeaderValue>),
}

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "*" => Ok(Self::Any),
            list => list.split(',').map(parse_origin).collect::<Result<_, _>>().map(Self::Listed),
        }
    }
}

/// An origin as browsers write it: nothing behind the host, no port that goes without saying.
fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let text = text.trim();
    let form = "use SCHEME://HOST[:PORT][,…] such as https://example.org, or *";
    let url = Url::parse(text).map_err(|why| format!("{text:?} is no origin ({why}); {form}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{text:?} is not of http or https; {form}"));
    }
    let origin = url.origin().ascii_serialization();
    if origin != text {
        return Err(format!("{text:?} is no origin as browsers write it; did you mean {origin}? {form}"));
    }
    HeaderValue::try_from(origin).map_err(|_| format!("{text:?} is no origin; {form}"))
}

impl Origins {
    /// Answers what browsers ask before they let a page ask; none where no other host's page may.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        let allowed = match self {
            Self::None => return None,
            Self::Any => AllowOrigin::from(Any),
            Self::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
        };
        let layer = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([header::CONTENT_TYPE, header::IF_NONE_MATCH])
            .expose_headers([header::ETAG, REQUEST_ID, rest_compat::COUNTS_AS_OF])
            .max_age(REMEMBERED);
        Some(layer)
    }

    /// Whether a request comes from a page that may listen, or from no page at all: browsers ask nothing before they
    /// open a WebSocket, or before a GET of which the page is not told the answer.
    pub(super) fn may_listen(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let Some(origin) = text(header::ORIGIN) else {
            // Such a GET has no origin, but browsers say that it comes from another site (to an https or loopback host).
            let is_foreign = matches!(text(FETCH_SITE), Some("cross-site" | "same-site"));
            return !is_foreign || *self == Self::Any;
        };
        let origin_host = origin.split_once("://").map(|(_, host)| host);
        let is_same_host = origin_host.is_some_and(|host| Some(host) == text(header::HOST));
        is_same_host
            || match self {
                Self::None => false,
                Self::Any => true,
                Self::Listed(origins) => origins.iter().any(|allowed| allowed == origin),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        assert_eq!("*".parse(), Ok(Origins::Any));
        let two = ["https://example.org", "http://127.0.0.1:5173"].map(HeaderValue::from_static);
        assert_eq!("https://example.org, http://127.0.0.1:5173".parse(), Ok(Origins::Listed(two.to_vec())));
        for bad in ["", "example.org", "https://example.org/", "https://Example.org", "https://example.org:443"]
            .iter()
            .chain(&["ftp://example.org", "null", "https://example.org,", "*, https://example.org", "https://a@b.org"])
        {
            let refused = bad.parse::<Origins>().expect_err(bad);
            assert!(refused.contains("use SCHEME://HOST[:PORT]"), "{refused}");
        }
    }
}
