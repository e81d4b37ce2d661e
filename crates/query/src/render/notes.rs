//! What stands above and below every drawing of a trace: title, sums, oddities, checkpoint.

use super::figures::{clock, count, counted, date_and_clock, duration_ns};
use super::layout::{fit, width_of, wrap};
use super::{Ink, View, push_line};
use crate::escape::escape;
use crate::found::AsOf;
use crate::trace::{Circle, GapKind, Scope, Trace};

/// Events that one note names.
const NAMED_MAX: usize = 8;

/// Title and sums.
pub(super) fn head(trace: &Trace, view: View, out: &mut String) {
    let (noun, id) = match &trace.scope {
        Scope::Trace(id) => ("Trace", id),
        Scope::Session(id) => ("Session", id),
        Scope::Task(id) => ("Task", id),
    };
    let columns = view.columns();
    let when = period(trace);
    let title = fit(&format!("{noun} {}", escape(id)), columns);
    let gap = columns.saturating_sub(width_of(&title) + width_of(&when));
    let title = view.paint(Ink::Bold, &title);
    if gap >= 2 {
        push_line(out, &format!("{title}{}{}", " ".repeat(gap), view.paint(Ink::Dim, &when)));
    } else {
        push_line(out, &title);
        for line in wrap(&when, columns, 2) {
            push_line(out, &view.paint(Ink::Dim, &line));
        }
    }
    for line in wrap(&sums(trace), columns, 4) {
        push_line(out, &view.paint(Ink::Dim, &line.replace('\u{a0}', " ")));
    }
    push_line(out, "");
}

/// From when to when, in UTC.
fn period(trace: &Trace) -> String {
    let (Some(start), Some(end)) = (trace.totals.started_at, trace.totals.ended_at) else {
        return String::new();
    };
    let last = if start.day() == end.day() { clock(end) } else { date_and_clock(end) };
    format!("{} – {last} UTC", date_and_clock(start))
}

fn sums(trace: &Trace) -> String {
    let totals = &trace.totals;
    let mut parts = vec![counted(totals.events, "event")];
    let mut add = |number: u64, noun: &str| {
        if number > 0 {
            parts.push(counted(number, noun));
        }
    };
    add(totals.agents.len() as u64, "agent");
    add(totals.tools.len() as u64, "tool");
    parts.push(if totals.errors == 0 {
        "no errors".into()
    } else {
        counted(totals.errors, "error")
    });
    parts.push(duration_ns(totals.duration_ns));
    if totals.tokens_total > 0 {
        let (input, output) = (count(totals.tokens_input), count(totals.tokens_output));
        let total = count(totals.tokens_total);
        parts.push(format!("{total} tokens ({input} in, {output} out)"));
    }
    for (currency, amount) in &totals.costs {
        parts.push(format!("{amount} {}", escape(currency)));
    }
    // Breaks stand between parts, not inside them.
    parts.iter().map(|part| part.replace(' ', "\u{a0}")).collect::<Vec<_>>().join(" · ")
}

/// Oddities, then the checkpoint.
pub(super) fn foot(trace: &Trace, as_of: &AsOf, view: View, out: &mut String) {
    let notes = notes(trace);
    if !notes.is_empty() {
        push_line(out, "");
    }
    for note in notes {
        for (position, line) in wrap(&note, view.columns() - 2, 4).iter().enumerate() {
            let lead = if position == 0 { "! " } else { "  " };
            push_line(out, &view.paint(Ink::Yellow, &format!("{lead}{line}")));
        }
    }
    checkpoint(as_of, view, out);
}

fn notes(trace: &Trace) -> Vec<String> {
    let findings = &trace.findings;
    let mut notes = Vec::new();
    let mut note = |count: usize, what: &str, named: Vec<String>| {
        if count > 0 {
            let more = if count > named.len() { ", …" } else { "" };
            notes.push(format!(
                "{} {what}: {}{more}",
                counted(count as u64, "event"),
                named.join(", ")
            ));
        }
    };
    let name = |node: &usize| {
        trace.nodes.get(*node).map_or_else(String::new, |node| format!("#{}", node.summary.index))
    };
    let named = |nodes: &mut dyn Iterator<Item = usize>| {
        nodes.take(NAMED_MAX).map(|node| name(&node)).collect::<Vec<_>>()
    };
    let reordered = named(&mut findings.reordered.iter().copied());
    note(
        findings.reordered.len(),
        "shown after what caused them, against their clocks (↕)",
        reordered,
    );
    let orphans = findings.orphans.iter().take(NAMED_MAX);
    let orphan = |o: &crate::trace::Orphan| format!("{} ({})", name(&o.node), escape(&o.parent_id));
    note(findings.orphans.len(), "naming a parent that is not here", orphans.map(orphan).collect());
    for (kind, what) in [
        (GapKind::ToolCallWithoutResult, "calling a tool without a result"),
        (GapKind::InvocationWithoutEnd, "invoking an agent without an end"),
    ] {
        let gaps = || findings.gaps.iter().filter(move |gap| gap.kind == kind).map(|gap| gap.node);
        note(gaps().count(), what, named(&mut gaps()));
    }
    for circle in &findings.circles {
        match circle {
            Circle::Parents(nodes) => {
                let ring = named(&mut nodes.iter().copied());
                note(nodes.len(), "being each other's parents; the first was made a root", ring);
            }
            Circle::Causes(node) => {
                let ring = vec![name(node)];
                note(1, "waiting for its own effect through caused_by; placed by time", ring);
            }
        }
    }
    let unreadable = findings.unreadable.iter().take(NAMED_MAX).map(|index| format!("#{index}"));
    note(findings.unreadable.len(), "that could not be read", unreadable.collect());
    notes
}

/// The checkpoint that the answer stands for.
pub(super) fn checkpoint(as_of: &AsOf, view: View, out: &mut String) {
    push_line(out, "");
    let root = as_of.root_hex.get(..16).map(|head| format!("{head}…"));
    let root = root.unwrap_or_else(|| as_of.root_hex.clone());
    let size = counted(as_of.size, "entry").replace("entrys", "entries");
    let line = format!("As of {}, {size}, root {}", escape(&as_of.origin), escape(&root));
    for line in wrap(&line, view.columns(), 3) {
        push_line(out, &view.paint(Ink::Dim, &line));
    }
}
