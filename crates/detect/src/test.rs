//! What a rule asks of one field: `tool|startswith: shell_`.
//!
//! Texts are compared without regard to case, as Sigma says, for the letters of ASCII; `cased`
//! regards it. Searches are automata, so they take time in proportion to the text whatever it
//! holds.

use crate::field::{Field, Found};
use crate::problem::{Problem, quoted};
use crate::raw;
use crate::view::View;
use crate::yaml::{Node, Value};
use aho_corasick::AhoCorasick;
use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// Bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 4_096;
/// Patterns of one field.
const PATTERNS_MAX: usize = 2_000;
/// Bytes that a compiled expression may take.
const EXPRESSION_BYTES_MAX: usize = 2 << 20;

/// One field and what it must be.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) field: Field,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The field is there, or is not.
    Exists(bool),
    /// One of the texts, as a whole; `null` is that the field is not there.
    Exact { texts: Vec<String>, cased: bool, or_absent: bool },
    /// One of the texts at the beginning, or at the end.
    Edge { texts: Vec<String>, cased: bool, at_end: bool },
    /// One of the texts anywhere.
    Contains(AhoCorasick),
    /// Expressions: one of them, or all.
    Expressions { all: Vec<Regex>, need_all: bool },
    /// A number.
    Compare(Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// How patterns are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Modifiers {
    place: Place,
    need_all: bool,
    cased: bool,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Whole,
    Contains,
    Start,
    End,
    Expression,
}

impl Test {
    /// From `name|modifiers: value` or a list of values.
    pub(crate) fn parse(key: &str, value: &Node) -> Result<Self, Problem> {
        let mut words = key.split('|');
        let name = words.next().unwrap_or_default();
        let field = Field::parse(name).ok_or_else(|| {
            value.wrong(format!(
                "events have no field {}; docs/detection.md lists them",
                quoted(name)
            ))
        })?;
        let mut modifiers = Modifiers::default();
        for word in words {
            match word {
                "contains" => modifiers.place = Place::Contains,
                "startswith" => modifiers.place = Place::Start,
                "endswith" => modifiers.place = Place::End,
                "re" => modifiers.place = Place::Expression,
                "all" => modifiers.need_all = true,
                "cased" => modifiers.cased = true,
                "i" if modifiers.place == Place::Expression => modifiers.ignore_case = true,
                "m" if modifiers.place == Place::Expression => modifiers.multi_line = true,
                "s" if modifiers.place == Place::Expression => modifiers.dot_all = true,
                "exists" => return Ok(Self { field, kind: exists(value)? }),
                "lt" => return compared(field, Comparison::Less, value),
                "lte" => return compared(field, Comparison::AtMost, value),
                "gt" => return compared(field, Comparison::More, value),
                "gte" => return compared(field, Comparison::AtLeast, value),
                other => {
                    return Err(value.wrong(format!(
                        "the modifier {} is not understood; there are contains, startswith, \
                         endswith, re (with i, m, s), all, cased, exists, lt, lte, gt, gte",
                        quoted(other)
                    )));
                }
            }
        }
        Ok(Self { field, kind: texts(value, modifiers)? })
    }

    /// The texts that the field must be one of, when that is all that is asked.
    pub(crate) fn exact(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Exact { texts, or_absent: false, .. } => Some(texts),
            _ => None,
        }
    }

    /// The members of the metadata without which it cannot be met, a bit each.
    pub(crate) fn needs(&self) -> u32 {
        match self.kind {
            Kind::Exists(false) | Kind::Exact { or_absent: true, .. } => 0,
            _ => self.field.member(),
        }
    }

    /// How much it costs to ask, by and large.
    pub(crate) fn cost(&self) -> u32 {
        let search = match self.kind {
            Kind::Contains(_) => 2,
            Kind::Expressions { .. } => 4,
            _ => 0,
        };
        search + if self.field.is_content() { 8 } else { 0 }
    }

    /// Whether an event has it.
    pub(crate) fn is_met(&self, view: &View<'_>) -> bool {
        match &self.kind {
            Kind::Exists(wanted) => self.field.any(view, &mut |_| true) == *wanted,
            Kind::Exact { texts, cased, or_absent } => {
                let is_one = |text: &str| texts.iter().any(|one| same(one, text, *cased));
                self.any_text(view, &mut |text| is_one(text))
                    || (*or_absent && !self.field.any(view, &mut |_| true))
            }
            Kind::Edge { texts, cased, at_end } => self.any_text(view, &mut |text| {
                texts.iter().any(|one| is_at_edge(one, text, *cased, *at_end))
            }),
            Kind::Contains(search) => self.any_text(view, &mut |text| search.is_match(text)),
            Kind::Expressions { all, need_all: false } => {
                self.any_text(view, &mut |text| all.iter().any(|one| one.is_match(text)))
            }
            Kind::Expressions { all, need_all: true } => {
                all.iter().all(|one| self.any_text(view, &mut |text| one.is_match(text)))
            }
            Kind::Compare(comparison, wanted) => self.any_text(view, &mut |text| {
                text.parse().is_ok_and(|number: f64| comparison.holds(number, *wanted))
            }),
        }
    }

    fn any_text(&self, view: &View<'_>, is_met: &mut dyn FnMut(&str) -> bool) -> bool {
        self.field.any(view, &mut |found| match found {
            Found::Text(text) => is_met(&text),
            Found::Plain(text) => is_met(text),
            Found::Composite(json) => raw::texts(json, is_met),
        })
    }
}

impl Comparison {
    fn holds(self, number: f64, wanted: f64) -> bool {
        match self {
            Self::Less => number < wanted,
            Self::AtMost => number <= wanted,
            Self::More => number > wanted,
            Self::AtLeast => number >= wanted,
        }
    }
}

fn same(one: &str, text: &str, cased: bool) -> bool {
    if cased { one == text } else { one.eq_ignore_ascii_case(text) }
}

fn is_at_edge(one: &str, text: &str, cased: bool, at_end: bool) -> bool {
    let edge = match at_end {
        true => text.len().checked_sub(one.len()).and_then(|from| text.as_bytes().get(from..)),
        false => text.as_bytes().get(..one.len()),
    };
    edge.is_some_and(|edge| match cased {
        true => edge == one.as_bytes(),
        false => edge.eq_ignore_ascii_case(one.as_bytes()),
    })
}

fn exists(value: &Node) -> Result<Kind, Problem> {
    match value.text("`exists`")? {
        "true" => Ok(Kind::Exists(true)),
        "false" => Ok(Kind::Exists(false)),
        other => Err(value.wrong(format!("`exists` is true or false, not {}", quoted(other)))),
    }
}

fn compared(field: Field, comparison: Comparison, value: &Node) -> Result<Test, Problem> {
    let text = value.text("what a number is compared with")?;
    let number: f64 = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| value.wrong(format!("{} is not a number", quoted(text))))?;
    Ok(Test { field, kind: Kind::Compare(comparison, number) })
}

/// What must be one of some texts, or hold one of them.
fn texts(value: &Node, modifiers: Modifiers) -> Result<Kind, Problem> {
    let items = value.items();
    if items.is_empty() || items.len() > PATTERNS_MAX {
        let count = items.len();
        return Err(value.wrong(format!("{count} values; write 1 to {PATTERNS_MAX}")));
    }
    let mut patterns = Vec::new();
    let mut or_absent = false;
    for item in items {
        if item.is_null() {
            or_absent = true;
            continue;
        }
        let Value::Text { text, .. } = &item.value else {
            return Err(item.wrong("a value must be a text or a number"));
        };
        if text.len() > PATTERN_BYTES_MAX {
            return Err(item.wrong(format!("a value has at most {PATTERN_BYTES_MAX} bytes")));
        }
        patterns.push((item, text.as_str()));
    }
    if or_absent && (modifiers.place != Place::Whole || modifiers.need_all) {
        return Err(value.wrong("null stands alone: it means that the field is not there"));
    }
    if modifiers.place == Place::Expression {
        let compiled = patterns.iter().map(|(item, text)| expression(item, text, modifiers));
        let all = compiled.collect::<Result<_, _>>()?;
        return Ok(Kind::Expressions { all, need_all: modifiers.need_all });
    }
    let plain: Option<Vec<String>> =
        patterns.iter().map(|(_, text)| without_wildcards(text)).collect();
    let Some(plain) = plain.filter(|_| !modifiers.need_all) else {
        let cased = Modifiers { ignore_case: !modifiers.cased, dot_all: true, ..modifiers };
        let compiled = patterns
            .iter()
            .map(|(item, text)| expression(item, &as_expression(text, modifiers.place), cased));
        let mut all: Vec<Regex> = compiled.collect::<Result<_, _>>()?;
        if or_absent {
            return Err(value.wrong("null and wildcards do not go together; make two selections"));
        }
        all.shrink_to_fit();
        return Ok(Kind::Expressions { all, need_all: modifiers.need_all });
    };
    let cased = modifiers.cased;
    Ok(match modifiers.place {
        Place::Contains => {
            let built = AhoCorasick::builder().ascii_case_insensitive(!cased).build(&plain);
            Kind::Contains(built.map_err(|error| value.wrong(error.to_string()))?)
        }
        Place::Start | Place::End => {
            Kind::Edge { texts: plain, cased, at_end: modifiers.place == Place::End }
        }
        Place::Whole | Place::Expression => Kind::Exact { texts: plain, cased, or_absent },
    })
}

/// Keywords: texts of which an event holds one somewhere.
pub(crate) fn keywords(value: &Node) -> Result<Vec<Test>, Problem> {
    let kind = |name: &str| {
        let field = Field::parse(name).ok_or_else(|| value.wrong("no such field"))?;
        let modifiers = Modifiers { place: Place::Contains, ..Modifiers::default() };
        Ok(Test { field, kind: texts(value, modifiers)? })
    };
    ["action", "tool", "error_type", "tags", "content"].into_iter().map(kind).collect()
}

/// The letters of a pattern, when it has no wildcards.
fn without_wildcards(pattern: &str) -> Option<String> {
    let mut plain = String::new();
    for piece in pieces(pattern) {
        match piece {
            Piece::Letter(letter) => plain.push(letter),
            Piece::One | Piece::Many => return None,
        }
    }
    Some(plain)
}

enum Piece {
    Letter(char),
    One,
    Many,
}

/// A pattern as Sigma has it: `*` and `?` are wildcards, `\` before one of them or before another
/// `\` takes that away.
fn pieces(pattern: &str) -> impl Iterator<Item = Piece> {
    let mut letters = pattern.chars().peekable();
    std::iter::from_fn(move || {
        Some(match letters.next()? {
            '*' => Piece::Many,
            '?' => Piece::One,
            '\\' => match letters.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                Some(letter) => Piece::Letter(letter),
                None => Piece::Letter('\\'),
            },
            letter => Piece::Letter(letter),
        })
    })
}

fn as_expression(pattern: &str, place: Place) -> String {
    let mut text = String::new();
    if matches!(place, Place::Whole | Place::Start) {
        text.push_str("\\A");
    }
    for piece in pieces(pattern) {
        match piece {
            Piece::Many => text.push_str(".*"),
            Piece::One => text.push('.'),
            Piece::Letter(letter) => {
                if letter.is_ascii_punctuation() {
                    text.push('\\');
                }
                text.push(letter);
            }
        }
    }
    if matches!(place, Place::Whole | Place::End) {
        text.push_str("\\z");
    }
    text
}

fn expression(item: &Node, pattern: &str, modifiers: Modifiers) -> Result<Regex, Problem> {
    let syntax = syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(modifiers.ignore_case)
        .multi_line(modifiers.multi_line)
        .dot_matches_new_line(modifiers.dot_all)
        .nest_limit(50);
    let config = Config::new().nfa_size_limit(Some(EXPRESSION_BYTES_MAX)).utf8_empty(false);
    Regex::builder().syntax(syntax).configure(config).build(pattern).map_err(|error| {
        let why = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
        let why = why.lines().last().unwrap_or_default().trim().to_owned();
        item.wrong(format!("the expression {} cannot be used: {why}", quoted(pattern)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Item;
    use crate::yaml;
    use proptest::prelude::*;

    fn is_met(test: &str, meta: &str, content: &str) -> bool {
        let documents = yaml::parse(test).unwrap();
        let (key, value) = &documents[0].map("test").unwrap()[0];
        let item = Item {
            index: 0,
            recorded_at_ms: 0,
            kind: event::Kind::Event,
            meta: meta.as_bytes(),
            content: content.as_bytes(),
        };
        Test::parse(key, value).unwrap().is_met(&View::new(item))
    }

    #[test]
    fn every_modifier_takes_what_it_says_and_nothing_else() {
        let meta = r#"{"event_type":"agent.tool_call","tool":"Shell_Run*","duration_ms":12.5,"tags":["a"]}"#;
        let content = r#"{"params":{"cmd":["rm -rf /","caf\u00e9 \"x\""],"n":3}}"#;
        for (test, wanted) in [
            ("tool: shell_run\\*", true),
            ("tool|cased: shell_run\\*", false),
            ("tool: shell_*", true),
            ("tool: shell_?un\\*", true),
            ("tool: shell", false),
            ("tool|startswith: SHELL", true),
            ("tool|endswith: run\\*", true),
            ("tool|endswith: [x, 'n\\*']", true),
            ("tool|startswith: hell", false),
            ("tool|contains: ll_r", true),
            ("params|contains: 'RM -RF'", true),
            ("params|contains: 'café \"'", true),
            ("params|contains|all: ['rm', 'caf']", true),
            ("params|contains|all: ['rm', 'tea']", false),
            ("params.cmd|re: '^rm\\s+-\\w+'", true),
            ("params.cmd|re: '^RM'", false),
            ("params.cmd|re|i: '^RM'", true),
            ("params.n: 3", true),
            ("params.n|gte: 3", true),
            ("params.n|gt: 3", false),
            ("duration_ms|lt: 12.6", true),
            ("duration_ms|lte: 12", false),
            ("params.cmd|gt: 1", false),
            ("error_type: null", true),
            ("tool: null", false),
            ("error_type|exists: false", true),
            ("tags|exists: true", true),
            ("content|contains: 'cmd'", false),
        ] {
            assert_eq!(is_met(test, meta, content), wanted, "{test}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for bad in [
            "EventID: 4",
            "tool|base64: x",
            "tool|re: '('",
            "tool|re: '(?:a{1000}){1000}'",
            "tool|gt: many",
            "tool|i: x",
            "tool: []",
            "tool: { a: b }",
            "tool|contains: null",
            "tool|exists: perhaps",
        ] {
            let documents = yaml::parse(bad).unwrap();
            let (key, value) = &documents[0].map("test").unwrap()[0];
            assert!(Test::parse(key, value).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_a_plain_search(pattern in "[ab*?]{0,8}", text in "[abB]{0,10}") {
            fn glob(pattern: &[u8], text: &[u8]) -> bool {
                match (pattern.split_first(), text.split_first()) {
                    (None, None) => true,
                    (Some((b'*', rest)), _) => {
                        (0..=text.len()).any(|at| glob(rest, &text[at..]))
                    }
                    (Some((b'?', rest)), Some((_, more))) => glob(rest, more),
                    (Some((one, rest)), Some((other, more))) => {
                        one.eq_ignore_ascii_case(other) && glob(rest, more)
                    }
                    _ => false,
                }
            }
            prop_assume!(!text.is_empty());
            let meta = format!("{{\"tool\":\"{text}\"}}");
            let met = is_met(&format!("tool: '{pattern}'"), &meta, "");
            prop_assert_eq!(met, glob(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
