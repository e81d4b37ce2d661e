//! Consistency: the tree of a size and root is a prefix of a larger one.
//!
//! RFC 6962 section 2.1.2; verification as in RFC 9162 section 2.1.4.2. Next door:
//! `inclusion.rs`.

use core::ops::Range;

use crate::hash::{Hash, node_hash};
use crate::inclusion::split;
use crate::node::{HashReader, ProofError, read_ranges};

/// Why a consistency proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// The newer tree is smaller: the log was rolled back.
    #[error(
        "the tree shrank from {old_size} to {new_size} entries; the log was rolled back or forked"
    )]
    Shrunk {
        /// The size seen before.
        old_size: u64,
        /// The size claimed now.
        new_size: u64,
    },
    /// The root given for the empty tree is not the hash of nothing.
    #[error("the empty tree has root {expected}, not {root}", expected = Hash::EMPTY_ROOT)]
    EmptyRoot {
        /// The root given.
        root: Hash,
    },
    /// The proof has too few or too many hashes.
    #[error(
        "a consistency proof from size {old_size} to {new_size} does not have {got} hashes; it \
         was made for other sizes or cut"
    )]
    Length {
        /// The size seen before.
        old_size: u64,
        /// The size claimed now.
        new_size: u64,
        /// How many hashes there are.
        got: usize,
    },
    /// The proof does not lead to the old root.
    #[error(
        "the consistency proof leads to old root {computed}, not to {root}; history before size \
         {old_size} was altered"
    )]
    OldRoot {
        /// The size seen before.
        old_size: u64,
        /// The root seen before.
        root: Hash,
        /// The root that was reached.
        computed: Hash,
    },
    /// The proof does not lead to the new root.
    #[error("the consistency proof leads to new root {computed}, not to {root}")]
    NewRoot {
        /// The root claimed now.
        root: Hash,
        /// The root that was reached.
        computed: Hash,
    },
}

/// The consistency proof from `old_size` to `new_size`; empty if the old size is 0 or both agree.
///
/// # Errors
/// When the old size is above the new size, or the reader cannot give the hashes.
pub fn consistency_proof<R: HashReader + ?Sized>(
    reader: &R,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if old_size > new_size {
        return Err(ProofError::SizesReversed { old_size, new_size });
    }
    if old_size == 0 || old_size == new_size {
        return Ok(Vec::new());
    }
    read_ranges(reader, &proof_ranges(old_size, new_size))
}

/// Checks that the tree of `old_size` with `old_root` is a prefix of that of `new_size` with
/// `new_root`. Every tree continues the empty one; its proof is empty.
///
/// # Errors
/// When the tree shrank, the proof has a hash too few or too many, or leads to another root.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyError> {
    if old_size > new_size {
        return Err(ConsistencyError::Shrunk { old_size, new_size });
    }
    for (size, root) in [(old_size, old_root), (new_size, new_root)] {
        if size == 0 && *root != Hash::EMPTY_ROOT {
            return Err(ConsistencyError::EmptyRoot { root: *root });
        }
    }
    let wrong_length = || ConsistencyError::Length { old_size, new_size, got: proof.len() };
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(wrong_length());
        }
        if old_size == new_size && old_root != new_root {
            let (root, computed) = (*old_root, *new_root);
            return Err(ConsistencyError::OldRoot { old_size, root, computed });
        }
        return Ok(());
    }
    let (old, new) = replay(old_size, old_root, new_size, proof).ok_or_else(wrong_length)?;
    if old != *old_root {
        return Err(ConsistencyError::OldRoot { old_size, root: *old_root, computed: old });
    }
    if new != *new_root {
        return Err(ConsistencyError::NewRoot { root: *new_root, computed: new });
    }
    Ok(())
}

/// Computes the old and the new root from a proof; `None` if its length does not fit the sizes.
fn replay(old_size: u64, old_root: &Hash, new_size: u64, proof: &[Hash]) -> Option<(Hash, Hash)> {
    // A perfect old tree is a node of the new one: RFC 6962 leaves it out of the proof.
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let (first, rest) = proof.split_first()?;
        (first, rest)
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let skip = node.trailing_ones();
    node >>= skip;
    last >>= skip;
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}

/// RFC 6962 `SUBPROOF(m, D[n], b)` unrolled, for 0 < m < n.
fn proof_ranges(old_size: u64, new_size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, new_size);
    while end != old_size {
        let middle = start + split(end - start);
        if old_size <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    // At start 0 the remaining range is the old tree, whose root the verifier has.
    if start != 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use crate::inclusion::MAX_PROOF_HASHES;
    use crate::memory_tree::{MemoryTree, naive_root};
    use proptest::prelude::*;

    fn tree(count: u64) -> (Vec<Hash>, MemoryTree) {
        let leaves: Vec<Hash> = (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let tree = leaves.iter().copied().collect();
        (leaves, tree)
    }

    /// RFC 6962 section 2.1.2 word for word.
    fn naive_subproof(old: usize, leaves: &[Hash], complete: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if complete { Vec::new() } else { vec![naive_root(leaves)] };
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut proof, sibling) = if old <= left.len() {
            (naive_subproof(old, left, complete), naive_root(right))
        } else {
            (naive_subproof(old - left.len(), right, false), naive_root(left))
        };
        proof.push(sibling);
        proof
    }

    #[test]
    fn every_pair_of_small_sizes_is_consistent() {
        let (leaves, tree) = tree(70);
        let roots: Vec<Hash> = (0..=70).map(|size| naive_root(&leaves[..size])).collect();
        for new in 0..=70_usize {
            for old in 0..=new {
                let proof = consistency_proof(&tree, old as u64, new as u64).unwrap();
                if old > 0 {
                    assert_eq!(proof, naive_subproof(old, &leaves[..new], true), "{old} {new}");
                }
                let check = |old_root, new_root, proof: &[Hash]| {
                    verify_consistency(old as u64, old_root, new as u64, new_root, proof)
                };
                check(&roots[old], &roots[new], &proof).unwrap();
                let longer = [proof.as_slice(), &[roots[new]]].concat();
                assert!(check(&roots[old], &roots[new], &longer).is_err());
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(check(&roots[old], &roots[new], shorter).is_err());
                }
                assert!(check(&Hash([1; 32]), &roots[new], &proof).is_err());
                if old > 0 {
                    assert!(check(&roots[old], &Hash([1; 32]), &proof).is_err());
                }
            }
        }
    }

    #[test]
    fn every_flipped_byte_is_refused() {
        let (leaves, tree) = tree(100);
        for old_size in [1, 32, 61, 64, 99] {
            let old_root = naive_root(&leaves[..old_size as usize]);
            let proof = consistency_proof(&tree, old_size, 100).unwrap();
            for place in 0..proof.len() * 32 {
                let mut altered = proof.clone();
                altered[place / 32].0[place % 32] ^= 0x80;
                let verdict = verify_consistency(old_size, &old_root, 100, &tree.root(), &altered);
                assert!(verdict.is_err(), "size {old_size} byte {place}");
            }
        }
    }

    #[test]
    fn the_edges_are_refused() {
        let (leaves, tree) = tree(4);
        let (empty, root) = (Hash::EMPTY_ROOT, tree.root());
        verify_consistency(0, &empty, 0, &empty, &[]).unwrap();
        verify_consistency(0, &empty, 4, &root, &[]).unwrap();
        verify_consistency(4, &root, 4, &root, &[]).unwrap();
        assert!(verify_consistency(0, &root, 4, &root, &[]).is_err());
        assert!(verify_consistency(0, &empty, 4, &root, &[root]).is_err());
        assert!(verify_consistency(0, &empty, 0, &root, &[]).is_err());
        assert!(verify_consistency(4, &root, 4, &leaves[0], &[]).is_err());
        assert!(verify_consistency(4, &root, 4, &root, &[root]).is_err());
        assert!(verify_consistency(5, &root, 4, &root, &[]).is_err());
        assert!(consistency_proof(&tree, 3, 2).is_err());
        assert!(consistency_proof(&tree, 3, 5).is_err());
    }

    #[test]
    fn a_rewritten_entry_breaks_consistency() {
        let (mut leaves, tree) = tree(50);
        let old_root = naive_root(&leaves[..20]);
        leaves[7] = leaf_hash(b"forged");
        let forged: MemoryTree = leaves.into_iter().collect();
        let proof = consistency_proof(&forged, 20, 50).unwrap();
        assert!(verify_consistency(20, &old_root, 50, &forged.root(), &proof).is_err());
        let proof = consistency_proof(&tree, 20, 50).unwrap();
        assert!(verify_consistency(20, &old_root, 50, &forged.root(), &proof).is_err());
    }

    proptest! {
        #[test]
        fn proofs_between_random_sizes_hold(a in 1_u64..600, b in 1_u64..600) {
            let (old, new) = (a.min(b), a.max(b));
            let (leaves, tree) = tree(new);
            let proof = consistency_proof(&tree, old, new).unwrap();
            let old_root = naive_root(&leaves[..old as usize]);
            let new_root = naive_root(&leaves);
            prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof).is_ok());
        }

        #[test]
        fn no_proof_is_longer_than_the_named_limit(a in 1_u64.., b in 1_u64..) {
            let (old, new) = (a.min(b), a.max(b));
            if old < new {
                prop_assert!(proof_ranges(old, new).len() <= MAX_PROOF_HASHES);
            }
        }

        #[test]
        fn arbitrary_claims_never_panic(
            old: u64, new: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 1..70),
        ) {
            let proof: Vec<Hash> = hashes.into_iter().map(Hash).collect();
            let (old_root, new_root) = (Hash([7; 32]), Hash([8; 32]));
            prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof).is_err());
        }
    }
}
