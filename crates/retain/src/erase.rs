//! Erasure on request: of the content, or of whole records.

use crate::hold::{shown, statement, still_held};
use crate::policy::{Policy, Profile};
use crate::scan::{self, Ranges};
use crate::select::Picker;
use crate::{Hold, RetainError, Selector, holds};
use event::{Cause, Kind, Principal, REMOVAL_RANGES_MAX, Removal, Scope, Tier};
use seal::{Consequence, Settled, Writer};
use segment::Value;
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// Which records.
    pub selector: Selector,
    /// How much of them.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// On which legal ground, if there is one.
    pub ground: Option<String>,
    /// Who asked.
    pub by: Principal<'static>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The index of the record that authorised it.
    pub authority: u64,
    /// How many records it concerned.
    pub records: u64,
}

/// What an erasure would take, looked up and not announced yet.
pub struct Erasing {
    matches: Matches,
    /// The holds that it was judged by, as the ledger showed them.
    holds: BTreeMap<String, u64>,
    profile: Profile,
}

/// Erases what is asked for: says so in the log, then takes it out of every file and destroys the
/// keys of the old ones.
///
/// # Errors
/// As [`Erasing::find`] and [`Erasing::announce`].
pub fn erase(
    writer: &mut Writer,
    erasure: &Erasure,
    policy: &Policy,
    now_ms: u64,
) -> Result<Erased, RetainError> {
    if erasure.selector.is_empty() {
        return Err(RetainError::EmptySelection);
    }
    writer.settle_tail()?;
    let erased = Erasing::find(&writer.settled(), erasure, policy, now_ms)?;
    let erased = erased.announce(writer, erasure)?;
    writer.carry_out()?;
    Ok(erased)
}

impl Erasing {
    /// Looks for what an erasure means, in segments: whatever is to be found must lie there.
    ///
    /// # Errors
    /// [`RetainError::EmptySelection`], [`RetainError::Ledger`], [`RetainError::Seal`].
    pub fn find(
        settled: &Settled,
        erasure: &Erasure,
        policy: &Policy,
        now_ms: u64,
    ) -> Result<Self, RetainError> {
        if erasure.selector.is_empty() {
            return Err(RetainError::EmptySelection);
        }
        let matches = find(settled, erasure, policy, now_ms)?;
        let holds = shown(settled.catalogue());
        Ok(Self { matches, holds, profile: policy.profile })
    }

    /// Says in the log that it goes, or that this is refused. It goes when that is carried out.
    ///
    /// # Errors
    /// [`RetainError::Held`], [`RetainError::Minimum`] when something keeps one of the records:
    /// then nothing is erased, and the log says that it was refused. [`RetainError::Nothing`],
    /// [`RetainError::HoldsChanged`], [`RetainError::Seal`].
    pub fn announce(self, writer: &mut Writer, erasure: &Erasure) -> Result<Erased, RetainError> {
        let Self { matches, holds, profile } = self;
        still_held(writer, &holds)?;
        if let Some((hold, count)) = matches.held.into_iter().next() {
            let refusal = refuse(writer, erasure, &format!("held by {hold}"))?;
            return Err(RetainError::Held { hold, count, refusal });
        }
        if let Some((tier, count)) = matches.too_young.into_iter().next() {
            let (profile, days) = (profile.as_str(), profile.minimum_days());
            let refusal = refuse(writer, erasure, &format!("kept for {days} days by {profile}"))?;
            return Err(RetainError::Minimum { profile, tier, days, count, refusal });
        }
        if matches.records == 0 {
            return Err(RetainError::Nothing);
        }
        let removal = |class| {
            Consequence::Remove(Removal {
                cause: Cause::Erasure,
                scope: erasure.scope,
                authority: 0,
                classes: vec![class],
                files: Vec::new(),
            })
        };
        let classes = matches.ranges.into_classes(REMOVAL_RANGES_MAX);
        let intent = statement("log.erasure", &stated(erasure, matches.records), &erasure.by);
        let authority = writer.resolve(intent, classes.into_iter().map(removal).collect())?;
        Ok(Erased { authority, records: matches.records })
    }
}

impl Erased {
    /// What was done, as programs are told.
    #[must_use]
    pub fn to_json(&self, scope: Scope) -> serde_json::Value {
        serde_json::json!({
            "records": self.records, "scope": scope.as_str(), "record": self.authority,
        })
    }
}

/// What a selection matches.
#[derive(Default)]
struct Matches {
    ranges: Ranges,
    records: u64,
    /// How many of them which hold keeps.
    held: BTreeMap<String, u64>,
    /// How many of them are younger than they must become.
    too_young: BTreeMap<Tier, u64>,
}

fn find(
    settled: &Settled,
    erasure: &Erasure,
    policy: &Policy,
    now_ms: u64,
) -> Result<Matches, RetainError> {
    let holds: Vec<Hold> = holds(settled)?;
    let picker = Picker::new([&erasure.selector]);
    let may = |row: &[Value<'_>]| picker.may_match(row);
    let mut found = Matches::default();
    for manifest in settled.catalogue().current() {
        let class = (manifest.tier, manifest.day);
        scan::rows_where(settled, manifest, picker.columns(), &may, &mut |row| {
            // What the log says of itself explains everything else.
            if row.kind == Kind::Log || !erasure.selector.matches(&row) {
                return;
            }
            found.records += 1;
            if let Some(hold) = holds.iter().find(|hold| hold.selector.matches(&row)) {
                *found.held.entry(hold.name.clone()).or_default() += 1;
            } else if policy.must_stay(row.time_ms, now_ms) {
                *found.too_young.entry(row.tier).or_default() += 1;
            }
            found.ranges.add(class, row.index, row.index);
        })?;
    }
    Ok(found)
}

/// Says in the log that an erasure was refused.
fn refuse(writer: &mut Writer, erasure: &Erasure, because: &str) -> Result<u64, RetainError> {
    let mut details = stated(erasure, 0);
    if let Some(details) = details.as_object_mut() {
        details.remove("records");
        details.insert("act".to_owned(), "erase".into());
        details.insert("refused".to_owned(), because.into());
    }
    Ok(writer.say(statement("log.refused", &details, &erasure.by))?)
}

fn stated(erasure: &Erasure, records: u64) -> serde_json::Value {
    let Erasure { selector, scope, reason, ground, .. } = erasure;
    serde_json::json!({
        "select": selector, "scope": scope.as_str(), "reason": reason, "ground": ground,
        "records": records,
    })
}
