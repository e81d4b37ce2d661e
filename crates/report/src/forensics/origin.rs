//! What failed first: the failures of a trace, told apart from what only reports them.
//!
//! A failure is dropped where it stands for others: an invocation that failed because of what
//! happened inside it, an announced call whose outcome another event tells. One that passed,
//! because the next try worked, counts only when nothing else failed.

use super::cause::{self, Basis, Cause, Shown};
use super::facts::{Facts, Human};
use event::{Phase, types};
use query::{GapKind, Node, Status, Trace};
use std::collections::HashSet;

/// An event that shows a failure, a refusal or a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symptom {
    /// Its position in the trace.
    pub(super) node: usize,
    pub(super) shown: Shown,
    /// The same was tried again, and worked.
    pub(super) has_passed: bool,
    /// It only reports what failed inside it, or elsewhere.
    pub(super) is_report: bool,
}

/// All failures in the order of the trace, and which of them is the first.
pub(super) struct Symptoms {
    pub(super) all: Vec<Symptom>,
    pub(super) first: Option<Symptom>,
}

impl Symptoms {
    pub(super) fn of(trace: &Trace, facts: &[Facts]) -> Self {
        let look = Look::new(trace, facts);
        let all = look.find();
        let first = all
            .iter()
            .filter(|it| !it.is_report)
            .min_by_key(|it| (it.has_passed, it.node))
            .or_else(|| all.iter().min_by_key(|it| it.node))
            .copied()
            .map(|first| look.sharpened(first, &all));
        Self { all, first }
    }
}

/// Steps up that are looked at: chains can be as long as a trace.
const LEVELS_MAX: usize = 64;

/// For each node the nodes that it stands in, from its parent up.
fn inside(trace: &Trace) -> Vec<Vec<usize>> {
    let parent = |at: &usize| trace.nodes.get(*at).and_then(|node| node.parent);
    let up = |at: usize| std::iter::successors(parent(&at), parent).take(LEVELS_MAX).collect();
    (0..trace.nodes.len()).map(up).collect()
}

impl Symptom {
    fn new(node: usize, shown: Shown) -> Self {
        Self { node, shown, has_passed: false, is_report: false }
    }

    /// Whether a rule says why.
    fn is_told(&self) -> bool {
        !matches!(self.shown.cause, Cause::Unclassified | Cause::UnreadableAnswer)
    }
}

/// Failures that are compared with each other: a trace can have very many, and the first counts.
pub(super) const SYMPTOMS_MAX: usize = 500;

struct Look<'t> {
    trace: &'t Trace,
    facts: &'t [Facts],
    /// What each event stands in.
    inside: Vec<Vec<usize>>,
    /// The first refusal by a person, and what refusals stand in.
    denied_first: Option<usize>,
    denied_inside: HashSet<usize>,
    /// Calls without an outcome.
    open: HashSet<usize>,
}

impl<'t> Look<'t> {
    fn new(trace: &'t Trace, facts: &'t [Facts]) -> Self {
        let inside = inside(trace);
        let is_denied = |it: &(usize, &Facts)| it.1.human == Some(Human::Denied);
        let denied: Vec<usize> =
            facts.iter().enumerate().filter(is_denied).map(|(at, _)| at).collect();
        let levels = denied.iter().filter_map(|at| inside.get(*at)).flatten().copied();
        let gaps = trace.findings.gaps.iter();
        let open = gaps.filter(|gap| gap.kind == GapKind::ToolCallWithoutResult);
        Self {
            trace,
            facts,
            denied_first: denied.first().copied(),
            denied_inside: levels.collect(),
            open: open.map(|gap| gap.node).collect(),
            inside,
        }
    }

    fn node(&self, at: usize) -> Option<(&Node, &Facts)> {
        Some((self.trace.nodes.get(at)?, self.facts.get(at)?))
    }

    fn kind(&self, at: usize) -> &str {
        self.trace.nodes.get(at).map_or("", |node| node.summary.event_type.as_str())
    }

    fn agent(&self, at: usize) -> Option<&str> {
        self.trace.nodes.get(at).and_then(|node| node.summary.agent.as_deref())
    }

    fn is_inside(&self, at: usize, outer: usize) -> bool {
        self.inside.get(at).is_some_and(|levels| levels.contains(&outer))
    }

    /// All failures, marked. An answer that looked sound (cut off, a polite refusal, a search
    /// without hits) is one when something failed and nothing else says why.
    fn find(&self) -> Vec<Symptom> {
        let (mut all, soft) = self.look();
        self.mark(&mut all);
        let is_open = !all.is_empty() && !all.iter().any(|it| it.is_told() && !it.has_passed);
        if is_open && !soft.is_empty() {
            all.extend(soft);
            all.sort_by_key(|symptom| symptom.node);
            self.mark(&mut all);
        }
        all
    }

    /// What failed, was refused, stopped or never ended; and what may explain it.
    fn look(&self) -> (Vec<Symptom>, Vec<Symptom>) {
        let open = self.missing();
        let (mut hard, mut soft, mut is_first) = (Vec::new(), Vec::new(), true);
        for at in 0..self.trace.nodes.len() {
            let Some((node, facts)) = self.node(at) else { continue };
            let summary = &node.summary;
            let plain = |cause, basis| Shown { cause, basis, is_confirmed: false };
            let refusal = cause::of_refusal(summary, facts, self.was_denied(at));
            let shown = match summary.status {
                _ if refusal.is_some() => refusal,
                status if status.is_error() => Some(cause::of_error(summary, facts, is_first)),
                Status::Cancelled => Some(plain(Cause::Unclassified, Basis::Outcome)),
                _ if open.contains(&at) => Some(plain(Cause::MissingResult, Basis::Absence)),
                _ => None,
            };
            is_first &= summary.tool.is_none() && summary.event_type != types::LLM_RESPONSE;
            match shown {
                Some(shown) if hard.len() < SYMPTOMS_MAX => hard.push(Symptom::new(at, shown)),
                Some(_) => {}
                None if soft.len() >= SYMPTOMS_MAX => {}
                None => soft
                    .extend(cause::of_success(summary, facts).map(|shown| Symptom::new(at, shown))),
            }
        }
        (hard, soft)
    }

    /// Whether a person refused before this event, or inside it.
    fn was_denied(&self, at: usize) -> bool {
        self.denied_first.is_some_and(|denied| denied < at) || self.denied_inside.contains(&at)
    }

    /// Calls without an outcome, where others of this trace have one: not every framework reports
    /// results, and one that does not has not lost any.
    fn missing(&self) -> HashSet<usize> {
        let has_results = self.trace.nodes.iter().enumerate().any(|(at, node)| {
            node.summary.tool.is_some() && self.has_ended(at) && !self.open.contains(&at)
        });
        let is_announced = |at: &usize| {
            has_results || self.facts.get(*at).is_some_and(|it| it.phase == Some(Phase::Intent))
        };
        self.open.iter().copied().filter(is_announced).collect()
    }

    /// Whether this is the end of a tool call.
    fn has_ended(&self, at: usize) -> bool {
        let is_call = matches!(self.kind(at), types::TOOL_CALL | types::TOOL_RESULT);
        is_call && self.facts.get(at).is_some_and(|it| it.phase != Some(Phase::Intent))
    }

    /// Says of each failure whether it passed, and whether it only reports others.
    fn mark(&self, all: &mut [Symptom]) {
        let before = all.to_vec();
        let failed: HashSet<usize> = before.iter().map(|it| it.node).collect();
        let passed: Vec<bool> = before.iter().map(|it| self.has_passed(it.node, &failed)).collect();
        for (symptom, passed) in all.iter_mut().zip(passed) {
            symptom.has_passed = passed;
            symptom.is_report = before
                .iter()
                .any(|other| other.node != symptom.node && self.reports(symptom, other, &before));
        }
    }

    /// Whether the same was tried again and worked: the next call of the same tool (of the same
    /// model, when none was called) by the same agent that ended without failing.
    fn has_passed(&self, at: usize, failed: &HashSet<usize>) -> bool {
        let Some((node, _)) = self.node(at) else { return false };
        let is_model = node.summary.event_type == types::LLM_RESPONSE;
        if node.summary.tool.is_none() && !is_model {
            return false;
        }
        self.trace.nodes.iter().enumerate().skip(at + 1).any(|(later, other)| {
            other.summary.tool == node.summary.tool
                && other.summary.agent == node.summary.agent
                && other.summary.status == Status::Success
                && (self.has_ended(later) || (is_model && self.kind(later) == types::LLM_RESPONSE))
                && !failed.contains(&later)
                && !self.open.contains(&later)
        })
    }

    /// Whether a failure is told by another one, and adds nothing.
    fn reports(&self, symptom: &Symptom, other: &Symptom, all: &[Symptom]) -> bool {
        let (at, is_told) = (symptom.node, symptom.is_told());
        if symptom.shown.cause == Cause::MissingResult {
            return self.tells_the_end(at, other);
        }
        if self.is_inside(other.node, at) && self.encloses(at, other.node) {
            // Its own reason counts unless what happened inside has one.
            return !is_told || all.iter().any(|it| self.is_inside(it.node, at) && it.is_told());
        }
        let is_holder = matches!(self.kind(at), types::INVOCATION | types::HANDOFF);
        is_holder && !is_told && other.is_told() && !self.is_inside(at, other.node)
    }

    /// Whether the end of an announced call is told by another failure.
    fn tells_the_end(&self, call: usize, other: &Symptom) -> bool {
        let (Some((node, facts)), Some((told, told_facts))) =
            (self.node(call), self.node(other.node))
        else {
            return false;
        };
        let same_id = facts.call_id.is_some() && facts.call_id == told_facts.call_id;
        let same_tool = node.summary.tool == told.summary.tool
            && node.summary.agent == told.summary.agent
            && other.node > call
            && other.shown.cause != Cause::MissingResult;
        let linked = self.is_inside(other.node, call) || told.causes.contains(&call);
        let stopped = other.shown.cause == Cause::HumanOverride && other.node > call;
        same_id || same_tool || linked || stopped
    }

    /// Whether what happened at `inner` happened while `outer` went on.
    fn encloses(&self, outer: usize, inner: usize) -> bool {
        if matches!(self.kind(outer), types::INVOCATION | types::HANDOFF) {
            return true;
        }
        let (Some((outer, _)), Some((inner, _))) = (self.node(outer), self.node(inner)) else {
            return false;
        };
        let end_ns = outer.summary.duration_ms.map_or(0.0, |ms| ms * 1e6) as u64;
        inner.summary.time.0 <= outer.summary.time.0.saturating_add(end_ns)
    }

    /// The first failure as the later ones show it: two tries that came too late and one that said
    /// 503 are an outage; an agent that failed without a reason, and others because of it.
    fn sharpened(&self, first: Symptom, all: &[Symptom]) -> Symptom {
        let Some((node, facts)) = self.node(first.node) else { return first };
        let same = |other: &&Symptom| {
            let summary = self.trace.nodes.get(other.node).map(|node| &node.summary);
            let same = (&node.summary.tool, &node.summary.agent);
            other.node != first.node && summary.is_some_and(|it| (&it.tool, &it.agent) == same)
        };
        let again: Vec<&Symptom> = all.iter().filter(same).collect();
        let mut shown = first.shown;
        if shown.cause == Cause::Unclassified && node.summary.tool.is_some() {
            shown = again.iter().find(|it| it.is_told()).map_or(shown, |it| it.shown);
        }
        if shown.cause == Cause::ToolTimeout
            && let Some(outage) = again.iter().find(|it| it.shown.cause == Cause::ToolOutage)
        {
            shown = Shown { is_confirmed: true, ..outage.shown };
        }
        if shown.cause == Cause::Unclassified && self.is_of_another_agent(first.node, all) {
            shown.cause = Cause::SubAgentFailure;
            shown.is_confirmed |= all.iter().any(|it| it.is_report);
        }
        let is_other_call = |it: &&&Symptom| {
            let id = self.facts.get(it.node).and_then(|it| it.call_id.as_ref());
            id.is_none() || id != facts.call_id.as_ref()
        };
        shown.is_confirmed |=
            again.iter().filter(is_other_call).any(|it| it.shown.cause == shown.cause);
        shown.is_confirmed |= matches!(shown.cause, Cause::ToolOutage | Cause::ToolTimeout)
            && self.facts.iter().skip(first.node).any(|it| it.is_breaker);
        Symptom { shown, ..first }
    }

    /// Whether it failed at an agent that another one had asked.
    fn is_of_another_agent(&self, at: usize, all: &[Symptom]) -> bool {
        let root = self.trace.nodes.iter().find_map(|node| node.summary.agent.as_deref());
        let is_other = self.agent(at).is_some() && self.agent(at) != root;
        let kind = self.kind(at);
        let others = || all.iter().any(|it| it.is_report && self.agent(it.node) != self.agent(at));
        kind == types::HANDOFF || (is_other && (kind == types::INVOCATION || others()))
    }
}
