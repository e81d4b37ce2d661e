//! The members of one JSON object, each with its value as it was written.
//!
//! What is usual (plain keys, plain strings, plain numbers) is found by one look at every byte; all
//! else is serde_json's, which also words every refusal. The two agree, and a test holds them to
//! it. What a member means is `parse`'s.

use crate::cursor::Cursor;
use crate::error::{Code, EventError};
use crate::json::{Keys, Text as Key};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Members of an object on the fast road at most: the schema names fewer.
const PLAIN_MEMBERS_MAX: usize = 40;

/// The nesting level of a member's value in its object, which is level 1 (see `json`).
const MEMBER_LEVEL: usize = 2;

/// Hands every member of a JSON object to `each`, refusing duplicate keys.
pub(crate) fn members<'a>(
    text: &'a str,
    field: &str,
    each: &mut dyn FnMut(Cow<'a, str>, &'a str) -> Result<(), EventError>,
) -> Result<(), EventError> {
    match plain_members(text) {
        Some(list) => list.into_iter().try_for_each(|(key, value)| each(Cow::Borrowed(key), value)),
        None => members_by_serde(text, field, each),
    }
}

/// The members of an object in which nothing is unusual.
fn plain_members(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut cursor = Cursor::new(text);
    let mut list: Vec<(&str, &str)> = Vec::with_capacity(PLAIN_MEMBERS_MAX);
    let mut sketch = 0_u64;
    cursor.skip_blanks();
    cursor.take(b'{')?;
    cursor.skip_blanks();
    if cursor.take(b'}').is_none() {
        loop {
            let key = cursor.key()?;
            let value = member_value(&mut cursor)?;
            // Two keys of one length that end alike are rare, and compared.
            let mixed = key.len() * 11 + usize::from(*key.as_bytes().last().unwrap_or(&0)) * 3;
            let bit = 1 << (mixed % 64);
            let known = sketch & bit != 0 && list.iter().any(|(earlier, _)| *earlier == key);
            if known || list.len() == PLAIN_MEMBERS_MAX {
                return None;
            }
            sketch |= bit;
            list.push((key, value));
            cursor.skip_blanks();
            if cursor.take(b',').is_none() {
                cursor.take(b'}')?;
                break;
            }
        }
    }
    cursor.skip_blanks();
    cursor.is_at_end().then_some(list)
}

/// The value of a member, as it was written. One in which something is unusual is skipped by
/// serde_json, which checks its grammar, and the rest stays on the fast road.
fn member_value<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    cursor.skip_blanks();
    let start = cursor.place();
    if let Some(value) = cursor.value(MEMBER_LEVEL) {
        return Some(value);
    }
    cursor.set_place(start);
    let rest = cursor.rest().filter(|rest| rest.starts_with(['{', '[']))?;
    let value =
        serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>().next()?.ok()?.get();
    cursor.set_place(start + value.len());
    Some(value)
}

/// The slow road: any JSON, every refusal.
fn members_by_serde<'a>(
    text: &'a str,
    field: &str,
    each: &mut dyn FnMut(Cow<'a, str>, &'a str) -> Result<(), EventError>,
) -> Result<(), EventError> {
    struct Members<'x, 'f, 'a> {
        each: &'x mut dyn FnMut(Cow<'a, str>, &'a str) -> Result<(), EventError>,
        fault: &'f mut Option<EventError>,
        field: &'x str,
    }
    impl<'de> DeserializeSeed<'de> for Members<'_, '_, 'de> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for Members<'_, '_, 'de> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
            let mut seen = Keys::default();
            while let Some(Key(key)) = entries.next_key::<Key<'de>>()? {
                let value = entries.next_value::<&'de RawValue>()?.get();
                let outcome = if seen.insert(key.clone()) {
                    (self.each)(key, value)
                } else {
                    let path = if self.field.is_empty() {
                        key.into_owned()
                    } else {
                        format!("{}.{key}", self.field)
                    };
                    let reason = "the object holds this key twice; send it once";
                    Err(EventError::new(Code::DuplicateKey, path, reason))
                };
                if let Err(fault) = outcome {
                    *self.fault = Some(fault);
                    return Err(A::Error::custom("refused"));
                }
            }
            Ok(())
        }
    }
    let mut fault = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = Members { each, fault: &mut fault, field }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match (outcome, fault) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(fault)) => Err(fault),
        // The first byte alone cannot tell a number from a log line that begins with a date.
        (Err(error), None)
            if error.is_data() && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() =>
        {
            Err(EventError::new(Code::NotAnObject, field, "expected a JSON object"))
        }
        (Err(error), None) => Err(EventError::new(Code::NotJson, field, not_json(&error))),
    }
}

/// What is wrong with JSON, without quoting what stands there: it may be a secret.
pub(crate) fn not_json(error: &serde_json::Error) -> String {
    if error.is_data() {
        let (line, column) = (error.line(), error.column());
        return format!("not valid JSON: expected an object at line {line} column {column}");
    }
    format!("not valid JSON: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type List<'a> = Vec<(Cow<'a, str>, &'a str)>;

    fn by_serde(text: &str) -> Result<List<'_>, EventError> {
        let mut list = Vec::new();
        members_by_serde(text, "", &mut |key, value| {
            list.push((key, value));
            Ok(())
        })?;
        Ok(list)
    }

    /// What the fast road accepts, the slow one accepts with the same members.
    fn agree(text: &str) {
        if let Some(list) = plain_members(text) {
            let list: List<'_> =
                list.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect();
            assert_eq!(by_serde(text).as_ref(), Ok(&list), "{text}");
        }
    }

    #[test]
    fn what_is_usual_takes_the_fast_road() {
        for text in [
            "{}",
            " { } ",
            r#"{"a":1,"b":-2.5,"c":"text","d":null,"e":true,"f":{},"g":[1,{"x":"\\n"}]}"#,
            "{ \"a\" : 1 , \"b\" : [ ] }\n",
        ] {
            assert!(plain_members(text).is_some(), "{text}");
            agree(text);
        }
    }

    #[test]
    fn what_is_not_usual_is_left_to_the_slow_road() {
        for text in [
            "",
            "{",
            "{}x",
            "[]",
            r#"{"a":1"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"a" 1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":-}"#,
            r#"{"a":1e5}"#,
            r#"{"a":nul}"#,
            r#"{"a":"x\ny"}"#,
            r#"{"a\u0062":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":[1}"#,
            r#"{"a":"x}"#,
            "{\"a\":\"x\u{1}\"}",
            "{\"a\":123456789012345678901234567890}",
            "{\"a\":}",
        ] {
            assert_eq!(plain_members(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_roads_agree_on_whatever_the_fast_one_takes(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "a", "b", "key", "0", "1",
                    "-", ".", "e", "true", "null", "\"a\":1", "\"b\":\"x\"", "\"c\":{}", "é", "\u{1}",
                ]),
                0..24,
            )
        ) {
            let text = pieces.concat();
            agree(&text);
            agree(&format!("{{\"k\":1,{text}}}"));
            agree(&format!("{{{text}}}"));
        }
    }
}
