//! Secrets behind one layer of encoding: `%41` as in addresses, and base64.
//!
//! One layer only: what is encoded twice was meant to be hidden, and no number of layers would be
//! enough. Not here: JSON inside strings (`json`) and `%40` in e-mail addresses (`rules::email`).

use crate::rules::{ANY_BASE64, decode_base64, decodes_to_all, next_run};

/// Shortest base64 word that is decoded: fifteen bytes, the shortest secret with its name.
const WORD_BYTES_MIN: usize = 20;

/// A word is decoded whole if this much of it is text.
const JUDGED_BYTES: usize = 48;

/// A text without its percent signs, and where each of its bytes stood.
pub(crate) struct Unescaped {
    pub(crate) text: String,
    /// Where in it the bytes stand that were written with a percent sign.
    escaped: Vec<usize>,
}

impl Unescaped {
    /// `None` when nothing in `text` is escaped.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut out, mut escaped, mut from) = (Vec::new(), Vec::new(), 0);
        for sign in memchr::memchr_iter(b'%', bytes) {
            let Some(byte) = bytes.get(sign + 1..sign + 3).and_then(hex_pair) else { continue };
            if escaped.is_empty() {
                out.reserve(bytes.len());
            }
            out.extend_from_slice(bytes.get(from..sign)?);
            escaped.push(out.len());
            out.push(byte);
            from = sign + 3;
        }
        if escaped.is_empty() {
            return None;
        }
        out.extend_from_slice(bytes.get(from..)?);
        // Bytes that are no text stand for nothing that a rule knows.
        let text = String::from_utf8(out).or_else(|error| {
            let mut bytes = error.into_bytes();
            bytes.iter_mut().filter(|b| !b.is_ascii()).for_each(|b| *b = b'?');
            String::from_utf8(bytes)
        });
        Some(Self { text: text.ok()?, escaped })
    }

    /// Where a piece of the text stood.
    pub(crate) fn place(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let place = |at: usize| at + 2 * self.escaped.partition_point(|escaped| *escaped < at);
        (end <= self.text.len()).then(|| (place(start), place(end)))
    }
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |b: &u8| char::from(*b).to_digit(16);
    let [high, low] = pair else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The words of `text` that are base64 of text: where each starts and ends, and what it says.
pub(crate) fn base64_words(text: &str) -> Vec<(usize, usize, String)> {
    let bytes = text.as_bytes();
    let (mut words, mut at) = (Vec::new(), 0);
    while let Some((start, end)) = next_run(bytes, at, ANY_BASE64, WORD_BYTES_MIN) {
        let padding = bytes.get(end..).unwrap_or_default();
        let padding = padding.iter().take(2).take_while(|b| **b == b'=').count();
        at = end + 1;
        if let Some(word) = text.get(start..end + padding)
            && let Some(decoded) = decode_text(word)
        {
            words.push((start, end + padding, decoded));
        }
    }
    words
}

fn decode_text(word: &str) -> Option<String> {
    let is_text = |b: u8| (0x20..0x7f).contains(&b) || matches!(b, b'\n' | b'\r' | b'\t' | 0x80..);
    if !decodes_to_all(word.get(..JUDGED_BYTES).unwrap_or(word), is_text) {
        return None;
    }
    String::from_utf8(decode_base64(word)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_unescaped_is_found_where_it_stood() {
        let unescaped = Unescaped::of("a%20b%3Dc%zz%").unwrap();
        assert_eq!(unescaped.text, "a b=c%zz%");
        assert_eq!(unescaped.place(2, 5), Some((4, 9)));
        assert_eq!(unescaped.place(0, 9), Some((0, 13)));
        assert_eq!(Unescaped::of("%ff%41").unwrap().text, "?A");
        assert!(Unescaped::of("plain").is_none());
    }

    #[test]
    fn text_in_base64_is_read_and_other_words_are_not() {
        let words = base64_words("x cGFzc3dvcmQ9aHVudGVyMg== y QUJDREVGR0hJSktMTU5PUA");
        let said: Vec<&str> = words.iter().map(|(_, _, said)| said.as_str()).collect();
        assert_eq!(said, ["password=hunter2", "ABCDEFGHIJKLMNOP"]);
        assert!(base64_words("2fd4e1c67a2d28fced849ee1bb76e7391b93eb12").is_empty());
        assert!(base64_words("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ").is_empty());
    }
}
