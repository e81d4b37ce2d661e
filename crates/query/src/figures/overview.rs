//! What happened in a period, in a few numbers.

use super::pass::{Figure, in_one_pass};
use super::period::{AGENT, Agents, ENDS, Period, Sheet, time};
use crate::columns::{Columns, NO_WORD};
use crate::withheld::TYPES;
use arrow_array::Array;
use event::Status;
use event::{Timestamp, types};
use segment::SegmentError;
use std::collections::{BTreeMap, HashMap};

/// The events of a period, counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// Events of agents.
    pub events: u64,
    /// The log's own records of the same time, which count nowhere else.
    pub own: u64,
    /// Those of them that tell who read what and who was refused, which not everybody may know.
    pub own_of_access: u64,
    /// Events whose content was erased.
    pub content_erased: u64,
    /// Events that ended in an error or too late.
    pub errors: u64,
    /// Events by status, most first.
    pub statuses: Vec<(Status, u64)>,
    /// Events by type, most first.
    pub types: Vec<(String, u64)>,
    /// Invocations.
    pub invocations: u64,
    /// Invocations that ended in an error or too late.
    pub failed_invocations: u64,
    /// Hand-offs from one agent to another.
    pub handoffs: u64,
    /// Events in which a person took part.
    pub human_interventions: u64,
    /// Events that handed a decision to a person: interventions by people that are escalations, and
    /// whatever else ended as escalated.
    pub escalations: u64,
    /// When the first event happened.
    pub first: Option<Timestamp>,
    /// When the last event happened.
    pub last: Option<Timestamp>,
    /// Every agent, most events first; no name stands for events that name none.
    pub agents: Vec<AgentCount>,
    /// Every hour with an event, in their order.
    pub hours: Vec<HourCount>,
}

/// What one agent did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentCount {
    /// Its name, else its id.
    pub agent: Option<String>,
    /// Its events.
    pub events: u64,
    /// Its invocations.
    pub invocations: u64,
    /// Its events that ended in an error or too late.
    pub errors: u64,
    /// Its events that name a duration.
    pub timed: u64,
    /// The sum of these, in milliseconds.
    pub duration_ms: f64,
}

/// What happened in one hour (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// When it began.
    pub begins: Timestamp,
    /// Events.
    pub events: u64,
    /// Those that ended in an error or too late.
    pub errors: u64,
}

pub(super) const HOUR_NS: i64 = 3_600_000_000_000;

/// Counts of a chunk.
#[derive(Default)]
pub struct Part {
    own: u64,
    own_of_access: u64,
    content_erased: u64,
    escalations: u64,
    failed_invocations: u64,
    statuses: [u64; STATUSES.len()],
    types: Vec<(String, u64)>,
    agents: Vec<AgentCount>,
    hours: BTreeMap<i64, (u64, u64)>,
    ends: Option<(i64, i64)>,
}

const STATUSES: [Status; 7] = [
    Status::Success,
    Status::Error,
    Status::Timeout,
    Status::Denied,
    Status::Escalated,
    Status::Cancelled,
    Status::Unknown,
];

/// Counts the events of a period.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn overview(columns: &Columns, period: &Period) -> Result<Overview, SegmentError> {
    in_one_pass(columns, period)
}

impl Figure for Overview {
    type Part = Part;

    fn columns() -> Vec<&'static str> {
        [ENDS.as_slice(), &AGENT, &["duration_ms", "state", "action"]].concat()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Part, SegmentError> {
        let mut part = Part { own: sheet.own.len() as u64, ..Part::default() };
        if !sheet.own.is_empty() {
            sheet.also(&["event_type"])?;
            let is_of_access = |row: &&usize| {
                sheet.text("event_type", **row).is_some_and(|it| TYPES.contains(&it))
            };
            part.own_of_access = sheet.own.iter().filter(is_of_access).count() as u64;
        }
        if sheet.is_empty() {
            return Ok(part);
        }
        let statuses = sheet.statuses()?;
        let (kinds, agents) = (sheet.codes("event_type")?, Agents::of(sheet)?);
        let (states, durations) = (sheet.codes("state")?, sheet.floats("duration_ms")?);
        let find = |codes: &super::names::Codes<'_>, name| codes.find(name).unwrap_or(NO_WORD - 1);
        let invocation = find(&kinds, types::INVOCATION);
        let intervention = find(&kinds, types::HUMAN_INTERVENTION);
        let erased = find(&states, "content-erased");
        let mut by_type = vec![0; kinds.count()];
        let mut by_agent = vec![AgentCount::default(); agents.count()];
        for (picked, status) in sheet.picked.iter().zip(statuses.iter()) {
            let (row, is_error) = (picked.row, status.is_error());
            let kind = kinds.codes().get(row).copied().unwrap_or(NO_WORD);
            if let Some(count) = by_type.get_mut(usize::from(kind)) {
                *count += 1;
            }
            if let Some(count) = part.statuses.get_mut(*status as usize) {
                *count += 1;
            }
            part.content_erased += u64::from(states.codes().get(row) == Some(&erased));
            let is_invocation = kind == invocation;
            part.failed_invocations += u64::from(is_invocation && is_error);
            part.escalations += u64::from(
                *status == Status::Escalated
                    || kind == intervention
                        && sheet.text("action", row).is_some_and(|it| it.contains("escalat")),
            );
            if let Some(count) = by_agent.get_mut(agents.code(row)) {
                count.events += 1;
                count.invocations += u64::from(is_invocation);
                count.errors += u64::from(is_error);
                if durations.is_valid(row) {
                    count.timed += 1;
                    count.duration_ms += durations.value(row).max(0.0);
                }
            }
            let hour = part.hours.entry(picked.at.div_euclid(HOUR_NS)).or_default();
            *hour = (hour.0 + 1, hour.1 + u64::from(is_error));
            let (first, last) = part.ends.unwrap_or((picked.at, picked.at));
            part.ends = Some((first.min(picked.at), last.max(picked.at)));
        }
        let named = by_type.into_iter().enumerate().filter(|(_, count)| *count > 0);
        let name = |code| kinds.name(code).unwrap_or_default().to_owned();
        part.types = named.map(|(code, count)| (name(code), count)).collect();
        let named = by_agent.into_iter().enumerate().filter(|(_, count)| count.events > 0);
        let named = named.map(|(code, count)| AgentCount {
            agent: agents.name(code).map(str::to_owned),
            ..count
        });
        part.agents = named.collect();
        Ok(part)
    }

    fn sum(parts: Vec<Part>) -> Self {
        let mut out = Overview::default();
        let mut statuses = [0; STATUSES.len()];
        let mut types_seen: HashMap<String, u64> = HashMap::new();
        let mut agents: HashMap<Option<String>, AgentCount> = HashMap::new();
        let mut hours: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
        let mut ends: Option<(i64, i64)> = None;
        for part in parts {
            out.own += part.own;
            out.own_of_access += part.own_of_access;
            out.content_erased += part.content_erased;
            out.escalations += part.escalations;
            out.failed_invocations += part.failed_invocations;
            statuses.iter_mut().zip(part.statuses).for_each(|(sum, more)| *sum += more);
            for (name, count) in part.types {
                *types_seen.entry(name).or_default() += count;
            }
            for more in part.agents {
                let sum = agents.entry(more.agent.clone()).or_default();
                sum.agent = more.agent;
                sum.events += more.events;
                sum.invocations += more.invocations;
                sum.errors += more.errors;
                sum.timed += more.timed;
                sum.duration_ms += more.duration_ms;
            }
            for (hour, (events, errors)) in part.hours {
                let sum = hours.entry(hour).or_default();
                *sum = (sum.0 + events, sum.1 + errors);
            }
            ends = match (ends, part.ends) {
                (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
                (one, other) => one.or(other),
            };
        }
        out.statuses = STATUSES.into_iter().zip(statuses).filter(|(_, count)| *count > 0).collect();
        out.statuses.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        out.events = statuses.iter().sum();
        out.errors = out.statuses.iter().filter(|(it, _)| it.is_error()).map(|(_, n)| n).sum();
        let of = |name: &str| types_seen.get(name).copied().unwrap_or(0);
        (out.invocations, out.handoffs) = (of(types::INVOCATION), of(types::HANDOFF));
        out.human_interventions = of(types::HUMAN_INTERVENTION);
        out.types = types_seen.into_iter().collect();
        out.types.sort_by(|one, other| (other.1, &one.0).cmp(&(one.1, &other.0)));
        out.agents = agents.into_values().collect();
        out.agents
            .sort_by(|one, other| (other.events, &one.agent).cmp(&(one.events, &other.agent)));
        out.hours =
            hours.into_iter().map(|(hour, (events, errors))| line(hour, events, errors)).collect();
        (out.first, out.last) = (ends.map(|it| time(it.0)), ends.map(|it| time(it.1)));
        out
    }
}

fn line(hour: i64, events: u64, errors: u64) -> HourCount {
    let begins = time(hour.saturating_mul(HOUR_NS));
    HourCount { begins, events, errors }
}
