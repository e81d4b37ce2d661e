//! Journal files: any bytes behind a good header are read to their end in bounded steps, going on
//! behind every damage. Frames lie one behind the other within the file, their indexes rise, and
//! what decrypts is what was once written there. Checksums are not checked here (`cfg(fuzzing)`).

#![no_main]

use fuzz::sample_journal::{LOG_ID, data_key, header, payload_at};
use keys::DataKey;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use store::{
    FrameFound, JOURNAL_HEADER_BYTES, JournalReader, Located, MemoryFolder, Tail, journal_path,
};

static KEY: LazyLock<DataKey> = LazyLock::new(data_key);

fuzz_target!(|data: &[u8]| {
    let path = journal_path(0);
    let bytes = [&header().encode()[..], data].concat();
    let length = bytes.len() as u64;
    let folder = MemoryFolder::from_files(BTreeMap::from([(path.clone(), bytes)]));
    let mut reader = JournalReader::open(&folder, &path, &LOG_ID).expect("the header is good");
    let (mut end, mut next_index, mut payload) = (JOURNAL_HEADER_BYTES as u64, 0, Vec::new());
    // Every step takes at least four bytes: the magic of a frame.
    for _ in 0..=data.len() / 4 + 1 {
        match reader.next_frame().expect("memory never fails") {
            FrameFound::Frame(Located { offset, header }) => {
                assert_eq!((offset, header.first_index), (end, next_index));
                end = offset + header.bytes();
                next_index = header.end_index();
                assert!(end <= length && next_index > header.first_index);
                assert_eq!((reader.offset(), reader.next_index()), (end, next_index));
                let located = Located { offset, header };
                if reader.open_frame(&located, &KEY, &mut payload).is_ok() {
                    assert_eq!(payload_at(header.first_index), Some(&*payload));
                }
                reader.open_damaged_frame(&located, &KEY, &mut payload).expect("long enough");
                assert!(payload.len() as u64 <= header.bytes());
            }
            FrameFound::Tail(Tail::Damaged { offset, first_index, resumes, header }) => {
                assert_eq!((offset, first_index), (end, next_index));
                if let Some(header) = header {
                    let located = Located { offset, header };
                    let _ = reader.open_damaged_frame(&located, &KEY, &mut payload);
                    let _ = reader.open_frame(&located, &KEY, &mut payload);
                }
                let Some((resume_at, index)) = resumes else { return };
                assert!(resume_at > offset && resume_at < length && index >= first_index);
                (end, next_index) = (resume_at, index);
                reader.resume(resume_at, index);
            }
            FrameFound::Tail(Tail::Reserved { bytes }) => {
                assert_eq!(bytes, length - end);
                assert!(data[data.len() - bytes as usize..].iter().all(|byte| *byte == 0));
                return;
            }
            FrameFound::Tail(Tail::Torn { offset, bytes }) => {
                assert_eq!((offset, offset + bytes), (end, length));
                return;
            }
            FrameFound::Tail(Tail::Clean) => {
                assert_eq!(end, length);
                return;
            }
        }
    }
    panic!("the reader does not come to an end");
});
