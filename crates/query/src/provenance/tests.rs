//! Who wanted an act, and who approved it.

use super::*;
use crate::found::State;
use crate::trace::Scope;
use event::{Kind, Tier};
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

fn at(id: &str, kind: &str, agent: &str, parent: &str, members: Value) -> Value {
    let mut event = json!({
        "event_id": id, "event_type": format!("agent.{kind}"), "agent_name": agent,
        "parent_event_id": parent,
    });
    event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    event
}

fn asked(values: &[Value], event: &str) -> (Vec<String>, Provenance) {
    let timed = values.iter().enumerate().map(|(second, value)| {
        let mut value = value.clone();
        value["timestamp"] = second.into();
        value
    });
    let timed: Vec<Value> = timed.collect();
    let found: Vec<_> = (0..).zip(&timed).map(|(index, value)| record(index, value)).collect();
    let trace = Trace::assemble(Scope::Trace("t".into()), &found);
    let it = Provenance::of(&trace, &found, event).unwrap();
    let name = |step: &ChainStep| {
        let over = if step.is_handed_over { ">" } else { "" };
        format!("{over}{}:{}", trace.nodes[step.node].summary.id, step.link.as_str())
    };
    (it.steps.iter().map(name).collect(), it)
}

#[test]
fn the_chain_leads_from_the_request_over_handoffs_to_the_act() {
    let values = [
        at("request", "invocation", "Router", "", json!({"source": "user"})),
        at("handoff", "handoff", "Router", "request", json!({})),
        at(
            "yes",
            "human_intervention",
            "Billing",
            "handoff",
            json!({
                "action": "approval:granted", "approver": "lena", "tool": "pay",
            }),
        ),
        at("act", "tool_call", "Billing", "handoff", json!({"tool": "pay", "source": "Router"})),
    ];
    let (chain, it) = asked(&values, "act");
    assert_eq!(chain, ["request:parent", "handoff:parent", ">act:act"]);
    assert_eq!(it.origin, Origin::User);
    assert_eq!(it.approvals.len(), 1);
    assert!(it.approvals[0].is_bound && it.approvals[0].is_before);
    assert_eq!(it.sentence(), "An agent did this for a user, and a person approved it before.");
    assert_eq!(asked(&values, "3").1, it, "by its index too");
}

#[test]
fn an_act_that_nobody_asked_for_is_an_agents_and_a_persons_is_a_persons() {
    let (_, it) = asked(
        &[
            at("timer", "invocation", "Cron", "", json!({"source": "system"})),
            at("act", "tool_call", "Cron", "timer", json!({"tool": "purge"})),
        ],
        "act",
    );
    assert_eq!(
        (it.origin, it.sentence()),
        (Origin::Agent, "An agent did this without a user's request.")
    );
    let stop = at("stop", "human_intervention", "A", "", json!({"action": "stop"}));
    assert_eq!(asked(&[stop], "stop").1.origin, Origin::Person);
}

#[test]
fn what_is_not_known_is_said() {
    let (chain, it) = asked(
        &[
            at("thought", "reasoning", "A", "elsewhere", json!({})),
            at("act", "tool_call", "A", "", json!({"tool": "pay"})),
        ],
        "act",
    );
    assert_eq!(chain, ["thought:time", "act:act"]);
    assert_eq!(it.origin, Origin::Unknown);
    let gaps = it.gaps.join("; ");
    for part in ["\"elsewhere\" is not in this trace", "1 link told by time alone", "who asked"] {
        assert!(gaps.contains(part), "{gaps}");
    }
}

#[test]
fn a_refusal_is_not_taken_for_an_approval() {
    let (_, it) = asked(
        &[
            at("request", "invocation", "A", "", json!({"source": "user"})),
            at(
                "no",
                "human_intervention",
                "A",
                "request",
                json!({
                    "action": "approval:requested", "outcome": "denied", "tool": "pay",
                }),
            ),
            at("act", "tool_call", "A", "request", json!({"tool": "pay"})),
        ],
        "act",
    );
    assert_eq!(it.approvals[0].is_granted, Some(false));
    assert!(it.sentence().contains("a person refused it"));
}
