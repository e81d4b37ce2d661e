//! A record is what it was after its row was written and read.

use super::*;
use crate::filter::Filter;
use crate::row::{Rows, Shape, write_row};
use event::Kind;
use proptest::prelude::*;

const META: &[u8] = br#"{"schema":"tachograph.event/1","event_type":"x","cost":{"amount":1.50}}"#;
const CONTENT: &[u8] = br#"{"params":{"n":1e2,"b":1,"a":"\u00fc"}}"#;

fn found() -> Found<'static> {
    Found {
        index: 41,
        recorded_at_ms: 1_793_629_381_007,
        tier: Tier::Critical,
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: META.into(),
        content: CONTENT.into(),
    }
}

fn row(found: &Found<'_>) -> String {
    let mut out = Vec::new();
    write_row(found, true, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_record_comes_back_as_it_was() {
    for found in [
        found(),
        Found { leaf_hash: Some([0xab; 32]), kind: Kind::Log, ..found() },
        Found { state: State::ContentErased, content: b"".into(), ..found() },
        Found { state: State::Erased, meta: b"".into(), content: b"".into(), ..found() },
        Found { state: State::Held, tier: Tier::Debug, ..found() },
    ] {
        assert_eq!(read_row(&row(&found)).unwrap(), found);
    }
}

#[test]
fn what_cannot_be_read_stays_so() {
    for found in [
        Found { meta: b"{\"a\"".into(), ..found() },
        Found { meta: b"[]".into(), content: b"".into(), ..found() },
        Found { content: b"{}{}".into(), ..found() },
    ] {
        let text = row(&found);
        let read = read_row(&text).unwrap();
        assert_eq!(row(&read), text);
        assert_eq!(read.event().is_err(), found.event().is_err());
    }
}

#[test]
fn a_page_has_its_checkpoint_and_where_the_next_begins() {
    let as_of = AsOf { origin: "o\u{202e}".to_owned(), size: 9, root_hex: "ab".repeat(32) };
    let cursor = Cursor::new(9, &Filter::default(), 3);
    for (records, next) in [(vec![], None), (vec![found(), found()], Some(cursor))] {
        let mut rows = Rows::begin(Vec::new(), Shape::Document, &as_of, true).unwrap();
        for found in &records {
            rows.write(found).unwrap();
        }
        let page = read_page(&rows.end_before(next.as_ref()).unwrap()).unwrap();
        assert_eq!((&page.as_of, page.found, page.next), (&as_of, records, next));
    }
}

#[test]
fn anything_else_is_refused() {
    let fine = row(&found());
    for bad in [
        "",
        "[]",
        "{}",
        &fine[..fine.len() - 1],
        &fine.replace("critical", "dear"),
        &fine.replace("present", "gone"),
        &fine.replace("\"index\":41", "\"index\":-1"),
        &fine.replace("2026", "xxxx"),
        &fine.replace("\"kind\":\"event\"", "\"kind\":\"x\""),
    ] {
        assert!(read_row(bad).is_err(), "{bad}");
    }
    assert!(read_page(b"{\"events\":[]}").is_err());
    assert!(read_page(b"\xff").is_err());
}

proptest! {
    /// Whatever text an event holds, a terminal's own characters among it.
    #[test]
    fn every_text_comes_back(text in any::<String>(), key in any::<String>()) {
        let meta = serde_json::json!({ "schema": "tachograph.event/1", "event_type": &text });
        let content = serde_json::json!({ "attributes": { (key): &text } });
        let found = Found {
            meta: meta.to_string().into_bytes().into(),
            content: content.to_string().into_bytes().into(),
            ..found()
        };
        let read = read_row(&row(&found)).unwrap();
        let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        prop_assert_eq!(value(&read.meta), meta);
        prop_assert_eq!(value(&read.content), content);
        prop_assert_eq!(row(&read), row(&found));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = read_page(&bytes);
        let _ = read_row(&String::from_utf8_lossy(&bytes));
    }
}
