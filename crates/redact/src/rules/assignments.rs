//! Secrets that only the name beside them gives away: `api_key=...`, `"password": "..."`,
//! `Authorization: ...`, `AccountKey=...`.
//!
//! Written by hand because a value ends where its quoting says. Every look back is bounded; every
//! value that is accepted is skipped, and every rejected one was judged by a bounded part of it, so
//! the work is linear in the text.

use super::kinds::places_of;
use super::letters;
use super::names::{self, Name};
use super::{Finding, pairs, tokens};
use crate::rule::Rule;

/// How far before the operator its name may begin, and how far quotes and blanks may reach between.
const NAME_BYTES_MAX: usize = 64;
const GAP_BYTES_MAX: usize = 8;

/// A value is judged by this much of it.
const JUDGED_BYTES_MAX: usize = 64;

/// Values that are words of programs and manuals.
const PLACEHOLDERS: &[&str] = &[
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "required",
    "optional",
    "string",
    "str",
    "text",
    "lambda",
    "self",
    "this",
    "redacted",
    "hidden",
    "masked",
    "changeme",
    "placeholder",
    "n/a",
];

/// What values of examples begin with, before an underscore or a hyphen.
const EXAMPLES: &[&str] = &["your", "my", "example", "insert", "replace", "enter"];

/// What programs keep their settings in: what is taken from there is no value.
const HOLDERS: &[&str] = &[
    "self", "this", "os", "process", "env", "settings", "config", "conf", "cfg", "secrets", "vars",
    "args", "options", "opts", "params", "request", "req", "ctx", "context", "app",
];

/// What ends a value in prose beside ASCII: closing quotes and the marks of Chinese and Japanese.
const ENDS_IN_PROSE: &[char] = &[
    '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{201e}', '\u{00ab}', '\u{00bb}', '\u{ff0c}',
    '\u{3002}', '\u{ff1b}', '\u{ff09}', '\u{3001}', '\u{300d}', '\u{300f}',
];

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let (mut floor, mut ahead, mut beside) = (0, Ahead::default(), Ahead::default());
    let mut seen = pairs::Seen::default();
    for operator in places_of(bytes, [b'=', b':']) {
        if operator < floor {
            continue;
        }
        // The cheap question first: most names are no secret ones.
        let end = super::names_end(bytes, operator);
        if let Some((from, to)) = pairs::name_after(bytes, end, operator, &mut seen) {
            let pair = pair(text, (from, to), &mut beside);
            found.extend(pair.iter().flatten());
            // `key="DbPassword" value="..."`: a name, and no value of `key`.
            if pair.is_some() {
                continue;
            }
        }
        let cookie = tokens::may_end_session_cookie(bytes, end);
        if !names::may_end_secret_name(bytes, end) && !cookie {
            continue;
        }
        let Some((name, start)) = name_before(text, end) else { continue };
        let Some(judged) = judge_in_context(name, start, text) else {
            // Cookies have names of their own.
            if !cookie || !tokens::is_session_cookie(name) {
                continue;
            }
            let value = Value::after(text, operator, &mut ahead);
            if let Some(finding) = value.and_then(|value| session(text, operator, &value)) {
                floor = finding.end;
                found.push(finding);
            }
            continue;
        };
        let Some(value) = Value::after(text, operator, &mut ahead) else { continue };
        let finding = judge(name, judged, text, operator, &value, &mut ahead);
        if let Some(finding) = finding {
            floor = finding.end.max(floor);
            found.push(finding);
        }
    }
}

/// The value in the member beside the one that says this name, if it is to be taken; `None` when
/// there is no such member, or the name is no secret one.
fn pair(text: &str, (from, to): (usize, usize), ahead: &mut Ahead) -> Option<Option<Finding>> {
    let bytes = text.as_bytes();
    // The cheap question first, as everywhere.
    let name = names::may_end_secret_name(bytes, to).then(|| text.get(from..to))??;
    let judged = names::judge(name)?;
    let operator = pairs::operator_of_value(bytes, to)?;
    let value = Value::after(text, operator, ahead);
    Some(value.and_then(|value| judge(name, judged, text, operator, &value, ahead)))
}

/// The value of a session cookie, `JSESSIONID=...`.
fn session(text: &str, operator: usize, value: &Value<'_>) -> Option<Finding> {
    let equals = text.as_bytes().get(operator) == Some(&b'=');
    (equals && names::looks_random(value.judged, 8)).then(|| Finding {
        start: value.start,
        end: value.end(text),
        rule: Rule::SessionCookie,
    })
}

fn judge(
    name: &str,
    judged: Name,
    text: &str,
    operator: usize,
    value: &Value<'_>,
    ahead: &mut Ahead,
) -> Option<Finding> {
    let equals = text.as_bytes().get(operator) == Some(&b'=');
    let finding = |start, end, rule| Some(Finding { start, end, rule });
    let rest = text.get(value.start..)?;
    // Judged by a part, so that a rejection is cheap; measured in full once it is one.
    let part = |measure: fn(&str) -> Option<(usize, usize)>, rule| {
        measure(up_to(rest, JUDGED_BYTES_MAX))?;
        let (from, to) = measure(rest)?;
        finding(value.start + from, value.start + to, rule)
    };
    let secret = match judged {
        Name::Authorization => return part(tokens::authorization_value, Rule::Authorization),
        Name::Cookie if !equals => return part(tokens::cookie_value, Rule::SessionCookie),
        Name::Cookie => false,
        Name::Strong => value.judged.len() >= value.bytes_min() && !value.is_placeholder(),
        Name::Weak if name.eq_ignore_ascii_case("sig") => {
            equals && value.judged.len() >= 32 && !value.is_placeholder()
        }
        Name::Weak if equals => {
            value.judged.len() >= 6
                && value.looks_made(name, text, ahead)
                && !value.is_placeholder()
        }
        Name::Weak => names::weak_member_is_secret(name, value.judged) && !value.is_placeholder(),
    };
    secret.then(|| finding(value.start, value.end(text), rule_of(name)))?
}

/// The first `bytes` of `text`, or a few less where a character would be cut.
fn up_to(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The rule that a name belongs to, beside the general one.
fn rule_of(name: &str) -> Rule {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if is("AccountKey") || is("SharedAccessKey") || is("sig") {
        Rule::AzureKey
    } else if is("aws_secret_access_key") || is("SecretAccessKey") {
        Rule::AwsSecretKey
    } else {
        match names::member_rule(name) {
            Rule::SensitiveMember => Rule::Assignment,
            rule => rule,
        }
    }
}

/// Judges a name; `key` and `token` also by the word before them (`API key: ...`).
fn judge_in_context(name: &str, start: usize, text: &str) -> Option<Name> {
    let last = || names::judge(name.rsplit('.').next().filter(|last| last.len() < name.len())?);
    let judged = names::judge(name).or_else(last)?;
    if judged != Name::Weak || start < 2 {
        return Some(judged);
    }
    let before = text.get(..start).and_then(|before| before.strip_suffix(' ')).unwrap_or_default();
    let word_start = before.bytes().rev().take(16).take_while(u8::is_ascii_alphabetic).count();
    let word = before.get(before.len() - word_start..).unwrap_or_default();
    let qualified = ["api", "secret", "private", "access", "refresh", "auth", "bearer"];
    let strong = qualified.iter().any(|known| word.eq_ignore_ascii_case(known));
    Some(if strong { Name::Strong } else { judged })
}

/// The identifier that ends at `end`, and where it starts.
fn name_before(text: &str, end: usize) -> Option<(&str, usize)> {
    let before = text.as_bytes().get(..end)?;
    let length = letters::run_back(before, letters::NAME, NAME_BYTES_MAX);
    let mut start = end - length;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let name = text.get(start..end)?;
    let trimmed = name.trim_start_matches(['-', '.', '_']);
    (!trimmed.is_empty()).then_some((trimmed, end - trimmed.len()))
}

/// `YOUR_API_KEY`, `my-secret-token`: words, of which the first says that it is an example.
fn is_example(value: &str) -> bool {
    let first = value.split(['_', '-']).next().unwrap_or_default();
    first.len() < value.len()
        && EXAMPLES.iter().any(|known| first.eq_ignore_ascii_case(known))
        && value.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'))
}

/// Code that gives a value and is none: a call (also within a call, as far as the value is cut
/// off), an item of something, a tag of YAML, a member of what holds settings.
fn is_code(value: &str) -> bool {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if let Some(tag) = value.strip_prefix('!') {
        return !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphabetic());
    }
    let is_path = |text: &str| text.split(['.', ':']).filter(|part| !part.is_empty()).all(is_name);
    if let Some((before, inside)) = value.split_once(['(', '[']) {
        let is_call = !before.is_empty() && is_path(before);
        let nested = inside.split_once(['(', '[']).is_some_and(|(name, _)| is_path(name));
        return is_call && (inside.is_empty() || nested);
    }
    let Some((holder, _)) = value.split_once('.') else { return false };
    let last = value.rsplit('.').next().unwrap_or_default();
    is_path(value)
        && ([holder, last].iter().any(|name| names::judge(name).is_some())
            || HOLDERS.iter().any(|known| holder.eq_ignore_ascii_case(known)))
}

/// A value after an operator.
struct Value<'t> {
    start: usize,
    /// As much of the value as it is judged by.
    judged: &'t str,
    /// The quote that opened it and how many backslashes stood before that.
    quote: Option<(u8, usize)>,
}

impl<'t> Value<'t> {
    fn after(text: &'t str, operator: usize, ahead: &mut Ahead) -> Option<Self> {
        let bytes = text.as_bytes();
        // `==`, `:=`, `=>`, blanks, the stars of Markdown.
        let is_gap = |byte| matches!(byte, b'=' | b':' | b'>' | b' ' | b'\t' | b'*');
        let mut start = operator + 1;
        start += letters::span(bytes, start, GAP_BYTES_MAX, is_gap);
        let slashes = letters::span(bytes, start, GAP_BYTES_MAX, |byte| byte == b'\\');
        let opening = bytes.get(start + slashes).copied();
        let quote = opening.filter(|b| matches!(b, b'"' | b'\'' | b'`')).map(|b| (b, slashes));
        start += quote.map_or(0, |_| slashes + 1);
        let near = up_to(text, start + JUDGED_BYTES_MAX);
        let end = match quote {
            Some(quote) => end_of_quoted(near, start, quote),
            None => ahead.end_of_bare(text, start).min(near.len()),
        };
        let judged = text.get(start..end).filter(|judged| !judged.is_empty())?;
        Some(Self { start, judged, quote })
    }

    /// Where the value ends in `text`.
    fn end(&self, text: &str) -> usize {
        match self.quote {
            Some(quote) => end_of_quoted(text, self.start, quote),
            None => end_of_bare(text, self.start),
        }
    }

    /// A word of prose may follow a name (`secret: the ...`); quotes say that it is a value.
    fn bytes_min(&self) -> usize {
        if self.quote.is_some() { 3 } else { 4 }
    }

    /// True for words of programs and of manuals (`None`, `(none)`, `os.environ[...]`, `getpass()`,
    /// `${PASSWORD}`, `<password>`, `YOUR_API_KEY`).
    fn is_placeholder(&self) -> bool {
        let value = self.judged;
        if self.quote.is_none() && value.starts_with(['$', '<', '{']) {
            return true;
        }
        let word = value.trim_start_matches(['(', '[']).trim_end_matches(['.', ')', ']']);
        if PLACEHOLDERS.iter().any(|known| word.eq_ignore_ascii_case(known)) || is_example(word) {
            return true;
        }
        if value.bytes().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'_')) {
            return true;
        }
        let variable = ["%s", "%("].iter().any(|start| value.starts_with(start));
        self.quote.is_none() && (variable || is_code(value))
    }

    /// True when a value after `key=` is more than one plain word or a number: it has a digit, a
    /// joint or a capital, and a letter.
    fn looks_made(&self, name: &str, text: &str, ahead: &mut Ahead) -> bool {
        let value = self.judged;
        let made = ahead.next_made(text.as_bytes(), self.start) < self.start + value.len();
        let path = || name.eq_ignore_ascii_case("pwd") && value.contains('/');
        made && value.bytes().any(|b| b.is_ascii_alphabetic()) && !path()
    }
}

/// What was seen ahead of an operator: hostile texts have one every few bytes of one value.
#[derive(Default)]
struct Ahead {
    /// Where a value without quotes starts and ends.
    bare: (usize, usize),
    /// From where on the first byte that words do not have was looked for, and where it is.
    made: (usize, usize),
}

impl Ahead {
    fn end_of_bare(&mut self, text: &str, at: usize) -> usize {
        if !(self.bare.0..=self.bare.1).contains(&at) {
            self.bare = (at, end_of_bare(text, at));
        }
        self.bare.1
    }

    /// Where the next digit, capital, hyphen or underscore from `at` on stands.
    fn next_made(&mut self, bytes: &[u8], at: usize) -> usize {
        if !(self.made.0..=self.made.1).contains(&at) {
            let is = letters::DIGIT | letters::UPPER | letters::HYPHEN | letters::UNDERSCORE;
            let rest = bytes.get(at..).unwrap_or_default();
            let step = rest.iter().position(|byte| letters::is(*byte, is));
            self.made = (at, at + step.unwrap_or(rest.len()));
        }
        self.made.1
    }
}

/// Where the value without quotes that starts at `start` ends.
fn end_of_bare(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'"' | b'\'' | b'`' | b',' | b';' | b'&'
            | b')' | b'}' | b']' | b'>' | b'|' | b'\\' => break,
            0x80.. => match text.get(end..).and_then(|rest| rest.chars().next()) {
                Some(letter) if !ENDS_IN_PROSE.contains(&letter) => end += letter.len_utf8(),
                _ => break,
            },
            _ => end += 1,
        }
    }
    end
}

/// Where the value that starts at `start` ends: at the quote that opened it, behind no more
/// backslashes than stood before that one, or with its line.
fn end_of_quoted(text: &str, start: usize, (quote, slashes): (u8, usize)) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let mut from = 0;
    loop {
        let after = rest.get(from..).unwrap_or_default();
        let Some(step) = memchr::memchr2(quote, b'\n', after) else { return text.len() };
        let at = from + step;
        let before = rest.get(..at).unwrap_or_default();
        // One more than may stand there is enough to know.
        let back = before.iter().rev().take(slashes + 1);
        let backslashes = back.take_while(|b| **b == b'\\').count();
        if rest.get(at) == Some(&b'\n') {
            return start + at;
        }
        if backslashes <= slashes {
            return start + at - backslashes;
        }
        from = at + 1;
    }
}
