//! The public entries, one after the other or at a place: what the log says about a record without
//! showing it.
//!
//! Read as they lie, not checked: whether they are the ones that were signed is `prove`'s to say.

use crate::public_file;
use event::Entry;
use merkle::{BundleCoordinate, EntryBundle, TILE_WIDTH, TilePath};
use store::Folder;

/// The entries under a checkpoint.
pub struct Entries<'e> {
    folder: &'e dyn Folder,
    size: u64,
    /// The bundle that was read last: its number, and its entries, if it reads.
    bundle: Option<(u64, Vec<Option<Entry>>)>,
}

impl<'e> Entries<'e> {
    /// The first `size` entries.
    pub fn new(folder: &'e dyn Folder, size: u64) -> Self {
        Self { folder, size, bundle: None }
    }

    /// The entry at an index; `None` when there is none, or it does not read.
    pub fn at(&mut self, index: u64) -> Option<Entry> {
        if index >= self.size {
            return None;
        }
        let width = u64::from(TILE_WIDTH);
        let number = index / width;
        if self.bundle.as_ref().is_none_or(|(of, _)| *of != number) {
            self.bundle = Some((number, self.read(number).unwrap_or_default()));
        }
        let place = usize::try_from(index % width).ok()?;
        self.bundle.as_ref()?.1.get(place).copied().flatten()
    }

    /// The hash of a leaf; `None` as for [`Entries::at`].
    pub fn leaf(&mut self, index: u64) -> Option<[u8; 32]> {
        Some(merkle::leaf_hash(&self.at(index)?.encode()).0)
    }

    /// The same in hexadecimal.
    pub fn leaf_hash(&mut self, index: u64) -> Option<String> {
        self.leaf(index).map(hex::encode)
    }

    /// Reads a bundle, or the beginning of the wider one in which it has become.
    fn read(&self, number: u64) -> Option<Vec<Option<Entry>>> {
        let width = u64::from(TILE_WIDTH);
        let wide = u16::try_from(self.size.checked_sub(number * width)?.min(width)).ok()?;
        let bundle = TilePath::Bundle(BundleCoordinate::new(number, wide).ok()?);
        let bytes = public_file(self.folder, bundle).ok()??;
        let bundle = EntryBundle::parse(&bytes, wide).ok()?;
        Some(bundle.iter().map(|bytes| Entry::decode(bytes).ok()).collect())
    }
}
