//! Does a log that is being opened continue what it signed before? What it signed was kept by
//! somebody else: in the log's own folder nothing shows that the folder was put back.
//!
//! Not here: where such a checkpoint is kept (`reading`), and what is done when it does not fit.

use crate::error::SealError;
use crate::sequence::Sequence;
use checkpoint::Checkpoint;
use merkle::{TileCoordinate, TileReader, consistency_proof, tree_root, verify_consistency};
use store::{Folder, StoreError};

/// Compares a log that was read, and to which nothing was written yet, with a head that it signed.
///
/// # Errors
/// [`SealError::RolledBack`], [`SealError::Forked`].
pub(crate) fn check(
    folder: &dyn Folder,
    sequence: &Sequence,
    kept: &Checkpoint,
) -> Result<(), SealError> {
    let (size, root) = (sequence.size(), sequence.tree.root());
    if kept.size > size {
        return Err(SealError::RolledBack { size, kept: kept.size });
    }
    let is_other = match kept.size == size {
        true => root != kept.root,
        false => root_before(folder, sequence, kept.size).is_some_and(|root| root != kept.root),
    };
    match is_other {
        true => Err(SealError::Forked { size, kept: kept.size }),
        false => Ok(()),
    }
}

/// The root that this log had at a smaller size. `None` when a tile is damaged: then nothing is
/// known, and damage is no other history. `verify` names it.
fn root_before(folder: &dyn Folder, sequence: &Sequence, before: u64) -> Option<merkle::Hash> {
    let (size, root) = (sequence.size(), sequence.tree.root());
    let reader = TileReader::new(|tile| tile_of(folder, sequence, tile), size);
    let root_before = tree_root(&reader, before).ok()?;
    let proof = consistency_proof(&reader, before, size).ok()?;
    verify_consistency(before, &root_before, size, &root, &proof).ok()?;
    Some(root_before)
}

/// A tile of the log's whole tree: the newest ones are in memory still.
fn tile_of(
    folder: &dyn Folder,
    sequence: &Sequence,
    tile: TileCoordinate,
) -> Result<Option<Vec<u8>>, StoreError> {
    let path = tile.path();
    if let Some(bytes) = sequence.unwritten(&path) {
        return Ok(Some(bytes.to_vec()));
    }
    if let Some((_, bytes)) = sequence.tree.partial_tiles().find(|(partial, _)| *partial == tile) {
        return Ok(Some(bytes.to_vec()));
    }
    folder.read(&path)
}
