//! Who was active: events, errors, tokens and times per agent or per session, in one pass.

use crate::found::Found;
use event::{Event, Timestamp, types};
use event::{Status, Tokens};
use std::collections::HashMap;

/// What is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The agent's name, else its id.
    Agent,
    /// The session id.
    Session,
}

/// The counts of one agent or session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose they are; as the producer sent it.
    pub name: String,
    /// Events.
    pub events: u64,
    /// Events that report an error or a timeout.
    pub errors: u64,
    /// Tokens, input and output. Frameworks report one usage up to three times (the model's answer,
    /// a usage event, the sum of the invocation): answers count, or usage events when those say
    /// more, and invocations only when nothing else in the whole scan says anything.
    pub tokens: u64,
    /// The earliest time of an event.
    pub first_seen: Timestamp,
    /// The latest.
    pub last_seen: Timestamp,
}

/// Different names that are kept apart: ids are the producers' to invent, memory is not.
const NAMES_MAX: usize = 100_000;

/// Counts as records come.
pub struct Activity {
    by: By,
    lines: HashMap<String, Counts>,
    beyond: u64,
}

struct Counts {
    events: u64,
    errors: u64,
    /// From the acts themselves, from usage events, from invocations.
    tokens: [u64; 3],
    first_seen: Timestamp,
    last_seen: Timestamp,
}

impl Activity {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(by: By) -> Self {
        Self { by, lines: HashMap::new(), beyond: 0 }
    }

    /// Counts one record; those without agent or session do not count.
    pub fn offer(&mut self, found: &Found<'_>, event: &Event<'_>) {
        let name = match self.by {
            By::Agent => event.agent_name.as_deref().or(event.agent_id.as_deref()),
            By::Session => event.session_id.as_deref(),
        };
        let Some(name) = name else { return };
        let time = found.happened_at(event);
        if !self.lines.contains_key(name) {
            if self.lines.len() >= NAMES_MAX {
                self.beyond += 1;
                return;
            }
            let fresh =
                Counts { events: 0, errors: 0, tokens: [0; 3], first_seen: time, last_seen: time };
            self.lines.insert(name.to_owned(), fresh);
        }
        let Some(counts) = self.lines.get_mut(name) else { return };
        counts.events += 1;
        counts.errors += u64::from(Status::of(event).is_error());
        counts.first_seen = counts.first_seen.min(time);
        counts.last_seen = counts.last_seen.max(time);
        let [acts, usage, invocations] = &mut counts.tokens;
        let slot = match &*event.event_type {
            types::TOKEN_USAGE => usage,
            types::INVOCATION => invocations,
            _ => acts,
        };
        *slot = slot.saturating_add(event.tokens.as_ref().and_then(Tokens::all).unwrap_or(0));
    }

    /// Both counts as one; `None` when there are more names than are kept apart, because then it
    /// matters which came first.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Option<Self> {
        for (name, counts) in other.lines {
            let Some(known) = self.lines.get_mut(&name) else {
                self.lines.insert(name, counts);
                continue;
            };
            known.events += counts.events;
            known.errors += counts.errors;
            for (known, more) in known.tokens.iter_mut().zip(counts.tokens) {
                *known = known.saturating_add(more);
            }
            known.first_seen = known.first_seen.min(counts.first_seen);
            known.last_seen = known.last_seen.max(counts.last_seen);
        }
        (self.beyond + other.beyond == 0 && self.lines.len() <= NAMES_MAX).then_some(self)
    }

    /// Events whose name was one too many to be kept apart.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The counts, most events first, then by name.
    #[must_use]
    pub fn finish(self) -> Vec<Line> {
        let only_invocations = self.lines.values().all(|c| c.tokens[0] == 0 && c.tokens[1] == 0);
        let mut lines: Vec<Line> = self
            .lines
            .into_iter()
            .map(|(name, counts)| {
                let [acts, usage, invocations] = counts.tokens;
                Line {
                    name,
                    events: counts.events,
                    errors: counts.errors,
                    tokens: if only_invocations { invocations } else { acts.max(usage) },
                    first_seen: counts.first_seen,
                    last_seen: counts.last_seen,
                }
            })
            .collect();
        lines.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));
        lines
    }
}
