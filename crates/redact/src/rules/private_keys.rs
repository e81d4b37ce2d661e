//! Private key blocks (PEM, RFC 7468; OpenSSH; PGP), with real or escaped line ends, whole or cut
//! off.

use super::Finding;
use crate::rule::Rule;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What every label says.
const NAME: &str = "PRIVATE KEY";

/// Made once: texts are many and short.
static NAMES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));

/// What stands on both sides of a label.
const RULE: &[u8] = b"-----";

/// Longest label (`BEGIN OPENSSH PRIVATE KEY`, `BEGIN PGP PRIVATE KEY BLOCK`) but for its name.
const LABEL_BYTES_MAX: usize = 64;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let (mut open, mut floor) = (None, 0);
    let mut add = |start, end| found.push(Finding { start, end, rule: Rule::PrivateKey });
    for at in NAMES.find_iter(text.as_bytes()) {
        let Some(label) = Label::around(text.as_bytes(), at) else { continue };
        if label.begins {
            open.get_or_insert(label.start);
            continue;
        }
        // An end without a beginning: the beginning was cut off.
        let start = open.take().unwrap_or_else(|| start_of_body(text, floor, label.start));
        add(start, label.end);
        floor = label.end;
    }
    // A beginning without an end: whatever follows is, or may be, the key.
    if let Some(start) = open {
        add(start, text.len());
    }
}

/// `-----BEGIN ... PRIVATE KEY-----`, or the same with `END`.
struct Label {
    start: usize,
    end: usize,
    begins: bool,
}

impl Label {
    /// The label whose name stands at `at`.
    fn around(bytes: &[u8], at: usize) -> Option<Self> {
        let after = bytes.get(at + NAME.len()..)?;
        let rest = after.strip_prefix(b" BLOCK").unwrap_or(after).strip_prefix(RULE)?;
        let before = bytes.get(..at)?;
        let part = |b: &&u8| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b' ';
        let length = before.iter().rev().take(LABEL_BYTES_MAX).take_while(part).count();
        let (lead, label) = before.split_at_checked(at - length)?;
        let begins = label.starts_with(b"BEGIN ");
        let known = (begins || label.starts_with(b"END ")) && lead.ends_with(RULE);
        let (start, end) = (lead.len().checked_sub(RULE.len())?, bytes.len() - rest.len());
        known.then_some(Self { start, end, begins })
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
