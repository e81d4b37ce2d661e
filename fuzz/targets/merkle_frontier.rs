//! Frontiers as they are kept between runs: bytes that are read are written back the same, and the
//! tree that they stand for grows by one leaf as any other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use merkle::{Frontier, leaf_hash};

fuzz_target!(|data: &[u8]| {
    let Ok(mut frontier) = Frontier::from_bytes(data) else { return };
    assert_eq!(frontier.to_bytes(), data);
    assert_eq!(frontier.hashes().len(), frontier.size().count_ones() as usize);
    let (size, root) = (frontier.size(), frontier.root());
    if size == u64::MAX {
        return;
    }
    frontier.push(leaf_hash(b"one more"));
    assert_eq!(frontier.size(), size + 1);
    assert_ne!(frontier.root(), root);
    assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Ok(frontier));
});
