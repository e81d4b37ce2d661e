//! Tiles while the log grows: the right-most tile of every level, and full ones as they fill.
//!
//! It writes nothing: full tiles go to a sink, partial ones are asked for when a checkpoint is to
//! be published. Reading tiles back is `tile_reader.rs`.

use crate::coordinate::{TILE_HEIGHT, TILE_WIDTH, TileCoordinate};
use crate::frontier::Frontier;
use crate::hash::{HASH_SIZE, Hash};
use crate::layout::partial_width;
use crate::node::fold;
use crate::tile_reader::{TileReadError, TileSource, hashes_of, read_tile};

/// The length of a full tile in bytes.
pub const FULL_TILE_BYTES: usize = TILE_WIDTH as usize * HASH_SIZE;

/// The frontier of a growing tree together with its partial tiles.
///
/// One push costs one node hash on average, the same as [`Frontier`] alone: a full tile's hash is a
/// node that the frontier makes anyway. A partial tile is never hashed upwards.
#[derive(Clone, Debug, Default)]
pub struct TileBuilder {
    frontier: Frontier,
    /// The bytes of the right-most tile of each level; less than full between pushes.
    partial: Vec<Vec<u8>>,
}

/// Why partial tiles do not restore a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// A tile that the size needs was not given.
    #[error("a tree of size {size} needs {tile}, which was not given; restore it or rebuild")]
    Missing {
        /// The size of the tree.
        size: u64,
        /// The path of the tile.
        tile: TileCoordinate,
    },
    /// A tile does not belong to a tree of that size.
    #[error("{tile} is not the right-most partial tile of its level at size {size}")]
    Unexpected {
        /// The size of the tree.
        size: u64,
        /// The path of the tile.
        tile: TileCoordinate,
    },
    /// A tile has the wrong length.
    #[error("{tile} has {got} bytes instead of {wanted}; the file was cut or altered",
        wanted = tile.byte_length())]
    Length {
        /// The path of the tile.
        tile: TileCoordinate,
        /// How many bytes were given.
        got: usize,
    },
}

impl TileBuilder {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        TileBuilder::default()
    }

    /// The tree of `size` entries from its partial tiles, in any order.
    ///
    /// # Errors
    /// When a tile is missing, superfluous or has the wrong length. The hashes are taken as they
    /// are: compare [`TileBuilder::root`] with a checkpoint.
    pub fn from_partial_tiles(
        size: u64,
        tiles: impl IntoIterator<Item = (TileCoordinate, Vec<u8>)>,
    ) -> Result<Self, RestoreError> {
        let wanted: Vec<TileCoordinate> = partial_tiles_of(size).collect();
        let levels = wanted.iter().map(|tile| usize::from(tile.level()) + 1).max().unwrap_or(0);
        let mut partial = vec![Vec::new(); levels];
        for (tile, bytes) in tiles {
            if !wanted.contains(&tile) {
                return Err(RestoreError::Unexpected { size, tile });
            }
            if bytes.len() != tile.byte_length() {
                return Err(RestoreError::Length { tile, got: bytes.len() });
            }
            partial[usize::from(tile.level())] = bytes;
        }
        let missing = |tile: &&TileCoordinate| partial[usize::from(tile.level())].is_empty();
        if let Some(tile) = wanted.iter().find(missing) {
            return Err(RestoreError::Missing { size, tile: *tile });
        }
        let frontier = frontier_of(size, &partial);
        Ok(TileBuilder { frontier, partial })
    }

    /// The tree of `size` entries, its partial tiles read from where tiles are kept.
    ///
    /// # Errors
    /// When a tile is missing, has the wrong length or cannot be read. Compare
    /// [`TileBuilder::root`] with a checkpoint.
    pub fn from_source<S: TileSource + ?Sized>(
        source: &S,
        size: u64,
    ) -> Result<Self, TileReadError<S::Error>> {
        let mut partial = Vec::new();
        for tile in partial_tiles_of(size) {
            partial.resize(usize::from(tile.level()), Vec::new());
            partial.push(read_tile(source, tile)?);
        }
        let frontier = frontier_of(size, &partial);
        Ok(TileBuilder { frontier, partial })
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The compact range of the same tree.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends one leaf, given its hash; every tile that it fills goes to `sink`, lowest level
    /// first, with its 8192 bytes.
    #[inline]
    pub fn push(&mut self, leaf: Hash, mut sink: impl FnMut(TileCoordinate, Vec<u8>)) {
        let new_size = self.frontier.size() + 1;
        let partial = &mut self.partial;
        self.frontier.push_visiting(leaf, |level, hash| {
            if level % u32::from(TILE_HEIGHT) == 0 {
                let level = (level / u32::from(TILE_HEIGHT)) as u8;
                append_hash(partial, level, new_size, hash, &mut sink);
            }
        });
    }

    /// The partial tiles at the current size, lowest level first.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (TileCoordinate, &[u8])> {
        partial_tiles_of(self.size()).filter_map(|tile| {
            Some((tile, self.partial.get(usize::from(tile.level()))?.as_slice()))
        })
    }
}

/// Appends a hash to the right-most tile of a level, handing the tile over when it is full.
fn append_hash(
    partial: &mut Vec<Vec<u8>>,
    level: u8,
    new_size: u64,
    hash: &Hash,
    sink: &mut impl FnMut(TileCoordinate, Vec<u8>),
) {
    let place = usize::from(level);
    if partial.len() <= place {
        partial.resize_with(place + 1, Vec::new);
    }
    let tile = &mut partial[place];
    if tile.capacity() == 0 {
        tile.reserve_exact(FULL_TILE_BYTES);
    }
    tile.extend_from_slice(&hash.0);
    if tile.len() == FULL_TILE_BYTES {
        // The last hash of tile n is node (n + 1) * 256 - 1 of its level.
        let shift = u32::from(TILE_HEIGHT) * (u32::from(level) + 1);
        let number = new_size.checked_shr(shift).unwrap_or(0).saturating_sub(1);
        sink(TileCoordinate::known(level, number, TILE_WIDTH), core::mem::take(tile));
    }
}

fn partial_tiles_of(size: u64) -> impl Iterator<Item = TileCoordinate> {
    (0..8_u8).filter_map(move |level| {
        let width = partial_width(size, level);
        let number = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        (width > 0).then(|| TileCoordinate::known(level, number, width))
    })
}

/// The perfect subtrees of a size lie within its partial tiles, eight tree levels in each.
fn frontier_of(size: u64, partial: &[Vec<u8>]) -> Frontier {
    let mut subtrees = Vec::new();
    for tile in partial.iter().rev() {
        let hashes = hashes_of(tile);
        let mut rest = hashes.as_slice();
        while !rest.is_empty() {
            let (subtree, tail) = rest.split_at(1 << rest.len().ilog2());
            subtrees.push(perfect_root(subtree));
            rest = tail;
        }
    }
    // Widths were checked against the size, so there is one subtree for each of its bits.
    Frontier::from_hashes(size, subtrees).unwrap_or_default()
}

/// The root over a power of two of hashes.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            fold(&[perfect_root(left), perfect_root(right)])
        }
    }
}

#[cfg(test)]
#[path = "tile_builder/tests.rs"]
mod tests;
