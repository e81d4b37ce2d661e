//! One event as rules look at it: where each of its fields lies in the stored bytes.

use crate::raw;
use event::{Kind, Timestamp};
use simdutf8::basic::from_utf8;
use std::cell::OnceCell;

/// What the `action` of an alert begins with.
pub const ALERT_ACTION: &str = "alert:";

/// One record of a log.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its index.
    pub index: u64,
    /// When the log took it, Unix milliseconds.
    pub recorded_at_ms: u64,
    /// Who made it.
    pub kind: Kind,
    /// The stored metadata.
    pub meta: &'a [u8],
    /// The stored content; empty when there is none, or it may not be seen.
    pub content: &'a [u8],
}

/// The names of metadata in the order that they are stored in, so that a walk over an event mostly
/// finds the next one at the next place.
pub(crate) const META: [&str; 32] = [
    "schema",
    "event_id",
    "event_type",
    "timestamp",
    "agent_name",
    "agent_id",
    "agent_version",
    "task_id",
    "session_id",
    "trace_id",
    "parent_event_id",
    "caused_by",
    "action",
    "tool",
    "phase",
    "outcome",
    "confidence",
    "duration_ms",
    "tokens",
    "cost",
    "model",
    "version",
    "error_type",
    "source",
    "principal",
    "on_behalf_of",
    "approver",
    "producer",
    "assurance",
    "signature",
    "redactions",
    "tags",
];

/// The parts of the content.
pub(crate) const PARTS: [&str; 8] =
    ["params", "result", "reasoning", "context", "error", "input", "output", "attributes"];

/// The bit of a place in [`META`], which has as many names as there are bits.
pub(crate) fn bit(slot: usize) -> u32 {
    u32::try_from(slot).ok().and_then(|slot| 1_u32.checked_shl(slot)).unwrap_or(0)
}

/// The place of a name in [`META`].
pub(crate) fn slot(name: &str) -> Option<usize> {
    META.iter().position(|known| *known == name)
}

const EVENT_ID: usize = 1;
const EVENT_TYPE: usize = 2;
const TIMESTAMP: usize = 3;
const TASK_ID: usize = 7;
const SESSION_ID: usize = 8;
const TRACE_ID: usize = 9;
const ACTION: usize = 12;
const PRINCIPAL: usize = 24;
const ASSURANCE: usize = 28;

/// The fields of one event.
pub(crate) struct View<'a> {
    pub(crate) item: Item<'a>,
    slots: [&'a str; META.len()],
    /// Which of them are there, a bit each.
    present: u32,
    content: OnceCell<&'a str>,
    parts: OnceCell<[&'a str; PARTS.len()]>,
}

impl<'a> View<'a> {
    pub(crate) fn new(item: Item<'a>) -> Self {
        let (mut slots, mut present) = ([""; META.len()], 0);
        let meta = from_utf8(item.meta).unwrap_or_default();
        let mut next = 0;
        raw::members(meta, |key, value| {
            let place = |from: usize| {
                let names = META.get(from..).unwrap_or_default();
                names.iter().position(|name| *name == key).map(|at| from + at)
            };
            if let Some(at) = place(next).or_else(|| place(0)) {
                next = at + 1;
                if let Some(slot) = slots.get_mut(at) {
                    (*slot, present) = (value, present | bit(at));
                }
            }
            false
        });
        Self { item, slots, present, content: OnceCell::new(), parts: OnceCell::new() }
    }

    /// Whether all of these members of the metadata are there, a bit each.
    #[inline]
    pub(crate) fn has_all(&self, members: u32) -> bool {
        members & !self.present == 0
    }

    /// The JSON at a place; empty when there is none.
    pub(crate) fn meta(&self, slot: usize) -> &'a str {
        self.slots.get(slot).copied().unwrap_or_default()
    }

    /// The content as JSON; empty when there is none.
    pub(crate) fn content(&self) -> &'a str {
        self.content.get_or_init(|| from_utf8(self.item.content).unwrap_or_default())
    }

    /// The JSON of a part of the content, by its place in [`PARTS`]; empty when there is none. All
    /// of them are found by the first who asks: several rules ask for several.
    pub(crate) fn part(&self, place: usize) -> &'a str {
        let parts = self.parts.get_or_init(|| {
            let mut parts = [""; PARTS.len()];
            raw::members(self.content(), |key, value| {
                let place = PARTS.iter().position(|part| *part == key);
                if let Some(slot) = place.and_then(|place| parts.get_mut(place))
                    && slot.is_empty()
                {
                    *slot = value;
                }
                false
            });
            parts
        });
        parts.get(place).copied().unwrap_or_default()
    }

    /// The event's type as it is spelled in JSON, without quotes.
    pub(crate) fn event_type(&self) -> &'a str {
        bare(self.meta(EVENT_TYPE))
    }

    pub(crate) fn event_id(&self) -> &'a str {
        bare(self.meta(EVENT_ID))
    }

    /// What it belongs to: the trace, else the session, else the task; as JSON.
    pub(crate) fn run(&self) -> &'a str {
        let all = [TRACE_ID, SESSION_ID, TASK_ID].map(|slot| self.meta(slot));
        all.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
    }

    /// When it happened, as rules count: the record time, which no producer can choose; for an
    /// event that was imported its own, because all of a file has one record time.
    pub(crate) fn time_ms(&self) -> u64 {
        let own = (self.meta(ASSURANCE) == "\"imported\"")
            .then(|| Timestamp::parse(bare(self.meta(TIMESTAMP))))
            .flatten();
        own.map_or(self.item.recorded_at_ms, Timestamp::milliseconds)
    }

    /// Whether it is an alert that the server wrote. Its principal comes from no producer, so
    /// nobody hides behind this.
    pub(crate) fn is_alert(&self) -> bool {
        self.event_type() == event::types::SECURITY
            && bare(self.meta(ACTION)).starts_with(ALERT_ACTION)
            && [r#""issuer":"tachograph""#, r#""subject":"server""#, r#""method":"process""#]
                .iter()
                .all(|part| self.meta(PRINCIPAL).contains(part))
    }
}

/// A JSON string without its quotes, as it is spelled.
fn bare(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default()
}
