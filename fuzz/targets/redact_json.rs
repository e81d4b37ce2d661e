//! Events from any JSON, with a secret planted at any place in any string or key: afterwards it is
//! gone, redacting again changes nothing, and what is left reads back from what is stored.
//!
//! Input: two bytes that choose the string, two that choose the place in it, then the event.

#![no_main]

use fuzz::redacted::{CANARY, assert_redaction_holds};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Some((head, json)) = data.split_first_chunk::<4>() else { return };
    assert_redaction_holds(json);
    let Ok(mut tree) = serde_json::from_slice::<Value>(json) else { return };
    let which = usize::from(u16::from_be_bytes([head[0], head[1]]));
    let place = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let count = visit(&mut tree, &mut |_, _| None, &mut 0);
    if count == 0 {
        return;
    }
    let chosen = which % count;
    visit(&mut tree, &mut |number, text| (number == chosen).then(|| plant(text, place)), &mut 0);
    assert_redaction_holds(tree.to_string().as_bytes());
});

/// The text with the canary as a word of its own at a character near `place`.
fn plant(text: &str, place: usize) -> String {
    let mut at = place % (text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (before, after) = text.split_at(at);
    format!("{before} {CANARY} {after}")
}

/// Shows every string and key with its number to `change`, which may replace it; gives their count.
fn visit(
    tree: &mut Value,
    change: &mut dyn FnMut(usize, &str) -> Option<String>,
    next: &mut usize,
) -> usize {
    let mut number = || {
        *next += 1;
        *next - 1
    };
    match tree {
        Value::String(text) => {
            if let Some(changed) = change(number(), text) {
                *text = changed;
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(item, change, next);
            }
        }
        Value::Object(members) => {
            for (key, mut value) in std::mem::take(members) {
                let changed = change(*next, &key);
                *next += 1;
                visit(&mut value, change, next);
                members.insert(changed.unwrap_or(key), value);
            }
        }
        _ => {}
    }
    *next
}
