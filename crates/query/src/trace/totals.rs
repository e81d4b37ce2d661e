//! Sums over a trace that count no usage twice.
//!
//! Frameworks report one usage up to three times: in the model's answer, in a usage event beside or
//! under it, and summed up in the invocation above both.

use super::{Count, Node, Totals};
use event::{Timestamp, types};
use std::collections::HashMap;

/// Sums up, and marks the nodes whose usage does not count.
pub(super) fn sum(nodes: &mut [Node]) -> Totals {
    let repeats = find_repeats(nodes);
    let (tokens_below, cost_below) = find_sums(nodes);
    let mut totals = Totals { events: nodes.len() as u64, ..Totals::default() };
    let (mut agents, mut tools) = (Counter::default(), Counter::default());
    for (at, node) in nodes.iter_mut().enumerate() {
        let repeat_of = repeats.get(&at);
        let is_sum = |below: &[bool]| {
            node.summary.event_type == types::INVOCATION && below.get(at) == Some(&true)
        };
        node.usage_counts = repeat_of.is_none() && !is_sum(&tokens_below);
        let cost_counts = repeat_of != Some(&true) && !is_sum(&cost_below);
        add_usage(&mut totals, node, cost_counts);
        add_time(&mut totals, node);
        let summary = &node.summary;
        totals.errors += u64::from(summary.status.is_error());
        agents.add(summary.agent.as_deref(), summary.status.is_error());
        if summary.event_type != types::TOOL_RESULT {
            tools.add(summary.tool.as_deref(), summary.status.is_error());
        }
    }
    if let (Some(start), Some(end)) = (totals.started_at, totals.ended_at) {
        totals.duration_ns = end.0.saturating_sub(start.0);
    }
    totals.agents = agents.counts;
    totals.tools = tools.counts;
    totals
}

fn add_usage(totals: &mut Totals, node: &Node, cost_counts: bool) {
    if let Some((input, output, total)) = node.summary.token_counts() {
        if node.usage_counts {
            totals.tokens_input = totals.tokens_input.saturating_add(input);
            totals.tokens_output = totals.tokens_output.saturating_add(output);
            totals.tokens_total = totals.tokens_total.saturating_add(total);
        } else {
            totals.usage_repeated += 1;
        }
    }
    let Some((amount, currency)) = node.summary.cost.as_ref().filter(|_| cost_counts) else {
        return;
    };
    let slot = totals.costs.iter_mut().find(|(name, _)| name == currency);
    match (amount, slot) {
        (None, _) => totals.costs_not_summed += 1,
        (Some(amount), None) => totals.costs.push((currency.clone(), *amount)),
        (Some(amount), Some((_, sum))) => match sum.checked_add(*amount) {
            Some(added) => *sum = added,
            None => totals.costs_not_summed += 1,
        },
    }
}

fn add_time(totals: &mut Totals, node: &Node) {
    let start = node.summary.time;
    // A float beyond the range becomes the largest integer.
    let duration_ns = (node.summary.duration_ms.unwrap_or(0.0) * 1e6) as u64;
    let end = Timestamp(start.0.saturating_add(duration_ns));
    totals.started_at = Some(totals.started_at.map_or(start, |earliest| earliest.min(start)));
    totals.ended_at = totals.ended_at.max(Some(end));
}

/// Counts by name in order of appearance.
#[derive(Default)]
struct Counter {
    counts: Vec<Count>,
    places: HashMap<String, usize>,
}

impl Counter {
    fn add(&mut self, name: Option<&str>, is_error: bool) {
        let Some(name) = name else { return };
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                self.counts.push(Count { name: name.to_owned(), events: 0, errors: 0 });
                self.places.insert(name.to_owned(), self.counts.len() - 1);
                self.counts.len() - 1
            }
        };
        if let Some(count) = self.counts.get_mut(place) {
            count.events += 1;
            count.errors += u64::from(is_error);
        }
    }
}

/// The usage events that repeat the counts of their parent, a cause, a child or a sibling, and
/// whether that one names a cost. Each act stands for one usage event at most.
fn find_repeats(nodes: &[Node]) -> HashMap<usize, bool> {
    let is_usage = |node: &Node| node.summary.event_type == types::TOKEN_USAGE;
    let mut siblings: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !is_usage(node)) {
        if let Some(counts) = node.summary.token_counts() {
            siblings.entry((node.parent, counts)).or_default().push(at);
        }
    }
    let mut taken = vec![false; nodes.len()];
    let mut repeats = HashMap::new();
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| is_usage(node)) {
        let Some(counts) = node.summary.token_counts() else { continue };
        let says_the_same = |other: &usize| {
            nodes
                .get(*other)
                .is_some_and(|n| !is_usage(n) && n.summary.token_counts() == Some(counts))
                && taken.get(*other) == Some(&false)
        };
        let linked = node.parent.iter().chain(&node.causes).chain(&node.children);
        let sibling = || {
            let list = siblings.get_mut(&(node.parent, counts))?;
            while let Some(other) = list.pop() {
                if says_the_same(&other) {
                    return Some(other);
                }
            }
            None
        };
        let act = linked.copied().find(|other| says_the_same(other)).or_else(sibling);
        if let Some(act) = act {
            if let Some(taken) = taken.get_mut(act) {
                *taken = true;
            }
            repeats.insert(at, nodes.get(act).is_some_and(|act| act.summary.cost.is_some()));
        }
    }
    repeats
}

/// For each node, whether tokens and costs are reported anywhere below it.
fn find_sums(nodes: &[Node]) -> (Vec<bool>, Vec<bool>) {
    let (mut tokens, mut costs) = (vec![false; nodes.len()], vec![false; nodes.len()]);
    // Children stand after their parents, so one pass from the end sees every child first.
    for (at, node) in nodes.iter().enumerate().rev() {
        let Some(parent) = node.parent else { continue };
        let summary = &node.summary;
        for (below, is_here) in
            [(&mut tokens, summary.tokens.is_some()), (&mut costs, summary.cost.is_some())]
        {
            let any = is_here || below.get(at) == Some(&true);
            if let Some(slot) = below.get_mut(parent) {
                *slot |= any;
            }
        }
    }
    (tokens, costs)
}
