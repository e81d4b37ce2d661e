//! When the disk fails, or is full.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// A log that failed.
struct Failed {
    log: Arc<serve::OpenLog>,
    /// Where its checkpoint was, and what it said.
    path: std::path::PathBuf,
    note: Vec<u8>,
    /// The ids of what it took until then, and how it refused the next.
    acknowledged: Vec<String>,
    refused: Answer,
}

impl Failed {
    /// Lets a log fail: nothing can be put in the place of a folder that is not empty, so its next
    /// checkpoint is none.
    async fn make(rig: &Rig, token: &str, name: &str) -> Self {
        let mut acknowledged = vec!["before".to_owned()];
        assert_eq!(send(rig, token, name, "before").await.status, StatusCode::OK);
        rig.types(name).await;
        let log = rig.app.logs().get(name).unwrap();
        let path = log.folder().path.join("checkpoint");
        let note = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir_all(path.join("full")).unwrap();
        let refused = loop {
            assert!(acknowledged.len() < 1_000, "the failure was never noticed");
            let id = format!("e{}", acknowledged.len());
            let answer = send(rig, token, name, &id).await;
            if answer.status != StatusCode::OK {
                break answer;
            }
            acknowledged.push(id);
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        Self { log, path, note, acknowledged, refused }
    }

    /// Puts all back as it was.
    fn mend(&self) {
        std::fs::remove_dir_all(&self.path).unwrap();
        std::fs::write(&self.path, &self.note).unwrap();
    }

    async fn is_up_again(&self) {
        for _ in 0..400 {
            if self.log.trouble().is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{}: {:?}", self.log.name(), self.log.trouble());
    }
}

async fn send(rig: &Rig, token: &str, log: &str, id: &str) -> Answer {
    let body = format!("{{\"event_id\":\"{id}\",\"event_type\":\"a.b\"}}");
    rig.post(token, &format!("/api/v1/logs/{log}/events"), body).await
}

/// Tends the logs of a server until it is dropped, on a thread that nobody waits for.
struct Tending(Arc<AtomicBool>);

impl Tending {
    fn begin(rig: &Rig) -> Self {
        let (logs, is_over) = (Arc::clone(rig.app.logs()), Arc::new(AtomicBool::new(false)));
        let tending = Self(Arc::clone(&is_over));
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                logs.tend();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        tending
    }
}

impl Drop for Tending {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_write_failed_is_opened_again_and_has_what_it_acknowledged() {
    let rig = Rig::new();
    let token = rig.admin();
    let failed = Failed::make(&rig, &token, "main").await;
    let refused = &failed.refused;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (503, &"log_down".into()));
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let before = failed.log.trouble();
    let tending = Tending::begin(&rig);
    let is_tried = async || {
        while failed.log.trouble() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_tried()).await.unwrap();
    let answer = send(&rig, &token, "main", "meanwhile").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "it cannot be opened as it is");

    failed.mend();
    failed.is_up_again().await;
    assert_eq!(rig.get("", "/readyz").await.status, StatusCode::OK);
    for id in &failed.acknowledged {
        assert_eq!(send(&rig, &token, "main", id).await.json()["duplicates"], 1, "{id}");
    }
    assert_eq!(send(&rig, &token, "main", "after").await.json()["accepted"], 1);
    let types = loop {
        let types = rig.types("main").await;
        if types.iter().any(|it| it == "log.gap") {
            break types;
        }
    };
    drop(tending);
    assert_eq!(types.iter().filter(|it| *it == "log.gap").count(), 1, "{types:?}");
    assert_eq!(types.iter().filter(|it| *it == "log.started").count(), 2, "{types:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_takes_long_to_open_again_keeps_no_other_one_waiting() {
    let rig = Rig::new();
    let token = rig.admin();
    let main = Failed::make(&rig, &token, "main").await;
    let other = Failed::make(&rig, &token, "other").await;
    // Whoever reads a pipe waits for somebody who writes to it.
    std::fs::remove_dir_all(&main.path).unwrap();
    let (kind, mode) =
        (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR.union(rustix::fs::Mode::WUSR));
    rustix::fs::mknodat(rustix::fs::CWD, &main.path, kind, mode, 0).unwrap();
    other.mend();
    let _tending = Tending::begin(&rig);
    other.is_up_again().await;
    assert!(main.log.trouble().is_some());
    assert_eq!(send(&rig, &token, "other", "after").await.status, StatusCode::OK);
    // Who reads it is there, and finds nothing in it; the next one finds what was there before.
    let pipe = std::fs::OpenOptions::new().write(true).open(&main.path).unwrap();
    std::fs::remove_file(&main.path).unwrap();
    std::fs::write(&main.path, &main.note).unwrap();
    drop(pipe);
    main.is_up_again().await;
    assert_eq!(send(&rig, &token, "main", "before").await.json()["duplicates"], 1);
}
