//! What an importer may rely on: every kind is known, unknown ones are kept, ids stay, nothing is
//! lost.

use super::{FORMATS_OF_FILES, all, content, events, refusals, stored, testdata};
use capture::{CaptureError, Format, capture_body};
use event::{Assurance, Code, Event, Outcome, Part};
use std::collections::{BTreeSet, HashSet};

fn ids(events: &[Event<'_>]) -> Vec<String> {
    events
        .iter()
        .map(|event| event.event_id.as_deref().expect("every event has an id").to_owned())
        .collect()
}

#[test]
fn capturing_twice_makes_the_same_events_with_ids_that_differ_from_each_other() {
    for (format, path) in FORMATS_OF_FILES {
        let bytes = testdata(path);
        let first = events(*format, &bytes);
        assert!(!first.is_empty(), "{path}");
        assert_eq!(first, events(*format, &bytes), "{path}");
        let ids = ids(&first);
        assert_eq!(
            ids.iter().collect::<HashSet<_>>().len(),
            ids.len(),
            "{path}: an id stands twice"
        );
    }
}

#[test]
fn every_captured_event_is_valid_and_reads_back_from_what_is_stored() {
    for (format, path) in FORMATS_OF_FILES {
        let bytes = testdata(path);
        for event in events(*format, &bytes) {
            event.check().expect("valid");
            let (meta, content) = (super::meta(&event), content(&event));
            let back = Event::from_stored(meta.as_bytes(), content.as_bytes()).expect("readable");
            assert_eq!(super::meta(&back), meta, "{path}");
            assert_eq!(self::content(&back), content, "{path}");
        }
    }
}

#[test]
fn a_file_that_was_appended_to_keeps_its_old_ids() {
    for (format, path) in FORMATS_OF_FILES.iter().filter(|(_, path)| !path.contains("otlp")) {
        let bytes = testdata(path);
        let end = memchr::memrchr(b'\n', bytes.trim_ascii_end()).expect("several lines");
        let shorter = ids(&events(*format, &bytes[..=end]));
        let longer = ids(&events(*format, &bytes));
        assert!(shorter.len() < longer.len(), "{path}");
        assert_eq!(shorter, longer[..shorter.len()], "{path}");
    }
}

#[test]
fn identical_audit_lines_stay_two_events() {
    let line = "{\"at\":\"2026-11-20T16:06:56Z\",\"kind\":\"skill_set\",\"agent_id\":\"a\"}\n";
    let bytes = line.repeat(2);
    let found = ids(&events(Format::Ag2Audit, bytes.as_bytes()));
    assert_ne!(found[0], found[1]);
}

#[test]
fn all_eleven_audit_kinds_and_a_tenants_own_are_mapped() {
    let bytes = testdata("ag2/hub/audit.jsonl");
    let events = events(Format::Ag2Audit, &bytes);
    let types: BTreeSet<&str> = events.iter().map(|event| &*event.event_type).collect();
    for kind in [
        "agent_registered",
        "agent_unregistered",
        "resume_set",
        "rule_set",
        "skill_set",
        "expectation_violated",
        "channel_created",
        "channel_closed",
        "channel_expired",
        "task_terminated",
        "turn_failed",
        "refund_approved",
    ] {
        assert!(types.contains(&*format!("hub.{kind}")), "{kind}");
    }
    let failed =
        events.iter().find(|event| event.event_type == "hub.turn_failed").expect("recorded");
    assert_eq!(failed.agent_name.as_deref(), Some("carl"), "named by the registration above");
    assert_eq!(failed.outcome, Some(Outcome::Failure));
    assert_eq!(failed.error_type.as_deref(), Some("RuntimeError"));
    assert!(failed.content.error_message().is_some_and(|message| message.contains("sk-secret")));
    assert!(!super::meta(failed).contains("sk-secret"), "the text of an error is content");
}

#[test]
fn the_four_task_outcomes_are_told_apart() {
    let outcome = |name: &str| {
        let line =
            format!("{{\"kind\":\"task_terminated\",\"outcome\":\"{name}\",\"task_id\":\"t\"}}");
        events(Format::Ag2Audit, line.as_bytes())[0].outcome
    };
    assert_eq!(outcome("completed"), Some(Outcome::Success));
    assert_eq!(outcome("failed"), Some(Outcome::Failure));
    assert_eq!(outcome("expired"), Some(Outcome::Timeout));
    assert_eq!(outcome("cancelled"), Some(Outcome::Cancelled));
    assert_eq!(outcome("odd"), None);
}

#[test]
fn audit_lines_without_a_kind_or_an_object_are_refused_by_line_and_the_others_kept() {
    let file = b"{\"kind\":\"rule_set\"}\n[1]\n{\"at\":\"x\"}\n{\"kind\":\"a\",\"kind\":\"b\"}\nTraceback\n{\"kind\":\"odd thing\",\"at\":\"yesterday\"}\n";
    let refused: Vec<_> = refusals(Format::Ag2Audit, file)
        .into_iter()
        .map(|(line, e)| (line, e.code, e.field))
        .collect();
    assert_eq!(
        refused,
        [
            (2, Code::NotAnObject, String::new()),
            (3, Code::MissingField, "kind".into()),
            (4, Code::DuplicateKey, "kind".into()),
            (5, Code::NotJson, String::new()),
        ]
    );
    let events = events(Format::Ag2Audit, file);
    assert_eq!(events[1].event_type, "hub.odd_thing");
    let at = events[1].content.attribute("at").map(|json| json.as_str().to_owned());
    assert_eq!(at.as_deref(), Some("\"yesterday\""), "what cannot be read is kept");
}

#[test]
fn what_has_no_field_is_kept_under_its_own_name_and_counted() {
    let line =
        br#"{"kind":"rule_set","limits":{"a": 1.50, "b":[12345678901234567890123]},"note":"x"}"#;
    let (_, summary) = all(Format::Ag2Audit, line);
    assert_eq!(
        summary.unmapped_fields.into_iter().collect::<Vec<_>>(),
        [("limits".into(), 1), ("note".into(), 1)]
    );
    let event = &events(Format::Ag2Audit, line)[0];
    let limits = event.content.attribute("limits").expect("kept");
    assert_eq!(limits.as_str(), r#"{"a":1.50,"b":[12345678901234567890123]}"#);
}

#[test]
fn envelopes_become_invocations_handoffs_and_hub_events_linked_by_cause_and_span() {
    let bytes = testdata("ag2/hub/wal-2.jsonl");
    let wal = events(Format::Ag2Wal, &bytes);
    let handoff = wal.iter().find(|event| event.event_type == "agent.handoff").expect("recorded");
    assert!(handoff.action.as_deref().is_some_and(|action| action.starts_with("handoff:")));
    let parent = handoff.parent_event_id.as_deref();
    let cause =
        wal.iter().find(|event| event.event_id.as_deref() == parent).expect("in the same file");
    assert_eq!(cause.event_type, "agent.invocation");
    assert_eq!(
        cause.content.get(Part::Input).map(|json| json.as_str()),
        Some("\"Please refund order 1042.\"")
    );
    // The hub's span of the same envelope is what the traceparent names.
    let bytes = testdata("ag2/hub/spans.jsonl");
    let spans = events(Format::Ag2Spans, &bytes);
    let span = spans.iter().find(|event| event.event_id == handoff.caused_by.first().cloned());
    assert_eq!(span.map(|event| &*event.event_type), Some("hub.envelope"));
}

#[test]
fn envelope_types_have_the_names_of_the_audit_log() {
    let event_type = |name: &str| {
        let line = format!(
            "{{\"event_type\":\"{name}\",\"envelope_id\":\"e\",\"event_data\":{{\"x\":1}}}}"
        );
        let event = &events(Format::Ag2Wal, line.as_bytes())[0];
        (event.event_type.to_string(), event.outcome)
    };
    assert_eq!(event_type("ag2.channel.invite.reject"), ("hub.channel_invite_reject".into(), None));
    assert_eq!(
        event_type("ag2.channel.expired"),
        ("hub.channel_expired".into(), Some(Outcome::Timeout))
    );
    assert_eq!(event_type("ag2.task.cancel_request"), ("hub.task_cancel_request".into(), None));
    assert_eq!(
        event_type("ag2.task.cancelled"),
        ("hub.task_cancelled".into(), Some(Outcome::Cancelled))
    );
    assert_eq!(
        event_type("ag2.expectation.violated"),
        ("hub.expectation_violated".into(), Some(Outcome::Failure))
    );
    assert_eq!(event_type("tenant.thing"), ("hub.tenant.thing".into(), None));
}

#[test]
fn continuation_lines_of_a_forensic_log_are_refused_with_their_line() {
    let bytes = testdata("forensic/forensics_SeniorCoder.log");
    let refused: Vec<_> =
        refusals(Format::ForensicLog, &bytes).iter().map(|(line, e)| (*line, e.code)).collect();
    assert_eq!(refused, [(4, Code::NotJson), (5, Code::NotJson)]);
    let code: Vec<_> = events(Format::ForensicLog, &bytes)
        .into_iter()
        .filter(|event| event.event_type == "agent.code_execution")
        .collect();
    assert_eq!(
        code.iter().map(|event| event.outcome).collect::<Vec<_>>(),
        [Some(Outcome::Failure), Some(Outcome::Success)]
    );
    assert!(
        code[0]
            .content
            .get(Part::Params)
            .is_some_and(|params| params.as_str().starts_with("{\"code\":\"import os"))
    );
}

#[test]
fn bad_native_lines_are_refused_as_documented_and_good_ones_survive() {
    let bytes = testdata("bad/one-of-each-small.ndjson");
    let wanted: Vec<serde_json::Value> =
        serde_json::from_slice(&testdata("bad/one-of-each-small.expected.json")).expect("JSON");
    let top = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    // Where text stops being JSON at all is `event`'s to say; here both codes are a line that is no
    // event.
    let code = |code: &str| code.replace("not_an_object", "not_json");
    let wanted: Vec<_> = wanted
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().expect("a text");
            (one["line"].as_u64().expect("a line"), code(text("code")), top(text("field")))
        })
        .collect();
    let found: Vec<_> = refusals(Format::Native, &bytes)
        .into_iter()
        .map(|(line, e)| (line, code(e.code.as_str()), top(&e.field)))
        .collect();
    assert_eq!(found, wanted);
    assert!(
        events(Format::Native, &bytes)
            .iter()
            .all(|e| e.event_id.as_deref().is_some_and(|id| id.starts_with("good")))
    );
}

#[test]
fn native_events_borrow_from_the_bytes() {
    let line = br#"{"event_type":"agent.tool_call","tool":"lookup","params":{"q":7}}"#;
    let events = events(Format::Native, line);
    assert!(matches!(events[0].tool, Some(std::borrow::Cow::Borrowed("lookup"))));
}

#[test]
fn the_caller_says_how_sure_it_is() {
    let line = br#"{"event_type":"a.b","assurance":"acknowledged"}"#;
    assert_eq!(events(Format::Native, line)[0].assurance, Some(Assurance::Imported));
}

/// What a request body comes to: events, refused lines, or an error.
fn body(text: &str) -> Result<(u64, Vec<u64>), CaptureError> {
    let mut refused = Vec::new();
    let summary = capture_body(Assurance::Acknowledged, text.as_bytes(), &mut |one| {
        if one.outcome.is_err() {
            refused.push(one.line);
        }
    })?;
    Ok((summary.events, refused))
}

#[test]
fn a_body_is_an_object_an_array_or_lines() {
    let event = r#"{"event_type":"a.b"}"#;
    assert_eq!(body(event), Ok((1, vec![])));
    assert_eq!(body("\u{feff}{\n \"event_type\": \"a.b\"\n}\n"), Ok((1, vec![])));
    assert_eq!(body(&format!("{event}\r\n\r\n{event}\n")), Ok((2, vec![])));
    assert_eq!(body(&format!("{event}\n{{\n{event}")), Ok((2, vec![2])));
    assert_eq!(body(&format!(" [{event}, 7, {event}] ")), Ok((2, vec![2])));
    assert_eq!(body("{\n\"event_type\": 7\n}"), Ok((0, vec![1])));
    assert_eq!(body("{\n\"event_type\": \n"), Ok((0, vec![1])));
    assert_eq!(body(""), Ok((0, vec![])));
    assert_eq!(body("hello"), Ok((0, vec![1])));
    assert!(matches!(body(&format!("[{event},")), Err(CaptureError::NotJson { .. })));
    let many = format!("[{}]", vec!["0"; 10_001].join(","));
    assert!(
        matches!(body(&many), Err(CaptureError::NotJson { reason }) if reason.contains("more than 10000"))
    );
}

#[test]
fn protobuf_and_json_of_the_same_request_make_the_same_events() {
    for (protobuf, name) in
        [(Format::OtlpTracesProtobuf, "traces"), (Format::OtlpLogsProtobuf, "logs")]
    {
        let binary = testdata(&format!("otlp/{name}.pb"));
        let json = testdata(&format!("otlp/{name}.json"));
        let (binary, json) = (events(protobuf, &binary), events(Format::OtlpJson, &json));
        assert!(binary.len() > 20, "{name}");
        assert_eq!(stored(&binary), stored(&json), "{name}");
    }
}
