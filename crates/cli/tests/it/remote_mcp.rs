//! A model's client that starts `tacho mcp --url`, and a server behind it.

use crate::program::{Home, json_lines};
use crate::read::recorded;
use crate::served::Served;
use serde_json::{Value, json};

fn say(messages: &[Value]) -> Vec<u8> {
    messages.iter().map(|message| format!("{message}\n")).collect::<String>().into_bytes()
}

fn greeting() -> [Value; 2] {
    [
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" } } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ]
}

fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

#[test]
fn a_client_that_starts_a_program_reaches_a_server() {
    let home = recorded();
    let messages = say(&[
        greeting().to_vec(),
        vec![
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
            call(2, "trace_task", &json!({ "id": "task-refund-order-1042" })),
            call(3, "no_such_tool", &json!({})),
        ],
    ]
    .concat());
    let here = home.feed(&["mcp", "--unrecorded"], &messages);
    let served = Served::start(&home);
    let there = home.feed(&["mcp", "--url", &served.url], &messages);
    assert_eq!((here.code, there.code), (0, 0), "{} {}", here.err, there.err);
    // Calls are answered as they are done.
    let answers = |text: &str| {
        let mut answers = json_lines(text);
        answers.sort_by_key(|answer| answer["id"].as_u64());
        answers
    };
    let (here, there) = (answers(&here.out), answers(&there.out));
    assert_eq!(there.len(), 4, "a notification has no answer: {there:?}");
    for (here, there) in here.iter().zip(&there).take(3) {
        let what = |answer: &Value| {
            let data = answer.pointer("/result/structuredContent/untrusted_data");
            data.or_else(|| answer.pointer("/result/tools")).cloned()
        };
        assert_eq!((&here["id"], what(here)), (&there["id"], what(there)));
    }
    assert!(there[2].to_string().contains("order-1042"), "{}", there[2]);
    assert!(there[3]["error"].is_object() || there[3]["result"]["isError"] == true, "{}", there[3]);
}

#[test]
fn what_goes_wrong_is_told_the_client_and_the_conversation_goes_on() {
    let home = recorded();
    let served = Served::start(&home);
    let mut messages = say(&greeting());
    messages.extend_from_slice(b"this is no JSON\n\n");
    messages.extend(say(&[call(7, "recent_events", &json!({ "limit": 1 }))]));
    let ran = home.feed(&["mcp", "--url", &served.url], &messages);
    let answers = json_lines(&ran.out);
    assert_eq!((ran.code, answers.len()), (0, 3), "{}", ran.err);
    assert_eq!(answers[1]["error"]["code"], -32_700);
    assert!(answers[2]["id"] == 7 && answers[2]["error"].is_null(), "{}", answers[2]);
    let other = home.feed(&["mcp", "--log", "nowhere", "--url", &served.url], &messages);
    assert_eq!(other.code, 1, "{}", other.err);
    let bare = home.run(&["mcp", "--metadata-only", "--url", &served.url]);
    assert_eq!(bare.code, 2, "{}", bare.err);
}

#[test]
fn a_token_that_is_not_good_is_told_whoever_configures_the_client() {
    let home = Home::new();
    home.feed(&["append"], b"{\"event_type\":\"a.b\"}");
    let served = Served::start(&home);
    let token = home.write("wrong.token", "tacho_0000000000000000_wrong");
    let arguments = ["mcp", "--url", &served.url, "--token-file", token.to_str().unwrap()];
    let ran = home.feed(&arguments, &say(&greeting()));
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
}
