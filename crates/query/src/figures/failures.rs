//! Which errors there were in a period: classes, messages, at whom, with which tool.

use super::names::Codes;
use super::overview::{HOUR_NS, HourCount};
use super::pass::{Figure, in_one_pass};
use super::period::{AGENT, Agents, ENDS, Period, Sheet, time};
use crate::columns::Columns;
use event::Status;
use event::Timestamp;
use segment::SegmentError;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The errors of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Events that ended in an error or too late.
    pub errors: u64,
    /// Each class at each agent with each tool, most errors first.
    pub lines: Vec<FailureLine>,
    /// Each message of a class, most errors first.
    pub messages: Vec<MessageLine>,
    /// Errors with messages beyond those that are told apart.
    pub messages_beyond: u64,
    /// Every hour with an error, in their order; `events` are errors.
    pub hours: Vec<HourCount>,
}

/// One class of errors, at one agent, with one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureLine {
    /// The class; none where the event names none.
    pub error_type: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// Events.
    pub errors: u64,
    /// Those of them that took too long.
    pub timeouts: u64,
    /// When the first happened.
    pub first: Timestamp,
    /// When the last happened.
    pub last: Timestamp,
    /// The lowest index of one of them.
    pub first_index: u64,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageLine {
    /// Its first 100 characters.
    pub message: String,
    /// The class of the errors with it.
    pub error_type: Option<String>,
    /// Events.
    pub errors: u64,
    /// The lowest index of one of them.
    pub first_index: u64,
}

/// Characters of a message that tell it from others.
const MESSAGE_CHARACTERS: usize = 100;
/// Different messages that are told apart: they are the producers' to invent, memory is not.
const MESSAGES_MAX: usize = 10_000;

type Key = (Option<String>, Option<String>, Option<String>);
/// A class and a message of its errors; how many, and the lowest index of one.
type Message = (Option<String>, String);
type Said = (u64, u64);

#[derive(Clone, Copy)]
struct Counts {
    errors: u64,
    timeouts: u64,
    first: i64,
    last: i64,
    index: u64,
}

impl Counts {
    fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            timeouts: self.timeouts + other.timeouts,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            index: self.index.min(other.index),
        }
    }
}

/// What a chunk has.
#[derive(Default)]
pub struct Part {
    named: Vec<(Key, Counts)>,
    messages: Vec<(Message, Said)>,
    hours: BTreeMap<i64, u64>,
}

/// The errors of a period.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn failures(columns: &Columns, period: &Period) -> Result<Failures, SegmentError> {
    in_one_pass(columns, period)
}

impl Figure for Failures {
    type Part = Part;

    fn columns() -> Vec<&'static str> {
        [ENDS.as_slice(), &AGENT, &["tool"]].concat()
    }

    fn part(sheet: &mut Sheet<'_>) -> Result<Part, SegmentError> {
        let mut part = Part::default();
        if sheet.is_empty() {
            return Ok(part);
        }
        let statuses = sheet.statuses()?;
        if !statuses.iter().any(|status| status.is_error()) {
            return Ok(part);
        }
        sheet.also(&["error", "index"])?;
        let (classes, agents) = (sheet.codes("error_type")?, Agents::of(sheet)?);
        let (tools, indexes) = (sheet.codes("tool")?, sheet.counts("index")?);
        let texts = sheet.codes("error")?;
        let mut lines: HashMap<(u16, usize, u16), Counts> = HashMap::new();
        let mut said: HashMap<(u16, u16), Said> = HashMap::new();
        let errors =
            sheet.picked.iter().zip(statuses.iter()).filter(|(_, status)| status.is_error());
        for (picked, status) in errors {
            let row = picked.row;
            let index = u64::try_from(indexes.values().get(row).copied().unwrap_or(0)).unwrap_or(0);
            let timeouts = u64::from(*status == Status::Timeout);
            let one = Counts { errors: 1, timeouts, first: picked.at, last: picked.at, index };
            let class = classes.code(row);
            let key = (class, agents.code(row), tools.code(row));
            lines.entry(key).and_modify(|sum| *sum = sum.and(one)).or_insert(one);
            *part.hours.entry(picked.at.div_euclid(HOUR_NS)).or_default() += 1;
            let sum = said.entry((class, texts.code(row))).or_insert((0, index));
            *sum = (sum.0 + 1, sum.1.min(index));
        }
        let name = |codes: &Codes<'_>, code: u16| codes.name(usize::from(code)).map(str::to_owned);
        let named = |((class, agent, tool), counts): ((u16, usize, u16), Counts)| {
            let agent = agents.name(agent).map(str::to_owned);
            ((name(&classes, class), agent, name(&tools, tool)), counts)
        };
        part.named = lines.into_iter().map(named).collect();
        let mut messages: HashMap<Message, Said> = HashMap::new();
        for ((class, text), (errors, index)) in said {
            let Some(message) = texts.name(usize::from(text)).and_then(message_in) else {
                continue;
            };
            let sum = messages.entry((name(&classes, class), message)).or_insert((0, index));
            *sum = (sum.0 + errors, sum.1.min(index));
        }
        part.messages = messages.into_iter().collect();
        // Which messages are told apart must not depend on the order of a hash.
        part.messages.sort_by(|one, other| (one.1.1, &one.0).cmp(&(other.1.1, &other.0)));
        Ok(part)
    }

    fn sum(parts: Vec<Part>) -> Self {
        let mut lines: HashMap<Key, Counts> = HashMap::new();
        let mut messages: HashMap<Message, Said> = HashMap::new();
        let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
        let mut out = Failures::default();
        for part in parts {
            for (key, counts) in part.named {
                out.errors += counts.errors;
                lines.entry(key).and_modify(|sum| *sum = sum.and(counts)).or_insert(counts);
            }
            for (key, (errors, index)) in part.messages {
                if let Some(sum) = messages.get_mut(&key) {
                    *sum = (sum.0 + errors, sum.1.min(index));
                } else if messages.len() < MESSAGES_MAX {
                    messages.insert(key, (errors, index));
                } else {
                    out.messages_beyond += errors;
                }
            }
            for (hour, errors) in part.hours {
                *hours.entry(hour).or_default() += errors;
            }
        }
        let line = |((error_type, agent, tool), counts): (Key, Counts)| FailureLine {
            error_type,
            agent,
            tool,
            errors: counts.errors,
            timeouts: counts.timeouts,
            first: time(counts.first),
            last: time(counts.last),
            first_index: counts.index,
        };
        out.lines = lines.into_iter().map(line).collect();
        out.lines.sort_by(|one, other| {
            let key = |it: &FailureLine| (it.error_type.clone(), it.agent.clone(), it.tool.clone());
            other.errors.cmp(&one.errors).then_with(|| key(one).cmp(&key(other)))
        });
        let message = |((error_type, message), (errors, first_index))| MessageLine {
            message,
            error_type,
            errors,
            first_index,
        };
        out.messages = messages.into_iter().map(message).collect();
        out.messages.sort_by(|one, other| {
            let key = |it: &MessageLine| (it.message.clone(), it.error_type.clone());
            other.errors.cmp(&one.errors).then_with(|| key(one).cmp(&key(other)))
        });
        let hour = |(hour, events): (i64, u64)| HourCount {
            begins: time(hour.saturating_mul(HOUR_NS)),
            events,
            errors: events,
        };
        out.hours = hours.into_iter().map(hour).collect();
        out
    }
}

/// The beginning of the message in the JSON of `error`: the text itself, or its `message`.
fn message_in(json: &str) -> Option<String> {
    let text = match serde_json::from_str(json).ok()? {
        Value::String(text) => text,
        Value::Object(members) => members.get("message")?.as_str()?.to_owned(),
        _ => return None,
    };
    let message: String = text.chars().take(MESSAGE_CHARACTERS).collect();
    (!message.is_empty()).then_some(message)
}
