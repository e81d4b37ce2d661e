//! Rows hold the stored bytes, and are valid JSON whatever is stored.

use super::*;
use crate::found::State;
use event::{Kind, Tier};

const META: &[u8] = br#"{"schema":"tachograph.event/1","event_type":"x","cost":{"amount":1.50}}"#;
const CONTENT: &[u8] = br#"{"params":{"n":1e2,"b":1,"a":2}}"#;

fn found() -> Found<'static> {
    Found {
        index: 41,
        recorded_at_ms: 1_793_629_381_007,
        tier: Tier::Info,
        kind: Kind::Event,
        leaf_hash: None,
        state: State::Present,
        meta: META.into(),
        content: CONTENT.into(),
    }
}

fn row(found: &Found<'_>, with_content: bool) -> String {
    let mut out = Vec::new();
    write_row(found, with_content, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn stored_bytes_stand_in_the_row_as_they_are() {
    assert_eq!(
        row(&found(), true),
        concat!(
            r#"{"index":41,"recorded_at":"2026-11-02T14:23:01.007000000Z","#,
            r#""schema":"tachograph.event/1","event_type":"x","cost":{"amount":1.50},"#,
            r#""content":{"params":{"n":1e2,"b":1,"a":2}},"tier":"info","kind":"event","state":"present"}"#
        )
    );
    assert!(!row(&found(), false).contains("params"));
    let hashed = row(&Found { leaf_hash: Some([0xab; 32]), ..found() }, true);
    assert!(hashed.contains(&format!("\"leaf_hash\":\"{}\"", "ab".repeat(32))));
}

#[test]
fn what_is_gone_or_damaged_is_said() {
    let erased = Found { state: State::Erased, meta: b"".into(), content: b"".into(), ..found() };
    assert_eq!(
        row(&erased, true),
        r#"{"index":41,"recorded_at":"2026-11-02T14:23:01.007000000Z","tier":"info","kind":"event","state":"erased"}"#
    );
    for bad in [&b"{\"a\":1"[..], b"{\"a\":1}\n{}", b"[]", b"\xff", b"{\"a\":\n1}", b"{}{}", b"{} "]
    {
        let text = row(&Found { meta: bad.into(), ..found() }, true);
        assert!(text.ends_with(",\"unreadable\":true}") && !text.contains('\n'), "{text}");
        assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{text}");
        let text = row(&Found { content: bad.into(), ..found() }, false);
        assert!(!text.contains("unreadable"), "{text}");
    }
}

#[test]
fn documents_and_lines_hold_the_same_rows() {
    let as_of = AsOf { origin: "a\"b".into(), size: 2, root_hex: "00ff".into() };
    let write = |shape, count| {
        let mut rows = Rows::begin(Vec::new(), shape, &as_of, true).unwrap();
        (0..count).for_each(|_| rows.write(&found()).unwrap());
        String::from_utf8(rows.end().unwrap()).unwrap()
    };
    let row = row(&found(), true);
    let head = r#"{"checkpoint":{"origin":"a\"b","size":2,"root":"00ff"},"events":["#;
    assert_eq!(write(Shape::Document, 2), format!("{head}{row},{row}]}}\n"));
    assert_eq!(write(Shape::Document, 0), format!("{head}]}}\n"));
    assert_eq!(write(Shape::Lines, 2), format!("{row}\n{row}\n"));
    assert_eq!(write(Shape::Lines, 0), "");
}
