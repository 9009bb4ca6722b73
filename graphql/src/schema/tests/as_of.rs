//! Up to when pages are counted, wherever an answer says it.

use super::fixture::Fixture;
use serde_json::Value;

const DOCUMENT: &str = "{ activity(during: {lastHours: 1}) { asOf } overview { asOf } reports { asOf }
    pages(first: 1) { asOf } pipeline { countsAsOf } }";

async fn check_as_of(fixture: &Fixture, wanted: &str) {
    let answer = fixture.answer(DOCUMENT).await;
    let times: Vec<&Value> = ["activity", "overview", "reports", "pages"]
        .iter()
        .map(|name| &answer["data"][name]["asOf"])
        .chain([&answer["data"]["pipeline"]["countsAsOf"]])
        .collect();
    assert_eq!(times, [wanted; 5], "{answer}");
    let extensions = fixture.schema.execute(DOCUMENT).await.extensions;
    assert_eq!(extensions["asOf"], async_graphql::Value::from(wanted));
}

#[tokio::test]
async fn it_is_the_store_s_time_and_never_later_than_now() {
    let fixture = Fixture::known().await;
    check_as_of(&fixture, "2025-05-18T10:30:00Z").await;
    fixture.calls.set_counted_until("2025-05-18T10:00:00Z".parse().unwrap());
    check_as_of(&fixture, "2025-05-18T10:00:00Z").await;
    fixture.calls.set_counted_until("2025-05-18T11:00:00Z".parse().unwrap());
    check_as_of(&fixture, "2025-05-18T10:30:00Z").await;
}

#[tokio::test]
async fn an_operation_without_counts_does_not_say_it() {
    let fixture = Fixture::known().await;
    let extensions = async |document: &str| {
        let extensions = fixture.schema.execute(document).await.extensions;
        extensions.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(extensions("{ pages { nodes { title } } }").await, [""; 0]);
    assert_eq!(extensions("{ pages { totalCount } }").await, ["asOf"]);
    assert_eq!(extensions("{ topUsers { rank } }").await, ["asOf"]);
    assert_eq!(extensions("{ hour(hour: \"2025-05-18-10\") { domainCount } }").await, ["asOf"]);
}
