//! Where the parts of a JSON text begin and end. The text was checked before; what is not JSON
//! after all gives `None`.

use crate::rules::names::{self, Name};
use crate::rules::pairs::is_value_key;
use std::borrow::Cow;

/// One member of an object, as found in the text.
pub(super) struct Member<'t> {
    pub(super) raw_key: &'t str,
    pub(super) key: Cow<'t, str>,
    /// From the key's end to the value's start.
    pub(super) colon: &'t str,
    pub(super) value_start: usize,
}

/// The string at `at`, if it is a name that may say that a value is secret.
pub(super) fn secret_name(text: &str, at: usize) -> Option<String> {
    string_at(text, at).filter(|name| names::judge(name).is_some()).map(Cow::into_owned)
}

/// Whether the name in a sibling makes the value at `at` secret, as in
/// `{"name":"api_key","value":"..."}`. Weak names ask the value, also one that says its type
/// (`{"stringValue":"..."}`).
pub(super) fn is_secret_beside(name: &str, text: &str, at: usize) -> bool {
    let typed = || {
        text.as_bytes().get(at).filter(|b| **b == b'{')?;
        let inner = member(text, skip_white_space(text, at + 1))?;
        is_value_key(&inner.key).then(|| string_at(text, inner.value_start))?
    };
    match names::judge(name) {
        None => false,
        Some(Name::Weak) => string_at(text, at)
            .or_else(typed)
            .is_some_and(|value| names::weak_member_is_secret(name, &value)),
        Some(_) => true,
    }
}

/// Of two names in one object the one that decides: a weak one gives way.
pub(super) fn stronger(name: Option<String>, other: Option<String>) -> Option<String> {
    let is_weak = |name: &String| names::judge(name) == Some(Name::Weak);
    match name {
        Some(name) if !is_weak(&name) => Some(name),
        name => other.or(name),
    }
}

/// True for `true`, `false` and `null`, which are never secret.
pub(super) fn is_bare(text: &str, at: usize) -> bool {
    matches!(text.as_bytes().get(at), Some(b't' | b'f' | b'n'))
}

pub(super) fn string_at(text: &str, at: usize) -> Option<Cow<'_, str>> {
    text.as_bytes().get(at).filter(|b| **b == b'"')?;
    decode(text.get(at..end_of_string(text, at)?)?)
}

/// Reads the key at `at` and what stands between it and its value.
pub(super) fn member(text: &str, at: usize) -> Option<Member<'_>> {
    text.as_bytes().get(at).filter(|b| **b == b'"')?;
    let key_end = end_of_string(text, at)?;
    let colon = skip_white_space(text, key_end);
    text.as_bytes().get(colon).filter(|b| **b == b':')?;
    let value_start = skip_white_space(text, colon + 1);
    let raw_key = text.get(at..key_end)?;
    Some(Member {
        raw_key,
        key: decode(raw_key)?,
        colon: text.get(key_end..value_start)?,
        value_start,
    })
}

/// The text of a quoted JSON string.
pub(super) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

pub(super) fn quoted(text: &str) -> String {
    // A text can always be written; nothing would not be JSON, and so go as a whole.
    serde_json::to_string(text).unwrap_or_default()
}

/// True when the whole text is one JSON object, array or string.
pub(crate) fn looks_like_json(text: &str) -> bool {
    let start = skip_white_space(text, 0);
    matches!(text.as_bytes().get(start), Some(b'{' | b'[' | b'"'))
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

pub(super) fn is_white_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

pub(super) fn skip_white_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| is_white_space(b)).count()
}

/// Skips white space and at most one comma.
pub(super) fn skip_gap(text: &str, at: usize) -> usize {
    let comma = skip_white_space(text, at);
    match text.as_bytes().get(comma) {
        Some(b',') => skip_white_space(text, comma + 1),
        _ => comma,
    }
}

/// The position after the string that opens at `at`.
pub(super) fn end_of_string(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

pub(super) fn end_of_scalar(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let ends = |b: &u8| is_white_space(b) || matches!(b, b',' | b']' | b'}' | b':' | b'"');
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The position after the value at `at`, whatever it is.
pub(super) fn end_of_value(text: &str, at: usize) -> Option<usize> {
    let (mut at, mut open) = (at, 0_usize);
    loop {
        at = match text.as_bytes().get(at)? {
            b'"' => end_of_string(text, at)?,
            b'{' | b'[' => {
                open += 1;
                at + 1
            }
            b'}' | b']' => {
                open = open.checked_sub(1)?;
                at + 1
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at + 1,
            _ => end_of_scalar(text, at),
        };
        if open == 0 {
            return Some(at);
        }
    }
}
