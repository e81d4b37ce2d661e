//! A frame that does not authenticate: which of its records were altered, told from the public
//! entries.
//!
//! Only records that are exactly what the tree commits to are handed on; nothing else of such a
//! frame is looked at, let alone shown.

use super::records::Observed;
use crate::Entries;
use event::Entry;
use prove::{Finding, FindingKind, Report, which_records_changed};
use std::sync::Arc;
use store::Folder;

/// A frame that does not authenticate.
#[derive(Debug)]
pub(super) struct Suspect {
    file: Arc<str>,
    first: u64,
    detail: String,
    /// Where each record begins in the decrypted frame; `None` for those that were altered.
    places: Vec<Option<usize>>,
}

impl Suspect {
    /// Compares a frame with its entries. `place`: the folder, and how many entries it has;
    /// `indexes`: the first record's, and how many there are.
    pub(super) fn read(
        place: (&dyn Folder, u64),
        file: Arc<str>,
        indexes: (u64, u64),
        detail: String,
        payload: &[u8],
    ) -> Self {
        let (first, count) = indexes;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut public = Entries::new(place.0, place.1);
        let indexes = first..first.saturating_add(indexes.1);
        // Nothing is told of a frame when one of its entries is damaged itself.
        let entries: Option<Vec<Entry>> = indexes.map(|index| public.at(index)).collect();
        let entries = entries.unwrap_or_default();
        let damage = which_records_changed(first, &entries, payload);
        let mut places = vec![None; count];
        let mut from = 0;
        for index in damage.intact {
            let at = usize::try_from(index - first).unwrap_or(usize::MAX);
            let (Some(entry), Some(slot)) = (entries.get(at), places.get_mut(at)) else { continue };
            let rest = payload.get(from..).unwrap_or_default();
            if let Some(found) = memchr::memmem::find(rest, &beginning(entry)) {
                *slot = Some(from + found);
                from += found + 1;
            }
        }
        Self { file, first, detail, places }
    }

    /// The index after its last record.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.places.len() as u64)
    }

    /// Where the record with this index begins, if it is whole.
    pub(super) fn place(&self, index: u64) -> Option<usize> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.places.get(at).copied().flatten()
    }
}

/// Names the frames of which every record is whole: then their header, tag or padding was altered.
pub(super) fn conclude(observed: &Observed, report: &mut Report) {
    for suspect in &observed.suspects {
        if suspect.places.iter().all(Option::is_some) {
            let detail = format!("{}; all of its records are whole", suspect.detail);
            let (kind, count) = (FindingKind::Corrupt, suspect.places.len() as u64);
            report.add(Finding::of_records(kind, suspect.first, count, &suspect.file, detail));
        }
    }
}

/// What a record begins with, as its entry determines it: kind, tier, zeros, time, stream, sequence
/// (format.md, "Record").
fn beginning(entry: &Entry) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[0] = entry.kind as u8;
    bytes[1] = entry.tier as u8;
    bytes[4..12].copy_from_slice(&entry.time_ms.to_be_bytes());
    bytes[12..28].copy_from_slice(&entry.stream);
    bytes[28..36].copy_from_slice(&entry.sequence.to_be_bytes());
    bytes
}
