//! The promise of every event: what is written reads back to the same bytes.
//!
//! Not here: where events come from (`captured`, or a producer's JSON).

use event::{Event, Json};

/// The stored bytes of an event: metadata, then content.
#[must_use]
pub fn stored(event: &Event<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut meta, mut content) = (Vec::new(), Vec::new());
    event.write_meta(&mut meta);
    event.write_content(&mut content);
    (meta, content)
}

/// Panics unless the stored bytes of `event` are JSON objects without white space or doubled keys
/// that read back to bytes equal to them.
pub fn assert_reads_back(event: &Event<'_>) {
    let (meta, content) = stored(event);
    let back = Event::from_stored(&meta, &content).expect("what was written reads back");
    let shown = |meta: &Vec<u8>, content: &Vec<u8>| {
        [meta, content].map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let again = stored(&back);
    assert_eq!(shown(&again.0, &again.1), shown(&meta, &content));
    let text = std::str::from_utf8(&meta).expect("metadata is text");
    assert_eq!(Json::parse(text, "meta").expect("metadata is strict JSON").as_str(), text);
    for (part, json) in &event.content.parts {
        assert_strict(part.as_str(), json);
    }
    for (key, json) in &event.content.attributes {
        assert_strict(key, json);
    }
    if !content.is_empty() {
        let tree: serde_json::Value =
            serde_json::from_slice(&content).expect("content is one JSON value");
        assert!(tree.is_object());
    }
}

/// A value of the content is what [`Json`] promises: valid, compact, not too deep, no key twice.
fn assert_strict(name: &str, json: &Json<'_>) {
    let again =
        Json::parse(json.as_str(), name).expect("every value of the content is strict JSON");
    assert_eq!(again.as_str(), json.as_str());
}
