//! Which agents there were in a period, on which models, with which tools, in which versions.

use super::pass::{Figure, in_one_pass};
use super::period::{AGENT, Agents, Period, Sheet, time};
use crate::columns::{Columns, NO_WORD};
use event::Timestamp;
use segment::SegmentError;
use std::collections::{BTreeMap, HashMap};

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSeen {
    /// Its name, else its id; none for events that name none.
    pub agent: Option<String>,
    /// All of it.
    pub seen: Seen,
    /// Its versions (`agent_version`), by when each was seen first.
    pub versions: Vec<Seen>,
    /// Its models.
    pub models: Vec<Seen>,
    /// Its tools.
    pub tools: Vec<Seen>,
}

/// When something was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What: a version, a model, a tool.
    pub name: String,
    /// Events with it.
    pub events: u64,
    /// When the first happened.
    pub first: Timestamp,
    /// When the last happened.
    pub last: Timestamp,
    /// The index of the first.
    pub first_index: u64,
}

#[derive(Clone, Copy)]
pub struct Counts {
    events: u64,
    /// When, and at which index.
    first: (i64, u64),
    last: i64,
}

impl Counts {
    fn and(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// What something is.
const ALL: usize = 0;
const VERSION: usize = 1;
const MODEL: usize = 2;
const TOOL: usize = 3;

type Key = (Option<String>, usize, String);

const NAMES: [&str; 6] =
    ["index", "agent_version", "model", "model_responded", "model_requested", "tool"];

/// The agents of a period, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(pub Vec<AgentSeen>);

/// The agents of a period, in the order of their names.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn inventory(columns: &Columns, period: &Period) -> Result<Vec<AgentSeen>, SegmentError> {
    in_one_pass(columns, period).map(|Inventory(agents)| agents)
}

impl Figure for Inventory {
    type Part = Vec<(Key, Counts)>;

    fn columns() -> Vec<&'static str> {
        [NAMES.as_slice(), &AGENT].concat()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Self::Part, SegmentError> {
        if sheet.is_empty() {
            return Ok(Vec::new());
        }
        let (agents, indexes) = (Agents::of(sheet)?, sheet.counts("index")?);
        let (versions, tools) = (sheet.codes("agent_version")?, sheet.codes("tool")?);
        let (bare, responded, requested) = (
            sheet.codes("model")?,
            sheet.codes("model_responded")?,
            sheet.codes("model_requested")?,
        );
        // The column of a model, and its number there.
        let model = |row: usize| {
            let said = [(0, &responded), (1, &requested), (2, &bare)];
            let said = said.map(|(column, codes)| (column, codes.code(row)));
            said.into_iter().find(|(_, code)| *code != NO_WORD)
        };
        let mut found: HashMap<(usize, usize, u16, u16), Counts> = HashMap::new();
        for picked in &sheet.picked {
            let row = picked.row;
            let index = u64::try_from(indexes.value(row)).unwrap_or(0);
            let one = Counts { events: 1, first: (picked.at, index), last: picked.at };
            let agent = agents.code(row);
            let mut add = |what, column, code| {
                let sum = found.entry((agent, what, column, code));
                sum.and_modify(|sum| *sum = sum.and(one)).or_insert(one);
            };
            add(ALL, 0, 0);
            let (version, tool) = (versions.code(row), tools.code(row));
            if version != NO_WORD {
                add(VERSION, 0, version);
            }
            if tool != NO_WORD {
                add(TOOL, 0, tool);
            }
            if let Some((column, code)) = model(row) {
                add(MODEL, column, code);
            }
        }
        let name = |what, column, code: u16| {
            let codes = match (what, column) {
                (ALL, _) => return "",
                (VERSION, _) => &versions,
                (TOOL, _) => &tools,
                (_, 0) => &responded,
                (_, 1) => &requested,
                _ => &bare,
            };
            codes.name(usize::from(code)).unwrap_or_default()
        };
        let found = found.into_iter().map(|((agent, what, column, code), counts)| {
            let agent = agents.name(agent).map(str::to_owned);
            ((agent, what, name(what, column, code).to_owned()), counts)
        });
        Ok(found.collect())
    }

    fn sum(parts: Vec<Self::Part>) -> Self {
        let mut all: BTreeMap<Key, Counts> = BTreeMap::new();
        for (key, counts) in parts.into_iter().flatten() {
            all.entry(key).and_modify(|sum| *sum = sum.and(counts)).or_insert(counts);
        }
        let mut agents: BTreeMap<Option<String>, AgentSeen> = BTreeMap::new();
        for ((agent, what, name), counts) in all {
            let seen = Seen {
                name,
                events: counts.events,
                first: time(counts.first.0),
                last: time(counts.last),
                first_index: counts.first.1,
            };
            if what == ALL {
                // It stands first among what is told of an agent.
                let (versions, models, tools) = (Vec::new(), Vec::new(), Vec::new());
                let it = AgentSeen { agent: agent.clone(), seen, versions, models, tools };
                agents.insert(agent, it);
                continue;
            }
            let Some(of) = agents.get_mut(&agent) else { continue };
            match what {
                VERSION => of.versions.push(seen),
                MODEL => of.models.push(seen),
                _ => of.tools.push(seen),
            }
        }
        let mut agents: Vec<AgentSeen> = agents.into_values().collect();
        for agent in &mut agents {
            for list in [&mut agent.versions, &mut agent.models, &mut agent.tools] {
                list.sort_by(|one, other| {
                    (one.first, one.first_index, &one.name).cmp(&(
                        other.first,
                        other.first_index,
                        &other.name,
                    ))
                });
            }
        }
        Self(agents)
    }
}
