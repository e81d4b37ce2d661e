//! Stored metadata and content, which a damaged or foreign log may hold in any form: what is read
//! and written again is stable from then on.
//!
//! Input: two bytes of length, the metadata of that length, then the content.

#![no_main]

use event::Event;
use fuzz::stored::stored;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (meta, content) = rest.split_at(length);
    let Ok(event) = Event::from_stored(meta, content) else { return };
    let _ = event.check();
    let _ = event.content.error_message();
    let written = stored(&event);
    let back = Event::from_stored(&written.0, &written.1).expect("what was written reads back");
    assert_eq!(stored(&back), written);
});
