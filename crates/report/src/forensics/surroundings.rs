//! What else touched the same tool, resource, model or principal around the incident: the answer
//! to a second question, which reads the log's window once and keeps counts.

use super::facts::{self, Facts};
use super::origin::Symptoms;
use event::{Event, Kind, Timestamp, types};
use query::{Filter, Found, Status, Trace};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How long before the trace and after it is looked, in milliseconds.
pub const MARGIN_MS: u64 = 15 * 60 * 1_000;

/// Traces and agents that are told apart for each thing.
const TOLD_APART_MAX: usize = 1_000;

/// Events and traces that are named for each thing.
const NAMED_MAX: usize = 10;

/// Sequence numbers of producers that are kept, to find gaps.
const NUMBERS_MAX: usize = 200_000;

/// One thing that the incident touched, and who else did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// `tool`, `resource`, `model`, `principal` or `on_behalf_of`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Other events that touched it.
    pub events: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Other traces, at most 1,000.
    pub traces: u64,
    /// The first of them.
    pub first_traces: Vec<String>,
    /// Agents, in the order of their names.
    pub agents: Vec<String>,
    /// Indexes of the first that failed.
    pub failed: Vec<u64>,
}

/// What else touched the same things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlastRadius {
    /// From when on it was looked.
    pub from: String,
    /// And until when.
    pub to: String,
    /// Events of other traces in this time.
    pub events_seen: u64,
    /// The things that the incident touched.
    pub shared: Vec<Shared>,
}

/// Counts what else happened around a trace.
#[derive(Debug)]
pub struct Surroundings {
    from: Timestamp,
    to: Timestamp,
    own: HashSet<u64>,
    things: BTreeMap<(&'static str, String), Tally>,
    seen: u64,
    /// The producers of the trace, with the numbers that it should lie between, and those seen.
    numbers: BTreeMap<String, Numbers>,
    kept: usize,
}

#[derive(Debug, Default)]
struct Tally {
    events: u64,
    failures: u64,
    traces: BTreeSet<String>,
    agents: BTreeSet<String>,
    failed: Vec<u64>,
}

#[derive(Debug)]
struct Numbers {
    first: u64,
    last: u64,
    seen: BTreeSet<u64>,
}

/// Numbers of a producer that no record has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) producer: String,
    pub(super) count: u64,
    pub(super) first: u64,
}

impl Surroundings {
    /// Nothing counted yet; `found` are the records of the trace.
    #[must_use]
    pub fn new(trace: &Trace, found: &[Found<'_>]) -> Self {
        let facts = facts::of_trace(trace, found);
        let margin_ns = MARGIN_MS * 1_000_000;
        let (from, to) = (trace.totals.started_at, trace.totals.ended_at);
        let mut new = Self {
            from: Timestamp(from.map_or(0, |time| time.0.saturating_sub(margin_ns))),
            to: Timestamp(to.map_or(u64::MAX, |time| time.0.saturating_add(margin_ns))),
            own: trace.nodes.iter().map(|node| node.summary.index).collect(),
            things: BTreeMap::new(),
            seen: 0,
            numbers: BTreeMap::new(),
            kept: 0,
        };
        if let Some(first) = Symptoms::of(trace, &facts).first
            && let (Some(node), Some(it)) = (trace.nodes.get(first.node), facts.get(first.node))
        {
            new.touch("tool", node.summary.tool.as_deref());
            it.resources.iter().for_each(|resource| new.touch("resource", Some(resource)));
            new.touch("model", it.model.as_deref().or_else(|| model_before(&facts, first.node)));
            new.touch("principal", it.principal.as_deref());
            new.touch("on_behalf_of", it.on_behalf_of.as_deref());
        }
        for (producer, number) in facts.iter().filter_map(|it| it.producer.as_ref()) {
            let empty = Numbers { first: *number, last: *number, seen: BTreeSet::new() };
            let numbers = new.numbers.entry(producer.clone()).or_insert(empty);
            numbers.first = numbers.first.min(*number);
            numbers.last = numbers.last.max(*number);
            numbers.seen.insert(*number);
        }
        new
    }

    fn touch(&mut self, kind: &'static str, name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.things.entry((kind, name.to_owned())).or_default();
        }
    }

    /// The second question.
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter {
            from: Some(self.from),
            to: Some(self.to),
            without_access_records: true,
            ..Filter::default()
        }
    }

    /// Counts a record of its answer; those of the trace itself and the log's own are left out.
    pub fn offer(&mut self, found: &Found<'_>) {
        if found.kind == Kind::Log || self.own.contains(&found.index) {
            return;
        }
        let Ok(event) = found.event() else { return };
        if event.event_type.starts_with(types::LOG_PREFIX) {
            return;
        }
        self.seen += 1;
        let it = Facts::of(found, &event);
        self.number(&it);
        let tool = event.tool.as_deref();
        let mut touched: Vec<(&'static str, &str)> = Vec::new();
        touched.extend(tool.map(|name| ("tool", name)));
        touched.extend(it.resources.iter().map(|name| ("resource", name.as_str())));
        touched.extend(it.model.as_deref().map(|name| ("model", name)));
        touched.extend(it.principal.as_deref().map(|name| ("principal", name)));
        touched.extend(it.on_behalf_of.as_deref().map(|name| ("on_behalf_of", name)));
        for (kind, name) in touched {
            if let Some(tally) = self.things.get_mut(&(kind, name.to_owned())) {
                tally.add(found.index, &event);
            }
        }
    }

    fn number(&mut self, facts: &Facts) {
        let Some((producer, number)) = &facts.producer else { return };
        if self.kept < NUMBERS_MAX
            && let Some(numbers) = self.numbers.get_mut(producer)
            && (numbers.first..=numbers.last).contains(number)
            && numbers.seen.insert(*number)
        {
            self.kept += 1;
        }
    }

    /// What was counted.
    #[must_use]
    pub fn finish(&self) -> BlastRadius {
        let shared = |((kind, name), tally): (&(&'static str, String), &Tally)| Shared {
            kind,
            name: name.clone(),
            events: tally.events,
            failures: tally.failures,
            traces: tally.traces.len() as u64,
            first_traces: tally.traces.iter().take(NAMED_MAX).cloned().collect(),
            agents: tally.agents.iter().take(NAMED_MAX).cloned().collect(),
            failed: tally.failed.clone(),
        };
        BlastRadius {
            from: self.from.to_string(),
            to: self.to.to_string(),
            events_seen: self.seen,
            shared: self.things.iter().map(shared).collect(),
        }
    }

    /// Gaps in the numbers of the trace's producers, unless too many numbers were seen to tell.
    pub(super) fn missing(&self) -> Vec<Missing> {
        if self.kept >= NUMBERS_MAX {
            return Vec::new();
        }
        let missing = |(producer, numbers): (&String, &Numbers)| {
            let all = numbers.last.saturating_sub(numbers.first).saturating_add(1);
            let count = all.saturating_sub(numbers.seen.len() as u64);
            let steps = (numbers.first..).zip(&numbers.seen);
            let gap = steps.into_iter().find(|(due, seen)| due != *seen).map(|(due, _)| due);
            Some(Missing { producer: producer.clone(), count, first: gap.filter(|_| count > 0)? })
        };
        self.numbers.iter().filter_map(missing).collect()
    }
}

impl Tally {
    fn add(&mut self, index: u64, event: &Event<'_>) {
        self.events += 1;
        if Status::of(event).is_error() {
            self.failures += 1;
            if self.failed.len() < NAMED_MAX {
                self.failed.push(index);
            }
        }
        let keep = |set: &mut BTreeSet<String>, name: Option<&str>| {
            if let Some(name) = name.filter(|_| set.len() < TOLD_APART_MAX) {
                set.insert(name.to_owned());
            }
        };
        let trace = event.trace_id.as_deref().or(event.session_id.as_deref());
        keep(&mut self.traces, trace);
        keep(&mut self.agents, event.agent_name.as_deref().or(event.agent_id.as_deref()));
    }
}

/// The model that was last at work before an event.
fn model_before(facts: &[Facts], at: usize) -> Option<&str> {
    facts.iter().take(at).rev().find_map(|it| it.model.as_deref())
}
