//! What pages of other hosts may do: nothing, or what the setting lets them.

use super::*;

const OURS: &str = "http://here.example";
const THEIRS: &str = "https://there.example";

async fn ask(origins: &Origins, request: axum::http::request::Builder, body: &str) -> Response {
    let fixture = Fixture::known().await;
    let routes = router(fixture.groups(), Limits::default(), origins.clone(), Ends::default());
    let request = request.header(header::HOST, "here.example").body(Body::from(body.to_owned())).unwrap();
    surround(routes, origins).oneshot(request).await.unwrap()
}

fn said(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_ascii_lowercase())
}

async fn allowed(origins: &str, origin: &str) -> Option<String> {
    let origins = if origins.is_empty() { Origins::None } else { origins.parse().unwrap() };
    let request = post(JSON, JSON).header(header::ORIGIN, origin);
    let response = ask(&origins, request, r#"{"query":"{__typename}"}"#).await;
    assert_eq!(response.status(), StatusCode::OK);
    let exposed = said(&response, "access-control-expose-headers");
    assert!(origins == Origins::None || exposed.as_deref() == Some("etag,x-request-id,counts-as-of"), "{exposed:?}");
    said(&response, "access-control-allow-origin")
}

#[tokio::test]
async fn no_other_host_s_page_may_read_but_those_that_are_set() {
    assert_eq!(allowed("", THEIRS).await, None);
    assert_eq!(allowed("https://other.example", THEIRS).await, None);
    assert_eq!(allowed("https://other.example,https://there.example", THEIRS).await.as_deref(), Some(THEIRS));
    assert_eq!(allowed("*", THEIRS).await.as_deref(), Some("*"));
}

#[tokio::test]
async fn a_browser_that_asks_first_is_told_what_may_be_sent() {
    let preflight = || {
        let request = axum::http::Request::options("/graphql").header(header::ORIGIN, THEIRS);
        request.header("access-control-request-method", "POST").header("access-control-request-headers", "content-type")
    };
    let response = ask(&THEIRS.parse().unwrap(), preflight(), "").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(said(&response, "access-control-allow-origin").as_deref(), Some(THEIRS));
    assert_eq!(said(&response, "access-control-allow-methods").as_deref(), Some("get,post"));
    assert_eq!(said(&response, "access-control-allow-headers").as_deref(), Some("content-type,if-none-match"));
    assert!(said(&response, "vary").unwrap().contains("origin"));
    let closed = ask(&Origins::None, preflight(), "").await;
    assert_eq!((closed.status().as_u16(), said(&closed, "access-control-allow-origin")), (405, None));
}

#[tokio::test]
async fn who_may_read_may_listen() {
    let listens = async |origins: &Origins, origin: &'static str| {
        let request = post("text/event-stream", JSON).header(header::ORIGIN, origin);
        ask(origins, request, r#"{"query":"subscription{pageCreated{cursor}}"}"#).await.status().as_u16()
    };
    let theirs: Origins = THEIRS.parse().unwrap();
    for (origins, ours, others) in [(Origins::None, 200, 403), (theirs, 200, 200), (Origins::Any, 200, 200)] {
        assert_eq!(listens(&origins, OURS).await, ours, "{origins:?}");
        assert_eq!(listens(&origins, THEIRS).await, others, "{origins:?}");
    }
    assert_eq!(listens(&THEIRS.parse().unwrap(), "https://other.example").await, 403);
}

/// A page asks for events and for no answer: such a GET has no origin.
#[tokio::test]
async fn a_page_that_is_told_no_answer_holds_no_place() {
    let listens = async |origins: &Origins, site: Option<&'static str>| {
        let get = axum::http::Request::get("/graphql?query=subscription%7BpageCreated%7Bcursor%7D%7D");
        let get = get.header(header::ACCEPT, "text/event-stream");
        let get = site.into_iter().fold(get, |get, site| get.header("sec-fetch-site", site));
        ask(origins, get, "").await.status().as_u16()
    };
    let theirs: Origins = THEIRS.parse().unwrap();
    for site in [None, Some("same-origin"), Some("none")] {
        assert_eq!(listens(&Origins::None, site).await, 200, "{site:?}");
    }
    for site in [Some("cross-site"), Some("same-site")] {
        assert_eq!(listens(&Origins::None, site).await, 403, "{site:?}");
        assert_eq!(listens(&theirs, site).await, 403, "whose page it is is not said");
        assert_eq!(listens(&Origins::Any, site).await, 200, "{site:?}");
    }
}
