//! What followed from the first failure: tries, a breaker, a fallback, people, other agents.

use super::Case;
use super::facts::Human;
use event::{Phase, types};
use query::{Status, Trace};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Consequences that are listed.
const LISTED_MAX: usize = 200;

/// What kind of thing followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsequenceKind {
    /// The same was tried again.
    Retry,
    /// A circuit breaker opened.
    CircuitBreaker,
    /// Something else took its place.
    Fallback,
    /// A person was asked.
    Escalation,
    /// A person stopped it or took over.
    Override,
    /// A person or a policy refused.
    Refusal,
    /// An agent failed because of it.
    Cascade,
    /// Something else failed.
    Failure,
}

impl ConsequenceKind {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Fallback => "fallback",
            Self::Escalation => "escalation",
            Self::Override => "override",
            Self::Refusal => "refusal",
            Self::Cascade => "cascade",
            Self::Failure => "failure",
        }
    }
}

/// Something that followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// What kind of thing.
    pub kind: ConsequenceKind,
    /// The event's index.
    pub index: u64,
    /// Who acted.
    pub agent: Option<String>,
    /// How it ended.
    pub status: &'static str,
    /// Links of the trace lead from the first failure to it; otherwise it only came later.
    pub is_linked: bool,
    /// What it was: the fallback, the attempt.
    pub detail: Option<String>,
}

/// Everything that links lead to from a node: what stands under it, what names it as a cause, and
/// so on.
pub(super) fn reached(trace: &Trace, from: usize) -> HashSet<usize> {
    let mut effects: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, node) in trace.nodes.iter().enumerate() {
        for cause in &node.causes {
            effects.entry(*cause).or_default().push(at);
        }
    }
    let (mut reached, mut due) = (HashSet::new(), vec![from]);
    while let Some(at) = due.pop() {
        let children = trace.nodes.get(at).map(|node| node.children.as_slice()).unwrap_or_default();
        let effects = effects.get(&at).map(Vec::as_slice).unwrap_or_default();
        due.extend(children.iter().chain(effects).filter(|next| reached.insert(**next)));
    }
    reached.remove(&from);
    reached
}

/// The call of which an event only says how it ended: a result under its call.
pub(super) fn told(case: &Case<'_>, at: usize) -> Option<usize> {
    let (node, facts) = (case.trace.nodes.get(at)?, case.facts.get(at)?);
    let is_result = node.summary.event_type == types::TOOL_RESULT
        || (node.summary.event_type == types::TOOL_CALL && facts.phase == Some(Phase::Result));
    let is_call = |call: &usize| {
        case.trace.nodes.get(*call).is_some_and(|call| {
            call.summary.event_type == types::TOOL_CALL && call.summary.tool == node.summary.tool
        })
    };
    let mut linked = node.parent.into_iter().chain(node.causes.iter().copied());
    linked.find(is_call).filter(|_| is_result)
}

/// What followed from the first failure, in the order of the trace.
pub(super) fn of(case: &Case<'_>) -> Vec<Consequence> {
    let Some(first) = case.first() else { return Vec::new() };
    let linked = reached(case.trace, first.node);
    let failed: HashMap<usize, bool> =
        case.symptoms.all.iter().map(|it| (it.node, it.is_report)).collect();
    let mut all = Vec::new();
    for at in 0..case.trace.nodes.len() {
        let is_report = failed.get(&at).copied();
        // An agent that failed because of it began before it.
        let is_later = at > first.node || is_report == Some(true);
        if at == first.node || !is_later || all.len() >= LISTED_MAX {
            continue;
        }
        let Some((kind, detail)) = kind(case, first.node, at, is_report) else { continue };
        let Some(node) = case.trace.nodes.get(at) else { continue };
        all.push(Consequence {
            kind,
            index: node.summary.index,
            agent: node.summary.agent.clone(),
            status: node.summary.status.as_str(),
            is_linked: linked.contains(&at) || is_report == Some(true),
            detail,
        });
    }
    all
}

/// What an event is to the first failure.
fn kind(
    case: &Case<'_>,
    first: usize,
    at: usize,
    is_report: Option<bool>,
) -> Option<(ConsequenceKind, Option<String>)> {
    let (node, facts) = (case.trace.nodes.get(at)?, case.facts.get(at)?);
    let (origin, origin_facts) = (case.trace.nodes.get(first)?, case.facts.get(first)?);
    let summary = &node.summary;
    if facts.is_breaker {
        let detail = facts.failures.map(|count| format!("after {count} failures"));
        return Some((ConsequenceKind::CircuitBreaker, detail));
    }
    match facts.human {
        Some(Human::Asked) => return Some((ConsequenceKind::Escalation, None)),
        Some(Human::Stopped) => return Some((ConsequenceKind::Override, None)),
        Some(Human::Denied) => return Some((ConsequenceKind::Refusal, facts.approver.clone())),
        _ => {}
    }
    if facts.is_fallback {
        return Some((ConsequenceKind::Fallback, facts.fallback.clone()));
    }
    let is_end_of_the_first = told(case, at) == Some(first)
        || (facts.call_id.is_some() && facts.call_id == origin_facts.call_id);
    if is_end_of_the_first {
        return None;
    }
    let is_call =
        summary.event_type == types::TOOL_CALL || summary.event_type == types::LLM_RESPONSE;
    let is_model = origin.summary.tool.is_none() && summary.event_type == origin.summary.event_type;
    let is_same = summary.tool == origin.summary.tool
        && summary.agent == origin.summary.agent
        && (summary.tool.is_some() || is_model);
    if is_call && is_same {
        let attempt = facts.attempt.map(|attempt| format!("attempt {attempt}"));
        return Some((ConsequenceKind::Retry, attempt));
    }
    match (is_report, summary.status) {
        (Some(true), _) if summary.agent != origin.summary.agent => {
            Some((ConsequenceKind::Cascade, None))
        }
        (Some(_), Status::Denied) => Some((ConsequenceKind::Refusal, None)),
        (Some(_), _) if told(case, at).is_none() => Some((ConsequenceKind::Failure, None)),
        _ => None,
    }
}
