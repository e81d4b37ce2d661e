//! Tokens that authenticate a caller: JSON Web Tokens (RFC 7519), `Bearer` (RFC 6750) and `Basic`
//! (RFC 7617) credentials, and how far the values of authorization and cookie headers go.

use super::kinds::places_of;
use super::letters::{self, BASE64_URL, Runs};
use super::{Finding, starts_word};
use crate::rule::Rule;

/// Fewest letters of a part of a JSON Web Token, and of a credential.
const PART_BYTES_MIN: usize = 10;
const CREDENTIAL_BYTES_MIN: usize = 6;

/// How a JSON Web Token begins: `{"` in base64.
const JWT: &[u8] = b"eyJ";

/// What a credential consists of.
const CREDENTIAL: letters::Class =
    letters::BASE64 | letters::HYPHEN | letters::UNDERSCORE | letters::DOT | letters::TILDE;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let (mut floor, mut runs) = (0, Runs::default());
    for at in places_of(bytes, [b'J', b'b', b'B']) {
        let finding = if bytes.get(at) == Some(&b'J') {
            at.checked_sub(2).filter(|at| *at >= floor).and_then(|at| jwt(text, at, &mut runs))
        } else {
            Some(at).filter(|at| *at >= floor).and_then(|at| credential(text, at))
        };
        if let Some(finding) = finding {
            floor = finding.end;
            found.push(finding);
        }
    }
}

/// Two to five parts between full stops; the last ones may be empty.
fn jwt(text: &str, start: usize, runs: &mut Runs) -> Option<Finding> {
    let bytes = text.as_bytes();
    if !bytes.get(start..)?.starts_with(JWT) || !starts_word(text, start) {
        return None;
    }
    let mut end = start + JWT.len();
    for part in 0..5 {
        let from = end + usize::from(part > 0);
        if part > 0 && bytes.get(end) != Some(&b'.') {
            return (part > 1).then_some(Finding { start, end, rule: Rule::Jwt });
        }
        let to = runs.end(bytes, BASE64_URL, from);
        if part < 2 && to - from < PART_BYTES_MIN {
            return None;
        }
        end = to;
    }
    Some(Finding { start, end, rule: Rule::Jwt })
}

/// What follows `Bearer` or `Basic`, and blanks and quotes.
fn credential(text: &str, at: usize) -> Option<Finding> {
    let word = |known: &str| {
        let word = text.as_bytes().get(at..at + known.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    let (is_basic_scheme, scheme) = match () {
        () if word("bearer") => (false, 6),
        () if word("basic") => (true, 5),
        () => return None,
    };
    let rest = text.as_bytes().get(at + scheme..).filter(|_| starts_word(text, at))?;
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let quotes = |b: &&u8| matches!(b, b'"' | b'\'' | b'\\');
    let gap = blanks + rest.iter().skip(blanks).take_while(quotes).count();
    let length = letters::run(rest.get(gap..)?, CREDENTIAL, usize::MAX);
    let start = at + scheme + gap;
    let end = start + length;
    if blanks == 0 || length < CREDENTIAL_BYTES_MIN {
        return None;
    }
    let credential = text.get(start..end)?;
    let real = if is_basic_scheme { is_basic(credential) } else { is_bearer(credential) };
    real.then_some(Finding { start, end, rule: Rule::Authorization })
}

/// Words of prose follow "bearer" too ("bearer authentication"); credentials have digits, joints or
/// length.
fn is_bearer(credential: &str) -> bool {
    let word = credential.trim_end_matches(['.', '-', '=']);
    let joined =
        word.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'/'));
    (word.len() >= 8 && joined) || word.len() >= 24
}

/// Base64 of `user:password` in printable text.
fn is_basic(credential: &str) -> bool {
    decode_base64(credential.trim_end_matches('.')).is_some_and(|decoded| {
        decoded.contains(&b':') && decoded.iter().all(|b| *b >= 0x20 && *b != 0x7f)
    })
}

/// The bytes of unpadded or padded base64; `None` when it is not base64.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut decoded = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let (bytes, count) = decode_chunk(chunk)?;
        decoded.extend_from_slice(bytes.get(..count)?);
    }
    Some(decoded)
}

/// What each letter of base64 stands for, of either alphabet; 64 and more for all others.
static DIGITS: [u8; 256] = {
    let (mut digits, mut byte) = ([64; 256], 0);
    while byte < digits.len() {
        digits[byte] = match byte as u8 {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            digit @ b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => 64,
        };
        byte += 1;
    }
    digits
};

/// The bytes that up to four letters stand for, and how many.
fn decode_chunk(chunk: &[u8]) -> Option<([u8; 3], usize)> {
    let mut bits = 0_u32;
    for digit in chunk {
        let value = DIGITS.get(usize::from(*digit)).filter(|value| **value < 64)?;
        bits = bits << 6 | u32::from(*value);
    }
    let missing = 4 - chunk.len();
    let [_, bytes @ ..] = (bits << (6 * missing)).to_be_bytes();
    (missing < 3).then_some((bytes, 3 - missing))
}

/// True when `text` is base64 of bytes that are all as asked. Ends at the first that is not.
pub(crate) fn decodes_to_all(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    text.trim_end_matches('=').as_bytes().chunks(4).all(|chunk| {
        decode_chunk(chunk)
            .is_some_and(|(bytes, count)| bytes.iter().take(count).all(|byte| fits(*byte)))
    })
}

/// How many bytes of `value`, which follows `Authorization:`, are the credential, and where it
/// starts. One known scheme word before it stays readable. Not looked at beyond the credential,
/// unless that is the rest of the line: the next one may stand in the same line.
pub(super) fn authorization_value(value: &str) -> Option<(usize, usize)> {
    let ends_line = |c: char| matches!(c, '\r' | '\n' | '"' | '\'' | '`');
    let blank = |c: char| matches!(c, ' ' | '\t');
    let ends_bare = |c: char| matches!(c, ',' | ';' | '\\' | ')' | '}' | ']');
    let ends_word = |c: char| blank(c) || ends_line(c) || ends_bare(c);
    let (word, after) = value.split_at(value.find(ends_word).unwrap_or(value.len()));
    let rest = after.trim_start_matches(blank);
    let start = value.len() - rest.len();
    let known = |schemes: &[&str]| {
        !after.starts_with(ends_bare) && schemes.iter().any(|s| word.eq_ignore_ascii_case(s))
    };
    if known(&["bearer", "basic", "token", "apikey", "api-key", "key"]) {
        let ends =
            |c| ends_line(c) || blank(c) || matches!(c, ',' | ';' | '\\' | '<' | '>' | '(' | ')');
        let length = rest.find(ends).unwrap_or(rest.len());
        return (length >= 3).then_some((start, start + length));
    }
    if known(&["digest", "aws4-hmac-sha256", "negotiate", "ntlm", "hawk", "oauth", "signature"]) {
        let rest = rest.split(ends_line).next()?.trim_end_matches(['\\', ' ']);
        return (rest.len() >= 3).then_some((start, start + rest.len()));
    }
    let joined = word.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    (word.len() >= 8 && joined).then_some((0, word.len()))
}

/// How many bytes of `value`, which follows `Cookie:`, are cookies.
pub(super) fn cookie_value(value: &str) -> Option<(usize, usize)> {
    let line = value.split(['\r', '\n', '"', '\'', '`']).next()?.trim_end_matches(['\\', ' ']);
    let first = line.split([';', ' ']).next()?;
    let (name, _) = first.split_once('=')?;
    (!name.is_empty() && line.len() > name.len() + 1).then_some((0, line.len()))
}

/// True for the ends of the names below, and of others.
pub(super) fn may_end_session_cookie(bytes: &[u8], end: usize) -> bool {
    bytes.get(..end).is_some_and(|name| matches!(name, [.., b'd' | b'D']))
}

/// Cookies that hold a session, by their usual names.
pub(super) fn is_session_cookie(name: &str) -> bool {
    const NAMES: &[&str] =
        &["jsessionid", "phpsessid", "sessionid", "connect.sid", "asp.net_sessionid"];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_ends_where_its_scheme_says_and_not_with_its_line() {
        for (value, credential) in [
            ("Bearer abc, Basic def", "abc"),
            ("Basic \tabc\\n", "abc"),
            ("Digest a=b, c=d\r\n", "a=b, c=d"),
            ("AWS4-HMAC-SHA256 Credential=a/b, Signature=c \\\"", "Credential=a/b, Signature=c"),
            ("AWS4-HMAC-SHA256,a", "AWS4-HMAC-SHA256"),
            ("abcdefg-,Bearer x", "abcdefg-"),
            ("abcdefg1 Bearer x", "abcdefg1"),
        ] {
            let (from, to) = authorization_value(value).unwrap();
            assert_eq!(&value[from..to], credential, "{value}");
        }
        for value in ["Bearer", "Bearer \nabc", "Bearer ab", "AWS4-HMAC-SHA256", "abcdefgh", "abc1"]
        {
            assert_eq!(authorization_value(value), None, "{value}");
        }
    }
}
