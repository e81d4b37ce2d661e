//! The timeline: one event a line, in causal order, errors below their event.

use super::figures::{clock, count, duration, offset};
use super::layout::{left, right, wrap};
use super::{
    Agents, Drawn, Ink, View, agent_name, error_line, notes, open_nodes, push_line, widest,
};
use crate::escape::escape;
use crate::found::{AsOf, State};
use crate::trace::{Node, Trace};

/// One event as the texts of its columns.
struct Row {
    offset: String,
    agent: String,
    duration: String,
    tokens: String,
    status: String,
    /// True for what seems to have no end.
    is_open: bool,
}

impl Row {
    fn of(node: &Node, is_open: bool) -> Self {
        let summary = &node.summary;
        let tokens = summary.token_counts().filter(|_| node.usage_counts);
        Self {
            offset: offset(node.offset_ns),
            agent: agent_name(summary.agent.as_deref()),
            duration: summary.duration_ms.map(duration).unwrap_or_default(),
            tokens: tokens.map(|(_, _, total)| count(total)).unwrap_or_default(),
            status: if is_open { "… open".to_owned() } else { summary.status.words() },
            is_open,
        }
    }
}

/// Columns of each part; 0 where it is left out.
struct Columns {
    offset: usize,
    agent: usize,
    label: usize,
    duration: usize,
    tokens: usize,
    status: usize,
}

impl Columns {
    fn new(rows: &[Row], view: View) -> Self {
        let wide = view.is_wide();
        let shown = |texts: &mut dyn Iterator<Item = &str>, head: &str, max: usize| {
            let width = widest(texts, max);
            if width == 0 { 0 } else { width.max(head.len()) }
        };
        let mut columns = Self {
            offset: if wide { shown(&mut rows.iter().map(|r| &*r.offset), "+TIME", 9) } else { 0 },
            agent: shown(&mut rows.iter().map(|r| &*r.agent), "AGENT", if wide { 18 } else { 9 }),
            label: 0,
            duration: shown(
                &mut rows.iter().map(|r| &*r.duration),
                if wide { "TOOK" } else { "" },
                9,
            ),
            tokens: if wide {
                shown(&mut rows.iter().map(|r| &*r.tokens), "TOKENS", 11)
            } else {
                0
            },
            status: if wide { shown(&mut rows.iter().map(|r| &*r.status), "", 11) } else { 1 },
        };
        let others =
            [columns.offset, columns.agent, columns.duration, columns.tokens, columns.status];
        let taken: usize = 8 + others.iter().filter(|w| **w > 0).map(|w| w + 2).sum::<usize>() + 2;
        columns.label = view.columns().saturating_sub(taken);
        columns
    }

    /// Columns before the label.
    fn before_label(&self) -> usize {
        8 + if self.offset > 0 { self.offset + 2 } else { 0 } + self.agent + 4
    }
}

/// Draws the timeline of a trace. Times are UTC.
#[must_use]
pub fn timeline(trace: &Trace, as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    notes::head(trace, view, &mut out);
    let open = open_nodes(trace);
    let row = |(at, node)| Row::of(node, open.contains(&at));
    let mut rows: Vec<Row> = trace.nodes.iter().enumerate().map(row).collect();
    if !view.is_wide() {
        // The mark alone.
        rows.iter_mut().for_each(|row| row.status.truncate(row.status.find(' ').unwrap_or(9)));
    }
    let columns = Columns::new(&rows, view);
    if view.is_wide() && !rows.is_empty() {
        push_line(&mut out, &view.paint(Ink::Dim, heading(&columns).trim_end()));
    }
    let mut agents = Agents::default();
    let mut day = trace.totals.started_at.map(|time| time.day());
    for (node, row) in trace.nodes.iter().zip(&rows) {
        let summary = &node.summary;
        if day != Some(summary.time.day()) {
            day = Some(summary.time.day());
            push_line(&mut out, &view.paint(Ink::Dim, &format!("── {} ──", summary.time.date())));
        }
        let agent = agents.ink(summary.agent.as_deref());
        event_lines(node, row, &columns, agent, view, &mut out);
        if let Some(error) = error_line(summary).filter(|_| summary.status.is_error()) {
            let indent = columns.before_label();
            for line in wrap(&error, view.columns().saturating_sub(indent), 2) {
                let line = view.paint(Ink::Red, &line);
                push_line(&mut out, &format!("{}{line}", " ".repeat(indent)));
            }
        }
    }
    notes::foot(trace, as_of, view, &mut out);
    out
}

fn heading(columns: &Columns) -> String {
    let mut line = left("TIME", 8);
    let mut add = |width: usize, cell: String| {
        if width > 0 {
            line.push_str("  ");
            line.push_str(&cell);
        }
    };
    add(columns.offset, right("+TIME", columns.offset));
    add(columns.agent, left("AGENT", columns.agent));
    add(columns.label, left("WHAT HAPPENED", columns.label));
    add(columns.duration, right("TOOK", columns.duration));
    add(columns.tokens, right("TOKENS", columns.tokens));
    line
}

fn event_lines(
    node: &Node,
    row: &Row,
    columns: &Columns,
    agent: Ink,
    view: View,
    out: &mut String,
) {
    let summary = &node.summary;
    let is_error = summary.status.is_error();
    let label = if is_error { Ink::Red } else { Ink::Plain };
    let lines = wrap(&escape(&summary.label), columns.label, if view.is_wide() { 2 } else { 3 });
    for (position, text) in lines.iter().enumerate() {
        if position > 0 {
            let text = view.paint(label, text);
            push_line(out, &format!("{}{text}", " ".repeat(columns.before_label())));
            continue;
        }
        let mut line = view.paint(Ink::Dim, &clock(summary.time));
        // The mark of a moved event stands in the first gap.
        let mut gap =
            if node.reordered { view.paint(Ink::Yellow, "↕") + " " } else { "  ".to_owned() };
        let mut add = |width: usize, ink: Ink, cell: String| {
            if width > 0 {
                line.push_str(&std::mem::replace(&mut gap, "  ".to_owned()));
                line.push_str(&view.paint(ink, &cell));
            }
        };
        add(columns.offset, Ink::Dim, right(&row.offset, columns.offset));
        add(columns.agent, agent, left(&row.agent, columns.agent));
        add(columns.label, label, left(text, columns.label));
        add(columns.duration, Ink::Plain, right(&row.duration, columns.duration));
        add(columns.tokens, Ink::Dim, right(&row.tokens, columns.tokens));
        let ink = if row.is_open { Ink::Yellow } else { summary.status.ink() };
        add(columns.status, ink, left(&row.status, columns.status));
        push_line(out, &line);
    }
    if summary.state == State::ContentErased {
        let indent = " ".repeat(columns.before_label());
        push_line(out, &format!("{indent}{}", view.paint(Ink::Dim, "content erased")));
    }
}
