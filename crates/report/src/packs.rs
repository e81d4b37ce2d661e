//! Compliance packs: what a law, a standard or a house rule asks for, as data, held against a log.
//!
//! A pack is a TOML file: controls, each with its clause and one predicate of the library here. The
//! answer to a control is evidence toward it: a program can see whether records are there and what
//! they say, and cannot see whether that is enough (docs/compliance.md). Not here: reading records
//! (`query`), checking the log itself (`prove`), whose answer a caller hands in.
//!
//! ```
//! use report::packs::{Outside, Pack, Run, Verdict};
//! let pack = Pack::parse("mine.toml", r#"
//!     name = "mine"
//!     version = "1"
//!     title = "Every tool call has an outcome"
//!     [[controls]]
//!     id = "calls"
//!     clause = "House rule 7"
//!     predicate = "C-INT-4"
//! "#)?;
//! let mut run = Run::new(&pack, Outside::default());
//! # let events: Vec<query::Found> = Vec::new();
//! events.iter().for_each(|found| run.offer(found));
//! let answer = run.finish();
//! assert_eq!(answer.controls[0].verdict, Verdict::NotAssessable);
//! # Ok::<(), report::packs::PackError>(())
//! ```

mod access;
mod capture;
mod changes;
mod data;
mod fields;
mod life;
mod oversight;
mod page;
mod predicate;
mod privacy;
mod spending;
mod witnesses;

pub use data::{Control, Pack, PackError, Parameters};
pub use page::document;

use event::Timestamp;
use predicate::{Item, Predicate};
use query::{AsOf, Found};
use serde::Serialize;
use std::collections::BTreeMap;

/// Events that are named for each control.
pub const SAMPLES_MAX: usize = 20;

/// What is always said.
pub const LIMITS: &str = "This is evidence toward the controls named, taken from the records of one \
                          log. It is no legal advice, and no statement that anybody complies.";

/// The answer to a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The records are what the control asks for, as far as records can be.
    Pass,
    /// They are not; the events are named.
    Fail,
    /// The records do not say: nothing of the kind happened, or nobody recorded it.
    NotAssessable,
    /// Only people can answer.
    Manual,
}

impl Verdict {
    /// The name in machine output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotAssessable => "not_assessable",
            Self::Manual => "manual",
        }
    }
}

/// Something that was examined outside of the records: the log's own verification, a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Whether it held.
    pub holds: bool,
    /// What was found, in a sentence.
    pub found: String,
    /// The indexes of what does not hold, if it is records.
    pub events: Vec<u64>,
}

/// What witnesses cosigned of the log, held against the policy that names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Whether enough of them did, and the log continues what they saw.
    pub is_enough: bool,
    /// The entries that they saw.
    pub size: u64,
    /// What was found, in a sentence.
    pub found: String,
}

/// What the caller knows beside the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Examinations, by the predicate that they answer: `C-INT-1` by `tacho verify`.
    pub examined: BTreeMap<&'static str, Examined>,
    /// The days that records stay at least, by tier (`debug`, `info`, `compliance`, `critical`), as
    /// configured.
    pub retention_days: Option<[u64; 4]>,
    /// What witnesses saw, if somebody named those that count.
    pub witnessed: Option<Witnessed>,
}

/// What a predicate found.
#[derive(Clone, Debug, PartialEq)]
struct Assessed {
    verdict: Verdict,
    found: String,
    threshold: Option<String>,
    measured: Option<f64>,
    looked_at: u64,
    offending: Named,
}

/// Offending events: how many, and the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    count: u64,
    first: Vec<(u64, Option<String>)>,
}

impl Named {
    fn add(&mut self, index: u64, id: Option<&str>) {
        self.count += 1;
        if self.first.len() < SAMPLES_MAX {
            self.first.push((index, id.map(str::to_owned)));
        }
    }
}

/// An event that an answer rests on; `tacho prove INDEX` proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Its index in the log.
    pub index: u64,
    /// Its id, if it has one.
    pub event_id: Option<String>,
}

/// The answer to one control.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The control's id.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// What the clause says, in its own words or in short.
    pub text: Option<String>,
    /// The predicate.
    pub predicate: String,
    /// The answer.
    pub verdict: Verdict,
    /// Whether it passed, for programs that know nothing else: false unless `pass`.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// What was asked for.
    pub threshold: Option<String>,
    /// What was measured, where it is a number.
    pub measured: Option<f64>,
    /// Events that were looked at.
    pub looked_at: u64,
    /// Events that are not as asked for.
    pub offending: u64,
    /// The first of them.
    pub events: Vec<Sample>,
    /// What to do when it failed.
    pub recommendation: Option<String>,
    /// What people must answer before it means anything.
    pub scope_question: Option<String>,
}

/// The answer of a pack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    /// The pack's name.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Its title.
    pub title: String,
    /// The text that it follows.
    pub source: Option<String>,
    /// What is always said.
    pub limits: &'static str,
    /// The checkpoint that it is true for, once the caller named it.
    pub checkpoint: Option<crate::forensics::Checkpoint>,
    /// Record time of the first record looked at.
    pub from: Option<String>,
    /// And of the last.
    pub to: Option<String>,
    /// Records looked at.
    pub records: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Controls by verdict.
    pub counts: BTreeMap<&'static str, u64>,
    /// The controls.
    pub controls: Vec<Answer>,
    /// What to do about those that failed.
    pub recommendations: Vec<String>,
}

impl Answers {
    /// The same, as of a checkpoint.
    #[must_use]
    pub fn as_of(self, as_of: &AsOf) -> Self {
        Self { checkpoint: Some(as_of.into()), ..self }
    }
}

/// A pack being held against records, one after the other in the order of the log.
pub struct Run<'p> {
    pack: &'p Pack,
    outside: Outside,
    predicates: Vec<Option<Box<dyn Predicate>>>,
    records: u64,
    unreadable: u64,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
    /// The first record that witnesses have not seen, and its record time.
    unseen: Option<(u64, u64)>,
}

impl<'p> Run<'p> {
    /// Begins, with what is known beside the records.
    #[must_use]
    pub fn new(pack: &'p Pack, outside: Outside) -> Self {
        let predicates = pack.controls.iter().map(predicate::of).collect();
        let (records, unreadable, from_ms, to_ms, unseen) = (0, 0, None, None, None);
        Self { pack, outside, predicates, records, unreadable, from_ms, to_ms, unseen }
    }

    /// Looks at a record. Records must come oldest first.
    pub fn offer(&mut self, found: &Found<'_>) {
        self.records += 1;
        self.from_ms.get_or_insert(found.recorded_at_ms);
        self.to_ms = Some(found.recorded_at_ms);
        let seen = self.outside.witnessed.as_ref().map_or(u64::MAX, |it| it.size);
        if found.index >= seen {
            self.unseen.get_or_insert((found.index, found.recorded_at_ms));
        }
        let is_gone = found.meta.is_empty();
        let event = if is_gone { None } else { found.event().ok() };
        if event.is_none() && !is_gone {
            self.unreadable += 1;
        }
        let Some(event) = event else { return };
        let item = Item::new(found, &event);
        self.predicates.iter_mut().flatten().for_each(|it| it.offer(&item));
    }

    /// The answer.
    #[must_use]
    pub fn finish(self) -> Answers {
        let time = |ms: Option<u64>| ms.map(|ms| Timestamp::from_milliseconds(ms).to_string());
        let to_ms = self.to_ms.unwrap_or(0);
        let end = predicate::End { outside: &self.outside, to_ms, unseen: self.unseen };
        let controls: Vec<Answer> = self
            .pack
            .controls
            .iter()
            .zip(self.predicates)
            .map(|(control, predicate)| answer(control, predicate, &end))
            .collect();
        let mut counts = BTreeMap::new();
        for control in &controls {
            *counts.entry(control.verdict.as_str()).or_default() += 1;
        }
        let failed = controls.iter().filter_map(|it| it.recommendation.clone());
        Answers {
            pack: self.pack.name.clone(),
            version: self.pack.version.clone(),
            title: self.pack.title.clone(),
            source: self.pack.source.clone(),
            limits: LIMITS,
            checkpoint: None,
            from: time(self.from_ms),
            to: time(self.to_ms),
            records: self.records,
            unreadable: self.unreadable,
            counts,
            recommendations: failed.collect(),
            controls,
        }
    }
}

fn answer(
    control: &Control,
    predicate: Option<Box<dyn Predicate>>,
    end: &predicate::End<'_>,
) -> Answer {
    let assessed = match predicate {
        Some(predicate) => predicate.finish(end),
        None => Assessed::manual(control.question.as_deref()),
    };
    let is_failed = assessed.verdict == Verdict::Fail;
    let advice = control.recommendation.clone().unwrap_or_else(|| assessed.found.clone());
    let sample = |(index, event_id)| Sample { index, event_id };
    Answer {
        id: control.id.clone(),
        clause: control.clause.clone(),
        text: control.text.clone(),
        predicate: control.predicate.clone(),
        verdict: assessed.verdict,
        passed: assessed.verdict == Verdict::Pass,
        found: assessed.found,
        threshold: assessed.threshold,
        measured: assessed.measured,
        looked_at: assessed.looked_at,
        offending: assessed.offending.count,
        events: assessed.offending.first.into_iter().map(sample).collect(),
        recommendation: is_failed.then(|| format!("{}: {advice}", control.clause)),
        scope_question: control.question.clone(),
    }
}

/// Holds a pack against records that are at hand, oldest first.
#[must_use]
pub fn check(pack: &Pack, found: &[Found<'_>], as_of: &AsOf, outside: &Outside) -> Answers {
    let mut run = Run::new(pack, outside.clone());
    found.iter().for_each(|found| run.offer(found));
    run.finish().as_of(as_of)
}
