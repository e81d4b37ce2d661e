//! Where captured events go: the caller's function, with the counts kept on the way.

use crate::fit;
use event::{Assurance, Event, EventError};
use std::collections::BTreeMap;

/// One foreign record that became an event, or why it did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured<'a> {
    /// The line of the file, or the number of the record in the request, from 1.
    pub line: u64,
    /// The event, or the refusal.
    pub outcome: Result<Event<'a>, EventError>,
}

/// What a capture came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Foreign records seen (lines that are not blank, spans, log records).
    pub records: u64,
    /// Events made of them; one record may make several.
    pub events: u64,
    /// Refusals.
    pub refused: u64,
    /// Fields of the foreign format that no field of an event is meant for, and how often each was
    /// seen. Their values stand in the attributes. Names past [`Summary::UNMAPPED_NAMES_MAX`] count
    /// as `*`.
    pub unmapped_fields: BTreeMap<String, u64>,
}

impl Summary {
    /// Distinct names in [`Summary::unmapped_fields`]: what fits a screen several times over, while
    /// hostile input cannot make the list grow without end.
    pub const UNMAPPED_NAMES_MAX: usize = 1_000;
}

/// Hands events to the caller and counts.
pub(crate) struct Sink<'s, 'a> {
    each: &'s mut dyn FnMut(Captured<'a>),
    assurance: Assurance,
    line: u64,
    summary: Summary,
}

impl<'s, 'a> Sink<'s, 'a> {
    pub(crate) fn new(assurance: Assurance, each: &'s mut dyn FnMut(Captured<'a>)) -> Self {
        Self { each, assurance, line: 0, summary: Summary::default() }
    }

    pub(crate) fn finish(self) -> Summary {
        self.summary
    }

    /// A record begins, on this line.
    pub(crate) fn begin(&mut self, line: u64) {
        self.line = line;
        self.summary.records += 1;
    }

    /// A record begins; records are numbered because the format has no lines.
    pub(crate) fn begin_next(&mut self) {
        self.begin(self.summary.records + 1);
    }

    /// A foreign record became this event; it is made to fit the limits first.
    pub(crate) fn mapped(&mut self, event: Event<'a>) {
        match fit::fit(event) {
            Ok(event) => self.event(event),
            Err(error) => self.refuse(error),
        }
    }

    /// An event that was checked already.
    pub(crate) fn event(&mut self, event: Event<'a>) {
        self.read(|| Ok(event));
    }

    pub(crate) fn refuse(&mut self, error: EventError) {
        self.read(|| Err(error));
    }

    /// An event that is read here: where it goes on from, because it is large.
    pub(crate) fn read(&mut self, read: impl FnOnce() -> Result<Event<'a>, EventError>) {
        let mut captured = Captured { line: self.line, outcome: read() };
        match &mut captured.outcome {
            Ok(event) => {
                event.assurance = Some(self.assurance);
                self.summary.events += 1;
            }
            Err(_) => self.summary.refused += 1,
        }
        (self.each)(captured);
    }

    /// Counts a field that goes to the attributes.
    pub(crate) fn unmapped(&mut self, name: &str) {
        let fields = &mut self.summary.unmapped_fields;
        if let Some(count) = fields.get_mut(name) {
            *count += 1;
        } else {
            let name = if fields.len() < Summary::UNMAPPED_NAMES_MAX { name } else { "*" };
            *fields.entry(name.to_owned()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_unmapped_names_is_bounded() {
        let mut ignore = |_: Captured<'_>| {};
        let mut sink = Sink::new(Assurance::Imported, &mut ignore);
        for i in 0..3_000 {
            sink.unmapped(&format!("field-{i}"));
        }
        let fields = sink.finish().unmapped_fields;
        assert_eq!(fields.len(), Summary::UNMAPPED_NAMES_MAX + 1);
        assert_eq!(fields["*"], 2_000);
    }
}
