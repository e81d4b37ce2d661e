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

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_write_failed_is_opened_again_and_has_what_it_acknowledged() {
    let rig = Rig::new();
    let token = rig.admin();
    let events = "/api/v1/logs/main/events";
    let send = async |id: &str| {
        let body = format!("{{\"event_id\":\"{id}\",\"event_type\":\"a.b\"}}");
        rig.post(&token, events, body).await
    };
    assert_eq!(send("before").await.status, StatusCode::OK);
    rig.types("main").await;
    // Nothing can be put in the place of a folder that is not empty, so the next checkpoint fails.
    let log = rig.app.logs().get("main").unwrap();
    let path = log.folder().path.join("checkpoint");
    let note = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir_all(path.join("full")).unwrap();
    let mut acknowledged = vec!["before".to_owned()];
    let refused = loop {
        assert!(acknowledged.len() < 1_000, "the failure was never noticed");
        let id = format!("e{}", acknowledged.len());
        let answer = send(&id).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        acknowledged.push(id);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (503, &"log_down".into()));
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let tend = async || {
        let logs = Arc::clone(rig.app.logs());
        tokio::task::spawn_blocking(move || logs.tend()).await.unwrap();
    };
    tend().await;
    assert!(log.trouble().is_some(), "it cannot be opened as it is");
    assert_eq!(send("meanwhile").await.status, StatusCode::SERVICE_UNAVAILABLE);

    std::fs::remove_dir_all(&path).unwrap();
    std::fs::write(&path, note).unwrap();
    for _ in 0..200 {
        tend().await;
        if log.trouble().is_none() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(log.trouble(), None);
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::OK);
    for id in acknowledged {
        assert_eq!(send(&id).await.json()["duplicates"], 1, "{id}");
    }
    assert_eq!(send("after").await.json()["accepted"], 1);
    let types = rig.types("main").await;
    assert_eq!(types.iter().filter(|it| *it == "log.gap").count(), 1, "{types:?}");
    assert_eq!(types.iter().filter(|it| *it == "log.started").count(), 2, "{types:?}");
}
