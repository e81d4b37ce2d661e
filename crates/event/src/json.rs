//! JSON text that was checked once and is stored as it is.
//!
//! A [`Json`] is valid, compact (no white space outside strings), holds no duplicate key at any
//! level and nests at most [`NESTING_MAX`] deep. The grammar is serde_json's; this file adds what
//! it does not check. Numbers keep the producer's own digits: nothing is re-serialised.

use crate::cursor::{Shape, Value, plain_value};
use crate::error::{Code, EventError};
use crate::limits::NESTING_MAX;
use crate::plain;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// One checked, compact JSON value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    /// Checks `text`, the value of `field`, and drops white space outside strings.
    ///
    /// # Errors
    /// [`Code::NotJson`], [`Code::DuplicateKey`] or [`Code::TooDeep`], naming the path inside
    /// `field`.
    pub fn parse(text: &'a str, field: &str) -> Result<Self, EventError> {
        Self::parse_at(text, field, 2)
    }

    /// The same for a value that stands at nesting level `level` of its event (a member of the
    /// event's own object stands at level 2).
    pub(crate) fn parse_at(text: &'a str, field: &str, level: usize) -> Result<Self, EventError> {
        let outer = text.trim_matches([' ', '\t', '\r', '\n']);
        if is_sound_scalar(outer) {
            return Ok(Self(Cow::Borrowed(outer)));
        }
        if let Some(is_compact) = plain_value(outer, level) {
            return Ok(Self(if is_compact { Cow::Borrowed(outer) } else { compact(outer) }));
        }
        check(text, field, level)?;
        Ok(Self(compact(outer)))
    }

    /// The same for a value of which something may be known.
    #[inline]
    pub(crate) fn of_value(
        value: Value<'a>,
        field: &str,
        level: usize,
    ) -> Result<Self, EventError> {
        match value.shape {
            Shape::PlainText | Shape::Compact => Ok(Self(Cow::Borrowed(value.text))),
            Shape::Spaced => Ok(Self(compact(value.text))),
            Shape::Unknown => Self::parse_at(value.text, field, level),
        }
    }

    /// A value that this process made, and that is therefore free of duplicate keys.
    #[must_use]
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(Cow::Owned(value.to_string()))
    }

    /// A JSON string.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self(Cow::Owned(serde_json::Value::from(text).to_string()))
    }

    /// Text that [`Json::parse`] checked before and that was stored as it came out.
    pub(crate) fn trusted(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same value, owned.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        Json(Cow::Owned(self.0.into_owned()))
    }

    /// The value as a tree. It cannot fail on text that passed [`Json::parse`]; a number outside
    /// the range of a double becomes null.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The text of a JSON string, decoded; `None` for any other type.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(&self.0).ok().map(Cow::Owned)
    }
}

/// Checks the grammar, the depth and the keys of `text`.
fn check(text: &str, field: &str, level: usize) -> Result<(), EventError> {
    let mut fault = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Strict { depth: level, path: Path { parent: None, key: field }, fault: &mut fault };
    let outcome = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match (outcome, fault) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(fault)) => Err(fault),
        (Err(error), None) => {
            Err(EventError::new(Code::NotJson, field, format!("not valid JSON: {error}")))
        }
    }
}

/// True for scalars that are seen to be sound at a glance: strings without anything to escape, and
/// plain numbers and literals. Anything else takes the slow road.
fn is_sound_scalar(text: &str) -> bool {
    match text.as_bytes() {
        [b'"', inner @ .., b'"'] => plain::is_plain(inner),
        [b'{' | b'[', ..] => false,
        _ => is_plain_scalar(text),
    }
}

/// Numbers and literals of a size that cannot overflow a double: anything else takes the slow road.
pub(crate) fn is_plain_scalar(text: &str) -> bool {
    if text.len() > 18 {
        return false;
    }
    let bytes = text.as_bytes();
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let sound = whole == b"0" || !whole.is_empty() && whole.first() != Some(&b'0');
    let is_fraction = |rest: &[u8]| {
        rest.strip_prefix(b".").is_some_and(|f| !f.is_empty() && digits(f) == f.len())
    };
    (sound && (rest.is_empty() || is_fraction(rest))) || matches!(text, "true" | "false" | "null")
}

/// Where in the value the walk stands, for the error message only.
#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    key: &'p str,
}

impl Path<'_> {
    fn first(&self) -> &str {
        self.parent.map_or(self.key, Path::first)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(self.key)
    }
}

/// Walks one value; reports the first fault through `fault`, because serde errors hold only text.
struct Strict<'p, 'f> {
    depth: usize,
    path: Path<'p>,
    fault: &'f mut Option<EventError>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict<'_, '_> {
    fn too_deep<E: serde::de::Error>(self) -> E {
        let reason = format!("nested deeper than {NESTING_MAX} levels; flatten it");
        // The whole path would be a line of brackets: the field is enough to find it.
        *self.fault = Some(EventError::new(Code::TooDeep, self.path.first().to_owned(), reason));
        E::custom("too deep")
    }
}

impl<'de> Visitor<'de> for Strict<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if self.depth > NESTING_MAX {
            return Err(self.too_deep());
        }
        let path = Path { parent: Some(&self.path), key: "[]" };
        while items
            .next_element_seed(Strict { depth: self.depth + 1, path, fault: self.fault })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if self.depth > NESTING_MAX {
            return Err(self.too_deep());
        }
        let mut seen = Keys::default();
        while let Some(Text(key)) = entries.next_key::<Text<'de>>()? {
            let path = Path { parent: Some(&self.path), key: &key };
            entries.next_value_seed(Strict { depth: self.depth + 1, path, fault: self.fault })?;
            if !seen.insert(key.clone()) {
                let reason = "the object holds this key twice; send it once";
                *self.fault = Some(EventError::new(Code::DuplicateKey, path.to_string(), reason));
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(())
    }
}

/// The keys of one object: a list while it is short, a (seeded) hash set when it grows. A 64-bit
/// sketch of length and ends tells most new keys without looking at the others.
#[derive(Default)]
pub(crate) struct Keys<'de> {
    sketch: u64,
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW_MAX: usize = 32;

    /// True when `key` was not there yet.
    pub(crate) fn insert(&mut self, key: Cow<'de, str>) -> bool {
        let bytes = key.as_bytes();
        let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0));
        let mixed = bytes.len() * 11 + end(bytes.first()) * 5 + end(bytes.last()) * 3;
        let bit = 1 << (mixed % 64);
        let new = self.sketch & bit == 0;
        self.sketch |= bit;
        if self.few.len() < Self::FEW_MAX {
            if !new && self.few.contains(&key) {
                return false;
            }
            if self.few.capacity() == 0 {
                self.few.reserve(Self::FEW_MAX);
            }
            self.few.push(key);
            return true;
        }
        !self.few.contains(&key) && self.many.insert(key)
    }
}

/// A JSON string, borrowed when it holds no escape.
pub(crate) struct Text<'de>(pub(crate) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(V)
    }
}

/// Drops white space outside strings; borrows when there is none. `text` must be valid JSON.
fn compact(text: &str) -> Cow<'_, str> {
    let Some(first) = white_space_outside_strings(text.as_bytes(), 0) else {
        return Cow::Borrowed(text);
    };
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut from, mut gap) = (0, Some(first));
    while let Some(at) = gap {
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + 1;
        gap = white_space_outside_strings(bytes, from);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// The next white-space byte at or after `from`, which must not lie inside a string.
fn white_space_outside_strings(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Some(at),
            b'"' => at = end_of_string(bytes, at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The position after the closing quote of the string whose first byte is at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(step) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += step;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<(Code, String)> {
        Json::parse(text, "params").err().map(|e| (e.code, e.field))
    }

    proptest! {
        #[test]
        fn both_roads_agree_on_whatever_the_fast_one_takes(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "a", "0", "1", "-", ".",
                    "true", "\"a\":1", "\"b\":\"x\"", "\"c\":{\"d\":[1,2]}", "[[", "]]", "é",
                ]),
                0..24,
            ),
            level in 60..66_usize,
        ) {
            let inner = pieces.concat();
            for text in [inner.clone(), format!("{{{inner}}}"), format!("[{inner}]")] {
                if let Some(is_compact) = plain_value(&text, level) {
                    prop_assert_eq!(check(&text, "f", level), Ok(()), "{}", text);
                    prop_assert_eq!(is_compact, matches!(compact(&text), Cow::Borrowed(_)), "{}", text);
                }
            }
        }
    }

    #[test]
    fn what_is_usual_takes_the_fast_road() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(plain_value(r#"{"a":[1,{"b":"é"}],"c":{}}"#, 2), Some(true));
        assert_eq!(plain_value(r#"{"a": [1, {"b": null}], "c": {}}"#, 2), Some(false));
        assert_eq!(plain_value(&nested(NESTING_MAX - 1), 2), Some(true));
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":"\n"}"#,
            "[1,]",
            "{,}",
            "[1]x",
            "",
            "[1e5]",
            &nested(NESTING_MAX),
        ] {
            assert_eq!(plain_value(text, 2), None, "{text}");
        }
    }

    #[test]
    fn white_space_outside_strings_is_dropped_and_inside_is_kept() {
        let json = Json::parse(" { \"a b\" : [ 1 , \"x \\\" y\" ] } ", "params").unwrap();
        assert_eq!(json.as_str(), "{\"a b\":[1,\"x \\\" y\"]}");
    }

    #[test]
    fn a_quoted_text_with_more_behind_it_is_no_string() {
        for text in ["\"a\" and \"b\"", "\"a", "\"", "\"line\nbreak\""] {
            assert_eq!(code(text).map(|c| c.0), Some(Code::NotJson), "{text}");
        }
        assert_eq!(Json::parse(" \"a b\" ", "x").unwrap().as_str(), "\"a b\"");
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = "[1.50,1e2,12345678901234567890123,-0.0]";
        assert_eq!(Json::parse(text, "params").unwrap().as_str(), text);
    }

    #[test]
    fn duplicate_keys_are_refused_at_any_level_and_through_escapes() {
        assert_eq!(code("{\"a\":1,\"a\":2}"), Some((Code::DuplicateKey, "params.a".into())));
        assert_eq!(
            code("[{\"b\":{\"a\":1,\"\\u0061\":2}}]"),
            Some((Code::DuplicateKey, "params.[].b.a".into()))
        );
        let many: Vec<String> = (0..60).map(|i| format!("\"k{}\":1", i % 59)).collect();
        let text = format!("{{{}}}", many.join(","));
        assert_eq!(code(&text), Some((Code::DuplicateKey, "params.k0".into())));
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        let nest = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(code(&nest(NESTING_MAX - 1)), None);
        assert_eq!(code(&nest(NESTING_MAX)).map(|c| c.0), Some(Code::TooDeep));
        assert_eq!(code(&nest(100_000)).map(|c| c.0), Some(Code::TooDeep));
    }

    #[test]
    fn broken_json_and_lone_surrogates_are_refused() {
        for text in ["{", "01", "1.", "-", "nul", "\"\\ud800\"", "\"\\x\"", "[1,]", "1 2", ""] {
            assert_eq!(code(text).map(|c| c.0), Some(Code::NotJson), "{text}");
        }
    }

    #[test]
    fn text_is_decoded() {
        assert_eq!(Json::parse("\"a\\nb\"", "x").unwrap().to_text().as_deref(), Some("a\nb"));
        assert_eq!(Json::parse("12", "x").unwrap().to_text(), None);
    }
}
