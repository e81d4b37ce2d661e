//! Tokens that authenticate a caller: JSON Web Tokens (RFC 7519), `Bearer` (RFC 6750) and `Basic`
//! (RFC 7617) credentials, and how far the values of authorization and cookie headers go.

use super::{Finding, compile};
use crate::policy::PolicyError;
use crate::rule::Rule;
use regex_automata::meta::Regex;

const JWT: &str =
    r"(?:^|[^0-9A-Za-z])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*){0,3}";
const CREDENTIAL: &str =
    r#"(?i-u)(?:^|[^0-9A-Za-z])(?:bearer|basic)[ \t]+[\x22'\\]*[A-Za-z0-9._~+/=-]{6,}"#;

pub(super) struct Tokens(Regex);

impl Tokens {
    pub(super) fn compile() -> Result<Self, PolicyError> {
        // In Unicode mode the class before the word may be any character.
        let credential =
            CREDENTIAL.replacen("(?i-u)(?:^|[^0-9A-Za-z])", "(?:^|[^0-9A-Za-z])(?i-u)", 1);
        Ok(Self(compile("tokens", &[JWT, &credential])?))
    }

    pub(super) fn find(&self, text: &str, found: &mut Vec<Finding>) {
        for matched in self.0.find_iter(text) {
            let Some(whole) = text.get(matched.range()) else { continue };
            if matched.pattern().as_usize() == 0 {
                let token = whole.trim_start_matches(|c: char| c != 'e');
                let start = matched.end() - token.len();
                found.push(Finding { start, end: matched.end(), rule: Rule::Jwt });
                continue;
            }
            let scheme = whole.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let credential = whole.rsplit([' ', '\t', '"', '\'', '\\']).next().unwrap_or_default();
            let real = if scheme.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("basic")) {
                is_basic(credential)
            } else {
                is_bearer(credential)
            };
            if real {
                let start = matched.end() - credential.len();
                found.push(Finding { start, end: matched.end(), rule: Rule::Authorization });
            }
        }
    }
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
        let mut bits = 0_u32;
        for digit in chunk {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let missing = 4 - chunk.len();
        if missing == 3 {
            return None;
        }
        let bytes = (bits << (6 * missing)).to_be_bytes();
        decoded.extend_from_slice(bytes.get(1..4 - missing)?);
    }
    Some(decoded)
}

/// How many bytes of `value`, which follows `Authorization:`, are the credential, and where it
/// starts. One known scheme word before it stays readable.
pub(super) fn authorization_value(value: &str) -> Option<(usize, usize)> {
    let line = value.split(['\r', '\n', '"', '\'', '`']).next()?;
    let (scheme, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let known = |schemes: &[&str]| schemes.iter().any(|s| scheme.eq_ignore_ascii_case(s));
    let start = line.len() - rest.trim_start_matches([' ', '\t']).len();
    let rest = line.get(start..)?;
    if known(&["bearer", "basic", "token", "apikey", "api-key", "key"]) {
        let length =
            rest.find([' ', '\t', ',', ';', '\\', '<', '>', '(', ')']).unwrap_or(rest.len());
        return (length >= 3).then_some((start, start + length));
    }
    if known(&["digest", "aws4-hmac-sha256", "negotiate", "ntlm", "hawk", "oauth", "signature"]) {
        let rest = rest.trim_end_matches(['\\', ' ']);
        return (rest.len() >= 3).then_some((start, start + rest.len()));
    }
    let bare = line.split([' ', '\t', ',', ';', '\\', ')', '}', ']']).next()?;
    let joined = bare.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    (bare.len() >= 8 && joined).then_some((0, bare.len()))
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
