//! Hashes read out of stored tiles.
//!
//! It does not decide where tiles are kept ([`TileSource`] does) and trusts what it reads: a proof
//! made from altered tiles fails against the signed root. Next door: `layout.rs`.

use crate::coordinate::{TILE_HEIGHT, TILE_WIDTH, TileCoordinate};
use crate::hash::{HASH_SIZE, Hash};
use crate::node::{HashReader, NodeId};
use crate::tile_builder::perfect_root;

/// Where the bytes of tiles come from: a folder, a bucket, a cache.
///
/// Every `Fn(TileCoordinate) -> Result<Option<Vec<u8>>, E>` is one.
pub trait TileSource {
    /// Why a tile could not be read.
    type Error;

    /// The bytes of exactly this tile; `None` if it does not exist.
    ///
    /// # Errors
    /// When it may exist but cannot be read.
    fn tile_bytes(&self, tile: TileCoordinate) -> Result<Option<Vec<u8>>, Self::Error>;
}

impl<F, E> TileSource for F
where
    F: Fn(TileCoordinate) -> Result<Option<Vec<u8>>, E>,
{
    type Error = E;

    fn tile_bytes(&self, tile: TileCoordinate) -> Result<Option<Vec<u8>>, E> {
        self(tile)
    }
}

/// Why a hash could not be read out of tiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileReadError<E> {
    /// The node is not in a tree of the reader's size.
    #[error("{node} is not in a tree of size {size}; use a reader of a size that covers it")]
    OutOfRange {
        /// The node asked for.
        node: NodeId,
        /// The size of the reader.
        size: u64,
    },
    /// Neither the tile nor the full one at its place exists.
    #[error("{0} does not exist; restore it from a copy, or rebuild it from the entries")]
    Missing(TileCoordinate),
    /// The tile has the wrong length.
    #[error("{tile} has {got} bytes instead of {wanted}; the file was cut or altered",
        wanted = tile.byte_length())]
    Length {
        /// The tile.
        tile: TileCoordinate,
        /// How many bytes it has.
        got: usize,
    },
    /// The tile could not be read.
    #[error("{tile} could not be read: {source}")]
    Source {
        /// The tile.
        tile: TileCoordinate,
        /// What the source said.
        source: E,
    },
}

/// A [`HashReader`] over the tiles of a tree of one size.
#[derive(Clone, Debug)]
pub struct TileReader<S> {
    source: S,
    size: u64,
}

impl<S: TileSource> TileReader<S> {
    /// Reads the tree of `size` entries, whose tiles `source` holds.
    pub fn new(source: S, size: u64) -> Self {
        TileReader { source, size }
    }

    /// The size of the tree that is read.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tile that holds what a node is made of, the first hash of it, and how many.
    fn place(&self, node: NodeId) -> Option<(TileCoordinate, usize, usize)> {
        let past = node.index.checked_add(1)?;
        let complete = self.size.checked_shr(u32::from(node.level))?;
        if past > complete {
            return None;
        }
        let (level, height) = (node.level / TILE_HEIGHT, node.level % TILE_HEIGHT);
        let width = u64::from(TILE_WIDTH);
        // A node inside a tile has no overflow here: it covers less than the tile's hashes.
        let first = node.index << height;
        let number = first / width;
        let stored = self.size >> (u32::from(level) * u32::from(TILE_HEIGHT));
        let tile_width = (stored - number * width).min(width) as u16;
        let tile = TileCoordinate::known(level, number, tile_width);
        Some((tile, (first % width) as usize, 1 << height))
    }
}

impl<S: TileSource> HashReader for TileReader<S> {
    type Error = TileReadError<S::Error>;

    /// Reads each tile once, however many of the nodes lie in it.
    fn read_hashes(&self, ids: &[NodeId]) -> Result<Vec<Hash>, Self::Error> {
        let mut tiles: Vec<(TileCoordinate, Vec<u8>)> = Vec::new();
        let mut hashes = Vec::with_capacity(ids.len());
        for node in ids {
            let out_of_range = TileReadError::OutOfRange { node: *node, size: self.size };
            let (tile, first, count) = self.place(*node).ok_or(out_of_range)?;
            let known = tiles.iter().position(|(read, _)| *read == tile);
            let known = match known {
                Some(known) => known,
                None => {
                    tiles.push((tile, read_tile(&self.source, tile)?));
                    tiles.len() - 1
                }
            };
            let bytes = &tiles[known].1[first * HASH_SIZE..(first + count) * HASH_SIZE];
            hashes.push(perfect_root(&hashes_of(bytes)));
        }
        Ok(hashes)
    }
}

/// Reads one tile, or the beginning of the full one if its partial form was tidied away, as
/// `tlog-tiles` allows.
pub(crate) fn read_tile<S: TileSource + ?Sized>(
    source: &S,
    tile: TileCoordinate,
) -> Result<Vec<u8>, TileReadError<S::Error>> {
    for candidate in [tile, tile.to_full()] {
        let bytes = source
            .tile_bytes(candidate)
            .map_err(|source| TileReadError::Source { tile: candidate, source })?;
        let Some(mut bytes) = bytes else { continue };
        if bytes.len() != candidate.byte_length() {
            return Err(TileReadError::Length { tile: candidate, got: bytes.len() });
        }
        bytes.truncate(tile.byte_length());
        return Ok(bytes);
    }
    Err(TileReadError::Missing(tile))
}

/// The hashes in a tile's bytes; a rest shorter than a hash is left out.
pub(crate) fn hashes_of(bytes: &[u8]) -> Vec<Hash> {
    bytes.as_chunks::<HASH_SIZE>().0.iter().copied().map(Hash).collect()
}
