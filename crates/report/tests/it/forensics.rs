//! Forensics of recorded systems, against golden files; `UPDATE_GOLDEN=1` rewrites them.

use crate::golden::check_document;
use crate::records::{as_of, record, recorded, sent};
use capture::Format;
use query::{Found, Scope, Sieve, State, Trace};
use report::document;
use report::forensics::{
    Cause, Confidence, ConsequenceKind, Forensics, Surroundings, Verdict, examine,
};
use serde_json::{Value, json};

const REFUND: &str = "5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6";
const OTLP: &str = "e245bb6bb91295b97d43276ff7aafcc0";

/// A scope of a log put together, and its records.
pub(crate) fn assembled(scope: Scope, log: &[Found<'static>]) -> (Trace, Vec<Found<'static>>) {
    let filter = scope.filter();
    let own = Sieve::new(&filter);
    let found: Vec<_> = log.iter().filter(|it| own.accepts(it).unwrap()).cloned().collect();
    assert!(!found.is_empty());
    (Trace::assemble(scope, &found), found)
}

/// Examines a scope of a log, surroundings included.
pub(crate) fn examined(scope: Scope, log: &[Found<'static>]) -> Forensics {
    let (trace, found) = assembled(scope, log);
    let mut around = Surroundings::new(&trace, &found);
    let window = around.filter();
    let sieve = Sieve::new(&window);
    log.iter().filter(|it| sieve.accepts(it).unwrap()).for_each(|it| around.offer(it));
    examine(&trace, &found, &as_of(log.len() as u64 + 3), Some(&around))
}

fn refund() -> Forensics {
    let log = recorded(Format::Native, "incident/refund.ndjson");
    examined(Scope::Trace(REFUND.to_owned()), &log)
}

#[test]
fn the_refund_incident_was_an_outage_of_its_tool() {
    let it = refund();
    assert_eq!(it.verdict, Verdict::Escalated);
    let cause = it.root_cause.as_ref().unwrap();
    assert_eq!((cause.cause, cause.confidence), (Cause::ToolOutage, Confidence::High));
    assert_eq!(cause.tool.as_deref(), Some("process_refund"));
    assert_eq!(cause.events.len(), 2);
    for part in [
        "The tool `process_refund` was down (status 503, `TimeoutError`, 2 failures).",
        "It was tried again once.",
        "The circuit breaker opened after 2 failures.",
        "`Billing` degraded to a fallback (`manual_refund_queue`).",
        "A person was asked.",
    ] {
        assert!(cause.sentence.contains(part), "{}", cause.sentence);
    }
    let kinds: Vec<ConsequenceKind> = it.consequences.iter().map(|it| it.kind).collect();
    use ConsequenceKind::{CircuitBreaker, Escalation, Fallback, Retry};
    assert_eq!(kinds, [Retry, CircuitBreaker, Fallback, Escalation]);
    assert!(it.consequences.iter().all(|it| it.is_linked));
}

#[test]
fn the_refund_incident_calls_for_a_longer_timeout_a_fallback_and_an_alert() {
    let it = refund();
    let rules: Vec<&str> = it.recommendations.iter().map(|it| it.rule).collect();
    assert_eq!(rules, ["longer-timeout", "fallback", "alert"]);
    let action = |at: usize| it.recommendations[at].action.as_str();
    assert_eq!(action(0), "Increase the timeout of `process_refund` from 10 s to 30 s");
    assert!(action(1).contains("fallback for `process_refund`"), "{}", action(1));
    assert_eq!(action(2), "Set up an alert for failures of `process_refund`");
}

#[test]
fn the_refund_incident_has_the_ten_rows_that_its_tellers_gave_it() {
    let it = refund();
    let rows: Vec<(&str, &str, &str)> = it
        .timeline
        .iter()
        .map(|row| (row.agent.as_deref().unwrap(), row.action.as_str(), row.status))
        .collect();
    assert_eq!(
        rows,
        [
            ("Router", "Task received: Refund order 1042, charged twice", "success"),
            ("Support", "Reasoning about refund", "success"),
            ("Support", "Tool call: get_order", "success"),
            ("Support", "Decision: escalate (confidence: 93%)", "success"),
            ("Support", "Handoff to Billing", "success"),
            ("Billing", "Tool call: process_refund", "timeout"),
            ("Billing", "Retry: process_refund", "timeout"),
            ("Billing", "Circuit breaker open", "denied"),
            ("Billing", "Degraded to fallback: manual_refund_queue", "success"),
            ("Billing", "Human escalation", "escalated"),
        ]
    );
    assert_eq!(it.timeline[2].told_by.len(), 1, "the result stands with its call");
}

#[test]
fn every_claim_names_events_of_the_log() {
    let it = refund();
    assert!(it.evidence.iter().all(|it| it.leaf_hash.as_ref().is_some_and(|h| h.len() == 64)));
    let named: Vec<u64> = it.evidence.iter().map(|it| it.index).collect();
    let cause = it.root_cause.unwrap();
    assert!(cause.events.iter().all(|index| named.contains(index)));
    assert!(it.consequences.iter().all(|it| named.contains(&it.index)));
    assert_eq!(it.checkpoint.root, "5e".repeat(32));
}

/// Recorded systems: the refund, one with OpenTelemetry, a turn that failed in AG2.
pub(crate) fn systems() -> [(&'static str, Scope, Vec<Found<'static>>); 3] {
    let session = Scope::Session("18e9d751eda4759b10b5d42cadec956c".to_owned());
    [
        (
            "refund",
            Scope::Trace(REFUND.to_owned()),
            recorded(Format::Native, "incident/refund.ndjson"),
        ),
        (
            "otlp",
            Scope::Trace(OTLP.to_owned()),
            recorded(Format::OtlpTracesProtobuf, "otlp/traces.pb"),
        ),
        ("ag2_turn_failed", session, recorded(Format::Ag2Audit, "ag2/hub/audit.jsonl")),
    ]
}

#[test]
fn recorded_systems_are_examined_the_same_way_each_time_in_every_format() {
    for (name, scope, log) in systems() {
        let it = examined(scope, &log);
        check_document(name, &report::forensics::document(&it), &document::json(&it));
    }
}

/// One event at a second, under a parent.
pub(crate) fn at(id: &str, second: u64, parent: &str, members: Value) -> Value {
    let mut event = json!({
        "event_id": id, "event_type": "agent.tool_call", "timestamp": 1_800_000_000 + second,
        "agent_name": "A", "trace_id": "t",
    });
    let object = event.as_object_mut().unwrap();
    if !parent.is_empty() {
        object.insert("parent_event_id".into(), parent.into());
    }
    object.extend(members.as_object().unwrap().clone());
    event
}

pub(crate) fn log(events: &[Value]) -> Vec<Found<'static>> {
    let one = |(index, value): (u64, &Value)| {
        let event = sent(value);
        record(index, event.timestamp.unwrap().milliseconds() + 5, &event)
    };
    (0..).zip(events).map(one).collect()
}

#[test]
fn what_else_touched_the_same_tool_is_counted_and_named() {
    let other = |second: u64, trace: &str, members: Value| {
        let mut event = at(&format!("o{second}"), second, "", members);
        event["trace_id"] = trace.into();
        event
    };
    let down = json!({"tool": "pay", "outcome": "failure", "error_type": "ServiceUnavailable",
        "params": {"order_id": 7}});
    let log = log(&[
        at("a", 1_000, "", down.clone()),
        other(900, "u", json!({"tool": "pay", "outcome": "failure", "error": "503"})),
        other(1_100, "v", json!({"tool": "pay", "outcome": "success"})),
        other(1_200, "w", json!({"tool": "look", "params": {"order_id": 7}})),
        other(99_000, "x", json!({"tool": "pay"})),
    ]);
    let around = examined(Scope::Trace("t".into()), &log).blast_radius.unwrap();
    assert_eq!(around.events_seen, 3, "one is too late");
    let tool = around.shared.iter().find(|it| it.kind == "tool").unwrap();
    assert_eq!((tool.name.as_str(), tool.events, tool.failures), ("pay", 2, 1));
    assert_eq!(
        (tool.first_traces.as_slice(), tool.failed.as_slice()),
        (&["u".to_owned(), "v".to_owned()][..], &[1][..])
    );
    let resource = around.shared.iter().find(|it| it.kind == "resource").unwrap();
    assert_eq!((resource.name.as_str(), resource.events), ("order_id=7", 1));
}

#[test]
fn blind_spots_are_told_whatever_happened() {
    let numbered =
        |number: u64| json!({"producer": {"id": "p", "seq": number}, "outcome": "success"});
    let mut log = log(&[
        at("a", 1, "gone", numbered(4)),
        at("b", 2, "a", numbered(7)),
        at("c", 1, "b", json!({"tool": "x", "phase": "intent", "params": {"k": 1}})),
        at("d", 9_000, "b", json!({"outcome": "success", "result": 1})),
    ]);
    log[3].recorded_at_ms -= 8_000_000;
    log[2].content = b"".as_slice().into();
    log[2].state = State::ContentErased;
    let it = examined(Scope::Trace("t".into()), &log);
    let of = |kind: &str| it.blind_spots.iter().find(|it| it.kind == kind);
    for (kind, events) in [
        ("missing_parent", &[0][..]),
        ("call_without_result", &[2]),
        ("clocks_disagree", &[2]),
        ("clock_ahead", &[3]),
        ("content_erased", &[2]),
        ("sequence_gap", &[]),
        ("no_principal", &[]),
        ("always", &[]),
    ] {
        let spot = of(kind).unwrap_or_else(|| panic!("{kind}: {:#?}", it.blind_spots));
        assert_eq!(spot.events, events, "{kind}");
    }
    assert!(of("sequence_gap").unwrap().sentence.contains("2 of its numbers"), "5 and 6");
    assert!(of("erased").is_none() && of("surroundings_not_read").is_none());
}

#[test]
fn a_failure_that_the_next_try_healed_is_told_as_healed() {
    let it = examined(
        Scope::Trace("t".into()),
        &log(&[
            at(
                "a",
                1,
                "",
                json!({"tool": "x", "outcome": "failure", "error_type": "RateLimitError"}),
            ),
            at("b", 2, "", json!({"tool": "x", "outcome": "success"})),
        ]),
    );
    assert_eq!(it.verdict, Verdict::Recovered);
    assert_eq!(it.root_cause.unwrap().cause, Cause::RateLimit);
    assert_eq!(it.consequences[0].kind, ConsequenceKind::Retry);
}

#[test]
fn confidence_follows_from_what_says_so() {
    let confidence = |members: Value| {
        let it = examined(Scope::Trace("t".into()), &log(&[at("a", 1, "", members)]));
        let cause = it.root_cause.unwrap();
        (cause.cause, cause.confidence)
    };
    let words = json!({"tool": "x", "outcome": "failure", "error": "connection refused"});
    assert_eq!(confidence(words), (Cause::ToolOutage, Confidence::Low));
    let class = json!({"tool": "x", "error_type": "ConnectionError"});
    assert_eq!(confidence(class), (Cause::ToolOutage, Confidence::Medium));
    let both = json!({"tool": "x", "error_type": "ConnectionError", "error": "connection refused"});
    assert_eq!(confidence(both), (Cause::ToolOutage, Confidence::High));
    let nothing = json!({"tool": "x", "outcome": "failure"});
    assert_eq!(confidence(nothing), (Cause::Unclassified, Confidence::Low));
}

#[test]
fn a_very_long_trace_of_failures_is_examined_in_seconds() {
    let failing = |n: u64| {
        let parent = if n == 0 { String::new() } else { format!("e{}", n - 1) };
        at(&format!("e{n}"), n, &parent, json!({"tool": "x", "outcome": "failure"}))
    };
    let events: Vec<Value> = (0..20_000).map(failing).collect();
    let it = examined(Scope::Trace("t".into()), &log(&events));
    assert_eq!((it.timeline.len() as u64 + it.timeline_left_out), 20_000);
    assert!(it.blind_spots.iter().any(|it| it.kind == "too_many_failures"));
}
