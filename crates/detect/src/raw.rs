//! Walking JSON as it is stored, without building it: most of an event is never looked at.
//!
//! The bytes were checked when the event came in, but nothing here relies on that: whatever they
//! are, a walk ends and does not panic, and nothing recurses.

use memchr::memchr2;
use std::borrow::Cow;

/// Bytes of a string that are looked at eight at a time: most strings are no longer, and a search
/// with wider steps costs more to begin than they have.
const SHORT: usize = 40;

/// The bytes of a word that are `byte`, by their highest bits; the lowest of these is right, and
/// those above it may not be.
#[inline]
fn bytes_that_are(byte: u8, word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zero_where = word ^ ONES.wrapping_mul(u64::from(byte));
    zero_where.wrapping_sub(ONES) & !zero_where & (ONES << 7)
}

/// The end of the string whose quote stands at `open`.
#[inline]
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < open + SHORT
        && let Some(word) = bytes.get(at..at + 8).and_then(|it| it.try_into().ok())
    {
        let word = u64::from_le_bytes(word);
        let found = bytes_that_are(b'"', word) | bytes_that_are(b'\\', word);
        if found == 0 {
            at += 8;
            continue;
        }
        at += (found.trailing_zeros() / 8) as usize;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += step;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The end of the value that begins at `start`.
#[inline]
fn value_end(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start),
        Some(b'{' | b'[') => composite_end(bytes, start),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']');
            let rest = bytes.get(start..).unwrap_or_default();
            start + rest.iter().position(is_end).unwrap_or(rest.len())
        }
    }
}

fn composite_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Hands every member of a compact object to `each`: its key as it is spelled, and its value. Stops
/// when that says `true`, and then says so.
#[inline]
pub(crate) fn members<'a>(object: &'a str, mut each: impl FnMut(&'a str, &'a str) -> bool) -> bool {
    let bytes = object.as_bytes();
    if bytes.first() != Some(&b'{') {
        return false;
    }
    let mut at = 1;
    while bytes.get(at) == Some(&b'"') {
        let key_end = string_end(bytes, at);
        let value_start = key_end + 1;
        let end = value_end(bytes, value_start);
        let (Some(key), Some(value)) =
            (object.get(at + 1..key_end.saturating_sub(1)), object.get(value_start..end))
        else {
            return false;
        };
        if each(key, value) {
            return true;
        }
        at = end + 1;
    }
    false
}

/// Hands every item of a compact array to `each`, until that says `true`.
pub(crate) fn items<'a>(array: &'a str, mut each: impl FnMut(&'a str) -> bool) -> bool {
    let bytes = array.as_bytes();
    if bytes.first() != Some(&b'[') || bytes.get(1) == Some(&b']') {
        return false;
    }
    let mut at = 1;
    while at < bytes.len() {
        let end = value_end(bytes, at);
        match array.get(at..end) {
            Some(item) if !item.is_empty() => {
                if each(item) {
                    return true;
                }
            }
            _ => return false,
        }
        at = end + 1;
    }
    false
}

/// Hands every text in a value to `each`, decoded, however deep it stands; keys are left out.
pub(crate) fn texts(value: &str, each: &mut dyn FnMut(&str) -> bool) -> bool {
    let bytes = value.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let open = at + step;
        let end = string_end(bytes, open);
        at = end;
        if bytes.get(end) != Some(&b':')
            && let Some(text) = value.get(open..end)
            && each(&decoded(text))
        {
            return true;
        }
    }
    false
}

/// The text of a JSON string with its quotes; anything else as it stands.
pub(crate) fn decoded(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(value).map_or(Cow::Borrowed(inner), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(object: &str) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        members(object, |key, value| {
            found.push((key, value));
            false
        });
        found
    }

    #[test]
    fn members_items_and_texts_are_found_however_they_are_spelled() {
        let object = r#"{"a":1,"b\"":"x\\","c":{"d":[1,"}"]},"e":[],"f":null}"#;
        assert_eq!(
            all(object),
            [
                ("a", "1"),
                ("b\\\"", "\"x\\\\\""),
                ("c", r#"{"d":[1,"}"]}"#),
                ("e", "[]"),
                ("f", "null")
            ]
        );
        let mut found = Vec::new();
        items(r#"[1,"a,b",[2],{}]"#, |item| {
            found.push(item);
            false
        });
        assert_eq!(found, ["1", "\"a,b\"", "[2]", "{}"]);
        let mut found = Vec::new();
        texts(r#"{"key":["a\n",{"k":"b"}],"n":1,"c":"\u0069gnore"}"#, &mut |text| {
            found.push(text.to_owned());
            false
        });
        assert_eq!(found, ["a\n", "b", "ignore"]);
    }

    proptest! {
        #[test]
        fn the_end_of_a_string_is_found_as_byte_by_byte(text in r#"[a-z"\\é]{0,90}"#) {
            let bytes = format!("\"{text}").into_bytes();
            let mut at = 1;
            let slow = loop {
                match bytes.get(at) {
                    None => break bytes.len(),
                    Some(b'"') => break at + 1,
                    Some(b'\\') => at += 2,
                    Some(_) => at += 1,
                }
            };
            prop_assert_eq!(string_end(&bytes, 0), slow);
        }

        #[test]
        fn a_walk_over_anything_ends(text in r#"[\[\]{}",:\\a1é]{0,60}"#) {
            members(&text, |_, value| { items(value, |_| false); false });
            texts(&text, &mut |_| false);
        }

        #[test]
        fn a_walk_finds_what_serde_finds(map in prop::collection::btree_map("[a-z\"\\\\é]{1,6}", ".{0,8}", 0..6)) {
            let text = serde_json::to_string(&map).unwrap();
            let found: std::collections::BTreeMap<String, String> = all(&text).into_iter()
                .map(|(key, value)| (decoded(&format!("\"{key}\"")).into_owned(), decoded(value).into_owned()))
                .collect();
            prop_assert_eq!(found, map);
        }
    }
}
