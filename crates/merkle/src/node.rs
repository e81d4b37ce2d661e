//! The place of a hash in the tree, and where hashes are read from.
//!
//! It does not know tiles: `tile_reader.rs` translates. Proofs are in `inclusion.rs` and
//! `consistency.rs`.

use core::fmt;
use core::ops::Range;

use crate::frontier::Frontier;
use crate::hash::{Hash, node_hash};

/// A perfect subtree: the hash over entries `index << level .. (index + 1) << level`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Height above the leaves, 0 to 63.
    pub level: u8,
    /// Position among the nodes of that level, from 0.
    pub index: u64,
}

impl NodeId {
    /// The leaf of the entry at `index`.
    #[must_use]
    pub const fn leaf(index: u64) -> Self {
        NodeId { level: 0, index }
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "node({}, {})", self.level, self.index)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// Somewhere that hashes of perfect subtrees can be read: tiles, memory.
pub trait HashReader {
    /// Why a hash could not be read.
    type Error;

    /// Reads the hashes of `ids`, in that order; exactly one for each.
    ///
    /// # Errors
    /// When any of them cannot be had.
    fn read_hashes(&self, ids: &[NodeId]) -> Result<Vec<Hash>, Self::Error>;
}

impl<R: HashReader + ?Sized> HashReader for &R {
    type Error = R::Error;

    fn read_hashes(&self, ids: &[NodeId]) -> Result<Vec<Hash>, Self::Error> {
        (**self).read_hashes(ids)
    }
}

/// Why a proof or a root could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The entry is not in a tree of that size.
    #[error("entry {index} is not in a tree of size {size}; ask for an index below the size")]
    IndexOutOfRange {
        /// The entry asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("tree size {old_size} is not a prefix of size {new_size}; swap the two sizes")]
    SizesReversed {
        /// The size given as the older one.
        old_size: u64,
        /// The size given as the newer one.
        new_size: u64,
    },
    /// A reader broke its contract.
    #[error("the hash reader returned {got} hashes for {wanted} nodes; this is a defect in it")]
    ReaderContract {
        /// How many were asked for.
        wanted: usize,
        /// How many came.
        got: usize,
    },
    /// The hashes could not be read.
    #[error("a tree hash could not be read: {0}")]
    Read(E),
}

/// The root of the first `size` entries: `MTH(D[0:size])` (RFC 6962 section 2.1).
///
/// # Errors
/// When the reader cannot give the hashes.
pub fn tree_root<R: HashReader + ?Sized>(
    reader: &R,
    size: u64,
) -> Result<Hash, ProofError<R::Error>> {
    Frontier::from_reader(reader, size).map(|frontier| frontier.root())
}

/// The perfect subtrees that make up `range`, left to right.
///
/// The start of a range in RFC 6962 is always a multiple of the largest power of two that is not
/// above its length, so these are the nodes whose right fold is the hash of the range.
pub(crate) fn decompose(range: Range<u64>) -> impl Iterator<Item = NodeId> {
    let mut start = range.start;
    core::iter::from_fn(move || {
        let left = range.end.checked_sub(start).filter(|left| *left > 0)?;
        let level = left.ilog2();
        let node = NodeId { level: level as u8, index: start >> level };
        start += 1 << level;
        Some(node)
    })
}

/// Reads the hash of every range in one request. No range may be empty.
pub(crate) fn read_ranges<R: HashReader + ?Sized>(
    reader: &R,
    ranges: &[Range<u64>],
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    let ids: Vec<NodeId> = ranges.iter().cloned().flat_map(decompose).collect();
    let hashes = reader.read_hashes(&ids).map_err(ProofError::Read)?;
    if hashes.len() != ids.len() {
        return Err(ProofError::ReaderContract { wanted: ids.len(), got: hashes.len() });
    }
    let mut rest = hashes.as_slice();
    let mut folded = Vec::with_capacity(ranges.len());
    for range in ranges {
        let count = (range.end - range.start).count_ones() as usize;
        let (parts, tail) = rest.split_at(count);
        rest = tail;
        folded.push(fold(parts));
    }
    Ok(folded)
}

/// Joins perfect subtrees, given left to right in falling size, into one hash.
pub(crate) fn fold(parts: &[Hash]) -> Hash {
    let Some((last, rest)) = parts.split_last() else { return Hash::EMPTY_ROOT };
    rest.iter().rev().fold(*last, |right, left| node_hash(left, &right))
}
