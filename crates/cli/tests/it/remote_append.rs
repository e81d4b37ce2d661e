//! Events to a server: as to a folder, through whatever happens on the way.

use crate::program::{Home, Ran, events, json_lines, testdata};
use crate::served::{PATIENCE, Served, answering_first, losing_one_answer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

/// The events of agents, as the folder has them.
fn sealed(home: &Home) -> Vec<Value> {
    let all = home.fine(&["events", "--oldest-first", "--limit", "0", "--format", "ndjson"]);
    json_lines(&all).into_iter().filter(|event| event["kind"] == "event").collect()
}

/// Waits until as many events are published.
fn published(home: &Home, count: usize) -> Vec<Value> {
    let begun = std::time::Instant::now();
    loop {
        let events = sealed(home);
        if events.len() >= count || begun.elapsed() > PATIENCE {
            return events;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn url_of(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[test]
fn beside_a_running_server_events_go_to_it_and_afterwards_to_the_folder() {
    let home = Home::new();
    let served = Served::start(&home);
    let address = std::fs::read_to_string(home.path("tachograph-data/server.json")).unwrap();
    assert!(address.contains(&served.url), "{address}");
    let token = std::fs::read_to_string(home.path("config/tachograph/admin-token")).unwrap();
    assert!(!address.contains(token.trim()), "never the token");
    let ran = home.feed(&["append", "--receipts", "receipts"], events(0..3).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("A server holds this folder"), "{}", ran.err);
    assert!(ran.err.contains("Sealed 3 events in the log main"), "{}", ran.err);
    served.stop();
    assert!(!home.path("tachograph-data/server.json").exists());
    let ran = home.feed(&["append"], events(3..5).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("A server holds"), "{}", ran.err);
    let ids: Vec<Value> = sealed(&home).iter().map(|event| event["event_id"].clone()).collect();
    assert_eq!(ids, ["e-0", "e-1", "e-2", "e-3", "e-4"]);
    home.fine(&["verify", "--since", "receipts"]);
}

#[test]
fn an_address_that_a_killed_server_left_is_not_asked() {
    let home = Home::new();
    Served::start(&home).kill();
    assert!(home.path("tachograph-data/server.json").exists());
    let ran = home.feed(&["append"], events(0..1).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("A server holds"), "{}", ran.err);
    // The next server takes the file over.
    let served = Served::start(&home);
    let ran = home.feed(&["append"], events(1..2).as_bytes());
    assert!(ran.err.contains(&served.url), "{}", ran.err);
}

#[test]
fn answers_and_receipts_are_those_of_a_folder() {
    // What begins an array, or an object of several lines, is a line here.
    let mut input = b"[1,2]\n{\n\n".to_vec();
    input.extend(std::fs::read(testdata("bad/one-of-each-small.ndjson")).unwrap());
    input.extend(format!("{{\"long\":\"{}\"}}\n", "x".repeat(3 << 20)).as_bytes());
    input.extend(events(0..2).as_bytes());
    let (here, there) = (Home::new(), Home::new());
    let served = Served::start(&there);
    let arguments = ["append", "-", "--receipts", "receipts", "--batch", "4"];
    let local = here.feed(&arguments, &input);
    let remote = there.feed(&[&arguments[..], &["--url", &served.url]].concat(), &input);
    assert_eq!((local.code, remote.code), (1, 1), "{}", remote.err);
    assert_eq!(local.err.lines().last(), remote.err.lines().last());
    // Hashes and ids that the log gives differ, and so do indexes: the server writes of itself.
    let told = |ran: &Ran| -> Vec<Value> {
        let mut lines = json_lines(&ran.out);
        for line in &mut lines {
            let line = line.as_object_mut().unwrap();
            for name in ["leaf_hash", "index"] {
                line.get_mut(name).map(Value::take);
            }
            if line.get("event_id").is_some_and(|id| id.as_str().unwrap().len() == 36) {
                line.remove("event_id");
            }
        }
        lines
    };
    assert_eq!(told(&local), told(&remote));
    let receipts = |home: &Home| {
        let receipts = std::fs::read_to_string(home.path("receipts")).unwrap();
        let receipts = json_lines(&receipts);
        let names = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        receipts.iter().map(|it| (names(it), it["line"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(receipts(&here), receipts(&there));
    let atomic = |home: &Home, more: &[&str]| {
        let ran = home.feed(&[&["append", "--atomic"], more].concat(), &input[..2_000]);
        (ran.code, json_lines(&ran.out).len())
    };
    assert_eq!(atomic(&here, &[]), atomic(&there, &["--url", &served.url]));
    let ran = there.feed(&["append", "--atomic", "--url", &served.url], events(5..9).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    served.stop();
    there.fine(&["verify", "--since", "receipts"]);
}

#[test]
fn nothing_is_lost_and_nothing_is_there_twice_when_the_server_dies_in_between() {
    let home = Home::new();
    let served = Served::start(&home);
    let port = served.port();
    let mut command = home.command(&["append", "--url", &served.url, "--batch", "50"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    // Every other one has no id of its own.
    let lines = |numbers: std::ops::Range<u64>| -> String {
        let line = |n: u64| match n % 2 {
            0 => events(n..n + 1),
            _ => format!("{{\"event_type\":\"agent.tool_call\",\"params\":{{\"n\":{n}}}}}\n"),
        };
        numbers.map(line).collect()
    };
    stdin.write_all(lines(0..500).as_bytes()).unwrap();
    for _ in 0..100 {
        answers.next().unwrap().unwrap();
    }
    served.kill();
    stdin.write_all(lines(500..1000).as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(600));
    let served = Served::again(&home, port);
    stdin.write_all(lines(1000..1200).as_bytes()).unwrap();
    drop(stdin);
    let rest: Vec<Value> =
        answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    assert!(err.contains("they are sent again until it does"), "{err}");
    assert_eq!(rest.len(), 1100);
    for (number, answer) in rest.iter().enumerate() {
        assert_eq!(answer["line"], number + 101);
        assert!(answer["index"].is_u64(), "{answer}");
    }
    served.stop();
    let numbers: Vec<u64> =
        sealed(&home).iter().map(|it| it["content"]["params"]["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..1200).collect::<Vec<_>>(), "in order, each once");
    home.fine(&["verify"]);
}

#[test]
fn an_answer_that_was_lost_makes_no_event_twice_even_without_an_id() {
    let home = Home::new();
    let served = Served::start(&home);
    let port = losing_one_answer(served.port(), "POST /api/v1/logs/main/events");
    let input = "{\"event_type\":\"a.b\"}\n{\"event_type\":\"a.b\"}\n";
    let ran = home.feed(&["append", "--url", &url_of(port)], input.as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let answers = json_lines(&ran.out);
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer["duplicate"] == true), "it was lost: {answers:?}");
    let ids: BTreeSet<&str> = answers.iter().map(|it| it["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "two events that are alike are two events");
    // The same lines in another run are others.
    let ran = home.feed(&["append", "--url", &served.url], input.as_bytes());
    assert!(ran.err.contains("Sealed 2 events"), "{}", ran.err);
    assert_eq!(published(&home, 4).len(), 4);
}

#[test]
fn a_server_that_has_no_time_is_asked_again_when_it_wants() {
    let home = Home::new();
    let served = Served::start(&home);
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\
                        connection: close\r\n\r\n";
    const FULL: &str = "HTTP/1.1 507 Insufficient Storage\r\ncontent-type: application/problem+json\r\n\
                        content-length: 36\r\nconnection: close\r\n\r\n\
                        {\"code\":\"x\",\"detail\":\"disk is full\"}";
    const MANY: &str =
        "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let port = answering_first(&[BUSY, FULL, MANY], served.port());
    let begun = std::time::Instant::now();
    let ran = home.feed(&["append", "--url", &url_of(port)], events(0..2).as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("takes no events just now: status 503"), "{}", ran.err);
    assert!(ran.err.contains("takes events again (try 4)"), "{}", ran.err);
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1), "Retry-After was not honoured");
    let port = answering_first(&[BUSY], served.port());
    let arguments = ["append", "--patience", "0", "--url", &url_of(port)];
    let ran = home.feed(&arguments, events(2..3).as_bytes());
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
}

#[test]
fn an_import_into_a_server_is_what_it_is_into_a_folder_and_adds_nothing_twice() {
    let (here, there) = (Home::new(), Home::new());
    let served = Served::start(&there);
    let file = testdata("ag2/hub/audit.jsonl");
    let import = ["import", "--from", "ag2-audit", file.to_str().unwrap(), "--format", "json"];
    let remote = [&import[..], &["--url", &served.url]].concat();
    assert_eq!(here.fine(&import), there.fine(&remote));
    let again = &json_lines(&there.fine(&remote))[0]["files"][0];
    assert_eq!(again["new"], 0, "{again}");
    let events = sealed(&here);
    let fields = |event: &Value| {
        let mut event = event.clone();
        for name in ["index", "recorded_at", "principal"] {
            event.as_object_mut().unwrap().remove(name);
        }
        event
    };
    let told = published(&there, events.len());
    assert_eq!(
        events.iter().map(fields).collect::<Vec<_>>(),
        told.iter().map(fields).collect::<Vec<_>>()
    );
    assert_eq!(told[0]["assurance"], "imported");
    let bad = testdata("bad/one-of-each-small.ndjson");
    let bad = ["import", "--from", "ndjson", bad.to_str().unwrap()];
    let (local, remote) =
        (here.run(&bad), there.run(&[&bad[..], &["--url", &served.url]].concat()));
    assert_eq!((local.code, local.out), (remote.code, remote.out));
}
