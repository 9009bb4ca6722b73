//! What a request is told of its cost: on request, what was estimated and what was answered.

use super::fixture::{Fixture, page};
use crate::operation::TellCost;
use async_graphql::Request;
use futures::StreamExt;

fn asking(document: &str) -> Request {
    Request::new(document).data(TellCost(true))
}

async fn check_cost(document: &str, requested: u64, actual: u64) {
    let response = Fixture::known().await.schema.execute(asking(document)).await;
    let wanted = async_graphql::value!({ "requested": requested, "actual": actual });
    assert_eq!(response.extensions.get("cost"), Some(&wanted), "{document}");
}

#[tokio::test]
async fn the_actual_cost_is_of_what_was_answered() {
    check_cost("{ __typename }", 1, 1).await;
    check_cost("{ page(domain: \"it.wikisource.org\", pageId: \"1\") { title wiki: domain { name } } }", 1 + 1 + 2, 4)
        .await;
    check_cost("{ page(domain: \"it.wikisource.org\", pageId: \"99\") { title } }", 2, 1).await;
    // Seven pages are there, of twenty asked for; what is told once for the list costs once.
    check_cost("{ pages { totalCount nodes { id } } }", 10 + 20 * (10 + 1 + 1), 10 + 10 + 7 * 2).await;
    check_cost("{ pages(first: 2) { edges { node { id } } } }", 10 + 2 * 3, 10 + 2 * 3).await;
    check_cost("{ pages(first: 2, filter: {isBot: true}) { nodes { id } } }", 50 + 2 * 2, 50 + 2 * 2).await;
    check_cost("{ topDomains(limit: 100) { pageCount } }", 500 + 100, 500 + 3).await;
    check_cost("{ search(text: \"wiki\") { __typename } }", 40 + 10, 40 + 3).await;
    check_cost("{ search(text: \"wiki\", limit: 100) { ... on Domain { name } } }", 40 + 100, 40 + 3).await;
    // What is asked for by fragments, aliases and twice is counted as it is answered.
    let document = "{ pages(first: 1) { nodes { ...f } nodes { x: id ...f } } } fragment f on Page { id title }";
    check_cost(document, 10 + 3 + 4, 10 + 1 + 3).await;
}

#[tokio::test]
async fn the_points_of_a_chart_are_in_its_own_cost() {
    let document =
        "{ activity(during: {lastHours: 24}, limit: 1) { series { pageCount points { start pageCount } } } }";
    check_cost(document, 500 + 1 + 1 + 1 + 2, 500 + 1 + 1 + 1).await;
}

#[tokio::test]
async fn each_id_of_nodes_costs_as_much_as_one_node() {
    let ids = vec!["\"eA\""; 100].join(",");
    check_cost("{ node(id: \"eA\") { id ... on Page { title } } }", 3, 1).await;
    check_cost(&format!("{{ nodes(ids: [{ids}]) {{ id ... on Page {{ title }} }} }}"), 100 * 3, 100).await;
}

#[tokio::test]
async fn an_introspection_is_one_field_and_what_was_refused_cost_nothing() {
    check_cost("{ __schema { types { name fields { name } } } }", 1, 1).await;
    check_cost("{ page(domain: 7, pageId: \"1\") { title } }", 2, 0).await;
}

#[tokio::test]
async fn who_does_not_ask_is_not_told() {
    let fixture = Fixture::known().await;
    for request in [Request::new("{ __typename }"), Request::new("{ __typename }").data(TellCost(false))] {
        assert!(!fixture.schema.execute(request).await.extensions.contains_key("cost"));
    }
}

#[tokio::test]
async fn each_event_tells_its_own_cost() {
    let fixture = Fixture::known().await;
    let mut events = fixture.schema.execute_stream(asking("subscription { pageCreated { page { title } cursor } }"));
    for id in [70, 71] {
        let (event, ()) = tokio::join!(events.next(), async {
            fixture.wait_for_subscriber().await;
            fixture.hub.tell(page("it.wikisource.org", id, (1, "Alex brollo"), 0));
        });
        let cost = &event.unwrap().extensions["cost"];
        assert_eq!(*cost, async_graphql::value!({ "requested": 4, "actual": 4 }));
    }
}
