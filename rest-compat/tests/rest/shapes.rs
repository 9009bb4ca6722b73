//! The shapes of FastAPI 0.165 around the answers: 404, 405, 422, 307, media types.

use crate::server::Server;
use axum::http::StatusCode;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use insta::assert_snapshot;

#[tokio::test]
async fn unknown_routes_are_404_and_other_parts_of_the_server_answer() {
    let server = Server::with(&[]).await;
    for path in [
        "/",
        "/nope",
        "/pages/user/",
        "/pages/user",
        "/pages/user/1/2",
        "//domains",
        "/pages/user/a%2Fb",
        "/pages/id/%2F",
    ] {
        assert_eq!(server.get(path).await, r#"404 {"detail":"Not Found"}"#, "{path}");
    }
    assert_eq!(server.get("/graphql").await, "200 graphql");
}

#[tokio::test]
async fn only_get_is_allowed() {
    let server = Server::with(&[]).await;
    for path in [
        "/domains/",
        "/pages/user/1",
        "/pages/domain/x",
        "/pages/id/1",
        "/stats/time-range/",
        "/reports/domains-by-hour/",
        "/reports/bots-by-domain/",
        "/reports/top-users/",
        "/reports/top-users/pages/",
    ] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "BREW"] {
            let answer = server.send(method, path, &[]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers[ALLOW], "GET", "{method} {path}");
            let expect = if method == "HEAD" { "" } else { r#"{"detail":"Method Not Allowed"}"# };
            assert_eq!(answer.body.as_deref(), Some(expect), "{method} {path}");
        }
    }
    assert_eq!(server.send("POST", "/nope", &[]).await.text(), r#"404 {"detail":"Not Found"}"#);
}

#[tokio::test]
async fn missing_hours_are_named_all_at_once_in_their_order() {
    let server = Server::with(&[]).await;
    assert_snapshot!(server.get("/stats/time-range/").await, @r#"422 {"detail":[{"type":"missing","loc":["query","from_hour"],"msg":"Field required","input":null},{"type":"missing","loc":["query","to_hour"],"msg":"Field required","input":null}]}"#);
    assert_snapshot!(server.get("/stats/time-range/?from_hour=2025-05-18-5").await, @r#"422 {"detail":[{"type":"value_error","loc":["query","from_hour"],"msg":"Value error, expected an hour of the form 2025-05-18-13","input":"2025-05-18-5","ctx":{"error":{}}},{"type":"missing","loc":["query","to_hour"],"msg":"Field required","input":null}]}"#);
}

#[tokio::test]
async fn malformed_reversed_and_too_long_ranges_are_refused() {
    let server = Server::with(&[]).await;
    assert_snapshot!(server.get("/stats/time-range/?from_hour=&to_hour=%FF").await, @r#"422 {"detail":[{"type":"value_error","loc":["query","from_hour"],"msg":"Value error, expected an hour of the form 2025-05-18-13","input":"","ctx":{"error":{}}},{"type":"value_error","loc":["query","to_hour"],"msg":"Value error, expected an hour of the form 2025-05-18-13","input":"�","ctx":{"error":{}}}]}"#);
    assert_snapshot!(server.get("/stats/time-range/?from_hour=2025-05-18-05&to_hour=2025-05-18-04").await, @r#"422 {"detail":[{"type":"value_error","loc":["query","to_hour"],"msg":"Value error, to_hour is before from_hour","input":"2025-05-18-04","ctx":{"error":{}}}]}"#);
    assert_snapshot!(server.get("/stats/time-range/?from_hour=2025-05-01-00&to_hour=2025-06-01-00").await, @r#"422 {"detail":[{"type":"value_error","loc":["query","to_hour"],"msg":"Value error, the range has 745 hours, at most 744 are answered","input":"2025-06-01-00","ctx":{"error":{}}}]}"#);
}

#[tokio::test]
async fn a_path_but_for_its_slash_is_redirected_with_an_absolute_location() {
    let server = Server::with(&[]).await;
    let host = ("host", "127.0.0.1:8000");
    for (from, to) in [
        ("/domains", "/domains/"),
        ("/domains?x=1&y=%20", "/domains/?x=1&y=%20"),
        ("/stats/time-range?from_hour=a", "/stats/time-range/?from_hour=a"),
        ("/reports/domains-by-hour?hours=1", "/reports/domains-by-hour/?hours=1"),
        ("/reports/bots-by-domain", "/reports/bots-by-domain/"),
        ("/reports/top-users?limit=3", "/reports/top-users/?limit=3"),
        ("/reports/top-users/pages?user_name=%D1%8F", "/reports/top-users/pages/?user_name=%D1%8F"),
        ("/pages/user/1/", "/pages/user/1"),
        ("/pages/domain/%D1%8F/", "/pages/domain/%D1%8F"),
        ("/pages/id/1/?domain=x", "/pages/id/1?domain=x"),
    ] {
        for method in ["GET", "POST", "HEAD"] {
            let answer = server.send(method, from, &[host, ("x-forwarded-host", "evil.org")]).await;
            assert_eq!(answer.text(), "307 ", "{method} {from}");
            assert_eq!(answer.location(), format!("http://127.0.0.1:8000{to}"), "{method} {from}");
        }
    }
    for path in [
        "/pages/user/1//?x=%2F",
        "/pages/us%65r/1%2F/?x=%2F",
        "/pages/user/1%2F?x=%2F",
        "/pages/user/1%2f%2F?x=%2F",
        "/pages/user/1%2F/?x=%2F",
    ] {
        let answer = server.send("GET", path, &[host]).await;
        assert_eq!((answer.text(), answer.location()), ("307 ".into(), "http://127.0.0.1:8000/pages/user/1?x=%2F"));
    }
    assert_eq!(server.send("GET", "/domains", &[("host", "a b")]).await.location(), "/domains/");
    assert_eq!(server.send("GET", "/domains", &[]).await.location(), "/domains/");
}

#[tokio::test]
async fn a_route_is_found_on_the_decoded_path() {
    let server = Server::with(&[]).await;
    for (written, plain) in [
        ("/domains%2F", "/domains/"),
        ("/domain%73/", "/domains/"),
        ("/pages/us%65r/1", "/pages/user/1"),
        ("/pages%2Fuser%2F1?domain=x", "/pages/user/1?domain=x"),
        ("/pages%2Fdomain/%D1%8F%FF", "/pages/domain/%D1%8F%FF"),
        ("/stats/time-range%2F", "/stats/time-range/"),
        ("/pages/user/1%2F2", "/nope"),
        ("/pages/other/1//", "/nope"),
        ("/domains//", "/nope"),
        ("//domains/", "/nope"),
        ("/%2e%2e/domains/", "/nope"),
    ] {
        assert_eq!(server.get(written).await, server.get(plain).await, "{written}");
    }
}

#[tokio::test]
async fn every_answer_is_json() {
    let server = Server::with(&[]).await;
    let range = "/stats/time-range/?from_hour=2025-05-18-05&to_hour=2025-05-18-05";
    for path in ["/domains/", "/pages/user/1", "/pages/domain/x", "/pages/id/1", "/stats/time-range/", range, "/nope"] {
        let answer = server.send("GET", path, &[]).await;
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json", "{path}");
        assert!(path == "/nope" || answer.headers["x-content-type-options"] == "nosniff", "{path}");
    }
}
