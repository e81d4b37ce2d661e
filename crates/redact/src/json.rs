//! Redacting inside JSON text: every string and key at any depth, members whose name is secret or
//! that a path of the policy names, and JSON that is itself the text of a string.
//!
//! Only what is replaced is rewritten; everything else, the digits of numbers too, is copied as it
//! stands. The text is valid when it comes in; if it is not, the walk ends with `None` and the
//! caller removes the whole (it fails closed).

mod syntax;

pub(crate) use syntax::looks_like_json;

use crate::marker;
use crate::notes::Notes;
use crate::policy::{Action, Setting};
use crate::redactor::Redactor;
use crate::rule::Rule;
use crate::rules::names::{self, Name};
use crate::rules::pairs::{is_name_key, is_value_key};
use crate::ruling::Ruling;
use crate::text::{Redone, Spot, Use};
use event::limits::NESTING_MAX;
use syntax::{
    Member, decode, end_of_scalar, end_of_string, end_of_value, is_bare, is_secret_beside, member,
    quoted, secret_name, skip_gap, skip_white_space, string_at, stronger,
};

/// JSON inside a string inside JSON ... is followed this far; deeper it is plain text.
const STRINGS_MAX: usize = 4;

/// Paths are not built much longer than they are shown.
const PATH_BYTES_MAX: usize = 512;

/// Inside such a member of a secret member (a JSON Schema, mostly) text describes and is not
/// secret.
const DESCRIBING: &[&str] = &["type", "description", "title", "format"];

/// Digits of the shortest number that can be one of a person.
const NUMBER_DIGITS_MIN: usize = 7;

/// What becomes of a value whatever it looks like: by which rule, and how.
#[derive(Clone, Copy)]
pub(crate) struct Forced(pub(crate) Rule, pub(crate) Setting);

/// What the place of a value says of it.
#[derive(Clone, Copy)]
enum Fate {
    /// Copied as it stands.
    Kept,
    /// Taken with its name.
    Dropped(Rule),
    /// Searched, or replaced whatever it looks like.
    Walked(Option<Forced>),
}

/// A walk through one JSON text.
pub(crate) struct Walk<'r> {
    redactor: &'r Redactor,
    ruling: &'r Ruling<'r>,
    notes: &'r mut Notes,
    path: String,
    changed: bool,
    depth: usize,
    strings: usize,
}

impl<'r> Walk<'r> {
    pub(crate) fn new(
        redactor: &'r Redactor,
        ruling: &'r Ruling<'r>,
        notes: &'r mut Notes,
        path: String,
    ) -> Self {
        Self { redactor, ruling, notes, path, changed: false, depth: 0, strings: 0 }
    }

    /// The redacted text of the one value in `text`: `Ok(None)` when nothing changed, `Err` when it
    /// is not JSON. `forced` says that the whole value goes.
    pub(crate) fn run(
        mut self,
        text: &str,
        forced: Option<Forced>,
    ) -> Result<Option<String>, NotJson> {
        let out = self.whole(text, forced, "").ok_or(NotJson)?;
        Ok(self.changed.then_some(out))
    }

    fn whole(&mut self, text: &str, forced: Option<Forced>, name: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len() + 64);
        let start = skip_white_space(text, 0);
        out.push_str(text.get(..start)?);
        let end = self.value(text, start, forced, name, &mut out)?;
        let rest = text.get(end..)?;
        out.push_str(rest);
        (skip_white_space(rest, 0) == rest.len()).then_some(out)
    }

    /// Copies the value at `at`, that of the member `name`, and gives the position after it.
    fn value(
        &mut self,
        text: &str,
        at: usize,
        forced: Option<Forced>,
        name: &str,
        out: &mut String,
    ) -> Option<usize> {
        match text.as_bytes().get(at)? {
            b'"' => {
                let end = end_of_string(text, at)?;
                self.string(text.get(at..end)?, forced, name, out)?;
                Some(end)
            }
            open @ (b'{' | b'[') => {
                self.depth += 1;
                if self.depth > NESTING_MAX {
                    return None;
                }
                let end = if *open == b'{' {
                    self.object(text, at + 1, forced, out)
                } else {
                    self.array(text, at + 1, forced, name, out)
                };
                self.depth -= 1;
                end
            }
            _ => {
                let end = end_of_scalar(text, at);
                self.scalar(text.get(at..end)?, forced, name, out);
                (end > at).then_some(end)
            }
        }
    }

    fn array(
        &mut self,
        text: &str,
        at: usize,
        forced: Option<Forced>,
        name: &str,
        out: &mut String,
    ) -> Option<usize> {
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
            at = match self.fate_by_path(forced) {
                Fate::Kept => {
                    let end = end_of_value(text, start)?;
                    out.push_str(text.get(start..end)?);
                    end
                }
                // An item keeps its place, so that those after it keep theirs.
                Fate::Dropped(rule) => {
                    let masked = Some(Forced(rule, Setting::of(Action::Mask)));
                    self.value(text, start, masked, name, out)?
                }
                Fate::Walked(forced) => self.value(text, start, forced, name, out)?,
            };
            self.path.truncate(path_length);
        }
        None
    }

    fn object(
        &mut self,
        text: &str,
        at: usize,
        forced: Option<Forced>,
        out: &mut String,
    ) -> Option<usize> {
        out.push('{');
        let (mut at, mut first) = (at, true);
        // `{"name":"api_key","value":"..."}`: the name of the value is itself a value.
        let mut name: Option<String> = None;
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
            let named_by_sibling = is_value_key(&member.key)
                && name.as_ref().is_some_and(|n| is_secret_beside(n, text, member.value_start));
            let value_at;
            (at, value_at) = self.member(text, &member, forced, named_by_sibling, out)?;
            if let Some(value_at) = value_at {
                first = false;
                // Judged as it was written: the name may have lost something itself.
                if is_name_key(&member.key) {
                    name = stronger(name, secret_name(out, value_at));
                }
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
        inherited: Option<Forced>,
        named_by_sibling: bool,
        out: &mut String,
    ) -> Option<(usize, Option<usize>)> {
        let key = self.name(&member.key);
        let path_length =
            self.enter(key.as_ref().map_or(&*member.key, |redone| redone.text.as_str()));
        let found: Vec<_> = key.iter().flat_map(|redone| redone.by.iter().copied()).collect();
        let inherited = inherited.filter(|_| !DESCRIBING.contains(&&*member.key));
        let fate = match found.iter().find(|(_, action)| *action == Action::Drop) {
            Some((rule, _)) => Fate::Dropped(*rule),
            None => self.fate(text, member, inherited, named_by_sibling),
        };
        let dropped = matches!(fate, Fate::Dropped(_));
        for (rule, action) in found.into_iter().filter(|_| !dropped) {
            self.redactor.note(self.ruling, self.notes, &self.path, rule, action);
        }
        if !dropped {
            match &key {
                Some(redone) => {
                    self.changed = true;
                    out.push_str(&quoted(&redone.text));
                }
                None => out.push_str(member.raw_key),
            }
            out.push_str(member.colon);
        }
        let value_at = (!dropped).then_some(out.len());
        let end = match fate {
            Fate::Dropped(rule) => {
                self.redactor.note(self.ruling, self.notes, &self.path, rule, Action::Drop);
                end_of_value(text, member.value_start)?
            }
            Fate::Kept => {
                let end = end_of_value(text, member.value_start)?;
                out.push_str(text.get(member.value_start..end)?);
                end
            }
            Fate::Walked(forced) => {
                self.value(text, member.value_start, forced, &member.key, out)?
            }
        };
        self.path.truncate(path_length);
        Some((end, value_at))
    }

    /// A name without secrets; `None` when it has none. One that is JSON and loses something by its
    /// structure is hashed whole: so two names stay two.
    fn name(&self, key: &str) -> Option<Redone> {
        let families = self.redactor.families(key);
        let is_json = key.starts_with(['{', '[']) && self.strings < STRINGS_MAX;
        if is_json && !families.is_empty() && looks_like_json(key) {
            let mut unused = Notes::default();
            let (path, strings) = (self.path.clone(), self.strings + 1);
            let walk = Walk::new(self.redactor, self.ruling, &mut unused, path);
            if let Ok(Some(_)) = (Walk { strings, ..walk }).run(key, None) {
                let hashed = Setting::of(Action::Hash);
                return Some(self.redactor.redact_id(Rule::SensitiveMember, hashed, key));
            }
        }
        let spot = Spot { usage: Use::Name, path: &self.path, name: "" };
        self.redactor.redact_seen(self.ruling, key, families, spot)
    }

    /// What becomes of a member's value by the policy's paths and by its name.
    fn fate(
        &self,
        text: &str,
        member: &Member<'_>,
        inherited: Option<Forced>,
        named_by_sibling: bool,
    ) -> Fate {
        if self.ruling.field(&self.path).is_some() {
            return self.fate_by_path(inherited);
        }
        let secret = named_by_sibling || is_secret_member(&member.key, text, member.value_start);
        if let Some(Forced(Rule::Field, _)) = inherited {
            return Fate::Walked(inherited);
        }
        let rule = names::member_rule(&member.key);
        let setting = self.ruling.of(rule, &self.path);
        if !secret || setting.action == Action::Allow {
            return Fate::Walked(inherited);
        }
        // `true`, `false` and `null` are never secret.
        if setting.action == Action::Drop && !is_bare(text, member.value_start) {
            return Fate::Dropped(rule);
        }
        Fate::Walked(Some(Forced(rule, setting)))
    }

    /// What a path of the policy says of the value at the current path.
    fn fate_by_path(&self, inherited: Option<Forced>) -> Fate {
        match self.ruling.field(&self.path) {
            None => Fate::Walked(inherited),
            // The content is where the originals of tokens live.
            Some(setting) => match setting.action {
                Action::Allow | Action::Tokenise => Fate::Kept,
                Action::Drop => Fate::Dropped(Rule::Field),
                Action::Mask | Action::Hash => Fate::Walked(Some(Forced(Rule::Field, setting))),
            },
        }
    }

    fn string(
        &mut self,
        raw: &str,
        forced: Option<Forced>,
        name: &str,
        out: &mut String,
    ) -> Option<()> {
        let text = decode(raw)?;
        let redone = match forced {
            Some(forced) => self.forced(&text, forced),
            None => self.text(&text, name),
        };
        match redone {
            Some(redone) => {
                self.changed = true;
                out.push_str(&quoted(&redone));
            }
            None => out.push_str(raw),
        }
        Some(())
    }

    /// What stands for a text that goes whatever it looks like, unless it was redacted before.
    fn forced(&mut self, text: &str, Forced(rule, setting): Forced) -> Option<String> {
        if marker::is_marker(text) {
            return None;
        }
        self.redactor.note(self.ruling, self.notes, &self.path, rule, setting.action);
        Some(self.redactor.stand_in(rule, setting, text).into_owned())
    }

    /// Any other text: by its structure when it is JSON, else by the rules alone.
    fn text(&mut self, text: &str, name: &str) -> Option<String> {
        let families = self.redactor.families(text);
        if !self.ruling.has_fields() && families.is_empty() {
            return None;
        }
        if self.strings < STRINGS_MAX && looks_like_json(text) {
            let (changed, depth) =
                (std::mem::take(&mut self.changed), std::mem::take(&mut self.depth));
            self.strings += 1;
            let path_length = self.path.len();
            let inner = self.whole(text, None, name);
            let inner_changed = std::mem::replace(&mut self.changed, changed);
            (self.depth, self.strings) = (depth, self.strings - 1);
            self.path.truncate(path_length);
            if let Some(inner) = inner {
                return inner_changed.then_some(inner);
            }
        }
        let spot = Spot { usage: Use::Value, path: &self.path, name };
        let redone = self.redactor.redact_seen(self.ruling, text, families, spot)?;
        for (rule, action) in redone.by {
            self.redactor.note(self.ruling, self.notes, &self.path, rule, action);
        }
        Some(redone.text)
    }

    /// A number, `true`, `false` or `null`. Numbers can be those of people, and secret as such.
    fn scalar(&mut self, raw: &str, forced: Option<Forced>, name: &str, out: &mut String) {
        let is_number = raw.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let redone = match (is_number, forced) {
            (_, Some(forced @ Forced(Rule::Field, _))) if raw != "null" => self.forced(raw, forced),
            (true, Some(forced)) => self.forced(raw, forced),
            (true, None) if raw.len() >= NUMBER_DIGITS_MIN => self.text(raw, name),
            _ => None,
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

#[cfg(test)]
mod tests;
