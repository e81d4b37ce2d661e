//! What one caller may send.

use super::*;
use serve::{Rate, Rates};
use std::num::NonZeroU32;

/// So many at once, and hardly any more within a test.
fn burst(burst: u32) -> Option<Rate> {
    let number = |number| NonZeroU32::new(number).unwrap();
    Some(Rate { per_second: NonZeroU32::MIN, burst: number(burst) })
}

async fn gaps(rig: &Rig) -> Vec<Value> {
    let token = rig.admin();
    rig.types("main").await;
    let path = "/api/v1/logs/main/events?type=log.gap&order=oldest";
    let events = rig.get(&token, path).await.json()["events"].as_array().unwrap().clone();
    events.iter().map(|it| it["content"]["params"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_beyond_the_burst_wait_whichever_door_they_come_through() {
    let clock = Arc::new(Hands::default());
    let rates = Rates { events: burst(5), requests: None };
    let rig = Rig::made(Wishes { rates, clock: Some(Arc::clone(&clock)), ..Wishes::default() });
    let token = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let five = "{\"event_type\":\"a.b\"}\n".repeat(5);
    let events = "/api/v1/logs/main/events";
    assert_eq!(rig.post(&token, events, five.clone()).await.status, StatusCode::OK);
    let refused = rig.post(&token, events, five.clone()).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json()["code"], "rate_limited");
    let seconds: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=6).contains(&seconds), "{seconds}");
    let spans = otlp::export(3);
    let http = request("POST", "/v1/traces", &token)
        .header(header::CONTENT_TYPE, "application/x-protobuf");
    let answer = rig.send(http.body(Body::from(spans.clone())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let answer = otlp::grpc(&rig, &token, otlp::framed(&spans, false), "identity").await;
    assert_eq!(answer.headers["grpc-status"], "8", "{answer:?}");
    let details = answer.headers["grpc-status-details-bin"].as_bytes();
    let details = base64::Engine::decode(&base64::prelude::BASE64_STANDARD_NO_PAD, details);
    let details = details.unwrap();
    assert!(String::from_utf8_lossy(&details).contains("type.googleapis.com/google.rpc.RetryInfo"));
    // Somebody else is not concerned.
    let other = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    assert_eq!(rig.post(&other, events, five).await.status, StatusCode::OK);
    let metrics = rig.get(&rig.admin(), "/metrics").await;
    let metrics = String::from_utf8(metrics.bytes).unwrap();
    assert!(!metrics.contains("tacho_rate_limited_total{of=\"events\"} 0"), "{metrics}");

    // Added up for a while, and then recorded once.
    assert_eq!(gaps(&rig).await.len(), 0);
    clock.0.store(11_000, std::sync::atomic::Ordering::Relaxed);
    let tend = || {
        let logs = Arc::clone(rig.app.logs());
        tokio::task::spawn_blocking(move || logs.tend())
    };
    // It is done aside, and once.
    let all_gaps = async || loop {
        tend().await.unwrap();
        let all = gaps(&rig).await;
        if !all.is_empty() {
            break all;
        }
    };
    let patience = std::time::Duration::from_secs(60);
    let gaps = tokio::time::timeout(patience, all_gaps()).await.unwrap();
    assert_eq!((gaps.len(), &gaps[0]["reason"]), (1, &"rate_limited".into()), "{gaps:?}");
    assert_eq!(gaps[0]["requests_refused"], 3);
    assert!(gaps[0]["callers"][0]["caller"].as_str().unwrap().contains("somebody#"));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_burst_are_refused_before_anything_is_recorded_of_them() {
    let rates = Rates { requests: burst(3), events: None };
    let rig = Rig::made(Wishes { rates, ..Wishes::default() });
    let token = rig.token(Role::PRODUCER, LogNames::only(["main"]));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(rig.get(&token, "/api/v1/logs/main/events").await.status.as_u16());
    }
    assert_eq!(statuses, [403, 403, 403, 429, 429, 429]);
    assert_eq!(rig.get("", "/healthz").await.status, StatusCode::OK);
    let denied = rig.types("main").await.into_iter().filter(|it| it == "log.denied").count();
    assert_eq!(denied, 3);
}
