//! The tiles above the leaves, compared with what the leaves give; and the files that the
//! checkpoint does not need: earlier partial tiles, and those of a checkpoint that was never
//! published.

use super::bundle::{FRAMED_BYTES, Slot};
use super::source::{PublicLog, ReadError};
use super::tree::WIDTH;
use super::{Verifier, source};
use crate::report::{Finding, FindingKind};
use merkle::{BundleCoordinate, HASH_SIZE, Hash, TileCoordinate, TilePath};
use std::collections::BTreeMap;

/// Files beyond what the checkpoint needs that are looked at one by one. A log keeps a partial tile
/// or two for every checkpoint it published since the last full tile, far fewer than this.
const EXTRAS_MAX: usize = 65_536;

/// Where a tile or bundle stands; bundles are level -1.
type Place = (i8, u64);

const BUNDLES: i8 = -1;

/// The files that are not needed, by place, with their widths.
#[derive(Debug, Default)]
pub(super) struct Extras {
    places: BTreeMap<Place, Vec<u16>>,
    count: usize,
}

/// The size of the log that its bundles suggest, when no checkpoint can be believed.
pub(super) fn size_of_files(public: &mut dyn PublicLog) -> Result<u64, ReadError> {
    let mut full = 0_u64;
    let mut partial = BTreeMap::new();
    public.list(&mut |path| {
        if let Ok(TilePath::Bundle(bundle)) = path.parse() {
            if bundle.is_full() {
                full += 1;
            } else if partial.len() < EXTRAS_MAX {
                let width = partial.entry(bundle.number()).or_insert(0);
                *width = bundle.width().max(*width);
            }
        }
    })?;
    let rest = partial.get(&full).copied().unwrap_or(0);
    Ok(full * WIDTH as u64 + u64::from(rest))
}

impl Verifier<'_> {
    /// Lists the files that a tree of `size` does not need; reports those that are no tiles.
    pub(super) fn find_extras(&mut self, size: u64) {
        let (extras, report) = (&mut self.extras, &mut self.report);
        let listed = self.public.list(&mut |path| {
            if !path.starts_with("tile/") {
                return;
            }
            let (place, width) = match path.parse() {
                Ok(TilePath::Tile(tile)) => ((tile.level() as i8, tile.number()), tile.width()),
                Ok(TilePath::Bundle(bundle)) => ((BUNDLES, bundle.number()), bundle.width()),
                Err(_) => {
                    let detail = "not a file that a log has";
                    report.add(Finding::of_file(FindingKind::Unannounced, path, detail));
                    return;
                }
            };
            if width == needed_width(place, size) {
                return;
            }
            if extras.count < EXTRAS_MAX {
                extras.places.entry(place).or_default().push(width);
                extras.count += 1;
            } else {
                let detail = "one of too many files that the checkpoint does not need";
                report.add(Finding::of_file(FindingKind::Unannounced, path, detail));
            }
        });
        if let Err(error) = listed {
            self.report.note(format!("files that do not belong were not looked for: {error}"));
        }
    }

    /// Closes every full tile, lowest level first. Within the checkpoint (`published`) the tile's
    /// file must be there and right.
    pub(super) fn close_full_tiles(&mut self, published: bool) {
        let mut level = 0;
        while self.tree.is_full(level) {
            if published && level > 0 {
                self.check_tile(level);
            }
            self.check_extras(level, false);
            let told = self.told_above(level);
            self.tree.close(level, told);
            level += 1;
        }
    }

    /// Compares the partial tile at every level above the leaves with its file.
    pub(super) fn check_partial_tiles(&mut self) {
        for level in 1..self.tree.levels().len() {
            self.check_tile(level);
        }
    }

    /// Compares the remaining files with the right edge of the tree; what is then left over does
    /// not belong.
    pub(super) fn finish_extras(&mut self) {
        // A file may begin at a level that the tree does not reach yet.
        for level in 0..=self.tree.levels().len() {
            self.check_extras(level, true);
        }
        for ((level, number), widths) in std::mem::take(&mut self.extras.places) {
            for width in widths {
                let path = path_of((level, number), width);
                let detail = "nothing in the log accounts for this file";
                self.report.add(Finding::of_file(FindingKind::Unannounced, &path, detail));
            }
        }
    }

    /// Follows the entries of bundles that run past the checkpoint, when there are no records to
    /// say what comes there.
    pub(super) fn follow_extra_bundles(&mut self, mut index: u64) {
        loop {
            let place = (BUNDLES, index / WIDTH as u64);
            let known = (index % WIDTH as u64) as usize;
            let widths = self.extras.places.get(&place);
            let widest = widths.and_then(|widths| widths.iter().max()).copied().unwrap_or(0);
            if usize::from(widest) <= known {
                return;
            }
            let path = path_of(place, widest);
            let mut bytes = std::mem::take(&mut self.buffer);
            let there = read(self.public, &path, usize::from(widest) * FRAMED_BYTES, &mut bytes);
            let new = if there == Ok(true) { bytes.get(known * FRAMED_BYTES..) } else { None };
            let mut goes_on = true;
            for framed in new.unwrap_or_default().chunks_exact(FRAMED_BYTES) {
                goes_on = !self.tree.is_full(0) && self.take_extra(index, framed, &path);
                if !goes_on {
                    break;
                }
                index += 1;
            }
            self.buffer = bytes;
            if !goes_on || !self.tree.is_full(0) {
                return;
            }
            self.close_full_tiles(false);
            self.check_since();
        }
    }

    /// Follows one entry beyond the checkpoint; `false` when it does not continue the chain.
    fn take_extra(&mut self, index: u64, framed: &[u8], path: &str) -> bool {
        let slot = Slot::of(framed);
        let (Some(Ok(entry)), Some(leaf)) = (slot.entry, slot.found) else { return false };
        if self.last_leaf.is_some_and(|last| last.0 != entry.previous) {
            self.report.add_record(FindingKind::Corrupt, index, path, || {
                "an entry beyond the checkpoint does not continue the chain".to_owned()
            });
            return false;
        }
        self.follow(index, Some(&entry), path);
        self.report.unpublished += 1;
        self.last_leaf = Some(leaf);
        self.tree.push(Some(leaf));
        self.check_since();
        true
    }

    /// Compares the tile being filled at a level with its file.
    fn check_tile(&mut self, level: usize) {
        let Some(tile) = self.tree.levels().get(level) else { return };
        let (number, width) = (tile.number, tile.hashes.len());
        if width == 0 {
            return;
        }
        let place = (level as i8, number);
        let mut path = path_of(place, width as u16);
        let mut wanted = width * HASH_SIZE;
        let bytes = &mut self.buffer;
        let mut there = read(self.public, &path, wanted, bytes);
        if there == Ok(false) && width < WIDTH {
            // The partial form may be tidied away once the full tile exists.
            let full = path_of(place, WIDTH as u16);
            wanted = WIDTH * HASH_SIZE;
            there = read(self.public, &full, wanted, bytes);
            if there == Ok(true) {
                path = full;
            }
        }
        let first = first_entry(level, number, 0);
        let (kind, index, detail) = match there {
            Ok(false) => (FindingKind::Missing, first, "the file is gone".to_owned()),
            Err(error) => {
                let detail = format!("the file cannot be read: {error}");
                (FindingKind::Unreadable, first, detail)
            }
            Ok(true) if bytes.len() != wanted => {
                let whole = (bytes.len() / HASH_SIZE).min(width - 1);
                let detail = format!("another length than {wanted} bytes");
                (FindingKind::Corrupt, first_entry(level, number, whole), detail)
            }
            Ok(true) => match first_difference(&tile.hashes, bytes) {
                None => return,
                Some((at, count)) => {
                    let detail = format!(
                        "the tile was altered: {count} of its hashes are not those of the entries"
                    );
                    (FindingKind::Corrupt, first_entry(level, number, at), detail)
                }
            },
        };
        self.report.add(Finding { kind, index: Some(index), count: 0, file: path, detail });
    }

    /// Compares the files that are not needed at one place with what is known there. `is_edge`:
    /// nothing more will be known.
    fn check_extras(&mut self, level: usize, is_edge: bool) {
        if self.extras.places.is_empty() {
            return;
        }
        let known = self.tree.levels().get(level);
        let (number, hashes) = known.map_or((0, &[][..]), |tile| (tile.number, &tile.hashes[..]));
        let places = [(level == 0).then_some(BUNDLES), i8::try_from(level).ok()];
        for place in places.into_iter().flatten().map(|level| (level, number)) {
            for width in self.extras.places.remove(&place).unwrap_or_default() {
                let path = path_of(place, width);
                let unit = if place.0 == BUNDLES { FRAMED_BYTES } else { HASH_SIZE };
                let wanted = usize::from(width) * unit;
                let there = read(self.public, &path, wanted, &mut self.buffer);
                // Listed, and tidied away since by whoever writes the log.
                if there == Ok(false) {
                    continue;
                }
                let extra = Extra { place, bytes: &self.buffer, wanted, hashes };
                let finding = match there {
                    Err(error) => {
                        Some((FindingKind::Unreadable, format!("the file cannot be read: {error}")))
                    }
                    Ok(_) => extra.fault().map(|detail| (FindingKind::Corrupt, detail)),
                };
                if let Some((kind, detail)) = finding {
                    self.report.add(Finding::of_file(kind, &path, detail));
                } else if is_edge && usize::from(width) > hashes.len() {
                    // Whoever writes a tile has written the bundles under it, so above the leaves
                    // nothing runs past what was followed.
                    if self.records.is_some() || level > 0 {
                        let detail = "it commits to entries beyond the last record";
                        self.report.add(Finding::of_file(FindingKind::Unannounced, &path, detail));
                    } else {
                        self.report.notes.push(format!("{path} runs past the checkpoint"));
                    }
                }
            }
        }
    }

    /// The hash of the full tile at `level` as the file of the level above holds it, if a hash
    /// below is not known.
    fn told_above(&mut self, level: usize) -> Option<Hash> {
        let tile = self.tree.levels().get(level)?;
        if tile.hashes.iter().all(Option::is_some) {
            return None;
        }
        let number = tile.number;
        self.parent_hash(level, number)
    }

    /// The hash of full tile `number` at `level` as the file of the level above holds it.
    pub(super) fn parent_hash(&mut self, level: usize, number: u64) -> Option<Hash> {
        let above = ((level + 1) as i8, number / WIDTH as u64);
        let at = (number % WIDTH as u64) as usize;
        let width = match needed_width(above, self.size) {
            0 => return None,
            width => width,
        };
        let mut bytes = std::mem::take(&mut self.buffer);
        let limit = usize::from(width) * HASH_SIZE;
        let there = read(self.public, &path_of(above, width), limit, &mut bytes);
        let hash = bytes.as_chunks::<HASH_SIZE>().0.get(at).copied().map(Hash);
        self.buffer = bytes;
        hash.filter(|_| there == Ok(true))
    }
}

impl Slot {
    /// Reads an entry with its length in front, for files that are not needed.
    fn of(framed: &[u8]) -> Self {
        let mut slot = Self::read(framed);
        if !slot.framed {
            slot.entry = None;
        }
        slot
    }
}

/// A file that is not needed, beside what is known at its place.
struct Extra<'e> {
    place: Place,
    bytes: &'e [u8],
    wanted: usize,
    hashes: &'e [Option<Hash>],
}

impl Extra<'_> {
    /// Why the file disagrees with what is known.
    fn fault(&self) -> Option<String> {
        if self.bytes.len() != self.wanted {
            return Some(format!("another length than {} bytes", self.wanted));
        }
        let at = if self.place.0 == BUNDLES {
            let mut framed = self.bytes.chunks_exact(FRAMED_BYTES).map(Slot::of).enumerate();
            framed.find_map(|(at, slot)| {
                let known = self.hashes.get(at).copied().flatten();
                let is_wrong = slot.entry.is_none() || known.is_some() && known != slot.found;
                is_wrong.then_some(at)
            })
        } else {
            first_difference(self.hashes, self.bytes).map(|(at, _)| at)
        };
        at.map(|at| format!("position {at} is not what the log has there"))
    }
}

/// The first position where a tile's bytes differ from the known hashes, and how many do.
fn first_difference(hashes: &[Option<Hash>], bytes: &[u8]) -> Option<(usize, usize)> {
    let pairs = hashes.iter().zip(bytes.as_chunks::<HASH_SIZE>().0).enumerate();
    let mut wrong = pairs.filter(|(_, (known, told))| known.is_some_and(|known| known.0 != **told));
    let (first, _) = wrong.next()?;
    Some((first, 1 + wrong.count()))
}

/// The width of the file that a tree of `size` needs at a place; 0 if none.
fn needed_width(place: Place, size: u64) -> u16 {
    let (level, number) = place;
    let shift = 8 * u32::from(level.max(0).unsigned_abs());
    let hashes = size.checked_shr(shift).unwrap_or(0);
    let before = number.saturating_mul(WIDTH as u64);
    hashes.saturating_sub(before).min(WIDTH as u64) as u16
}

/// The index of the first entry under a hash of a tile.
fn first_entry(level: usize, number: u64, at: usize) -> u64 {
    let hash = number.saturating_mul(WIDTH as u64).saturating_add(at as u64);
    hash.checked_shl(8 * level as u32).unwrap_or(u64::MAX)
}

/// The path of the file at a place; places come from parsed paths or from the tree, so there is
/// one.
fn path_of(place: Place, width: u16) -> String {
    let path = match u8::try_from(place.0) {
        Err(_) => BundleCoordinate::new(place.1, width).map(|it| it.path()),
        Ok(level) => TileCoordinate::new(level, place.1, width).map(|it| it.path()),
    };
    path.unwrap_or_default()
}

/// Reads a file of `wanted` bytes, or one more if it is too long.
fn read(
    public: &mut dyn PublicLog,
    path: &str,
    wanted: usize,
    out: &mut Vec<u8>,
) -> Result<bool, source::ReadError> {
    out.clear();
    public.read(path, wanted + 1, out)
}
