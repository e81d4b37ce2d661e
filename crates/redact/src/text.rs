//! Redacting one decoded text: find, settle what overlaps, replace, and again until nothing is
//! found.
//!
//! Not here: the structure around the text (`json`, `redactor`).

use crate::encoded::{self, Unescaped};
use crate::marker;
use crate::policy::{Action, Setting};
use crate::redactor::Redactor;
use crate::rule::Rule;
use crate::rules::Finding;
use crate::ruling::Ruling;
use crate::scan::{self, Families};
use std::borrow::Cow;

/// How a text is used, which decides how a finding in it is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// A value in the content: the matched part is dropped, masked or hashed, as the policy says.
    Value,
    /// A value in the metadata: the same, or its original goes into the content.
    Meta,
    /// The matched part is hashed, so that two different names stay different.
    Name,
    /// The whole text is hashed: an id has to stay good for correlation, and a part of it is not an
    /// id.
    Id,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'p> {
    pub(crate) usage: Use,
    pub(crate) path: &'p str,
    /// The name of the member whose value it is, or empty.
    pub(crate) name: &'p str,
}

/// Replacing may join what was apart, so a text is looked at again. One that still holds findings
/// after this many rounds was built to do so, and is masked whole.
const ROUNDS_MAX: usize = 8;

/// A text without its secrets, and the rules that found some, with what was done.
pub(crate) struct Redone {
    pub(crate) text: String,
    pub(crate) by: Vec<(Rule, Action)>,
    /// Tokens, each with what it stands for.
    pub(crate) originals: Vec<(String, String)>,
}

impl Redone {
    /// A text that was replaced whole.
    pub(crate) fn whole(text: String, rule: Rule, action: Action) -> Self {
        Self { text, by: vec![(rule, action)], originals: Vec::new() }
    }

    fn add(&mut self, rule: Rule, action: Action) {
        if !self.by.contains(&(rule, action)) {
            self.by.push((rule, action));
        }
    }
}

impl Redactor {
    /// `text` without secrets; `None` when there are none.
    pub(crate) fn redact_text(
        &self,
        ruling: &Ruling<'_>,
        text: &str,
        spot: Spot<'_>,
    ) -> Option<Redone> {
        let mut families = self.families(text);
        if families.is_empty() {
            return None;
        }
        let mut current = Cow::Borrowed(text);
        let mut redone = Redone { text: String::new(), by: Vec::new(), originals: Vec::new() };
        for _ in 0..ROUNDS_MAX {
            let findings = self.findings(ruling, &current, families, spot);
            let Some(first) = findings.first() else {
                return match current {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(Redone { text, ..redone }),
                };
            };
            if spot.usage == Use::Id {
                return Some(self.redact_id(first.rule, self.ruled(ruling, first, spot), text));
            }
            current = Cow::Owned(self.replace(ruling, &current, &findings, spot, &mut redone));
            families = self.families(&current);
        }
        let rule = redone.by.first().map_or(Rule::Assignment, |(rule, _)| *rule);
        Some(Redone { text: marker::mask(rule), ..redone })
    }

    /// An id is replaced as a whole, and always so that equal ones stay equal.
    pub(crate) fn redact_id(&self, rule: Rule, setting: Setting, id: &str) -> Redone {
        if setting.action == Action::Tokenise {
            let token = self.hasher.token(rule, id);
            let originals = vec![(token.clone(), id.to_owned())];
            return Redone { originals, ..Redone::whole(token, rule, Action::Tokenise) };
        }
        Redone::whole(self.hasher.hash(rule, id), rule, Action::Hash)
    }

    /// What the rules that are on find between the markers of `text`: in order, without overlaps.
    fn findings(
        &self,
        ruling: &Ruling<'_>,
        text: &str,
        families: Families,
        spot: Spot<'_>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (from, to) in marker::pieces(text) {
            let piece = text.get(from..to).unwrap_or_default();
            let whole = piece.len() == text.len();
            let families = if whole { families } else { self.families(piece) };
            let mut found = self.rules.find(families, piece, spot.name);
            self.find_encoded(families, piece, spot.name, &mut found);
            let taken = found.into_iter().filter(|finding| {
                finding.start < finding.end && self.is_taken(ruling, finding, spot)
            });
            findings.extend(taken.map(|f| Finding {
                start: f.start + from,
                end: f.end + from,
                ..f
            }));
        }
        settle(findings)
    }

    /// What stands behind one layer of encoding, at the place of its encoded form.
    fn find_encoded(&self, families: Families, text: &str, name: &str, found: &mut Vec<Finding>) {
        if families.has(Families::PERCENT)
            && let Some(unescaped) = Unescaped::of(text)
        {
            let inner = self.families(&unescaped.text).without(Families::PERCENT);
            let inside = self.rules.find(inner, &unescaped.text, name);
            found.extend(inside.into_iter().filter_map(|finding| {
                let (start, end) = unescaped.place(finding.start, finding.end)?;
                Some(Finding { start, end, ..finding })
            }));
        }
        if families.has(Families::WORDS) {
            for (start, end, said) in encoded::base64_words(text) {
                let inside = self.rules.find(self.families(&said), &said, name);
                // The word goes whole: a part of it would be no base64.
                found.extend(inside.into_iter().map(|f| Finding { start, end, ..f }));
            }
        }
    }

    fn is_taken(&self, ruling: &Ruling<'_>, finding: &Finding, spot: Spot<'_>) -> bool {
        match ruling.of(finding.rule, spot.path).action {
            Action::Allow => false,
            Action::Tokenise => matches!(spot.usage, Use::Meta | Use::Id),
            Action::Drop | Action::Mask | Action::Hash => true,
        }
    }

    fn ruled(&self, ruling: &Ruling<'_>, finding: &Finding, spot: Spot<'_>) -> Setting {
        let setting = ruling.of(finding.rule, spot.path);
        match (setting.action, spot.usage) {
            (Action::Mask, Use::Name) => Setting::of(Action::Hash),
            _ => setting,
        }
    }

    fn replace(
        &self,
        ruling: &Ruling<'_>,
        text: &str,
        findings: &[Finding],
        spot: Spot<'_>,
        redone: &mut Redone,
    ) -> String {
        let mut out = String::with_capacity(text.len() + 32);
        let mut from = 0;
        for finding in findings {
            let secret = text.get(finding.start..finding.end).unwrap_or_default();
            let setting = self.ruled(ruling, finding, spot);
            out.push_str(text.get(from..finding.start).unwrap_or_default());
            let stand_in = self.stand_in(finding.rule, setting, secret);
            if setting.action == Action::Tokenise {
                redone.originals.push((stand_in.clone(), secret.to_owned()));
            }
            out.push_str(&stand_in);
            from = finding.end;
            redone.add(finding.rule, setting.action);
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// What stands where `secret` stood.
    pub(crate) fn stand_in(&self, rule: Rule, setting: Setting, secret: &str) -> String {
        match setting.action {
            Action::Drop => String::new(),
            Action::Hash => self.hasher.hash(rule, secret),
            Action::Tokenise => self.hasher.token(rule, secret),
            // Nothing that is allowed is ever replaced.
            Action::Mask | Action::Allow => {
                marker::mask_but(rule, secret, usize::from(setting.keep))
            }
        }
    }

    /// One text that stands nowhere, by what holds for every event.
    #[cfg(test)]
    pub(crate) fn redact_plain(&self, text: &str, usage: Use) -> Option<Redone> {
        self.redact_text(&self.policy.plain(), text, Spot { usage, path: "", name: "" })
    }

    /// The families that may find something in `text`, raw JSON or decoded, and in which some rule
    /// is on.
    pub(crate) fn families(&self, text: &str) -> Families {
        scan::families(text.as_bytes()).only(self.policy.searched)
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
