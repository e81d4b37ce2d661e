//! One entry bundle beside its level-0 tile: both are read, and where they disagree it is decided
//! which of the two is right.
//!
//! Not here: what an entry must be after its predecessor (`walk.rs`), higher tiles (`tiles.rs`).

use super::source::PublicLog;
use crate::report::{Finding, FindingKind, Report};
use event::{ENTRY_BYTES, Entry, EntryError};
use merkle::{BundleCoordinate, HASH_SIZE, Hash, TileCoordinate, leaf_hash};

/// Bytes of an entry in a bundle, its length in front.
pub(super) const FRAMED_BYTES: usize = 2 + ENTRY_BYTES;

/// The length that stands before every entry.
const PREFIX: [u8; 2] = (ENTRY_BYTES as u16).to_be_bytes();

/// A bundle with its tile, position by position. Reused from bundle to bundle.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    /// The index of its first entry.
    pub(super) first: u64,
    /// The positions, as many as the bundle is wide.
    pub(super) slots: Vec<Slot>,
    /// The bundle's file.
    pub(super) file: String,
    /// The tile's file.
    pub(super) tile_file: String,
    bytes: Vec<u8>,
}

/// What two files say about one entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// The entry as it reads in the bundle.
    pub(super) entry: Option<Result<Entry, EntryError>>,
    /// Whether its length stands before it.
    pub(super) framed: bool,
    /// The hash of the bytes in the bundle.
    pub(super) found: Option<Hash>,
    /// The hash in the tile.
    pub(super) told: Option<Hash>,
    /// The leaf hash that was decided for.
    pub(super) leaf: Option<Hash>,
}

impl Slot {
    /// Reads an entry with its length in front.
    pub(super) fn read(framed: &[u8]) -> Self {
        let Some((prefix, bytes)) = framed.split_first_chunk::<2>() else { return Self::default() };
        let found = Some(leaf_hash(bytes));
        let entry = Some(Entry::decode(bytes));
        Self { entry, framed: *prefix == PREFIX, found, told: None, leaf: None }
    }

    /// The entry, if it is the one that the tree commits to.
    #[inline]
    pub(super) fn intact(&self) -> Option<&Entry> {
        match &self.entry {
            Some(Ok(entry)) if self.found == self.leaf => Some(entry),
            _ => None,
        }
    }
}

impl Bundle {
    /// Reads a bundle and its tile; what is missing or has a wrong length goes to the report.
    /// Returns whether any of the two is there.
    pub(super) fn load(
        &mut self,
        public: &mut dyn PublicLog,
        report: &mut Report,
        number: u64,
        width: u16,
    ) -> bool {
        self.first = number.saturating_mul(u64::from(merkle::TILE_WIDTH));
        self.slots.clear();
        self.slots.resize(usize::from(width), Slot::default());
        let of_bundle = |width| BundleCoordinate::new(number, width).map(|it| it.path()).ok();
        let paths = (of_bundle(width), of_bundle(merkle::TILE_WIDTH));
        let mut file = File { public, report, unit: FRAMED_BYTES, width, first: self.first };
        let bundle_is_there = file.read(paths, &mut self.bytes, &mut self.file);
        for (slot, framed) in self.slots.iter_mut().zip(self.bytes.chunks_exact(FRAMED_BYTES)) {
            *slot = Slot::read(framed);
        }
        let of_tile = |width| TileCoordinate::new(0, number, width).map(|it| it.path()).ok();
        let paths = (of_tile(width), of_tile(merkle::TILE_WIDTH));
        let mut file = File { unit: HASH_SIZE, ..file };
        let tile_is_there = file.read(paths, &mut self.bytes, &mut self.tile_file);
        for (slot, hash) in self.slots.iter_mut().zip(self.bytes.as_chunks::<HASH_SIZE>().0) {
            slot.told = Some(Hash(*hash));
        }
        bundle_is_there || tile_is_there
    }

    /// Whether bundle and tile are both whole and say the same; then that is decided.
    pub(super) fn agrees(&mut self) -> bool {
        let agrees = self.slots.iter().all(|slot| slot.found.is_some() && slot.found == slot.told);
        if agrees {
            self.slots.iter_mut().for_each(|slot| slot.leaf = slot.found);
        }
        agrees
    }

    /// Decides what the leaves are where bundle and tile disagree or one is not there. `is_right`
    /// asks whoever knows the hash over all of them; it answers `None` if nobody does. Then the
    /// previous hash in the next entry decides.
    pub(super) fn settle(&mut self, mut is_right: impl FnMut(&[Option<Hash>]) -> Option<bool>) {
        let chained = |place: usize| match self.slots.get(place + 1)?.entry {
            Some(Ok(next)) => Some(Hash(next.previous)),
            _ => None,
        };
        let places = || self.slots.iter().enumerate();
        let tile: Vec<Option<Hash>> =
            places().map(|(place, slot)| slot.told.or(chained(place)).or(slot.found)).collect();
        let bundle: Vec<Option<Hash>> =
            places().map(|(place, slot)| slot.found.or(slot.told).or(chained(place))).collect();
        let chain: Vec<Option<Hash>> = places()
            .map(|(place, slot)| match chained(place) {
                Some(hash) if slot.found == Some(hash) || slot.told == Some(hash) => Some(hash),
                _ => slot.told.or(slot.found),
            })
            .collect();
        let right = [&tile, &bundle, &chain].into_iter().find(|it| is_right(it) == Some(true));
        for (slot, leaf) in self.slots.iter_mut().zip(right.unwrap_or(&chain)) {
            slot.leaf = *leaf;
        }
    }

    /// Reports what is wrong with the bytes at one position, now that the leaf is decided.
    #[cold]
    pub(super) fn blame(&self, place: usize, report: &mut Report) {
        let Some(slot) = self.slots.get(place) else { return };
        let index = self.first.saturating_add(place as u64);
        let mut blame = |file: &str, detail: &dyn Fn() -> String| {
            report.add_record(FindingKind::Corrupt, index, file, detail);
        };
        match (&slot.entry, slot.found, slot.leaf) {
            (_, Some(found), Some(leaf)) if found != leaf => blame(&self.file, &|| {
                format!("the entry was altered: it hashes to {found}, the tree has {leaf}")
            }),
            (Some(Err(error)), ..) => blame(&self.file, &|| format!("not an entry: {error}")),
            (Some(_), ..) if !slot.framed => {
                blame(&self.file, &|| format!("the length before the entry is not {ENTRY_BYTES}"))
            }
            _ => {}
        }
        if let (Some(told), Some(leaf)) = (slot.told, slot.leaf)
            && told != leaf
        {
            blame(&self.tile_file, &|| {
                format!("the tile was altered: it has {told}, the entry hashes to {leaf}")
            });
        }
    }
}

/// A file of `width` units, about to be read.
struct File<'f> {
    public: &'f mut dyn PublicLog,
    report: &'f mut Report,
    /// Bytes of one unit.
    unit: usize,
    width: u16,
    /// The index of the first entry that it is about.
    first: u64,
}

impl File<'_> {
    /// Reads the file, or the beginning of the full one if its partial form was tidied away, as
    /// `tlog-tiles` allows; keeps whole units only. `paths`: as wide as needed, and full.
    fn read(
        &mut self,
        paths: (Option<String>, Option<String>),
        out: &mut Vec<u8>,
        name: &mut String,
    ) -> bool {
        out.clear();
        let (Some(path), Some(full)) = paths else { return false };
        *name = path;
        let mut width = usize::from(self.width);
        // One byte more than it may have shows whether it is too long.
        let mut there = self.public.read(name, width * self.unit + 1, out);
        if there == Ok(false) && width < usize::from(merkle::TILE_WIDTH) {
            width = usize::from(merkle::TILE_WIDTH);
            there = self.public.read(&full, width * self.unit + 1, out);
            if there == Ok(true) {
                *name = full;
            }
        }
        let count = u64::from(self.width);
        let finding = match there {
            Ok(true) => return self.fit(width, out, name),
            Ok(false) => {
                let detail = "the file is gone";
                Finding::of_records(FindingKind::Missing, self.first, count, name, detail)
            }
            Err(error) => {
                let detail = format!("the file cannot be read: {error}");
                Finding::of_records(FindingKind::Unreadable, self.first, count, name, detail)
            }
        };
        out.clear();
        self.report.add(finding);
        false
    }

    /// Cuts the bytes to the units that are needed; another length than `width` units is a fault.
    fn fit(&mut self, width: usize, out: &mut Vec<u8>, name: &str) -> bool {
        let (wanted, got) = (width * self.unit, out.len());
        let whole = (got / self.unit).min(usize::from(self.width));
        if got > wanted {
            let detail = format!("more than the {wanted} bytes that belong in it");
            self.report.add(Finding::of_file(FindingKind::Corrupt, name, detail));
        } else if got < wanted {
            let (index, count) = (self.first + whole as u64, usize::from(self.width) - whole);
            let detail = format!("cut short: {got} bytes instead of {wanted}");
            let kind = FindingKind::Corrupt;
            self.report.add(Finding::of_records(kind, index, count as u64, name, detail));
        }
        out.truncate(whole * self.unit);
        true
    }
}
