//! Which records somebody means.

use event::{Event, Timestamp};
use memchr::memmem;
use segment::{Row, Value};
use serde::{Deserialize, Serialize};

/// A selection: every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selector {
    /// One event, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// A session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// A trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// An agent, by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// A principal, by subject; or the one on whose behalf it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Taken at this time or later, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Taken before this time, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<u64>,
}

impl Selector {
    /// True when nothing is said, which would mean every record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a record, of which the metadata was read, is meant.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        let in_time = self.from_ms.is_none_or(|from| row.time_ms >= from)
            && self.to_ms.is_none_or(|to| row.time_ms < to);
        if !in_time || !self.may_match(&row.meta) {
            return false;
        }
        let texts = [&self.event, &self.session, &self.trace, &self.agent, &self.principal];
        if texts.iter().all(|text| text.is_none()) {
            return true;
        }
        let Ok(event) = Event::from_stored(&row.meta, &[]) else { return false };
        self.matches_event(&event)
    }

    fn matches_event(&self, event: &Event<'_>) -> bool {
        let wanted = |value: &Option<String>, actual: &[Option<&str>]| {
            value.as_deref().is_none_or(|value| actual.contains(&Some(value)))
        };
        let subject = event.principal.as_ref().and_then(|it| it.subject.as_deref());
        wanted(&self.event, &[event.event_id.as_deref()])
            && wanted(&self.session, &[event.session_id.as_deref()])
            && wanted(&self.trace, &[event.trace_id.as_deref()])
            && wanted(&self.agent, &[event.agent_name.as_deref(), event.agent_id.as_deref()])
            && wanted(&self.principal, &[subject, event.on_behalf_of.as_deref()])
    }

    /// The columns of a segment that each text may stand in.
    fn named(&self) -> [(&'static [&'static str], &Option<String>); 5] {
        [
            (&["event_id"], &self.event),
            (&["session_id"], &self.session),
            (&["trace_id"], &self.trace),
            (&["agent_name", "agent_id"], &self.agent),
            (&["principal_subject", "on_behalf_of"], &self.principal),
        ]
    }

    /// A cheap look at the stored bytes; false only when the record cannot be meant. The log writes
    /// texts in one way, as serde_json does, so a value that is there is there in these bytes.
    fn may_match(&self, meta: &[u8]) -> bool {
        let texts = [&self.event, &self.session, &self.trace, &self.agent, &self.principal];
        texts.into_iter().flatten().all(|text| {
            let quoted = serde_json::Value::from(text.as_str()).to_string();
            memmem::find(meta, quoted.as_bytes()).is_some()
        })
    }

    /// The selection in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let time = |ms: u64| Timestamp::from_milliseconds(ms).to_string();
        let named = [
            ("event", self.event.clone()),
            ("session", self.session.clone()),
            ("trace", self.trace.clone()),
            ("agent", self.agent.clone()),
            ("principal", self.principal.clone()),
            ("from", self.from_ms.map(time)),
            ("to", self.to_ms.map(time)),
        ];
        let texts = named.into_iter().filter_map(|(name, text)| Some(format!("{name} {}", text?)));
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// Some selections, made ready to be asked about single columns of millions of rows.
pub(crate) struct Picker<'s> {
    columns: Vec<&'static str>,
    /// Of each selection: what must stand in one of some columns, by their places.
    wanted: Vec<Vec<(Vec<usize>, &'s str)>>,
}

impl<'s> Picker<'s> {
    /// What any of these selections means. Time is left to whoever reads the rows.
    pub(crate) fn new(selectors: impl IntoIterator<Item = &'s Selector>) -> Self {
        let mut picker = Self { columns: Vec::new(), wanted: Vec::new() };
        for selector in selectors {
            let conditions = selector.named().into_iter().filter_map(|(columns, wanted)| {
                let wanted = wanted.as_deref()?;
                let places = columns.iter().map(|column| picker.place(column)).collect();
                Some((places, wanted))
            });
            let conditions = conditions.collect();
            picker.wanted.push(conditions);
        }
        picker
    }

    fn place(&mut self, column: &'static str) -> usize {
        let known = self.columns.iter().position(|it| *it == column);
        known.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }

    /// The columns to ask.
    pub(crate) fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// Whether a row with these values in the columns may be meant.
    pub(crate) fn may_match(&self, row: &[Value<'_>]) -> bool {
        let is = |place: &usize, text: &str| {
            let value = row.get(*place);
            value.is_some_and(|value| matches!(value, Value::Text(it) if *it == text))
        };
        let holds = |(places, text): &(Vec<usize>, &str)| places.iter().any(|it| is(it, text));
        self.wanted.iter().any(|conditions| conditions.iter().all(holds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Kind, Tier};
    use segment::ContentState;

    fn row(meta: &str) -> Row {
        Row {
            index: 3,
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 100,
            meta: format!("{{\"schema\":\"tachograph.event/1\",\"event_type\":\"a.b\"{meta}}}")
                .into(),
            meta_salt: [0; 16],
            content: ContentState::NotRead,
        }
    }

    #[test]
    fn every_condition_that_is_given_must_hold() {
        let of = |change: &dyn Fn(&mut Selector)| {
            let mut selector = Selector::default();
            change(&mut selector);
            selector
        };
        let row = row(",\"agent_name\":\"a\\\"1\",\"session_id\":\"s\",\"on_behalf_of\":\"ann\"");
        let text = |text: &str| Some(text.to_owned());
        assert!(of(&|it| it.session = text("s")).matches(&row));
        assert!(of(&|it| (it.session, it.agent) = (text("s"), text("a\"1"))).matches(&row));
        assert!(of(&|it| it.principal = text("ann")).matches(&row));
        assert!(of(&|it| (it.from_ms, it.to_ms) = (Some(100), Some(101))).matches(&row));
        assert!(!of(&|it| (it.session, it.agent) = (text("s"), text("b"))).matches(&row));
        assert!(!of(&|it| it.trace = text("s")).matches(&row), "the text is there, and elsewhere");
        assert!(!of(&|it| it.to_ms = Some(100)).matches(&row));
        assert!(Selector::default().is_empty());
        let selector = of(&|it| (it.session, it.from_ms) = (text("s"), Some(0)));
        assert_eq!(selector.describe(), "session s, from 1970-01-01T00:00:00.000000000Z");
        let json = serde_json::to_string(&selector).unwrap();
        assert_eq!(serde_json::from_str::<Selector>(&json).unwrap(), selector);
    }
}
