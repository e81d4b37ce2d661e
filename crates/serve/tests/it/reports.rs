//! Reports over HTTP: the same numbers as the command's, and nothing that the caller may not see.

use super::*;

const REPORTS: &str = "/api/v1/logs/main/reports";

async fn with_events(rig: &Rig) -> String {
    let token = rig.admin();
    let body = r#"{"event_type":"agent.tool_call","agent_name":"A","tool":"lookup","error_type":"TimeoutError","error":"canary-word"}
{"event_type":"agent.tool_call","agent_name":"A","tool":"lookup","timestamp":"2026-03-01T10:00:00Z","outcome":"success"}"#;
    rig.post(&token, "/api/v1/logs/main/events?ack=published", body).await;
    token
}

async fn text(rig: &Rig, token: &str, path: &str) -> String {
    let answer = rig.get(token, &format!("{REPORTS}/{path}")).await;
    let text = String::from_utf8(answer.bytes).unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{path}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_is_made_in_every_format_and_looks_at_content_are_recorded() {
    let rig = Rig::new();
    let token = with_events(&rig).await;
    for name in ["summary", "tool-usage", "error-analysis", "cost", "agents", "daily"] {
        let value = rig.get(&token, &format!("{REPORTS}/{name}")).await.json();
        assert_eq!(value["report"], name);
        assert!(value["checkpoint"]["size"].as_u64().unwrap() >= 2, "{value}");
        assert!(text(&rig, &token, &format!("{name}?format=md")).await.starts_with("# "));
        let page = text(&rig, &token, &format!("{name}?format=html")).await;
        assert!(page.starts_with("<!doctype html>"));
        text(&rig, &token, &format!("{name}?format=csv")).await;
    }
    let of_day = "summary?from=2026-03-01&to=2026-03-02";
    let value = rig.get(&token, &format!("{REPORTS}/{of_day}")).await.json();
    assert_eq!(value["total_events"], 1);
    rig.types("main").await;
    let path = "/api/v1/logs/main/events?type=log.access&order=oldest&limit=100";
    let records = rig.get(&token, path).await.json()["events"].clone();
    let questions = records.as_array().unwrap().iter();
    let questions = questions.map(|it| it["content"]["params"]["question"].clone());
    let asked: Vec<_> = questions.filter(|it| it.get("report").is_some()).collect();
    assert_eq!(asked.len(), 6 * 4 + 1, "{records}");
    assert_eq!(asked[24]["from"], "2026-03-01T00:00:00.000000000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_brings_the_policy_that_it_needs() {
    let rig = Rig::new();
    let token = with_events(&rig).await;
    let request = request("GET", &format!("{REPORTS}/daily?format=html"), &token);
    let response = rig.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&page).contains(&policy));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_not_see_is_in_no_report() {
    let counter = Role::new("counter").unwrap();
    let roles = vec![counter.clone()];
    let policies = r#"
        permit (principal in Role::"counter", action == Action::"ReadMetadata", resource);
    "#;
    let rig = Rig::made(Wishes { policies, roles, ..Wishes::default() });
    let admin = with_events(&rig).await;
    let token = rig.token(counter, LogNames::only(["main"]));
    assert!(text(&rig, &admin, "error-analysis").await.contains("canary-word"));
    for format in ["json", "md", "html", "csv", "text"] {
        let path = format!("error-analysis?format={format}");
        assert!(!text(&rig, &token, &path).await.contains("canary-word"), "{format}");
    }
    let asked = rig.get(&token, &format!("{REPORTS}/summary?content=1")).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    rig.types("main").await;
    let own = |value: Value| value["records"]["of_the_log_itself"].as_u64().unwrap();
    let seen = own(rig.get(&token, &format!("{REPORTS}/summary")).await.json());
    let all = own(rig.get(&admin, &format!("{REPORTS}/summary")).await.json());
    assert!(seen < all, "{seen} of {all}");
    let other = rig.get(&token, "/api/v1/logs/other/reports/summary").await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let rig = Rig::new();
    let token = with_events(&rig).await;
    for (path, status, code) in [
        ("nothing", 404, "not_found"),
        ("summary?format=xml", 400, "bad_parameter"),
        ("summary?from=yesterday", 400, "bad_parameter"),
        ("summary?from=2026-03-02&to=2026-03-01", 400, "bad_parameter"),
        ("summary?format=csv&table=nothing", 400, "bad_parameter"),
        ("summary?agent=A", 400, "unknown_parameter"),
    ] {
        let answer = rig.get(&token, &format!("{REPORTS}/{path}")).await;
        let told = (answer.status.as_u16(), answer.json()["code"].clone());
        assert_eq!(told, (status, code.into()), "{path}");
    }
}
