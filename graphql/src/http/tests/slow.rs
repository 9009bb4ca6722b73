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
