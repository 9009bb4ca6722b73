//! The hourly reports; the present is 2025-05-18 10:30.

use super::fixture::{Fixture, check_query, page};

#[tokio::test]
async fn the_three_reports_of_the_default_window() {
    check_query(
        r#"{ reports { start end
            domainsByHour { start end domains { domain { name wiki } pageCount } }
            botPagesByDomain { domain { name } pageCount }
            topUsers { userName pageCount accounts(limit: 3) { domain { name } userId } pages { nodes { pageTitle } } } } }"#,
        r#"{"data":{"reports":{"start":"2025-05-18T03:00:00Z","end":"2025-05-18T09:00:00Z",
            "domainsByHour":[
                {"start":"2025-05-18T03:00:00Z","end":"2025-05-18T04:00:00Z","domains":[]},
                {"start":"2025-05-18T04:00:00Z","end":"2025-05-18T05:00:00Z","domains":[]},
                {"start":"2025-05-18T05:00:00Z","end":"2025-05-18T06:00:00Z","domains":[]},
                {"start":"2025-05-18T06:00:00Z","end":"2025-05-18T07:00:00Z","domains":[]},
                {"start":"2025-05-18T07:00:00Z","end":"2025-05-18T08:00:00Z","domains":[]},
                {"start":"2025-05-18T08:00:00Z","end":"2025-05-18T09:00:00Z",
                    "domains":[{"domain":{"name":"it.wikisource.org","wiki":"itwikisource"},"pageCount":1}]}],
            "botPagesByDomain":[],
            "topUsers":[{"userName":"~2025-12345-67","pageCount":1,
                "accounts":[{"domain":{"name":"it.wikisource.org"},"userId":"9"}],
                "pages":{"nodes":[{"pageTitle":"Più_<b>_\"x\"_?#/29"}]}}]}}}"#,
    )
    .await;
}

#[tokio::test]
async fn another_window_and_one_in_the_future() {
    check_query(
        r#"{ past: reports(at: "2025-05-18T11:00:00Z", hours: 2, skip: 0) {
                start end botPagesByDomain { domain { name } pageCount }
                topUsers(limit: 2) { userName pageCount accounts(limit: 1) { domain { name } } } }
            future: reports(at: "2031-01-01T00:00:00Z", hours: 1) {
                domainsByHour { domains { pageCount } } botPagesByDomain { pageCount } topUsers { userName } } }"#,
        r#"{"data":{"past":{"start":"2025-05-18T09:00:00Z","end":"2025-05-18T11:00:00Z",
                "botPagesByDomain":[{"domain":{"name":"www.wikidata.org"},"pageCount":2}],
                "topUsers":[
                    {"userName":"Alex brollo","pageCount":2,"accounts":[{"domain":{"name":"commons.wikimedia.org"}}]},
                    {"userName":"SomeBot","pageCount":2,"accounts":[{"domain":{"name":"www.wikidata.org"}}]}]},
            "future":{"domainsByHour":[{"domains":[]}],"botPagesByDomain":[],"topUsers":[]}}}"#,
    )
    .await;
}

#[tokio::test]
async fn a_person_s_pages_are_those_of_the_window_and_go_on_behind_a_cursor() {
    let pages: Vec<_> =
        (0..9).map(|i| page("it.wikisource.org", i + 1, (7, "Ann"), 3_600 * (i64::try_from(i).unwrap() + 1))).collect();
    let fixture = Fixture::with(&pages).await;
    let ask = async |after: &str| {
        let document = format!(
            "{{ reports {{ topUsers {{ pageCount pages(first: 4{after}) {{ nodes {{ pageId }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
        );
        fixture.answer(document).await["data"]["reports"]["topUsers"][0].take()
    };
    let first = ask("").await;
    assert_eq!(first["pageCount"], 6);
    let ids = |part: &serde_json::Value| {
        part["pages"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n["pageId"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ["2", "3", "4", "5"]);
    let cursor = first["pages"]["pageInfo"]["endCursor"].as_str().unwrap();
    let rest = ask(&format!(", after: {cursor:?}")).await;
    assert_eq!(
        (ids(&rest), &rest["pages"]["pageInfo"]["hasNextPage"]),
        (vec!["6".to_owned(), "7".into()], &false.into())
    );
}

#[tokio::test]
async fn a_person_of_a_report_is_found_again_by_its_id() {
    let fixture = Fixture::known().await;
    let fields = "__typename id userName pageCount accounts(limit: 3) { userId domain { name } } pages(first: 3) { nodes { pageTitle } }";
    let window = r#"at: "2025-05-18T11:00:00Z", hours: 2, skip: 0"#;
    let answer = fixture.answer(format!("{{ reports({window}) {{ topUsers(limit: 3) {{ {fields} }} }} }}")).await;
    let people = answer["data"]["reports"]["topUsers"].as_array().unwrap();
    assert!(people.len() >= 2, "{answer}");
    for person in people {
        let document = format!("{{ node(id: {}) {{ ... on ReportUser {{ {fields} }} }} }}", person["id"]);
        assert_eq!(&fixture.answer(document).await["data"]["node"], person);
    }
}

#[tokio::test]
async fn a_person_who_was_renamed_is_two_in_a_window() {
    let made = |id, name| page("it.wikisource.org", id, (7, name), 3_700 - id as i64);
    let pages: Vec<_> = (1..=7).map(|id| made(id, "Foo")).chain((8..=10).map(|id| made(id, "Bar"))).collect();
    let fixture = Fixture::with(&pages).await;
    let fields = "id userName pageCount accounts(limit: 3) { userId } pages(first: 9) { nodes { pageId } }";
    let answer = fixture.answer(format!("{{ reports(skip: 0) {{ topUsers(limit: 3) {{ {fields} }} }} }}")).await;
    let people = answer["data"]["reports"]["topUsers"].as_array().unwrap();
    let counts: Vec<_> = people.iter().map(|person| (&person["userName"], person["pageCount"].as_u64())).collect();
    assert_eq!(counts, [(&"Foo".into(), Some(7)), (&"Bar".into(), Some(3))], "{answer}");
    for person in people {
        let document = format!("{{ node(id: {}) {{ ... on ReportUser {{ {fields} }} }} }}", person["id"]);
        assert_eq!(&fixture.answer(document).await["data"]["node"], person);
    }
}

#[tokio::test]
async fn a_person_of_no_report_is_null() {
    let fixture = Fixture::known().await;
    // Without pages in the window, of nobody, an empty window, one that is too long.
    for id in [
        "r 2025-05-18-03 2025-05-18-04 Alex brollo",
        "r 2025-05-18-09 2025-05-18-11 Nobody",
        "r 2025-05-18-09 2025-05-18-09 Alex brollo",
        "r 2025-05-11-09 2025-05-18-11 Alex brollo",
    ] {
        let id = data_encoding::BASE64URL_NOPAD.encode(id.as_bytes());
        let answer = fixture.answer(format!("{{ node(id: {id:?}) {{ id }} }}")).await;
        assert_eq!(answer, serde_json::json!({"data": {"node": null}}), "{id}");
    }
}
