//! The commands that read: what they show of recorded systems, their JSON, and that they only read.

use crate::program::{Home, events, json_lines, testdata};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const REFUND: &str = "5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6";
const OTLP: &str = "e245bb6bb91295b97d43276ff7aafcc0";

/// A log that holds an incident, an agent's OTLP traces and an AG2 hub.
pub(crate) fn recorded() -> Home {
    let home = Home::new();
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    home.fine(&["append", &path("incident/refund.ndjson")]);
    for (format, file) in [
        ("otlp-traces-protobuf", "otlp/traces.pb"),
        ("ag2-audit", "ag2/hub/audit.jsonl"),
        ("ag2-spans", "ag2/hub/spans.jsonl"),
    ] {
        home.fine(&["import", "--from", format, &path(file)]);
    }
    home
}

fn json(home: &Home, arguments: &[&str]) -> Value {
    let text = home.fine(&[arguments, &["--format", "json"]].concat());
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} in {value}"))
}

/// The contract's checkpoint.
fn assert_checkpoint(value: &Value) {
    let checkpoint = &value["checkpoint"];
    assert!(checkpoint["origin"].as_str().unwrap().starts_with("tachograph.local/"), "{value}");
    assert!(checkpoint["size"].as_u64().unwrap() > 0, "{checkpoint}");
    assert_eq!(checkpoint["root"].as_str().unwrap().len(), 64, "{checkpoint}");
}

#[test]
fn a_trace_of_an_otlp_agent_shows_agents_tools_tokens_and_errors() {
    let home = recorded();
    let text = home.fine(&["trace", OTLP]);
    for part in [
        "2 agents · 5 tools · 1 error",
        "5,276 tokens",
        "bob",
        "fay",
        "Called tool 'process_refund' with 2 params",
        "✗ timeout",
        "TimeoutError: refund service: 503",
        "│ ├╴✓ fay  Task received",
        "As of tachograph.local/",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(text.matches("As of ").count(), 1, "{text}");
    assert_eq!(text.matches(OTLP).count(), 1, "{text}");
    let tree = home.fine(&["trace", OTLP, "--format", "tree"]);
    assert!(tree.contains("├╴") && !tree.contains("WHAT HAPPENED"), "{tree}");
    let timeline = home.fine(&["trace", OTLP, "--format", "timeline"]);
    assert!(timeline.contains("WHAT HAPPENED") && !timeline.contains("├╴"), "{timeline}");
}

#[test]
fn a_trace_of_an_ag2_hub_shows_agents_and_errors() {
    let home = recorded();
    let failed = json(&home, &["events", "--error-type", "RuntimeError", "--type", "hub.*"]);
    let session = list(&failed, "events")[0]["session_id"].as_str().unwrap().to_owned();
    let text = home.fine(&["session", &session]);
    for part in ["carl", "✗ error", "provider 503 key=[redacted:assignment]"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    // A hub writes down who spoke to whom; tools and tokens stand in the spans of its agents.
    let tree = home.fine(&["trace", &session, "--format", "tree"]);
    for part in ["✓ alice  channel_created:conversation", "✗ carl  turn_failed", "├╴"] {
        assert!(tree.contains(part), "{part:?} is not in\n{tree}");
    }
}

#[test]
fn trace_json_holds_what_the_contract_names() {
    let home = recorded();
    let trace = json(&home, &["trace", REFUND]);
    assert_checkpoint(&trace);
    assert_eq!(trace["trace_id"], REFUND);
    assert_eq!(list(&trace, "events").len(), 11);
    for event in list(&trace, "events") {
        for field in ["index", "recorded_at", "event_id", "event_type", "state", "tier"] {
            assert!(!event[field].is_null(), "{field} in {event}");
        }
        assert_eq!(event["state"], "present");
    }
    for node in list(&trace, "nodes") {
        for field in ["id", "label", "type", "agent"] {
            assert!(node[field].is_string(), "{field} in {node}");
        }
    }
    let ids: Vec<&Value> = list(&trace, "nodes").iter().map(|node| &node["id"]).collect();
    let parents = list(&trace, "edges").iter().filter(|edge| edge["kind"] == "parent");
    assert_eq!(parents.count(), 10);
    for edge in list(&trace, "edges") {
        assert!(ids.contains(&&edge["from"]) && ids.contains(&&edge["to"]), "{edge}");
    }
    let lines = json_lines(&home.fine(&["trace", REFUND, "--format", "ndjson"]));
    assert_eq!(&lines, list(&trace, "events"));
}

#[test]
fn an_id_may_be_of_a_task_or_a_session() {
    let home = recorded();
    let task = json(&home, &["trace", "task-refund-order-1042"]);
    assert_eq!(task["task_id"], "task-refund-order-1042");
    assert_eq!(list(&task, "events").len(), 11);
    let session = json(&home, &["trace", "session-refund-7731"]);
    assert_eq!(session["session_id"], "session-refund-7731");
    assert_eq!(json(&home, &["session", "session-refund-7731"]), session);
    let ran = home.run(&["trace", "session-refund-7731", "--by", "trace"]);
    assert_eq!(ran.code, 1);
}

#[test]
fn a_trace_id_comes_before_the_same_task_id() {
    let home = Home::new();
    let line = |n: u32, field: &str| {
        format!("{{\"event_id\":\"{n}\",\"event_type\":\"agent.decision\",\"{field}\":\"x\"}}\n")
    };
    let input = line(1, "task_id") + &line(2, "trace_id") + &line(3, "task_id");
    assert_eq!(home.feed(&["append"], input.as_bytes()).code, 0);
    let trace = json(&home, &["trace", "x"]);
    assert_eq!((&trace["trace_id"], list(&trace, "events").len()), (&"x".into(), 1), "{trace}");
    assert_eq!(list(&json(&home, &["trace", "x", "--by", "task"]), "events").len(), 2);
}

#[test]
fn an_unknown_trace_is_said_to_be_unknown_and_others_are_named() {
    let home = recorded();
    let ran = home.run(&["trace", "nope"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("has the trace or task or session id nope; traces, the newest:"));
    assert_eq!(ran.err.lines().count(), 6, "{}", ran.err);
    let ran = home.run(&["trace", "5f2c"]);
    assert!(ran.err.contains(&format!("traces, beginning with it:\n  {REFUND}\n")), "{}", ran.err);
    let ran = home.run(&["session", "nope"]);
    assert!(ran.err.contains("sessions, the newest:"), "{}", ran.err);
    let ran = home.run(&["agent", "nope"]);
    assert!(ran.err.contains("of an agent nope; `tacho agent` lists all"), "{}", ran.err);
}

#[test]
fn every_filter_picks_what_it_says() {
    let home = recorded();
    let count = |arguments: &[&str]| {
        let answer = json(&home, &[&["events", "--limit", "0"], arguments].concat());
        assert_checkpoint(&answer);
        list(&answer, "events").len()
    };
    let all = count(&[]);
    assert_eq!(all, json(&home, &["events"])["checkpoint"]["size"].as_u64().unwrap() as usize);
    for (arguments, expected) in [
        (&["--agent", "Billing"][..], 5),
        (&["--agent", "Billing", "--agent", "agent-router-1"], 6),
        (&["--trace", REFUND, "--type", "tool_call"], 3),
        (&["--trace", REFUND, "--type", "agent.tool_*"], 4),
        (&["--session", "session-refund-7731"], 11),
        (&["--task", "task-refund-order-1042"], 11),
        (&["--trace", REFUND, "--tool", "process_refund"], 2),
        (&["--trace", REFUND, "--outcome", "timeout"], 2),
        (&["--trace", REFUND, "--outcome", "timeout", "--outcome", "denied"], 3),
        (&["--trace", REFUND, "--error-type", "TimeoutError"], 2),
        (&["--trace", REFUND, "--tier", "critical"], 2),
        (&["--from", "2026-11-02T14:23:30Z", "--to", "2026-11-03"], 3),
        (&["--text", "\"manual queue\""], 1),
        (&["--principal", "nobody"], 0),
    ] {
        assert_eq!(count(arguments), expected, "{arguments:?}");
    }
    for bad in [["--outcome", "bad"], ["--tier", "bad"], ["--from", "bad"]] {
        let ran = home.run(&["events", bad[0], bad[1]]);
        assert_eq!(ran.code, 2, "{bad:?}: {}", ran.err);
    }
}

#[test]
fn order_and_limit_do_not_change_which_events_there_are() {
    let home = recorded();
    let indexes = |arguments: &[&str]| -> Vec<u64> {
        let text = home.fine(&[arguments, &["--format", "ndjson"]].concat());
        json_lines(&text).iter().map(|event| event["index"].as_u64().unwrap()).collect()
    };
    let oldest = indexes(&["events", "--oldest-first", "--limit", "0"]);
    let mut newest = indexes(&["events", "--limit", "0"]);
    let size = oldest.len() as u64;
    assert_eq!(oldest, (0..size).collect::<Vec<_>>());
    // Without a filter only the end is read; with one that all match, everything.
    assert_eq!(indexes(&["events", "--limit", "7"]), newest[..7]);
    assert_eq!(indexes(&["events", "--limit", "7", "--from", "1999-01-01"]), newest[..7]);
    newest.reverse();
    assert_eq!(newest, oldest);
    assert_eq!(indexes(&["events", "--oldest-first", "--limit", "3"]), [0, 1, 2]);
    assert_eq!(indexes(&["tail", "-n", "3"]), [size - 3, size - 2, size - 1]);
    let both = json(&home, &["events", "--oldest-first", "--limit", "3"]);
    assert_checkpoint(&both);
    assert_eq!(list(&both, "events").len(), 3);
    let text = home.run(&["events", "--limit", "3", "--agent", "bob"]);
    assert!(text.err.contains("the newest 3 of "), "{}", text.err);
    let said = home.run(&["events", "--format", "ndjson"]).err;
    assert!(said.starts_with("as of tachograph.local/"), "{said}");
}

#[test]
fn agents_and_sessions_are_listed_with_their_counts() {
    let home = recorded();
    let agents = json(&home, &["agent"]);
    assert_checkpoint(&agents);
    let billing = list(&agents, "agents").iter().find(|line| line["agent"] == "Billing").unwrap();
    assert_eq!((&billing["events"], &billing["errors"]), (&5.into(), &2.into()), "{billing}");
    let sessions = json(&home, &["session"]);
    let ids: Vec<&Value> = list(&sessions, "sessions").iter().map(|it| &it["session"]).collect();
    assert!(ids.contains(&&"session-refund-7731".into()), "{sessions}");
    let one = json(&home, &["agent", "Billing"]);
    assert_checkpoint(&one);
    assert_eq!(list(&one, "events").len(), 5);
    assert!(home.fine(&["agent", "Billing"]).contains("Human escalation"));
}

#[test]
fn hostile_texts_never_reach_the_terminal_raw() {
    let home = Home::new();
    let hostile = "\u{1b}[2J\u{1b}]0;t\u{7}\r\nfake \u{9b}31m \u{202e}x\u{2066}\u{200b}\u{e0041}";
    let event = |kind: &str, n: u32| {
        serde_json::json!({
            "event_id": format!("{hostile}{n}"), "event_type": kind, "agent_name": hostile,
            "trace_id": hostile, "session_id": hostile, "task_id": hostile, "tool": hostile,
            "action": hostile, "error_type": hostile, "error": hostile, "params": {"task": hostile},
            "parent_event_id": format!("{hostile}{}", n.saturating_sub(1)), "tags": [hostile],
        })
        .to_string()
    };
    let kinds =
        ["agent.tool_call", "agent.error", "agent.handoff", "agent.invocation", "agent.decision"];
    let lines: Vec<String> = kinds.iter().zip(0..).map(|(kind, n)| event(kind, n)).collect();
    let ran = home.feed(&["append"], lines.join("\n").as_bytes());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for what in [&["events"][..], &["tail"], &["agent"], &["session"]] {
        for format in ["text", "json", "ndjson"] {
            commands.push([what, &["--format", format]].concat());
        }
    }
    for format in ["text", "timeline", "tree", "json", "ndjson"] {
        commands.push(vec!["trace", hostile, "--format", format]);
    }
    commands.extend([vec!["agent", hostile], vec!["session", hostile]]);
    for command in &commands {
        let ran = home.run(command);
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
        assert!(ran.out.len() > 20, "{command:?}");
        assert_harmless(&(ran.out + &ran.err));
    }
    // Ids that are not there are written back too.
    for command in [["trace", "\u{1b}[2Jq"], ["session", "\u{9b}q"], ["agent", "\u{202e}q"]] {
        let ran = home.run(&command);
        assert_eq!(ran.code, 1);
        assert_harmless(&(ran.out + &ran.err));
    }
    let mut tail = Following::start(&home, &["--format", "text"]);
    for _ in &kinds {
        assert_harmless(&tail.line());
    }
}

fn assert_harmless(text: &str) {
    let bad = text.chars().find(|c| *c != '\n' && query::escape::is_hidden(*c));
    assert_eq!(bad, None, "{text:?}");
}

/// `tacho tail -f`, ended when it is dropped.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(&[&["tail", "-f", "-n", "5"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.recv_timeout(Duration::from_secs(20)).expect("a line within 20 s")
    }

    /// The index in the next line.
    fn index(&mut self) -> u64 {
        let line = self.line();
        serde_json::from_str::<Value>(&line).unwrap()["index"].as_u64().unwrap()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn reading_works_while_a_writer_is_active_and_tail_follows_it() {
    let home = Home::new();
    assert_eq!(home.feed(&["append"], events(0..20).as_bytes()).code, 0);
    let size = json(&home, &["events"])["checkpoint"]["size"].as_u64().unwrap();
    let mut tail = Following::start(&home, &["--format", "ndjson"]);
    for index in size - 5..size {
        assert_eq!(tail.index(), index);
    }
    let mut command = home.command(&["append"]);
    let mut writer =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = writer.stdin.take().unwrap();
    let mut answers = BufReader::new(writer.stdout.take().unwrap());
    let mut next = size;
    for round in 1..4 {
        stdin.write_all(events(round * 100..round * 100 + 10).as_bytes()).unwrap();
        stdin.flush().unwrap();
        for _ in 0..10 {
            let mut answer = String::new();
            answers.read_line(&mut answer).unwrap();
            assert!(answer.contains("\"index\""), "{answer}");
        }
        // The log says that it was started before the first of them.
        next += if round == 1 { 11 } else { 10 };
        while tail.index() + 1 < next {}
        // The writer holds the log, and everybody can read.
        home.fine(&["events", "--limit", "5"]);
        home.fine(&["session"]);
    }
    drop(stdin);
    assert!(writer.wait().unwrap().success());
    // `log.stopped` comes last.
    assert_eq!(tail.index(), next);
    drop(tail);
    // A second writer makes the journal go on, or a new file: following finds both.
    let mut tail = Following::start(&home, &["--format", "ndjson", "--type", "agent.*"]);
    for _ in 0..5 {
        tail.line();
    }
    assert_eq!(home.feed(&["append"], events(900..903).as_bytes()).code, 0);
    let indexes = [tail.index(), tail.index(), tail.index()];
    assert_eq!(indexes, [next + 2, next + 3, next + 4]);
    drop(tail);
    home.fine(&["verify"]);
}

#[test]
fn what_follows_comes_as_lines_for_siems_too() {
    let home = Home::new();
    assert_eq!(home.feed(&["append"], events(0..5).as_bytes()).code, 0);
    let mut tails = ["cef", "ecs", "ocsf"]
        .map(|format| Following::start(&home, &["--format", format, "--type", "agent.*"]));
    for tail in &mut tails {
        for _ in 0..5 {
            tail.line();
        }
    }
    assert_eq!(home.feed(&["append"], events(70..71).as_bytes()).code, 0);
    let [cef, ecs, ocsf] = tails.each_mut().map(|tail| tail.line());
    let [ecs, ocsf]: [Value; 2] = [ecs, ocsf].map(|line| serde_json::from_str(&line).unwrap());
    let index = ecs["event"]["sequence"].as_u64().unwrap();
    assert_eq!(ocsf["metadata"]["sequence"], index);
    assert!(cef.starts_with("CEF:0|") && cef.contains(&format!(" cn1={index}")), "{cef}");
    let origin = &json(&home, &["events"])["checkpoint"]["origin"];
    assert_eq!((&ecs["tachograph"]["origin"], &ocsf["metadata"]["log_source"]), (origin, origin));
    assert!(cef.contains(&format!(" deviceExternalId={} ", origin.as_str().unwrap())), "{cef}");
}

#[test]
fn reading_changes_no_byte() {
    let home = recorded();
    let before = home.files("tachograph-data");
    let mut tail = Following::start(&home, &[]);
    tail.line();
    for command in [
        &["events"][..],
        &["tail"],
        &["trace", REFUND],
        &["session"],
        &["agent", "Billing"],
        &["trace", "nope"],
        &["retention", "plan"],
        &["hold", "list"],
    ] {
        home.run(command);
    }
    drop(tail);
    assert!(before == home.files("tachograph-data"));
}

#[test]
fn an_answer_that_lacks_damaged_records_says_so_and_fails() {
    let home = recorded();
    let journal = home.log().join("journal/00000000000000000000.journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    for command in [&["events", "--limit", "0"][..], &["agent"], &["trace", REFUND]] {
        let ran = home.run(command);
        assert_eq!(ran.code, 1, "{command:?}");
        assert!(ran.err.contains("the answer may lack "), "{command:?}: {}", ran.err);
        assert!(!ran.out.is_empty());
    }
}

/// `tacho events | head -1` ends as `tacho events` does.
#[test]
fn what_an_answer_lacks_counts_also_when_nobody_reads_it() {
    let home = recorded();
    let journal = home.log().join("journal/00000000000000000000.journal");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[4000] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let all = ["events", "--limit", "0"];
    let lines = ["events", "--limit", "0", "--oldest-first", "--format", "ndjson"];
    let export = ["export", "--format", "ndjson", "--unrecorded"];
    for command in [
        &all[..],
        &lines,
        &["tail", "-n", "1000"],
        &["agent"],
        &["session"],
        &["trace", OTLP],
        &["trace", OTLP, "--format", "ndjson"],
        &["trace", OTLP, "--format", "dot"],
        &["trace", OTLP, "--diff", OTLP],
        &["replay", OTLP, "--every"],
        &["forensics", OTLP],
        &export,
    ] {
        assert_eq!(home.run(command).code, 1, "{command:?}");
        assert_eq!(home.unread(command), Some(1), "{command:?}");
    }
}

/// What is not there may be in what cannot be read: the damaged record is named as `verify` names
/// it, out of a frame with others that are whole.
#[test]
fn what_may_be_in_a_damaged_record_is_not_said_to_be_unknown() {
    let home = Home::new();
    let line = |n: u64| {
        format!(
            "{{\"event_id\":\"e-{n}\",\"event_type\":\"agent.decision\",\"trace_id\":\"t-{n}\",\"agent_name\":\"a-{n}\"}}\n"
        )
    };
    let lines: String = (0..20).map(line).collect();
    assert_eq!(home.feed(&["append"], lines.as_bytes()).code, 0);
    let journal = home.log().join("journal/00000000000000000000.journal");
    let whole = std::fs::read(&journal).unwrap();
    let mut named = std::collections::BTreeSet::new();
    for at in (whole.len() / 3..whole.len()).step_by(whole.len() / 9) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&journal, bytes).unwrap();
        let report = home.run(&["verify", "--format", "json"]);
        assert_eq!(report.code, 10, "byte {at}: {}", report.err);
        let report: Value = serde_json::from_str(&report.out).unwrap();
        let record = list(&report, "findings").iter().find_map(|it| it["index"].as_u64());
        let Some(record) = record else { continue };
        for command in [&["trace", "nope"][..], &["agent", "nope"], &["forensics", "nope"]] {
            let ran = home.run(command);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (1, ""),
                "byte {at}, {command:?}: {}",
                ran.err
            );
            let says = format!("record {record} in journal/");
            assert!(ran.err.contains(&says), "byte {at}, {command:?}: {}", ran.err);
            assert!(ran.err.contains("not every record can"), "{}", ran.err);
        }
        named.insert(record);
    }
    assert!(named.len() > 2, "{named:?}");
}

#[test]
fn nothing_is_wider_than_the_page_and_no_colour_goes_into_a_pipe() {
    let home = recorded();
    for command in [&["events"][..], &["trace", REFUND], &["session"], &["trace", OTLP]] {
        let text = home.fine(command);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn formats_that_a_command_does_not_have_are_a_usage_error() {
    let home = recorded();
    for command in [["events", "tree"], ["tail", "dot"], ["agent", "svg"]] {
        let ran = home.run(&[command[0], "--format", command[1]]);
        assert_eq!(ran.code, 2, "{command:?}: {}", ran.err);
    }
    assert_eq!(home.run(&["tail", "-f", "--format", "json"]).code, 2);
}
