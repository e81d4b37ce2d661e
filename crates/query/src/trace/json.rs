//! A trace for programs: the events as stored, and the graph, sums and findings around them.

use super::{Circle, Count, Trace};
use crate::found::{AsOf, Found};
use crate::row::{write_checkpoint, write_row, write_string};
use std::collections::HashSet;

/// Appends the trace as one JSON object: `checkpoint`, the id asked for, `events` in causal order
/// (those that could not be read at the end), `nodes`, `edges`, `totals`, `findings`. `found` are
/// the records that the trace was assembled from.
pub fn write_trace(
    trace: &Trace,
    found: &[Found<'_>],
    as_of: &AsOf,
    with_content: bool,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    write_checkpoint(as_of, out);
    let (field, id) = trace.scope.field();
    text(out, &format!(",\"{field}\":"));
    write_string(id, out);
    let placed = trace.nodes.iter().filter_map(|node| found.get(node.position));
    let indexes: HashSet<u64> = trace.findings.unreadable.iter().copied().collect();
    let unreadable = found.iter().filter(|found| indexes.contains(&found.index));
    list(out, "events", placed.chain(unreadable), |found, out| write_row(found, with_content, out));
    list(out, "nodes", &trace.nodes, |node, out| {
        let summary = &node.summary;
        let agent = summary.agent.as_deref().unwrap_or_default();
        let members =
            [("id", &*summary.id), ("label", &summary.label), ("type", &summary.event_type)];
        for (position, (key, value)) in members.into_iter().chain([("agent", agent)]).enumerate() {
            text(out, if position == 0 { "{" } else { "," });
            text(out, &format!("\"{key}\":"));
            write_string(value, out);
        }
        let status = summary.status.as_str();
        text(out, &format!(",\"index\":{},\"status\":\"{status}\"", summary.index));
        text(out, &format!(",\"depth\":{}", node.depth));
        text(out, &format!(",\"offset_ms\":{}", milliseconds(node.offset_ns)));
        text(out, &format!(",\"reordered\":{}}}", node.reordered));
    });
    let edges = trace.nodes.iter().enumerate().flat_map(|(to, node)| {
        let parent = node.parent.map(|from| (from, to, "parent"));
        parent.into_iter().chain(node.causes.iter().map(move |from| (*from, to, "cause")))
    });
    list(out, "edges", edges, |(from, to, kind), out| {
        text(out, "{\"from\":");
        write_id(trace, from, out);
        text(out, ",\"to\":");
        write_id(trace, to, out);
        text(out, &format!(",\"kind\":\"{kind}\"}}"));
    });
    write_totals(trace, out);
    write_findings(trace, out);
    out.push(b'}');
}

fn write_totals(trace: &Trace, out: &mut Vec<u8>) {
    let totals = &trace.totals;
    text(out, &format!(",\"totals\":{{\"events\":{}", totals.events));
    for (key, time) in [("started_at", totals.started_at), ("ended_at", totals.ended_at)] {
        if let Some(time) = time {
            text(out, &format!(",\"{key}\":\"{time}\""));
        }
    }
    text(out, &format!(",\"duration_ms\":{}", milliseconds(totals.duration_ns)));
    let (input, output, total) = (totals.tokens_input, totals.tokens_output, totals.tokens_total);
    text(out, &format!(",\"tokens\":{{\"input\":{input},\"output\":{output},\"total\":{total}}}"));
    text(out, &format!(",\"usage_repeated\":{}", totals.usage_repeated));
    // The amount as text: a number would pass through a double in most readers.
    list(out, "costs", &totals.costs, |(currency, amount), out| {
        text(out, &format!("{{\"amount\":\"{amount}\",\"currency\":"));
        write_string(currency, out);
        out.push(b'}');
    });
    text(out, &format!(",\"costs_not_summed\":{}", totals.costs_not_summed));
    text(out, &format!(",\"errors\":{}", totals.errors));
    list(out, "agents", &totals.agents, write_count);
    list(out, "tools", &totals.tools, write_count);
    out.push(b'}');
}

fn write_count(count: &Count, out: &mut Vec<u8>) {
    text(out, "{\"name\":");
    write_string(&count.name, out);
    text(out, &format!(",\"events\":{},\"errors\":{}}}", count.events, count.errors));
}

fn write_findings(trace: &Trace, out: &mut Vec<u8>) {
    let findings = &trace.findings;
    text(out, ",\"findings\":{\"unreadable\":");
    text(out, &format!("{:?}", findings.unreadable));
    list(out, "reordered", &findings.reordered, |node, out| write_id(trace, *node, out));
    list(out, "orphans", &findings.orphans, |orphan, out| {
        text(out, "{\"id\":");
        write_id(trace, orphan.node, out);
        text(out, ",\"parent\":");
        write_string(&orphan.parent_id, out);
        out.push(b'}');
    });
    list(out, "circles", &findings.circles, |circle, out| {
        let (link, nodes) = match circle {
            Circle::Parents(nodes) => ("parent", nodes.as_slice()),
            Circle::Causes(node) => ("cause", std::slice::from_ref(node)),
        };
        text(out, &format!("{{\"link\":\"{link}\""));
        list(out, "ids", nodes, |node, out| write_id(trace, *node, out));
        out.push(b'}');
    });
    list(out, "gaps", &findings.gaps, |gap, out| {
        text(out, "{\"id\":");
        write_id(trace, gap.node, out);
        text(out, &format!(",\"kind\":\"{}\"}}", gap.kind.as_str()));
    });
    out.push(b'}');
}

/// Appends `,"key":[...]`.
fn list<T>(
    out: &mut Vec<u8>,
    key: &str,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    text(out, &format!(",\"{key}\":["));
    for (position, item) in items.into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn write_id(trace: &Trace, node: usize, out: &mut Vec<u8>) {
    write_string(trace.nodes.get(node).map_or("", |node| &node.summary.id), out);
}

/// Milliseconds as a JSON number with every nanosecond.
fn milliseconds(nanoseconds: u64) -> String {
    let text = format!("{}.{:06}", nanoseconds / 1_000_000, nanoseconds % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
