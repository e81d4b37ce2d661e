//! The running tree head: the perfect subtrees that a tree of some size consists of.
//!
//! It can give the root and grow, and nothing else: proofs need a [`HashReader`]. Next door,
//! `tile_builder.rs` keeps the right-most tiles as well.

use crate::hash::{HASH_SIZE, Hash, leaf_hash, node_hash};
use crate::node::{HashReader, NodeId, ProofError, decompose, fold};

/// A compact range over `0..size`: at most 64 hashes, amortised one node hash for each push.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, left to right in falling size: one for each bit of `size`.
    hashes: Vec<Hash>,
}

/// Why hashes are not the frontier of a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// The number of hashes does not follow from the size.
    #[error("a tree of size {size} has {wanted} subtrees, but {got} hashes were given")]
    HashCount {
        /// The size of the tree.
        size: u64,
        /// How many hashes belong to it.
        wanted: usize,
        /// How many were given.
        got: usize,
    },
    /// The size is 2^64 - 1: no leaf could follow.
    #[error("a tree of {} entries cannot grow; the stored size was altered", u64::MAX)]
    Full,
    /// The bytes are not a size and whole hashes.
    #[error("{0} bytes are not a frontier: 8 bytes of size, then 32 bytes for each subtree")]
    Length(usize),
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Frontier::default()
    }

    /// The tree of `size` entries from its subtree roots, left to right.
    ///
    /// # Errors
    /// When the number of hashes is not the number of one bits in `size`, or no leaf could follow.
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Result<Self, FrontierError> {
        if size == u64::MAX {
            return Err(FrontierError::Full);
        }
        let wanted = size.count_ones() as usize;
        if hashes.len() != wanted {
            return Err(FrontierError::HashCount { size, wanted, got: hashes.len() });
        }
        Ok(Frontier { size, hashes })
    }

    /// The tree of `size` entries, read from stored hashes.
    ///
    /// # Errors
    /// When the reader cannot give the hashes.
    pub fn from_reader<R: HashReader + ?Sized>(
        reader: &R,
        size: u64,
    ) -> Result<Self, ProofError<R::Error>> {
        let ids: Vec<NodeId> = decompose(0..size).collect();
        let hashes = reader.read_hashes(&ids).map_err(ProofError::Read)?;
        if hashes.len() != ids.len() {
            return Err(ProofError::ReaderContract { wanted: ids.len(), got: hashes.len() });
        }
        Ok(Frontier { size, hashes })
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The subtree roots, left to right.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root hash; [`Hash::EMPTY_ROOT`] for the empty tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.hashes)
    }

    /// Appends one leaf, given its hash.
    #[inline]
    pub fn push(&mut self, leaf: Hash) {
        self.push_visiting(leaf, |_, _| {});
    }

    /// Appends one leaf, given its entry; returns its hash.
    pub fn push_entry(&mut self, entry: &[u8]) -> Hash {
        let leaf = leaf_hash(entry);
        self.push(leaf);
        leaf
    }

    /// Appends one leaf and shows every perfect subtree that it completes, itself included, from
    /// level 0 up.
    #[inline]
    pub(crate) fn push_visiting(&mut self, leaf: Hash, mut visit: impl FnMut(u32, &Hash)) {
        let mut carry = leaf;
        visit(0, &carry);
        // A one bit at level l of the size means that a subtree of that size waits for a sibling.
        for level in 1..=self.size.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            carry = node_hash(&left, &carry);
            visit(level, &carry);
        }
        self.hashes.push(carry);
        self.size += 1;
    }

    /// Size as 8 bytes big-endian, then the subtree roots, 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.hashes.len() * HASH_SIZE);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        self.hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote; nothing may follow.
    ///
    /// # Errors
    /// When the length does not follow from the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let refuse = || FrontierError::Length(bytes.len());
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or_else(refuse)?;
        let (hashes, tail) = rest.as_chunks::<HASH_SIZE>();
        if !tail.is_empty() {
            return Err(refuse());
        }
        let hashes = hashes.iter().copied().map(Hash).collect();
        Frontier::from_hashes(u64::from_be_bytes(*size), hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_tree::{MemoryTree, naive_root};

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    #[test]
    fn root_equals_the_recursive_definition_at_every_size() {
        let leaves = leaves(600);
        let mut frontier = Frontier::new();
        let mut tree = MemoryTree::new();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.size(), size as u64);
            assert_eq!(frontier.root(), naive_root(&leaves[..size]), "size {size}");
            assert_eq!(Frontier::from_reader(&tree, size as u64).unwrap(), frontier);
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
            if let Some(leaf) = leaves.get(size) {
                frontier.push(*leaf);
                tree.push(*leaf);
            }
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let mut frontier = Frontier::new();
        leaves(5).into_iter().for_each(|leaf| frontier.push(leaf));
        let bytes = frontier.to_bytes();
        for length in 0..bytes.len() {
            assert!(Frontier::from_bytes(&bytes[..length]).is_err(), "length {length}");
        }
        let longer = [bytes.as_slice(), &[0; 32]].concat();
        assert!(Frontier::from_bytes(&longer).is_err());
        assert!(Frontier::from_hashes(5, leaves(3)).is_err());
        assert_eq!(Frontier::from_hashes(u64::MAX, leaves(64)), Err(FrontierError::Full));
    }
}
