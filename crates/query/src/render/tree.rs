//! The tree: who did what on whose behalf, with a bar for when it happened and how long it took.

use super::figures::{count, duration};
use super::layout::{fit, left, right, width_of, wrap};
use super::{Agents, Drawn, Ink, View, agent_name, error_line, notes, open_nodes, push_line};
use crate::escape::escape;
use crate::found::AsOf;
use crate::trace::{Node, Trace};

/// Draws the tree of a trace.
#[must_use]
pub fn tree(trace: &Trace, as_of: &AsOf, view: View) -> String {
    let mut out = String::new();
    notes::head(trace, view, &mut out);
    let columns = Columns::new(trace, view);
    let mut agents = Agents::default();
    let unfinished = open_nodes(trace);
    // Which ancestors have younger siblings: one flag a level, cut back when the walk climbs.
    let mut open: Vec<bool> = Vec::new();
    let mut stack: Vec<(usize, bool)> = Vec::new();
    push_children(&trace.roots, &mut stack);
    while let Some((at, is_last)) = stack.pop() {
        let Some(node) = trace.nodes.get(at) else { continue };
        open.truncate(node.depth);
        let lead = indent(&open, columns.indent, node.depth, Some(is_last));
        open.push(!is_last);
        let agent = agents.ink(node.summary.agent.as_deref());
        let mark = if unfinished.contains(&at) {
            view.paint(Ink::Yellow, "…")
        } else {
            view.paint(node.summary.status.ink(), node.summary.status.mark())
        };
        let figures = figures(node, agent, &columns, trace.totals.duration_ns, view);
        let line = node_line(node, &lead, &mark, agent, &columns, view);
        push_line(&mut out, &(line + &figures));
        if let Some(error) = error_line(&node.summary).filter(|_| node.summary.status.is_error()) {
            let mut lead = indent(&open, columns.indent, node.depth, None);
            lead.push_str(if node.children.is_empty() { "  " } else { "│ " });
            let room = view.columns().saturating_sub(width_of(&lead));
            for line in wrap(&error, room, 2) {
                let lead = view.paint(Ink::Dim, &lead);
                push_line(&mut out, &format!("{lead}{}", view.paint(Ink::Red, &line)));
            }
        }
        push_children(&node.children, &mut stack);
    }
    notes::foot(trace, as_of, view, &mut out);
    out
}

fn push_children(children: &[usize], stack: &mut Vec<(usize, bool)>) {
    let last = children.last();
    stack.extend(children.iter().rev().map(|child| (*child, Some(child) == last)));
}

/// Columns of each part; 0 where it is left out.
struct Columns {
    left: usize,
    /// The widest indentation that is drawn.
    indent: usize,
    tokens: usize,
    duration: usize,
    bar: usize,
}

impl Columns {
    fn new(trace: &Trace, view: View) -> Self {
        let width = view.columns();
        let bar = match width {
            ..72 => 0,
            72..WIDER => 12,
            _ => 20,
        };
        let has_tokens = view.is_wide() && trace.totals.tokens_total > 0;
        let (tokens, duration) = (if has_tokens { 8 } else { 0 }, 6);
        let frame = if bar > 0 { bar + 4 } else { 0 };
        let left = width.saturating_sub(tokens + duration + 2 + frame);
        Self { left, indent: left / 2, tokens, duration, bar }
    }
}

/// From this width on the bar is long.
const WIDER: usize = 96;

/// The lines of the tree before a node at `depth`, two columns a level; with `branch`, the last
/// level is its own branch. What does not fit is cut off on the left, and the depth named instead.
fn indent(open: &[bool], columns_max: usize, depth: usize, branch: Option<bool>) -> String {
    let Some(levels) = depth.checked_sub(usize::from(branch.is_some())) else {
        return String::new();
    };
    let shown = columns_max / 2;
    let mut out = String::new();
    // Level 0 holds the roots, which have no branch of their own.
    let first = if levels > shown {
        out = format!("⋯{depth} ");
        levels + 1 - shown.saturating_sub(out.len().div_ceil(2))
    } else {
        1
    };
    for level in first..=levels {
        out.push_str(if open.get(level) == Some(&true) { "│ " } else { "  " });
    }
    match branch {
        Some(true) => out.push_str("└╴"),
        Some(false) => out.push_str("├╴"),
        None => {}
    }
    out
}

/// The left side of a node's line: where it hangs, how it ended, who and what.
fn node_line(
    node: &Node,
    lead: &str,
    mark: &str,
    agent: Ink,
    columns: &Columns,
    view: View,
) -> String {
    let summary = &node.summary;
    let moved = if node.reordered { "↕ " } else { "" };
    let name = fit(&agent_name(summary.agent.as_deref()), columns.left / 4);
    let taken = width_of(lead) + 2 + width_of(moved) + width_of(&name) + 2;
    let label = left(&escape(&summary.label), columns.left.saturating_sub(taken));
    let ink = if summary.status.is_error() { Ink::Red } else { Ink::Plain };
    format!(
        "{}{mark} {}{}  {}",
        view.paint(Ink::Dim, lead),
        view.paint(Ink::Yellow, moved),
        view.paint(agent, &name),
        view.paint(ink, &label),
    )
}

/// The right side: tokens, duration and bar.
fn figures(node: &Node, agent: Ink, columns: &Columns, total_ns: u64, view: View) -> String {
    let summary = &node.summary;
    let mut line = String::new();
    if columns.tokens > 0 {
        let counts = summary.token_counts().filter(|_| node.usage_counts);
        let text = counts.map(|(_, _, total)| count(total)).unwrap_or_default();
        line.push_str(&view.paint(Ink::Dim, &right(&text, columns.tokens)));
    }
    line.push_str("  ");
    line.push_str(&right(&summary.duration_ms.map(duration).unwrap_or_default(), columns.duration));
    if columns.bar > 0 {
        let frame = |side| view.paint(Ink::Dim, side);
        let ink = if summary.status.is_error() { Ink::Red } else { agent };
        let bar = view.paint(ink, &bar(node, total_ns, columns.bar));
        line.push_str(&format!("  {}{bar}{}", frame("▕"), frame("▏")));
    }
    line
}

/// When the event happened within the trace, to half a column.
fn bar(node: &Node, total_ns: u64, columns: usize) -> String {
    let halves = columns as u128 * 2;
    let duration_ns = (node.summary.duration_ms.unwrap_or(0.0) * 1e6) as u64;
    let total = u128::from(total_ns.max(1));
    let start = (u128::from(node.offset_ns) * halves / total).min(halves - 1);
    let end_ns = u128::from(node.offset_ns) + u128::from(duration_ns);
    let end = (end_ns * halves).div_ceil(total).clamp(start + 1, halves);
    let filled = |half: u128| (start..end).contains(&half);
    (0..halves)
        .step_by(2)
        .map(|half| match (filled(half), filled(half + 1)) {
            (true, true) => '█',
            (true, false) => '▌',
            (false, true) => '▐',
            (false, false) => ' ',
        })
        .collect()
}
