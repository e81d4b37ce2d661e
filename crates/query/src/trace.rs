//! One trace (or session, or task) put together: causal order, the tree, what is odd, what it cost.
//!
//! Ids and links are whatever producers sent: parents may be missing, point in a circle or form a
//! chain of 100,000. Nothing here recurses; every repair is reported in [`Findings`].

mod gaps;
mod json;
mod order;
mod totals;

pub use json::write_trace;

use crate::filter::Filter;
use crate::found::Found;
use crate::summary::Summary;
use event::Amount;
use event::{Event, Phase, Timestamp};
use order::{Key, Links};
use std::collections::HashMap;

/// Which events belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those with this trace id.
    Trace(String),
    /// Those with this session id.
    Session(String),
    /// Those with this task id.
    Task(String),
}

impl Scope {
    /// The question that finds the events.
    #[must_use]
    pub fn filter(&self) -> Filter {
        match self {
            Self::Trace(id) => Filter { traces: vec![id.clone()], ..Filter::default() },
            Self::Session(id) => Filter { sessions: vec![id.clone()], ..Filter::default() },
            Self::Task(id) => Filter { tasks: vec![id.clone()], ..Filter::default() },
        }
    }

    /// The name of the id in machine output, and the id.
    #[must_use]
    pub fn field(&self) -> (&'static str, &str) {
        match self {
            Self::Trace(id) => ("trace_id", id),
            Self::Session(id) => ("session_id", id),
            Self::Task(id) => ("task_id", id),
        }
    }
}

/// A trace put together. Numbers of nodes are positions in [`Trace::nodes`].
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What was asked for.
    pub scope: Scope,
    /// The events in causal order: parents and causes first, then by time, then by index.
    pub nodes: Vec<Node>,
    /// The nodes without a parent here.
    pub roots: Vec<usize>,
    /// Sums.
    pub totals: Totals,
    /// What is odd about it.
    pub findings: Findings,
}

/// One event of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it says. Ids are unique within the trace: a second event of the same id gets `#<index>`
    /// appended.
    pub summary: Summary,
    /// Its position in the records that were handed in.
    pub position: usize,
    /// The event that it belongs under, if that is here.
    pub parent: Option<usize>,
    /// The events that belong under it, in causal order.
    pub children: Vec<usize>,
    /// The other events here that led to it.
    pub causes: Vec<usize>,
    /// Steps up to its root.
    pub depth: usize,
    /// Nanoseconds since the earliest event of the trace.
    pub offset_ns: u64,
    /// True when it stands later than its time says, because what caused it claims a later time.
    pub reordered: bool,
    /// False when its usage repeats, or sums up, what another node reports; it is then left out of
    /// the totals.
    pub usage_counts: bool,
    call: Call,
}

/// What tells whether a call was answered.
#[derive(Clone, Debug, Default, PartialEq)]
struct Call {
    id: Option<String>,
    phase: Option<Phase>,
    has_ended: bool,
}

/// Sums over a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Events.
    pub events: u64,
    /// The earliest time.
    pub started_at: Option<Timestamp>,
    /// The latest time, durations included.
    pub ended_at: Option<Timestamp>,
    /// Between the two, in nanoseconds.
    pub duration_ns: u64,
    /// Tokens read by models.
    pub tokens_input: u64,
    /// Tokens written by models.
    pub tokens_output: u64,
    /// All tokens.
    pub tokens_total: u64,
    /// Events whose usage was left out because others report it too.
    pub usage_repeated: u64,
    /// Money per currency (`?` when none was named), exact.
    pub costs: Vec<(String, Amount)>,
    /// Amounts that do not fit an exact sum, and are not in it.
    pub costs_not_summed: u64,
    /// Events that ended with an error or too late.
    pub errors: u64,
    /// Events and errors per agent, in order of appearance.
    pub agents: Vec<Count>,
    /// Calls and errors per tool, in order of appearance.
    pub tools: Vec<Count>,
}

/// How often something occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The name, as the producer sent it.
    pub name: String,
    /// Events.
    pub events: u64,
    /// Events that ended with an error or too late.
    pub errors: u64,
}

/// What is odd about a trace. All of it can be innocent; none of it is hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Nodes that stand later than their time says.
    pub reordered: Vec<usize>,
    /// Nodes that name a parent which is not here.
    pub orphans: Vec<Orphan>,
    /// Links that go in a circle, and were cut.
    pub circles: Vec<Circle>,
    /// What seems to have no end.
    pub gaps: Vec<Gap>,
    /// Indexes of records whose stored bytes could not be read.
    pub unreadable: Vec<u64>,
}

/// A node whose parent is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The node.
    pub node: usize,
    /// The id of the parent that it names.
    pub parent_id: String,
}

/// Events that wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Circle {
    /// Each is the parent of the next; the first one was made a root.
    Parents(Vec<usize>),
    /// This one waits, through `caused_by`, for something that waits for it; it was placed by its
    /// time.
    Causes(usize),
}

/// Something without an end: a hint, because not every framework reports ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The node.
    pub node: usize,
    /// What is missing.
    pub kind: GapKind,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// A tool was called and no result is here.
    ToolCallWithoutResult,
    /// An agent was invoked and neither an end nor a duration is here.
    InvocationWithoutEnd,
}

impl GapKind {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolCallWithoutResult => "tool_call_without_result",
            Self::InvocationWithoutEnd => "invocation_without_end",
        }
    }
}

/// One event before it has its place.
struct Draft {
    summary: Summary,
    position: usize,
    parent_id: Option<String>,
    cause_ids: Vec<String>,
    call: Call,
}

impl Draft {
    fn new(position: usize, found: &Found<'_>, event: &Event<'_>) -> Self {
        let call_id = event.content.attribute("call_id").and_then(|json| json.to_text());
        let has_ended = event.duration_ms.is_some()
            || event.outcome.is_some_and(|outcome| outcome != event::Outcome::Unknown)
            || event.content.get(event::Part::Result).is_some()
            || event.is_error();
        Self {
            summary: Summary::of(found, event),
            position,
            parent_id: event.parent_event_id.as_deref().map(str::to_owned),
            cause_ids: event.caused_by.iter().map(|id| id.to_string()).collect(),
            call: Call {
                id: call_id.map(|id| id.into_owned()),
                phase: event.phase,
                has_ended: has_ended && event.phase != Some(Phase::Intent),
            },
        }
    }
}

impl Trace {
    /// Puts the records of one scope together. Labels show parts of the content: hand in records
    /// [without content](Found::without_content) when the reader may not see it.
    #[must_use]
    pub fn assemble(scope: Scope, found: &[Found<'_>]) -> Self {
        let mut findings = Findings::default();
        let mut drafts = Vec::with_capacity(found.len());
        for (position, found) in found.iter().enumerate() {
            match found.event() {
                Ok(event) => drafts.push(Draft::new(position, found, &event)),
                Err(_) => findings.unreadable.push(found.index),
            }
        }
        let mut links = link(&mut drafts);
        let key = |draft: &Draft| Key(draft.summary.time, draft.summary.index, draft.position);
        let keys: Vec<Key> = drafts.iter().map(key).collect();
        let circles = order::cut_circles(&mut links.parents, &keys);
        let (sequence, forced) = order::causal(&links, &keys);
        let mut nodes = place(drafts, &links, &sequence);

        let mut place_of = vec![0; nodes.len()];
        for (place, draft) in sequence.iter().enumerate() {
            if let Some(slot) = place_of.get_mut(*draft) {
                *slot = place;
            }
        }
        let to_place = |draft: &usize| place_of.get(*draft).copied().unwrap_or_default();
        let orphan = |(draft, parent_id)| Orphan { node: to_place(&draft), parent_id };
        findings.orphans = links.orphans.into_iter().map(orphan).collect();
        findings.orphans.sort_by_key(|orphan| orphan.node);
        let circle = |circle: Vec<usize>| Circle::Parents(circle.iter().map(to_place).collect());
        findings.circles = circles.into_iter().map(circle).collect();
        findings.circles.extend(forced.iter().map(|draft| Circle::Causes(to_place(draft))));
        findings.reordered =
            nodes.iter().enumerate().filter(|(_, n)| n.reordered).map(|(at, _)| at).collect();
        findings.gaps = gaps::find(&nodes);
        let totals = totals::sum(&mut nodes);
        let is_root = |(at, node): (usize, &Node)| node.parent.is_none().then_some(at);
        let roots = nodes.iter().enumerate().filter_map(is_root).collect();
        Self { scope, nodes, roots, totals, findings }
    }
}

/// Resolves ids to drafts. A parent that is not here is noted; a cause that is not here may well
/// stand in another trace.
fn link(drafts: &mut [Draft]) -> Links {
    let mut by_id: HashMap<String, usize> = HashMap::with_capacity(drafts.len());
    for (at, draft) in drafts.iter_mut().enumerate() {
        while by_id.contains_key(&draft.summary.id) {
            draft.summary.id = format!("{}#{}", draft.summary.id, draft.summary.index);
        }
        by_id.insert(draft.summary.id.clone(), at);
    }
    let mut links = Links::default();
    for (at, draft) in drafts.iter().enumerate() {
        let parent = draft.parent_id.as_ref().and_then(|id| by_id.get(id)).copied();
        if let (None, Some(parent_id)) = (parent, &draft.parent_id) {
            links.orphans.push((at, parent_id.clone()));
        }
        let mut causes: Vec<usize> =
            draft.cause_ids.iter().filter_map(|id| by_id.get(id)).copied().collect();
        causes.sort_unstable();
        causes.dedup();
        causes.retain(|cause| Some(*cause) != parent);
        links.parents.push(parent);
        links.causes.push(causes);
    }
    links
}

/// Makes nodes of drafts, in the order found.
fn place(drafts: Vec<Draft>, links: &Links, sequence: &[usize]) -> Vec<Node> {
    let start = drafts.iter().map(|draft| draft.summary.time).min().unwrap_or(Timestamp(0));
    let mut place_of: Vec<Option<usize>> = vec![None; drafts.len()];
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(drafts.len());
    let mut latest = None;
    for at in sequence {
        let Some(draft) = drafts.get_mut(*at).and_then(Option::take) else { continue };
        let placed = |other: usize| place_of.get(other).copied().flatten();
        let parent = links.parents.get(*at).copied().flatten().and_then(placed);
        let causes = links.causes.get(*at).map(Vec::as_slice).unwrap_or_default();
        let causes = causes.iter().copied().filter_map(placed).collect();
        let place = nodes.len();
        let depth = match parent.and_then(|parent| nodes.get_mut(parent)) {
            Some(parent) => {
                parent.children.push(place);
                parent.depth + 1
            }
            None => 0,
        };
        let now = Some((draft.summary.time, draft.summary.index));
        let offset_ns = draft.summary.time.0.saturating_sub(start.0);
        nodes.push(Node {
            summary: draft.summary,
            position: draft.position,
            parent,
            children: Vec::new(),
            causes,
            depth,
            offset_ns,
            reordered: now < latest,
            usage_counts: true,
            call: draft.call,
        });
        latest = latest.max(now);
        if let Some(slot) = place_of.get_mut(*at) {
            *slot = Some(place);
        }
    }
    nodes
}

#[cfg(test)]
mod tests;
