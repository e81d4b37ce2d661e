//! The graph of a trace for other programs: Graphviz (DOT), Mermaid and SVG. Who called whom is a
//! line, what else led to something a dashed one.
//!
//! Labels are a stranger's. Each format has characters that it obeys, so each label is spelled with
//! none of them: DOT as a quoted string without HTML, Mermaid with everything but letters and
//! digits as numbers, SVG as escaped text without scripts or links.
//!
//! The picture is laid out here: one row for each event in causal order, indented by depth. A trace
//! is a tree in time, which this shows without a crossing line of the first kind, in linear time
//! and without recursion; general layouts do neither, and bring a library along.

use super::agent_name;
use super::layout::{fit, width_of};
use crate::escape::escape;
use crate::found::AsOf;
use crate::trace::{Node, Trace};
use event::Status;
use std::fmt::Write as _;

/// Columns of a label.
const LABEL_COLUMNS: usize = 80;

/// The parts of a node, safe to be looked at.
struct Shown {
    label: String,
    kind: String,
    agent: String,
    status: Status,
}

impl Shown {
    fn of(node: &Node) -> Self {
        let summary = &node.summary;
        Self {
            label: fit(&escape(&summary.label), LABEL_COLUMNS),
            kind: fit(&escape(&summary.event_type), LABEL_COLUMNS),
            agent: fit(&agent_name(summary.agent.as_deref()), LABEL_COLUMNS),
            status: summary.status,
        }
    }
}

/// Links of a trace: from, to, and whether it is the parent.
fn links(trace: &Trace) -> impl Iterator<Item = (usize, usize, bool)> {
    trace.nodes.iter().enumerate().flat_map(|(to, node)| {
        let parent = node.parent.map(|from| (from, to, true));
        parent.into_iter().chain(node.causes.iter().map(move |from| (*from, to, false)))
    })
}

/// The checkpoint in one line.
fn checkpoint(as_of: &AsOf) -> String {
    format!("as of {}, {} entries, root {}", escape(&as_of.origin), as_of.size, as_of.root_hex)
}

/// Draws a trace for Graphviz. Nodes carry `label`, `type`, `agent` and the event's `id`.
#[must_use]
pub fn dot(trace: &Trace, as_of: &AsOf) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph trace {\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(out, "  label={}; labelloc=b; rankdir=TB;", quoted(&checkpoint(as_of)));
    out.push_str("  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=10];\n");
    for (at, node) in trace.nodes.iter().enumerate() {
        let Shown { label, kind, agent, status } = Shown::of(node);
        let label = quoted(&label).trim_end_matches('"').to_owned();
        let below = quoted(&format!("{kind} · {agent}"));
        let colour = colour(status);
        let _ = writeln!(
            out,
            "  n{at} [label={label}\\n{}, id={}, type={}, agent={}, color=\"{colour}\"];",
            below.trim_start_matches('"'),
            quoted(&escape(&node.summary.id)),
            quoted(&kind),
            quoted(&agent),
        );
    }
    for (from, to, is_parent) in links(trace) {
        let style = if is_parent { "" } else { " [style=dashed]" };
        let _ = writeln!(out, "  n{from} -> n{to}{style};");
    }
    out.push_str("}\n");
    out
}

/// Draws a trace for Mermaid.
#[must_use]
pub fn mermaid(trace: &Trace, as_of: &AsOf) -> String {
    let mut out = String::from("flowchart TD\n");
    for (at, node) in trace.nodes.iter().enumerate() {
        let Shown { label, kind, agent, status } = Shown::of(node);
        let _ = writeln!(
            out,
            "  n{at}[\"{}<br/>{} · {}\"]{}",
            numbered(&label),
            numbered(&kind),
            numbered(&agent),
            if status == Status::Success { "" } else { ":::bad" }
        );
    }
    for (from, to, is_parent) in links(trace) {
        let _ = writeln!(out, "  n{from} {} n{to}", if is_parent { "-->" } else { "-.->" });
    }
    out.push_str("  classDef bad stroke:#c00\n");
    let _ = writeln!(out, "  %% {}", numbered(&checkpoint(as_of)));
    out
}

/// Everything in ASCII but letters, digits and blanks as a character number, which Mermaid shows as
/// the character and never obeys.
fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => out.push(c),
            _ if c.is_ascii() => drop(write!(out, "#{};", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// Pixels of the picture.
const ROW: usize = 34;
const INDENT: usize = 22;
const MARGIN: usize = 16;
const COLUMN: usize = 7;
/// Deeper events are drawn no further to the right.
const DEPTH_MAX: usize = 40;

/// Draws a trace as a picture.
#[must_use]
pub fn svg(trace: &Trace, as_of: &AsOf) -> String {
    let x = |node: &Node| MARGIN + node.depth.min(DEPTH_MAX) * INDENT;
    let y = |at: usize| MARGIN + at * ROW + ROW / 2;
    let shown: Vec<Shown> = trace.nodes.iter().map(Shown::of).collect();
    let foot = checkpoint(as_of);
    let ends = trace.nodes.iter().zip(&shown).map(|(node, shown)| {
        let below = width_of(&shown.kind) + width_of(&shown.agent) + 3;
        x(node) + 14 + COLUMN * width_of(&shown.label).max(below)
    });
    let width = ends.max().unwrap_or(0).max(COLUMN * width_of(&foot)) + MARGIN * 3;
    let height = MARGIN * 3 + trace.nodes.len() * ROW;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n"
    );
    let _ = writeln!(out, "<title>{}</title>", xml(&foot));
    let _ = writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>");
    for (from, to, is_parent) in links(trace) {
        let (Some(source), Some(target)) = (trace.nodes.get(from), trace.nodes.get(to)) else {
            continue;
        };
        let (x1, y1, x2, y2) = (x(source), y(from), x(target), y(to));
        if is_parent {
            let _ =
                writeln!(out, "<path d=\"M{x1} {y1}V{y2}H{x2}\" fill=\"none\" stroke=\"#999\"/>");
        } else {
            let bend = x1.max(x2) + INDENT;
            let _ = writeln!(
                out,
                "<path d=\"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#999\" \
                 stroke-dasharray=\"3 3\"/>"
            );
        }
    }
    for (at, (node, shown)) in trace.nodes.iter().zip(&shown).enumerate() {
        let (x, y) = (x(node), y(at));
        let Shown { label, kind, agent, status } = shown;
        let _ = writeln!(
            out,
            "<g><title>{}</title><circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{}\"/><text x=\"{}\" \
             y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" fill=\"#666\" font-size=\"10\">{} · {}</text></g>",
            xml(&format!("{} ({})", escape(&node.summary.id), status.as_str())),
            colour(*status),
            x + 12,
            y,
            xml(label),
            x + 12,
            y + 13,
            xml(agent),
            xml(kind)
        );
    }
    let bottom = height - MARGIN;
    let _ = writeln!(
        out,
        "<text x=\"{MARGIN}\" y=\"{bottom}\" fill=\"#666\" font-size=\"10\">{}</text>",
        xml(&foot)
    );
    out.push_str("</svg>\n");
    out
}

fn colour(status: Status) -> &'static str {
    match status {
        Status::Success => "#287d3c",
        Status::Error | Status::Timeout => "#c02020",
        Status::Denied | Status::Escalated => "#b07000",
        Status::Cancelled | Status::Unknown => "#777777",
    }
}

/// Text inside an element. What is left of controls after [`escape`] is none.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No XML may hold these, even as numbers.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_ends_where_it_stands() {
        assert_eq!(numbered("a\"];click"), "a#34;#93;#59;click");
        assert_eq!(numbered("#59; é"), "#35;59#59; é");
        assert_eq!(xml("<a href='x'>&\"\u{ffff}"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\u{fffd}");
    }
}
