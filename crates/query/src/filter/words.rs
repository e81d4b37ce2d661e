//! Words and phrases in the values of a record's stored JSON, whatever their case.
//!
//! Keys do not count (every tool call holds the word `params`); numbers do (order 1042). Escapes
//! are decoded first, because Python writes `ü` as `\u00fc` by default.

use crate::found::Found;
use memchr::{memchr, memchr2, memchr2_iter};

/// All words of a question.
pub(crate) struct Words(Vec<Word>);

/// One word or phrase in lower case.
struct Word {
    text: String,
    /// Where its rarest byte stands: the search jumps from one such byte to the next.
    anchor: usize,
}

/// The commonest bytes of English and JSON, commonest first; what is not listed is rare.
const COMMON: &[u8] = b"e\" ta:oin,srhdl_cupm-fgy.wb0123456789vk";

impl Word {
    fn new(text: String) -> Self {
        let rank = |b: u8| COMMON.iter().position(|c| *c == b).unwrap_or(COMMON.len());
        let anchor = text.bytes().enumerate().max_by_key(|(_, b)| rank(*b)).map_or(0, |(at, _)| at);
        Self { text, anchor }
    }

    /// Looks for an ASCII word in raw bytes.
    fn is_in_bytes(&self, haystack: &[u8]) -> bool {
        let word = self.text.as_bytes();
        let Some(byte) = word.get(self.anchor) else { return true };
        memchr2_iter(*byte, byte.to_ascii_uppercase(), haystack).any(|at| {
            at.checked_sub(self.anchor)
                .and_then(|start| haystack.get(start..start + word.len()))
                .is_some_and(|here| here.eq_ignore_ascii_case(word))
        })
    }

    fn is_in(&self, value: &[u8]) -> bool {
        if self.text.is_ascii() {
            return self.is_in_bytes(value);
        }
        String::from_utf8_lossy(value).to_lowercase().contains(&self.text)
    }
}

impl Words {
    /// Splits a question at white space; `"two words"` in quotes stay together.
    pub(crate) fn parse(question: &str) -> Self {
        let mut words = Vec::new();
        for (position, piece) in question.split('"').enumerate() {
            let piece = piece.to_lowercase();
            if position % 2 == 1 {
                words.push(piece);
            } else {
                words.extend(piece.split_whitespace().map(str::to_owned));
            }
        }
        Self(words.into_iter().filter(|word| !word.is_empty()).map(Word::new).collect())
    }

    /// The words and phrases, in lower case.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| word.text.as_str())
    }

    /// False only when a word cannot be in the record.
    pub(super) fn may_be_in(&self, found: &Found<'_>) -> bool {
        self.0.iter().all(|word| {
            !word.text.is_ascii()
                || word.is_in_bytes(&found.meta)
                || word.is_in_bytes(&found.content)
                || memchr(b'\\', &found.meta).is_some()
                || memchr(b'\\', &found.content).is_some()
        })
    }

    /// True when every word occurs in some value.
    pub(super) fn all_in(&self, found: &Found<'_>) -> bool {
        let mut missing: Vec<&Word> = self.0.iter().collect();
        for json in [&found.meta, &found.content] {
            if missing.is_empty() {
                break;
            }
            for_each_value(json, |value| {
                missing.retain(|word| !word.is_in(value));
                missing.is_empty()
            });
        }
        missing.is_empty()
    }
}

/// Hands every value that is not an object or array to `visit`, decoded, until it says that it has
/// enough. Bytes that are not JSON give some pieces and no panic.
pub(crate) fn for_each_value(json: &[u8], mut visit: impl FnMut(&[u8]) -> bool) {
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let (end, enough) = match byte {
            b'"' => {
                let end = end_of_string(json, at + 1);
                let text = json.get(at..end).unwrap_or_default();
                let is_key = json.get(end) == Some(&b':');
                (end, !is_key && visit_string(text, &mut visit))
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => {
                (at + 1, false)
            }
            _ => {
                let rest = json.get(at..).unwrap_or_default();
                let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b']' | b' '));
                let end = length.map_or(json.len(), |length| at + length);
                (end, visit(json.get(at..end).unwrap_or_default()))
            }
        };
        if enough {
            return;
        }
        at = end.max(at + 1);
    }
}

fn visit_string(quoted: &[u8], visit: &mut impl FnMut(&[u8]) -> bool) -> bool {
    if memchr(b'\\', quoted).is_some()
        && let Ok(text) = serde_json::from_slice::<String>(quoted)
    {
        return visit(text.as_bytes());
    }
    visit(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default())
}

/// The position after the closing quote of the string whose first byte is at `at`.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(step) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += step;
        if json.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}
