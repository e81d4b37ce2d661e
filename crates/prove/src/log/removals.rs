//! What the log allowed to be removed: the removals that its ledger shows, asked about one record
//! at a time.
//!
//! A document counts from the start, although the entry that it is compared with comes later: a
//! false one is reported there, and then nothing that the report says is believed anyway.

use crate::report::{RecordState, RemovedBy, Report};
use event::{Cause, Entry, Removal, RemovedClass, Scope, Tier};
use std::collections::BTreeMap;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The removals of a log.
#[derive(Debug, Default)]
pub(super) struct Removals {
    classes: BTreeMap<(Tier, u64), Vec<Named>>,
    /// How many records each removal answers for so far, by its index and what it left.
    told: BTreeMap<(u64, &'static str), u64>,
}

/// The records of one tier and day that one removal names.
#[derive(Debug)]
struct Named {
    class: RemovedClass,
    permit: Permit,
}

/// That a record may be gone, or its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permit {
    by: u64,
    pub(super) state: RecordState,
}

impl Removals {
    /// Takes a removal into account that the record at `by` announces.
    pub(super) fn add(&mut self, by: u64, removal: &Removal) {
        let state = match (removal.cause, removal.scope) {
            (Cause::Expiry, _) => RecordState::Expired,
            (Cause::Erasure, Scope::Record) => RecordState::Erased,
            (Cause::Erasure, Scope::Content) => RecordState::ContentErased,
        };
        for class in &removal.classes {
            let named = Named { class: class.clone(), permit: Permit { by, state } };
            self.classes.entry((class.tier, class.day)).or_default().push(named);
        }
    }

    /// That the record of an entry may be gone, all of it.
    pub(super) fn of_record(&self, index: u64, entry: &Entry) -> Option<Permit> {
        self.find(index, entry, |state| state != RecordState::ContentErased)
    }

    /// That the content of a record may be gone.
    pub(super) fn of_content(&self, index: u64, entry: &Entry) -> Option<Permit> {
        self.find(index, entry, |state| state == RecordState::ContentErased)
    }

    fn find(
        &self,
        index: u64,
        entry: &Entry,
        is_wanted: impl Fn(RecordState) -> bool,
    ) -> Option<Permit> {
        let mut named = self.classes.get(&(entry.tier, entry.time_ms / DAY_MS))?.iter();
        // The log can only remove what it had by then.
        let is_meant = |named: &&Named| {
            let Named { class, permit } = named;
            index < permit.by && is_wanted(permit.state) && class.overlaps(index, index)
        };
        named.find(is_meant).map(|named| named.permit)
    }

    /// Counts a record that a permit answers for.
    pub(super) fn tell(&mut self, permit: Permit) {
        let name = match permit.state {
            RecordState::Expired => "expired",
            RecordState::Erased => "erased",
            _ => "content-erased",
        };
        *self.told.entry((permit.by, name)).or_default() += 1;
    }

    /// Hands over what was counted.
    pub(super) fn finish(&mut self, report: &mut Report) {
        let told = std::mem::take(&mut self.told).into_iter();
        report.removals =
            told.map(|((index, state), count)| RemovedBy { index, state, count }).collect();
    }
}
