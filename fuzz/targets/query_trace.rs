//! Stored events as answers: rows are one line of JSON each, a trace is put together whatever its
//! links say, and no picture lets a character through that a terminal obeys or a reader does not
//! see.
//!
//! Input: stored events, metadata and content on alternate lines.

#![no_main]

use event::{Kind, Tier};
use libfuzzer_sys::fuzz_target;
use query::escape::is_hidden;
use query::render::{Style, View, events, timeline, tree};
use query::row::write_row;
use query::{AsOf, Found, Scope, State, Trace, write_trace};
use serde::de::IgnoredAny;

fuzz_target!(|data: &[u8]| {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').take(128).collect();
    let found: Vec<Found<'_>> = lines
        .chunks(2)
        .enumerate()
        .map(|(number, pair)| Found {
            index: number as u64,
            recorded_at_ms: 1_767_225_600_000 + number as u64,
            tier: Tier::Info,
            kind: Kind::Event,
            leaf_hash: None,
            state: State::Present,
            meta: pair.first().copied().unwrap_or_default().into(),
            content: pair.get(1).copied().unwrap_or_default().into(),
        })
        .collect();
    let as_of = AsOf { origin: "log.example/main".to_owned(), size: 64, root_hex: "00".repeat(32) };
    for one in &found {
        let mut row = Vec::new();
        write_row(one, true, &mut row);
        let text = std::str::from_utf8(&row).expect("a row is text");
        assert!(!text.contains(is_hidden), "a row hides a character: {text:?}");
        serde_json::from_str::<IgnoredAny>(text).expect("a row is JSON");
    }
    let trace = Trace::assemble(Scope::Trace("t".to_owned()), &found);
    assert!(trace.nodes.len() <= found.len());
    let view = View { width: 100, style: Style::Plain };
    for picture in
        [timeline(&trace, &as_of, view), tree(&trace, &as_of, view), events(&found, &as_of, view)]
    {
        assert!(!picture.contains(is_obeyed), "the picture hides a character: {picture:?}");
    }
    let mut json = Vec::new();
    write_trace(&trace, &found, &as_of, true, &mut json);
    serde_json::from_slice::<IgnoredAny>(&json).expect("a trace is JSON");
});

/// Hidden, but for line ends and for what shapes letters and emoji.
fn is_obeyed(c: char) -> bool {
    is_hidden(c) && !matches!(c, '\n' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}
