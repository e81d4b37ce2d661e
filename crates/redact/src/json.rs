//! Redacting inside JSON text: every string and key at any depth, members whose name is secret, and
//! JSON that is itself the text of a string.
//!
//! Only what is replaced is rewritten; everything else, the digits of numbers too, is copied as it
//! stands. The text is valid when it comes in; if it is not, the walk ends with `None` and the
//! caller removes the whole (it fails closed).

use crate::marker;
use crate::notes::Notes;
use crate::policy::Action;
use crate::redactor::Redactor;
use crate::rule::Rule;
use crate::rules::names::{self, Name};
use crate::scan;
use crate::text::Use;
use event::limits::NESTING_MAX;
use std::borrow::Cow;

/// JSON inside a string inside JSON ... is followed this far; deeper it is plain text.
const STRINGS_MAX: usize = 4;

/// Paths are not built much longer than they are shown.
const PATH_BYTES_MAX: usize = 512;

/// Inside such a member of a secret member (a JSON Schema, mostly) text describes and is not
/// secret.
const DESCRIBING: &[&str] = &["type", "description", "title", "format"];

/// A walk through one JSON text.
pub(crate) struct Walk<'r> {
    redactor: &'r Redactor,
    notes: &'r mut Notes,
    path: String,
    changed: bool,
    depth: usize,
    strings: usize,
}

/// One member of an object, as found in the text.
struct Member<'t> {
    raw_key: &'t str,
    key: Cow<'t, str>,
    /// From the key's end to the value's start.
    colon: &'t str,
    value_start: usize,
}

impl<'r> Walk<'r> {
    pub(crate) fn new(redactor: &'r Redactor, notes: &'r mut Notes, path: String) -> Self {
        Self { redactor, notes, path, changed: false, depth: 0, strings: 0 }
    }

    /// The redacted text of the one value in `text`: `Ok(None)` when nothing changed, `Err` when it
    /// is not JSON. `secret` says that the value stands under a secret name.
    pub(crate) fn run(mut self, text: &str, secret: bool) -> Result<Option<String>, NotJson> {
        let out = self.whole(text, secret).ok_or(NotJson)?;
        Ok(self.changed.then_some(out))
    }

    fn whole(&mut self, text: &str, secret: bool) -> Option<String> {
        let mut out = String::with_capacity(text.len() + 64);
        let start = skip_white_space(text, 0);
        out.push_str(text.get(..start)?);
        let end = self.value(text, start, secret, &mut out)?;
        let rest = text.get(end..)?;
        out.push_str(rest);
        (skip_white_space(rest, 0) == rest.len()).then_some(out)
    }

    /// Copies the value at `at` and gives the position after it.
    fn value(&mut self, text: &str, at: usize, secret: bool, out: &mut String) -> Option<usize> {
        match text.as_bytes().get(at)? {
            b'"' => {
                let end = end_of_string(text, at)?;
                self.string(text.get(at..end)?, secret, out)?;
                Some(end)
            }
            open @ (b'{' | b'[') => {
                self.depth += 1;
                if self.depth > NESTING_MAX {
                    return None;
                }
                let end = if *open == b'{' {
                    self.object(text, at + 1, secret, out)
                } else {
                    self.array(text, at + 1, secret, out)
                };
                self.depth -= 1;
                end
            }
            _ => {
                let end = end_of_scalar(text, at);
                self.scalar(text.get(at..end)?, secret, out);
                (end > at).then_some(end)
            }
        }
    }

    fn array(&mut self, text: &str, at: usize, secret: bool, out: &mut String) -> Option<usize> {
        out.push('[');
        let mut at = at;
        for position in 0_usize.. {
            let start = skip_gap(text, at);
            out.push_str(text.get(at..start)?);
            if text.as_bytes().get(start)? == &b']' {
                out.push(']');
                return Some(start + 1);
            }
            let path_length = self.enter(&position.to_string());
            at = self.value(text, start, secret, out)?;
            self.path.truncate(path_length);
        }
        None
    }

    fn object(&mut self, text: &str, at: usize, secret: bool, out: &mut String) -> Option<usize> {
        out.push('{');
        let (mut at, mut first) = (at, true);
        // `{"name":"api_key","value":"..."}`: the name of the value is itself a value.
        let mut value_is_secret = false;
        loop {
            let start = skip_gap(text, at);
            let gap = text.get(at..start)?;
            if text.as_bytes().get(start)? == &b'}' {
                out.push_str(gap);
                out.push('}');
                return Some(start + 1);
            }
            let member = member(text, start)?;
            let before = out.len();
            // After a dropped first member the next one brings a comma that nothing needs.
            out.push_str(if first { gap.trim_start_matches(',') } else { gap });
            let named_by_sibling = value_is_secret && is_value_key(&member.key);
            let value_at;
            (at, value_at) = self.member(text, &member, secret || named_by_sibling, out)?;
            if let Some(value_at) = value_at {
                first = false;
                // Judged as it was written: the name may have lost something itself.
                value_is_secret |= is_name_key(&member.key) && names_a_secret(out, value_at);
            } else {
                out.truncate(before);
                self.changed = true;
            }
        }
    }

    /// Copies one member; gives the position after it, and where its value went unless it was
    /// dropped.
    fn member(
        &mut self,
        text: &str,
        member: &Member<'_>,
        inherited: bool,
        out: &mut String,
    ) -> Option<(usize, Option<usize>)> {
        let redactor = self.redactor;
        let secret = (inherited && !DESCRIBING.contains(&&*member.key))
            || is_secret_member(&member.key, text, member.value_start);
        let action = redactor.actions.of(Rule::SensitiveMember);
        let secret = secret && action.is_some();
        let key = redactor.redact_text(&member.key, Use::Name);
        let path_length =
            self.enter(key.as_ref().map_or(&*member.key, |redone| redone.text.as_str()));
        let found = key.iter().flat_map(|redone| redone.by.iter().copied());
        let removed = found.clone().find(|(_, action)| *action == Action::Drop).or_else(|| {
            let drops =
                secret && action == Some(Action::Drop) && !is_bare(text, member.value_start);
            drops.then_some((Rule::SensitiveMember, Action::Drop))
        });
        let mut value_at = None;
        let end = if let Some((rule, action)) = removed {
            redactor.note(self.notes, &self.path, rule, action);
            end_of_value(text, member.value_start)?
        } else {
            for (rule, action) in found {
                redactor.note(self.notes, &self.path, rule, action);
            }
            match &key {
                Some(redone) => {
                    self.changed = true;
                    out.push_str(&quoted(&redone.text));
                }
                None => out.push_str(member.raw_key),
            }
            out.push_str(member.colon);
            value_at = Some(out.len());
            self.value(text, member.value_start, secret, out)?
        };
        self.path.truncate(path_length);
        Some((end, value_at))
    }

    fn string(&mut self, raw: &str, secret: bool, out: &mut String) -> Option<()> {
        let text = decode(raw)?;
        let redone = if secret { self.secret(&text) } else { self.text(&text) };
        match redone {
            Some(redone) => {
                self.changed = true;
                out.push_str(&quoted(&redone));
            }
            None => out.push_str(raw),
        }
        Some(())
    }

    /// What stands for the text of a secret member, unless it was redacted before.
    fn secret(&mut self, text: &str) -> Option<String> {
        let action = self.redactor.actions.of(Rule::SensitiveMember)?;
        if marker::is_marker(text) {
            return None;
        }
        self.redactor.note(self.notes, &self.path, Rule::SensitiveMember, action);
        Some(self.redactor.stand_in(Rule::SensitiveMember, action, text))
    }

    /// Any other text: by its structure when it is JSON, else by the rules alone.
    fn text(&mut self, text: &str) -> Option<String> {
        if scan::families(text.as_bytes()).is_empty() {
            return None;
        }
        if self.strings < STRINGS_MAX && looks_like_json(text) {
            let (changed, depth) =
                (std::mem::take(&mut self.changed), std::mem::take(&mut self.depth));
            self.strings += 1;
            let path_length = self.path.len();
            let inner = self.whole(text, false);
            let inner_changed = std::mem::replace(&mut self.changed, changed);
            (self.depth, self.strings) = (depth, self.strings - 1);
            self.path.truncate(path_length);
            if let Some(inner) = inner {
                return inner_changed.then_some(inner);
            }
        }
        let redone = self.redactor.redact_text(text, Use::Value)?;
        for (rule, action) in redone.by {
            self.redactor.note(self.notes, &self.path, rule, action);
        }
        Some(redone.text)
    }

    /// A number, `true`, `false` or `null`. Numbers can be card numbers, and secret as such.
    fn scalar(&mut self, raw: &str, secret: bool, out: &mut String) {
        let is_number = raw.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let redone = match (is_number, secret) {
            (false, _) => None,
            (true, true) => self.secret(raw),
            (true, false) if raw.len() < 13 => None,
            (true, false) => self.text(raw),
        };
        match redone {
            Some(redone) => {
                self.changed = true;
                out.push_str(&quoted(&redone));
            }
            None => out.push_str(raw),
        }
    }

    /// Goes down one step; gives the length to cut the path back to.
    fn enter(&mut self, step: &str) -> usize {
        let length = self.path.len();
        if length < PATH_BYTES_MAX {
            self.path.push('.');
            self.path.extend(step.chars().take(PATH_BYTES_MAX));
        }
        length
    }
}

/// The text is not JSON, or nests deeper than an event may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

/// Whether the name of a member makes its value secret. Weak names ask the value, if it is a
/// string.
fn is_secret_member(key: &str, text: &str, value_start: usize) -> bool {
    match names::judge(key) {
        None => false,
        Some(Name::Weak) => string_at(text, value_start)
            .is_some_and(|value| names::weak_member_is_secret(key, &value)),
        Some(_) => true,
    }
}

fn is_name_key(key: &str) -> bool {
    ["name", "key", "header"].iter().any(|known| key.eq_ignore_ascii_case(known))
}

fn is_value_key(key: &str) -> bool {
    ["value", "stringValue"].iter().any(|known| key.eq_ignore_ascii_case(known))
}

fn names_a_secret(text: &str, value_start: usize) -> bool {
    let name = string_at(text, value_start);
    name.is_some_and(|name| !matches!(names::judge(&name), None | Some(Name::Weak)))
}

/// True for `true`, `false` and `null`, which are never secret.
fn is_bare(text: &str, at: usize) -> bool {
    matches!(text.as_bytes().get(at), Some(b't' | b'f' | b'n'))
}

fn string_at(text: &str, at: usize) -> Option<Cow<'_, str>> {
    text.as_bytes().get(at).filter(|b| **b == b'"')?;
    decode(text.get(at..end_of_string(text, at)?)?)
}

/// Reads the key at `at` and what stands between it and its value.
fn member(text: &str, at: usize) -> Option<Member<'_>> {
    text.as_bytes().get(at).filter(|b| **b == b'"')?;
    let key_end = end_of_string(text, at)?;
    let colon = skip_white_space(text, key_end);
    text.as_bytes().get(colon).filter(|b| **b == b':')?;
    let value_start = skip_white_space(text, colon + 1);
    let raw_key = text.get(at..key_end)?;
    Some(Member {
        raw_key,
        key: decode(raw_key)?,
        colon: text.get(key_end..value_start)?,
        value_start,
    })
}

/// The text of a quoted JSON string.
fn decode(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// True when the whole text is one JSON object, array or string.
fn looks_like_json(text: &str) -> bool {
    let start = skip_white_space(text, 0);
    matches!(text.as_bytes().get(start), Some(b'{' | b'[' | b'"'))
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn is_white_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn skip_white_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| is_white_space(b)).count()
}

/// Skips white space and at most one comma.
fn skip_gap(text: &str, at: usize) -> usize {
    let comma = skip_white_space(text, at);
    match text.as_bytes().get(comma) {
        Some(b',') => skip_white_space(text, comma + 1),
        _ => comma,
    }
}

/// The position after the string that opens at `at`.
fn end_of_string(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn end_of_scalar(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let ends = |b: &u8| is_white_space(b) || matches!(b, b',' | b']' | b'}' | b':' | b'"');
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The position after the value at `at`, whatever it is.
fn end_of_value(text: &str, at: usize) -> Option<usize> {
    let (mut at, mut open) = (at, 0_usize);
    loop {
        at = match text.as_bytes().get(at)? {
            b'"' => end_of_string(text, at)?,
            b'{' | b'[' => {
                open += 1;
                at + 1
            }
            b'}' | b']' => {
                open = open.checked_sub(1)?;
                at + 1
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at + 1,
            _ => end_of_scalar(text, at),
        };
        if open == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
