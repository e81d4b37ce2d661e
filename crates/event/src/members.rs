//! The members of one JSON object, each with its value as it was written.
//!
//! What is usual (plain keys, plain strings, plain numbers) is found by one look at every byte; all
//! else is serde_json's, which also words every refusal. The two agree, and a test holds them to
//! it. What a member means is `parse`'s.

use crate::cursor::{Cursor, Value};
use crate::error::{Code, EventError};
use crate::json::{Keys, Text as Key};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Members of an object that [`members`] takes on the fast road at most: more than any object of
/// the metadata has.
const PLAIN_MEMBERS_MAX: usize = 8;

/// Hands every member of a JSON object to `each`, refusing duplicate keys; the values stand at
/// `level` of their event.
pub(crate) fn members<'a>(
    text: &'a str,
    field: &str,
    level: usize,
    each: &mut dyn FnMut(Cow<'a, str>, Value<'a>) -> Result<(), EventError>,
) -> Result<(), EventError> {
    match plain_members(text, level) {
        Some((list, count)) => list
            .into_iter()
            .take(count)
            .try_for_each(|(key, value)| each(Cow::Borrowed(key), value)),
        None => members_by_serde(text, field, each),
    }
}

/// The members of a small object in which nothing is unusual, and how many there are.
type PlainMembers<'a> = ([(&'a str, Value<'a>); PLAIN_MEMBERS_MAX], usize);

fn plain_members(text: &str, level: usize) -> Option<PlainMembers<'_>> {
    let mut list = [("", Value::unknown("")); PLAIN_MEMBERS_MAX];
    let mut count = 0;
    walk(text, level, |key, value| {
        if list.iter().take(count).any(|(earlier, _)| *earlier == key) {
            return None;
        }
        *list.get_mut(count)? = (key, value);
        count += 1;
        Some(())
    })?;
    Some((list, count))
}

/// The fast road: hands the members of an object to `each` as they come. `None` when something is
/// unusual, or `each` says so; then all that was handed out counts for nothing.
pub(crate) fn walk<'a>(
    text: &'a str,
    level: usize,
    each: impl FnMut(&'a str, Value<'a>) -> Option<()>,
) -> Option<()> {
    walk_by(text, level, Cursor::key, each)
}

/// The same for whoever has a way of its own to find out which member comes: `key` passes over the
/// name and the colon.
#[inline]
pub(crate) fn walk_by<'a, K>(
    text: &'a str,
    level: usize,
    mut key: impl FnMut(&mut Cursor<'a>) -> Option<K>,
    mut each: impl FnMut(K, Value<'a>) -> Option<()>,
) -> Option<()> {
    let mut cursor = Cursor::new(text);
    cursor.skip_blanks();
    cursor.take(b'{')?;
    cursor.skip_blanks();
    if cursor.take(b'}').is_none() {
        loop {
            let key = key(&mut cursor)?;
            each(key, member_value(&mut cursor, level)?)?;
            cursor.skip_blanks();
            if cursor.take(b',').is_none() {
                cursor.take(b'}')?;
                break;
            }
        }
    }
    cursor.skip_blanks();
    cursor.is_at_end().then_some(())
}

/// The value of a member. One in which something is unusual is skipped by serde_json, which checks
/// its grammar, and the rest stays on the fast road.
fn member_value<'a>(cursor: &mut Cursor<'a>, level: usize) -> Option<Value<'a>> {
    cursor.skip_blanks();
    let start = cursor.place();
    if let Some(value) = cursor.value(level) {
        return Some(value);
    }
    cursor.set_place(start);
    let text = skip_by_serde(cursor.rest()?)?;
    cursor.set_place(start + text.len());
    Some(Value::unknown(text))
}

/// The value that `rest` begins with.
#[cold]
fn skip_by_serde(rest: &str) -> Option<&str> {
    serde_json::Deserializer::from_str(rest)
        .into_iter::<&RawValue>()
        .next()?
        .ok()
        .map(RawValue::get)
}

/// The slow road: any JSON, every refusal.
pub(crate) fn members_by_serde<'a>(
    text: &'a str,
    field: &str,
    each: &mut dyn FnMut(Cow<'a, str>, Value<'a>) -> Result<(), EventError>,
) -> Result<(), EventError> {
    struct Members<'x, 'f, 'a> {
        each: &'x mut dyn FnMut(Cow<'a, str>, Value<'a>) -> Result<(), EventError>,
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
                    (self.each)(key, Value::unknown(value))
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
    use crate::cursor::Shape;
    use crate::json::Json;
    use proptest::prelude::*;

    type List<'a> = Vec<(Cow<'a, str>, &'a str)>;

    fn by_serde(text: &str) -> Result<List<'_>, EventError> {
        let mut list = Vec::new();
        members_by_serde(text, "", &mut |key, value| {
            list.push((key, value.text));
            Ok(())
        })?;
        Ok(list)
    }

    fn by_walk(text: &str) -> Option<List<'_>> {
        let mut list = List::new();
        walk(text, 2, |key, value| {
            list.iter().all(|(earlier, _)| *earlier != key).then_some(())?;
            told(value);
            list.push((Cow::Borrowed(key), value.text));
            Some(())
        })?;
        Some(list)
    }

    /// What is said of a value is what serde_json says.
    fn told(value: Value<'_>) {
        let Value { text, shape } = value;
        let json = Json::parse(text, "f");
        match shape {
            Shape::PlainText => assert_eq!(
                serde_json::from_str::<String>(text).ok().as_deref(),
                text.get(1..text.len() - 1),
                "{text}"
            ),
            Shape::Compact => assert_eq!(json.unwrap().as_str(), text),
            Shape::Spaced => assert!(json.unwrap().as_str().len() < text.len(), "{text}"),
            Shape::Unknown => {}
        }
    }

    /// What the fast road accepts, the slow one accepts with the same members.
    fn agree(text: &str) {
        if let Some(list) = by_walk(text) {
            assert_eq!(by_serde(text).as_ref(), Ok(&list), "{text}");
        }
        if let Some((list, count)) = plain_members(text, 2) {
            let list: List<'_> = list
                .into_iter()
                .take(count)
                .map(|(key, value)| (Cow::Borrowed(key), value.text))
                .collect();
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
            r#"{"a":"x\ny","b":1e5,"c":123456789012345678901234567890}"#,
        ] {
            assert!(by_walk(text).is_some() && plain_members(text, 2).is_some(), "{text}");
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
            r#"{"a":nul}"#,
            r#"{"a\u0062":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":[1}"#,
            r#"{"a":"x}"#,
            "{\"a\":\"x\u{1}\"}",
            "{\"a\":}",
        ] {
            assert_eq!(by_walk(text), None, "{text}");
            assert_eq!(plain_members(text, 2), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_roads_agree_on_whatever_the_fast_one_takes(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"", "\\", " ", "\n", "a", "b", "key", "0", "1",
                    "-", ".", "e", "\\n", "\\u0061", "true", "null", "\"a\":1", "\"b\":\"x\"", "\"c\":{}", "é", "\u{1}",
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
