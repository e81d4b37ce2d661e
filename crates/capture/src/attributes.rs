//! The attributes of a span, a log record or a span event: taken one by one, so that what nobody
//! takes can be kept under its own name.

use crate::sink::Sink;
use event::{Event, Json, Text};
use serde_json::Value;
use std::borrow::Cow;

/// Attributes in the order they came. Keys are unique in valid telemetry; a duplicate is kept as
/// well.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attributes(Vec<(String, Value)>);

/// Levels that a kept value may nest: below [`event::limits::NESTING_MAX`] by the objects around
/// it.
const DEPTH_MAX: usize = event::limits::NESTING_MAX - 4;

/// Segments of a flattened key (`llm.input_messages.0.message.role` has five); deeper is no
/// convention's.
const SEGMENTS_MAX: usize = 12;

/// Values kept under one name: duplicates are invalid, and looking for a free name takes time.
const COPIES_MAX: usize = 16;

impl Attributes {
    pub(crate) fn new(list: Vec<(String, Value)>) -> Self {
        Self(list)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn peek(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(crate) fn peek_text(&self, key: &str) -> Option<&str> {
        self.peek(key).and_then(Value::as_str)
    }

    pub(crate) fn has_prefix(&self, prefix: &str) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with(prefix))
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a text, number or truth value as text; anything else stays.
    pub(crate) fn take_text(&mut self, key: &str) -> Option<String> {
        let text = match self.peek(key)? {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return None,
        };
        self.take(key);
        Some(text)
    }

    /// Takes a count; frameworks that count in doubles or decimal texts are understood.
    pub(crate) fn take_count(&mut self, key: &str) -> Option<u64> {
        let count = match self.peek(key)? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }?;
        self.take(key);
        Some(count)
    }

    /// Takes a number.
    pub(crate) fn take_number(&mut self, key: &str) -> Option<f64> {
        let number = match self.peek(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite())?;
        self.take(key);
        Some(number)
    }

    /// Fills an empty text field from `key`. When the field is filled already, an equal value is
    /// dropped and another one stays.
    pub(crate) fn fill_text(&mut self, slot: &mut Option<Text<'static>>, key: &str) {
        match slot {
            None => *slot = self.take_text(key).map(Cow::Owned),
            Some(text) if self.peek_text(key) == Some(text) => drop(self.take(key)),
            Some(_) => {}
        }
    }

    /// The same for a count.
    pub(crate) fn fill_count(&mut self, slot: &mut Option<u64>, key: &str) {
        match slot {
            None => *slot = self.take_count(key),
            Some(count) if self.peek(key).and_then(Value::as_u64) == Some(*count) => {
                drop(self.take(key));
            }
            Some(_) => {}
        }
    }

    /// The same for a part of the content; text that is JSON becomes the JSON it is.
    pub(crate) fn fill_json(&mut self, slot: &mut Option<Json<'static>>, key: &str) {
        if slot.is_none() {
            *slot = self.take(key).map(structured);
        } else if self.peek(key).cloned().map(structured) == *slot {
            self.take(key);
        }
    }

    /// Takes every `prefix.<path>` and rebuilds the lists and objects that were flattened into
    /// keys.
    pub(crate) fn take_flattened(&mut self, prefix: &str) -> Option<Value> {
        let path_of = |name: &str| {
            let path = name.strip_prefix(prefix)?.strip_prefix('.')?;
            // `gen_ai.prompt.name` is no message of `gen_ai.prompt.0`.
            let indexed = path.starts_with(|first: char| first.is_ascii_digit());
            (indexed && path.split('.').count() <= SEGMENTS_MAX).then(|| path.to_owned())
        };
        if !self.0.iter().any(|(name, _)| path_of(name).is_some()) {
            return None;
        }
        let mut tree = Tree::Branch(Vec::new());
        let mut left = Vec::new();
        for (name, value) in std::mem::take(&mut self.0) {
            match path_of(&name) {
                None => left.push((name, value)),
                Some(path) => {
                    if let Err(value) = tree.put(&path, value) {
                        left.push((name, value));
                    }
                }
            }
        }
        self.0 = left;
        Some(tree.into_value())
    }

    /// Takes what is left of another record's attributes.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Puts what is left on an event, under its own name, and counts it.
    pub(crate) fn keep<'a>(self, event: &mut Event<'a>, sink: &mut Sink<'_, 'a>) {
        for (key, value) in self.0 {
            sink.unmapped(&key);
            let mut name = key.clone();
            let mut copies = 1;
            while event.content.attribute(&name).is_some() && copies < COPIES_MAX {
                copies += 1;
                name = format!("{key}#{copies}");
            }
            event.content.set_attribute(name, json(&value));
        }
    }

    pub(crate) fn into_list(self) -> Vec<(String, Value)> {
        self.0
    }
}

fn whole(number: f64) -> Option<u64> {
    let fits = number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    fits.then_some(number as u64)
}

/// A value that nests no deeper than an event may; a deeper one as its text.
pub(crate) fn json(value: &Value) -> Json<'static> {
    if fits(value, DEPTH_MAX) { Json::from_value(value) } else { Json::string(&value.to_string()) }
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| fits(item, levels - 1)),
        _ => true,
    }
}

/// Like [`json`], but a text that holds a JSON object, array or string becomes that.
pub(crate) fn structured(value: Value) -> Json<'static> {
    if let Value::String(text) = &value
        && text.trim_start().starts_with(['{', '[', '"'])
        && let Ok(parsed) = Json::parse(text, "")
    {
        return parsed.into_owned();
    }
    json(&value)
}

/// Keys with dots, as the tree they were flattened from.
enum Tree {
    Leaf(Value),
    Branch(Vec<(String, Tree)>),
}

impl Tree {
    /// Hands the value back when something else stands at its place.
    fn put(&mut self, path: &str, value: Value) -> Result<(), Value> {
        let Self::Branch(children) = self else { return Err(value) };
        let (segment, rest) = match path.split_once('.') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let found = children.iter().rposition(|(name, _)| name == segment);
        match (found.and_then(|at| children.get_mut(at)), rest) {
            (Some((_, child)), Some(rest)) => child.put(rest, value),
            (Some(_), None) => Err(value),
            (None, None) => {
                children.push((segment.to_owned(), Self::Leaf(value)));
                Ok(())
            }
            (None, Some(rest)) => {
                let mut child = Self::Branch(Vec::new());
                child.put(rest, value)?;
                children.push((segment.to_owned(), child));
                Ok(())
            }
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::Branch(mut children) => {
                let position = |name: &str| name.parse::<u32>().ok();
                if children.iter().all(|(name, _)| position(name).is_some()) {
                    children.sort_by_key(|(name, _)| position(name));
                    Value::Array(
                        children.into_iter().map(|(_, child)| child.into_value()).collect(),
                    )
                } else {
                    let members =
                        children.into_iter().map(|(name, child)| (name, child.into_value()));
                    Value::Object(members.collect())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attributes(value: Value) -> Attributes {
        Attributes::new(value.as_object().unwrap().clone().into_iter().collect())
    }

    #[test]
    fn flattened_messages_are_rebuilt_in_order() {
        let mut list = attributes(json!({
            "m.10.role": "tool", "m.2.role": "assistant", "m.2.calls.0.id": "c1", "other": 1,
            "m.0.role": "user",
        }));
        let messages = list.take_flattened("m").unwrap();
        let wanted = json!([{"role": "user"}, {"role": "assistant", "calls": [{"id": "c1"}]}, {"role": "tool"}]);
        assert_eq!(messages, wanted);
        assert_eq!(list, attributes(json!({"other": 1})));
        assert_eq!(list.take_flattened("m"), None);
    }

    #[test]
    fn contradicting_and_bottomless_keys_are_left_alone() {
        let deep = format!("m.0.{}", vec!["x"; 100_000].join("."));
        let mut list = attributes(json!({"m.0": 1, "m.0.b": 2, deep.clone(): 3, "m.name": 4}));
        assert_eq!(list.take_flattened("m"), Some(json!([1])));
        assert_eq!(list, attributes(json!({"m.0.b": 2, deep: 3, "m.name": 4})));
    }

    #[test]
    fn a_filled_field_takes_only_an_equal_value() {
        let mut list = attributes(json!({"a": "x", "b": "x", "c": "y", "d": 7.0}));
        let mut slot = None;
        for key in ["a", "b", "c"] {
            list.fill_text(&mut slot, key);
        }
        assert_eq!(slot.as_deref(), Some("x"));
        assert_eq!(list.take_count("d"), Some(7));
        assert_eq!(list, attributes(json!({"c": "y"})));
    }

    #[test]
    fn text_that_is_json_becomes_json_and_broken_text_stays_text() {
        assert_eq!(structured(json!("{\"q\": 1.50}")).as_str(), "{\"q\":1.50}");
        assert_eq!(structured(json!("{\"q\": 1, \"q\": 2}")).as_str(), r#""{\"q\": 1, \"q\": 2}""#);
        assert_eq!(structured(json!("7")).as_str(), "\"7\"");
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(json(&deep).as_str().starts_with("\"[[["));
    }
}
