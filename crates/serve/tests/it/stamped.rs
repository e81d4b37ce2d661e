//! A time-stamping authority that does not answer as it should: nothing is kept of that, the log
//! goes on, and it is told. What one that answers gives is in `cli/tests/it/anchors.rs`.

use super::*;
use anchor::Authorities;
use serve::anchor::{Anchoring, Authority, Rules};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const EVENTS: &str = "/api/v1/logs/main/events";
const EVENT: &str = "{\"event_type\":\"agent.tool_call\",\"tool\":\"lookup\"}";

fn testdata(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/anchor");
    std::fs::read(folder.join(name)).unwrap()
}

/// Whoever answers every request with the same bytes; its address.
async fn answering(status: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let _ = stream.read(&mut asked).await;
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    });
    url
}

fn authority(url: &str, allow_private: bool) -> Result<Authority, String> {
    let authorities = Authorities::from_pem(&testdata("authority.pem")).unwrap();
    let (label, timeout) = ("tsa".parse().unwrap(), Duration::from_secs(5));
    Authority::new(label, url, authorities, timeout, allow_private)
        .map_err(|error| error.to_string())
}

/// A server in the data folder of `rig`, whose logs are stamped, as if it ran; what is told.
fn stamping(rig: Rig, authority: Authority, interval: Duration) -> (Rig, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let heard = Arc::clone(&heard);
        Box::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()))
    };
    let rules = Rules { authority, interval, logs: vec!["main".to_owned()], tell };
    let app = rig.app.clone().with_anchors(Anchoring::new(rules));
    let serving = app.clone();
    tokio::spawn(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        serve::serve(serving, listener, None, std::future::pending()).await
    });
    (Rig { router: routes::router(app.clone()), app, folder: rig.folder }, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_count_is_not_kept_and_the_log_goes_on() {
    for (status, body, said) in [
        ("200 OK", testdata("rsa-sha256.tsr"), "nonce"),
        ("200 OK", b"<html>".to_vec(), "RFC 3161"),
        ("503 Unavailable", Vec::new(), "status 503"),
        ("302 Found", Vec::new(), "status 302"),
        ("200 OK", vec![0x30; 100_000], "does not count|limit|large"),
    ] {
        let url = answering(status, body).await;
        let stamper = authority(&url, true).unwrap();
        let stamped = tokio::task::spawn_blocking(move || stamper.stamp(b"note", 7).map(drop));
        let told = stamped.await.unwrap().unwrap_err().to_string();
        assert!(said.split('|').any(|it| told.contains(it)), "{status}: {told}");
    }
    let authority = authority(&answering("503 Unavailable", Vec::new()).await, true).unwrap();
    let (rig, heard) = stamping(Rig::new(), authority, Duration::from_secs(3_600));
    let token = rig.admin();
    let end = Instant::now() + Duration::from_secs(60);
    while heard.lock().unwrap().is_empty() {
        assert!(Instant::now() < end, "nothing was told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = heard.lock().unwrap().join("\n");
    assert!(said.contains("log \"main\" is not stamped, and goes on"), "{said}");
    let answer = rig.post(&token, EVENTS, EVENT).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let metrics = rig.get(&token, "/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert!(metrics.contains("tacho_anchor_failing{log=\"main\"} 1"), "{metrics}");
    let health = rig.get(&token, "/api/v1/logs/main").await.json();
    assert_eq!(health["stamps"]["size"], 0);
    assert!(health["stamps"]["trouble"].as_str().unwrap().contains("503"), "{health}");
    let main = rig.app.logs().get("main").unwrap();
    assert_eq!(main.folder().folder.list("anchors").unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stamped_before_counts_after_a_start_unless_the_log_is_shorter() {
    let rig = Rig::new();
    let token = rig.admin();
    for _ in 0..4 {
        let answer = rig.post(&token, &format!("{EVENTS}?ack=published"), EVENT).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let folder = rig.app.logs().get("main").unwrap().folder().folder.clone();
    for size in ["00000000000000000004", "00000000000004000000"] {
        folder.write(&format!("anchors/{size}.checkpoint"), &testdata("checkpoint")).unwrap();
        folder.write(&format!("anchors/{size}.tsa.tsr"), &testdata("rsa-sha256.tsr")).unwrap();
    }
    let authority = authority(&answering("503 Unavailable", Vec::new()).await, true).unwrap();
    // Longer than that stamp will be old.
    let (rig, heard) = stamping(rig, authority, Duration::from_secs(200 * 365 * 86_400));
    let end = Instant::now() + Duration::from_secs(60);
    let stamps = loop {
        let health = rig.get(&token, "/api/v1/logs/main").await.json();
        if health["stamps"]["size"].is_u64() {
            break health["stamps"].clone();
        }
        assert!(Instant::now() < end, "{health}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(stamps["size"], 4, "{stamps}");
    assert!(stamps["time"].as_str().unwrap().starts_with("20"), "{stamps}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new());
    let other = rig.get(&token, "/api/v1/logs/other").await.json();
    assert!(other["stamps"].is_null(), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_are_shown_by_their_names_and_nothing_else_in_their_folder() {
    let rig = Rig::new();
    let health = rig.get(&rig.admin(), "/api/v1/logs/other").await.json();
    assert!(health["stamps"].is_null(), "{health}");
    let log = rig.app.logs().get("other").unwrap();
    let anchors = log.folder().path.join("anchors");
    assert_eq!(rig.get("", "/log/other/anchors").await.json()["anchors"], serde_json::json!([]));
    std::fs::create_dir_all(anchors.join("more")).unwrap();
    let names = ["00000000000000000007.checkpoint", "00000000000000000007.tsa.tsr"];
    for name in names.iter().chain(&["note", "more/00000000000000000007.checkpoint"]) {
        std::fs::write(anchors.join(name), name).unwrap();
    }
    // Anybody: its tree is public.
    let listed = rig.get("", "/log/other/anchors").await.json();
    assert_eq!(listed["anchors"], serde_json::json!(names));
    for name in names {
        let answer = rig.get("", &format!("/log/other/anchors/{name}")).await;
        assert_eq!(answer.bytes, name.as_bytes());
    }
    for bad in ["note", "..%2Flog.json", "00000000000000000008.checkpoint"] {
        let answer = rig.get("", &format!("/log/other/anchors/{bad}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{bad}");
    }
    assert_eq!(rig.get("", "/log/main/anchors").await.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn an_authority_is_not_asked_in_a_network_that_is_not_everybodys_unless_that_is_said() {
    for url in ["http://tsa.example.org/", "ftp://x/", "https://u:p@x/", "x"] {
        assert!(authority(url, false).is_err(), "{url}");
    }
    let inside = authority("https://127.0.0.1:1/", false).unwrap();
    let told = inside.stamp(b"note", 7).map(drop).unwrap_err().to_string();
    assert!(told.contains("not on the public internet"), "{told}");
}
