//! Proofs: on a small tree, the proof that is made holds and any mutation of it is refused; on any
//! numbers and hashes, both verifiers say what the algorithms of RFC 9162 say, written down here a
//! second time as they stand there (sections 2.1.3.2 and 2.1.4.2).
//!
//! Input: tree size, index, mutation, place, then two numbers and hashes for the second half.

#![no_main]

use libfuzzer_sys::fuzz_target;
use merkle::{
    Hash, MemoryTree, consistency_proof, inclusion_proof, leaf_hash, node_hash, tree_root,
    verify_consistency, verify_inclusion,
};

const SIZE_MAX: u64 = 40;

fuzz_target!(|data: &[u8]| {
    let Some((head, rest)) = data.split_first_chunk::<4>() else { return };
    let size = u64::from(head[0]) % SIZE_MAX + 1;
    let index = u64::from(head[1]) % size;
    let tree: MemoryTree =
        (0..size).map(|number| leaf_hash(&[&number.to_be_bytes()[..], rest].concat())).collect();
    let (leaf, root) = (leaf_hash(&[&index.to_be_bytes()[..], rest].concat()), tree.root());
    check_inclusion(&tree, index, &leaf, head);
    check_consistency(&tree, index, head);

    let Some((numbers, hashes)) = rest.split_first_chunk::<16>() else { return };
    let number = |at: usize| u64::from_be_bytes(numbers[at..at + 8].try_into().expect("8 bytes"));
    let proof: Vec<Hash> = hashes.as_chunks::<32>().0.iter().copied().map(Hash).collect();
    let (first, second) = (number(0), number(8));
    let holds = verify_inclusion(first, second, &leaf, &proof, &root).is_ok();
    assert_eq!(holds, included(first, second, &leaf, &proof) == Some(root));
    if let Some(reached) = included(first, second, &leaf, &proof) {
        assert_eq!(verify_inclusion(first, second, &leaf, &proof, &reached), Ok(()));
    }
    if first > 0 && first < second {
        let reached = consistent(first, &leaf, second, &proof);
        let holds = verify_consistency(first, &leaf, second, &root, &proof).is_ok();
        assert_eq!(holds, reached == Some((leaf, root)));
        if let Some((old, new)) = reached.filter(|(old, _)| *old == leaf) {
            assert_eq!(verify_consistency(first, &old, second, &new, &proof), Ok(()));
        }
    } else {
        let _ = verify_consistency(first, &leaf, second, &root, &proof);
    }
});

fn check_inclusion(tree: &MemoryTree, index: u64, leaf: &Hash, head: &[u8; 4]) {
    let (size, root) = (tree.size(), tree.root());
    let proof = inclusion_proof(tree, index, size).expect("within the tree");
    assert_eq!(verify_inclusion(index, size, leaf, &proof, &root), Ok(()));
    let other = u64::from(head[3]) % size;
    if other != index {
        assert!(verify_inclusion(other, size, leaf, &proof, &root).is_err());
    }
    assert!(verify_inclusion(index, size, &mutated(leaf, head[3]), &proof, &root).is_err());
    assert!(verify_inclusion(index, size, leaf, &proof, &mutated(&root, head[3])).is_err());
    if let Some(proof) = mutate(proof, head) {
        assert!(verify_inclusion(index, size, leaf, &proof, &root).is_err());
    }
}

fn check_consistency(tree: &MemoryTree, old_size: u64, head: &[u8; 4]) {
    let (size, root) = (tree.size(), tree.root());
    let old_root = tree_root(tree, old_size).expect("within the tree");
    let proof = consistency_proof(tree, old_size, size).expect("within the tree");
    assert_eq!(verify_consistency(old_size, &old_root, size, &root, &proof), Ok(()));
    let false_root = mutated(&old_root, head[3]);
    assert!(verify_consistency(old_size, &false_root, size, &root, &proof).is_err());
    if old_size > 0 {
        let false_root = mutated(&root, head[3]);
        assert!(verify_consistency(old_size, &old_root, size, &false_root, &proof).is_err());
    }
    if let Some(proof) = mutate(proof, head) {
        assert!(verify_consistency(old_size, &old_root, size, &root, &proof).is_err());
    }
}

fn mutated(hash: &Hash, at: u8) -> Hash {
    let mut bytes = hash.0;
    bytes[usize::from(at >> 3)] ^= 1 << (at & 7);
    Hash(bytes)
}

/// The proof with one thing wrong; `None` when that changes nothing.
fn mutate(mut proof: Vec<Hash>, head: &[u8; 4]) -> Option<Vec<Hash>> {
    let before = proof.clone();
    let place = usize::from(head[3]) % (proof.len() + 1);
    match head[2] % 5 {
        0 => {
            let hash = proof.get_mut(place)?;
            *hash = mutated(hash, head[3]);
        }
        1 => proof.insert(place, Hash([head[3]; 32])),
        2 if place < proof.len() => drop(proof.remove(place)),
        3 => proof.reverse(),
        _ => proof.extend(before.last().copied()),
    }
    (proof != before).then_some(proof)
}

/// RFC 9162, 2.1.3.2: the root that the proof leads to.
fn included(index: u64, size: u64, leaf: &Hash, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut r#fn, mut sn, mut r) = (index, size - 1, *leaf);
    for p in proof {
        if sn == 0 {
            return None;
        }
        if r#fn & 1 == 1 || r#fn == sn {
            r = node_hash(p, &r);
            if r#fn & 1 == 0 {
                while r#fn & 1 == 0 && r#fn != 0 {
                    r#fn >>= 1;
                    sn >>= 1;
                }
            }
        } else {
            r = node_hash(&r, p);
        }
        r#fn >>= 1;
        sn >>= 1;
    }
    (sn == 0).then_some(r)
}

/// RFC 9162, 2.1.4.2, for 0 < first < second: the roots that the proof leads to.
fn consistent(first: u64, first_hash: &Hash, second: u64, proof: &[Hash]) -> Option<(Hash, Hash)> {
    if proof.is_empty() {
        return None;
    }
    let mut path = proof.to_vec();
    if first.is_power_of_two() {
        path.insert(0, *first_hash);
    }
    let (mut r#fn, mut sn) = (first - 1, second - 1);
    while r#fn & 1 == 1 {
        r#fn >>= 1;
        sn >>= 1;
    }
    let (mut fr, mut sr) = (path[0], path[0]);
    for c in &path[1..] {
        if sn == 0 {
            return None;
        }
        if r#fn & 1 == 1 || r#fn == sn {
            fr = node_hash(c, &fr);
            sr = node_hash(c, &sr);
            if r#fn & 1 == 0 {
                while r#fn & 1 == 0 && r#fn != 0 {
                    r#fn >>= 1;
                    sn >>= 1;
                }
            }
        } else {
            sr = node_hash(&sr, c);
        }
        r#fn >>= 1;
        sn >>= 1;
    }
    (sn == 0).then_some((fr, sr))
}
