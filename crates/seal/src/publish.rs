//! Publishing: tiles and entry bundles, then the checkpoint that commits to them, so that the
//! folder is a C2SP tile log as it lies.
//!
//! Everything here can be made again from the journal, so full tiles are written without waiting
//! for the disk. Only a published checkpoint promises that they are there: before it moves, they
//! are synced.

use crate::error::SealError;
use crate::sequence::{PublicFile, bundle_path};
use merkle::{TILE_WIDTH, TileCoordinate, partial_width};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Folder, StoreError};

/// The path of the published checkpoint.
pub const CHECKPOINT_PATH: &str = "checkpoint";

/// The head to publish: its size, its partial files and its signed note.
pub(crate) struct Head {
    pub(crate) partial: Vec<PublicFile>,
    pub(crate) note: Arc<str>,
}

/// Writes the public files of one log.
pub(crate) struct Publisher {
    folder: Arc<dyn Folder>,
    /// Written and not yet synced.
    unsynced: Vec<String>,
    /// The partial files that the published checkpoint needs.
    partial: BTreeSet<String>,
}

impl Publisher {
    pub(crate) fn new(folder: Arc<dyn Folder>, partial: BTreeSet<String>) -> Self {
        Self { folder, unsynced: Vec::new(), partial }
    }

    /// Writes full tiles and bundles; a crash may lose or tear them, and recovery writes them
    /// again.
    pub(crate) fn write_full(&mut self, files: Vec<PublicFile>) -> Result<(), StoreError> {
        for (path, bytes) in files {
            self.folder.write(&path, &bytes)?;
            self.unsynced.push(path);
        }
        Ok(())
    }

    /// Publishes a head. All full files below its size were given to [`Publisher::write_full`]
    /// before.
    pub(crate) fn publish(&mut self, head: Head) -> Result<(), StoreError> {
        let mut partial = BTreeSet::new();
        for (path, bytes) in head.partial {
            // One that the published checkpoint needs has these bytes already, and must not be put
            // at risk: a new file under an old name may be empty after a crash until it is synced.
            if !self.partial.contains(&path) {
                self.folder.write(&path, &bytes)?;
                self.unsynced.push(path.clone());
            }
            partial.insert(path);
        }
        // A crash up to here leaves tiles that no checkpoint speaks of: recovery replaces them.
        self.folder.sync(&self.unsynced)?;
        self.unsynced.clear();
        // INVARIANT: everything that the new checkpoint commits to is durable now.
        self.folder.replace(CHECKPOINT_PATH, head.note.as_bytes())?;
        // A crash from here on leaves partial tiles of the old checkpoint: harmless, removed at the
        // next start.
        for old in self.partial.difference(&partial) {
            self.folder.remove(old)?;
        }
        self.partial = partial;
        Ok(())
    }
}

/// The partial files that a checkpoint of `size` needs.
pub(crate) fn partial_paths(size: u64) -> Result<BTreeSet<String>, SealError> {
    let mut paths: BTreeSet<String> = merkle::tiles_of_size(size)
        .filter(|tile| !tile.is_full())
        .map(|tile| tile.path())
        .collect();
    let width = partial_width(size, 0);
    if width > 0 {
        paths.insert(bundle_path(size / u64::from(TILE_WIDTH), width)?);
    }
    Ok(paths)
}

/// Removes partial files that a crash left between the published size and the recovered one.
pub(crate) fn remove_strays(
    folder: &dyn Folder,
    published: u64,
    size: u64,
) -> Result<(), SealError> {
    let keep = partial_paths(published)?;
    let mut stray = Vec::new();
    for level in 0..8_u8 {
        let shift = 8 * (u32::from(level) + 1);
        let numbers =
            published.checked_shr(shift).unwrap_or(0)..=size.checked_shr(shift).unwrap_or(0);
        for number in numbers {
            let path = |coordinate: String| format!("{coordinate}.p");
            let tile = TileCoordinate::new(level, number, TILE_WIDTH)
                .map_err(|error| SealError::corrupt("tile", error.to_string()))?;
            stray.extend(folder.list(&path(tile.path()))?);
            if level == 0 {
                stray.extend(folder.list(&path(bundle_path(number, TILE_WIDTH)?))?);
            }
        }
    }
    for path in stray.into_iter().filter(|path| !keep.contains(path)) {
        folder.remove(&path)?;
    }
    for path in folder
        .list(store::CACHE_FOLDER)?
        .into_iter()
        .filter(|path| path.ends_with(store::TEMPORARY_SUFFIX))
    {
        folder.remove(&path)?;
    }
    Ok(())
}
