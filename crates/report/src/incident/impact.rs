//! What an incident cost, and whom it hit: sums that the trace has already.

use crate::forensics::Forensics;
use crate::forensics::facts::Facts;
use query::{Count, Trace};
use serde::Serialize;
use std::collections::BTreeSet;

/// Names of one kind that are told.
const NAMES_MAX: usize = 20;

/// What it cost, and whom it hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// Events of the trace.
    pub events: u64,
    /// Those that ended with an error or too late.
    pub errors: u64,
    /// From the first event to the end of the last, in milliseconds.
    pub duration_ms: f64,
    /// Tokens of models.
    pub tokens: u64,
    /// Money, by currency.
    pub costs: Vec<Money>,
    /// Agents at work.
    pub agents: Vec<Part>,
    /// Tools that were called.
    pub tools: Vec<Part>,
    /// For whom it was done.
    pub on_behalf_of: Vec<String>,
    /// What was acted on, as `name=value`.
    pub resources: Vec<String>,
    /// Other traces that touched the same thing: of the thing that most did. Null when it was not
    /// looked for.
    pub other_traces: Option<u64>,
    /// Failures among their events, of the same thing.
    pub other_failures: Option<u64>,
}

/// An amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Of which currency; `?` when none was named.
    pub currency: String,
    /// How much: exact, as text.
    pub amount: String,
}

/// An agent or a tool, and how it fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its events.
    pub events: u64,
    /// Those that ended with an error or too late.
    pub errors: u64,
}

impl Impact {
    pub(super) fn of(forensics: &Forensics, trace: &Trace, facts: &[Facts]) -> Self {
        let totals = &trace.totals;
        let parts = |counts: &[Count]| {
            let part =
                |it: &Count| Part { name: it.name.clone(), events: it.events, errors: it.errors };
            counts.iter().map(part).collect()
        };
        let money = |(currency, amount): &(String, query::Amount)| Money {
            currency: currency.clone(),
            amount: amount.to_string(),
        };
        let around = forensics.blast_radius.as_ref();
        let most = around.map(|it| it.shared.iter().max_by_key(|it| (it.traces, it.failures)));
        Self {
            events: totals.events,
            errors: totals.errors,
            duration_ms: totals.duration_ns as f64 / 1e6,
            tokens: totals.tokens_total,
            costs: totals.costs.iter().map(money).collect(),
            agents: parts(&totals.agents),
            tools: parts(&totals.tools),
            on_behalf_of: names(facts.iter().filter_map(|it| it.on_behalf_of.clone())),
            resources: names(facts.iter().flat_map(|it| it.resources.clone())),
            other_traces: most.map(|it| it.map_or(0, |it| it.traces)),
            other_failures: most.map(|it| it.map_or(0, |it| it.failures)),
        }
    }
}

/// The first of these names, each once.
fn names(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    all.filter(|name| seen.len() < NAMES_MAX && seen.insert(name.clone())).collect()
}
