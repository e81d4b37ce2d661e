//! Whole events: every place, twice, and never a panic.

use super::*;
use crate::policy::RuleSetting;
use event::limits::LIST_ITEMS_MAX;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn redactor() -> &'static Redactor {
    static ONCE: std::sync::OnceLock<Redactor> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| Redactor::new(&Policy::default(), [7; 32]).unwrap())
}

fn stored(event: &Event<'_>) -> String {
    let mut bytes = Vec::new();
    event.write_meta(&mut bytes);
    event.write_content(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// The notes without the last, which names the policy.
fn own<'e>(notes: &'e [Redaction<'e>]) -> &'e [Redaction<'e>] {
    let (policy, own) = notes.split_last().unwrap();
    assert_eq!((&*policy.path, &*policy.rule), ("*", "policy"));
    assert!(policy.action.starts_with("default#"), "{policy:?}");
    own
}

/// Redacts twice; the second time must change nothing.
fn redact(text: &str) -> String {
    let event =
        Event::from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let first = redactor().redact(event).into_inner();
    let written = stored(&first);
    let second = redactor().redact(first).into_inner();
    assert_eq!(stored(&second), written);
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    second.write_meta(&mut meta);
    second.write_content(&mut content);
    assert_eq!(stored(&Event::from_stored(&meta, &content).unwrap()), written);
    written
}

/// Secrets that hold the word `canary` or a part that stands for it.
const CANARIES: &[(&str, &str)] = &[
    ("sk-canaryCANARY0123456789abc", "canary"),
    ("key=canary-7", "canary"),
    ("password: canary7", "canary"),
    ("canary@example.com", "canary"),
    ("Bearer canary0123456789", "canary"),
    ("https://u:canary@host/x", "canary"),
    ("4111 1111 1111 1111", "1111 1111"),
    ("-----BEGIN PRIVATE KEY-----canary", "canary"),
    ("eyJcanarycanary1.canarycanary2.x", "canary"),
    ("AKIACANARY0123456789", "CANARY"),
];

#[test]
fn no_text_of_the_metadata_lets_a_secret_through() {
    for (canary, part) in CANARIES {
        let texts = [
            "event_id",
            "agent_name",
            "agent_id",
            "agent_version",
            "task_id",
            "session_id",
            "trace_id",
            "parent_event_id",
            "action",
            "tool",
            "version",
            "error_type",
            "source",
            "on_behalf_of",
            "approver",
            "signature",
            "model",
        ];
        for name in texts {
            let text = json!({ "event_type": "agent.error", name: canary }).to_string();
            let out = redact(&text);
            assert!(
                !out.contains(part) && out.contains(&format!("\"path\":\"{name}")),
                "{name}: {out}"
            );
        }
        for (name, value) in [
            ("caused_by", json!(["a", canary])),
            ("tags", json!([canary, "b"])),
            ("model", json!({"provider": canary})),
            ("model", json!({"requested": canary, "responded": canary})),
            ("producer", json!({"id": canary, "sdk": canary})),
            ("cost", json!({"amount": 1, "currency": canary})),
            ("redactions", json!([{"path": canary, "rule": canary, "action": canary}])),
        ] {
            let out = redact(&json!({ "event_type": "agent.error", name: value }).to_string());
            assert!(!out.contains(part), "{name}: {out}");
        }
        let event_type = if canary.contains(' ') { "x" } else { canary };
        let mut event = Event::new(event_type);
        event.principal = Some(event::Principal {
            issuer: Some((*canary).into()),
            subject: Some((*canary).into()),
            method: Some((*canary).into()),
        });
        let out = stored(redactor().redact(event).get());
        assert!(!out.contains("canary"), "{out}");
    }
}

#[test]
fn json_in_a_text_of_the_metadata_is_known_by_its_structure() {
    let inner = r#"{"user":"x","password":"hunter2-horse","n":1}"#;
    for name in ["action", "agent_name", "error_type", "source", "approver"] {
        let event = json!({ "event_type": "agent.error", name: inner });
        let out: Value = serde_json::from_str(&redact(&event.to_string())).unwrap();
        let text = out[name].as_str().unwrap();
        assert!(!text.contains("hunter2") && text.contains(r#""user":"x""#), "{name}: {text}");
        assert_eq!(out["redactions"][0]["path"], format!("{name}.password"), "{out}");
    }
    // An id is of no use in part.
    for name in ["event_id", "session_id", "trace_id", "task_id", "event_type"] {
        let mut event = json!({ "event_type": "agent.error" });
        event[name] = inner.into();
        let out: Value = serde_json::from_str(&redact(&event.to_string())).unwrap();
        let text = out[name].as_str().unwrap();
        assert!(text.starts_with("[hash:sensitive_member:"), "{name}: {text}");
    }
}

#[test]
fn no_place_of_the_content_lets_a_secret_through() {
    for (canary, part) in CANARIES {
        let inner = json!({ "a": [canary], (*canary): 1 }).to_string();
        let places = [
            json!(canary),
            json!(format!("some text, {canary}\nand more")),
            json!([1, [canary]]),
            json!({"a": {"b": [{"c": canary}]}}),
            json!({ (*canary): "x" }),
            json!({ "a": { (*canary): [] } }),
            json!({ "arguments": inner }),
            json!({ "arguments": json!({"nested": inner}).to_string() }),
            json!({ "messages": [{"role": "user", "content": [{"type": "text", "text": canary}]}] }),
            json!([format!("data: {}", json!({"x": canary}))]),
        ];
        for value in places {
            for name in
                ["params", "result", "reasoning", "context", "error", "input", "output", "other"]
            {
                let mut event = Map::new();
                event.insert("event_type".into(), "agent.tool_call".into());
                event.insert(name.into(), value.clone());
                let text = Value::Object(event).to_string();
                assert!(!redact(&text).contains(part), "{text}");
                // Every character of every string escaped.
                let escaped = escape_strings(&text);
                assert!(!redact(&escaped).contains(part), "{escaped}");
            }
        }
        let text =
            json!({ "event_type": "x", (*canary): 1, "attributes": { format!("{canary} 2"): 2 } });
        let out = redact(&text.to_string());
        assert!(!out.contains(part), "{out}");
    }
}

/// Writes the letters and digits inside the content's strings as `\uXXXX`.
fn escape_strings(text: &str) -> String {
    let (head, tail) = text.split_once("tool_call\"").unwrap();
    let mut out = format!("{head}tool_call\"");
    let (mut inside, mut skip) = (false, 0);
    let mut name_done = false;
    for c in tail.chars() {
        match c {
            _ if skip > 0 => {
                skip -= 1;
                out.push(c);
            }
            '\\' if inside => {
                skip = 1;
                out.push(c);
            }
            '"' => {
                inside = !inside;
                name_done |= !inside;
                out.push(c);
            }
            c if inside && name_done && c.is_ascii() => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c => out.push(c),
        }
    }
    out
}

#[test]
fn ids_keep_their_meaning_as_hashes() {
    let text = json!({
        "event_type": "agent.error", "session_id": "a@b.co", "trace_id": "x a@b.co", "caused_by": ["a@b.co", "plain"],
    });
    let event: Event<'_> = Event::from_json(text.to_string().leak().as_bytes()).unwrap();
    let redacted = redactor().redact(event).into_inner();
    let session = redacted.session_id.unwrap();
    assert!(session.starts_with("[hash:email:") && session.len() == 29, "{session}");
    assert_eq!(redacted.caused_by, [session.clone(), "plain".into()]);
    assert_ne!(redacted.trace_id.unwrap(), session);
    assert!(own(&redacted.redactions).iter().all(|note| note.action == "hash"));
    let other = Redactor::new(&Policy::default(), [8; 32]).unwrap();
    let event = Event { session_id: Some("a@b.co".into()), ..Event::new("x") };
    assert_ne!(other.redact(event).into_inner().session_id.unwrap(), session);
}

#[test]
fn dropped_texts_and_attributes_are_gone() {
    let rules = ["email", "sensitive_member", "card_number"];
    let rules = rules
        .map(|rule| RuleSetting {
            rule: rule.into(),
            action: Action::Drop,
            ..RuleSetting::default()
        })
        .to_vec();
    let redactor = Redactor::new(&Policy { rules, ..Policy::default() }, [7; 32]).unwrap();
    let text = br#"{"event_type":"x","agent_name":"a@b.co","tags":["a@b.co","t"],"model":"a@b.co","password":"p",
        "cost":{"amount":4111111111111111},"other":"kept"}"#;
    let event = redactor.redact(Event::from_json(text).unwrap()).into_inner();
    assert_eq!((&event.agent_name, &event.cost), (&None, &None));
    assert_eq!(event.tags, ["t"]);
    assert_eq!(event.content.attributes.len(), 1);
    let paths: Vec<&str> = own(&event.redactions).iter().map(|note| &*note.path).collect();
    assert_eq!(paths, ["agent_name", "tags", "model.name", "cost.amount", "attributes.password"]);
    assert!(own(&event.redactions).iter().all(|note| note.action == "drop"));
}

#[test]
fn notes_are_bounded_and_the_last_counts_the_rest() {
    let addresses: Vec<String> = (0..600).map(|i| format!("a{i}@b.co")).collect();
    let text = json!({"event_type": "x", "params": addresses, "redactions": [{"path": "p", "rule": "r", "action": "mask"}]});
    let text = text.to_string();
    let event = redactor().redact(Event::from_json(text.as_bytes()).unwrap()).into_inner();
    assert_eq!(event.redactions.len(), LIST_ITEMS_MAX);
    assert_eq!(event.redactions[0].path, "p");
    let last = own(&event.redactions).last().unwrap();
    assert_eq!((&*last.path, &*last.rule), ("*", "347 more"));
    assert!(event.check().is_ok());
    redact(&text);
}

#[test]
fn clean_events_pass_untouched() {
    let text = r#"{"event_type":"agent.tool_call","session_id":"sess-00012","task_id":"task-0000012","action":"tool_call:web_search","params":{"max_tokens":1024,"x":1.50,"ref":"R000123"},"reasoning":"the token of the key: next"}"#;
    let event = Event::from_json(text.as_bytes()).unwrap();
    assert_eq!(*redactor().redact(event.clone()).get(), event);
}

#[test]
fn the_key_does_not_show() {
    let redactor = Redactor::new(&Policy::default(), [173; 32]).unwrap();
    assert!(!format!("{redactor:?}").contains("173"));
}

#[test]
fn one_redactor_serves_all_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(redactor());
}

/// JSON of any shape, of hostile strings.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "password",
        "key",
        "token",
        "a@b.co",
        "a@b",
        "co",
        "sk-",
        "x=1",
        "key=sk-secret",
        "[redacted:email]",
        "{}",
        "[",
        "{\"password\":\"x\"}",
        "\"a@b.co\"",
        "Authorization",
        "Bearer abcdef123456",
        "é",
        "\\",
        "\"",
        "value",
        "name",
        "4111111111111111",
        "null",
        "",
        "-----BEGIN PRIVATE KEY-----",
        "\u{0}",
        "type",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(4_111_111_111_111_111_u64)),
        text.clone().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner.clone()), 0..5).prop_map(|members| {
                Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_event_is_redacted_once_and_for_all(params in any_json(), other in any_json(), name in "[a-z@.= -]{1,12}") {
        let mut event = Map::new();
        event.insert("event_type".into(), "agent.tool_call".into());
        event.insert("params".into(), params);
        event.insert("attributes".into(), json!({ name: other }));
        let text = Value::Object(event).to_string();
        redact(&text);
        for action in [Action::Drop, Action::Hash] {
            let redactor = by_action(action);
            let Ok(event) = Event::from_json(text.as_bytes()) else { continue };
            let first = redactor.redact(event).into_inner();
            let second = redactor.redact(first.clone()).into_inner();
            prop_assert_eq!(first, second);
        }
    }
}

fn by_action(action: Action) -> &'static Redactor {
    static ONCE: [std::sync::OnceLock<Redactor>; 3] = [const { std::sync::OnceLock::new() }; 3];
    ONCE[action as usize].get_or_init(|| {
        let setting = |rule: &Rule| RuleSetting {
            rule: rule.as_str().into(),
            action,
            ..RuleSetting::default()
        };
        let rules = Rule::ALL.iter().map(setting).collect();
        Redactor::new(&Policy { rules, ..Policy::default() }, [7; 32]).unwrap()
    })
}
