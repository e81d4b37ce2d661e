//! From one entry to the next: chain, time, streams, and the record beside it.
//!
//! Works on what `bundle.rs` decided about a bundle; `tiles.rs` takes the leaves from here.

use super::Verifier;
use super::bundle::{Bundle, Slot};
use super::reconcile::{GONE, Step};
use super::removals::Removals;
use super::signatures::{Signatures, Signed};
use crate::kept::Kept;
use crate::record::{check_kept, check_record};
use crate::report::{FindingKind, RecordState, Report};
use event::{Entry, Record};
use merkle::{Hash, leaf_hash};

impl Verifier<'_> {
    /// Follows the entries of a settled bundle and adds their leaves to the tree.
    pub(super) fn walk(&mut self, bundle: &mut Bundle) {
        let mut slots = std::mem::take(&mut bundle.slots);
        for (place, slot) in slots.iter_mut().enumerate() {
            let index = bundle.first.saturating_add(place as u64);
            self.take(index, slot, &bundle.file);
        }
        bundle.slots = slots;
        for place in 0..bundle.slots.len() {
            if bundle.slots.get(place).is_some_and(is_faulty) {
                bundle.blame(place, &mut self.report);
            }
        }
    }

    /// Takes the entry at one index.
    #[inline]
    fn take(&mut self, index: u64, slot: &mut Slot, file: &str) {
        let intact = slot.intact().copied();
        if let (Some(entry), Some(previous)) = (&intact, self.last_leaf)
            && entry.previous != previous.0
        {
            self.report.add_record(FindingKind::Corrupt, index, file, || {
                format!("the chain breaks: the entry before it hashes to {previous}")
            });
        }
        let entry = if self.records.is_some() {
            self.reconcile(index, intact, slot)
        } else {
            self.report.counts.add(match (&intact, slot.found) {
                (Some(_), _) => RecordState::Present,
                (None, Some(_)) => RecordState::Corrupt,
                (None, None) => RecordState::Missing,
            });
            intact
        };
        self.compare_shown(index, entry.as_ref());
        self.follow(index, entry.as_ref(), file);
        self.last_leaf = slot.leaf;
        self.tree.push(slot.leaf);
    }

    /// Checks time and stream of an entry; `None` if nobody knows it.
    #[inline]
    pub(super) fn follow(&mut self, index: u64, entry: Option<&Entry>, file: &str) {
        let Some(entry) = entry else { return self.streams.lose() };
        let report = &mut self.report;
        if entry.time_ms < self.last_time_ms {
            let last = self.last_time_ms;
            report.add_record(FindingKind::Corrupt, index, file, || {
                format!("time runs backwards, from {last} ms to {} ms", entry.time_ms)
            });
        }
        // The day goes by the latest time, so that one false time does not reset every stream.
        self.last_time_ms = self.last_time_ms.max(entry.time_ms);
        if let Err(wanted) = self.streams.follow(self.last_time_ms, entry.stream, entry.sequence) {
            report.add_record(FindingKind::Corrupt, index, file, || {
                format!("the stream goes on with number {}, not {wanted}", entry.sequence)
            });
        }
    }

    /// Checks the record at an index against its entry, or, if the entry is lost, against its leaf.
    /// Returns the entry, from the record if need be.
    #[inline]
    fn reconcile(&mut self, index: u64, intact: Option<Entry>, slot: &mut Slot) -> Option<Entry> {
        let Some(records) = &mut self.records else { return intact };
        let report = &mut self.report;
        let (file, framed, held, record) = match records.step(index) {
            Step::Record { file, previous, held, record } => (file, previous, held, record),
            Step::Kept { file, held, kept } => {
                let known = intact.or_else(|| mend(slot, &kept, self.last_leaf));
                let beside = (&mut self.removals, &mut self.signatures);
                return compare_kept(index, known, (file, held), &kept, beside, report);
            }
            Step::Gone(state) => {
                let permit =
                    intact.as_ref().and_then(|entry| self.removals.of_record(index, entry));
                match permit.filter(|_| state == RecordState::Missing) {
                    Some(permit) => {
                        self.removals.tell(permit);
                        report.counts.add(permit.state);
                    }
                    None => {
                        records.tell(index, report);
                        report.counts.add(state);
                    }
                }
                return intact;
            }
            Step::End => {
                report.counts.add(RecordState::Missing);
                report.add_record(FindingKind::Missing, index, "", || GONE.to_owned());
                return intact;
            }
        };
        let continues = self.heads.follow(framed, self.last_leaf);
        if let Err(Some(detail)) = &continues {
            report.add_record(FindingKind::Corrupt, index, file, || detail.clone());
        }
        let checked = match (intact, continues) {
            (Some(entry), _) => match check_record(&entry, &record) {
                Ok(()) => Ok(entry),
                Err(mismatch) => Err(mismatch.to_string()),
            },
            (None, Ok(())) => recover(&record, self.last_leaf.or(framed.map(Hash)), &mut slot.leaf),
            (None, Err(_)) => Err("its frame does not continue the chain".to_owned()),
        };
        match checked {
            Ok(entry) => {
                report.counts.add(if held { RecordState::Held } else { RecordState::Present });
                self.signatures.follow(index, file, &Signed::from(&record), report);
                Some(entry)
            }
            Err(detail) => {
                report.counts.add(RecordState::Corrupt);
                report.add_record(FindingKind::Corrupt, index, file, || detail);
                intact
            }
        }
    }

    /// Goes on behind a record that nobody knows.
    fn lose(&mut self) {
        self.streams.lose();
        self.last_leaf = None;
        self.tree.push(None);
    }

    /// Follows one record beyond the checkpoint; `false` when there is none any more.
    pub(super) fn take_unpublished(&mut self, index: u64) -> bool {
        let Some(records) = &mut self.records else { return false };
        let report = &mut self.report;
        let (file, framed, record) = match records.step(index) {
            Step::Record { file, previous, record, .. } => (file.to_owned(), previous, record),
            Step::Kept { file, .. } => {
                report.add_record(FindingKind::Corrupt, index, file, || BEYOND.to_owned());
                report.counts.add(RecordState::Corrupt);
                self.lose();
                return true;
            }
            Step::Gone(state) => {
                records.tell(index, report);
                report.counts.add(state);
                self.lose();
                return true;
            }
            Step::End => return false,
        };
        if let Err(Some(detail)) = self.heads.follow(framed, self.last_leaf) {
            report.add_record(FindingKind::Corrupt, index, &file, || detail);
        }
        let mut leaf = None;
        let entry = recover(&record, self.last_leaf.or(framed.map(Hash)), &mut leaf).ok();
        report.unpublished += 1;
        if entry.is_some() {
            self.signatures.follow(index, &file, &Signed::from(&record), report);
        }
        self.follow(index, entry.as_ref(), &file);
        self.last_leaf = leaf;
        self.tree.push(leaf);
        true
    }
}

/// Records lie in segments only when a published checkpoint covers them.
const BEYOND: &str = "a segment holds this record, and the checkpoint does not cover it: an older \
                      checkpoint was put in its place";

/// Checks a kept record against its entry. When nobody knows the entry any more, which was
/// reported, nothing says what the record must be.
fn compare_kept(
    index: u64,
    entry: Option<Entry>,
    (file, held): (&str, bool),
    kept: &Kept<'_>,
    (removals, signatures): (&mut Removals, &mut Signatures),
    report: &mut Report,
) -> Option<Entry> {
    let Some(known) = entry else {
        report.counts.add(RecordState::Corrupt);
        return None;
    };
    if let Err(mismatch) = check_kept(&known, kept) {
        report.counts.add(RecordState::Corrupt);
        report.add_record(FindingKind::Corrupt, index, file, || mismatch.to_string());
        return entry;
    }
    signatures.follow(index, file, &Signed::from(kept), report);
    let state = match (kept.is_content_erased(), held) {
        (false, false) => RecordState::Present,
        (false, true) => RecordState::Held,
        (true, _) => match removals.of_content(index, &known) {
            Some(permit) => {
                removals.tell(permit);
                permit.state
            }
            None => {
                report.add_record(FindingKind::Missing, index, file, || {
                    "its content is gone, and the log announced no erasure of it".to_owned()
                });
                RecordState::Missing
            }
        },
    };
    report.counts.add(state);
    entry
}

/// The entry that a damaged one was, if all that the record says about it, and the place in a
/// stream that can still be read, give the leaf that the tree has.
#[cold]
fn mend(slot: &Slot, kept: &Kept<'_>, last_leaf: Option<Hash>) -> Option<Entry> {
    let Some(Ok(damaged)) = slot.entry else { return None };
    let Kept { kind, tier, time_ms, .. } = *kept;
    let (previous, commitment) = (last_leaf?.0, kept.commitment());
    let entry = Entry { kind, tier, time_ms, previous, commitment, ..damaged };
    (Some(leaf_hash(&entry.encode())) == slot.leaf).then_some(entry)
}

/// Whether a slot needs a closer look.
#[inline]
fn is_faulty(slot: &Slot) -> bool {
    let told_is_wrong = slot.told.is_some() && slot.told != slot.leaf;
    slot.found.is_some() && (slot.intact().is_none() || !slot.framed) || told_is_wrong
}

/// The previous leaf hashes at the heads of journal frames.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Whether the last one was wrong: once a chain was written anew, every later head is.
    diverged: bool,
}

impl Heads {
    /// Checks a head; `Err` if it is wrong, with the reason if the one before it was not.
    #[inline]
    fn follow(
        &mut self,
        framed: Option<[u8; 32]>,
        last: Option<Hash>,
    ) -> Result<(), Option<String>> {
        let (Some(framed), Some(last)) = (framed, last) else { return Ok(()) };
        let diverged = std::mem::replace(&mut self.diverged, framed != last.0);
        if !self.diverged {
            return Ok(());
        }
        let detail = || format!("the frame does not continue the chain, whose last leaf is {last}");
        Err((!diverged).then(detail))
    }
}

/// The entry that a record gives behind `previous`, if that is what the leaf commits to. A leaf
/// that nobody knows is taken from the record; the root shows whether that was right.
fn recover(
    record: &Record<'_>,
    previous: Option<Hash>,
    leaf: &mut Option<Hash>,
) -> Result<Entry, String> {
    let Some(previous) = previous else {
        return Err("neither its entry nor the one before it is there to compare with".to_owned());
    };
    let entry = record.entry(previous.0);
    let hash = leaf_hash(&entry.encode());
    match *leaf.get_or_insert(hash) {
        expected if expected == hash => Ok(entry),
        expected => Err(format!("the record gives leaf {hash}, the tree has {expected}")),
    }
}
