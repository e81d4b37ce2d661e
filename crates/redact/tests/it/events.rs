//! Whole events, through the door that everybody uses.

use event::Event;
use proptest::prelude::*;
use redact::{Policy, Preset, Redactor};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

fn redactors() -> &'static [Redactor] {
    static ONCE: OnceLock<Vec<Redactor>> = OnceLock::new();
    ONCE.get_or_init(|| {
        let of = |preset: &Preset| Redactor::new(&Policy::preset(*preset), [7; 32]).unwrap();
        Preset::ALL.iter().map(of).collect()
    })
}

fn parts(event: &Event<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    (meta, content)
}

/// A secret or a number of every kind, and glue.
fn text() -> impl Strategy<Value = String> {
    let mut pieces: Vec<String> = redact::examples()
        .flat_map(|examples| examples.takes.iter().chain(examples.leaves))
        .map(|text| text.chars().filter(|c| !"«»¦".contains(*c)).collect())
        .collect();
    for glue in [
        "",
        " ",
        ": ",
        "=",
        "\"",
        "{\"password\":\"x\"}",
        "%20",
        "%3D",
        "cGFzc3dvcmQ9aHVu",
        "dGVyMg==",
        "[redacted:jwt]",
        "[token:email:0123456789abcdef]",
        "é",
        "\n",
        ",",
        "phone ",
    ] {
        pieces.push(glue.to_owned());
    }
    prop::collection::vec(prop::sample::select(pieces), 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "password",
        "a",
        "ssn",
        "phone",
        "cvv",
        "first_name",
        "name",
        "value",
        "dob",
        "text",
        r#"{"name":"api_key","value":"two words"}"#,
    ]);
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(4_111_111_111_111_111_u64)),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner.clone()), 0..4)
                .prop_map(|m| Value::Object(m.into_iter().map(|(k, v)| (k.into(), v)).collect())),
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

fn event() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["agent.tool_call", "agent.error", "x"]);
    (kind, value(), value(), text(), text()).prop_map(|(kind, params, other, agent, approver)| {
        let mut event = Map::new();
        event.insert("event_type".into(), kind.into());
        for (name, text) in [("agent_name", agent), ("approver", approver)] {
            if !text.is_empty() {
                event.insert(name.into(), text.into());
            }
        }
        event.insert("params".into(), params);
        event.insert("other".into(), other);
        Value::Object(event).to_string()
    })
}

/// Every path at which two values differ; a path ends where something is gone or new.
fn differences(before: &Value, after: &Value, path: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(b), Value::Object(a)) => {
            let names = b.keys().chain(a.keys().filter(|name| !b.contains_key(*name)));
            for name in names {
                let path = format!("{path}.{name}");
                match (b.get(name), a.get(name)) {
                    (Some(b), Some(a)) => differences(b, a, &path, found),
                    // A name that held a secret: the new one is noted.
                    (Some(_), None) if a.len() == b.len() => {}
                    _ => found.push(path),
                }
            }
        }
        (Value::Array(b), Value::Array(a)) if a.len() == b.len() => {
            for (number, (b, a)) in b.iter().zip(a).enumerate() {
                differences(b, a, &format!("{path}.{number}"), found);
            }
        }
        _ if before != after => found.push(path.to_owned()),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn redacting_again_changes_nothing_and_what_comes_out_reads_back(text in event()) {
        for redactor in redactors() {
            let Ok(event) = Event::from_json(text.as_bytes()) else { continue };
            let first = redactor.redact(event).into_inner();
            let (meta, content) = parts(&first);
            let read = Event::from_stored(&meta, &content);
            prop_assert!(read.is_ok(), "{}", String::from_utf8_lossy(&content));
            let second = redactor.redact(read.unwrap()).into_inner();
            prop_assert_eq!(parts(&second), (meta.clone(), content.clone()), "{}", text);
        }
    }

    #[test]
    fn what_changed_is_noted(text in event()) {
        for redactor in redactors() {
            let Ok(event) = Event::from_json(text.as_bytes()) else { continue };
            let before: Vec<Value> =
                event.content.parts.iter().map(|(_, json)| json.to_value()).collect();
            let agent = event.agent_name.clone();
            let after = redactor.redact(event.clone()).into_inner();
            let noted = |path: &str| after.redactions.iter().any(|note| {
                let note = note.path.trim_end_matches('…');
                note == path || note.starts_with(&format!("{path}.")) || note.contains("[hash:")
            });
            for ((part, _), value) in event.content.parts.iter().zip(&before) {
                let Some(now) = after.content.get(*part) else {
                    prop_assert!(noted(part.as_str()), "{}", text);
                    continue;
                };
                let mut changed = Vec::new();
                differences(value, &now.to_value(), part.as_str(), &mut changed);
                for path in changed {
                    prop_assert!(noted(&path), "{} in {}: {:?}", path, text, after.redactions);
                }
            }
            prop_assert!(agent == after.agent_name || noted("agent_name"), "{}", text);
        }
    }

    #[test]
    fn the_result_does_not_depend_on_what_else_is_redacted(
        texts in prop::collection::vec(event(), 1..6)
    ) {
        for redactor in redactors() {
            let events: Vec<Event<'_>> =
                texts.iter().filter_map(|text| Event::from_json(text.as_bytes()).ok()).collect();
            let alone: Vec<_> =
                events.iter().map(|event| parts(redactor.redact(event.clone()).get())).collect();
            let mut backwards: Vec<_> =
                events.into_iter().rev().map(|event| parts(redactor.redact(event).get())).collect();
            backwards.reverse();
            prop_assert_eq!(alone, backwards);
        }
    }
}

#[test]
fn a_token_keeps_its_original_in_the_content_and_only_its_own() {
    let redactor = &redactors()[3];
    let mut event = Event::new("agent.decision");
    event.approver = Some("Grace Baker".into());
    let first = redactor.redact(event).into_inner();
    let approver = first.approver.clone().unwrap();
    assert!(approver.starts_with("[token:field:"), "{approver}");
    let kept = first.content.attribute("tachograph.tokens").unwrap().to_value();
    assert_eq!(kept[&*approver], "Grace Baker");
    assert_eq!(first.redactions[0].action, "tokenise");
    assert_eq!(redactor.redact(first.clone()).into_inner(), first);
    // Somebody else's word for it is searched as any other.
    let forged = json!({ "event_type": "x",
        "tachograph.tokens": { "[token:field:0123456789abcdef]": "password=hunter2" } });
    let forged = forged.to_string();
    let event = redactor.redact(Event::from_json(forged.as_bytes()).unwrap()).into_inner();
    let (_, content) = parts(&event);
    assert!(!String::from_utf8(content).unwrap().contains("hunter2"));
    assert!(event.content.attribute("tachograph.tokens").is_none());
}

#[test]
fn fields_go_by_their_path_whatever_stands_there() {
    let policy = Policy::from_toml(
        r#"
        [[fields]]
        path = "params.user.*"
        action = "mask"
        [[fields]]
        path = "params.user.id"
        action = "allow"
        [[fields]]
        path = "headers.x-*"
        action = "drop"
        [[fields]]
        path = "result"
        action = "drop"
        tiers = ["critical"]
        "#,
    )
    .unwrap();
    let redactor = Redactor::new(&policy, [7; 32]).unwrap();
    let text = r#"{"event_type":"agent.error","params":{"user":{"name":"Ada","age":36,"ok":true,"none":null,"id":"a@b.co"}},"result":"r","headers":{"X-User":"Ada","accept":"*"}}"#;
    let event = redactor.redact(Event::from_json(text.as_bytes()).unwrap()).into_inner();
    let (_, content) = parts(&event);
    assert_eq!(
        String::from_utf8(content).unwrap(),
        r#"{"params":{"user":{"name":"[redacted:field]","age":"[redacted:field]","ok":"[redacted:field]","none":null,"id":"a@b.co"}},"attributes":{"headers":{"accept":"*"}}}"#
    );
    let debug = text.replace("agent.error", "agent.note");
    let event = redactor.redact(Event::from_json(debug.as_bytes()).unwrap()).into_inner();
    assert!(event.content.get(event::Part::Result).is_some());
}

#[test]
fn one_layer_of_encoding_hides_nothing() {
    let redactor = &redactors()[0];
    for (text, expected) in [
        (
            "go to /x?q=password%3Dhunter2%20now",
            "go to /x?q=password%3D[redacted:assignment]%20now",
        ),
        ("see cGFzc3dvcmQ9aHVudGVyMg== there", "see [redacted:assignment] there"),
        ("data eyJwYXNzd29yZCI6ICJodW50ZXIyIn0=", "data [redacted:assignment]"),
        ("x=%41dmin%21", "x=%41dmin%21"),
    ] {
        let text = json!({ "event_type": "x", "result": text }).to_string();
        let event = redactor.redact(Event::from_json(text.as_bytes()).unwrap()).into_inner();
        let result = event.content.get(event::Part::Result).unwrap().to_text().unwrap();
        assert_eq!(result, expected);
    }
}

#[test]
fn the_logs_own_records_are_beyond_any_policy() {
    let policy = Policy::from_toml("preset = 'strict'\n[[fields]]\npath = '**'\naction = 'drop'");
    let redactor = Redactor::new(&policy.unwrap(), [7; 32]).unwrap();
    let text = br#"{"event_type":"x","params":{"ip":"203.0.113.7"}}"#;
    for (event_type, kept) in [("log.access", true), ("agent.access", false)] {
        let mut event = Event::from_json(text).unwrap();
        event.event_type = event_type.into();
        let event = redactor.redact(event).into_inner();
        assert_eq!(event.content.get(event::Part::Params).is_some(), kept, "{event_type}");
    }
}

/// Signatures and the salts beside them are as good as random: some hold what looks like a key.
#[test]
fn a_signature_of_an_agent_and_its_salt_are_left_alone() {
    // Marsaglia's xorshift64: as good as random, and the same every time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    for seed in 0..2_000_u32 {
        let mut bytes = [0; 64];
        bytes.iter_mut().for_each(|byte| *byte = random());
        let key = event::AgentKey::from_bytes(bytes[..32].try_into().unwrap());
        let salt: String = bytes[..32].iter().map(|it| char::from(b'a' + (it & 15))).collect();
        let mut event = Event::new("agent.tool_call");
        event.event_id = Some("e-1".into());
        event.content.set_attribute(event::SIGNATURE_SALT, event::Json::string(&salt));
        event.sign(key, &|_| bytes);
        for redactor in redactors() {
            let redacted = redactor.redact(event.clone());
            assert_eq!(redacted.get(), &event, "{seed} {redactor:?}");
        }
    }
    // One that a rule takes a part of, and that is a signature all the same.
    let mut event = Event::new("agent.tool_call");
    event.sign(event::AgentKey::from_bytes([7; 32]), &|_| [7; 64]);
    let signed = event.signature.take().unwrap();
    let (rest, _) = signed.rsplit_once(':').unwrap();
    let key = concat!("AKI", "AQ3EGPIC5TJZLMNVD/");
    event.signature = Some(format!("{rest}:{key}{}==", "A".repeat(86 - key.len())).into());
    for redactor in redactors() {
        assert_eq!(redactor.redact(event.clone()).get(), &event, "{redactor:?}");
    }
    // Whatever else stands there is a text as any other.
    let mut event = Event::new("agent.tool_call");
    event.signature = Some("ed25519:alice@example.com".into());
    let redacted = redactors()[0].redact(event);
    assert!(!redacted.get().signature.as_deref().unwrap().contains("alice"));
}
