//! What is accepted, what is refused and with which words.

use super::*;
use crate::members::members_by_serde;

fn refusal(json: &str) -> (Code, String) {
    let error = Event::from_json(json.as_bytes()).expect_err(json);
    assert!(!error.reason.is_empty());
    (error.code, error.field)
}

fn stored(event: &Event<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    (meta, content)
}

const FULL: &str = r#"{"schema":"tachograph.event/1","event_id":"e-1","event_type":"agent.llm_response",
 "timestamp":1767225600.25,"agent_name":"böb","agent_id":"a","agent_version":"2","task_id":"t","session_id":"s",
 "trace_id":"tr","parent_event_id":"e-0","caused_by":["x","y"],"action":"chat","tool":"mcp:look\"up","phase":"result",
 "outcome":"success","confidence":0.5,"duration_ms":12.5,"tokens":{"input":11.0,"output":3,"cache_read":4},
 "token_count":14,"cost":{"amount":0.00120,"currency":"USD"},"model":{"provider":"p","requested":"r","responded":"q"},
 "version":"1","error_type":null,"source":"user","principal":{"subject":"me"},"on_behalf_of":"carol",
 "approver":"dave","producer":{"id":"p1","seq":9,"sdk":"py/1"},"signature":"sig","tags":["a","b"],
 "redactions":[{"path":"params.k","rule":"r","action":"mask"}],
 "result": {"row": 7}, "params":{"q":"7"},"reasoning":"why","unknown":[1, 2],"attributes":{"z":1}}"#;

#[test]
fn every_field_is_read_and_reads_back_from_what_is_stored() {
    let event = Event::from_json(FULL.as_bytes()).unwrap();
    assert_eq!(event.tokens.unwrap().total, Some(14));
    assert_eq!(event.tokens.unwrap().input, Some(11));
    assert_eq!(event.cost.as_ref().unwrap().amount, "0.00120");
    assert_eq!(event.tool.as_deref(), Some("mcp:look\"up"));
    assert_eq!(event.principal, None, "a producer cannot name its principal");
    assert!(event.content.attribute("principal").is_some(), "but its claim is kept");
    let (meta, content) = stored(&event);
    let back = Event::from_stored(&meta, &content).unwrap();
    assert_eq!(back, event);
    assert_eq!(stored(&back), (meta, content.clone()));
    assert_eq!(
        std::str::from_utf8(&content).unwrap(),
        r#"{"result":{"row":7},"params":{"q":"7"},"reasoning":"why","attributes":{"principal":{"subject":"me"},"unknown":[1,2],"z":1}}"#
    );
}

#[test]
fn document_002_defaults_count_as_absent() {
    let event = Event::from_json(
        br#"{"event_type":"agent.decision","agent_name":"","model":"","error":null,"error_type":null,"result":null}"#,
    )
    .unwrap();
    assert_eq!(event, Event::new("agent.decision"));
}

#[test]
fn each_mistake_has_its_code_and_field() {
    let cases = [
        ("{", Code::NotJson, ""),
        ("[]", Code::NotAnObject, ""),
        ("7", Code::NotAnObject, ""),
        ("{}", Code::MissingField, "event_type"),
        (r#"{"event_type":""}"#, Code::MissingField, "event_type"),
        (r#"{"event_type":"log.created"}"#, Code::ReservedType, "event_type"),
        (r#"{"event_type":"a b"}"#, Code::BadValue, "event_type"),
        (r#"{"event_type":"a","event_type":"a"}"#, Code::DuplicateKey, "event_type"),
        (r#"{"event_type":"a","params":{"a":1,"a":1}}"#, Code::DuplicateKey, "params.a"),
        (r#"{"event_type":"a","attributes":{"a":1,"a":1}}"#, Code::DuplicateKey, "attributes.a"),
        (r#"{"event_type":"a","x":1,"attributes":{"x":1}}"#, Code::DuplicateKey, "x"),
        (
            r#"{"event_type":"a","tokens":{"input":1,"input":1}}"#,
            Code::DuplicateKey,
            "tokens.input",
        ),
        (r#"{"event_type":"a","tokens":{"inputs":1}}"#, Code::BadValue, "tokens.inputs"),
        (r#"{"event_type":"a","tokens":{"input":1.5}}"#, Code::BadValue, "tokens.input"),
        (r#"{"event_type":"a","tokens":7}"#, Code::WrongType, "tokens"),
        (r#"{"event_type":7}"#, Code::WrongType, "event_type"),
        (r#"{"event_type":"a","confidence":"high"}"#, Code::WrongType, "confidence"),
        (r#"{"event_type":"a","confidence":1.5}"#, Code::BadValue, "confidence"),
        (r#"{"event_type":"a","duration_ms":1e999}"#, Code::BadValue, "duration_ms"),
        (r#"{"event_type":"a","tags":"x"}"#, Code::WrongType, "tags"),
        (r#"{"event_type":"a","tags":[1]}"#, Code::WrongType, "tags"),
        (r#"{"event_type":"a","model":7}"#, Code::WrongType, "model"),
        (r#"{"event_type":"a","outcome":"great"}"#, Code::BadValue, "outcome"),
        (r#"{"event_type":"a","timestamp":"soon"}"#, Code::BadTimestamp, "timestamp"),
        (r#"{"event_type":"a","timestamp":-1}"#, Code::BadTimestamp, "timestamp"),
        (r#"{"event_type":"a","timestamp":{}}"#, Code::BadTimestamp, "timestamp"),
        (r#"{"event_type":"a","cost":{"currency":"USD"}}"#, Code::MissingField, "cost.amount"),
        (r#"{"event_type":"a","schema":"tachograph.event/2"}"#, Code::BadValue, "schema"),
        (r#"{"event_type":"a"} x"#, Code::NotJson, ""),
        ("2026-11-02 14:23:01 INFO started", Code::NotJson, ""),
    ];
    for (json, code, field) in cases {
        assert_eq!(refusal(json), (code, field.to_owned()), "{json}");
    }
    assert_eq!(Event::from_json(b"{\"event_type\":\"\xff\"}").unwrap_err().code, Code::BadUtf8);
}

#[test]
fn reasons_quote_nothing_that_was_sent() {
    for json in [
        "\"sk-canary\" x",
        "sk-canary",
        r#"{"event_type":"a","confidence":"sk-canary"}"#,
        r#"{"event_type":"a","tags":["sk-canary",1]}"#,
        r#"{"event_type":"a","outcome":"sk-canary"}"#,
        r#"{"event_type":"a","timestamp":"sk-canary"}"#,
        r#"{"event_type":"a","params":{"a":sk-canary}}"#,
        r#"{"event_type":"a","schema":"sk-canary"}"#,
    ] {
        let error = Event::from_json(json.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_part_that_stands_in_both_stored_halves_is_refused() {
    let meta = br#"{"event_type":"a","params":1}"#;
    let error = Event::from_stored(meta, br#"{"params":2}"#).unwrap_err();
    assert_eq!((error.code, &*error.field), (Code::DuplicateKey, "params"));
}

#[test]
fn size_depth_and_lengths_stop_at_their_limits() {
    let of = |key: &str, bytes: usize| {
        format!(r#"{{"event_type":"a","{key}":"{}"}}"#, "x".repeat(bytes))
    };
    assert_eq!(refusal(&of("params", limits::EVENT_BYTES_MAX)).0, Code::TooLarge);
    assert!(Event::from_json(of("params", limits::EVENT_BYTES_MAX - 100).as_bytes()).is_ok());
    assert_eq!(refusal(&of("event_id", 129)), (Code::TooLong, "event_id".into()));
    assert!(Event::from_json(of("event_id", 128).as_bytes()).is_ok());
    assert_eq!(
        refusal(&of("action", limits::TEXT_BYTES_MAX + 1)),
        (Code::TooLong, "action".into())
    );
    let nest = |levels: usize| {
        format!(r#"{{"event_type":"a","params":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
    };
    assert!(Event::from_json(nest(limits::NESTING_MAX - 1).as_bytes()).is_ok());
    assert_eq!(refusal(&nest(limits::NESTING_MAX)), (Code::TooDeep, "params".to_owned()));
    assert_eq!(refusal(&of("model", limits::TEXT_BYTES_MAX + 1)), (Code::TooLong, "model".into()));
    let tags = format!(r#"{{"event_type":"a","tags":[{}]}}"#, vec!["\"t\""; 257].join(","));
    assert_eq!(refusal(&tags), (Code::TooLong, "tags".into()));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(".*", inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Event::from_json(&bytes);
            let _ = Event::from_stored(&bytes, &bytes);
        }

        #[test]
        fn whatever_is_accepted_survives_storage(
            params in value(),
            extra in value(),
            agent in ".{1,20}",
            pretty in any::<bool>(),
        ) {
            let json = serde_json::json!({
                "event_type": "a.b", "agent_name": agent, "params": params, "extra": extra,
            });
            let text = match pretty {
                true => serde_json::to_string_pretty(&json).unwrap(),
                false => serde_json::to_string(&json).unwrap(),
            };
            let event = Event::from_json(text.as_bytes()).unwrap();
            let (meta, content) = stored(&event);
            let back = Event::from_stored(&meta, &content).unwrap();
            prop_assert_eq!(&back, &event);
            let back_params = back.content.get(Part::Params).map(Json::to_value);
            prop_assert_eq!(back_params.unwrap_or_default(), params);
        }
    }
}

/// Reads by the slow road alone, as [`Event::from_json`] does when something is unusual.
fn by_the_slow_road(text: &str) -> Result<Event<'_>, EventError> {
    let mut event = Event::default();
    members_by_serde(text, "", &mut |key, value| event.read(key, value, Writer::Producer))?;
    event.check().map(|()| event)
}

/// Members, one after the other, with what makes them unusual.
fn members_of_events() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::Strategy as _;
    let member = proptest::sample::select(vec![
        r#""event_id":"e""#,
        r#""event_type":"a.b""#,
        r#""event_type":"log.x""#,
        r#""event_type":7"#,
        r#""timestamp":1.5"#,
        r#""timestamp":"2026-01-01T00:00:00Z""#,
        r#""timestamp":"x""#,
        r#""tokens":{"input":1}"#,
        r#""tokens":{"input":1,"input":2}"#,
        r#""token_count":3.0"#,
        r#""cost":{"amount":1e2}"#,
        r#""model":"m""#,
        r#""model":{}"#,
        r#""params":{"a": [1, 2]}"#,
        r#""params":{"a":1,"a":2}"#,
        r#""result":"x\ny""#,
        r#""result":null"#,
        r#""error":"\ud800""#,
        r#""x":1"#,
        r#""x":null"#,
        r#""y":1e400"#,
        r#""principal":{"subject":"s"}"#,
        r#""attributes":{"x":1}"#,
        r#""attributes":[]"#,
        r#""attributes":{"z": {"a" : 1}, "w":"\u0041"}"#,
        r#""attributes":{"v":1,"v":2}"#,
        r#""tags":["a",""]"#,
        r#""act\u0069on":"b""#,
        r#""action":"\"""#,
        r#""phase":"no""#,
        r#""confidence":2"#,
        r#""duration_ms":1e999"#,
        r#""source":tru"#,
        "7",
        "",
    ]);
    let joints = proptest::sample::select(vec![",", ",", ", "]);
    let members = proptest::collection::vec(member, 0..9);
    (members, joints).prop_map(|(members, joint)| format!("{{{}}}", members.join(joint)))
}

proptest::proptest! {
    #[test]
    fn both_roads_read_the_same_event_or_refuse_it_in_the_same_words(text in members_of_events()) {
        proptest::prop_assert_eq!(
            Event::from_json(text.as_bytes()), by_the_slow_road(&text), "{}", text
        );
    }

    #[test]
    fn what_was_read_before_changes_no_event(
        texts in proptest::collection::vec(members_of_events(), 1..4),
        turns in proptest::collection::vec(0..3_usize, 1..6),
    ) {
        let mut order = Order::default();
        for turn in turns {
            let text = &texts[turn % texts.len()];
            let read = Event::from_json_after(text.as_bytes(), &mut order);
            proptest::prop_assert_eq!(read, by_the_slow_road(text), "{}", text);
        }
    }
}

#[test]
fn an_event_with_many_foreign_members_is_read_whole() {
    let list =
        |name: &str| (0..60).map(|n| format!("\"{name}{n}\":{n}")).collect::<Vec<_>>().join(",");
    let text = format!(r#"{{"event_type":"a",{},"attributes":{{{}}}}}"#, list("o"), list("i"));
    let event = Event::from_json(text.as_bytes()).unwrap();
    assert_eq!(event.content.attributes.len(), 120);
    assert_eq!(Ok(event), by_the_slow_road(&text));
}
