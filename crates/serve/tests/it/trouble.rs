//! When the disk fails, or is full.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_before_it_is_full_and_the_log_still_records() {
    // More than any disk has.
    let rig = Rig::with(u64::MAX);
    let token = rig.admin();
    let answer = rig.post(&token, "/api/v1/logs/main/events", r#"{"event_type":"a.b"}"#).await;
    assert_eq!(answer.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(answer.json()["code"], "disk_full");
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Reading goes on, and is recorded.
    assert_eq!(rig.get(&token, "/api/v1/logs/main/events").await.status, StatusCode::OK);
    let types = rig.types("main").await;
    assert!(types.iter().any(|it| it == "log.access") && !types.iter().any(|it| it == "a.b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_logs_in_good_order() {
    let rig = Rig::new();
    let token = rig.admin();
    rig.post(&token, "/api/v1/logs/main/events", r#"{"event_type":"a.b"}"#).await;
    let logs = Arc::clone(rig.app.logs());
    tokio::task::spawn_blocking(move || logs.close()).await.unwrap();
    let answer = rig.post(&token, "/api/v1/logs/main/events", r#"{"event_type":"a.b"}"#).await;
    assert_eq!(answer.json()["code"], "stopping");
    let folder = rig.app.logs().get("main").unwrap().folder().clone();
    let view = reading::View::open(folder, &kek()).unwrap();
    let newest = view.page(
        &query::Filter { limit: Some(1), newest_first: true, ..Default::default() },
        None,
        &(),
    );
    let newest = newest.unwrap().found;
    assert_eq!(newest[0].event().unwrap().event_type, "log.stopped");
}
