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

/// A text on its way through the rounds.
struct Work<'w> {
    ruling: &'w Ruling<'w>,
    spot: Spot<'w>,
    redone: Redone,
}

impl Redactor {
    /// `text` without secrets; `None` when there are none.
    pub(crate) fn redact_text(
        &self,
        ruling: &Ruling<'_>,
        text: &str,
        spot: Spot<'_>,
    ) -> Option<Redone> {
        self.redact_seen(ruling, text, self.families(text), spot)
    }

    /// The same for a text whose families are known.
    pub(crate) fn redact_seen(
        &self,
        ruling: &Ruling<'_>,
        text: &str,
        families: Families,
        spot: Spot<'_>,
    ) -> Option<Redone> {
        if families.is_empty() {
            return None;
        }
        let redone = Redone { text: String::new(), by: Vec::new(), originals: Vec::new() };
        let mut work = Work { ruling, spot, redone };
        let (mut copied, mut changed) = (0, false);
        for (from, to) in marker::pieces(text) {
            let piece = text.get(from..to).unwrap_or_default();
            let families = if piece.len() == text.len() { families } else { self.families(piece) };
            let findings = self.findings(&work, piece, families);
            let Some(first) = findings.first() else { continue };
            if spot.usage == Use::Id {
                return Some(self.redact_id(first.rule, self.ruled(ruling, first, spot), text));
            }
            changed = true;
            work.redone.text.push_str(text.get(copied..from).unwrap_or_default());
            copied = to;
            if self.replace(&mut work, piece, &findings, ROUNDS_MAX).is_none() {
                let rule = work.redone.by.first().map_or(Rule::Assignment, |(rule, _)| *rule);
                return Some(Redone { text: rule.mask().to_owned(), ..work.redone });
            }
        }
        work.redone.text.push_str(text.get(copied..).unwrap_or_default());
        changed.then_some(work.redone)
    }

    /// Writes `piece` without its findings. What stands between two markers is looked at again: a
    /// round costs what the round before has changed. `None` after too many of them.
    fn replace(
        &self,
        work: &mut Work<'_>,
        piece: &str,
        findings: &[Finding],
        rounds: usize,
    ) -> Option<()> {
        let rounds = rounds.checked_sub(1)?;
        let mut between = Cow::Borrowed("");
        let mut from = 0;
        for finding in findings {
            join(&mut between, piece.get(from..finding.start).unwrap_or_default());
            from = finding.end;
            let secret = piece.get(finding.start..finding.end).unwrap_or_default();
            let setting = self.ruled(work.ruling, finding, work.spot);
            work.redone.add(finding.rule, setting.action);
            let stand_in = self.stand_in(finding.rule, setting, secret);
            // Nothing in its place: what stood around it is one text now.
            if !stand_in.is_empty() {
                self.again(work, &std::mem::take(&mut between), rounds)?;
                work.redone.text.push_str(&stand_in);
            }
            if setting.action == Action::Tokenise {
                work.redone.originals.push((stand_in.into_owned(), secret.to_owned()));
            }
        }
        join(&mut between, piece.get(from..).unwrap_or_default());
        self.again(work, &between, rounds)
    }

    /// Another round for what stands between two markers.
    fn again(&self, work: &mut Work<'_>, text: &str, rounds: usize) -> Option<()> {
        let mut copied = 0;
        for (from, to) in marker::pieces(text) {
            let piece = text.get(from..to).unwrap_or_default();
            let families = self.families(piece);
            if families.is_empty() {
                continue;
            }
            let findings = self.findings(work, piece, families);
            if !findings.is_empty() {
                work.redone.text.push_str(text.get(copied..from).unwrap_or_default());
                copied = to;
                self.replace(work, piece, &findings, rounds)?;
            }
        }
        work.redone.text.push_str(text.get(copied..).unwrap_or_default());
        Some(())
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

    /// What the rules that are on find in a text without markers: in order, without overlaps.
    fn findings(&self, work: &Work<'_>, piece: &str, families: Families) -> Vec<Finding> {
        let spot = work.spot;
        let mut found = self.rules.find(families, piece, spot.name);
        self.find_encoded(families, piece, spot.name, &mut found);
        found.retain(|finding| {
            finding.start < finding.end && self.is_taken(work.ruling, finding, spot)
        });
        settle(found)
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

    /// What stands where `secret` stood.
    pub(crate) fn stand_in(&self, rule: Rule, setting: Setting, secret: &str) -> Cow<'static, str> {
        match setting.action {
            Action::Drop => Cow::Borrowed(""),
            Action::Hash => self.hasher.hash(rule, secret).into(),
            Action::Tokenise => self.hasher.token(rule, secret).into(),
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
        scan::families(text.as_bytes(), self.policy.searched)
    }

    /// True when no family may find anything in `text`, raw JSON or decoded.
    pub(crate) fn is_clean(&self, text: &str) -> bool {
        scan::is_clean(text.as_bytes(), self.policy.searched)
    }
}

/// Adds to a text, which is copied only when there was something before.
fn join<'t>(text: &mut Cow<'t, str>, more: &'t str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else {
        text.to_mut().push_str(more);
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
