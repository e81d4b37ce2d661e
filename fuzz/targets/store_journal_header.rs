//! Headers of journal files and frames, and names of journal files: a file header that is read
//! writes the same bytes but for its checksum, which is not checked here (`cfg(fuzzing)`); a frame
//! header keeps to its limits; a name that is read is written back the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use store::{
    FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, FrameHeader, JOURNAL_HEADER_BYTES, JournalHeader,
    TAG_BYTES, journal_path, parse_journal_path,
};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(index) = parse_journal_path(&text) {
        assert_eq!(journal_path(index), text);
    }
    if let Ok(header) = JournalHeader::decode(data, "journal") {
        let checked = JOURNAL_HEADER_BYTES - 4;
        assert_eq!(header.encode()[..checked], data[..checked]);
        assert_eq!(parse_journal_path(&journal_path(header.first_index)), Some(header.first_index));
    }
    if let Some(header) = FrameHeader::decode(data) {
        assert!(header.count > 0 && header.end_index() > header.first_index);
        assert!(header.length as usize >= TAG_BYTES);
        let bytes_max = FRAME_HEADER_BYTES + FRAME_PAYLOAD_BYTES_MAX + TAG_BYTES;
        assert!(header.bytes() <= bytes_max as u64);
    }
});
