//! Which answers are of hours that are over, so that they may be kept.

use super::fixture::Fixture;
use crate::pipeline::StageName;
use async_graphql::{Request, Variables};
use chrono::TimeDelta;
use schema::clock::Clock;

/// Ends at 10:00; the fixture's present is 10:30.
const OVER: &str = "during: {from: \"2025-05-18T08:00:00Z\", to: \"2025-05-18T10:00:00Z\"}";

async fn followed() -> Fixture {
    let fixture = Fixture::known().await;
    fixture.follow_stream();
    fixture
}

async fn max_age(fixture: &Fixture, document: &str) -> i32 {
    let document = document.replace("OVER", OVER);
    let response = fixture.schema.execute(&document).await;
    assert!(response.errors.is_empty(), "{document}: {:?}", response.errors);
    response.cache_control.max_age
}

#[tokio::test]
async fn what_depends_on_such_hours_alone_is_kept_for_an_hour() {
    let fixture = followed().await;
    for document in [
        "{ pages(OVER) { totalCount pageInfo { hasNextPage } edges { cursor node { id title userName hour { pageCount } } } } }",
        "{ hours(OVER, first: 2) { totalCount nodes { hour isOver userCount domains { edges { pageCount node { name wiki } } } } } }",
        "{ hour(hour: \"2025-05-18-09\") { pageCount previous { pageCount } pages { nodes { title } } } }",
        "{ activity(OVER) { pageCount series { domain { name } points { start pageCount } } } }",
        "{ activity(during: {from: \"2025-05-16T00:00:00Z\", to: \"2025-05-18T00:00:00Z\"}, unit: DAY) { pageCount } }",
        "{ overview(OVER) { current { pageCount userCount } previous { pageCount } } }",
        "{ topDomains(OVER) { rank growth domain { name pageCount(OVER) } } topUsers(OVER) { user { userName } } }",
        "{ reports(at: \"2025-05-18T10:00:00Z\") { start domainsByHour { domains { pageCount } } } }",
        "{ domain(name: \"www.wikidata.org\") { ...f ... on Domain { botPageCount(OVER) } __typename } }
            fragment f on Domain { pageCount(OVER) pages(OVER) { nodes { title } } }",
    ] {
        assert_eq!(max_age(&fixture, document).await, 3_600, "{document}");
    }
}

#[tokio::test]
async fn what_may_change_is_not() {
    let fixture = followed().await;
    for document in [
        "{ __typename }",
        "{ pages { nodes { title } } }",
        "{ pages(during: {lastHours: 2}) { nodes { title } } }",
        "{ pages(during: {from: \"2025-05-18T08:00:00Z\"}) { nodes { title } } }",
        "{ pages(during: {to: \"2025-05-18T11:00:00Z\"}) { nodes { title } } }",
        "{ pages(during: {to: \"2025-05-18T10:20:00.5Z\"}) { nodes { title } } }",
        // Its hour runs.
        "{ pages(during: {to: \"2025-05-18T10:19:00Z\"}) { nodes { hour { pageCount isOver } } } }",
        "{ hours(during: {to: \"2025-05-18T10:19:00Z\"}, first: 1) { nodes { pageCount } } }",
        "{ activity(during: {to: \"2025-05-18T10:19:00Z\"}) { pageCount } }",
        // So does its day, and its month.
        "{ activity(OVER, unit: DAY) { pageCount } }",
        "{ activity(during: {to: \"2025-05-18T00:00:00Z\"}, unit: MONTH) { pageCount } }",
        "{ globalUser(userName: \"Alex brollo\") { activity(OVER) { pageCount } } }",
        "query($u: TimeUnit! = DAY) { activity(OVER, unit: $u) { pageCount } }",
        "{ pages(OVER) { nodes { user { userName } } } }",
        "{ pages(OVER) { nodes { domain { pageCount } } } }",
        "{ pages(OVER) { asOf } }",
        "{ pages(OVER) { nodes { title } } pipeline { source } }",
        "{ hour(hour: \"2025-05-18-10\") { pageCount } }",
        "{ hour(hour: \"2025-05-18-09\") { next { pageCount } } }",
        "{ domain(name: \"www.wikidata.org\") { pageCount } }",
        "{ domain(name: \"www.wikidata.org\") { name } }",
        "{ domain(name: \"de.wikipedia.org\") { pageCount(OVER) } }",
        "{ page(domain: \"it.wikisource.org\", pageId: \"1\") { title } }",
        "{ topDomains { rank } }",
        "{ reports { start } }",
        "{ ...f pages(OVER) { nodes { title } } } fragment f on Query { domains { totalCount } }",
        "{ __schema { queryType { name } } pages(OVER) { nodes { title } } }",
    ] {
        assert_eq!(max_age(&fixture, document).await, 0, "{document}");
    }
}

#[tokio::test]
async fn an_hour_settles_ten_minutes_behind_its_end_and_once_it_is_counted() {
    let fixture = followed().await;
    let (now, document) = (fixture.clock.now(), "{ pages(OVER) { totalCount } }");
    fixture.clock.set(now - TimeDelta::minutes(20) - TimeDelta::seconds(1));
    assert_eq!(max_age(&fixture, document).await, 0);
    fixture.clock.set(now - TimeDelta::minutes(20));
    assert_eq!(max_age(&fixture, document).await, 3_600);
    fixture.calls.set_counted_until("2025-05-18T10:09:59Z".parse().unwrap());
    assert_eq!(max_age(&fixture, document).await, 0);
    // Of pages alone no count is waited for.
    assert_eq!(max_age(&fixture, "{ pages(OVER) { nodes { title } } }").await, 3_600);
}

#[tokio::test]
async fn what_may_not_be_all_is_not_kept() {
    let document = "{ pages(OVER) { totalCount } }";
    let sample = Fixture::known().await;
    sample.hear_all_stages();
    assert_eq!(max_age(&sample, document).await, 0, "invented pages, others at the next start");
    let unheard = Fixture::known().await;
    assert_eq!(max_age(&unheard, document).await, 0, "nothing is known of the writer");
    let (producer, others) = (StageName::Producer, [StageName::Cleaner, StageName::Writer]);
    let of_each = |stage| [(stage, Some(5), 0), (stage, None, 0), (stage, Some(0), 1)];
    for (stage, lag_records, in_flight_count) in others.into_iter().flat_map(of_each).chain([(producer, None, 1)]) {
        let waiting = followed().await;
        waiting.set_waiting(stage, lag_records, in_flight_count);
        assert_eq!(max_age(&waiting, document).await, 0, "{stage:?} {lag_records:?} {in_flight_count}");
    }
    let behind = followed().await;
    // A later hour, of which no event has come: the newest is of 10:29:58.
    behind.clock.set(behind.clock.now() + TimeDelta::hours(6));
    for (hour, seconds) in [("09", 3_600), ("10", 0), ("12", 0)] {
        let of_hour = format!("{{ hour(hour: \"2025-05-18-{hour}\") {{ pageCount }} }}");
        assert_eq!(max_age(&behind, &of_hour).await, seconds, "{of_hour}");
    }
}

#[tokio::test]
async fn a_range_in_a_variable_counts_as_one_in_the_document() {
    let fixture = followed().await;
    let document = "query($r: TimeRange, $h: Hour = \"2025-05-18-09\")
        { pages(during: $r) { totalCount } hour(hour: $h) { pageCount } }";
    let max_age = async |variables| {
        let request = Request::new(document).variables(Variables::from_json(variables));
        fixture.schema.execute(request).await.cache_control.max_age
    };
    assert_eq!(max_age(serde_json::json!({ "r": { "to": "2025-05-18T10:00:00Z" } })).await, 3_600);
    assert_eq!(max_age(serde_json::json!({ "r": { "lastHours": 2 } })).await, 0);
    assert_eq!(max_age(serde_json::json!({})).await, 0);
}
