//! The chain to an act, for people and for programs.

use super::figures::clock;
use super::layout::wrap;
use super::{Drawn, Ink, View, agent_name, notes, push_line};
use crate::escape::{escape, escape_json};
use crate::found::AsOf;
use crate::provenance::{ApprovalSeen, ChainStep, Link, Provenance};
use crate::trace::Trace;
use serde_json::{Value, json};

/// Draws the chain to an act: who wanted it, each step, what people said, what is not known.
#[must_use]
pub fn provenance(it: &Provenance, trace: &Trace, as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    for line in wrap(it.sentence(), view.columns(), 3) {
        push_line(&mut out, &view.paint(Ink::Bold, &line));
    }
    push_line(&mut out, "");
    for step in &it.steps {
        draw_step(step, trace, view, &mut out);
    }
    if !it.approvals.is_empty() {
        push_line(&mut out, "");
        push_line(&mut out, "What people said about it:");
        it.approvals.iter().for_each(|approval| draw_approval(approval, trace, view, &mut out));
    }
    for gap in &it.gaps {
        for line in wrap(&format!("! {}", escape(gap)), view.columns(), 3) {
            push_line(&mut out, &view.paint(Ink::Yellow, &line));
        }
    }
    notes::checkpoint(as_of, view, &mut out);
    out
}

fn draw_step(step: &ChainStep, trace: &Trace, view: View, out: &mut String) {
    let Some(node) = trace.nodes.get(step.node) else { return };
    let summary = &node.summary;
    let mark = match (step.link, step.is_handed_over) {
        (Link::Act, _) => "●",
        (_, true) => "⇒",
        _ => "│",
    };
    let line = format!(
        "{mark} {}  {}  {}  {}  #{}",
        clock(summary.time),
        agent_name(summary.agent.as_deref()),
        escape(&summary.label),
        summary.status.words(),
        summary.index
    );
    for (number, line) in wrap(&line, view.columns(), 2).iter().enumerate() {
        let ink = if step.link == Link::Act { Ink::Bold } else { Ink::Plain };
        let lead = if number == 0 { "" } else { "    " };
        push_line(out, &format!("{lead}{}", view.paint(ink, line)));
    }
    let parts = [
        ("asked by", step.source.as_deref()),
        ("sent by", step.principal.as_deref()),
        ("for", step.on_behalf_of.as_deref()),
    ];
    let known: Vec<String> = parts
        .iter()
        .filter_map(|(word, value)| Some(format!("{word} {}", escape((*value)?))))
        .chain((step.link == Link::Time).then(|| "led on by time alone".to_owned()))
        .collect();
    if !known.is_empty() {
        for line in wrap(&known.join(" · "), view.columns().saturating_sub(4), 2) {
            push_line(out, &format!("    {}", view.paint(Ink::Dim, &line)));
        }
    }
}

fn draw_approval(it: &ApprovalSeen, trace: &Trace, view: View, out: &mut String) {
    let Some(node) = trace.nodes.get(it.node) else { return };
    let word = match it.is_granted {
        Some(true) => "granted",
        Some(false) => "refused",
        None => "asked",
    };
    let when = if it.is_before { "before" } else { "after" };
    let bound = if it.is_bound { "" } else { ", not about this act as far as it says" };
    let who = it.approver.as_deref().map_or("nobody named".to_owned(), escape);
    let line = format!("  {word} {when} by {who}{bound}  #{}", node.summary.index);
    for line in wrap(&line, view.columns(), 2) {
        push_line(out, &line);
    }
}

/// The same for programs: one JSON object on one line.
#[must_use]
pub fn provenance_json(it: &Provenance, trace: &Trace, as_of: &AsOf) -> String {
    let node = |at: usize| -> Value {
        let Some(node) = trace.nodes.get(at) else { return Value::Null };
        let summary = &node.summary;
        json!({
            "index": summary.index, "event_id": summary.id, "event_type": summary.event_type,
            "agent": summary.agent, "label": summary.label, "status": summary.status.as_str(),
            "time": summary.time.to_string(),
        })
    };
    let with = |mut value: Value, more: Value| {
        if let (Value::Object(all), Value::Object(more)) = (&mut value, more) {
            all.extend(more);
        }
        value
    };
    let step = |step: &ChainStep| {
        with(
            node(step.node),
            json!({
                "link": step.link.as_str(), "is_handed_over": step.is_handed_over,
                "source": step.source, "principal": step.principal,
                "on_behalf_of": step.on_behalf_of,
            }),
        )
    };
    let approval = |it: &ApprovalSeen| {
        with(
            node(it.node),
            json!({
                "approver": it.approver, "is_granted": it.is_granted,
                "is_before": it.is_before, "is_bound": it.is_bound,
            }),
        )
    };
    let (kind, id) = trace.scope.field();
    let answer = json!({
        "checkpoint": {"origin": as_of.origin, "size": as_of.size, "root": as_of.root_hex},
        kind: id,
        "act": node(it.act),
        "origin": it.origin.as_str(),
        "sentence": it.sentence(),
        "steps": it.steps.iter().map(step).collect::<Vec<_>>(),
        "approvals": it.approvals.iter().map(approval).collect::<Vec<_>>(),
        "gaps": it.gaps,
    });
    line(&answer)
}

/// One line of JSON that is safe on a terminal.
pub(super) fn line(value: &Value) -> String {
    let mut out = Vec::new();
    escape_json(&value.to_string(), &mut out);
    out.push(b'\n');
    String::from_utf8_lossy(&out).into_owned()
}
