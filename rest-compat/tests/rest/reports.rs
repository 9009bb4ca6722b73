//! The hourly reports, asked at 19:32 on 2025-05-18 unless `at` says otherwise.

use crate::server::{Server, page};
use insta::assert_snapshot;
use schema::page::Page;
use serde_json::Value;

const FR: &str = "fr.wikisource.org";
const NL: &str = "nl.wikipedia.org";

fn bot(mut page: Page) -> Page {
    page.is_bot = true;
    page
}

/// In the window from 12:00 to 18:00 but for the first and the last.
fn created() -> Vec<Page> {
    vec![
        bot(page(FR, 1, 7, "Robot", "2025-05-18T11:59:59")),
        bot(page(FR, 2, 7, "Robot", "2025-05-18T12:00:00")),
        page(NL, 3, 7, "Ann", "2025-05-18T12:30:00"),
        page(FR, 4, 8, "Ann", "2025-05-18T12:59:59"),
        page(NL, 5, 7, "Ann", "2025-05-18T13:00:00"),
        bot(page(NL, 6, 9, "Robot", "2025-05-18T17:59:59")),
        bot(page(NL, 7, 9, "Robot", "2025-05-18T18:00:00")),
    ]
}

async fn json(server: &Server, path: &str) -> Value {
    let answer = server.get(path).await;
    let body = answer.strip_prefix("200 ").unwrap_or_else(|| panic!("{path}: {answer}"));
    serde_json::from_str(body).expect("answers are JSON")
}

#[tokio::test]
async fn pages_of_each_wiki_and_hour() {
    let server = Server::with(&created()).await;
    assert_snapshot!(server.get("/reports/domains-by-hour/").await, @r#"200 [{"time_start":"12:00","time_end":"13:00","start":"2025-05-18T12:00:00Z","end":"2025-05-18T13:00:00Z","statistics":[{"fr.wikisource.org":2},{"nl.wikipedia.org":1}]},{"time_start":"13:00","time_end":"14:00","start":"2025-05-18T13:00:00Z","end":"2025-05-18T14:00:00Z","statistics":[{"nl.wikipedia.org":1}]},{"time_start":"14:00","time_end":"15:00","start":"2025-05-18T14:00:00Z","end":"2025-05-18T15:00:00Z","statistics":[]},{"time_start":"15:00","time_end":"16:00","start":"2025-05-18T15:00:00Z","end":"2025-05-18T16:00:00Z","statistics":[]},{"time_start":"16:00","time_end":"17:00","start":"2025-05-18T16:00:00Z","end":"2025-05-18T17:00:00Z","statistics":[]},{"time_start":"17:00","time_end":"18:00","start":"2025-05-18T17:00:00Z","end":"2025-05-18T18:00:00Z","statistics":[{"nl.wikipedia.org":1}]}]"#);
}

#[tokio::test]
async fn pages_of_bots_by_wiki() {
    let server = Server::with(&created()).await;
    assert_snapshot!(server.get("/reports/bots-by-domain/").await, @r#"200 {"time_start":"12:00","time_end":"18:00","start":"2025-05-18T12:00:00Z","end":"2025-05-18T18:00:00Z","statistics":[{"domain":"fr.wikisource.org","created_by_bots":1},{"domain":"nl.wikipedia.org","created_by_bots":1}]}"#);
}

#[tokio::test]
async fn the_people_who_created_most() {
    let server = Server::with(&created()).await;
    assert_snapshot!(server.get("/reports/top-users/").await, @r#"200 {"time_start":"12:00","time_end":"18:00","start":"2025-05-18T12:00:00Z","end":"2025-05-18T18:00:00Z","users":[{"user_name":"Ann","user_id":"7","user_ids":[{"domain":"nl.wikipedia.org","user_id":"7","page_count":2},{"domain":"fr.wikisource.org","user_id":"8","page_count":1}],"time_start":"12:00","time_end":"18:00","start":"2025-05-18T12:00:00Z","end":"2025-05-18T18:00:00Z","page_count":3,"page_titles":["Pagina:Storia_5.djvu/7","Pagina:Storia_4.djvu/7","Pagina:Storia_3.djvu/7"],"all_pages":"/reports/top-users/pages/?user_name=Ann&at=2025-05-18T18:00:00Z&hours=6&skip=0"},{"user_name":"Robot","user_id":"7","user_ids":[{"domain":"fr.wikisource.org","user_id":"7","page_count":1},{"domain":"nl.wikipedia.org","user_id":"9","page_count":1}],"time_start":"12:00","time_end":"18:00","start":"2025-05-18T12:00:00Z","end":"2025-05-18T18:00:00Z","page_count":2,"page_titles":["Pagina:Storia_6.djvu/7","Pagina:Storia_2.djvu/7"],"all_pages":"/reports/top-users/pages/?user_name=Robot&at=2025-05-18T18:00:00Z&hours=6&skip=0"}]}"#);
    let first = json(&server, "/reports/top-users/?limit=1").await;
    assert_eq!(first["users"].as_array().unwrap().len(), 1);
    let link = first["users"][0]["all_pages"].as_str().unwrap();
    let all = json(&server, link).await;
    assert_eq!(all["user_name"], "Ann");
    assert_eq!((&all["start"], &all["end"]), (&first["start"], &first["end"]));
    let ids: Vec<&str> =
        all["pages"].as_array().unwrap().iter().map(|page| page["page_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["5", "4", "3"]);
}

#[tokio::test]
async fn a_window_across_midnight_is_told_in_full() {
    let server = Server::with(&[page(FR, 1, 7, "Ann", "2025-05-17T23:30:00")]).await;
    let hours = json(&server, "/reports/domains-by-hour/?at=2025-05-18T02:10:00Z").await;
    let shown: Vec<_> =
        hours.as_array().unwrap().iter().map(|hour| format!("{} {}", hour["time_start"], hour["statistics"])).collect();
    let expect = [
        "\"19:00\" []",
        "\"20:00\" []",
        "\"21:00\" []",
        "\"22:00\" []",
        "\"23:00\" [{\"fr.wikisource.org\":1}]",
        "\"00:00\" []",
    ];
    assert_eq!(shown, expect);
    assert_eq!(hours[4]["time_end"], "00:00");
    assert_eq!(hours[4]["end"], "2025-05-18T00:00:00Z");
    let users = json(&server, "/reports/top-users/?at=2025-05-18T02:10:00Z").await;
    assert_eq!((&users["start"], &users["end"]), (&"2025-05-17T19:00:00Z".into(), &"2025-05-18T01:00:00Z".into()));
}

#[tokio::test]
async fn nothing_stored_and_nothing_yet() {
    let empty = Server::with(&[]).await;
    let server = Server::with(&created()).await;
    for (server, at) in [(&empty, ""), (&server, "?at=2031-01-01T00:00:00Z"), (&server, "?at=2024-03-01T01:00:00Z")] {
        let hours = json(server, &format!("/reports/domains-by-hour/{at}")).await;
        assert_eq!(hours.as_array().unwrap().len(), 6);
        assert!(hours.as_array().unwrap().iter().all(|hour| hour["statistics"] == Value::Array(vec![])));
        assert_eq!(json(server, &format!("/reports/bots-by-domain/{at}")).await["statistics"], Value::Array(vec![]));
        assert_eq!(json(server, &format!("/reports/top-users/{at}")).await["users"], Value::Array(vec![]));
    }
    let leap = json(&empty, "/reports/domains-by-hour/?at=2024-03-01T01:00:00Z&skip=0&hours=2").await;
    assert_eq!((&leap[0]["start"], &leap[1]["end"]), (&"2024-02-29T23:00:00Z".into(), &"2024-03-01T01:00:00Z".into()));
}

#[tokio::test]
async fn a_time_may_be_written_with_an_offset_or_none() {
    let server = Server::with(&created()).await;
    let expect = server.get("/reports/bots-by-domain/").await;
    for at in [
        "2025-05-18T19:32:00Z",
        "2025-05-18T19:32:59.999Z",
        "2025-05-18T19:32",
        "2025-05-18T19:32:00",
        "2025-05-18T21:32:00%2B02:00",
        "2025-05-18T21:32:00+02:00",
        "2025-05-18T14:32:00-05:00",
    ] {
        assert_eq!(server.get(&format!("/reports/bots-by-domain/?at={at}")).await, expect, "{at}");
    }
}

#[tokio::test]
async fn more_titles_than_a_report_gives_are_counted_and_found_behind_its_link() {
    let pages: Vec<Page> = (1..=1_250).map(|id| page(FR, id, 7, "R&D/ö", "2025-05-18T14:00:00")).collect();
    let server = Server::with(&pages).await;
    let user = &json(&server, "/reports/top-users/").await["users"][0];
    assert_eq!((&user["page_count"], user["page_titles"].as_array().unwrap().len()), (&1_250.into(), 100));
    // Ids are texts, and of one second the largest comes first.
    assert_eq!(user["page_titles"][0], pages[998].page_title.as_str());
    let all = json(&server, user["all_pages"].as_str().unwrap()).await;
    assert_eq!(all["pages"].as_array().unwrap().len(), 1_250);
}

#[tokio::test]
async fn what_cannot_be_asked_is_named_all_at_once() {
    let server = Server::with(&[]).await;
    assert_snapshot!(server.get("/reports/top-users/?hours=0&skip=x&at=now&limit=101").await, @r#"422 {"detail":[{"type":"value_error","loc":["query","hours"],"msg":"Value error, expected a whole number from 1 to 168","input":"0","ctx":{"error":{}}},{"type":"value_error","loc":["query","skip"],"msg":"Value error, expected a whole number from 0 to 168","input":"x","ctx":{"error":{}}},{"type":"value_error","loc":["query","at"],"msg":"Value error, expected a time of the form 2025-05-18T19:32:00Z, from 1970 to 9999","input":"now","ctx":{"error":{}}},{"type":"value_error","loc":["query","limit"],"msg":"Value error, expected a whole number from 1 to 100","input":"101","ctx":{"error":{}}}]}"#);
    assert_snapshot!(server.get("/reports/top-users/pages/?hours=169").await, @r#"422 {"detail":[{"type":"missing","loc":["query","user_name"],"msg":"Field required","input":null},{"type":"value_error","loc":["query","hours"],"msg":"Value error, expected a whole number from 1 to 168","input":"169","ctx":{"error":{}}}]}"#);
    for bad in [
        "hours=",
        "hours=-1",
        "hours=6.0",
        "skip=-1",
        "skip=169",
        "at=",
        "at=1969-12-31T23:59:59Z",
        "at=2025-02-29T00:00:00Z",
    ] {
        assert!(server.get(&format!("/reports/domains-by-hour/?{bad}")).await.starts_with("422 "), "{bad}");
    }
    for ends in ["hours=1&skip=0", "hours=168&skip=168"] {
        assert!(server.get(&format!("/reports/domains-by-hour/?{ends}")).await.starts_with("200 "), "{ends}");
    }
}

/// The bodies are as they were agreed on: a header says up to when the counts are.
#[tokio::test]
async fn counts_say_up_to_when_they_are() {
    let server = Server::with(&created()).await;
    let as_of = async |path: &str| {
        let answer = server.send("GET", path, &[]).await;
        answer.headers.get("counts-as-of").map(|time| time.to_str().unwrap().to_owned())
    };
    for counted in [
        "/pages/domain/fr.wikisource.org",
        "/stats/time-range/?from_hour=2025-05-18-12&to_hour=2025-05-18-13",
        "/reports/domains-by-hour/",
        "/reports/bots-by-domain/",
        "/reports/top-users/",
    ] {
        assert_eq!(as_of(counted).await.as_deref(), Some("2025-05-18T19:32:00.000Z"), "{counted}");
    }
    for other in ["/domains/", "/pages/user/7", "/pages/id/1", "/reports/top-users/?limit=0", "/stats/time-range/"] {
        assert_eq!(as_of(other).await, None, "{other}");
    }
}
