//! Causal order, repairs, gaps and sums of traces.

use super::*;
use crate::found::{AsOf, State};
use crate::render::{self, Style, View};
use event::{Kind, Tier};
use proptest::prelude::*;
use serde_json::{Value, json};

fn record(index: u64, value: &Value) -> Found<'static> {
    let text = value.to_string();
    let event = Event::from_json(text.as_bytes()).unwrap();
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    Found {
        index,
        recorded_at_ms: 1_000,
        tier: Tier::of(&event),
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: meta.into(),
        content: content.into(),
    }
}

fn assemble(values: &[Value]) -> Trace {
    let found: Vec<_> = (0..).zip(values).map(|(index, value)| record(index, value)).collect();
    Trace::assemble(Scope::Trace("t".into()), &found)
}

/// An event with an id, a time in seconds and a parent.
fn at(id: &str, time: u64, parent: &str) -> Value {
    json!({"event_type": "x", "event_id": id, "timestamp": time, "parent_event_id": parent})
}

fn with(mut event: Value, members: Value) -> Value {
    let (Value::Object(event_members), Value::Object(more)) = (&mut event, members) else {
        return event;
    };
    event_members.extend(more);
    event
}

fn ids(trace: &Trace) -> Vec<&str> {
    trace.nodes.iter().map(|node| node.summary.id.as_str()).collect()
}

#[test]
fn parents_come_first_then_time_then_index() {
    let trace = assemble(&[
        at("late", 9, ""),
        at("child", 2, "root"),
        at("b", 5, ""),
        at("root", 4, ""),
        at("a", 5, ""),
    ]);
    assert_eq!(ids(&trace), ["root", "child", "b", "a", "late"]);
    assert_eq!(trace.findings.reordered, [1], "only the child stands against its clock");
    assert_eq!(trace.nodes[1].parent, Some(0));
    assert_eq!((trace.nodes[0].offset_ns, trace.nodes[1].offset_ns), (2_000_000_000, 0));
    let straight = assemble(&[at("root", 1, ""), at("child", 2, "root")]);
    assert_eq!(straight.findings, Findings::default());
}

#[test]
fn causes_come_first_too() {
    let effect = with(at("effect", 1, ""), json!({"caused_by": ["cause", "elsewhere", "cause"]}));
    let trace = assemble(&[effect, at("cause", 5, "")]);
    assert_eq!(ids(&trace), ["cause", "effect"]);
    assert_eq!(trace.nodes[1].causes, [0]);
    assert_eq!(trace.findings.reordered, [1]);
    assert!(trace.findings.orphans.is_empty(), "a cause may stand in another trace");
}

#[test]
fn orphans_are_roots_and_are_named() {
    let trace = assemble(&[at("a", 1, ""), at("b", 2, "gone")]);
    assert_eq!(trace.roots, [0, 1]);
    assert_eq!(trace.findings.orphans, [Orphan { node: 1, parent_id: "gone".into() }]);
}

#[test]
fn circles_are_cut_at_the_earliest_and_named() {
    let trace = assemble(&[
        at("c", 3, "b"),
        at("a", 1, "c"),
        at("b", 2, "a"),
        at("self", 4, "self"),
        at("d", 5, "c"),
    ]);
    assert_eq!(ids(&trace), ["a", "b", "c", "self", "d"]);
    assert_eq!(trace.roots, [0, 3]);
    let circles = [Circle::Parents(vec![0, 1, 2]), Circle::Parents(vec![3])];
    assert!(circles.iter().all(|c| trace.findings.circles.contains(c)), "{:?}", trace.findings);
    assert_eq!(trace.nodes[4].parent, Some(2));
}

#[test]
fn circles_of_causes_are_placed_by_time_below_their_parents() {
    let a = with(at("a", 1, "p"), json!({"caused_by": ["b"]}));
    let b = with(at("b", 2, ""), json!({"caused_by": ["a"]}));
    let trace = assemble(&[a, b, at("p", 9, "")]);
    assert_eq!(ids(&trace), ["p", "a", "b"]);
    assert_eq!(trace.findings.circles, [Circle::Causes(1)]);
    let itself = assemble(&[with(at("a", 1, ""), json!({"caused_by": ["a"]}))]);
    assert_eq!(itself.findings.circles, [Circle::Causes(0)]);
}

#[test]
fn second_events_of_an_id_keep_apart() {
    let trace = assemble(&[at("a", 1, ""), at("a", 2, ""), at("child", 3, "a")]);
    assert_eq!(ids(&trace), ["a", "a#1", "child"]);
    assert_eq!(trace.nodes[2].parent, Some(0));
}

fn call(id: &str, time: u64, members: Value) -> Value {
    let base = json!({"event_type": "agent.tool_call", "agent_name": "A", "tool": "t"});
    with(with(at(id, time, ""), base), members)
}

fn result(id: &str, time: u64, members: Value) -> Value {
    with(call(id, time, json!({"event_type": "agent.tool_result"})), members)
}

fn gaps(values: &[Value]) -> Vec<String> {
    let trace = assemble(values);
    trace.findings.gaps.iter().map(|gap| trace.nodes[gap.node].summary.id.clone()).collect()
}

#[test]
fn calls_without_results_are_gaps() {
    assert_eq!(gaps(&[call("c", 1, json!({}))]), ["c"]);
    for answered in [
        json!({"outcome": "success"}),
        json!({"duration_ms": 3}),
        json!({"result": 1}),
        json!({"error": "x"}),
    ] {
        assert!(gaps(&[call("c", 1, answered.clone())]).is_empty(), "{answered}");
    }
    assert_eq!(gaps(&[call("c", 1, json!({"outcome": "unknown"}))]), ["c"]);
    assert!(
        gaps(&[call("c", 1, json!({})), result("r", 2, json!({"parent_event_id": "c"}))])
            .is_empty()
    );
    assert!(
        gaps(&[call("c", 1, json!({})), result("r", 2, json!({"caused_by": ["c"], "tool": "u"}))])
            .is_empty()
    );
    assert!(gaps(&[call("c", 1, json!({})), result("r", 2, json!({}))]).is_empty());
    assert_eq!(gaps(&[call("c", 1, json!({})), result("r", 2, json!({"tool": "u"}))]), ["c"]);
    assert_eq!(
        gaps(&[call("c", 1, json!({})), call("d", 2, json!({})), result("r", 3, json!({}))]),
        ["d"]
    );
    let (x, y) = (json!({"attributes": {"call_id": "x"}}), json!({"attributes": {"call_id": "y"}}));
    assert_eq!(gaps(&[call("c", 1, x), call("d", 2, y.clone()), result("r", 3, y)]), ["c"]);
}

#[test]
fn invocations_without_ends_are_gaps() {
    let invoke = |id: &str, parent: &str, members| {
        with(with(at(id, 1, parent), json!({"event_type": "agent.invocation"})), members)
    };
    assert_eq!(gaps(&[invoke("i", "", json!({}))]), ["i"]);
    assert!(gaps(&[invoke("i", "", json!({"outcome": "success"}))]).is_empty());
    assert!(
        gaps(&[invoke("i", "", json!({})), invoke("e", "i", json!({"phase": "result"}))])
            .is_empty()
    );
}

fn usage(id: &str, kind: &str, parent: &str, input: u64, output: u64, cost: &str) -> Value {
    let mut event = at(id, 1, parent);
    let tokens = json!({"input": input, "output": output});
    event = with(event, json!({"event_type": format!("agent.{kind}"), "tokens": tokens}));
    if cost.is_empty() {
        return event;
    }
    with(
        event,
        json!({"cost": {"amount": serde_json::from_str::<Value>(cost).unwrap(), "currency": "USD"}}),
    )
}

#[test]
fn usage_is_counted_once() {
    let trace = assemble(&[
        usage("run", "invocation", "", 30, 3, "0.3"),
        usage("one", "llm_response", "run", 10, 1, "0.1"),
        usage("one again", "token_usage", "one", 10, 1, "0.1"),
        usage("two", "llm_response", "run", 20, 2, ""),
        usage("two again", "token_usage", "run", 20, 2, "0.2"),
        usage("only here", "token_usage", "run", 20, 2, ""),
    ]);
    let totals = &trace.totals;
    assert_eq!((totals.tokens_input, totals.tokens_output, totals.tokens_total), (50, 5, 55));
    assert_eq!(totals.usage_repeated, 3);
    let costs: Vec<_> = totals.costs.iter().map(|(c, a)| format!("{a} {c}")).collect();
    assert_eq!(costs, ["0.3 USD"], "the second cost stands only beside the repeated usage");
    let alone = assemble(&[usage("run", "invocation", "", 30, 3, "0.3"), at("x", 2, "run")]);
    assert_eq!((alone.totals.tokens_total, alone.totals.usage_repeated), (33, 0));
}

#[test]
fn money_adds_up_exactly_per_currency() {
    let cost = |id: &str, amount: &str, currency: &str| {
        let json = format!(
            r#"{{"event_type":"x","event_id":"{id}","cost":{{"amount":{amount},"currency":"{currency}"}}}}"#
        );
        let event = Event::from_json(json.as_bytes()).unwrap();
        let mut meta = Vec::new();
        event.write_meta(&mut meta);
        Found { meta: meta.into(), ..record(0, &json!({"event_type": "x"})) }
    };
    let found = [
        cost("a", "0.1", "USD"),
        cost("b", "0.2", "USD"),
        cost("c", "5", "EUR"),
        cost("d", "1e99", "USD"),
    ];
    let totals = Trace::assemble(Scope::Trace("t".into()), &found).totals;
    let costs: Vec<_> = totals.costs.iter().map(|(c, a)| format!("{a} {c}")).collect();
    assert_eq!(
        (costs, totals.costs_not_summed),
        (vec!["0.3 USD".to_owned(), "5 EUR".to_owned()], 1)
    );
}

#[test]
fn labels_follow_the_rules() {
    let label = |value: Value| assemble(&[value]).nodes[0].summary.label.clone();
    for (value, wanted) in [
        (
            json!({"event_type": "agent.invocation", "params": {"task": "x".repeat(101)}}),
            format!("Task received: {}…", "x".repeat(100)),
        ),
        (
            json!({"event_type": "agent.tool_call", "action": "tool_call:mcp:fs:read", "params": {"a": 1, "b": 2}}),
            "Called tool 'mcp:fs:read' with 2 params".into(),
        ),
        (json!({"event_type": "agent.tool_call", "action": "no colon"}), "Called a tool".into()),
        (
            json!({"event_type": "agent.decision", "action": "decision:escalate", "confidence": 0.935}),
            "Decision: escalate (confidence: 94%)".into(),
        ),
        (
            json!({"event_type": "agent.decision", "action": "circuit_breaker:open"}),
            "Decision: circuit_breaker:open".into(),
        ),
        (
            json!({"event_type": "agent.error", "error": {"message": "boom", "stack": "..."}}),
            "Error: boom".into(),
        ),
        (json!({"event_type": "agent.handoff"}), "Handoff to unknown".into()),
        (
            json!({"event_type": "agent.handoff", "params": {"target": "Billing"}}),
            "Handoff to Billing".into(),
        ),
        (json!({"event_type": "acme.thing", "action": "did it"}), "did it".into()),
        (json!({"event_type": "acme.thing"}), "acme.thing".into()),
    ] {
        assert_eq!(label(value), wanted);
    }
}

#[test]
fn a_failure_is_never_shown_as_success() {
    use event::Status;
    let status =
        |value: Value| assemble(&[with(json!({"event_type": "x"}), value)]).nodes[0].summary.status;
    assert_eq!(status(json!({})), Status::Success);
    assert_eq!(status(json!({"outcome": "success", "error": "x"})), Status::Error);
    assert_eq!(status(json!({"error_type": "TimeoutError"})), Status::Timeout);
    assert_eq!(status(json!({"outcome": "denied", "error": "x"})), Status::Denied);
    assert_eq!(status(json!({"outcome": "unknown"})), Status::Unknown);
}

#[test]
fn json_holds_graph_sums_and_findings() {
    let values = [
        at("a", 1, ""),
        with(at("b", 2, "a"), json!({"caused_by": ["c"], "agent_name": "A"})),
        at("c", 3, "gone"),
    ];
    let mut found: Vec<_> = (0..).zip(&values).map(|(index, value)| record(index, value)).collect();
    found.push(Found { index: 9, meta: b"{".as_slice().into(), ..found[0].clone() });
    let trace = Trace::assemble(Scope::Trace("t".into()), &found);
    let mut out = Vec::new();
    let as_of = AsOf { origin: "o".into(), size: 10, root_hex: "00".into() };
    write_trace(&trace, &found, &as_of, true, &mut out);
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["checkpoint"], json!({"origin": "o", "size": 10, "root": "00"}));
    assert_eq!(value["trace_id"], "t");
    let order: Vec<_> =
        value["events"].as_array().unwrap().iter().map(|e| e["index"].clone()).collect();
    assert_eq!(order, [json!(0), json!(2), json!(1), json!(9)]);
    assert_eq!(value["nodes"][2]["id"], "b");
    assert_eq!(value["nodes"][2]["agent"], "A");
    assert_eq!(
        value["edges"],
        json!([{"from": "a", "to": "b", "kind": "parent"}, {"from": "c", "to": "b", "kind": "cause"}])
    );
    assert_eq!(value["findings"]["orphans"], json!([{"id": "c", "parent": "gone"}]));
    assert_eq!(value["findings"]["reordered"], json!(["b"]));
    assert_eq!(value["findings"]["unreadable"], json!([9]));
    assert_eq!(value["totals"]["duration_ms"], 2000);
}

/// Builds, draws and writes a trace of this shape within a thread of the usual size.
fn exercise(found: &[Found<'_>], widths: &[usize]) -> Trace {
    let trace = Trace::assemble(Scope::Trace("t".into()), found);
    let as_of = AsOf { origin: "o".into(), size: 1, root_hex: String::new() };
    for width in widths.iter().copied() {
        let view = View { width, style: Style::Plain };
        let drawn = render::tree(&trace, &as_of, view) + &render::timeline(&trace, &as_of, view);
        let columns = |line| unicode_width::UnicodeWidthStr::width(line);
        assert!(drawn.lines().all(|line| columns(line) <= width.clamp(40, 400)));
    }
    let mut out = Vec::new();
    write_trace(&trace, found, &as_of, true, &mut out);
    assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&out).is_ok());
    trace
}

#[test]
fn a_chain_of_100_000_parents_is_drawn() {
    const LENGTH: u64 = 100_000;
    // The last one first in the log: every link has to be repaired.
    let link = |i: u64| {
        let parent = i.checked_sub(1).map(|parent| format!("e{parent}"));
        record(LENGTH - i, &at(&format!("e{i}"), LENGTH - i, &parent.unwrap_or_default()))
    };
    let chain: Vec<_> = (0..LENGTH).rev().map(link).collect();
    let trace = exercise(&chain, &[60]);
    assert_eq!(trace.nodes.last().map(|node| node.depth), Some(99_999));
    assert_eq!(trace.findings.reordered.len(), 99_999);
}

#[test]
fn a_circle_of_100_000_is_cut_once() {
    let circle: Vec<_> = (0..100_000_u64)
        .map(|i| record(i, &at(&format!("e{i}"), i, &format!("e{}", (i + 1) % 100_000))))
        .collect();
    let trace = exercise(&circle, &[60]);
    assert_eq!((trace.roots.len(), trace.findings.circles.len()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_links_give_a_forest_in_causal_order(
        events in prop::collection::vec(
            (
                0_usize..12,
                prop::option::of(0_usize..14),
                prop::collection::vec(0_usize..14, 0..3),
                0_u64..20,
            ),
            0..14,
        )
    ) {
        let found: Vec<_> = (0..).zip(&events).map(|(index, (id, parent, causes, time))| {
            let parent = parent.map(|p| format!("e{p}")).unwrap_or_default();
            let causes: Vec<String> = causes.iter().map(|c| format!("e{c}")).collect();
            record(index, &with(at(&format!("e{id}"), *time, &parent), json!({"caused_by": causes})))
        }).collect();
        let trace = exercise(&found, &[0, 60, 100]);
        prop_assert_eq!(trace.nodes.len(), events.len());
        let mut positions: Vec<_> = trace.nodes.iter().map(|node| node.position).collect();
        positions.sort_unstable();
        prop_assert!(positions.into_iter().eq(0..events.len()));
        for (at, node) in trace.nodes.iter().enumerate() {
            prop_assert!(node.parent.is_none_or(|parent| parent < at));
            if !trace.findings.circles.contains(&Circle::Causes(at)) {
                prop_assert!(node.causes.iter().all(|cause| *cause < at));
            }
        }
    }

    #[test]
    fn arbitrary_events_never_panic(
        texts in prop::collection::vec(any::<String>(), 8),
        numbers in prop::collection::vec(any::<f64>(), 4),
        kind in prop::sample::select(vec!["invocation", "tool_call", "tool_result", "decision", "error", "handoff", "token_usage", "x"]),
        tokens in any::<[u32; 3]>(),
    ) {
        let event = json!({
            "event_type": format!("agent.{kind}"), "event_id": texts[0].chars().take(20).collect::<String>(),
            "agent_name": texts[1], "action": texts[2], "tool": texts[3], "parent_event_id": texts[4],
            "error": texts[5], "params": {"task": texts[6], "target": texts[7]},
            "timestamp": numbers[0].abs() % 1e10, "duration_ms": numbers[1],
            "cost": {"amount": if numbers[2].is_finite() { numbers[2] } else { 1.0 }, "currency": texts[7]},
            "tokens": {"input": tokens[0], "output": tokens[1], "total": tokens[2]},
        });
        if Event::from_json(event.to_string().as_bytes()).is_ok() {
            exercise(&[record(0, &event), record(1, &event)], &[0, 60, 100]);
        }
    }
}
