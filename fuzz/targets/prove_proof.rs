//! Proof files about one entry: a proof that holds for an entry of the log names the index at which
//! that entry stands, and no other entry's bytes pass with it.
//!
//! Input: a byte that chooses the entry, one that chooses a bit of it to flip, then the proof.

#![no_main]

use checkpoint::TlogProof;
use fuzz::sample_log::{ORIGIN, SampleLog, trust};
use libfuzzer_sys::fuzz_target;
use prove::{Trust, check_entry};
use std::sync::LazyLock;

static LOG: LazyLock<(SampleLog, Trust)> = LazyLock::new(|| (SampleLog::new(5), trust()));

fuzz_target!(|data: &[u8]| {
    let Some((head, text)) = data.split_first_chunk::<2>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(proof) = text.parse::<TlogProof>() else { return };
    let (log, trust) = &*LOG;
    let chosen = usize::from(head[0]) % log.entries.len();
    let mut entry = log.entries[chosen].encode();
    let checked = check_entry(&entry, &proof, ORIGIN, trust);
    if let Ok(proven) = &checked {
        assert_eq!(proven.index, chosen as u64);
        assert_eq!((proof.index, proven.entry), (proven.index, log.entries[chosen]));
    }
    let length = entry.len();
    entry[usize::from(head[1]) % length] ^= 1;
    assert!(check_entry(&entry, &proof, ORIGIN, trust).is_err());
});
