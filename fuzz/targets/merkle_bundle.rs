//! Entry bundles (C2SP tlog-tiles): any bytes under any width either fail, or are exactly the
//! entries that, appended one by one, give the same bytes again.
//!
//! Input: two bytes of width, then the bundle.

#![no_main]

use libfuzzer_sys::fuzz_target;
use merkle::{EntryBundle, append_entry};

fuzz_target!(|data: &[u8]| {
    let Some((width, bytes)) = data.split_first_chunk::<2>() else { return };
    let width = u16::from_be_bytes(*width);
    let Ok(bundle) = EntryBundle::parse(bytes, width) else { return };
    assert_eq!(bundle.width(), width);
    let mut again = Vec::with_capacity(bytes.len());
    let mut count = 0_usize;
    for entry in bundle.iter() {
        assert_eq!(bundle.get(count), Some(entry));
        append_entry(&mut again, entry).expect("an entry that came out of a bundle fits one");
        count += 1;
    }
    assert_eq!(count, usize::from(width));
    assert_eq!(bundle.get(count), None);
    assert_eq!(again, bytes);
});
