//! Whether everything was captured: numbers without gaps, calls with outcomes.

use super::predicate::{End, Item, Predicate};
use super::{Assessed, Named, Parameters};
use event::{Outcome, Phase, types};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Calls that may wait for their outcome at once.
const OPEN_MAX: usize = 200_000;

/// C-INT-3: each producer's numbers are contiguous, or a gap record says why not.
#[derive(Default)]
pub(super) struct Sequences {
    last: BTreeMap<String, u64>,
    /// Producers of which a gap was announced and not met yet.
    excused: BTreeMap<String, u64>,
    looked_at: u64,
    offending: Named,
}

impl Predicate for Sequences {
    fn offer(&mut self, item: &Item<'_>) {
        if item.kind().ends_with(".gap") {
            let own = item.event.producer.as_ref().and_then(|it| it.id.as_deref());
            let named = item.said("producer").or_else(|| own.map(str::to_owned));
            if let Some(producer) = named.filter(|_| item.said("reason").is_some()) {
                *self.excused.entry(producer).or_default() += 1;
            }
        }
        let Some((producer, number)) = &item.facts.producer else { return };
        self.looked_at += 1;
        let last = self.last.entry(producer.clone()).or_insert(*number);
        let is_gap = *number > last.saturating_add(1);
        *last = (*last).max(*number);
        if !is_gap {
            return;
        }
        match self.excused.get_mut(producer) {
            Some(count) if *count > 0 => *count -= 1,
            _ => self.offending.note(item),
        }
    }

    fn finish(self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no producer numbers its events");
        }
        Assessed::by(self.offending, self.looked_at, "came after a gap that no record explains")
            .asking("every producer's numbers without a gap, or with a gap record")
    }
}

/// What is asked of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// C-INT-4: an outcome; of a model's answer its usage; of a handoff whoever took over.
    Outcome,
    /// `data_access_audit`: who did it and how it ended.
    Access,
}

/// A call that waits for its outcome.
struct Open {
    index: u64,
    id: Option<String>,
}

/// Whether calls have outcomes.
pub(super) struct Calls {
    asked: Asked,
    min_share: Option<f64>,
    looked_at: u64,
    offending: Named,
    by_key: HashMap<String, VecDeque<Open>>,
    open: usize,
}

impl Calls {
    pub(super) fn new(parameters: &Parameters, asked: Asked) -> Self {
        Self {
            asked,
            min_share: parameters.min_share,
            looked_at: 0,
            offending: Named::default(),
            by_key: HashMap::new(),
            open: 0,
        }
    }

    /// What an outcome is recognised by, the surest first.
    fn keys(item: &Item<'_>) -> Vec<String> {
        let trace = item.trace();
        let by_id = item.facts.call_id.iter().map(|id| format!("{trace}\0id\0{id}"));
        let tool = item.event.tool.as_deref().unwrap_or_default();
        let agent = item.event.agent_name.as_deref().unwrap_or_default();
        by_id.chain([format!("{trace}\0{agent}\0{tool}")]).collect()
    }

    fn begin(&mut self, key: String, item: &Item<'_>) {
        if self.open < OPEN_MAX {
            self.open += 1;
            let open = Open { index: item.index(), id: item.id().map(str::to_owned) };
            self.by_key.entry(key).or_default().push_back(open);
        }
    }

    fn end(&mut self, keys: &[String]) {
        for key in keys {
            if let Some(queue) = self.by_key.get_mut(key)
                && queue.pop_front().is_some()
            {
                self.open -= 1;
                if queue.is_empty() {
                    self.by_key.remove(key);
                }
                return;
            }
        }
    }

    fn call(&mut self, item: &Item<'_>) {
        let is_result = item.is(types::TOOL_RESULT) || item.facts.phase == Some(Phase::Result);
        let keys = Self::keys(item);
        if is_result {
            return self.end(&keys);
        }
        self.looked_at += 1;
        if self.asked == Asked::Access && item.event.agent_name.is_none() {
            return self.offending.note(item);
        }
        let outcome = item.event.outcome;
        let has_ended = outcome.is_some_and(|outcome| outcome != Outcome::Unknown)
            || item.event.content.get(event::Part::Result).is_some()
            || item.status.is_error();
        // A result belongs to the call of the same id; without one, to that of the same tool.
        let key = keys.into_iter().next().unwrap_or_default();
        if !has_ended || item.facts.phase == Some(Phase::Intent) {
            self.begin(key, item);
        }
    }
}

impl Predicate for Calls {
    fn offer(&mut self, item: &Item<'_>) {
        let coverage = self.asked == Asked::Outcome;
        match item.kind() {
            types::TOOL_CALL | types::TOOL_RESULT => self.call(item),
            types::ERROR if item.event.tool.is_some() => self.end(&Self::keys(item)),
            types::RETRIEVAL if !coverage => {
                self.looked_at += 1;
                if item.event.agent_name.is_none() || item.event.outcome.is_none() {
                    self.offending.note(item);
                }
            }
            types::LLM_RESPONSE if coverage => {
                self.looked_at += 1;
                if item.event.tokens.is_none() && !item.status.is_error() {
                    self.offending.note(item);
                }
            }
            types::HANDOFF if coverage => {
                self.looked_at += 1;
                if let Some(target) = item.said("target") {
                    self.begin(format!("{}\0to\0{target}", item.trace()), item);
                }
            }
            _ => {}
        }
        if coverage
            && !item.is(types::HANDOFF)
            && let Some(agent) = &item.event.agent_name
        {
            self.end(&[format!("{}\0to\0{agent}", item.trace())]);
        }
    }

    fn finish(mut self: Box<Self>, _: &End<'_>) -> Assessed {
        if self.looked_at == 0 {
            return Assessed::nothing("no agent called a tool or a model, or handed over");
        }
        let mut open: Vec<Open> = self.by_key.drain().flat_map(|(_, queue)| queue).collect();
        open.sort_by_key(|open| open.index);
        open.iter().for_each(|open| self.offending.add(open.index, open.id.as_deref()));
        self.offending.first.sort();
        let what = match self.asked {
            Asked::Outcome => "lack an outcome, a usage or whoever took over",
            Asked::Access => "lack who did it or how it ended",
        };
        Assessed::by_share(self.offending, self.looked_at, self.min_share, what)
    }
}
