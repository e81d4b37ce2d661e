//! The dashboard's figures: of the minutes that were asked for, and no content for those who may
//! not see it.

use super::*;

const PATH: &str = "/api/v1/logs/main/dashboard";

/// A line of an event that happened so many minutes before now.
fn event(now_ms: u64, minutes_ago: u64, rest: &str) -> String {
    let at = (now_ms - minutes_ago * 60_000) as f64 / 1000.0;
    format!(r#"{{"event_type":"agent.tool_call","timestamp":{at:.3},{rest}}}"#)
}

async fn fill(rig: &Rig) {
    let now = rig.app.logs().now_ms();
    let failed = r#""agent_name":"A","tool":"search","trace_id":"t1","error_type":"TimeoutError","error":"canary-word""#;
    let fine = r#""agent_name":"B","tool":"read","action":"tool_call:read","outcome":"success""#;
    let spent = r#""agent_name":"B","tokens":{"total":70},"cost":{"amount":0.25,"currency":"USD"}"#;
    let lines = [
        event(now, 2, failed),
        event(now, 1, fine),
        event(now, 30, fine),
        event(now, 90, failed),
        event(now, 5, spent),
        event(now, 3 * 24 * 60, fine),
    ];
    let answer =
        rig.post(&rig.admin(), "/api/v1/logs/main/events?ack=published", lines.join("\n")).await;
    assert_eq!(answer.json()["accepted"], 6, "{}", answer.json());
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_of_the_minutes_that_were_asked_for() {
    let rig = Rig::new();
    fill(&rig).await;
    let token = rig.admin();
    let hour = rig.get(&token, PATH).await.json();
    let expected = serde_json::json!({
        "period_minutes": 60, "total_events": 4, "agents_active": 2, "total_errors": 1,
        "error_rate": 0.25, "errors_last_hour": 1, "total_tokens": 70,
        "costs": { "USD": "0.25" },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&hour[name], value, "{name} of {hour}");
    }
    let rate = hour["events_per_second"].as_f64().unwrap();
    assert!((rate - 4.0 / 3600.0).abs() < 1e-9, "{rate}");
    let steps = hour["timeline"].as_array().unwrap();
    let sum = |name: &str| steps.iter().map(|step| step[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((steps.len(), sum("events"), sum("errors")), (60, 4, 1));
    assert_eq!(hour["top_agents"][0], serde_json::json!({"agent":"B","events":3,"errors":0}));
    assert_eq!(hour["recent_errors"].as_array().unwrap().len(), 1);
    assert_eq!(hour["recent_errors"][0]["error"], "canary-word");
    assert_eq!(hour["recent_errors"][0]["trace_id"], "t1");
    let newest: Vec<_> = hour["live_feed"].as_array().unwrap().iter().collect();
    assert_eq!(newest.len(), 4);
    assert_eq!((&newest[0]["type"], &newest[0]["has_error"]), (&"tool_call".into(), &false.into()));
    assert!(newest.iter().any(|it| it["event"] == "tool_call:read"), "{hour}");

    let fine = rig.get(&token, &format!("{PATH}?steps=720")).await.json();
    let steps = fine["timeline"].as_array().unwrap();
    let events = steps.iter().map(|step| step["events"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((steps.len(), events), (720, 4));
    assert_eq!(rig.get(&token, &format!("{PATH}?steps=0")).await.status, StatusCode::BAD_REQUEST);

    let day = rig.get(&token, &format!("{PATH}?minutes=1440")).await.json();
    assert_eq!((&day["total_events"], &day["total_errors"]), (&5.into(), &2.into()));
    assert_eq!(day["errors_last_hour"], 1, "of the last hour, whatever the period");
    let minute = rig.get(&token, &format!("{PATH}?minutes=1")).await.json();
    assert_eq!(minute["timeline"].as_array().unwrap().len(), 1);
    for wrong in ["minutes=0", "minutes=10081", "minutes=x", "minute=1"] {
        let answer = rig.get(&token, &format!("{PATH}?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_errors_are_content_and_a_look_at_them_is_recorded() {
    let rig = Rig::new();
    fill(&rig).await;
    let reader = rig.token(Role::READER, LogNames::only(["main"]));
    let seen = rig.get(&reader, PATH).await;
    assert!(!String::from_utf8_lossy(&seen.bytes).contains("canary-word"));
    assert_eq!(seen.json()["recent_errors"][0]["error_type"], "TimeoutError");
    let of_access = |types: Vec<String>| types.iter().filter(|it| *it == "log.access").count();
    let before = of_access(rig.types("main").await);
    let analyst = rig.token(Role::ANALYST, LogNames::only(["main"]));
    let seen = rig.get(&analyst, PATH).await;
    assert!(String::from_utf8_lossy(&seen.bytes).contains("canary-word"));
    // One is of asking for the types just now.
    assert_eq!(of_access(rig.types("main").await), before + 2);
    let without = rig.get(&analyst, &format!("{PATH}?content=0")).await;
    assert!(!String::from_utf8_lossy(&without.bytes).contains("canary-word"));
    assert_eq!(of_access(rig.types("main").await), before + 3, "only asking for the types");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_a_dashboard_of_zeros() {
    let rig = Rig::new();
    let empty = rig.get(&rig.admin(), PATH).await.json();
    assert_eq!((&empty["total_events"], &empty["error_rate"]), (&0.into(), &0.0.into()));
    assert!(empty["recent_errors"].as_array().unwrap().is_empty());
}
