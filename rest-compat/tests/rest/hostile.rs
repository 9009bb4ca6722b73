//! Texts that strangers wrote, in paths and in the rows.

use crate::server::{Server, page};

#[tokio::test]
async fn strange_paths_and_queries_get_plain_answers() {
    let server = Server::with(&[]).await;
    let long = "9".repeat(60_000);
    let checks = [
        (format!("/pages/user/{long}"), r#"200 {"pages":[]}"#),
        (format!("/pages/id/{long}"), r#"404 {"detail":"Page not found"}"#),
        ("/pages/user/9223372036854775808".into(), r#"200 {"pages":[]}"#),
        ("/pages/user/%FF%00%0D%0A".into(), r#"200 {"pages":[]}"#),
        ("/pages/user/1'%20OR%201=1--".into(), r#"200 {"pages":[]}"#),
        ("/pages/user/%EF%BC%91".into(), r#"200 {"pages":[]}"#),
        ("/pages/id/..%5C..%5Cetc".into(), r#"404 {"detail":"Page not found"}"#),
        ("/pages/domain/%FF".into(), "200 {\"domain\":\"\u{fffd}\",\"count\":0}"),
        ("/pages/domain/%22%5C%00%1B".into(), r#"200 {"domain":"\"\\\u0000\u001b","count":0}"#),
        ("/pages/domain/%E2%80%AEgro".into(), "200 {\"domain\":\"\u{202e}gro\",\"count\":0}"),
        ("/pages/user/1?domain=%FF&domain=&&=;%".into(), r#"200 {"pages":[]}"#),
    ];
    for (path, expect) in checks {
        assert_eq!(server.get(&path).await, expect, "GET {}", &path[..path.len().min(80)]);
    }
}

#[tokio::test]
async fn names_and_titles_are_written_as_they_are() {
    let name = "\u{202e}<script>\"\\\u{7f}\u{2028}नमस्ते 🦀";
    let mut strange = page("it.wikisource.org", 1, 2, name, "2025-05-18T08:03:14");
    strange.page_title = "\u{200f}A\tB".into();
    let server = Server::with(&[strange]).await;
    let expect = concat!(
        r#"200 {"page":{"page_id":"1","user_id":"2","user_name":""#,
        "\u{202e}<script>\\\"\\\\\u{7f}\u{2028}नमस्ते 🦀",
        r#"","domain":"it.wikisource.org","page_title":""#,
        "\u{200f}A\\tB",
        r#"","created_at":"2025-05-18T08:03:14"}}"#
    );
    assert_eq!(server.get("/pages/id/1").await, expect);
}
