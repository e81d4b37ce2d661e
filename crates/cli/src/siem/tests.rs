//! Lines that strangers' texts do not break, and what stands in them.

use super::*;
use serde_json::json;

const ORIGIN: &str = "log.example/main";

fn record(value: &Value) -> Found<'static> {
    let text = value.to_string();
    sealed(&Event::from_json(text.as_bytes()).unwrap())
}

/// A record whose sender was let in as somebody: producers do not say that of themselves.
fn record_of_a_caller(value: &Value) -> Found<'static> {
    let text = value.to_string();
    let mut event = Event::from_json(text.as_bytes()).unwrap();
    event.principal = Some(event::Principal {
        issuer: Some("https://idp.example".into()),
        subject: Some("agent-7".into()),
        method: None,
    });
    sealed(&event)
}

fn sealed(event: &Event<'_>) -> Found<'static> {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    Found {
        index: 7,
        recorded_at_ms: 1_793_629_400_000,
        tier: event::Tier::of(event),
        kind: Kind::Event,
        leaf_hash: Some([0xab; 32]),
        state: State::Present,
        meta: meta.into(),
        content: content.into(),
    }
}

fn line(form: Form, found: &Found<'_>) -> String {
    said(form, found, true)
}

fn said(form: Form, found: &Found<'_>, with_content: bool) -> String {
    let mut out = Vec::new();
    SiemLines { form, origin: ORIGIN.to_owned(), with_content }.add(found, &mut out);
    String::from_utf8(out).unwrap()
}

fn object(form: Form, found: &Found<'_>) -> Value {
    serde_json::from_str(&line(form, found)).unwrap()
}

fn call() -> Value {
    json!({
        "event_id": "e-1", "event_type": "agent.tool_call", "timestamp": "2026-11-02T14:23:06Z",
        "agent_name": "Billing", "tool": "process_refund", "action": "tool_call:process_refund",
        "trace_id": "t-1", "session_id": "s-1", "outcome": "timeout", "duration_ms": 12300,
        "error_type": "TimeoutError", "error": "no answer within 10 s", "model": "gpt-4o",
        "tokens": {"input": 100, "output": 20}, "on_behalf_of": "customer:7",
        "params": {"order_id": 1042},
    })
}

/// The head and the fields of a line, as a reader of CEF takes it apart.
fn parsed(line: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut head, mut rest) = (vec![String::new()], line.chars());
    while head.len() < 8 {
        match rest.next().unwrap() {
            '\\' => head.last_mut().unwrap().push(rest.next().unwrap()),
            '|' => head.push(String::new()),
            other => head.last_mut().unwrap().push(other),
        }
    }
    let (mut fields, mut part) = (Vec::<(String, String)>::new(), String::new());
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => part.push(rest.next().unwrap()),
            '=' => {
                // The name is what stands behind the last blank.
                let (value, name) = part.rsplit_once(' ').unwrap_or(("", &part));
                if let Some(before) = fields.last_mut() {
                    before.1 = value.to_owned();
                }
                fields.push((name.to_owned(), String::new()));
                part.clear();
            }
            other => part.push(other),
        }
    }
    fields.last_mut().unwrap().1 = part;
    head.pop();
    (head, fields)
}

/// A field of CEF.
fn field(line: &str, name: &str) -> Option<String> {
    parsed(line).1.into_iter().find(|(it, _)| it == name).map(|(_, value)| value)
}

#[test]
fn cef_says_who_did_what_and_how_it_ended() {
    let line = line(Form::Cef, &record(&call()));
    let (head, _) = parsed(&line);
    assert_eq!(
        [&head[0], &head[1], &head[4], &head[5], &head[6]],
        ["CEF:0", "Tachograph", "agent.tool_call", "tool_call:process_refund", "5"]
    );
    for (name, value) in [
        ("rt", "1793629400000"),
        ("start", "1793629386000"),
        ("externalId", "e-1"),
        ("deviceExternalId", ORIGIN),
        ("outcome", "failure"),
        ("reason", "TimeoutError"),
        ("msg", "no answer within 10 s"),
        ("sproc", "Billing"),
        ("dproc", "process_refund"),
        ("cs1Label", "traceId"),
        ("cs1", "t-1"),
        ("cs6", &"ab".repeat(32)),
        ("flexString1", "customer:7"),
        ("flexString2", "timeout"),
        ("cn1", "7"),
        ("cn2", "120"),
        ("cn3", "12300"),
    ] {
        assert_eq!(field(&line, name).as_deref(), Some(value), "{name}: {line}");
    }
    // Nobody vouched for a caller, and when it ended was not said.
    assert_eq!((field(&line, "suser"), field(&line, "end")), (None, None));
    let of_a_caller = super::tests::line(Form::Cef, &record_of_a_caller(&call()));
    assert_eq!(field(&of_a_caller, "suser").as_deref(), Some("agent-7"));
}

#[test]
fn in_cef_what_it_obeys_is_escaped_as_it_wants() {
    let mut event = call();
    event["action"] = "a|b\\c=d".into();
    event["error"] = "x|y\\z=1\nmsg=2\r".into();
    let line = line(Form::Cef, &record(&event));
    assert!(line.contains(r"|a\|b\\c=d|5|"), "{line}");
    assert!(line.contains(r" msg=x|y\\z\=1\\nmsg\=2\\r sproc="), "{line}");
}

#[test]
fn a_message_is_as_long_as_cef_allows() {
    let mut event = call();
    event["error"] = "é".repeat(5_000).into();
    let line = line(Form::Cef, &record(&event));
    assert_eq!(field(&line, "msg").unwrap().chars().count(), 1_023);
}

#[test]
fn ecs_has_the_fields_of_its_schema() {
    let ecs = object(Form::Ecs, &record_of_a_caller(&call()));
    assert_eq!(ecs["@timestamp"], "2026-11-02T14:23:06.000000000Z");
    assert_eq!(
        (&ecs["event"]["outcome"], &ecs["event"]["code"]),
        (&json!("failure"), &json!("agent.tool_call"))
    );
    assert_eq!(ecs["event"]["duration"], 12_300_000_000_u64);
    assert_eq!(ecs["gen_ai"]["tool"]["name"], "process_refund");
    assert_eq!(ecs["gen_ai"]["request"]["model"], "gpt-4o");
    assert_eq!(ecs["error"]["message"], "no answer within 10 s");
    assert_eq!(ecs["user"], json!({ "name": "agent-7", "domain": "https://idp.example" }));
    assert_eq!(ecs["related"]["user"], json!(["agent-7", "customer:7"]));
    assert_eq!(ecs["tachograph"]["leaf_hash"], "ab".repeat(32));
    // It is not the hash of `event.original`, which is what this field is for.
    assert!(ecs["event"].get("hash").is_none());
    let row: Value = serde_json::from_str(ecs["event"]["original"].as_str().unwrap()).unwrap();
    assert_eq!(row["content"]["params"]["order_id"], 1042);
}

/// What ECS 9.1 expects of `event.type` in each category that is used.
const EXPECTED: &[(&str, &[&str])] = &[
    (
        "api",
        &[
            "access", "admin", "allowed", "change", "creation", "deletion", "denied", "end",
            "info", "start", "user",
        ],
    ),
    ("authentication", &["start", "end", "info"]),
    ("configuration", &["access", "change", "creation", "deletion", "info"]),
    ("database", &["access", "change", "info", "error"]),
    ("intrusion_detection", &["allowed", "denied", "info"]),
    ("process", &["access", "change", "end", "info", "start"]),
];

#[test]
fn ecs_types_are_those_that_their_category_expects() {
    let kinds = [
        "agent.invocation",
        "agent.reasoning",
        "agent.tool_call",
        "agent.tool_result",
        "agent.decision",
        "agent.llm_response",
        "agent.error",
        "agent.code_execution",
        "agent.retrieval",
        "agent.security",
        "hub.task",
        "own.type",
        "log.started",
        "log.denied",
        "log.access",
        "log.erased",
        "log.configuration",
        "log.login_refused",
        "log.segment",
    ];
    for kind in kinds {
        for phase in [None, Some("intent"), Some("result"), Some("observation")] {
            for outcome in ["success", "failure", "denied", "unknown"] {
                let mut found = record(
                    &json!({ "event_type": "own.type", "phase": phase, "outcome": outcome }),
                );
                let meta = String::from_utf8(found.meta.to_vec()).unwrap();
                found.meta = meta.replace("own.type", kind).into_bytes().into();
                if kind.starts_with("log.") {
                    found.kind = Kind::Log;
                }
                let ecs = object(Form::Ecs, &found);
                let category = ecs["event"]["category"][0].as_str().unwrap();
                let (_, types) = EXPECTED.iter().find(|(name, _)| *name == category).unwrap();
                let shown = ecs["event"]["type"][0].as_str().unwrap();
                assert!(
                    types.contains(&shown),
                    "{kind}, {phase:?}, {outcome}: {category}, {shown}"
                );
            }
        }
    }
}

#[test]
fn ocsf_has_what_its_class_asks_for() {
    let mut found = record(&call());
    let ocsf = object(Form::Ocsf, &found);
    for required in [
        "activity_id",
        "actor",
        "api",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "src_endpoint",
        "time",
        "type_uid",
    ] {
        assert!(ocsf.get(required).is_some(), "{required}: {ocsf}");
    }
    assert_eq!((&ocsf["class_uid"], &ocsf["category_uid"]), (&json!(6_003), &json!(6)));
    assert_eq!((&ocsf["activity_id"], &ocsf["type_uid"]), (&json!(99), &json!(600_399)));
    assert_eq!((&ocsf["status_id"], &ocsf["severity_id"]), (&json!(2), &json!(3)));
    assert_eq!(ocsf["time"], 1_793_629_386_000_u64);
    let metadata = &ocsf["metadata"];
    assert_eq!((&metadata["version"], &metadata["sequence"]), (&json!("1.9.0"), &json!(7)));
    assert_eq!(metadata["logged_time"], 1_793_629_400_000_u64);
    assert_eq!(metadata["uid"], "log.example/main#7");
    assert_eq!(metadata["original_event_uid"], "e-1");
    assert_eq!(metadata["product"]["vendor_name"], "Tachograph");
    assert_eq!(ocsf["ai_agent"]["instance_uid"], "s-1");
    assert_eq!(ocsf["ai_agent"]["ai_model"]["model_name"], "gpt-4o");
    assert_eq!(ocsf["message_context"]["total_tokens"], 120);
    assert_eq!(ocsf["actor"], json!({ "application": { "name": "Unknown" } }));
    assert_eq!(ocsf["unmapped"]["leaf_hash"], "ab".repeat(32));
    // Attestations are computed over the line; this is not one.
    assert!(!ocsf.to_string().contains("attestation"), "{ocsf}");
    found.leaf_hash = None;
    assert!(object(Form::Ocsf, &found)["unmapped"].get("leaf_hash").is_none());
    let of_a_caller = object(Form::Ocsf, &record_of_a_caller(&call()));
    assert_eq!(of_a_caller["actor"]["user"], json!({ "name": "agent-7" }));
    assert_eq!(of_a_caller["actor"]["idp"], json!({ "name": "https://idp.example" }));
    let mut of_nobody = call();
    of_nobody["agent_name"] = Value::Null;
    let ocsf = object(Form::Ocsf, &record(&of_nobody));
    assert!(ocsf.get("ai_agent").is_none());
    assert_eq!(ocsf["ai_model"], json!({ "model_name": "gpt-4o", "ai_provider": "Unknown" }));
}

#[test]
fn an_end_that_nobody_reported_is_not_a_success() {
    for (outcome, word, id) in [
        (json!("success"), Some("success"), 1),
        (json!("failure"), Some("failure"), 2),
        (json!("denied"), Some("failure"), 2),
        (json!("unknown"), Some("unknown"), 0),
        (json!("cancelled"), Some("unknown"), 99),
        (Value::Null, None, 0),
    ] {
        let found = record(&json!({ "event_type": "agent.decision", "outcome": outcome }));
        assert_eq!(field(&line(Form::Cef, &found), "outcome").as_deref(), word, "{outcome}");
        assert_eq!(object(Form::Ecs, &found)["event"]["outcome"].as_str(), word, "{outcome}");
        assert_eq!(object(Form::Ocsf, &found)["status_id"], id, "{outcome}");
    }
}

#[test]
fn nothing_that_a_stranger_wrote_ends_a_line_a_field_or_a_value() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/hostile/payloads.json");
    let mut texts: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for more in ["a|b", "a\\", "a\\|b", "x act=allowed", "x=y", " msg=ok suser=root", "a\\\nb=c"] {
        texts.push(more.to_owned());
    }
    let made = |said: &str| {
        let mut value = call();
        for name in ["action", "agent_name", "tool", "trace_id", "error", "error_type", "model"] {
            value[name] = said.into();
        }
        record(&value)
    };
    let names =
        |line: &str| -> Vec<String> { parsed(line).1.into_iter().map(|(name, _)| name).collect() };
    let innocent = names(&line(Form::Cef, &made("x")));
    for said in texts.iter().filter(|said| !said.is_empty()) {
        let found = made(said);
        let cef = line(Form::Cef, &found);
        assert!(!cef.chars().any(query::escape::is_hidden), "{said:?}: {cef:?}");
        assert_eq!(parsed(&cef).0[5], query::escape::escape(said), "{said:?}");
        assert_eq!(names(&cef), innocent, "{said:?}: {cef}");
        assert_eq!(field(&cef, "dproc"), Some(query::escape::escape(said)));
        for (form, told) in [(Form::Ecs, "/gen_ai/tool/name"), (Form::Ocsf, "/api/operation")] {
            let line = line(form, &found);
            assert!(!line.chars().any(query::escape::is_hidden), "{said:?}: {line:?}");
            assert_eq!(object(form, &found).pointer(told).unwrap(), said);
        }
    }
}

#[test]
fn without_content_nothing_of_it_is_in_any_form() {
    let found = record(&call());
    for form in [Form::Cef, Form::Ecs, Form::Ocsf] {
        assert!(line(form, &found).contains("no answer"));
        let line = said(form, &found, false);
        assert!(!line.contains("no answer") && !line.contains("1042"), "{line}");
    }
}

/// A record that was erased.
fn erased() -> Found<'static> {
    let gone = Vec::new;
    Found { meta: gone().into(), content: gone().into(), state: State::Erased, ..record(&call()) }
}

#[test]
fn a_record_that_is_gone_is_a_line_that_says_so() {
    let (head, _) = parsed(&line(Form::Cef, &erased()));
    assert_eq!((head[4].as_str(), head[6].as_str()), ("record.erased", "1"));
    let ecs = object(Form::Ecs, &erased());
    assert_eq!(
        (&ecs["tachograph"]["state"], &ecs["event"]["sequence"]),
        (&json!("erased"), &json!(7))
    );
    assert_eq!(object(Form::Ocsf, &erased())["metadata"]["event_code"], "record.erased");
}

fn alert(level: &str) -> Found<'static> {
    record(&json!({
        "event_id": "alert-1", "event_type": "agent.security", "agent_name": "Billing",
        "action": "alert:approval-bypass", "timestamp": "2026-11-02T14:24:00Z", "tags": [level],
    }))
}

#[test]
fn an_alert_is_as_bad_as_its_rule_says() {
    for (level, cef, ocsf) in
        [("critical", "10", 5), ("high", "8", 4), ("low", "3", 2), ("odd", "5", 3)]
    {
        let found = alert(level);
        assert_eq!(parsed(&line(Form::Cef, &found)).0[6], cef);
        assert_eq!(object(Form::Ocsf, &found)["severity_id"], ocsf);
        assert_eq!(object(Form::Ecs, &found)["event"]["kind"], "alert");
    }
}

/// One of each, as files that people can look at; `UPDATE_GOLDEN=1` rewrites them.
#[test]
fn each_form_writes_what_its_golden_file_shows() {
    let hostile = record_of_a_caller(&json!({
        "event_id": "e|2", "event_type": "agent.tool_call", "timestamp": "2026-11-02T14:23:07Z",
        "agent_name": "a|b=c\\d", "tool": "x act=allowed", "error": "one\r\ntwo\u{202e}three",
        "outcome": "denied", "approver": "person:9", "phase": "intent", "producer": {"id": "desk"},
    }));
    let mut read = record(&json!({ "event_type": "own.access", "action": "content" }));
    let meta = String::from_utf8(read.meta.to_vec()).unwrap();
    read.meta = meta.replace("own.access", "log.access").into_bytes().into();
    (read.kind, read.leaf_hash) = (Kind::Log, None);
    let records = [record(&call()), hostile, alert("high"), read, erased()];
    for (form, name) in
        [(Form::Cef, "siem.cef"), (Form::Ecs, "siem.ecs.ndjson"), (Form::Ocsf, "siem.ocsf.ndjson")]
    {
        let found: String = records.iter().map(|found| line(form, found) + "\n").collect();
        let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap();
            std::fs::write(&path, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, wanted, "{name}; UPDATE_GOLDEN=1 accepts it");
    }
}
