//! What a process does to its log before the load begins: the acts that a kill is to interrupt.
//!
//! The process says `begin NAME` and `end NAME` on its output, so that whoever killed it knows
//! which act it cut short. A new act is a new variant: the tally names whatever is said.

use super::answer::Answer;
use super::plan::batch;
use crate::clock::DAY_MS;
use crate::model::{Model, SHORT_DAYS, short_policy};
use crate::random::Random;
use event::{Principal, Scope};
use retain::{Erasure, Policy, RetainError, Selector};
use seal::{Batch, Clock as _, SystemClock, Writer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

/// Journal files that become as many segments of a class: enough to be made one.
const SMALL_FILES: u64 = 8;

/// What is done before the load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Everything becomes segments.
    Roll,
    /// Small segments become one, after enough of them were made.
    Compact,
    /// A session loses its content, or its records.
    Erase { session: String, scope: Scope },
    /// What is old by this clock goes.
    Expire { now_ms: u64 },
    /// Another signing key takes over.
    Rotate,
}

impl Act {
    /// Draws one, or none.
    pub(crate) fn draw(random: &mut Random) -> Option<Self> {
        let session = format!("session {}", random.below(6));
        match random.below(100) {
            0..15 => Some(Self::Roll),
            15..35 => Some(Self::Compact),
            35..50 => Some(Self::Erase { session, scope: Scope::Content }),
            50..65 => Some(Self::Erase { session, scope: Scope::Record }),
            // What is some seconds old now is older than its days by a clock that is ahead.
            65..80 => {
                let ahead = u64::from(SHORT_DAYS + 1) * DAY_MS.unsigned_abs();
                let now_ms = SystemClock.now_ms() + ahead - random.below(4_000);
                Some(Self::Expire { now_ms })
            }
            80..90 => Some(Self::Rotate),
            _ => None,
        }
    }

    /// The name under which it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Roll => "roll",
            Self::Compact => "compact",
            Self::Erase { .. } => "erase",
            Self::Expire { .. } => "expire",
            Self::Rotate => "rotate",
        }
    }

    /// As an argument.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Roll | Self::Compact | Self::Rotate => self.name().to_owned(),
            Self::Erase { session, scope } => format!("erase:{}:{session}", scope.as_str()),
            Self::Expire { now_ms } => format!("expire:{now_ms}"),
        }
    }

    /// Reads [`Act::to_text`]; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        match (parts.next()?, parts.next(), parts.next()) {
            ("roll", None, None) => Some(Self::Roll),
            ("compact", None, None) => Some(Self::Compact),
            ("rotate", None, None) => Some(Self::Rotate),
            ("erase", Some(scope), Some(session)) => {
                let scope = Scope::from_name(scope)?;
                Some(Self::Erase { session: session.to_owned(), scope })
            }
            ("expire", Some(now_ms), None) => Some(Self::Expire { now_ms: now_ms.parse().ok()? }),
            _ => None,
        }
    }

    /// Tells the model that somebody asks for it.
    pub(crate) fn ask(&self, model: &mut Model) {
        match self {
            Self::Roll | Self::Compact => {}
            Self::Rotate => model.ask_rotation(),
            Self::Erase { session, scope } => model.removals.ask_erasure(session, *scope),
            // A day longer than the days, and the millisecond itself.
            Self::Expire { now_ms } => model.removals.ask_expiry(now_ms + 1, SHORT_DAYS + 1),
        }
    }

    /// Tells the model that it was acknowledged.
    pub(crate) fn acknowledge(&self, authority: Option<u64>, model: &mut Model) {
        if let (Self::Erase { session, scope }, Some(authority)) = (self, authority) {
            model.removals.erased(session, *scope, authority);
        }
    }

    /// Does it, and says when it begins and ends. `next` are the first batches that were not sent
    /// yet; what is sent here is answered in `file`.
    pub(crate) fn run(
        &self,
        writer: &mut Writer,
        next: &mut [u64],
        file: &mut File,
    ) -> Result<(), String> {
        match self {
            Self::Roll | Self::Rotate => {}
            Self::Compact => make_small_segments(writer, next, file)?,
            // Beforehand, or most kills would fall into the roll that comes first.
            Self::Erase { .. } | Self::Expire { .. } => writer.settle_tail().map_err(text)?,
        }
        say(&format!("begin {}", self.name()))?;
        let authority = match self {
            Self::Rotate => {
                let rotated = writer.rotate_keys(Some("killed"), &Principal::default());
                rotated.map(|_| None).map_err(text)?
            }
            Self::Roll => writer.settle_tail().map(|()| None).map_err(text)?,
            Self::Compact => writer.compact().map(|_| None).map_err(text)?,
            Self::Erase { session, scope } => {
                let selector = Selector { session: Some(session.clone()), ..Selector::default() };
                let (reason, by) = ("killed".to_owned(), Principal::default());
                let erasure = Erasure { selector, scope: *scope, reason, ground: None, by };
                done(retain::erase(writer, &erasure, &Policy::default(), 0), |it| {
                    Some(it.authority)
                })?
            }
            Self::Expire { now_ms } => {
                let by = Principal::default();
                done(retain::expire(writer, &short_policy(), *now_ms, &by), |it| it.authority)?
            }
        };
        let authority = authority.map_or_else(String::new, |authority| format!(" {authority}"));
        say(&format!("end {}{authority}", self.name()))
    }
}

/// Files enough for every class to be compacted.
fn make_small_segments(
    writer: &mut Writer,
    next: &mut [u64],
    file: &mut File,
) -> Result<(), String> {
    for _ in 0..SMALL_FILES {
        for (thread, number) in (0..).zip(next.iter_mut()) {
            let planned = batch(thread, *number);
            let redactor = Arc::clone(writer.redactor());
            let events = planned.iter().map(|planned| redactor.redact(planned.event()));
            let entropy = keys::SystemEntropy::new();
            let batch = Batch::encode(events, writer.fingerprints(), &entropy, 0).map_err(text)?;
            for receipt in writer.commit(vec![batch]).map_err(text)? {
                let line = Answer::new(thread, *number, receipt).to_line();
                file.write_all(line.as_bytes()).map_err(text)?;
            }
            *number += 1;
        }
        writer.end_journal_file();
    }
    writer.publish().map_err(text)?;
    writer.roll().map(|_| ()).map_err(text)
}

fn done<T>(
    outcome: Result<T, RetainError>,
    authority: impl Fn(&T) -> Option<u64>,
) -> Result<Option<u64>, String> {
    match outcome {
        Ok(done) => Ok(authority(&done)),
        Err(RetainError::Nothing) => Ok(None),
        Err(error) => Err(text(error)),
    }
}

fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How often something was begun, and how often a kill cut it short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts(BTreeMap<&'static str, (u64, u64)>);

impl Cuts {
    /// Something was begun, and perhaps cut short.
    pub(crate) fn count(&mut self, name: &'static str, is_cut: bool) {
        let (begun, cut) = self.0.entry(name).or_default();
        *begun += 1;
        *cut += u64::from(is_cut);
    }
}

impl Cuts {
    /// Those of the names that no kill cut short.
    #[must_use]
    pub fn lacking<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        let was_cut = |name: &&str| self.0.get(name).is_some_and(|(_, cut)| *cut > 0);
        names.iter().copied().filter(|name| !was_cut(name)).collect()
    }
}

impl std::fmt::Display for Cuts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, (name, (begun, cut))) in self.0.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(out, "{comma}{name} {cut} of {begun}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_survives_its_text_and_other_texts_are_none() {
        let session = "session 3".to_owned();
        for act in [
            Act::Roll,
            Act::Compact,
            Act::Rotate,
            Act::Erase { session, scope: Scope::Record },
            Act::Expire { now_ms: 77 },
        ] {
            assert_eq!(Act::parse(&act.to_text()), Some(act));
        }
        for text in ["", "roll:1", "erase:all:s", "erase:record", "expire:x"] {
            assert_eq!(Act::parse(text), None, "{text}");
        }
    }

    #[test]
    fn cuts_are_counted_by_name() {
        let mut cuts = Cuts::default();
        for (name, is_cut) in [("roll", true), ("erase", false), ("roll", false)] {
            cuts.count(name, is_cut);
        }
        assert_eq!(cuts.to_string(), "erase 0 of 1, roll 1 of 2");
        assert_eq!(cuts.lacking(&["roll", "erase", "rotate"]), ["erase", "rotate"]);
    }
}
