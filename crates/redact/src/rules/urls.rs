//! Passwords in URLs: `scheme://user:password@host`, of any scheme. User and host stay readable.

use super::Finding;
use super::kinds::places_of;
use crate::rule::Rule;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut floor = 0;
    for colon in places_of(bytes, [b':']) {
        if colon < floor {
            continue;
        }
        let Some(user) = after_slashes(bytes, colon + 1) else { continue };
        // Neither user nor password holds a slash, so no byte is looked at for two schemes.
        let start = end_of_part(text, user, |b| matches!(b, b':' | b'@')) + 1;
        if bytes.get(start - 1) != Some(&b':') {
            continue;
        }
        let stop = end_of_part(text, start, |_| false);
        // The password goes up to the last `@` before the path.
        let password = bytes.get(start..stop).and_then(|part| memchr::memrchr(b'@', part));
        if let Some(length) = password.filter(|length| *length > 0) {
            let end = start + length;
            found.push(Finding { start, end, rule: Rule::UrlPassword });
            floor = end + 1;
        }
    }
}

/// The position after two slashes, which may be escaped.
fn after_slashes(bytes: &[u8], at: usize) -> Option<usize> {
    let slash = |from: usize| {
        let rest = bytes.get(from..)?;
        let escapes = rest.iter().take_while(|b| **b == b'\\').count();
        (rest.get(escapes) == Some(&b'/')).then_some(from + escapes + 1)
    };
    slash(slash(at)?)
}

/// Where the user or the password that begins at `at` ends.
fn end_of_part(text: &str, at: usize, ends: fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut end = at;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b' ' | 9..=13 => break,
            0x80.. => match text.get(end..).and_then(|rest| rest.chars().next()) {
                Some(letter) if !letter.is_whitespace() => end += letter.len_utf8(),
                _ => break,
            },
            byte if ends(*byte) => break,
            _ => end += 1,
        }
    }
    end
}
