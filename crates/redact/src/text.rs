//! Redacting one decoded text: find, settle what overlaps, replace, and again until nothing is
//! found.
//!
//! Not here: the structure around the text (`json`, `redactor`).

use crate::marker;
use crate::policy::Action;
use crate::redactor::Redactor;
use crate::rule::Rule;
use crate::rules::Finding;
use crate::scan::{self, Families};
use std::borrow::Cow;

/// How a text is used, which decides how a finding in it is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The matched part is dropped, masked or hashed, as the policy says.
    Value,
    /// The matched part is hashed, so that two different names stay different.
    Name,
    /// The whole text is hashed: an id has to stay good for correlation, and a part of it is not an
    /// id.
    Id,
}

/// Replacing may join what was apart, so a text is looked at again. One that still holds findings
/// after this many rounds was built to do so, and is masked whole.
const ROUNDS_MAX: usize = 8;

/// A text without its secrets, and the rules that found some, with what was done.
pub(crate) struct Redone {
    pub(crate) text: String,
    pub(crate) by: Vec<(Rule, Action)>,
}

impl Redactor {
    /// `text` without secrets; `None` when there are none.
    pub(crate) fn redact_text(&self, text: &str, usage: Use) -> Option<Redone> {
        if scan::families(text.as_bytes()).is_empty() {
            return None;
        }
        let mut current = Cow::Borrowed(text);
        let mut by = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let findings = self.findings(&current);
            let Some(first) = findings.first() else {
                return match current {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(Redone { text, by }),
                };
            };
            if usage == Use::Id {
                let text = self.hasher.hash(first.rule, text);
                return Some(Redone { text, by: vec![(first.rule, Action::Hash)] });
            }
            current = Cow::Owned(self.replace(&current, &findings, usage, &mut by));
        }
        let rule = by.first().map_or(Rule::Assignment, |(rule, _)| *rule);
        Some(Redone { text: marker::mask(rule), by })
    }

    /// What the rules that are on find between the markers of `text`: in order, without overlaps.
    fn findings(&self, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (from, to) in marker::pieces(text) {
            let piece = text.get(from..to).unwrap_or_default();
            let families = scan::families(piece.as_bytes());
            let found = self.rules.find(families, piece).into_iter();
            findings.extend(
                found
                    .filter(|f| f.start < f.end && self.actions.of(f.rule).is_some())
                    .map(|f| Finding { start: f.start + from, end: f.end + from, ..f }),
            );
        }
        settle(findings)
    }

    fn replace(
        &self,
        text: &str,
        findings: &[Finding],
        usage: Use,
        by: &mut Vec<(Rule, Action)>,
    ) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let mut from = 0;
        for finding in findings {
            let secret = text.get(finding.start..finding.end).unwrap_or_default();
            let action = match (self.actions.of(finding.rule), usage) {
                (Some(Action::Mask), Use::Name) => Action::Hash,
                (action, _) => action.unwrap_or_default(),
            };
            out.push_str(text.get(from..finding.start).unwrap_or_default());
            out.push_str(&self.stand_in(finding.rule, action, secret));
            from = finding.end;
            if !by.contains(&(finding.rule, action)) {
                by.push((finding.rule, action));
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// What stands where `secret` stood.
    pub(crate) fn stand_in(&self, rule: Rule, action: Action, secret: &str) -> String {
        match action {
            Action::Drop => String::new(),
            Action::Mask => marker::mask(rule),
            Action::Hash => self.hasher.hash(rule, secret),
        }
    }

    /// Whether any rule could find something in this raw JSON text.
    pub(crate) fn is_clean(json: &str) -> bool {
        scan::families(json.as_bytes()) == Families::default()
    }
}

/// Joins overlapping findings under the rule that comes first in order, so that no rest of a secret
/// stays. The part of a URL that looks like an address (`password@host`) is not one.
fn settle(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_unstable_by_key(|f| (f.start, f.rule));
    let mut settled: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match settled.last_mut() {
            Some(last) if finding.start < last.end => match (last.rule, finding.rule) {
                (Rule::UrlPassword, Rule::Email) => {}
                (Rule::Email, Rule::UrlPassword) => *last = finding,
                _ => {
                    last.end = last.end.max(finding.end);
                    last.rule = last.rule.min(finding.rule);
                }
            },
            _ => settled.push(finding),
        }
    }
    settled
}

#[cfg(test)]
mod tests;
