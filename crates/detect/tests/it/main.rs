//! Rules over whole runs: what is shipped finds what it is for and nothing else, and nothing that a
//! rule or an event holds breaks the engine.

#![allow(clippy::unwrap_used)]

mod engine;
mod hostile;
mod recorded;
mod shipped;

use detect::{Engine, Hit, Item, RuleSet};
use event::{Event, Kind};
use redact::{Policy, Redactor};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// 2026-11-03T09:00:00Z.
pub(crate) const START_MS: u64 = 1_793_696_400_000;

/// A record as the log would have it.
pub(crate) struct Stored {
    pub(crate) at_ms: u64,
    pub(crate) meta: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

/// Redacts and stores an event, as every way into a log does.
pub(crate) fn stored(event: Event<'_>, at_ms: u64) -> Stored {
    static ONCE: OnceLock<Redactor> = OnceLock::new();
    let redactor = ONCE.get_or_init(|| Redactor::new(&Policy::default(), [7; 32]).unwrap());
    let event = redactor.redact(event);
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.get().write_meta(&mut meta);
    event.get().write_content(&mut content);
    Stored { at_ms, meta, content }
}

/// Events one second after the other; `after_s` in an event says how much longer it took.
pub(crate) fn script(events: &[Value]) -> Vec<Stored> {
    let mut now_ms = START_MS;
    let mut store = |event: &Value| {
        let mut event = event.clone();
        let members = event.as_object_mut().unwrap();
        let wait = members.remove("after_s").and_then(|it| it.as_u64()).unwrap_or(1);
        members.entry("trace_id").or_insert("a-run".into());
        members.entry("agent_name").or_insert("Support".into());
        now_ms += wait * 1_000;
        let text = event.to_string();
        stored(Event::from_json(text.as_bytes()).unwrap(), now_ms)
    };
    events.iter().map(&mut store).collect()
}

/// What a set of rules finds in records.
pub(crate) fn hits(rules: RuleSet, records: &[Stored]) -> Vec<Hit> {
    let mut engine = Engine::new(rules.into(), "test.example");
    let mut hits = Vec::new();
    for (index, record) in (0..).zip(records) {
        engine.offer(&item(index, record), &mut hits);
    }
    hits
}

pub(crate) fn item(index: u64, record: &Stored) -> Item<'_> {
    let Stored { at_ms, meta, content } = record;
    Item { index, recorded_at_ms: *at_ms, kind: Kind::Event, meta, content }
}

pub(crate) fn names(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.rule.name.as_str()).collect()
}

/// A tool call and its result.
pub(crate) fn works(tool: &str, params: Value) -> [Value; 2] {
    [
        json!({"event_type": "agent.tool_call", "tool": tool, "phase": "intent", "params": params}),
        json!({
            "event_type": "agent.tool_result", "tool": tool, "phase": "result",
            "outcome": "success", "result": {"ok": true},
        }),
    ]
}
