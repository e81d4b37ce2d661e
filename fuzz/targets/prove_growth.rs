//! Proofs that a log only grew: between two signed checkpoints of it, in any order, only the one
//! true proof is accepted.
//!
//! Input: two bytes of sizes, then the hashes of the proof; with a third byte that is odd, the true
//! proof comes first.

#![no_main]

use fuzz::sample_log::{ORIGIN, SampleLog, trust};
use libfuzzer_sys::fuzz_target;
use merkle::{Hash, MemoryTree, consistency_proof};
use prove::{Trust, check_growth};
use std::sync::LazyLock;

const SIZE: u64 = 11;

static LOG: LazyLock<(Vec<String>, MemoryTree, Trust)> = LazyLock::new(|| {
    let log = SampleLog::new(SIZE as usize);
    ((0..=SIZE).map(|size| log.checkpoint(size)).collect(), log.tree(), trust())
});

fuzz_target!(|data: &[u8]| {
    let Some(([old, new, with_truth], hashes)) = data.split_first_chunk::<3>() else { return };
    let (notes, tree, trust) = &*LOG;
    let (old, new) = (u64::from(*old) % (SIZE + 1), u64::from(*new) % (SIZE + 1));
    let truth = consistency_proof(tree, old, new).ok();
    let mut proof =
        if with_truth & 1 == 1 { truth.clone().unwrap_or_default() } else { Vec::new() };
    proof.extend(hashes.as_chunks::<32>().0.iter().copied().map(Hash));
    let checked = check_growth(&notes[old as usize], &notes[new as usize], &proof, ORIGIN, trust);
    assert_eq!(checked.is_ok(), truth == Some(proof));
    if let Ok(growth) = checked {
        assert_eq!((growth.old.size, growth.new.size), (old, new));
    }
});
