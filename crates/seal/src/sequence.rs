//! Order: every record gets its index, record time, stream sequence and leaf here, in one place and
//! by one thread. Touches no file; what it hands out becomes true only when the journal has it.

use crate::batch::{Batch, Fingerprints, Item};
use crate::error::SealError;
use crate::receipt::Outcome;
use crate::streams::{DAY_MS, Streams};
use crate::window::{Seen, Window};
use event::{ENTRY_BYTES, Entry, Record};
use merkle::{
    BundleCoordinate, Hash, TILE_WIDTH, TileBuilder, TileCoordinate, append_entry, leaf_hash,
};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// A finished file of the public log: its path and bytes, which are dropped once they are written.
pub(crate) type PublicFile = (String, Arc<Vec<u8>>);

/// Leaf hashes kept in memory, to answer for duplicates without reading tiles: 65,536 of them, 2
/// MiB.
const RECENT_LEAVES: usize = 1 << 16;

/// The order of one log at its end.
pub(crate) struct Sequence {
    pub(crate) tree: TileBuilder,
    pub(crate) previous: Hash,
    pub(crate) time_ms: u64,
    pub(crate) streams: Streams,
    pub(crate) window: Window,
    /// The entry bundle that is not full yet.
    pub(crate) bundle: Vec<u8>,
    /// Full tiles and bundles that were not handed to the publisher yet.
    pub(crate) full: Vec<PublicFile>,
    /// Tiles of leaves that the publisher has and has perhaps not written yet.
    leaving: Vec<(String, Weak<Vec<u8>>)>,
    recent: VecDeque<Hash>,
}

/// What sealing one group gave, beside the payload it wrote.
pub(crate) struct Group {
    pub(crate) first_index: u64,
    pub(crate) count: u32,
    pub(crate) outcomes: Vec<Vec<Outcome>>,
}

/// An outcome whose leaf hash must still be looked up.
const UNKNOWN_LEAF: [u8; 32] = [0; 32];

impl Sequence {
    pub(crate) fn new(streams: Streams) -> Self {
        Self {
            tree: TileBuilder::new(),
            previous: Hash([0; 32]),
            time_ms: 0,
            streams,
            window: Window::default(),
            bundle: Vec::new(),
            full: Vec::new(),
            leaving: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Gives every new record of the batches its place and appends it to `payload`, which starts
    /// with the hash of the leaf before. Redelivered events get the outcome of the first delivery.
    pub(crate) fn seal<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
        now_ms: u64,
        payload: &mut Vec<u8>,
    ) -> Result<Group, SealError> {
        let first_index = self.size();
        payload.extend_from_slice(&self.previous.0);
        // Record time never goes back, whatever the clock does.
        self.time_ms = self.time_ms.max(now_ms);
        let outcomes: Vec<Vec<Outcome>> = batches
            .map(|batch| {
                self.window.warm(batch.items.iter().map(|item| item.name));
                batch.items.iter().map(|item| self.place(batch, item, payload)).collect()
            })
            .collect::<Result<_, _>>()?;
        let count = u32::try_from(self.size() - first_index).unwrap_or(u32::MAX);
        Ok(Group { first_index, count, outcomes })
    }

    fn place(
        &mut self,
        batch: &Batch,
        item: &Item,
        payload: &mut Vec<u8>,
    ) -> Result<Outcome, SealError> {
        let index = self.size();
        let new = Seen { index, fingerprint: item.fingerprint };
        if let Some(seen) = self.window.check_or_insert(item.name, new) {
            return Ok(if seen.fingerprint == item.fingerprint {
                let leaf_hash = self.recent_leaf(seen.index).unwrap_or(UNKNOWN_LEAF);
                Outcome::Duplicate { index: seen.index, leaf_hash }
            } else {
                Outcome::Conflict { index: seen.index }
            });
        }
        let (stream, sequence) = self.streams.next(item, &batch.texts, self.time_ms, index)?;
        let entry = Entry {
            kind: item.kind,
            tier: item.tier,
            time_ms: self.time_ms,
            stream,
            sequence,
            previous: self.previous.0,
            commitment: item.commitment,
        };
        let start = payload.len();
        payload.extend_from_slice(batch.bytes.get(item.record.clone()).unwrap_or_default());
        let header = &mut payload[start..];
        header[4..12].copy_from_slice(&self.time_ms.to_be_bytes());
        header[12..28].copy_from_slice(&stream);
        header[28..36].copy_from_slice(&sequence.to_be_bytes());
        let leaf = self.append(&entry)?;
        Ok(Outcome::Sealed { index, leaf_hash: leaf.0 })
    }

    /// Appends an entry to the tree and to the files of the public log.
    fn append(&mut self, entry: &Entry) -> Result<Hash, SealError> {
        let bytes: [u8; ENTRY_BYTES] = entry.encode();
        let leaf = leaf_hash(&bytes);
        if self.bundle.capacity() == 0 {
            self.bundle.reserve_exact((ENTRY_BYTES + 2) * usize::from(TILE_WIDTH));
        }
        append_entry(&mut self.bundle, &bytes)
            .map_err(|error| SealError::corrupt("tile/entries", error.to_string()))?;
        let full = &mut self.full;
        self.tree
            .push(leaf, |tile: TileCoordinate, bytes| full.push((tile.path(), Arc::new(bytes))));
        let size = self.tree.size();
        if size.is_multiple_of(u64::from(TILE_WIDTH)) {
            let number = size / u64::from(TILE_WIDTH) - 1;
            let path = bundle_path(number, TILE_WIDTH)?;
            self.full.push((path, Arc::new(std::mem::take(&mut self.bundle))));
        }
        self.previous = leaf;
        self.recent.push_back(leaf);
        if self.recent.len() > RECENT_LEAVES {
            self.recent.pop_front();
        }
        Ok(leaf)
    }

    /// Takes a record into account that the journal holds already, as recovery finds it.
    pub(crate) fn replay(&mut self, record: &Record<'_>) -> Result<(), SealError> {
        let entry = record.entry(self.previous.0);
        self.time_ms = self.time_ms.max(entry.time_ms);
        self.streams.restore(entry.time_ms / DAY_MS, entry.stream, entry.sequence)?;
        self.append(&entry).map(|_| ())
    }

    /// Remembers the id of a record that the journal holds already.
    pub(crate) fn remember(&mut self, record: &Record<'_>, index: u64, names: &Fingerprints) {
        if let Some(id) = event_id(record.meta) {
            let fingerprint = names.content(record.meta, record.content);
            self.window.check_or_insert(names.name(&id), Seen { index, fingerprint });
        }
    }

    /// The files that a checkpoint of the current size needs beside the full ones.
    pub(crate) fn partial_files(&self) -> Result<Vec<PublicFile>, SealError> {
        let file = |(tile, bytes): (TileCoordinate, &[u8])| (tile.path(), Arc::new(bytes.to_vec()));
        let mut files: Vec<PublicFile> = self.tree.partial_tiles().map(file).collect();
        let width = merkle::partial_width(self.size(), 0);
        if width > 0 {
            let path = bundle_path(self.size() / u64::from(TILE_WIDTH), width)?;
            files.push((path, Arc::new(self.bundle.clone())));
        }
        Ok(files)
    }

    /// The first `count` full files, for the publisher. Until it has written and dropped them,
    /// their leaves are answered for from here.
    pub(crate) fn hand_over(&mut self, count: usize) -> Vec<PublicFile> {
        self.leaving.retain(|(_, bytes)| bytes.strong_count() > 0);
        let files: Vec<PublicFile> = self.full.drain(..count.min(self.full.len())).collect();
        let tiles = files.iter().filter(|(path, _)| is_leaves(path));
        self.leaving.extend(tiles.map(|(path, bytes)| (path.clone(), Arc::downgrade(bytes))));
        files
    }

    /// Takes back what was handed over last, and not taken.
    pub(crate) fn take_back(&mut self, files: Vec<PublicFile>) {
        let tiles = files.iter().filter(|(path, _)| is_leaves(path)).count();
        self.leaving.truncate(self.leaving.len().saturating_sub(tiles));
        self.full.splice(..0, files);
    }

    /// A full file that is not in its place yet, as far as is known here.
    pub(crate) fn unwritten(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        let full = self.full.iter().find(|(it, _)| it == path).map(|(_, bytes)| Arc::clone(bytes));
        let leaving = || self.leaving.iter().find(|(it, _)| it == path)?.1.upgrade();
        full.or_else(leaving)
    }

    /// The hash of a leaf that was appended lately.
    fn recent_leaf(&self, index: u64) -> Option<[u8; 32]> {
        let back = usize::try_from(self.size().checked_sub(index)?).ok()?;
        self.recent.get(self.recent.len().checked_sub(back)?).map(|hash| hash.0)
    }
}

/// Whether a file is a tile of leaves.
fn is_leaves(path: &str) -> bool {
    path.starts_with("tile/0/")
}

impl Outcome {
    /// The index of a duplicate whose leaf hash is not known yet.
    pub(crate) fn unknown_leaf(&self) -> Option<u64> {
        match self {
            Self::Duplicate { index, leaf_hash } if *leaf_hash == UNKNOWN_LEAF => Some(*index),
            _ => None,
        }
    }
}

pub(crate) fn bundle_path(number: u64, width: u16) -> Result<String, SealError> {
    BundleCoordinate::new(number, width)
        .map(|coordinate| coordinate.path())
        .map_err(|error| SealError::corrupt("tile/entries", error.to_string()))
}

/// The event id of stored metadata: second member by the format, so it is found without parsing the
/// rest.
pub(crate) fn event_id(meta: &[u8]) -> Option<String> {
    let prefix = b"{\"schema\":\"tachograph.event/1\",\"event_id\":\"";
    let rest = meta.strip_prefix(prefix)?;
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    if rest[end] == b'"' {
        return std::str::from_utf8(&rest[..end]).ok().map(str::to_owned);
    }
    let event = event::Event::from_stored(meta, &[]).ok()?;
    event.event_id.map(std::borrow::Cow::into_owned)
}
