//! Entries: bytes that decode encode to the same bytes, because every byte has one meaning; a run
//! of them that is accepted as a chain breaks when any byte of its last-but-one entry changes.

#![no_main]

use event::{ENTRY_BYTES, Entry};
use libfuzzer_sys::fuzz_target;
use prove::check_chain;

fuzz_target!(|data: &[u8]| {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode(), data);
    }
    let entries: Vec<&[u8]> = data.chunks(ENTRY_BYTES).collect();
    let Ok(end) = check_chain(0, None, entries.iter().copied()) else { return };
    assert_eq!(end.next, entries.len() as u64);
    assert!(entries.iter().all(|entry| Entry::decode(entry).is_ok()));
    if let [.., before, _] = entries.as_slice() {
        let mut altered = before.to_vec();
        altered[ENTRY_BYTES - 1] ^= 1;
        let count = entries.len();
        let run = entries[..count - 2].iter().copied().chain([&*altered, entries[count - 1]]);
        assert!(check_chain(0, None, run).is_err());
    }
});
