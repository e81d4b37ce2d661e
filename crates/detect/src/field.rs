//! A field as a rule names it, found in an event.

use crate::raw;
use crate::view::{PARTS, View, bit, slot};
use std::borrow::Cow;

/// Where a field is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    /// In the metadata, at a place.
    Meta(usize),
    /// In the content, at a place.
    Part(usize),
    /// All of the content.
    Content,
    /// What the event belongs to.
    Run,
    /// Whether it is an `event`, or the `log`'s own.
    Kind,
}

/// A field by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    root: Root,
    /// What is meant inside it: names with dots between; empty for all of it.
    rest: String,
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// A text, decoded.
    Text(Cow<'a, str>),
    /// A number or a literal, as it is spelled.
    Plain(&'a str),
    /// An object, or a list within a list; its texts count.
    Composite(&'a str),
}

impl Field {
    /// The field of this name; `None` when events have none such.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let root = match first {
            "run" => Root::Run,
            "kind" => Root::Kind,
            "content" => Root::Content,
            _ => match slot(first) {
                Some(slot) => Root::Meta(slot),
                None => Root::Part(PARTS.iter().position(|part| *part == first)?),
            },
        };
        let has_no_inside = matches!(root, Root::Run | Root::Kind | Root::Content);
        let is_fine = (!has_no_inside || rest.is_empty()) && !name.ends_with('.');
        is_fine.then(|| Self { name: name.to_owned(), root, rest: rest.to_owned() })
    }

    /// Whether it may hold what was said and done, which is not repeated in alerts.
    pub(crate) fn is_content(&self) -> bool {
        matches!(self.root, Root::Part(_) | Root::Content)
    }

    /// The bit of the member of the metadata that it is in; none for other fields.
    pub(crate) fn member(&self) -> u32 {
        match self.root {
            Root::Meta(slot) => bit(slot),
            _ => 0,
        }
    }

    /// Its values in an event, until `each` says `true`, which is then the answer. Of a list every
    /// item is one.
    pub(crate) fn any<'a>(&self, view: &View<'a>, each: &mut dyn FnMut(Found<'a>) -> bool) -> bool {
        let value = match self.root {
            Root::Meta(slot) => view.meta(slot),
            Root::Part(place) => view.part(place),
            Root::Content => view.content(),
            Root::Run => view.run(),
            Root::Kind => match view.item.kind {
                event::Kind::Log => "\"log\"",
                event::Kind::Event => "\"event\"",
            },
        };
        inside(value, &self.rest, each)
    }

    /// Its first value as text.
    pub(crate) fn first<'a>(&self, view: &View<'a>) -> Option<Cow<'a, str>> {
        let mut first = None;
        self.any(view, &mut |found| {
            first = Some(match found {
                Found::Text(text) => text,
                Found::Plain(text) | Found::Composite(text) => Cow::Borrowed(text),
            });
            true
        });
        first
    }
}

/// Every value that `rest` leads to. It goes one name of the rule deeper each time, so a rule's
/// length bounds it, and not an event's depth.
fn inside<'a>(value: &'a str, rest: &str, each: &mut dyn FnMut(Found<'a>) -> bool) -> bool {
    match (value.as_bytes().first(), rest.is_empty()) {
        (None, _) => false,
        (Some(b'['), _) => raw::items(value, |item| match item.as_bytes().first() {
            Some(b'[') => rest.is_empty() && each(Found::Composite(item)),
            _ => inside(item, rest, each),
        }),
        (Some(b'{'), true) => each(Found::Composite(value)),
        (Some(b'{'), false) => raw::members(value, |key, value| {
            if key == rest {
                return inside(value, "", each);
            }
            // A name may hold dots itself: `http.response.status_code`.
            let behind = rest.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
            behind.is_some_and(|behind| inside(value, behind, each))
        }),
        (Some(b'"'), true) => each(Found::Text(raw::decoded(value))),
        (Some(_), true) => value != "null" && each(Found::Plain(value)),
        (Some(_), false) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Item;

    fn values(name: &str, meta: &str, content: &str) -> Vec<String> {
        let item = Item {
            index: 0,
            recorded_at_ms: 0,
            kind: event::Kind::Event,
            meta: meta.as_bytes(),
            content: content.as_bytes(),
        };
        let mut found = Vec::new();
        Field::parse(name).unwrap().any(&View::new(item), &mut |value| {
            found.push(match value {
                Found::Text(text) => text.into_owned(),
                Found::Plain(text) | Found::Composite(text) => text.to_owned(),
            });
            false
        });
        found
    }

    #[test]
    fn a_field_is_found_in_lists_objects_and_under_names_with_dots() {
        let meta = r#"{"event_type":"agent.tool_call","trace_id":"t","redactions":[{"path":"params.a","rule":"jwt"},{"path":"b","rule":"iban"}],"tags":["x","y"]}"#;
        let content = r#"{"params":{"a":{"b":1},"list":[[1],"z"]},"attributes":{"http.status":503,"http":{"x":2}}}"#;
        for (name, wanted) in [
            ("redactions.rule", vec!["jwt", "iban"]),
            ("tags", vec!["x", "y"]),
            ("params.a.b", vec!["1"]),
            ("params.a", vec![r#"{"b":1}"#]),
            ("params.list", vec!["[1]", "z"]),
            ("attributes.http.status", vec!["503"]),
            ("attributes.http.x", vec!["2"]),
            ("run", vec!["t"]),
            ("kind", vec!["event"]),
            ("tool", vec![]),
            ("result.x", vec![]),
        ] {
            assert_eq!(values(name, meta, content), wanted, "{name}");
        }
        assert!(Field::parse("EventID").is_none() && Field::parse("run.x").is_none());
    }
}
