//! Which records of a damaged journal frame were altered, told from the public entries.
//!
//! Authenticated encryption only says that *something* in a frame changed. Decrypted without its
//! tag, most of the bytes still read as before, and every record that still gives the commitment of
//! its entry is proved whole. Not here: decryption; and what is read here must never be shown as a
//! record unless it is in [`Damage::intact`].

use crate::record::check_record;
use event::{Entry, Record};

/// Bytes before the first record of a frame: the previous leaf hash.
const HEAD_BYTES: usize = 32;

/// Bytes of a record that its entry determines: kind, tier, reserved, time, stream, sequence.
const KNOWN_BYTES: usize = 36;

/// The bytes that a search for the beginnings of records may look at in all, so that a frame made
/// to be searched in vain costs a second and not an hour.
const SEARCH_BYTES_MAX: usize = 1 << 30;

/// What of a frame was altered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Indexes of the records that do not give the commitments of their entries.
    pub changed: Vec<u64>,
    /// Indexes of the records that do.
    pub intact: Vec<u64>,
    /// Whether the previous leaf hash at the head of the frame is not that of the first entry.
    pub head: bool,
    /// Whether there are bytes after the last record.
    pub tail: bool,
}

/// Tells which records of a frame were altered. `entries` are the entries of the frame's index
/// range, which begins at `first`; `payload` is the frame as decrypted without authentication: the
/// previous leaf hash, then the records. Where the lengths within a record are damaged, the next
/// record is found by what its entry says about it.
#[must_use]
pub fn which_records_changed(first: u64, entries: &[Entry], payload: &[u8]) -> Damage {
    let mut damage = Damage::default();
    let (head, mut rest) = payload.split_at(payload.len().min(HEAD_BYTES));
    damage.head = entries.first().is_some_and(|entry| entry.previous != head);
    // Whether `rest` is known to begin with a record.
    let mut aligned = true;
    let mut budget = SEARCH_BYTES_MAX;
    for (place, entry) in entries.iter().enumerate() {
        let index = first.saturating_add(place as u64);
        if !aligned && let Some(found) = find(entry, rest, &mut budget) {
            (rest, aligned) = (found, true);
        }
        match Record::decode(rest).ok().filter(|_| aligned) {
            Some((record, after)) if check_record(entry, &record).is_ok() => {
                damage.intact.push(index);
                rest = after;
            }
            Some((_, after)) => {
                damage.changed.push(index);
                // The lengths hold if what follows is the next record, or the end.
                aligned = match entries.get(place + 1) {
                    None => after.is_empty(),
                    Some(next) => begins(next, after) || is_record(next, after),
                };
                // Otherwise this record may be gone and the next one stand here.
                rest = if aligned { after } else { rest };
            }
            None => {
                damage.changed.push(index);
                aligned = false;
            }
        }
    }
    damage.tail = aligned && !rest.is_empty();
    damage
}

/// Whether bytes begin as the record of an entry must.
fn begins(entry: &Entry, bytes: &[u8]) -> bool {
    bytes.starts_with(&known_bytes(entry))
}

/// Whether bytes begin with the very record of an entry, apart from what the entry says about it.
fn is_record(entry: &Entry, bytes: &[u8]) -> bool {
    Record::decode(bytes).is_ok_and(|(record, _)| record.commitment() == entry.commitment)
}

/// The bytes from where the record of an entry begins.
fn find<'p>(entry: &Entry, bytes: &'p [u8], budget: &mut usize) -> Option<&'p [u8]> {
    *budget = budget.checked_sub(bytes.len())?;
    let known = known_bytes(entry);
    let at = bytes.windows(KNOWN_BYTES).position(|window| window == known)?;
    bytes.get(at..)
}

/// The beginning of a record as its entry determines it.
fn known_bytes(entry: &Entry) -> [u8; KNOWN_BYTES] {
    let mut bytes = [0; KNOWN_BYTES];
    bytes[0] = entry.kind as u8;
    bytes[1] = entry.tier as u8;
    bytes[4..12].copy_from_slice(&entry.time_ms.to_be_bytes());
    bytes[12..28].copy_from_slice(&entry.stream);
    bytes[28..36].copy_from_slice(&entry.sequence.to_be_bytes());
    bytes
}
