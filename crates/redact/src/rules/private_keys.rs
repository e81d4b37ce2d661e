//! Private key blocks (PEM, RFC 7468; OpenSSH; PGP), with real or escaped line ends, whole or cut
//! off.

use super::{Finding, compile};
use crate::policy::PolicyError;
use crate::rule::Rule;
use regex_automata::meta::Regex;

/// The pattern of a beginning; the other one is that of an end.
const BEGIN: usize = 0;

pub(super) struct PrivateKeys(Regex);

impl PrivateKeys {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        let label = |word| format!("-----{word} [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----");
        Ok(Self(compile("private_keys", &[&label("BEGIN"), &label("END")])?))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        let (mut open, mut floor) = (None, 0);
        let mut add = |start, end| found.push(Finding { start, end, rule: Rule::PrivateKey });
        for label in self.0.find_iter(text) {
            if label.pattern().as_usize() == BEGIN {
                open.get_or_insert(label.start());
                continue;
            }
            // An end without a beginning: the beginning was cut off.
            let start = open.take().unwrap_or_else(|| start_of_body(text, floor, label.start()));
            add(start, label.end());
            floor = label.end();
        }
        // A beginning without an end: whatever follows is, or may be, the key.
        if let Some(start) = open {
            add(start, text.len());
        }
    }
}

/// Goes back from `end` over what a PEM body consists of: base64, line ends and escaped line ends.
fn start_of_body(text: &str, floor: usize, end: usize) -> usize {
    let bytes = text.as_bytes().get(floor..end).unwrap_or_default();
    let outside = |b: &u8| {
        !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\n' | b'\r' | b'\\'))
    };
    let start = floor + bytes.iter().rposition(outside).map_or(0, |at| at + 1);
    // The byte before may be part of a longer character; every byte after it is ASCII.
    if text.is_char_boundary(start) { start } else { floor }
}
