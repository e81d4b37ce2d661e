//! YAML as rules are written in: documents of mappings, lists and texts, each with its line.
//!
//! The grammar is `saphyr-parser`'s. What rules do not need is refused: anchors and aliases (a few
//! lines can stand for gigabytes), tags, keys that are no texts, keys that stand there twice.

use crate::problem::{Problem, quoted};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// Mappings and lists within each other. Rules have six.
const DEPTH_MAX: usize = 16;
/// Values of one file.
const NODES_MAX: usize = 50_000;

/// A value and the line that it begins at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A text or number; `is_plain` without quotes, where `null` means nothing.
    Text {
        text: String,
        is_plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Problem {
        Problem::new(self.line, reason)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Text { text, is_plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text, when it is one.
    pub(crate) fn text(&self, what: &str) -> Result<&str, Problem> {
        match &self.value {
            Value::Text { text, .. } if !self.is_null() => Ok(text),
            _ => Err(self.wrong(format!("{what} must be a text"))),
        }
    }

    /// The members, when it is a mapping.
    pub(crate) fn map(&self, what: &str) -> Result<&[(String, Node)], Problem> {
        match &self.value {
            Value::Map(members) => Ok(members),
            _ => Err(self.wrong(format!("{what} must be a mapping (name: value)"))),
        }
    }

    /// The items of a list, or the one value that stands in place of a list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The member of this name, of a mapping.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, node)| node)
            }
            _ => None,
        }
    }
}

/// What is being read: the nodes around the next one.
enum Around {
    List(usize, Vec<Node>),
    Map { line: usize, members: Vec<(String, Node)>, key: Option<String> },
}

/// The documents of a file.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Problem> {
    let (mut documents, mut around, mut nodes) = (Vec::new(), Vec::<Around>::new(), 0);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            Problem::new(error.marker().line(), format!("not YAML: {}", error.info()))
        })?;
        let line = span.start.line();
        refuse_what_rules_do_not_need(&event, line)?;
        let node = match event {
            Event::Scalar(text, style, ..) => {
                let is_plain = style == ScalarStyle::Plain;
                Node { line, value: Value::Text { text: text.into_owned(), is_plain } }
            }
            Event::SequenceStart(..) => {
                around.push(Around::List(line, Vec::new()));
                deep(&around, line)?;
                continue;
            }
            Event::MappingStart(..) => {
                around.push(Around::Map { line, members: Vec::new(), key: None });
                deep(&around, line)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match around.pop() {
                Some(Around::List(line, items)) => Node { line, value: Value::List(items) },
                Some(Around::Map { line, members, .. }) => {
                    Node { line, value: Value::Map(members) }
                }
                None => continue,
            },
            _ => continue,
        };
        nodes += 1;
        if nodes > NODES_MAX {
            return Err(Problem::new(
                line,
                format!("more than {NODES_MAX} values; split the file"),
            ));
        }
        place(&mut around, &mut documents, node)?;
    }
    Ok(documents)
}

fn deep(around: &[Around], line: usize) -> Result<(), Problem> {
    match around.len() > DEPTH_MAX {
        true => Err(Problem::new(line, format!("nested deeper than {DEPTH_MAX} levels"))),
        false => Ok(()),
    }
}

fn refuse_what_rules_do_not_need(event: &Event<'_>, line: usize) -> Result<(), Problem> {
    let (anchor, is_tagged) = match event {
        Event::Alias(_) => (1, false),
        Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
        Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            (*anchor, tag.is_some())
        }
        _ => (0, false),
    };
    if anchor != 0 {
        return Err(Problem::new(line, "anchors and aliases are not taken; write the value out"));
    }
    match is_tagged {
        true => Err(Problem::new(line, "tags (`!...`) are not taken; leave it out")),
        false => Ok(()),
    }
}

/// Puts a finished value where it belongs.
fn place(around: &mut [Around], documents: &mut Vec<Node>, node: Node) -> Result<(), Problem> {
    match around.last_mut() {
        None => documents.push(node),
        Some(Around::List(_, items)) => items.push(node),
        Some(Around::Map { members, key, .. }) => match key.take() {
            Some(name) => members.push((name, node)),
            None => {
                let Value::Text { text, .. } = &node.value else {
                    return Err(node.wrong("a name must be a text"));
                };
                if members.iter().any(|(known, _)| known == text) {
                    let reason = format!("{} stands here twice; keep one", quoted(text));
                    return Err(node.wrong(reason));
                }
                *key = Some(text.clone());
            }
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_their_lines_and_what_is_dangerous_is_refused() {
        let documents = parse("a: 1\nb:\n  - x\n  - 'null'\n---\nc: null\n").unwrap();
        assert_eq!(documents.len(), 2);
        let b = documents[0].get("b").unwrap();
        assert_eq!(b.items().iter().map(|it| it.line).collect::<Vec<_>>(), [3, 4]);
        assert!(!b.items()[1].is_null() && documents[1].get("c").unwrap().is_null());
        for (bad, line) in [
            ("a: &x 1\nb: *x\n", 1),
            ("x: 1\na: !!str 1\n", 2),
            ("a: 1\nb: 2\na: 3\n", 3),
            ("? [a]\n: 1\n", 1),
            ("a: [\n", 2),
            (&"[".repeat(20), 1),
        ] {
            assert_eq!(parse(bad).map_err(|it| it.line), Err(line), "{bad}");
        }
    }
}
