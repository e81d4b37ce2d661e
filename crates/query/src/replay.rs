//! A trace as steps, with what an agent knew when it took each.
//!
//! An agent is taken to know what it did itself before, and what led to the step: its parents and
//! causes, and theirs. What else it may have known, the log does not say. The order is the causal
//! one of [`Trace`]; how a step looks is `render`'s.

use crate::found::Found;
use crate::trace::Trace;
use event::{Event, Part, types};
use std::collections::{BTreeSet, HashMap};

/// Earlier events that are looked at for one step: of very long traces the nearest.
const KNOWN_MAX: usize = 200;

/// The steps of a trace; node numbers are positions in [`Trace::nodes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The nodes that are steps, in causal order.
    pub steps: Vec<usize>,
    /// False when every event is a step.
    pub is_of_decisions: bool,
    /// The nodes of each agent, in causal order.
    by_agent: HashMap<String, Vec<usize>>,
}

/// One step. Texts are as the producers sent them: whoever shows them must escape them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The node.
    pub node: usize,
    /// What the agent was asked, and the node that says so.
    pub input: Option<(usize, String)>,
    /// What was retrieved, returned by tools or handed over, each with its node.
    pub context: Vec<(usize, String)>,
    /// What the agent thought before and at this step.
    pub reasoning: Vec<(usize, String)>,
    /// What else the agent knew: nodes.
    pub known: Vec<usize>,
    /// What the step says of itself: options, choice, parameters.
    pub details: Option<String>,
    /// How sure the agent was, 0 to 1.
    pub confidence: Option<String>,
    /// What it gave: result or output.
    pub result: Option<String>,
}

impl Replay {
    /// The decisions of a trace; all of its events when `every`, or when there is no decision.
    #[must_use]
    pub fn new(trace: &Trace, every: bool) -> Self {
        let decisions: Vec<usize> = trace
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.summary.event_type == types::DECISION)
            .map(|(at, _)| at)
            .collect();
        let is_of_decisions = !every && !decisions.is_empty();
        let steps =
            if is_of_decisions { decisions } else { (0..trace.nodes.len()).collect::<Vec<_>>() };
        let mut by_agent: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, node) in trace.nodes.iter().enumerate() {
            if let Some(agent) = &node.summary.agent {
                by_agent.entry(agent.clone()).or_default().push(at);
            }
        }
        Self { steps, is_of_decisions, by_agent }
    }

    /// What was known at a step; `None` when there is no such step. `found` are the records that
    /// the trace was assembled from.
    #[must_use]
    pub fn step(&self, trace: &Trace, found: &[Found<'_>], number: usize) -> Option<Step> {
        let at = *self.steps.get(number)?;
        let mut step = Step { node: at, ..Step::default() };
        let own_agent = trace.nodes.get(at).and_then(|node| node.summary.agent.as_ref());
        for known in self.known_before(trace, at) {
            let node = trace.nodes.get(known);
            let event = node.and_then(|node| found.get(node.position)).map(Found::event);
            match event {
                Some(Ok(event)) => {
                    let agent = node.and_then(|node| node.summary.agent.as_ref());
                    step.learn(known, &event, agent == own_agent);
                }
                _ => step.known.push(known),
            }
        }
        let own = trace.nodes.get(at).and_then(|node| found.get(node.position));
        if let Some(Ok(event)) = own.map(Found::event) {
            step.conclude(at, &event);
        }
        Some(step)
    }

    /// The nodes before `at` that its agent knew, in causal order.
    fn known_before(&self, trace: &Trace, at: usize) -> BTreeSet<usize> {
        let mut known = BTreeSet::new();
        let Some(node) = trace.nodes.get(at) else { return known };
        let own = node.summary.agent.as_ref().and_then(|agent| self.by_agent.get(agent));
        let before = own.map_or(&[][..], |own| {
            own.get(..own.partition_point(|it| *it < at)).unwrap_or_default()
        });
        known.extend(before.iter().rev().take(KNOWN_MAX));
        // Up the links, whoever acted there: what it did itself is in the way of nothing.
        let (mut waiting, mut led_here) = (vec![at], BTreeSet::new());
        while let (Some(next), true) = (waiting.pop(), led_here.len() < KNOWN_MAX) {
            let Some(node) = trace.nodes.get(next) else { continue };
            let led = node.parent.iter().chain(&node.causes).copied().filter(|led| *led < at);
            waiting.extend(led.filter(|led| led_here.insert(*led)));
        }
        known.extend(led_here);
        known
    }
}

impl Step {
    /// Takes up what an earlier event told the agent; what others thought, nobody tells it.
    fn learn(&mut self, node: usize, event: &Event<'_>, is_own: bool) {
        let text = |part| event.content.get(part).map(|json| text_of(json));
        let asked = matches!(&*event.event_type, types::INVOCATION | types::HANDOFF);
        let input = text(Part::Input).or_else(|| asked.then(|| text(Part::Params)).flatten());
        let retrieved = match &*event.event_type {
            types::RETRIEVAL | types::TOOL_RESULT => {
                text(Part::Result).or_else(|| text(Part::Output))
            }
            _ => None,
        };
        let mut is_told = false;
        if let Some(input) = input {
            self.input = Some((node, input));
            is_told = true;
        }
        for context in [text(Part::Context), retrieved].into_iter().flatten() {
            self.context.push((node, context));
            is_told = true;
        }
        if let Some(reasoning) = text(Part::Reasoning).filter(|_| is_own) {
            self.reasoning.push((node, reasoning));
            is_told |= event.event_type == types::REASONING;
        }
        if !is_told {
            self.known.push(node);
        }
    }

    /// Takes up what the step says of itself.
    fn conclude(&mut self, node: usize, event: &Event<'_>) {
        let text = |part| event.content.get(part).map(|json| text_of(json));
        if let Some(input) = text(Part::Input) {
            self.input = Some((node, input));
        }
        self.context.extend(text(Part::Context).map(|context| (node, context)));
        self.reasoning.extend(text(Part::Reasoning).map(|reasoning| (node, reasoning)));
        self.details = text(Part::Params);
        self.confidence = event.confidence.map(|confidence| confidence.to_string());
        self.result = text(Part::Result).or_else(|| text(Part::Output));
    }
}

/// A JSON text as itself, anything else as JSON.
fn text_of(json: &event::Json<'_>) -> String {
    json.to_text().map_or_else(|| json.as_str().to_owned(), |text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::State;
    use crate::trace::Scope;
    use event::{Kind, Tier};

    fn record(index: u64, json: &str) -> Found<'static> {
        let event = Event::from_json(json.as_bytes()).unwrap();
        let (mut meta, mut content) = (Vec::new(), Vec::new());
        event.write_meta(&mut meta);
        event.write_content(&mut content);
        Found {
            index,
            recorded_at_ms: index,
            tier: Tier::of(&event),
            kind: Kind::Event,
            leaf_hash: None,
            state: State::Present,
            meta: meta.into(),
            content: content.into(),
        }
    }

    fn found() -> Vec<Found<'static>> {
        [
            r#"{"event_id":"a","event_type":"agent.invocation","agent_name":"R","input":"please"}"#,
            r#"{"event_id":"b","event_type":"agent.retrieval","agent_name":"S","parent_event_id":"a","result":"doc"}"#,
            r#"{"event_id":"x","event_type":"agent.retrieval","agent_name":"T","parent_event_id":"a","result":"secret of T"}"#,
            r#"{"event_id":"c","event_type":"agent.tool_call","agent_name":"S","parent_event_id":"a"}"#,
            r#"{"event_id":"d","event_type":"agent.decision","agent_name":"S","parent_event_id":"a","reasoning":"so","confidence":0.5,"params":{"chosen":1},"result":"done"}"#,
            r#"{"event_id":"e","event_type":"agent.decision","agent_name":"S","parent_event_id":"d"}"#,
            r#"{"event_id":"f","event_type":"agent.decision","agent_name":"U","parent_event_id":"e"}"#,
        ]
        .iter()
        .zip(0..)
        .map(|(json, index)| record(index, json))
        .collect()
    }

    #[test]
    fn a_step_knows_what_its_agent_did_and_what_led_to_it_and_nothing_of_others() {
        let found = found();
        let trace = Trace::assemble(Scope::Trace("t".into()), &found);
        let replay = Replay::new(&trace, false);
        assert_eq!((replay.steps.len(), replay.is_of_decisions), (3, true));
        let step = replay.step(&trace, &found, 0).unwrap();
        let id = |node: usize| trace.nodes[node].summary.id.as_str();
        assert_eq!(
            step.input.map(|(node, text)| (id(node).to_owned(), text)),
            Some(("a".into(), "please".into()))
        );
        assert_eq!(step.context.iter().map(|(_, text)| &**text).collect::<Vec<_>>(), ["doc"]);
        assert_eq!(step.known.iter().map(|node| id(*node)).collect::<Vec<_>>(), ["c"]);
        assert_eq!(step.reasoning.len(), 1);
        assert_eq!(step.confidence.as_deref(), Some("0.5"));
        assert_eq!(step.details.as_deref(), Some(r#"{"chosen":1}"#));
        assert_eq!(step.result.as_deref(), Some("done"));
        let next = replay.step(&trace, &found, 1).unwrap();
        assert_eq!(next.known.iter().map(|node| id(*node)).collect::<Vec<_>>(), ["c", "d"]);
        // Another agent, three links below the question.
        let last = replay.step(&trace, &found, 2).unwrap();
        assert_eq!(last.input.map(|(_, text)| text).as_deref(), Some("please"));
        assert!(last.context.is_empty());
        assert!(replay.step(&trace, &found, 3).is_none());
    }

    #[test]
    fn without_decisions_every_event_is_a_step() {
        let found: Vec<_> = found().into_iter().take(4).collect();
        let trace = Trace::assemble(Scope::Trace("t".into()), &found);
        let replay = Replay::new(&trace, false);
        assert_eq!((replay.steps.len(), replay.is_of_decisions), (4, false));
        assert_eq!(Replay::new(&trace, true).steps.len(), 4);
    }

    #[test]
    fn a_chain_of_many_steps_ends_soon() {
        let found: Vec<_> = (0..3000)
            .map(|n| {
                let before = i64::try_from(n).unwrap() - 1;
                record(n, &format!(r#"{{"event_id":"{n}","event_type":"agent.decision","agent_name":"A","parent_event_id":"{before}"}}"#))
            })
            .collect();
        let trace = Trace::assemble(Scope::Trace("t".into()), &found);
        let replay = Replay::new(&trace, false);
        let known = replay.step(&trace, &found, 2999).unwrap().known;
        assert_eq!((known.len(), known.last()), (KNOWN_MAX, Some(&2998)));
    }
}
