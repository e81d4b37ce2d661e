//! What stands where a secret stood: `[redacted:<rule>]`, with its last letters as
//! `[redacted:<rule>:<1 to 4 letters or digits>]`, `[hash:<rule>:<16 hex digits>]`, or the same
//! with `token` where the original was kept in the content.
//!
//! Markers are opaque to every rule: text is searched between them, never in or across them, which
//! is half of why redacting twice changes nothing (the other half is `text`'s).

use crate::rule::Rule;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::borrow::Cow;

const HASH_DIGITS: usize = 16;

/// Most letters of a value that its marker may show.
pub(crate) const TAIL_MAX: usize = 4;

/// The marker of a masked value that shows its last `keep` letters and digits: none of a value that
/// has less than three times as many more, or that could be guessed with their help.
pub(crate) fn mask_but(rule: Rule, value: &str, keep: usize) -> Cow<'static, str> {
    let keep = keep.min(TAIL_MAX);
    let known = || value.bytes().filter(u8::is_ascii_alphanumeric).count();
    if keep == 0 || known() < keep * 3 {
        return rule.mask().into();
    }
    let tail: Vec<u8> = value.bytes().rev().filter(u8::is_ascii_alphanumeric).take(keep).collect();
    let tail: String = tail.iter().rev().map(|b| char::from(*b)).collect();
    format!("[redacted:{}:{tail}]", rule.as_str()).into()
}

/// Makes the markers of hashed values.
pub(crate) struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// Every key is valid for HMAC; `None` cannot happen and is not worth a panic.
    pub(crate) fn new(key: &[u8; 32]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// `[hash:<rule>:<16 hex>]`: the first 8 bytes of HMAC-SHA-256(key, rule || 0x00 || value).
    pub(crate) fn hash(&self, rule: Rule, value: &str) -> String {
        format!("[hash:{}:{}]", rule.as_str(), self.digits(rule, value))
    }

    /// `[token:<rule>:<16 hex>]`, with the digits of the hash.
    pub(crate) fn token(&self, rule: Rule, value: &str) -> String {
        format!("[token:{}:{}]", rule.as_str(), self.digits(rule, value))
    }

    /// True when `token` is that of this value: nobody without the key can make one.
    pub(crate) fn is_token_of(&self, token: &str, value: &str) -> bool {
        let rule = token.strip_prefix("[token:").and_then(|rest| rest.split(':').next());
        rule.and_then(Rule::from_name).is_some_and(|rule| self.token(rule, value) == token)
    }

    fn digits(&self, rule: Rule, value: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(rule.as_str().as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        let digits = hex::encode(mac.finalize().into_bytes());
        digits.get(..HASH_DIGITS).unwrap_or_default().to_owned()
    }
}

/// The end of the marker that starts at the `[` at `start`, if it is one: a known rule and exactly
/// what a marker of its kind shows, so that no more than four letters can hide in a forged one.
fn end_of_marker(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let inner = rest.get(..rest.len().min(80)).unwrap_or(rest);
    let close = memchr::memchr(b']', inner.as_bytes().get(..80.min(inner.len()))?)?;
    let inner = inner.get(1..close)?;
    let known = if let Some(rest) = inner.strip_prefix("redacted:") {
        let (rule, tail) = rest.split_once(':').unwrap_or((rest, "0"));
        Rule::from_name(rule).is_some()
            && (1..=TAIL_MAX).contains(&tail.len())
            && tail.bytes().all(|b| b.is_ascii_alphanumeric())
    } else {
        let rest = inner.strip_prefix("hash:").or_else(|| inner.strip_prefix("token:"))?;
        let (rule, digits) = rest.split_once(':')?;
        Rule::from_name(rule).is_some()
            && digits.len() == HASH_DIGITS
            && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    known.then_some(start + close + 1)
}

/// The pieces of `text` between markers, as byte ranges; empty ones are left out.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { text, from: 0, at: 0 }
}

/// See [`pieces`].
pub(crate) struct Pieces<'t> {
    text: &'t str,
    /// Where the last marker ended, and up to where there is none behind it.
    from: usize,
    at: usize,
}

impl Iterator for Pieces<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some(step) = memchr::memchr(b'[', rest) else { break };
            let open = self.at + step;
            let Some(end) = end_of_marker(self.text, open) else {
                self.at = open + 1;
                continue;
            };
            let from = std::mem::replace(&mut self.from, end);
            self.at = end;
            if open > from {
                return Some((from, open));
            }
        }
        self.at = self.text.len();
        let from = std::mem::replace(&mut self.from, self.text.len());
        (self.text.len() > from).then_some((from, self.text.len()))
    }
}

/// True when `text` consists of markers alone (or of nothing).
pub(crate) fn is_marker(text: &str) -> bool {
    pieces(text).next().is_none()
}

/// True when `text` holds a marker.
pub(crate) fn is_within(text: &str) -> bool {
    pieces(text).next() != Some((0, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(text: &str) -> Vec<&str> {
        pieces(text).map(|(from, to)| &text[from..to]).collect()
    }

    #[test]
    fn text_is_cut_at_markers_and_only_there() {
        assert_eq!(between("a [redacted:jwt] b"), ["a ", " b"]);
        assert_eq!(between("[redacted:jwt][hash:email:0123456789abcdef]"), [""; 0]);
        assert_eq!(between("[redacted:iban:00][token:email:0123456789abcdef]"), [""; 0]);
        for forged in [
            "[redacted:hunter2]",
            "[redacted:jwt:hunter2]",
            "[redacted:jwt:]",
            "[redacted:jwt:a b]",
            "[hash:email:0123456789abcdeF]",
            "[hash:email:0123456789abcdef0]",
            "[redacted:jwt",
            "[[redacted:é]",
            "[]",
        ] {
            assert_eq!(between(forged), [forged]);
        }
        assert_eq!(between("[[redacted:jwt]]"), ["[", "]"]);
    }

    #[test]
    fn hashes_depend_on_key_rule_and_value_and_on_nothing_else() {
        let hasher = |key| Hasher::new(&[key; 32]).unwrap();
        let hash = hasher(1).hash(Rule::Email, "a@b.co");
        assert_eq!(hash, hasher(1).hash(Rule::Email, "a@b.co"));
        assert_ne!(hash, hasher(2).hash(Rule::Email, "a@b.co"));
        assert_ne!(hash, hasher(1).hash(Rule::Email, "a@b.cd"));
        assert_ne!(hash, hasher(1).hash(Rule::Jwt, "a@b.co"));
        assert!(is_marker(&hash), "{hash}");
        assert!(is_marker(Rule::CardNumber.mask()));
        let token = hasher(1).token(Rule::Email, "a@b.co");
        assert!(is_marker(&token) && hasher(1).is_token_of(&token, "a@b.co"));
        assert!(
            !hasher(1).is_token_of(&token, "a@b.cd") && !hasher(2).is_token_of(&token, "a@b.co")
        );
    }

    #[test]
    fn a_mask_shows_the_end_of_long_values_only() {
        let shown = |value, keep| mask_but(Rule::CardNumber, value, keep);
        assert_eq!(shown("4111 1111 1111 1234", 4), "[redacted:card_number:1234]");
        assert_eq!(shown("4111 1111 1111 12-34", 9), "[redacted:card_number:1234]");
        assert_eq!(shown("12345678901", 4), "[redacted:card_number]");
        assert_eq!(shown("4111 1111 1111 1234", 0), "[redacted:card_number]");
        assert!(is_marker(&shown("4111 1111 1111 1234", 2)));
    }
}
