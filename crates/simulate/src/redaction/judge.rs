//! What a redactor made of a sample: which values it took, and what it took besides.
//!
//! It sees what everybody sees, the event as it is written afterwards: the markers in it tell what
//! is gone. Not here: what all that adds up to (`report`).

use super::corpus::Sample;
use event::Event;
use redact::Redactor;
use serde_json::Value;
use std::fmt::Write as _;

/// Something that was taken out of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The rule that the marker names.
    pub(super) rule: String,
}

/// A text of an event before redaction, and what was taken out of it.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) text: String,
    pub(super) hits: Vec<Hit>,
}

/// What became of one sample.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// For each label the rule that took the whole value, or nothing.
    pub(super) found: Vec<Option<String>>,
    /// What was taken and is a value or a part of one: rule by rule.
    pub(super) right: Vec<String>,
    /// What was taken and is none: rule and text.
    pub(super) wrong: Vec<(String, String)>,
    /// Values that were taken with more than a few characters beside them.
    pub(super) wide: u64,
}

/// Characters beside a value that may go with it: quotes, blanks, a checksum's padding.
const BESIDE_BYTES: usize = 16;

/// Where the text of a sample stands in its event, by its number: what people write stands in all
/// of these.
const PLACES: [&str; 5] = ["result", "reasoning", "error", "params", "inside"];

/// The event that carries a sample.
pub(super) fn event_json(sample: &Sample) -> String {
    let quoted = || Value::from(sample.text.as_str()).to_string();
    let member = match (sample.is_json, place(sample)) {
        (true, "inside") => format!("\"result\":{}", quoted()),
        (true, _) => format!("\"params\":{}", sample.text),
        (false, "params") => format!("\"params\":{{\"note\":{}}}", quoted()),
        (false, "inside") => {
            let inner = format!("{{\"note\":{}}}", quoted());
            format!("\"result\":{}", Value::from(inner))
        }
        (false, place) => format!("\"{place}\":{}", quoted()),
    };
    let json =
        format!("{{\"event_type\":\"agent.tool_call\",\"action\":\"tool_call:note\",{member}}}");
    if sample.number.is_multiple_of(3) { in_ascii(&json) } else { json }
}

/// The same JSON as many programs write it: whatever is not ASCII as `\u` and four digits.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

fn place(sample: &Sample) -> &'static str {
    let number = usize::try_from(sample.number / 7).unwrap_or(0);
    PLACES[number % PLACES.len()]
}

/// Redacts the event of a sample and compares.
pub(super) fn leaves(redactor: &Redactor, sample: &Sample) -> Result<Vec<Leaf>, String> {
    let json = event_json(sample);
    let event = Event::from_json(json.as_bytes()).map_err(|error| format!("{error}: {json}"))?;
    let mut content = Vec::new();
    redactor.redact(event).get().write_content(&mut content);
    let after: Value = serde_json::from_slice(&content).map_err(|error| error.to_string())?;
    let before: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let mut leaves = Vec::new();
    for part in ["params", "result", "reasoning", "error"] {
        if let Some(before) = before.get(part) {
            compare(before, after.get(part), &mut leaves);
        }
    }
    Ok(leaves)
}

/// Pairs the texts of two values, of which the second is the first without secrets.
fn compare(before: &Value, after: Option<&Value>, leaves: &mut Vec<Leaf>) {
    match (before, after) {
        (Value::Object(before), Some(Value::Object(after))) => {
            // A key that held a secret has another name: then the whole member was taken.
            before.iter().for_each(|(key, value)| compare(value, after.get(key), leaves));
        }
        (Value::Array(before), Some(Value::Array(after))) => {
            let mut after = after.iter();
            before.iter().for_each(|value| compare(value, after.next(), leaves));
        }
        (Value::Object(_) | Value::Array(_), _) => {
            let text = before.to_string();
            let hits = vec![Hit { start: 0, end: text.len(), rule: rule_of(after) }];
            leaves.push(Leaf { text, hits });
        }
        (Value::String(text), Some(Value::String(redone))) => {
            let inside = |text: &str| serde_json::from_str(text).ok().filter(Value::is_object);
            match (inside(text), inside(redone)) {
                (Some(before), Some(after)) => compare(&before, Some(&after), leaves),
                _ => leaves.push(Leaf { text: text.clone(), hits: hits(text, redone) }),
            }
        }
        (scalar, after) if Some(scalar) == after => {}
        (scalar, after) => {
            let text = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            let hits = vec![Hit { start: 0, end: text.len(), rule: rule_of(after) }];
            leaves.push(Leaf { text, hits });
        }
    }
}

/// The rule of the first marker in what took a value's place.
fn rule_of(after: Option<&Value>) -> String {
    let text = after.map(Value::to_string).unwrap_or_default();
    markers(&text).first().map_or_else(|| "dropped".to_owned(), |marker| marker.rule.clone())
}

/// Where markers stand in a redacted text.
fn markers(text: &str) -> Vec<Hit> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
        from = start + 1;
        let rest = text.get(from..).unwrap_or_default();
        let Some((inner, _)) = rest.split_once(']') else { break };
        let named = inner.strip_prefix("redacted:").or_else(|| inner.strip_prefix("hash:"));
        let Some(rule) = named.and_then(|named| named.split(':').next()) else { continue };
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !rule.is_empty() && rule.bytes().all(is_name) {
            let end = from + inner.len() + 1;
            found.push(Hit { start, end, rule: rule.to_owned() });
            from = end;
        }
    }
    found
}

/// What was taken out of `before` to make `after`: what stands between markers stands in both.
pub(super) fn hits(before: &str, after: &str) -> Vec<Hit> {
    if before == after {
        return Vec::new();
    }
    let markers = markers(after);
    aligned(before, after, &markers).unwrap_or_else(|| {
        // It does not fit; then everything between the equal ends was taken.
        let equal = |pair: &(char, char)| pair.0 == pair.1;
        let start: usize =
            before.chars().zip(after.chars()).take_while(equal).map(|(c, _)| c.len_utf8()).sum();
        let rest = before.get(start..).unwrap_or_default();
        let ends = rest.chars().rev().zip(after.chars().rev()).take_while(equal);
        let end = before.len() - ends.map(|(c, _)| c.len_utf8()).sum::<usize>();
        let rule = markers.first().map_or("dropped", |marker| &marker.rule);
        vec![Hit { start, end: end.max(start), rule: rule.to_owned() }]
    })
}

fn aligned(before: &str, after: &str, markers: &[Hit]) -> Option<Vec<Hit>> {
    let (first, last) = (markers.first()?, markers.last()?);
    let (head, tail) = (after.get(..first.start)?, after.get(last.end..)?);
    let end = before.strip_suffix(tail)?.len();
    let mut at = before.strip_prefix(head).map(|_| head.len())?;
    let mut hits = Vec::new();
    for (place, marker) in markers.iter().enumerate() {
        let next = match markers.get(place + 1) {
            None => end,
            Some(next) => {
                let between = after.get(marker.end..next.start)?;
                let mut least = at + 1;
                while !before.is_char_boundary(least) {
                    least += 1;
                }
                // Neighbours without anything between them share what was taken.
                if between.is_empty() {
                    least
                } else {
                    least + before.get(least..end)?.find(between)?
                }
            }
        };
        hits.push(Hit { start: at, end: next, rule: marker.rule.clone() });
        at = next + markers.get(place + 1).map_or(0, |next| next.start - marker.end);
    }
    hits.iter().all(|hit| hit.start < hit.end).then_some(hits)
}

/// Compares what was taken with what was to be.
pub(super) fn judge(sample: &Sample, leaves: &[Leaf]) -> Verdict {
    let mut verdict = Verdict { found: vec![None; sample.labels.len()], ..Verdict::default() };
    for leaf in leaves {
        let mut places = Vec::new();
        for (number, label) in sample.labels.iter().enumerate() {
            // A text that is JSON as a whole was read as such: its line ends are real there.
            let read = label.value.replace("\\n", "\n");
            let place = leaf.text.find(&label.value).map(|at| (at, label.value.len()));
            let place = place.or_else(|| leaf.text.find(&read).map(|at| (at, read.len())));
            let Some((start, length)) = place else { continue };
            let end = start + length;
            places.push((start, end));
            if let Some(rule) = covers(&leaf.hits, start, end) {
                verdict.found[number] = Some(rule);
            }
        }
        for hit in &leaf.hits {
            let touched: Vec<&(usize, usize)> =
                places.iter().filter(|(start, end)| hit.start < *end && *start < hit.end).collect();
            let inside: usize =
                touched.iter().map(|(start, end)| hit.end.min(*end) - hit.start.max(*start)).sum();
            if touched.is_empty() {
                let text = leaf.text.get(hit.start..hit.end).unwrap_or_default();
                verdict.wrong.push((hit.rule.clone(), text.to_owned()));
            } else {
                verdict.right.push(hit.rule.clone());
                verdict.wide += u64::from(hit.end - hit.start > inside + BESIDE_BYTES);
            }
        }
    }
    verdict
}

/// The rule of the first of the hits that together cover everything from `start` to `end`.
fn covers(hits: &[Hit], start: usize, end: usize) -> Option<String> {
    let (mut at, mut rule) = (start, None);
    for hit in hits {
        if hit.start <= at && at < hit.end {
            at = hit.end;
            rule = rule.or_else(|| Some(hit.rule.clone()));
        }
    }
    rule.filter(|_| at >= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(start: usize, end: usize, rule: &str) -> Hit {
        Hit { start, end, rule: rule.to_owned() }
    }

    #[test]
    fn what_is_gone_is_found_again_by_what_stayed() {
        assert_eq!(hits("a b c", "a b c"), []);
        assert_eq!(hits("key=abc; x", "key=[redacted:jwt]; x"), [hit(4, 7, "jwt")]);
        assert_eq!(
            hits("é 1234, 5678", "é [redacted:iban], [hash:email:0123456789abcdef]"),
            [hit(3, 7, "iban"), hit(9, 13, "email")]
        );
        assert_eq!(hits("abc", "[redacted:jwt]"), [hit(0, 3, "jwt")]);
        assert_eq!(hits("[x] abcd.", "[x] [redacted:jwt]."), [hit(4, 8, "jwt")]);
        // Nothing fits: what is equal at both ends stayed.
        assert_eq!(hits("a secret b", "a  b"), [hit(2, 8, "dropped")]);
    }

    #[test]
    fn a_value_counts_as_found_only_as_a_whole() {
        let hits = [hit(2, 5, "jwt"), hit(5, 9, "iban")];
        assert_eq!(covers(&hits, 2, 9), Some("jwt".to_owned()));
        assert_eq!(covers(&hits, 3, 8), Some("jwt".to_owned()));
        assert_eq!(covers(&hits, 2, 10), None);
        assert_eq!(covers(&hits, 1, 4), None);
    }

    #[test]
    fn what_is_taken_besides_is_told() {
        let label = super::super::corpus::Label {
            value: "wxyz".to_owned(),
            rule: "jwt".to_owned(),
            group: super::super::corpus::Group::Fixed,
        };
        let sample = Sample {
            number: 0,
            text: "a wxyz b cd".to_owned(),
            is_json: false,
            labels: vec![label],
            of: String::new(),
            language: "en",
        };
        let leaf = |hits| [Leaf { text: sample.text.clone(), hits }];
        let verdict = judge(&sample, &leaf(vec![hit(2, 6, "jwt"), hit(9, 11, "iban")]));
        assert_eq!(verdict.found, [Some("jwt".to_owned())]);
        assert_eq!(verdict.right, ["jwt"]);
        assert_eq!(verdict.wrong, [("iban".to_owned(), "cd".to_owned())]);
        let verdict = judge(&sample, &leaf(vec![hit(2, 5, "jwt")]));
        assert_eq!((verdict.found, verdict.wrong.len()), (vec![None], 0));
    }
}
