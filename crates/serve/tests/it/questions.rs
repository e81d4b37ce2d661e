//! Questions, the list of logs, the public log, the live feed.

use super::*;
use futures::StreamExt as _;

async fn with_trace(rig: &Rig, log: &str) -> String {
    let token = rig.admin();
    let body = r#"{"event_id":"a","event_type":"agent.invocation","trace_id":"t","agent_name":"planner"}
{"event_id":"b","event_type":"agent.tool_call","trace_id":"t","agent_name":"planner","parent_event_id":"a","tool":"lookup","params":{"q":"canary-word"}}
{"event_id":"c","event_type":"agent.error","trace_id":"t","agent_name":"worker","session_id":"s"}"#;
    let path = format!("/api/v1/logs/{log}/events?ack=published");
    assert_eq!(rig.post(&token, &path, body).await.json()["accepted"], 3);
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_as_of_one_checkpoint() {
    let rig = Rig::new();
    let token = with_trace(&rig, "main").await;
    let path = "/api/v1/logs/main/events?trace=t&order=oldest&limit=2";
    let first = rig.get(&token, path).await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    rig.post(
        &token,
        "/api/v1/logs/main/events?ack=published",
        r#"{"event_type":"x.y","trace_id":"t"}"#,
    )
    .await;
    let second = rig.get(&token, &format!("{path}&cursor={next}")).await;
    assert_eq!(first.json()["checkpoint"], second.json()["checkpoint"]);
    let ids = |answer: &Answer| -> Vec<String> {
        let events = answer.json()["events"].as_array().unwrap().clone();
        events.iter().map(|it| it["event_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((ids(&first), ids(&second)), (vec!["a".into(), "b".into()], vec!["c".into()]));
    assert!(second.json().get("next").is_none_or(Value::is_null));
    let lines = rig.get(&token, "/api/v1/logs/main/events?trace=t&format=ndjson").await;
    assert_eq!(lines.bytes.iter().filter(|byte| **byte == b'\n').count(), 4);
    assert!(lines.headers["tachograph-checkpoint"].to_str().unwrap().contains("tachograph.local/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_sessions_and_agents_are_found_and_what_is_not_there_is_not() {
    let rig = Rig::new();
    let token = with_trace(&rig, "main").await;
    let trace = rig.get(&token, "/api/v1/logs/main/traces/t").await.json();
    assert_eq!(trace["events"].as_array().unwrap().len(), 3);
    assert_eq!(trace["edges"].as_array().unwrap().len(), 1);
    for format in ["dot", "mermaid", "svg"] {
        let path = format!("/api/v1/logs/main/traces/t/graph?format={format}");
        let graph = rig.get(&token, &path).await;
        assert_eq!(graph.status, StatusCode::OK);
        assert!(!String::from_utf8(graph.bytes).unwrap().contains("canary-word"));
    }
    let session = rig.get(&token, "/api/v1/logs/main/sessions/s").await.json();
    assert_eq!(session["events"].as_array().unwrap().len(), 1);
    let agents = rig.get(&token, "/api/v1/logs/main/agents").await.json();
    let names: Vec<&str> = agents["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["agent"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    let agent = rig.get(&token, "/api/v1/logs/main/agents/worker").await.json();
    assert_eq!(agent["events"].as_array().unwrap().len(), 1);
    for path in ["events/none", "events/99999", "traces/none", "sessions/t", "events/none/proof"] {
        let answer = rig.get(&token, &format!("/api/v1/logs/main/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_for_those_who_may_see_it_and_every_look_is_recorded() {
    let rig = Rig::new();
    with_trace(&rig, "main").await;
    let reader = rig.token(Role::READER, LogNames::All);
    for path in [
        "events",
        "events/b",
        "traces/t",
        "agents/planner",
        "sessions/s",
        "events/b/proof?evidence=1",
        "traces/t/graph",
    ] {
        let answer = rig.get(&reader, &format!("/api/v1/logs/main/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(!String::from_utf8(answer.bytes).unwrap().contains("canary-word"), "{path}");
    }
    for path in ["events?content=1", "events?text=canary-word", "live?text=canary-word"] {
        let answer = rig.get(&reader, &format!("/api/v1/logs/main/{path}")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let count = |types: &[String]| types.iter().filter(|it| *it == "log.access").count();
    // Counting reads content itself, once each time.
    let before = count(&rig.types("main").await);
    let analyst = rig.token(Role::ANALYST, LogNames::All);
    let answer = rig.get(&analyst, "/api/v1/logs/main/events?text=canary-word").await;
    assert!(String::from_utf8(answer.bytes).unwrap().contains("canary-word"));
    assert_eq!(count(&rig.types("main").await), before + 2);
}

/// Labels tell of content: what an agent was asked, and what an error says.
#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_trace_shows_no_content_to_those_who_may_not_see_it() {
    let rig = Rig::new();
    let admin = rig.admin();
    let body = r#"{"event_type":"agent.invocation","trace_id":"t","session_id":"s","input":"canary-asked"}
{"event_type":"agent.handoff","trace_id":"t","params":{"target":"canary-target"}}
{"event_type":"agent.error","trace_id":"t","session_id":"s","error":"canary-said"}"#;
    let path = "/api/v1/logs/main/events?ack=published";
    assert_eq!(rig.post(&admin, path, body).await.json()["accepted"], 3);
    let reader = rig.token(Role::READER, LogNames::All);
    let graphs = ["json", "dot", "mermaid", "svg"].map(|it| format!("traces/t/graph?format={it}"));
    let whole = ["traces/t", "sessions/s", "traces/t?content=0"].map(str::to_owned);
    for path in whole.iter().chain(&graphs) {
        let answer = rig.get(&reader, &format!("/api/v1/logs/main/{path}")).await;
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(answer.status == StatusCode::OK && !text.contains("canary"), "{path}: {text}");
        // Whoever may see content sees none that is not recorded: graphs are not.
        let answer = rig.get(&admin, &format!("/api/v1/logs/main/{path}")).await;
        let shown = String::from_utf8(answer.bytes).unwrap().contains("canary-asked");
        assert_eq!(shown, whole[..2].contains(path), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_too_large_for_one_answer_is_refused_and_read_in_parts() {
    let rig = Rig::new();
    let token = rig.admin();
    let text = "x".repeat(900_000);
    let line = format!(
        "{{\"event_type\":\"a.b\",\"trace_id\":\"t\",\"params\":{{\"text\":\"{text}\"}}}}\n"
    );
    for _ in 0..2 {
        let path = "/api/v1/logs/main/events?ack=published";
        assert_eq!(rig.post(&token, path, line.repeat(10)).await.json()["accepted"], 10);
    }
    let refused = rig.get(&token, "/api/v1/logs/main/traces/t").await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let said = refused.json()["detail"].to_string();
    assert!(said.contains("16 MiB") && said.contains("content=0"), "{said}");
    let metadata = rig.get(&token, "/api/v1/logs/main/traces/t?content=0").await.json();
    assert_eq!(metadata["events"].as_array().unwrap().len(), 20);
    let graph = rig.get(&token, "/api/v1/logs/main/traces/t/graph").await;
    assert_eq!(graph.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_own_records_are_left_out_when_they_are_not_asked_for() {
    let rig = Rig::new();
    let token = with_trace(&rig, "main").await;
    let kinds = async |asked: &str| -> Vec<String> {
        let answer = rig.get(&token, &format!("/api/v1/logs/main/events?limit=1000{asked}")).await;
        let events = answer.json()["events"].as_array().unwrap().clone();
        events.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    };
    let all = kinds("").await;
    assert!(all.contains(&"log".to_owned()) && all.contains(&"event".to_owned()), "{all:?}");
    assert_eq!(kinds("&kind=event").await, ["event", "event", "event"]);
    let own = kinds("&kind=log").await;
    assert!(!own.is_empty() && own.iter().all(|it| it == "log"), "{own:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_log_is_open_where_it_was_said_and_shut_elsewhere() {
    let rig = Rig::new();
    with_trace(&rig, "main").await;
    with_trace(&rig, "other").await;
    assert_eq!(rig.get("", "/log/other/checkpoint").await.status, StatusCode::OK);
    assert_eq!(rig.get("", "/log/main/checkpoint").await.status, StatusCode::UNAUTHORIZED);
    let note = String::from_utf8(rig.get("", "/log/other/checkpoint").await.bytes).unwrap();
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let tile = rig.get("", &format!("/log/other/tile/0/000.p/{size}")).await;
    assert_eq!(tile.bytes.len() as u64, 32 * size);
    let bundle = rig.get("", &format!("/log/other/tile/entries/000.p/{size}")).await;
    assert_eq!(bundle.status, StatusCode::OK);
    for path in [
        "tile/0/../../keyring",
        "tile/..%2f..%2fkeyring",
        "tile/0/00",
        "tile/x",
        "keyring",
        "tile/0/000%00",
    ] {
        let answer = rig.get("", &format!("/log/other/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_feed_shows_what_comes_and_resumes_where_it_was() {
    let rig = Rig::new();
    let token = with_trace(&rig, "main").await;
    let open = async |path: &str, last: Option<&str>| {
        let mut builder = request("GET", path, &token);
        if let Some(last) = last {
            builder = builder.header("last-event-id", last);
        }
        let response =
            rig.router.clone().oneshot(builder.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().into_data_stream()
    };
    let until = async |stream: &mut axum::body::BodyDataStream, wanted: &str| {
        let mut text = String::new();
        let read = async {
            while let Some(piece) = stream.next().await {
                text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
                if text.contains(wanted) {
                    break;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), read).await.unwrap();
        text
    };
    let mut feed = open("/api/v1/logs/main/live?type=live.*", None).await;
    for name in ["live.one", "quiet.one", "live.two"] {
        rig.post(&token, "/api/v1/logs/main/events", format!("{{\"event_type\":\"{name}\"}}"))
            .await;
    }
    let text = until(&mut feed, "live.two").await;
    assert!(text.contains("live.one") && !text.contains("quiet.one"), "{text}");
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    drop(feed);
    // What was not published yet when it was first shown is shown again all the same.
    let mut again = open("/api/v1/logs/main/live?type=live.*", Some(&id)).await;
    let text = until(&mut again, "live.two").await;
    assert!(!text.contains("live.one"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_listed_for_those_who_reach_them_and_made_by_those_who_may() {
    let rig = Rig::new();
    let admin = rig.admin();
    let names = async |token: &str| -> Vec<String> {
        let logs = rig.get(token, "/api/v1/logs").await.json()["logs"].as_array().unwrap().clone();
        logs.iter().map(|log| log["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&admin).await, ["main", "other"]);
    assert_eq!(names(&rig.token(Role::READER, LogNames::only(["other"]))).await, ["other"]);
    let made = rig.post(&admin, "/api/v1/logs", r#"{"name":"third"}"#).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let folders: Vec<_> = std::fs::read_dir(rig.folder.path().join("data")).unwrap().collect();
    assert_eq!(folders.len(), 3);
    assert!(folders.iter().all(|it| it.as_ref().unwrap().file_name().len() == 32));
    assert_eq!(
        rig.post(&admin, "/api/v1/logs/third/events", r#"{"event_type":"a.b"}"#).await.status,
        StatusCode::OK
    );
    for (body, status) in
        [(r#"{"name":"third"}"#, 409), (r#"{"name":"../x"}"#, 422), (r#"{"nam":1}"#, 400)]
    {
        assert_eq!(rig.post(&admin, "/api/v1/logs", body).await.status.as_u16(), status, "{body}");
    }
    let reader = rig.token(Role::READER, LogNames::All);
    assert_eq!(
        rig.post(&reader, "/api/v1/logs", r#"{"name":"x"}"#).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_says_what_the_caller_may_do_there() {
    let rig = Rig::new();
    let may = async |role: Role| {
        let token = rig.token(role, LogNames::only(["main"]));
        rig.get(&token, "/api/v1/logs/main").await.json()["may"].clone()
    };
    let reader = serde_json::json!(["ReadMetadata", "ReadProofs", "Verify"]);
    assert_eq!(may(Role::READER).await, reader);
    assert!(may(Role::ADMIN).await.as_array().unwrap().len() > 10);
    // Who sees no event cannot ask for one log, and is told by the list.
    let token = rig.token(Role::OPERATOR, LogNames::only(["main"]));
    let listed = rig.get(&token, "/api/v1/logs").await.json();
    let operator = serde_json::json!([
        "Verify",
        "ReadRetention",
        "ManageHolds",
        "ManageRetention",
        "ManageKeys",
        "Backup"
    ]);
    assert_eq!(
        (&listed["logs"][0]["name"], &listed["logs"][0]["may"]),
        (&"main".into(), &operator)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_says_whether_what_serves_it_answers_sql() {
    let rig = Rig::new();
    let token = rig.token(Role::ANALYST, LogNames::All);
    let says = rig.get(&token, "/api/v1/logs/main").await.json()["sql"].clone();
    let asked = rig.post(&token, "/api/v1/logs/main/sql", r#"{"statement":"SELECT 1"}"#).await;
    assert_eq!(says, (asked.status != StatusCode::NOT_IMPLEMENTED));
}

/// Also to those who may not ask a log about itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_logs_says_what_the_caller_may_do_in_each_and_to_the_server() {
    let rig = Rig::new();
    let listed = async |role: Role, logs: LogNames| {
        rig.get(&rig.token(role, logs), "/api/v1/logs").await.json()
    };
    let producer = listed(Role::PRODUCER, LogNames::only(["main"])).await;
    assert_eq!(producer["logs"].as_array().unwrap().len(), 1);
    assert_eq!(producer["logs"][0]["may"], serde_json::json!(["AppendEvents"]));
    assert_eq!(producer["may"], serde_json::json!([]));
    let operator = listed(Role::OPERATOR, LogNames::All).await;
    let of_log = |at: usize, action: &str| {
        operator["logs"][at]["may"].as_array().unwrap().contains(&action.into())
    };
    assert!(of_log(0, "ManageHolds") && of_log(1, "ManageHolds") && !of_log(0, "Erase"));
    let to_server = operator["may"].as_array().unwrap();
    assert!(to_server.contains(&"CreateLog".into()) && to_server.contains(&"ReadMetrics".into()));
    let of_one = listed(Role::OPERATOR, LogNames::only(["main"])).await;
    assert!(!of_one["may"].as_array().unwrap().contains(&"CreateLog".into()), "{of_one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_shows_documents_by_their_names_and_nothing_else() {
    let rig = Rig::new();
    let log = rig.app.logs().get("other").unwrap();
    let ledger = log.folder().path.join("ledger");
    std::fs::create_dir_all(&ledger).unwrap();
    let name = format!("{:020}.json", 7);
    std::fs::write(ledger.join(&name), "{}").unwrap();
    std::fs::write(ledger.join("else"), "{}").unwrap();
    // Anybody: its tree is public.
    let listed = rig.get("", "/log/other/ledger").await.json();
    assert_eq!(listed["ledger"], serde_json::json!([name]));
    assert_eq!(rig.get("", &format!("/log/other/ledger/{name}")).await.bytes, b"{}");
    for bad in ["else", "..%2Flog.json", "7.json"] {
        let answer = rig.get("", &format!("/log/other/ledger/{bad}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{bad}");
    }
    assert_eq!(rig.get("", "/log/main/ledger").await.status, StatusCode::UNAUTHORIZED);
}
