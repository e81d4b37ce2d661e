//! Twelve events of a refund that went wrong, and how tests make records of events.

use event::{Event, Kind, Tier};
use query::{AsOf, Found, State};

/// The checkpoint of every test.
pub(crate) fn as_of() -> AsOf {
    AsOf {
        origin: "log.example/main".to_owned(),
        size: 1_234,
        root_hex: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
    }
}

/// The record of an event as a producer sends it.
pub(crate) fn record(index: u64, json: &str) -> Found<'static> {
    let event = Event::from_json(json.as_bytes()).expect(json);
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    Found {
        index,
        recorded_at_ms: 1_793_629_381_000 + index * 1_000,
        tier: Tier::of(&event),
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: meta.into(),
        content: content.into(),
    }
}

/// The incident, from index 100 on. Event e09 carries a clock that is 20 s behind.
pub(crate) fn refund() -> Vec<Found<'static>> {
    let lines = include_str!("refund.ndjson").lines();
    (100..).zip(lines).map(|(index, line)| record(index, line)).collect()
}
