//! Records as a log would hand them over.

use capture::{Format, capture};
use event::{Assurance, Content, Event, Json, Kind, Part, Principal, Tier};
use query::{AsOf, Found, State};
use serde_json::Value;
use std::path::Path;

pub(crate) fn testdata(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path)).unwrap()
}

pub(crate) fn as_of(size: u64) -> AsOf {
    AsOf { origin: "log.example/main".to_owned(), size, root_hex: "5e".repeat(32) }
}

/// A record with this event, taken at this time.
pub(crate) fn record(index: u64, recorded_at_ms: u64, event: &Event<'_>) -> Found<'static> {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    if !event.content.is_empty() {
        event.write_content(&mut content);
    }
    let is_log = event.event_type.starts_with("log.");
    Found {
        index,
        recorded_at_ms,
        tier: Tier::of(event),
        kind: if is_log { Kind::Log } else { Kind::Event },
        leaf_hash: Some([index as u8; 32]),
        state: State::Present,
        meta: meta.into(),
        content: content.into(),
    }
}

/// An event of a producer, from JSON; `principal` is what the log adds.
pub(crate) fn sent(value: &Value) -> Event<'static> {
    let mut value = value.clone();
    let principal = value.as_object_mut().unwrap().remove("principal");
    let text = value.to_string();
    let stored = Event::from_json(text.as_bytes()).unwrap();
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    stored.write_meta(&mut meta);
    stored.write_content(&mut content);
    let (meta, content) = (meta.leak(), content.leak());
    let mut event = Event::from_stored(meta, content).unwrap();
    event.principal = principal.map(principal_of);
    event
}

/// A record of the log's own.
pub(crate) fn said(value: &Value) -> Event<'static> {
    let mut content = Content::default();
    if let Some(params) = value.get("params") {
        content.set(Part::Params, Json::from_value(params));
    }
    let kind = value["event_type"].as_str().unwrap().to_owned();
    let principal = value.get("principal").cloned().map(principal_of);
    Event { principal, content, ..Event::new(kind) }
}

fn principal_of(value: Value) -> Principal<'static> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(|it| it.to_owned().into());
    Principal { issuer: text("issuer"), subject: text("subject"), method: text("method") }
}

/// A recorded file as records, taken a moment after the last of them happened.
pub(crate) fn recorded(format: Format, path: &str) -> Vec<Found<'static>> {
    let bytes = testdata(path);
    let mut events = Vec::new();
    let each = &mut |captured: capture::Captured<'_>| {
        if let Ok(event) = captured.outcome {
            let now_ms = event.timestamp.unwrap().milliseconds() + 900;
            events.push(record(events.len() as u64 + 3, now_ms, &event));
        }
    };
    capture(format, Assurance::Imported, &bytes, each).unwrap();
    events
}
