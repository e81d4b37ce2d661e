//! `tacho detect`, `tacho alerts` and a server that detects: hits with their events, and alerts
//! that arrive once, whatever is killed and started again.

use crate::program::Home;
use crate::served::{PATIENCE, Served};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// So long nothing more is waited for.
pub(crate) const QUIET: Duration = Duration::from_secs(3);

/// What a receiver was sent.
#[derive(Debug)]
struct Post {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Post {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether the signature is that of this key.
    fn is_signed_by(&self, key: &[u8]) -> bool {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let tag = BASE64_STANDARD.decode(self.signature.strip_prefix("v1,").unwrap()).unwrap();
        aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
    }
}

/// A receiver of webhooks, which answers the first requests by these lines and others by 204.
fn receiver(answers: &'static [&'static str]) -> (SocketAddr, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, posts) = channel();
    std::thread::spawn(move || {
        let mut answers = answers.iter();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut post = Post {
                id: String::new(),
                timestamp: String::new(),
                signature: String::new(),
                body: String::new(),
            };
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let (name, value) = line.split_once(':').unwrap_or_default();
                let value = value.trim().to_owned();
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "webhook-id" => post.id = value,
                    "webhook-timestamp" => post.timestamp = value,
                    "webhook-signature" => post.signature = value,
                    _ => {}
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            post.body = String::from_utf8(body).unwrap();
            let answer = answers.next().copied().unwrap_or("204 No Content");
            let head =
                format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = reader.get_mut().write_all(head.as_bytes());
            if sender.send(post).is_err() {
                return;
            }
        }
    });
    (address, posts)
}

/// A run in which a tool is denied and then used.
pub(crate) fn denied_then_done(run: &str) -> String {
    let events = [
        json!({"event_id": format!("{run}-1"), "event_type": "agent.tool_call", "agent_name": "Billing",
            "trace_id": run, "tool": "refund", "outcome": "denied", "params": {"note": "between us"}}),
        json!({"event_id": format!("{run}-2"), "event_type": "agent.tool_call", "agent_name": "Billing",
            "trace_id": run, "tool": "refund", "outcome": "success", "params": {"note": "between us"}}),
    ];
    events.map(|event| format!("{event}\n")).concat()
}

pub(crate) fn append(home: &Home, lines: &str) {
    let ran = home.feed(&["append"], lines.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
}

/// The alerts in the log, oldest first.
pub(crate) fn alerts(home: &Home) -> Vec<Value> {
    let arguments = ["events", "--type", "agent.security", "--oldest-first", "--format", "json"];
    let ran = home.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    answer["events"].as_array().unwrap().clone()
}

/// The index of the only alert in the log.
pub(crate) fn post_index(home: &Home) -> u64 {
    let begun = std::time::Instant::now();
    loop {
        if let [alert] = alerts(home).as_slice() {
            return alert["index"].as_u64().unwrap();
        }
        assert!(begun.elapsed() < PATIENCE, "the alert is not published");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the server has noted that the sink was told.
pub(crate) fn wait_until_told(home: &Home, index: u64) {
    let mut logs = std::fs::read_dir(home.path("tachograph-data")).unwrap().flatten();
    let log = logs.find(|entry| entry.path().is_dir()).unwrap();
    let path = log.path().join("cache/detect.json");
    let begun = std::time::Instant::now();
    loop {
        let place: Value = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        if place["sinks"]["ops"].as_u64().is_some_and(|told| told > index) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{}: {place}", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

const KEY: [u8; 24] = [9; 24];

fn configure(home: &Home, sink: &str) -> String {
    let secret = home.write("secret", format!("whsec_{}\n", BASE64_STANDARD.encode(KEY)));
    let text =
        format!("[detect]\n[[detect.sinks]]\nname = \"ops\"\nsecret_file = {secret:?}\n{sink}\n");
    home.write("tachograph.toml", text).to_str().unwrap().to_owned()
}

#[test]
fn an_alert_arrives_once_whatever_is_killed_and_started_again() {
    let (address, posts) = receiver(&[]);
    let home = Home::new();
    let hook = format!("kind = \"webhook\"\nurl = \"http://{address}/hook\"\nallow_private = true");
    let config = configure(&home, &hook);
    let options = ["--listen", "127.0.0.1:0", "--config", &config];
    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-a"));
    let post = posts.recv_timeout(PATIENCE).unwrap();
    assert!(post.is_signed_by(&KEY) && !post.is_signed_by(&[8; 24]));
    let said = post.json();
    assert_eq!(
        (&said["type"], &said["data"]["rule"]),
        (&"tachograph.alert".into(), &"denied-then-done".into())
    );
    assert_eq!(said["data"]["event_id"], "run-a-2");
    assert!(!post.body.contains("between us"), "content stays in the log: {}", post.body);
    // A kill between an answer and its note is told again by the same id, so the note comes first.
    wait_until_told(&home, post_index(&home));
    served.kill();

    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-a"));
    append(&home, &denied_then_done("run-b"));
    let other = posts.recv_timeout(PATIENCE).unwrap();
    assert_eq!(other.json()["data"]["event_id"], "run-b-2");
    served.stop();
    for _ in 0..2 {
        let served = Served::with(&home, &options);
        assert!(posts.recv_timeout(QUIET).is_err(), "nothing is told twice");
        served.stop();
    }
    let alerts = alerts(&home);
    let ids: Vec<&str> = alerts.iter().map(|it| it["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [post.id.as_str(), other.id.as_str()]);
    assert_eq!(alerts[0]["principal"]["subject"], "server");
    assert_eq!(alerts[0]["caused_by"], json!(["run-a-2"]));
}

#[test]
fn what_a_sink_did_not_take_is_told_again_and_a_redirect_is_not_followed() {
    let (elsewhere, nothing) = receiver(&[]);
    let (address, posts) = receiver(&["500 Oh no", "302 Found\r\nlocation: http://127.0.0.1:1/"]);
    let home = Home::new();
    let hook = format!("kind = \"webhook\"\nurl = \"http://{address}/\"\nallow_private = true");
    let config = configure(&home, &hook);
    let served = Served::with(&home, &["--listen", "127.0.0.1:0", "--config", &config]);
    append(&home, &denied_then_done("run-a"));
    let ids: Vec<String> = (0..3).map(|_| posts.recv_timeout(PATIENCE).unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(posts.recv_timeout(QUIET).is_err());
    assert!(nothing.try_recv().is_err(), "{elsewhere}");
    served.stop();
}

#[test]
fn a_sink_that_cannot_be_told_is_told_after_the_next_start_or_recorded() {
    let (address, posts) = receiver(&["410 Gone"]);
    let home = Home::new();
    let hook = format!("kind = \"webhook\"\nurl = \"http://{address}/\"\nallow_private = true");
    let config = configure(&home, &hook);
    let options = ["--listen", "127.0.0.1:0", "--config", &config];
    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-a"));
    posts.recv_timeout(PATIENCE).unwrap();
    let undelivered = |home: &Home| {
        let actions = alerts(home).into_iter().map(|it| it["action"].as_str().unwrap().to_owned());
        actions.filter(|action| action == "alert:undelivered").count()
    };
    let begun = std::time::Instant::now();
    while undelivered(&home) == 0 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    served.stop();
    // Nobody listens there now, and somebody does after the next start.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = silent.local_addr().unwrap();
    drop(silent);
    let hook = format!("kind = \"webhook\"\nurl = \"http://{dead}/\"\nallow_private = true");
    configure(&home, &hook);
    let served = Served::with(&home, &options);
    append(&home, &denied_then_done("run-b"));
    while alerts(&home).len() < 3 {
        std::thread::sleep(Duration::from_millis(100));
    }
    served.stop();
    let (address, posts) = receiver(&[]);
    let hook = format!("kind = \"webhook\"\nurl = \"http://{address}/\"\nallow_private = true");
    configure(&home, &hook);
    let served = Served::with(&home, &options);
    assert_eq!(posts.recv_timeout(PATIENCE).unwrap().json()["data"]["event_id"], "run-b-2");
    assert!(posts.recv_timeout(QUIET).is_err());
    served.stop();
    assert_eq!(undelivered(&home), 1);
}

#[test]
fn the_test_says_which_sinks_take_alerts_and_private_addresses_are_refused() {
    let (address, posts) = receiver(&[]);
    let syslog = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let secret = home.write("secret", "abc123");
    let text = format!(
        "[[detect.sinks]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"http://{address}/\"\nallow_private = true\n\
         [[detect.sinks]]\nname = \"pager\"\nkind = \"pagerduty\"\nurl = \"http://{address}/\"\nallow_private = true\nsecret_file = {secret:?}\n\
         [[detect.sinks]]\nname = \"syslog\"\nkind = \"syslog\"\naddress = \"{}\"\ntls = false\nallow_private = true\n\
         [[detect.sinks]]\nname = \"inside\"\nkind = \"webhook\"\nurl = \"https://localhost:{}/\"\n",
        syslog.local_addr().unwrap(),
        address.port(),
    );
    let config = home.write("tachograph.toml", text);
    let ran =
        home.run(&["alerts", "test", "--config", config.to_str().unwrap(), "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let results: Value = serde_json::from_str(&ran.out).unwrap();
    let taken: Vec<bool> =
        results.as_array().unwrap().iter().map(|it| it["taken"].as_bool().unwrap()).collect();
    assert_eq!(taken, [true, true, true, false], "{results}");
    assert!(results[3]["why"].as_str().unwrap().contains("allow_private"), "{results}");
    let (hook, pager) =
        (posts.recv_timeout(PATIENCE).unwrap(), posts.recv_timeout(PATIENCE).unwrap());
    assert_eq!(hook.json()["data"]["rule"], "test");
    let pager = pager.json();
    assert_eq!(
        (&pager["routing_key"], &pager["event_action"]),
        (&"abc123".into(), &"trigger".into())
    );
    assert!(posts.try_recv().is_err());
    let mut line = String::new();
    syslog.accept().unwrap().0.read_to_string(&mut line).unwrap();
    let (length, message) = line.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), message.len());
    assert!(message.starts_with("<110>1 ") && message.contains("rule=\"test\""), "{message}");
    let none = home.run(&["alerts", "test", "--config", config.to_str().unwrap(), "--sink", "x"]);
    assert_eq!(none.code, 2, "{}", none.err);
}

#[test]
fn history_is_searched_and_the_exit_code_says_whether_something_was_found() {
    let home = Home::new();
    home.run(&["init"]);
    append(&home, "{\"event_type\":\"agent.invocation\",\"trace_id\":\"t\"}\n");
    let ran = home.run(&["detect"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("0 incidents in"), "{}", ran.out);
    append(&home, &denied_then_done("run-a"));
    let ran = home.run(&["detect", "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let hit = &answer["hits"][0];
    assert_eq!((&hit["name"], &hit["event_id"]), (&"denied-then-done".into(), &"run-a-2".into()));
    assert_eq!(hit["group"], json!([["run", "run-a"], ["tool", "refund"]]));
    assert!(answer["checkpoint"]["size"].as_u64().unwrap() >= 3);
    let text = home.run(&["detect"]);
    assert!(
        text.out.contains("denied-then-done") && text.out.contains("(run-a-2)"),
        "{}",
        text.out
    );
    let lines = home.run(&["detect", "--format", "ndjson"]);
    assert_eq!(lines.out.lines().count(), 1);
    assert_eq!(home.run(&["detect", "--without", "denied-then-done"]).code, 0);

    let rule = "title: A refund\nid: refund\nlogsource: { product: tachograph }\ndetection:\n  s: { tool: refund }\n  condition: s\n";
    let rule = home.write("mine.yml", rule);
    let ran =
        home.run(&["detect", "--rule", rule.to_str().unwrap(), "--only", "--format", "ndjson"]);
    assert_eq!((ran.code, ran.out.lines().count()), (1, 2), "{}", ran.err);
    let wrong = home.write("wrong.yml", "title: x\nid: x\nlogsource: { product: windows }\ndetection: { s: { tool: x }, condition: s }\n");
    let ran = home.run(&["detect", "--rule", wrong.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("wrong.yml:3: ") && ran.err.contains("windows"), "{}", ran.err);
    let ran = home.run(&["detect", "rules"]);
    assert!(
        ran.code == 0 && ran.out.contains("prompt-injection") && ran.out.contains("needs:"),
        "{}",
        ran.out
    );
}
