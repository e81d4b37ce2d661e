//! Ranges: these entries, one after the other, are those of the tree from an index on.
//!
//! The proof of a range is the hashes of all that is beside it, from left to right: the largest
//! subtrees that hold no entry of the range. Of one entry it has the hashes of its inclusion proof
//! (`inclusion.rs`), in another order.

use core::ops::Range;

use crate::hash::{Hash, node_hash};
use crate::inclusion::split;
use crate::node::{HashReader, ProofError, read_ranges};

/// The most hashes that the proof of a range can hold: beside each of its two ends one for each
/// level of the highest tree.
pub const MAX_RANGE_PROOF_HASHES: usize = 128;

/// Why a proof of a range does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The range is empty, or not within the tree.
    #[error("{count} entries from {first} on cannot be proved in a tree of size {size}")]
    OutOfRange {
        /// The first entry claimed.
        first: u64,
        /// How many entries there are.
        count: u64,
        /// The size claimed.
        size: u64,
    },
    /// The proof has too few or too many hashes.
    #[error("the proof of {count} entries from {first} on has a hash too few or too many")]
    Length {
        /// The first entry claimed.
        first: u64,
        /// How many entries there are.
        count: u64,
    },
    /// The proof leads to another root.
    #[error(
        "the proof of the range leads to root {computed}, not to {root}; an entry, the proof or the \
         root was altered"
    )]
    Root {
        /// The root that was to be reached.
        root: Hash,
        /// The root that was reached.
        computed: Hash,
    },
}

/// The proof of the entries of `range` in the first `size` entries.
///
/// # Errors
/// When the range is empty or not within the size, or the reader cannot give the hashes.
pub fn range_proof<R: HashReader + ?Sized>(
    reader: &R,
    range: Range<u64>,
    size: u64,
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if range.is_empty() || range.end > size {
        return Err(ProofError::IndexOutOfRange { index: range.end.max(range.start), size });
    }
    let mut beside = Vec::new();
    gather(0..size, &range, &mut beside);
    read_ranges(reader, &beside)
}

/// Checks that `leaves` are the entries from `first` on in the tree of `size` entries with `root`.
///
/// # Errors
/// When the claim is impossible, the proof has a hash too few or too many, or it leads elsewhere.
pub fn verify_range(
    first: u64,
    leaves: &[Hash],
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), RangeError> {
    let count = leaves.len() as u64;
    let end = first.checked_add(count).filter(|end| *end <= size && count > 0);
    let Some(end) = end else { return Err(RangeError::OutOfRange { first, count, size }) };
    let (mut leaves, mut rest) = (leaves.iter(), proof.iter());
    let computed = join(0..size, &(first..end), &mut leaves, &mut rest);
    match computed {
        Some(_) if rest.next().is_some() => Err(RangeError::Length { first, count }),
        None => Err(RangeError::Length { first, count }),
        Some(computed) if computed == *root => Ok(()),
        Some(computed) => Err(RangeError::Root { root: *root, computed }),
    }
}

/// The subtrees of `tree` that hold nothing of `range`, from left to right. As deep as the tree is
/// high: at most 64 calls.
fn gather(tree: Range<u64>, range: &Range<u64>, beside: &mut Vec<Range<u64>>) {
    if is_beside(&tree, range) {
        beside.push(tree);
    } else if tree.start < range.start || tree.end > range.end {
        let middle = tree.start + split(tree.end - tree.start);
        gather(tree.start..middle, range, beside);
        gather(middle..tree.end, range, beside);
    }
}

/// The hash of `tree`, from leaves where it lies in `range` and from the proof where it does not.
fn join<'h>(
    tree: Range<u64>,
    range: &Range<u64>,
    leaves: &mut impl Iterator<Item = &'h Hash>,
    proof: &mut impl Iterator<Item = &'h Hash>,
) -> Option<Hash> {
    if is_beside(&tree, range) {
        return proof.next().copied();
    }
    if tree.end - tree.start == 1 {
        return leaves.next().copied();
    }
    let middle = tree.start + split(tree.end - tree.start);
    let left = join(tree.start..middle, range, leaves, proof)?;
    let right = join(middle..tree.end, range, leaves, proof)?;
    Some(node_hash(&left, &right))
}

fn is_beside(tree: &Range<u64>, range: &Range<u64>) -> bool {
    tree.end <= range.start || tree.start >= range.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::memory_tree::{MemoryTree, naive_root};

    fn tree(count: u64) -> (Vec<Hash>, MemoryTree) {
        let leaves: Vec<Hash> = (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let tree = leaves.iter().copied().collect();
        (leaves, tree)
    }

    #[test]
    fn every_range_of_every_small_tree_is_proved_and_no_other() {
        let (leaves, tree) = tree(23);
        for size in 1..=23_usize {
            let root = naive_root(&leaves[..size]);
            for first in 0..size {
                for end in first + 1..=size {
                    let (from, to, of) = (first as u64, end as u64, size as u64);
                    let proof = range_proof(&tree, from..to, of).unwrap();
                    assert!(proof.len() <= MAX_RANGE_PROOF_HASHES);
                    verify_range(from, &leaves[first..end], of, &proof, &root).unwrap();
                    let shorter = verify_range(from, &leaves[first..end - 1], of, &proof, &root);
                    assert!(shorter.is_err(), "{first}..{end} of {size}");
                    if to < of {
                        let moved = &leaves[first + 1..=end];
                        assert!(verify_range(from, moved, of, &proof, &root).is_err());
                        assert!(verify_range(from + 1, moved, of, &proof, &root).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn every_flipped_byte_is_refused_and_so_is_a_hash_more_or_less() {
        let (leaves, tree) = tree(100);
        let (root, of) = (tree.root(), &leaves[37..61]);
        let proof = range_proof(&tree, 37..61, 100).unwrap();
        for place in 0..proof.len() * 32 {
            let mut altered = proof.clone();
            altered[place / 32].0[place % 32] ^= 1;
            let verdict = verify_range(37, of, 100, &altered, &root);
            assert!(matches!(verdict, Err(RangeError::Root { .. })), "byte {place}");
        }
        for place in 0..of.len() {
            let mut altered = of.to_vec();
            altered[place].0[0] ^= 1;
            assert!(verify_range(37, &altered, 100, &proof, &root).is_err(), "leaf {place}");
        }
        let shorter = &proof[..proof.len() - 1];
        let longer = [proof.as_slice(), &[Hash::EMPTY_ROOT]].concat();
        for proof in [shorter, &longer] {
            let verdict = verify_range(37, of, 100, proof, &root);
            assert!(matches!(verdict, Err(RangeError::Length { .. })), "{verdict:?}");
        }
    }

    #[test]
    fn impossible_ranges_are_refused_without_a_panic() {
        let (leaves, tree) = tree(5);
        let root = tree.root();
        assert!(range_proof(&tree, 3..3, 5).is_err());
        assert!(range_proof(&tree, 3..6, 5).is_err());
        for (first, count, size) in [(0, 0, 5), (3, 3, 5), (u64::MAX, 2, u64::MAX), (0, 1, 0)] {
            let verdict = verify_range(first, &leaves[..count], size, &[], &root);
            assert!(matches!(verdict, Err(RangeError::OutOfRange { .. })), "{verdict:?}");
        }
        let many = [leaves[0]; MAX_RANGE_PROOF_HASHES];
        let _ = verify_range(u64::MAX / 2, &leaves, u64::MAX, &many, &root);
    }
}
