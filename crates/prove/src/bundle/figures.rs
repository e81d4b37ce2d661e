//! What the records of a bundle add up to, counted from nothing but them.
//!
//! Whole numbers and exact decimals only, so that every checker gets the same bytes. Usage that is
//! told several times counts once, by the rule of reports (docs/decisions/0038).

use event::{Amount, Event, Status, types};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts over events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Events that are shown.
    pub events: u64,
    /// Those of them that ended in an error or too late.
    pub errors: u64,
    /// When the first happened (RFC 3339).
    pub first: Option<String>,
    /// When the last began.
    pub last: Option<String>,
    /// Events by how they ended.
    pub statuses: BTreeMap<String, u64>,
    /// Events by type.
    pub types: BTreeMap<String, u64>,
    /// What each agent did.
    pub agents: BTreeMap<String, AgentFigures>,
    /// How each tool was used.
    pub tools: BTreeMap<String, ToolFigures>,
    /// Tokens.
    pub tokens: TokenFigures,
    /// Money by currency; `?` for one that is not told.
    pub costs: BTreeMap<String, String>,
}

/// What one agent did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFigures {
    /// Its events.
    pub events: u64,
    /// Those that ended in an error or too late.
    pub errors: u64,
}

/// How one tool was used. Calls and results are counted apart, and of each number the greater
/// counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolFigures {
    /// Calls.
    pub calls: u64,
    /// Calls that failed or took too long.
    pub errors: u64,
    /// How long they took together, in milliseconds.
    pub duration_ms: u64,
}

/// Tokens, each usage once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFigures {
    /// Read by models.
    pub input: u64,
    /// Written by them.
    pub output: u64,
    /// All: as told, else both together.
    pub total: u64,
}

/// In what kind of event a usage is told: where sums are equal, the first counts.
const KINDS: usize = 3;
const ACT: usize = 0;
const USAGE: usize = 1;
const INVOCATION: usize = 2;

/// Of one trace, else session, else task, else event.
#[derive(Default)]
struct Scope {
    tokens: [TokenFigures; KINDS],
    money: BTreeMap<String, [Option<Amount>; KINDS]>,
}

/// What is gathered on the way.
#[derive(Default)]
pub(super) struct Counting {
    figures: Figures,
    ends: Option<(event::Timestamp, event::Timestamp)>,
    tools: BTreeMap<String, [ToolFigures; 2]>,
    scopes: BTreeMap<(u8, String), Scope>,
}

impl Counting {
    /// Adds one event.
    pub(super) fn add(&mut self, index: u64, recorded_ms: u64, event: &Event<'_>) {
        let status = Status::of(event);
        let error = u64::from(status.is_error());
        let figures = &mut self.figures;
        figures.events += 1;
        figures.errors += error;
        *figures.statuses.entry(status.as_str().to_owned()).or_default() += 1;
        *figures.types.entry(event.event_type.to_string()).or_default() += 1;
        if let Some(name) = event.agent_name.as_deref().or(event.agent_id.as_deref()) {
            let agent = figures.agents.entry(name.to_owned()).or_default();
            agent.events += 1;
            agent.errors += error;
        }
        let recorded = event::Timestamp::from_milliseconds(recorded_ms);
        let at = event.timestamp.unwrap_or(recorded);
        let (first, last) = self.ends.unwrap_or((at, at));
        self.ends = Some((first.min(at), last.max(at)));
        self.add_tool(event, error);
        self.add_usage(index, event);
    }

    fn add_tool(&mut self, event: &Event<'_>, error: u64) {
        let which = match &*event.event_type {
            types::TOOL_CALL => 0,
            types::TOOL_RESULT => 1,
            _ => return,
        };
        let name = event.tool_name().unwrap_or("?").to_owned();
        if let Some(tool) = self.tools.entry(name).or_default().get_mut(which) {
            tool.calls += 1;
            tool.errors += error;
            // A float beyond the range becomes the largest integer, and none a zero.
            let duration = event.duration_ms.unwrap_or(0.0).max(0.0).round() as u64;
            tool.duration_ms = tool.duration_ms.saturating_add(duration);
        }
    }

    fn add_usage(&mut self, index: u64, event: &Event<'_>) {
        let kind = match &*event.event_type {
            types::TOKEN_USAGE => USAGE,
            types::INVOCATION => INVOCATION,
            _ => ACT,
        };
        let key = match (&event.trace_id, &event.session_id, &event.task_id) {
            (Some(id), ..) => (0, id.to_string()),
            (_, Some(id), _) => (1, id.to_string()),
            (.., Some(id)) => (2, id.to_string()),
            _ => (3, index.to_string()),
        };
        if event.tokens.is_none() && event.cost.is_none() {
            return;
        }
        let scope = self.scopes.entry(key).or_default();
        if let (Some(tokens), Some(sum)) = (event.tokens, scope.tokens.get_mut(kind)) {
            sum.input = sum.input.saturating_add(tokens.input.unwrap_or(0));
            sum.output = sum.output.saturating_add(tokens.output.unwrap_or(0));
            sum.total = sum.total.saturating_add(tokens.all().unwrap_or(0));
        }
        let Some(cost) = &event.cost else { return };
        let Some(amount) = Amount::parse(&cost.amount) else { return };
        let currency = cost.currency.as_deref().unwrap_or("?").to_owned();
        if let Some(sum) = scope.money.entry(currency).or_default().get_mut(kind) {
            let before = sum.unwrap_or_default();
            *sum = Some(before.checked_add(amount).unwrap_or(before));
        }
    }

    /// The figures.
    pub(super) fn finish(mut self) -> Figures {
        let mut money: BTreeMap<String, Amount> = BTreeMap::new();
        for scope in self.scopes.into_values() {
            let most = scope.tokens.iter().rev().max_by_key(|sum| sum.total);
            let (sum, most) = (&mut self.figures.tokens, most.copied().unwrap_or_default());
            sum.input = sum.input.saturating_add(most.input);
            sum.output = sum.output.saturating_add(most.output);
            sum.total = sum.total.saturating_add(most.total);
            for (currency, sums) in scope.money {
                let told = sums.into_iter().rev().flatten();
                let most = told.max_by(|one, other| one.compare(*other)).unwrap_or_default();
                let sum = money.entry(currency).or_default();
                *sum = sum.checked_add(most).unwrap_or(*sum);
            }
        }
        let shown = |(currency, sum): (String, Amount)| (currency, sum.trimmed().to_string());
        self.figures.costs = money.into_iter().map(shown).collect();
        let greater = |(name, [calls, results]): (String, [ToolFigures; 2])| {
            let both = ToolFigures {
                calls: calls.calls.max(results.calls),
                errors: calls.errors.max(results.errors),
                duration_ms: calls.duration_ms.max(results.duration_ms),
            };
            (name, both)
        };
        self.figures.tools = self.tools.into_iter().map(greater).collect();
        self.figures.first = self.ends.map(|(first, _)| first.to_string());
        self.figures.last = self.ends.map(|(_, last)| last.to_string());
        self.figures
    }
}
