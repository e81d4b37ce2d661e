//! A name and its value in two members side by side: `"name":"DB_PASSWORD","value":"..."`, the same
//! escaped, in YAML, and in markup (`name="..." value="..."`).
//!
//! Not here: objects that are walked (`json`), and names that stand right before their value
//! (`assignments`, which judges what is found here).

use super::letters::span;

/// Members whose value names something.
const NAME_KEYS: &[&str] =
    &["name", "key", "header", "field", "variable", "parameter", "parameterkey"];

/// Members whose value is that of the name beside them.
const VALUE_KEYS: &[&str] = &["value", "stringvalue", "string_value", "parametervalue"];

/// Longest name, and longest key of a member.
const NAME_BYTES_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 20;

/// How far quotes, blanks and commas reach between two parts: lines of YAML are indented.
const GAP_BYTES_MAX: usize = 48;

/// Longest value of a member that stands between the name and its value, and how many may.
const OTHER_BYTES_MAX: usize = 64;
const OTHERS_MAX: usize = 2;

/// True for the key of a member whose value is a name.
pub(crate) fn is_name_key(key: &str) -> bool {
    NAME_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// True for the key of a member whose value is that of the name beside it.
pub(crate) fn is_value_key(key: &str) -> bool {
    VALUE_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Up to where the last names were looked at, without and with quotes: hostile texts have a key
/// every few bytes of one name.
#[derive(Default)]
pub(crate) struct Seen([(usize, usize); 2]);

impl Seen {
    /// How many bytes of the name at `at` there are, if not more than are looked at.
    fn name_length(&mut self, bytes: &[u8], at: usize, quoted: bool) -> usize {
        let Some((start, end)) = self.0.get_mut(usize::from(quoted)) else { return 0 };
        if !(*start..=*end).contains(&at) {
            (*start, *end) = (at, at);
        }
        let is_name = |byte| !ends_value(byte) && (quoted || !is_blank(byte));
        let max = NAME_BYTES_MAX + 1;
        *end += span(bytes, *end, (at + max).saturating_sub(*end), is_name);
        (*end - at).min(max)
    }
}

/// Where the name starts and ends that the member says whose key ends at `key_end` and whose
/// operator is at `operator`; `None` when it is no such member.
#[inline]
pub(crate) fn name_after(
    bytes: &[u8],
    key_end: usize,
    operator: usize,
    seen: &mut Seen,
) -> Option<(usize, usize)> {
    // The cheap question first: in what letters such keys end.
    let (_, last) = bytes.get(..key_end)?.split_last_chunk::<2>()?;
    if !matches!(
        last.map(|byte| byte | 0x20),
        [b'm' | b'l', b'e'] | [b'e', b'y' | b'r'] | [b'l', b'd']
    ) {
        return None;
    }
    let (start, end) = (key_start(bytes, key_end), key_end);
    let key = std::str::from_utf8(bytes.get(start..end)?).ok().filter(|key| is_name_key(key))?;
    let mut at = blanks(bytes, operator + 1);
    let quotes = span(bytes, at, GAP_BYTES_MAX, |byte| is_quote(byte) || byte == b'\\');
    let quoted = bytes.get(at..at + quotes)?.iter().any(|byte| is_quote(*byte));
    at += quotes;
    let length = seen.name_length(bytes, at, quoted);
    (!key.is_empty() && (1..=NAME_BYTES_MAX).contains(&length)).then_some((at, at + length))
}

/// The operator of the value that belongs to the name which ends at `at`: in the next member, or a
/// few members on.
pub(super) fn operator_of_value(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = next_key(bytes, at)?;
    for _ in 0..=OTHERS_MAX {
        let (key, operator) = member(bytes, at)?;
        if is_value_key(key) {
            let value = blanks(bytes, operator + 1);
            // `{"stringValue":"..."}`.
            if bytes.get(value) != Some(&b'{') {
                return Some(operator);
            }
            at = value + 1;
            at += span(bytes, at, GAP_BYTES_MAX, |byte| is_quote(byte) || is_blank_or_slash(byte));
        } else {
            at = next_key(bytes, end_of_other(bytes, operator)?)?;
        }
    }
    None
}

/// Where the next member's key begins, when the value before ends at `at`.
fn next_key(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    let mut parted = false;
    while end - at < GAP_BYTES_MAX {
        match (bytes.get(end)?, bytes.get(end + 1)) {
            (b'\\', Some(b'n' | b't' | b'r')) => (end, parted) = (end + 2, true),
            (b',' | b' ' | b'\t' | b'\r' | b'\n', _) => (end, parted) = (end + 1, true),
            (b'\\' | b'"' | b'\'' | b'`', _) => end += 1,
            _ => return parted.then_some(end),
        }
    }
    None
}

/// The key at `at` and its operator.
fn member(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = at + span(bytes, at, KEY_BYTES_MAX, is_key);
    let operator = end + span(bytes, end, GAP_BYTES_MAX, |b| is_quote(b) || is_blank_or_slash(b));
    let key = std::str::from_utf8(bytes.get(at..end)?).ok().filter(|key| !key.is_empty())?;
    matches!(bytes.get(operator)?, b':' | b'=').then_some((key, operator))
}

/// Where the value of another member ends; `None` when it is longer, or more than one text.
fn end_of_other(bytes: &[u8], operator: usize) -> Option<usize> {
    let start = blanks(bytes, operator + 1);
    let quotes = span(bytes, start, GAP_BYTES_MAX, |byte| is_quote(byte) || byte == b'\\');
    let (at, is_bare) = (start + quotes, quotes == 0);
    let in_line = bytes.get(operator) == Some(&b'=');
    let is_value = |byte| !(ends_value(byte) || is_bare && in_line && is_blank(byte));
    let length = span(bytes, at, OTHER_BYTES_MAX + 1, is_value);
    (length <= OTHER_BYTES_MAX).then_some(at + length)
}

/// Where the word that ends at `end` begins; a letter before it belongs to it.
fn key_start(bytes: &[u8], end: usize) -> usize {
    let before = bytes.get(..end).unwrap_or_default();
    let is_key = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    end - before.iter().rev().take(KEY_BYTES_MAX).take_while(is_key).count()
}

/// The first byte from `at` on that is no blank.
fn blanks(bytes: &[u8], at: usize) -> usize {
    at + span(bytes, at, GAP_BYTES_MAX, is_blank)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_blank_or_slash(byte: u8) -> bool {
    is_blank(byte) || byte == b'\\'
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// What no name and no other value goes on behind.
fn ends_value(byte: u8) -> bool {
    is_quote(byte)
        || matches!(
            byte,
            b'\\' | b'\n' | b'\r' | b',' | b';' | b'<' | b'>' | b'{' | b'}' | b'[' | b']'
        )
}
