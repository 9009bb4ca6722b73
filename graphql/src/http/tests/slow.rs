//! Requests and answers that are late, all on the paused clock.

use super::*;
use std::time::Duration;

/// A body of which nothing comes for `wait`.
fn late_body(text: &'static str, wait: Duration) -> Body {
    Body::from_stream(futures::stream::once(async move {
        tokio::time::sleep(wait).await;
        Ok::<_, std::convert::Infallible>(text)
    }))
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_no_slow_request() {
    let fixture = Fixture::known().await;
    fixture.calls.set_silent(true);
    let ask = async |wait| {
        let app = app_of(&fixture);
        let text = r#"{"query":"{ user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt } }"}"#;
        let request = post(NEW, JSON).body(late_body(text, Duration::from_millis(wait))).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status.as_u16(), serde_json::from_slice::<Value>(&body).unwrap())
    };
    let (status, answer) = ask(50).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (503, &json!("TIMEOUT")), "{answer}");
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    let (status, answer) = ask(20_000).await;
    assert_eq!(status, 408, "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_room_may_come_again() {
    let mut fixture = Fixture::known().await;
    fixture.limit(Limits { cost: 1_000, concurrent_cost: 1_000, ..Limits::default() });
    fixture.calls.set_silent(true);
    let ask = async || {
        let text =
            r#"{"query":"{ user(domain: \"it.wikisource.org\", userId: \"1\") { lastPageAt } topUsers { rank } }"}"#;
        app_of(&fixture).oneshot(post(JSON, JSON).body(Body::from(text)).unwrap()).await.unwrap()
    };
    let (first, second) = tokio::join!(tokio::time::timeout(Duration::from_secs(3), ask()), ask());
    assert!(first.is_err());
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = to_bytes(second.into_body(), usize::MAX).await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((answer.get("data"), &answer["errors"][0]["extensions"]["code"]), (None, &json!("UNAVAILABLE")));
}
