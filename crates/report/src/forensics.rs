//! Forensics of a trace: what failed first, why as far as the log can show it, what followed, what
//! else it touched, what cannot be seen, and what to do.
//!
//! A function of the records handed in: rules over the graph, each named in the answer, none of
//! which guesses (docs/forensics.md). The same records give the same answer. Not here: finding the
//! records (`query`), hashes and proofs (`prove`, `reading`).
//!
//! | question | file |
//! |---|---|
//! | what of an event do the rules see? | `facts.rs` |
//! | what kind of failure does it show? | `cause.rs` |
//! | which failure is the first? | `origin.rs` |
//! | what followed from it? | `aftermath.rs` |
//! | what else touched the same things? | `surroundings.rs` |
//! | what can nobody see? | `blind_spots.rs` |
//! | what should be done? | `advice.rs` |
//! | how is it said? | `words.rs`, `page.rs` |

mod advice;
mod aftermath;
mod blind_spots;
mod cause;
pub(crate) mod facts;
mod origin;
pub(crate) mod page;
mod surroundings;
mod words;

pub use advice::Recommendation;
pub use aftermath::{Consequence, ConsequenceKind};
pub use blind_spots::BlindSpot;
pub use cause::{Basis, Cause, Confidence};
pub use page::document;
pub use surroundings::{BlastRadius, MARGIN_MS, Shared, Surroundings};

use facts::Facts;
use origin::{Symptom, Symptoms};
use query::{AsOf, Found, Trace};
use serde::Serialize;

/// The version of the rules: an answer of another version may differ.
pub const RULES: &str = "forensics/1";

/// Rows of the timeline; the rest is counted.
const TIMELINE_ROWS_MAX: usize = 2_000;

/// Failures that are listed beside the first one.
const FAILURES_MAX: usize = 100;

/// What became of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something failed, and nothing shows that it passed.
    Failed,
    /// Something failed, and a person was asked.
    Escalated,
    /// A person or a policy refused or stopped it.
    Stopped,
    /// Something failed, and the next try worked.
    Recovered,
    /// No event reports a failure, a refusal or a stop.
    NothingFailed,
}

/// The checkpoint that an answer is as of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// The log's origin.
    pub origin: String,
    /// Its entries.
    pub size: u64,
    /// The root hash, in hexadecimal.
    pub root: String,
}

impl From<&AsOf> for Checkpoint {
    fn from(as_of: &AsOf) -> Self {
        let AsOf { origin, size, root_hex } = as_of.clone();
        Self { origin, size, root: root_hex }
    }
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// `trace_id`, `task_id` or `session_id`.
    pub kind: &'static str,
    /// The id.
    pub id: String,
    /// Its events.
    pub events: u64,
    /// Its agents, in order of appearance.
    pub agents: Vec<String>,
    /// When the first of them happened.
    pub started_at: Option<String>,
    /// When the last of them ended.
    pub ended_at: Option<String>,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The event's index in the log.
    pub index: u64,
    /// Its id, if it has one.
    pub event_id: Option<String>,
    /// When it happened.
    pub time: String,
    /// Who acted.
    pub agent: Option<String>,
    /// What was done.
    pub action: String,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How it ended.
    pub status: &'static str,
    /// What went wrong.
    pub error: Option<String>,
    /// `first_failure`, or the kind of the consequence; nothing for others.
    pub role: Option<&'static str>,
    /// Indexes of events that say no more than how this one ended.
    pub told_by: Vec<u64>,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The event's index.
    pub index: u64,
    /// What it shows by itself.
    pub cause: Cause,
    /// Whose it was.
    pub agent: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// `same_again`, `reports_it`, `passed`, `followed` or `other`.
    pub relation: &'static str,
}

/// Why it failed, as far as the log shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RootCause {
    /// The cause.
    pub cause: Cause,
    /// In one sentence.
    pub sentence: String,
    /// How certain, by rule.
    pub confidence: Confidence,
    /// What the rule rests on.
    pub basis: Basis,
    /// The agent at which it failed.
    pub agent: Option<String>,
    /// The tool that failed.
    pub tool: Option<String>,
    /// The model that failed.
    pub model: Option<String>,
    /// The index of the first event that shows it.
    pub index: u64,
    /// The indexes of all that do.
    pub events: Vec<u64>,
}

/// An event that something above rests on, to be proved by `tacho prove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventReference {
    /// Its index.
    pub index: u64,
    /// Its id, if it has one.
    pub event_id: Option<String>,
    /// The hash of its leaf in the tree, in hexadecimal, when the reader knows it.
    pub leaf_hash: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forensics {
    /// What it is true for.
    pub checkpoint: Checkpoint,
    /// The version of the rules.
    pub rules: &'static str,
    /// What was looked at.
    pub subject: Subject,
    /// What became of it.
    pub verdict: Verdict,
    /// All of it in a few sentences.
    pub summary: String,
    /// What happened, causes before effects.
    pub timeline: Vec<Step>,
    /// Events that found no place in the timeline.
    pub timeline_left_out: u64,
    /// Why, if anything failed.
    pub root_cause: Option<RootCause>,
    /// Other failures.
    pub other_failures: Vec<Failure>,
    /// What followed from the first.
    pub consequences: Vec<Consequence>,
    /// What else touched the same things, if that was looked for.
    pub blast_radius: Option<BlastRadius>,
    /// What cannot be seen.
    pub blind_spots: Vec<BlindSpot>,
    /// What to do.
    pub recommendations: Vec<Recommendation>,
    /// What all of this rests on.
    pub evidence: Vec<EventReference>,
}

/// A trace with everything that the rules see of it.
struct Case<'c> {
    trace: &'c Trace,
    facts: &'c [Facts],
    symptoms: &'c Symptoms,
}

impl Case<'_> {
    fn first(&self) -> Option<Symptom> {
        self.symptoms.first
    }

    fn index(&self, node: usize) -> u64 {
        self.trace.nodes.get(node).map_or(0, |node| node.summary.index)
    }
}

impl Forensics {
    /// Names the leaves that the answer rests on by their hashes in hexadecimal, as far as
    /// `leaf_hash` knows them by index.
    pub fn hash(&mut self, mut leaf_hash: impl FnMut(u64) -> Option<String>) {
        for event in self.evidence.iter_mut().filter(|event| event.leaf_hash.is_none()) {
            event.leaf_hash = leaf_hash(event.index);
        }
    }
}

/// Examines a trace. `found` are the records that it was assembled of, with their leaf hashes where
/// the reader knows them; `surroundings` the answer to the second question, if it was asked.
#[must_use]
pub fn examine(
    trace: &Trace,
    found: &[Found<'_>],
    as_of: &AsOf,
    surroundings: Option<&Surroundings>,
) -> Forensics {
    let facts = facts::of_trace(trace, found);
    let symptoms = Symptoms::of(trace, &facts);
    let case = Case { trace, facts: &facts, symptoms: &symptoms };
    let consequences = aftermath::of(&case);
    let root_cause = words::root_cause(&case, &consequences);
    let blast_radius = surroundings.map(Surroundings::finish);
    let (timeline, timeline_left_out) = timeline(&case, &consequences);
    let verdict = verdict(&case, &consequences);
    let mut answer = Forensics {
        checkpoint: as_of.into(),
        rules: RULES,
        subject: subject(trace),
        verdict,
        summary: words::summary(&case, verdict, root_cause.as_ref(), &consequences),
        timeline,
        timeline_left_out,
        other_failures: other_failures(&case, root_cause.as_ref()),
        recommendations: advice::of(&case, root_cause.as_ref(), &consequences),
        blind_spots: blind_spots::of(&case, found, surroundings),
        root_cause,
        consequences,
        blast_radius,
        evidence: Vec::new(),
    };
    answer.evidence = evidence(&answer, trace, found);
    answer
}

/// The name of the first cause; `None` when nothing failed.
#[must_use]
pub fn first_cause(trace: &Trace, found: &[Found<'_>]) -> Option<Cause> {
    Symptoms::of(trace, &facts::of_trace(trace, found)).first.map(|first| first.shown.cause)
}

fn subject(trace: &Trace) -> Subject {
    let (kind, id) = trace.scope.field();
    let time = |time: Option<event::Timestamp>| time.map(|time| time.to_string());
    Subject {
        kind,
        id: id.to_owned(),
        events: trace.totals.events,
        agents: trace.totals.agents.iter().map(|count| count.name.clone()).collect(),
        started_at: time(trace.totals.started_at),
        ended_at: time(trace.totals.ended_at),
    }
}

fn verdict(case: &Case<'_>, consequences: &[Consequence]) -> Verdict {
    let Some(first) = case.first() else { return Verdict::NothingFailed };
    let stops = [Cause::ApprovalDenied, Cause::PolicyDenied, Cause::HumanOverride];
    if first.has_passed && case.symptoms.all.iter().all(|it| it.has_passed || it.is_report) {
        return Verdict::Recovered;
    }
    match first.shown.cause {
        cause if stops.contains(&cause) => Verdict::Stopped,
        _ if consequences.iter().any(|it| it.kind == ConsequenceKind::Escalation) => {
            Verdict::Escalated
        }
        _ => Verdict::Failed,
    }
}

/// The timeline; events that only tell how another one ended stand with that one.
fn timeline(case: &Case<'_>, consequences: &[Consequence]) -> (Vec<Step>, u64) {
    let nodes = &case.trace.nodes;
    let told: Vec<Option<usize>> = (0..nodes.len()).map(|at| aftermath::told(case, at)).collect();
    let mut steps = Vec::new();
    let mut left_out = 0;
    let mut place = vec![None; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        let role = match case.first() {
            Some(first) if first.node == at => Some("first_failure"),
            _ => consequences
                .iter()
                .find(|it| it.index == node.summary.index)
                .map(|it| it.kind.as_str()),
        };
        let call = told.get(at).copied().flatten().and_then(|call| *place.get(call)?);
        if let Some(step) = call.and_then(|place: usize| steps.get_mut(place)) {
            words::tell(step, node, role);
            continue;
        }
        if steps.len() >= TIMELINE_ROWS_MAX {
            left_out += 1;
            continue;
        }
        if let Some(slot) = place.get_mut(at) {
            *slot = Some(steps.len());
        }
        steps.push(words::step(case, at, node, role));
    }
    (steps, left_out)
}

fn other_failures(case: &Case<'_>, root: Option<&RootCause>) -> Vec<Failure> {
    let Some((first, root)) = case.first().zip(root) else { return Vec::new() };
    let follow = aftermath::reached(case.trace, first.node);
    let others = case.symptoms.all.iter().filter(|it| it.node != first.node);
    let failure = |it: &Symptom| {
        let summary = &case.trace.nodes.get(it.node)?.summary;
        let relation = match it {
            _ if root.events.contains(&summary.index) => "same_again",
            _ if it.is_report => "reports_it",
            _ if it.has_passed => "passed",
            _ if follow.contains(&it.node) => "followed",
            _ => "other",
        };
        Some(Failure {
            index: summary.index,
            cause: it.shown.cause,
            agent: summary.agent.clone(),
            tool: summary.tool.clone(),
            relation,
        })
    };
    others.filter_map(failure).take(FAILURES_MAX).collect()
}

/// Every event that the answer names, once, in the order of the log.
fn evidence(answer: &Forensics, trace: &Trace, found: &[Found<'_>]) -> Vec<EventReference> {
    let root = answer.root_cause.iter().flat_map(|it| it.events.iter().chain([&it.index]));
    let others = answer.other_failures.iter().map(|it| &it.index);
    let followed = answer.consequences.iter().map(|it| &it.index);
    let mut named: Vec<u64> = root.chain(others).chain(followed).copied().collect();
    named.sort_unstable();
    named.dedup();
    let reference = |node: &query::Node| {
        let found = found.get(node.position)?;
        named.binary_search(&found.index).ok()?;
        Some(EventReference {
            index: found.index,
            event_id: words::event_id(node),
            leaf_hash: found.leaf_hash.map(|hash| words::hexadecimal(&hash)),
        })
    };
    let mut all: Vec<EventReference> = trace.nodes.iter().filter_map(reference).collect();
    all.sort_by_key(|it| it.index);
    all
}
