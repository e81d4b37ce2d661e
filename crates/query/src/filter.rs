//! Which records an answer holds.
//!
//! A [`Filter`] is the question as plain data; a [`Sieve`] is the same question made ready for
//! millions of records: it looks for the wanted values in the stored bytes first and parses only
//! what may match.

pub(crate) mod words;

use crate::found::Found;
use crate::withheld::is_access_record;
use event::{Event, EventError, Kind, Outcome, Tier, Timestamp};
use memchr::memmem::Finder;
use words::Words;

/// A question. Within a field any value may match, every given field must; an empty field asks
/// nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Event ids.
    pub events: Vec<String>,
    /// Agent names or agent ids.
    pub agents: Vec<String>,
    /// Event types, whole (`agent.error`) or by their beginning (`agent.*`).
    pub types: Vec<String>,
    /// Session ids.
    pub sessions: Vec<String>,
    /// Trace ids.
    pub traces: Vec<String>,
    /// Task ids.
    pub tasks: Vec<String>,
    /// Tool names.
    pub tools: Vec<String>,
    /// Subjects of the authenticated caller.
    pub principals: Vec<String>,
    /// How it ended.
    pub outcomes: Vec<Outcome>,
    /// Error classes.
    pub error_types: Vec<String>,
    /// Retention tiers.
    pub tiers: Vec<Tier>,
    /// Not before this: the event's own time, else the record time.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Words and "quoted phrases", all of which occur in the values of metadata or content,
    /// whatever their case.
    pub text: Option<String>,
    /// Producers' events alone, or the log's own records alone.
    pub kind: Option<Kind>,
    /// Leaves out the log's own records of who read what, and who was refused.
    pub without_access_records: bool,
    /// At most so many records.
    pub limit: Option<usize>,
    /// The newest records, newest first; otherwise the oldest, oldest first.
    pub newest_first: bool,
}

impl Filter {
    /// The same as the parameters of a question to a server, but for order and number.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        for (name, values) in [
            ("event", &self.events),
            ("agent", &self.agents),
            ("type", &self.types),
            ("session", &self.sessions),
            ("trace", &self.traces),
            ("task", &self.tasks),
            ("tool", &self.tools),
            ("principal", &self.principals),
            ("error_type", &self.error_types),
        ] {
            pairs.extend(values.iter().map(|value| (name, value.clone())));
        }
        pairs.extend(self.outcomes.iter().map(|it| ("outcome", it.as_str().to_owned())));
        pairs.extend(self.tiers.iter().map(|it| ("tier", it.as_str().to_owned())));
        pairs.extend(self.kind.map(|kind| ("kind", crate::written::kind_name(kind).to_owned())));
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let one = [("from", time(self.from)), ("to", time(self.to)), ("text", self.text.clone())];
        pairs.extend(one.into_iter().filter_map(|(name, value)| Some((name, value?))));
        pairs
    }

    /// True when the record, whose event this is, belongs to the answer. An erased or expired
    /// record has no metadata left: it matches only a question about tiers, kind and record time.
    #[must_use]
    pub fn matches(&self, found: &Found<'_>, event: &Event<'_>) -> bool {
        self.matches_fields(found, event)
            && !(self.without_access_records && is_access_record(found))
            && self.text.as_deref().is_none_or(|text| Words::parse(text).all_in(found))
    }

    fn matches_fields(&self, found: &Found<'_>, event: &Event<'_>) -> bool {
        let wanted = |values: &[String], actual: Option<&str>| {
            values.is_empty() || actual.is_some_and(|actual| values.iter().any(|v| v == actual))
        };
        let happened_at = found.happened_at(event);
        let subject = event.principal.as_ref().and_then(|p| p.subject.as_deref());
        (self.tiers.is_empty() || self.tiers.contains(&found.tier))
            && self.kind.is_none_or(|kind| found.kind == kind)
            && self.from.is_none_or(|from| happened_at >= from)
            && self.to.is_none_or(|to| happened_at < to)
            && (wanted(&self.agents, event.agent_name.as_deref())
                || wanted(&self.agents, event.agent_id.as_deref()))
            && (self.types.is_empty() || self.types.iter().any(|t| is_type(t, &event.event_type)))
            && wanted(&self.events, event.event_id.as_deref())
            && wanted(&self.sessions, event.session_id.as_deref())
            && wanted(&self.traces, event.trace_id.as_deref())
            && wanted(&self.tasks, event.task_id.as_deref())
            && wanted(&self.tools, event.tool_name())
            && wanted(&self.principals, subject)
            && (self.outcomes.is_empty()
                || event.outcome.is_some_and(|outcome| self.outcomes.contains(&outcome)))
            && wanted(&self.error_types, event.error_type.as_deref())
    }

    /// True when only tiers and a kind are asked for, so that no event need be parsed.
    fn asks_nothing_of_the_event(&self) -> bool {
        *self
            == Self {
                tiers: self.tiers.clone(),
                kind: self.kind,
                text: self.text.clone(),
                without_access_records: self.without_access_records,
                limit: self.limit,
                newest_first: self.newest_first,
                ..Self::default()
            }
    }
}

pub(crate) fn is_type(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => event_type.starts_with(beginning),
        None => pattern == event_type,
    }
}

/// A [`Filter`] made ready for a scan.
pub struct Sieve<'f> {
    filter: &'f Filter,
    /// Byte strings in the stored metadata; one of each group must occur.
    needles: Vec<Vec<Finder<'static>>>,
    words: Words,
    parse: bool,
    timestamp: Finder<'static>,
    /// The window as stored texts, ends included and excluded.
    from: Vec<u8>,
    to: Vec<u8>,
}

/// What stands before the time in stored metadata.
const TIMESTAMP: &[u8] = b"\"timestamp\":\"";

impl<'f> Sieve<'f> {
    /// Prepares the question.
    #[must_use]
    pub fn new(filter: &'f Filter) -> Self {
        let mut needles = Vec::new();
        let mut group = |values: Vec<String>| {
            if !values.is_empty() {
                needles.push(values.iter().map(|v| Finder::new(v).into_owned()).collect());
            }
        };
        // The log writes metadata in one way only (`event::Event::write_meta`): compact, strings
        // escaped as serde_json does. So a value that is there is there in these very bytes.
        for values in
            [&filter.events, &filter.traces, &filter.sessions, &filter.tasks, &filter.agents]
        {
            group(values.iter().map(|value| format!(":{}", quoted(value))).collect());
        }
        group(filter.types.iter().map(|pattern| type_needle(pattern)).collect());
        // A tool may stand behind a colon in `action`: only its end is certain.
        let tail = |tool: &String| quoted(tool).split_off(1);
        group(filter.tools.iter().map(tail).collect());
        for values in [&filter.error_types, &filter.principals] {
            group(values.iter().map(|value| format!(":{}", quoted(value))).collect());
        }
        let outcome = |outcome: &Outcome| format!("\"outcome\":\"{}\"", outcome.as_str());
        group(filter.outcomes.iter().map(outcome).collect());
        let words = Words::parse(filter.text.as_deref().unwrap_or_default());
        let (mut from, mut to) = (Vec::new(), Vec::new());
        filter.from.unwrap_or(Timestamp(0)).write_rfc3339(&mut from);
        match filter.to {
            Some(time) => time.write_rfc3339(&mut to),
            // Sorts after every digit.
            None => to.push(b'~'),
        }
        let parse = !filter.asks_nothing_of_the_event();
        Self { filter, needles, words, parse, timestamp: Finder::new(TIMESTAMP), from, to }
    }

    /// True when the record belongs to the answer.
    ///
    /// # Errors
    /// [`EventError`] when the record may match and its stored bytes cannot be read.
    pub fn accepts(&self, found: &Found<'_>) -> Result<bool, EventError> {
        if !self.may_match(found) {
            return Ok(false);
        }
        if self.filter.without_access_records && is_access_record(found) {
            return Ok(false);
        }
        if self.parse {
            let event = Event::from_stored(&found.meta, &[])?;
            if !self.filter.matches_fields(found, &event) {
                return Ok(false);
            }
        }
        Ok(self.words.all_in(found))
    }

    /// The cheap look at the raw bytes; false only when the record cannot match.
    fn may_match(&self, found: &Found<'_>) -> bool {
        (self.filter.tiers.is_empty() || self.filter.tiers.contains(&found.tier))
            && self.filter.kind.is_none_or(|kind| found.kind == kind)
            && self.needles.iter().all(|any| any.iter().any(|n| n.find(&found.meta).is_some()))
            && self.may_be_in_time(found)
            && self.words.may_be_in(found)
    }

    /// Stored times have one form and one length, so their texts sort as they do.
    fn may_be_in_time(&self, found: &Found<'_>) -> bool {
        if self.filter.from.is_none() && self.filter.to.is_none() {
            return true;
        }
        let stored = self.timestamp.find(&found.meta).and_then(|at| {
            let at = at + TIMESTAMP.len();
            found.meta.get(at..at + self.from.len())
        });
        stored.is_none_or(|stored| stored >= &*self.from && stored < &*self.to)
    }
}

/// The value as the log writes it.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn type_needle(pattern: &str) -> String {
    let (name, is_beginning) = match pattern.strip_suffix('*') {
        Some(name) => (name, true),
        None => (pattern, false),
    };
    let mut needle = format!("\"event_type\":{}", quoted(name));
    if is_beginning {
        needle.pop();
    }
    needle
}

#[cfg(test)]
mod tests;
