//! A journal file of a few frames, the same every time.

use crate::sample_keyring::Counted;
use keys::{DataKey, SecretKey};
use std::sync::Arc;
use store::{
    FileJournal, Folder, FrameBuffer, Journal, JournalHeader, MemoryFolder, Reservation,
    journal_path,
};

/// The log of the journal.
pub const LOG_ID: [u8; 16] = [5; 16];

/// Records and payload of every frame.
pub const FRAMES: [(u32, &[u8]); 4] =
    [(1, b"the first frame holds one record"), (3, b"three records"), (2, b""), (7, &[0x54; 400])];

/// The key of its frames.
#[must_use]
pub fn data_key() -> DataKey {
    DataKey::new(&SecretKey::new([9; 32]))
}

/// What the file says about itself.
#[must_use]
pub fn header() -> JournalHeader {
    JournalHeader { log_id: LOG_ID, key_id: [6; 16], first_index: 0 }
}

/// The bytes of the file, header included.
#[must_use]
pub fn journal() -> Vec<u8> {
    let memory = MemoryFolder::default();
    let folder: Arc<dyn Folder> = Arc::new(memory.clone());
    let entropy = Arc::new(Counted::default());
    let mut journal = FileJournal::create(&folder, header(), data_key(), entropy, Reservation::Off)
        .expect("memory never fails");
    let mut index = 0;
    for (count, payload) in FRAMES {
        let mut frame = FrameBuffer::default();
        frame.payload().extend_from_slice(payload);
        journal.append(index, count, &mut frame).expect("memory never fails");
        index += u64::from(count);
    }
    memory.snapshot().remove(&journal_path(0)).expect("it was written")
}

/// The payload of the frame that begins at `first_index`, if there is such a frame.
#[must_use]
pub fn payload_at(first_index: u64) -> Option<&'static [u8]> {
    let mut index = 0;
    for (count, payload) in FRAMES {
        if index == first_index {
            return Some(payload);
        }
        index += u64::from(count);
    }
    None
}
