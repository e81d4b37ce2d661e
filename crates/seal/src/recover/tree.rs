//! The tree, its end and the streams of the day, out of the public log.

use crate::error::SealError;
use crate::rolled_streams::KeptStreams;
use crate::sequence::{Sequence, bundle_path};
use crate::streams::{DAY_MS, Streams};
use checkpoint::Checkpoint;
use event::Entry;
use merkle::{
    EntryBundle, Hash, TILE_WIDTH, TileBuilder, TileCoordinate, leaf_hash, partial_width,
};
use store::{Folder, StoreError};

const WIDTH: u64 = TILE_WIDTH as u64;

/// The tree, the last leaf, record time and the day's streams at the published size.
pub(super) fn restore(
    folder: &dyn Folder,
    streams: Streams,
    head: &Checkpoint,
    secret: &[u8; 32],
) -> Result<Sequence, SealError> {
    let mut sequence = Sequence::new(streams);
    let read = |tile: TileCoordinate| folder.read(&tile.path());
    sequence.tree = TileBuilder::from_source(&read, head.size)
        .map_err(|error| SealError::corrupt("tile", error.to_string()))?;
    if sequence.tree.root() != head.root {
        return Err(SealError::corrupt("tile", "the tiles do not give the root that was signed"));
    }
    let Some(last) = head.size.checked_sub(1) else { return Ok(sequence) };
    let newest = Bundle::of(folder, last, head.size)?;
    let entry = newest.entry(last)?;
    (sequence.previous, sequence.time_ms) = (leaf_of(&entry), entry.time_ms);
    if !head.size.is_multiple_of(WIDTH) {
        sequence.bundle = newest.bytes;
    }
    let mut kept = KeptStreams::of_day(folder, secret, entry.time_ms / DAY_MS);
    restore_day(folder, &mut sequence.streams, head.size, &entry, &mut kept)?;
    Ok(sequence)
}

/// The streams of the day of the last entry: record time never goes back, so the next record
/// belongs to that day or to one that has no entries yet. Backwards through its entries, but not
/// through those of rolled records, whose streams are kept.
fn restore_day(
    folder: &dyn Folder,
    streams: &mut Streams,
    size: u64,
    last: &Entry,
    kept: &mut KeptStreams<'_>,
) -> Result<(), SealError> {
    let day = last.time_ms / DAY_MS;
    // What lies before is not accounted for.
    let mut at = size;
    while let Some(last) = at.checked_sub(1) {
        let bundle = Bundle::of(folder, last, size)?;
        let end = kept.end_before(at).filter(|end| *end > bundle.first);
        let from = end.unwrap_or(bundle.first);
        for index in from..at {
            let entry = bundle.entry(index)?;
            if entry.time_ms / DAY_MS == day {
                streams.restore(day, entry.stream, entry.sequence)?;
            }
        }
        at = from;
        let Some(end) = end else {
            if bundle.entry(from)?.time_ms / DAY_MS != day {
                return Ok(());
            }
            continue;
        };
        let leaf = leaf_of(&bundle.entry(end - 1)?);
        if let Some(span) = kept.take(end, leaf) {
            for (stream, sequence) in span.lasts {
                streams.restore(day, stream, sequence)?;
            }
            at = span.first;
        }
    }
    Ok(())
}

/// The entry at an index, of a log of this size; `None` behind its end.
pub(super) fn entry_at(
    folder: &dyn Folder,
    index: u64,
    size: u64,
) -> Result<Option<Entry>, SealError> {
    if index >= size {
        return Ok(None);
    }
    Bundle::of(folder, index, size)?.entry(index).map(Some)
}

fn leaf_of(entry: &Entry) -> Hash {
    leaf_hash(&entry.encode())
}

/// A bundle of entries.
struct Bundle {
    path: String,
    bytes: Vec<u8>,
    /// The index of its first entry.
    first: u64,
    entries: Vec<Entry>,
}

impl Bundle {
    /// The one that holds an index, of a log of this size.
    fn of(folder: &dyn Folder, index: u64, size: u64) -> Result<Self, SealError> {
        let number = index / WIDTH;
        let width = if number == size / WIDTH { partial_width(size, 0) } else { TILE_WIDTH };
        let path = bundle_path(number, width)?;
        let bytes = folder.read(&path)?;
        let bytes = bytes.ok_or_else(|| StoreError::Missing { path: path.clone() })?;
        let corrupt = |detail: String| SealError::corrupt(&path, detail);
        let bundle =
            EntryBundle::parse(&bytes, width).map_err(|error| corrupt(error.to_string()))?;
        let entry = |bytes| Entry::decode(bytes).map_err(|error| corrupt(error.to_string()));
        let entries = bundle.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { path, bytes, first: number * WIDTH, entries })
    }

    fn entry(&self, index: u64) -> Result<Entry, SealError> {
        let place = index.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let entry = place.and_then(|place| self.entries.get(place)).copied();
        entry.ok_or_else(|| SealError::corrupt(&self.path, format!("it ends before {index}")))
    }
}
