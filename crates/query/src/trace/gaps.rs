//! Calls without results and invocations without ends.

use super::{Gap, GapKind, Node};
use event::{Phase, types};
use std::collections::{HashMap, HashSet, VecDeque};

/// Finds what seems to have no end. A result belongs to the call that is its parent or cause, that
/// has the same `call_id`, or else to the oldest open call of the same tool by the same agent.
pub(super) fn find(nodes: &[Node]) -> Vec<Gap> {
    let mut answered: HashSet<usize> = HashSet::new();
    let mut by_call_id: HashMap<&str, usize> = HashMap::new();
    let mut by_tool: HashMap<(Option<&str>, Option<&str>), VecDeque<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let summary = &node.summary;
        let same = (summary.agent.as_deref(), summary.tool.as_deref());
        if is_open_call(node) {
            if let Some(id) = node.call.id.as_deref() {
                by_call_id.entry(id).or_insert(at);
            }
            by_tool.entry(same).or_default().push_back(at);
        } else if is_result(node) {
            let linked = node.parent.into_iter().chain(node.causes.iter().copied());
            let by_id = node.call.id.as_deref().and_then(|id| by_call_id.get(id)).copied();
            let call = linked
                .filter(|at| nodes.get(*at).is_some_and(is_open_call))
                .chain(by_id)
                .find(|call| !answered.contains(call));
            let oldest = || {
                let queue = by_tool.get_mut(&same)?;
                while queue.front().is_some_and(|call| answered.contains(call)) {
                    queue.pop_front();
                }
                queue.pop_front()
            };
            answered.extend(call.or_else(oldest));
        }
    }
    let ended: HashSet<usize> = nodes
        .iter()
        .filter(|node| node.summary.event_type == types::INVOCATION)
        .filter(|node| node.call.phase == Some(Phase::Result))
        .filter_map(|node| node.parent)
        .collect();
    let gap = |(at, node): (usize, &Node)| {
        let kind = if is_open_call(node) && !answered.contains(&at) {
            GapKind::ToolCallWithoutResult
        } else if is_open_invocation(node) && !ended.contains(&at) {
            GapKind::InvocationWithoutEnd
        } else {
            return None;
        };
        Some(Gap { node: at, kind })
    };
    nodes.iter().enumerate().filter_map(gap).collect()
}

fn is_open_call(node: &Node) -> bool {
    node.summary.event_type == types::TOOL_CALL && !node.call.has_ended
}

/// A result event, or a second `tool_call` event written after the act.
fn is_result(node: &Node) -> bool {
    match node.summary.event_type.as_str() {
        types::TOOL_RESULT => true,
        types::TOOL_CALL => node.call.phase == Some(Phase::Result),
        _ => false,
    }
}

fn is_open_invocation(node: &Node) -> bool {
    node.summary.event_type == types::INVOCATION
        && !node.call.has_ended
        && node.call.phase != Some(Phase::Result)
}
