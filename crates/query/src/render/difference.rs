//! Two traces beside each other, for people and for programs.

use super::layout::{left, wrap};
use super::provenance::line;
use super::{Drawn, Ink, View, agent_name, notes, push_line, widest};
use crate::difference::{Difference, DifferenceRow};
use crate::escape::escape;
use crate::found::AsOf;
use crate::trace::{Node, Trace};
use serde_json::{Value, json};

/// Draws what two traces have in common and what not: `-` only in the first, `+` only in the
/// second, `~` in both and different.
#[must_use]
pub fn difference(
    it: &Difference,
    first: &Trace,
    second: &Trace,
    as_of: &AsOf,
    view: View,
) -> String {
    let mut out = String::new();
    let names = [first, second].map(|trace| escape(trace.scope.field().1));
    let [a, b] = &names;
    push_line(&mut out, &view.paint(Ink::Bold, &format!("- {a}")));
    push_line(&mut out, &view.paint(Ink::Bold, &format!("+ {b}")));
    push_line(
        &mut out,
        &format!(
            "{} steps in both, {} of them different; {} only in the first, {} only in the second",
            it.common, it.changed, it.only_left, it.only_right
        ),
    );
    if it.is_approximate {
        push_line(&mut out, "The traces are long: more steps may be common than are shown.");
    }
    push_line(&mut out, "");
    let agents: Vec<String> = it
        .rows
        .iter()
        .filter_map(|row| node_of(row, first, second))
        .map(|node| agent_name(node.summary.agent.as_deref()))
        .collect();
    let width = widest(agents.iter().map(String::as_str), 18);
    for row in &it.rows {
        draw(row, first, second, width, view, &mut out);
    }
    notes::checkpoint(as_of, view, &mut out);
    out
}

fn node_of<'t>(row: &DifferenceRow, first: &'t Trace, second: &'t Trace) -> Option<&'t Node> {
    match (row.left, row.right) {
        (Some(at), _) => first.nodes.get(at),
        (None, at) => second.nodes.get(at?),
    }
}

fn draw(
    row: &DifferenceRow,
    first: &Trace,
    second: &Trace,
    width: usize,
    view: View,
    out: &mut String,
) {
    let Some(node) = node_of(row, first, second) else { return };
    let (sign, ink) = match (row.left, row.right, row.changes.is_empty()) {
        (Some(_), None, _) => ("-", Ink::Red),
        (None, _, _) => ("+", Ink::Green),
        (_, _, false) => ("~", Ink::Yellow),
        _ => (" ", Ink::Plain),
    };
    let agent = left(&agent_name(node.summary.agent.as_deref()), width);
    let status = node.summary.status.words();
    let text = format!("{sign} {agent}  {}  {status}", escape(&node.summary.label));
    for (number, line) in wrap(&text, view.columns(), 2).iter().enumerate() {
        let lead = if number == 0 { "" } else { "    " };
        push_line(out, &format!("{lead}{}", view.paint(ink, line)));
    }
    for change in &row.changes {
        let (left, right) = (escape(&change.left), escape(&change.right));
        let text = format!("{}: {left} → {right}", change.field);
        for line in wrap(&text, view.columns().saturating_sub(6), 3) {
            push_line(out, &format!("      {}", view.paint(Ink::Yellow, &line)));
        }
    }
}

/// The same for programs: one JSON object on one line.
#[must_use]
pub fn difference_json(it: &Difference, first: &Trace, second: &Trace, as_of: &AsOf) -> String {
    let step = |node: Option<&Node>| -> Value {
        let Some(node) = node else { return Value::Null };
        let summary = &node.summary;
        json!({
            "index": summary.index, "event_id": summary.id, "event_type": summary.event_type,
            "agent": summary.agent, "label": summary.label, "status": summary.status.as_str(),
            "duration_ms": summary.duration_ms,
        })
    };
    let row = |row: &DifferenceRow| {
        let changes = row
            .changes
            .iter()
            .map(|it| json!({"field": it.field, "left": it.left, "right": it.right}));
        json!({
            "left": step(row.left.and_then(|at| first.nodes.get(at))),
            "right": step(row.right.and_then(|at| second.nodes.get(at))),
            "changes": changes.collect::<Vec<_>>(),
        })
    };
    let of = |trace: &Trace| {
        let (kind, id) = trace.scope.field();
        json!({
            kind: id, "events": trace.totals.events, "errors": trace.totals.errors,
            "tokens": trace.totals.tokens_total,
            "duration_ms": trace.totals.duration_ns as f64 / 1e6,
        })
    };
    line(&json!({
        "checkpoint": {"origin": as_of.origin, "size": as_of.size, "root": as_of.root_hex},
        "left": of(first), "right": of(second),
        "common": it.common, "changed": it.changed,
        "only_left": it.only_left, "only_right": it.only_right,
        "is_approximate": it.is_approximate,
        "rows": it.rows.iter().map(row).collect::<Vec<_>>(),
    }))
}
