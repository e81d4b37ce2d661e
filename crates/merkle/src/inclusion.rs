//! Inclusion: the entry at an index is in the tree of a size with a root.
//!
//! RFC 6962 section 2.1.1; verification as in RFC 9162 section 2.1.3.2. Whether anybody signed
//! the root is `checkpoint`'s business. Next door: `consistency.rs`.

use core::ops::Range;

use crate::hash::{Hash, node_hash};
use crate::node::{HashReader, ProofError, read_ranges};

/// The most hashes that an inclusion proof or a consistency proof can hold: the height of the
/// highest tree with a 64-bit size, plus the old root that some consistency proofs open with.
pub const MAX_PROOF_HASHES: usize = 65;

/// Why an inclusion proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// The entry is not in a tree of that size.
    #[error("entry {index} cannot be in a tree of size {size}; the claim itself is wrong")]
    IndexOutOfRange {
        /// The entry claimed.
        index: u64,
        /// The size claimed.
        size: u64,
    },
    /// The proof has too few or too many hashes.
    #[error(
        "an inclusion proof for entry {index} of {size} has {wanted} hashes, but this one has \
         {got}; it was made for another place or cut"
    )]
    Length {
        /// The entry claimed.
        index: u64,
        /// The size claimed.
        size: u64,
        /// How many hashes belong to it.
        wanted: usize,
        /// How many there are.
        got: usize,
    },
    /// The proof leads to another root.
    #[error(
        "the inclusion proof leads to root {computed}, not to {root}; the entry, the proof or the \
         root was altered"
    )]
    Root {
        /// The root that was to be reached.
        root: Hash,
        /// The root that was reached.
        computed: Hash,
    },
}

/// The inclusion proof for `index` in the first `size` entries: the leaf's sibling first.
///
/// # Errors
/// When the index is not below the size, or the reader cannot give the hashes.
pub fn inclusion_proof<R: HashReader + ?Sized>(
    reader: &R,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    read_ranges(reader, &path_ranges(index, size))
}

/// Checks that `leaf` is entry `index` of the tree of `size` entries with `root`.
///
/// # Errors
/// When the claim is impossible, the proof has a hash too few or too many, or it leads elsewhere.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), InclusionError> {
    if index >= size {
        return Err(InclusionError::IndexOutOfRange { index, size });
    }
    let wanted = path_length(index, size);
    if proof.len() != wanted {
        return Err(InclusionError::Length { index, size, wanted, got: proof.len() });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut computed = *leaf;
    for sibling in proof {
        if node & 1 == 1 || node == last {
            computed = node_hash(sibling, &computed);
            // The right-most node has no sibling on some levels: it rises unchanged through them.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    // The length check above means that the walk has arrived; this keeps the proof of it local.
    if last != 0 || computed != *root {
        return Err(InclusionError::Root { root: *root, computed });
    }
    Ok(())
}

/// The sibling ranges on the way from the leaf up, RFC 6962 `PATH(m, D[n])` unrolled.
fn path_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// How many hashes the proof for `index` of `size` has.
///
/// Below the level where the leaf's path and the right edge of the tree meet, every level has a
/// sibling; above it, only those where the path is a right child.
fn path_length(index: u64, size: u64) -> usize {
    let meet = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let above = if meet == u64::BITS { 0 } else { (index >> meet).count_ones() };
    (meet + above) as usize
}

/// The largest power of two below `size`, which is at least 2.
pub(crate) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::memory_tree::{MemoryTree, naive_root};
    use proptest::prelude::*;

    fn tree(count: u64) -> (Vec<Hash>, MemoryTree) {
        let leaves: Vec<Hash> = (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let tree = leaves.iter().copied().collect();
        (leaves, tree)
    }

    /// RFC 6962 section 2.1.1 word for word.
    fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut path, sibling) = if index < left.len() {
            (naive_path(index, left), naive_root(right))
        } else {
            (naive_path(index - left.len(), right), naive_root(left))
        };
        path.push(sibling);
        path
    }

    #[test]
    fn every_entry_of_every_small_tree_is_proved() {
        let (leaves, tree) = tree(130);
        for size in 1..=leaves.len() {
            let root = naive_root(&leaves[..size]);
            for index in 0..size {
                let (at, of) = (index as u64, size as u64);
                let proof = inclusion_proof(&tree, at, of).unwrap();
                assert_eq!(proof, naive_path(index, &leaves[..size]), "{index} of {size}");
                assert_eq!(proof.len(), path_length(at, of));
                verify_inclusion(at, of, &leaves[index], &proof, &root).unwrap();
            }
        }
    }

    #[test]
    fn a_proof_with_a_hash_more_or_less_is_refused() {
        let (leaves, tree) = tree(21);
        for index in 0..21 {
            let leaf = &leaves[index as usize];
            let proof = inclusion_proof(&tree, index, 21).unwrap();
            let shorter = &proof[..proof.len() - 1];
            let longer = [proof.as_slice(), &[Hash::EMPTY_ROOT]].concat();
            for proof in [shorter, &longer] {
                let verdict = verify_inclusion(index, 21, leaf, proof, &tree.root());
                assert!(matches!(verdict, Err(InclusionError::Length { .. })), "{verdict:?}");
            }
        }
    }

    #[test]
    fn a_proof_holds_for_no_other_index_or_size_or_leaf() {
        let (leaves, tree) = tree(37);
        for index in 0..37 {
            let leaf = &leaves[index as usize];
            let proof = inclusion_proof(&tree, index, 37).unwrap();
            for other in (0..40).filter(|other| *other != index) {
                assert!(verify_inclusion(other, 37, leaf, &proof, &tree.root()).is_err());
            }
            let leaf_of_another = &leaves[(index as usize + 1) % 37];
            assert!(verify_inclusion(index, 37, leaf_of_another, &proof, &tree.root()).is_err());
        }
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let (leaves, tree) = tree(100);
        let (index, root) = (61, tree.root());
        let proof = inclusion_proof(&tree, index, 100).unwrap();
        for place in 0..proof.len() * 32 {
            let mut altered = proof.clone();
            altered[place / 32].0[place % 32] ^= 1;
            let verdict = verify_inclusion(index, 100, &leaves[61], &altered, &root);
            assert!(matches!(verdict, Err(InclusionError::Root { .. })), "byte {place}");
        }
        for place in 0..32 {
            let (mut leaf, mut other_root) = (leaves[61], root);
            leaf.0[place] ^= 1;
            assert!(verify_inclusion(index, 100, &leaf, &proof, &root).is_err());
            other_root.0[place] ^= 1;
            assert!(verify_inclusion(index, 100, &leaves[61], &proof, &other_root).is_err());
        }
    }

    #[test]
    fn the_edges_are_refused_without_a_panic() {
        let leaf = leaf_hash(b"only");
        verify_inclusion(0, 1, &leaf, &[], &leaf).unwrap();
        assert!(verify_inclusion(0, 1, &leaf, &[leaf], &leaf).is_err());
        assert!(verify_inclusion(0, 0, &leaf, &[], &leaf).is_err());
        assert!(verify_inclusion(1, 1, &leaf, &[], &leaf).is_err());
        let many = [leaf; 64];
        for index in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let _ = verify_inclusion(index, u64::MAX, &leaf, &many, &leaf);
            assert!(index == u64::MAX || path_length(index, u64::MAX) <= MAX_PROOF_HASHES);
        }
        let (_, tree) = tree(3);
        assert!(inclusion_proof(&tree, 3, 3).is_err());
        assert!(inclusion_proof(&tree, 0, 0).is_err());
        assert!(inclusion_proof(&tree, 0, 4).is_err());
    }

    proptest! {
        #[test]
        fn proofs_of_random_places_hold(size in 1_u64..700, seed: u64) {
            let (leaves, tree) = tree(size);
            let index = seed % size;
            let proof = inclusion_proof(&tree, index, size).unwrap();
            let leaf = &leaves[index as usize];
            prop_assert!(verify_inclusion(index, size, leaf, &proof, &naive_root(&leaves)).is_ok());
        }

        #[test]
        fn arbitrary_claims_never_panic(
            index: u64, size: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let proof: Vec<Hash> = hashes.into_iter().map(Hash).collect();
            let leaf = leaf_hash(b"");
            prop_assert!(verify_inclusion(index, size, &leaf, &proof, &Hash([7; 32])).is_err());
        }
    }
}
