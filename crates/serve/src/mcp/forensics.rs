//! What went wrong in a trace: what failed first, why as far as a log can show it, what led there,
//! what came after, and what is odd.
//!
//! What failed first and why is `report`'s to say, by its rules, so that every door gives the same
//! answer.

use super::envelope::{Answer, Rest};
use super::events::of_summary;
use super::input::{self, Traced};
use super::source::Failure;
use super::tools::Call;
use super::traces::{NAMED_MAX, findings, of_id, scope, totals};
use query::{Node, Status, Trace};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What nobody can read off a log.
const NOT_ASSESSED: [&str; 3] = [
    "causes that the log does not hold: `root_cause` follows from what was recorded, by rules",
    "whether what agents and tools reported is true",
    "events that nobody sent to the log",
];

pub(crate) fn run(call: &Call<'_>) -> Result<Answer, Failure> {
    let Traced { id, first, metadata_only } = input::read(call.arguments)?;
    let shown = call.shown(metadata_only);
    let it = of_id(call, &id, shown)?;
    let trace = &it.trace;
    let skipped = usize::try_from(first).unwrap_or(usize::MAX);
    let failed: Vec<usize> = failures(trace);
    let items = failed.iter().skip(skipped).filter_map(|at| row(trace, *at)).collect();
    let mut examined = report::forensics::examine(trace, &it.found, &it.as_of, None);
    let causes = examined.root_cause.iter_mut().map(|cause| &mut cause.events);
    let advice = examined.recommendations.iter_mut().map(|it| &mut it.events);
    causes.chain(advice).for_each(|events| events.truncate(NAMED_MAX));
    let first_index = examined.root_cause.as_ref().map(|cause| cause.index);
    let origin =
        first_index.and_then(|at| trace.nodes.iter().position(|node| node.summary.index == at));
    let summary = match failed.len() {
        0 => format!(
            "Nothing failed or was refused in the {} events of this trace.",
            trace.nodes.len()
        ),
        count => format!("{count} of {} events failed or were refused.", trace.nodes.len()),
    };
    let mut answer = Answer::new(&it.as_of, shown, summary)
        .fact("not_assessed", NOT_ASSESSED.map(Value::from).to_vec())
        .fact("failures_in_all", failed.len())
        .fact("unreadable", it.unreadable)
        .data("of", scope(trace))
        .data("totals", totals(trace))
        .data("findings", findings(trace))
        .data("decided_by_people", decided(trace))
        .data("failed_by", failed_by(trace, &failed))
        .data("root_cause", json!(examined.root_cause))
        .data("recommendations", json!(examined.recommendations))
        .data("blind_spots", json!(examined.blind_spots));
    if let Some(origin) = origin {
        answer = answer
            .data("failed_first", row(trace, origin).unwrap_or_default())
            .data("led_to_it", path(trace, origin))
            .data("came_of_it", consequences(trace, origin));
    }
    answer.records = Some(trace.nodes.len() as u64);
    Ok(answer.list("failures", items, Rest::From { first: skipped }))
}

fn is_failure(node: &Node) -> bool {
    let status = node.summary.status;
    status.is_error() || matches!(status, Status::Denied | Status::Cancelled)
}

fn failures(trace: &Trace) -> Vec<usize> {
    let all = trace.nodes.iter().enumerate();
    all.filter(|(_, node)| is_failure(node)).map(|(at, _)| at).collect()
}

fn row(trace: &Trace, at: usize) -> Option<Value> {
    let node = trace.nodes.get(at)?;
    let mut row = of_summary(&node.summary);
    row.insert("position".to_owned(), at.into());
    Some(Value::Object(row))
}

/// The parents of a node, from the root down. Links in a circle were cut when the trace was put
/// together.
fn path(trace: &Trace, from: usize) -> Value {
    let parent = |at: &usize| trace.nodes.get(*at).and_then(|node| node.parent);
    let up = std::iter::successors(parent(&from), parent);
    let mut path: Vec<Value> = up.take(NAMED_MAX).filter_map(|at| row(trace, at)).collect();
    path.reverse();
    path.into()
}

/// What stands under a node, or names it as a cause, and so on.
fn consequences(trace: &Trace, origin: usize) -> Value {
    let mut effects: Vec<Vec<usize>> = vec![Vec::new(); trace.nodes.len()];
    for (at, node) in trace.nodes.iter().enumerate() {
        for cause in &node.causes {
            if let Some(effects) = effects.get_mut(*cause) {
                effects.push(at);
            }
        }
    }
    let (mut reached, mut due) = (BTreeSet::new(), vec![origin]);
    while let Some(at) = due.pop() {
        let children = trace.nodes.get(at).map(|node| node.children.as_slice()).unwrap_or_default();
        let effects = effects.get(at).map(Vec::as_slice).unwrap_or_default();
        due.extend(children.iter().chain(effects).filter(|next| reached.insert(**next)));
    }
    reached.remove(&origin);
    let nodes = || reached.iter().filter_map(|at| trace.nodes.get(*at));
    let agents: BTreeSet<&str> = nodes().filter_map(|node| node.summary.agent.as_deref()).collect();
    json!({
        "events": reached.len(),
        "failures": nodes().filter(|node| is_failure(node)).count(),
        "agents": agents,
        "first": reached.iter().take(NAMED_MAX).collect::<Vec<_>>(),
    })
}

/// Failures by what failed: how many, and the first and last of them.
fn failed_by(trace: &Trace, failed: &[usize]) -> Value {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<u64>> = BTreeMap::new();
    for node in failed.iter().filter_map(|at| trace.nodes.get(*at)) {
        let it = &node.summary;
        let key = (
            it.agent.as_deref().unwrap_or_default(),
            it.tool.as_deref().unwrap_or_default(),
            it.error_type.as_deref().unwrap_or(it.status.as_str()),
        );
        groups.entry(key).or_default().push(it.index);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, indexes)| std::cmp::Reverse(indexes.len()));
    let group = |((agent, tool, kind), indexes): ((&str, &str, &str), Vec<u64>)| {
        json!({
            "agent": agent, "tool": tool, "error_type": kind, "count": indexes.len(),
            "first_index": indexes.iter().min(), "last_index": indexes.iter().max(),
        })
    };
    groups.into_iter().take(NAMED_MAX).map(group).collect::<Vec<_>>().into()
}

/// What people decided, or were asked to.
fn decided(trace: &Trace) -> Value {
    let all = trace.nodes.iter().enumerate();
    let by_people = all.filter(|(_, node)| {
        node.summary.event_type == event::types::HUMAN_INTERVENTION
            || node.summary.status == Status::Escalated
    });
    by_people.take(NAMED_MAX).filter_map(|(at, _)| row(trace, at)).collect::<Vec<_>>().into()
}
