//! Holds, erasures, expiry.

use super::*;
use std::sync::atomic::Ordering;

const LOG: &str = "/api/v1/logs/main";
const DAY_MS: u64 = 86_400_000;

async fn with_session(rig: &Rig) -> String {
    let token = rig.admin();
    let body = r#"{"event_id":"a","event_type":"agent.tool_call","session_id":"s","params":{"q":"canary-word"}}
{"event_id":"b","event_type":"agent.tool_call","session_id":"t","params":{"q":"other-word"}}"#;
    assert_eq!(rig.post(&token, &format!("{LOG}/events"), body).await.json()["accepted"], 2);
    token
}

fn erasure(session: &str) -> String {
    format!(r#"{{"select":{{"session":"{session}"}},"scope":"content","reason":"Request 88"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_keeps_what_it_names_until_it_is_released_and_all_of_it_is_on_record() {
    let rig = Rig::new();
    let token = with_session(&rig).await;
    let operator = rig.token(Role::OPERATOR, LogNames::only(["main"]));
    let (holds, erasures) = (format!("{LOG}/holds"), format!("{LOG}/erasures"));
    let body = r#"{"select":{"session":"s","from":"1h"},"reason":"Case 12"}"#;
    let made = rig.post(&operator, &holds, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let name = made.json()["hold"].as_str().unwrap().to_owned();
    let listed = rig.get(&operator, &holds).await.json();
    assert_eq!(listed["holds"][0]["hold"], name);
    assert_eq!(listed["holds"][0]["select"]["session"], "s");
    assert_eq!(listed["holds"][0]["reason"], "Case 12");

    let refused = rig.post(&token, &erasures, erasure("s")).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::CONFLICT, &"held".into()));
    assert!(
        rig.get(&token, &format!("{LOG}/events/a")).await.json().to_string().contains("canary")
    );

    let release = format!("{holds}/{name}/release");
    let released = rig.post(&operator, &release, r#"{"reason":"Closed"}"#).await;
    assert_eq!(released.status, StatusCode::OK);
    let again = rig.post(&operator, &release, r#"{"reason":"Closed"}"#).await;
    assert_eq!(again.json()["code"], "unknown_hold");
    assert_eq!(rig.get(&operator, &holds).await.json()["holds"].as_array().unwrap().len(), 0);

    let erased = rig.post(&token, &erasures, erasure("s")).await;
    assert_eq!((erased.status, &erased.json()["records"]), (StatusCode::OK, &1.into()));
    let event = rig.get(&token, &format!("{LOG}/events/a")).await.json()["events"][0].clone();
    assert_eq!((&event["state"], event.get("content")), (&"content-erased".into(), None));
    let other = rig.get(&token, &format!("{LOG}/events/b")).await.json();
    assert!(other.to_string().contains("other-word"));

    let told = rig.get(&operator, &erasures).await.json()["erasures"].clone();
    assert_eq!(told.as_array().unwrap().len(), 2, "{told}");
    assert_eq!((&told[0]["records"], &told[0]["reason"]), (&1.into(), &"Request 88".into()));
    assert_eq!(told[1]["refused"], format!("held by {name}"));
    let types = rig.types("main").await;
    for kind in ["log.hold", "log.held", "log.refused", "log.released", "log.erasure", "log.erased"]
    {
        assert_eq!(types.iter().filter(|it| *it == kind).count(), 1, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_leaves_a_log_that_verifies_and_goes_on() {
    let rig = Rig::new();
    let token = with_session(&rig).await;
    let many: String = (0..700).map(|n| format!("{{\"event_type\":\"a.n{n}\"}}\n")).collect();
    rig.post(&token, &format!("{LOG}/events"), many).await;
    let erased = rig.post(&token, &format!("{LOG}/erasures"), erasure("s")).await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    let events = format!("{LOG}/events?ack=published");
    rig.post(&token, &events, r#"{"event_type":"a.after"}"#).await;
    let logs = Arc::clone(rig.app.logs());
    let folder = logs.get("main").unwrap().folder().folder.clone();
    tokio::task::spawn_blocking(move || logs.close()).await.unwrap();
    let report = reading::verify::verify(&folder, Some(&kek()), &Default::default(), &mut |_| {});
    assert_eq!(report.verdict(), prove::Verdict::Ok, "{:?}", report.findings());
}

#[tokio::test(flavor = "multi_thread")]
async fn why_something_is_held_or_erased_is_content_and_no_metadata_or_public_log_tells_it() {
    let rig = Rig::new();
    let token = with_session(&rig).await;
    let hold = r#"{"select":{"session":"t"},"reason":"Case 88"}"#;
    assert_eq!(rig.post(&token, &format!("{LOG}/holds"), hold).await.status, StatusCode::CREATED);
    let erased = rig.post(&token, &format!("{LOG}/erasures"), erasure("s")).await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    rig.types("main").await;
    let told = async |token: &str| {
        let mut told = String::new();
        for path in ["events?limit=1000", "events?type=log.erasure", "events?type=log.hold"] {
            let answer = rig.get(token, &format!("{LOG}/{path}")).await;
            told.push_str(&String::from_utf8(answer.bytes).unwrap());
        }
        let ledger = rig.get(token, "/log/main/ledger").await.json();
        for name in ledger["ledger"].as_array().unwrap() {
            let path = format!("/log/main/ledger/{}", name.as_str().unwrap());
            told.push_str(&String::from_utf8(rig.get(token, &path).await.bytes).unwrap());
        }
        told
    };
    let of_reader = told(&rig.token(Role::READER, LogNames::only(["main"]))).await;
    assert!(of_reader.contains("log.erasure") && of_reader.contains("log.hold"));
    assert!(!of_reader.contains(" 88") && !of_reader.contains("select"), "{of_reader}");
    let of_analyst = told(&rig.token(Role::ANALYST, LogNames::only(["main"]))).await;
    assert!(of_analyst.contains("Request 88") && of_analyst.contains("Case 88"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_of_nothing_and_what_is_not_known_are_refused() {
    let rig = Rig::new();
    let token = with_session(&rig).await;
    for (path, body, code) in [
        ("holds", r#"{"select":{},"reason":"r"}"#, "empty_selection"),
        ("holds", r#"{"select":{"session":"s"},"reason":" "}"#, "bad_reason"),
        ("holds", r#"{"select":{"sessions":"s"},"reason":"r"}"#, "not_json"),
        ("holds", r#"{"select":{"from":"soon"},"reason":"r"}"#, "bad_parameter"),
        ("holds/hold-9/release", r#"{"reason":"r"}"#, "unknown_hold"),
        ("erasures", r#"{"select":{},"scope":"record","reason":"r"}"#, "empty_selection"),
        ("erasures", r#"{"select":{"event":"a"},"scope":"all","reason":"r"}"#, "bad_parameter"),
        (
            "erasures",
            r#"{"select":{"event":"z"},"scope":"record","reason":"r"}"#,
            "nothing_matches",
        ),
        ("retention", r#"{"profile":"default"}"#, "not_json"),
    ] {
        let answer = rig.post(&token, &format!("{LOG}/{path}"), body).await;
        assert_eq!(answer.json()["code"], code, "{path} {body}");
    }
    let answer = rig.get(&token, &format!("{LOG}/erasures?agent=a")).await;
    assert_eq!(answer.json()["code"], "bad_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_goes_when_somebody_says_so_and_nothing_is_written_when_nothing_is() {
    let clock = Arc::new(Hands::default());
    let rig = Rig::made(Wishes { clock: Some(Arc::clone(&clock)), ..Wishes::default() });
    let token = with_session(&rig).await;
    let retention = format!("{LOG}/retention");
    rig.types("main").await;
    let size = rig.app.logs().get("main").unwrap().published_size();
    assert_eq!(rig.post(&token, &retention, "").await.json()["records"], 0);
    assert_eq!(rig.get(&token, &retention).await.json()["policy"]["days"]["info"], 30);
    assert_eq!(rig.app.logs().get("main").unwrap().published_size(), size, "nothing was written");
    // Tool calls stay for 30 days and one more.
    clock.0.store(32 * DAY_MS, Ordering::Relaxed);
    // The journal file ends with the day, and what it held becomes segments when the log is quiet.
    rig.post(&token, &format!("{LOG}/events"), r#"{"event_type":"agent.error"}"#).await;
    let log = rig.app.logs().get("main").unwrap();
    let writer = log.writer_for_acts().unwrap();
    tokio::task::spawn_blocking(move || writer.settle()).await.unwrap().unwrap();
    let plan = rig.get(&token, &retention).await.json();
    let due = plan["classes"].as_array().unwrap().iter().find(|it| it["tier"] == "info").unwrap();
    assert_eq!((&due["is_due"], &due["going"]), (&true.into(), &2.into()), "{plan}");
    let applied = rig.post(&token, &retention, "{}").await.json();
    assert_eq!((&applied["records"], applied["record"].is_u64()), (&2.into(), true), "{applied}");
    assert_eq!(rig.get(&token, &format!("{LOG}/events/a")).await.status, StatusCode::NOT_FOUND);
    assert!(rig.types("main").await.iter().any(|it| it == "log.retention"));
}

/// Nothing was added since, so no segment was made of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_in_the_journal_alone_is_planned_and_goes_as_well() {
    let clock = Arc::new(Hands::default());
    let rig = Rig::made(Wishes { clock: Some(Arc::clone(&clock)), ..Wishes::default() });
    let token = with_session(&rig).await;
    let retention = format!("{LOG}/retention");
    rig.types("main").await;
    let info = async || {
        let plan = rig.get(&token, &retention).await.json();
        let classes = plan["classes"].as_array().unwrap().clone();
        classes.into_iter().find(|it| it["tier"] == "info")
    };
    let planned = info().await.expect("what no segment has yet is planned, too");
    assert_eq!((&planned["records"], &planned["is_due"]), (&2.into(), &false.into()), "{planned}");
    clock.0.store(32 * DAY_MS, Ordering::Relaxed);
    let due = info().await.unwrap();
    assert_eq!((&due["is_due"], &due["going"]), (&true.into(), &2.into()), "{due}");
    let log = rig.app.logs().get("main").unwrap();
    assert!(!log.folder().path.join("segments").exists(), "it lies in the journal");
    let applied = rig.post(&token, &retention, "{}").await.json();
    assert_eq!(applied["records"], 2, "{applied}");
    assert_eq!(rig.get(&token, &format!("{LOG}/events/a")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(rig.post(&token, &retention, "{}").await.json()["records"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_lets_go_by_itself_what_is_due_where_a_policy_was_configured() {
    for retention in [Some(retain::Policy::default()), None] {
        let clock = Arc::new(Hands::default());
        let wishes = Wishes { retention, clock: Some(Arc::clone(&clock)), ..Wishes::default() };
        let rig = Rig::made(wishes);
        let token = with_session(&rig).await;
        let path = format!("{LOG}/retention");
        let before = rig.get(&token, &path).await.json()["schedule"].clone();
        assert_eq!((&before["on"], &before["last"]), (&retention.is_some().into(), &Value::Null));
        clock.0.store(32 * DAY_MS, Ordering::Relaxed);
        rig.post(&token, &format!("{LOG}/events"), r#"{"event_type":"agent.error"}"#).await;
        let logs = Arc::clone(rig.app.logs());
        let go = move || {
            let writer = logs.get("main").unwrap().writer_for_acts().unwrap();
            writer.settle().unwrap();
            logs.expire();
            logs.expire();
        };
        tokio::task::spawn_blocking(go).await.unwrap();
        let gone = rig.get(&token, &format!("{LOG}/events/a")).await.status;
        assert_eq!(gone == StatusCode::NOT_FOUND, retention.is_some());
        let kinds = rig.types("main").await;
        let said = kinds.iter().filter(|it| *it == "log.retention").count();
        assert_eq!(said, usize::from(retention.is_some()), "once, and by nobody else");
        let last = rig.get(&token, &path).await.json()["schedule"]["last"].clone();
        assert_eq!(last["at"].is_string(), retention.is_some(), "{last}");
        let metrics = String::from_utf8(rig.get(&token, "/metrics").await.bytes).unwrap();
        let expired = if retention.is_some() { 2 } else { 0 };
        let line = format!("tacho_log_expired_total{{log=\"main\"}} {expired}\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: cargo test -p serve --test it how_long -- --ignored --nocapture"]
async fn how_long_appends_wait_for_an_erasure() {
    use std::time::{Duration, Instant};
    let rig = Rig::new();
    let token = rig.admin();
    let events = format!("{LOG}/events");
    for batch in 0..10 {
        let line = |n: u32| {
            let session = n % 100;
            format!(
                r#"{{"event_type":"agent.tool_call","session_id":"s-{session}","params":{{"n":{n},"text":"{batch} some words that a tool was given, and some more of them"}}}}"#
            )
        };
        let lines: Vec<String> = (0..10_000).map(line).collect();
        assert_eq!(rig.post(&token, &events, lines.join("\n")).await.json()["accepted"], 10_000);
    }
    let one = async || {
        let begun = Instant::now();
        let answer = rig.post(&token, &events, r#"{"event_type":"agent.tool_call"}"#).await;
        assert_eq!(answer.status, StatusCode::OK);
        begun.elapsed()
    };
    let mut quiet = Vec::new();
    for _ in 0..200 {
        quiet.push(one().await);
    }
    let path = format!("{LOG}/erasures");
    let begun = Instant::now();
    let mut erasing = std::pin::pin!(rig.post(&token, &path, erasure("s-7")));
    let mut waits = Vec::new();
    let answer = loop {
        tokio::select! {
            answer = &mut erasing => break answer,
            wait = one() => waits.push(wait),
        }
    };
    let told = |waits: &mut Vec<Duration>| {
        waits.sort();
        (waits.len(), waits.get(waits.len() / 2).copied(), waits.last().copied())
    };
    println!("erasure: {:?}, {}", begun.elapsed(), answer.json());
    println!("appends before (count, median, worst): {:?}", told(&mut quiet));
    println!("appends meanwhile: {:?}", told(&mut waits));
}
