//! Bytes at rest. A [`Folder`] is the contract with the operating system; the [`Journal`] makes
//! records durable before they are acknowledged; everything else in a log's folder is a whole file
//! that is written once (tiles) or replaced atomically (the checkpoint, the keyring).
//!
//! Not here: what the bytes mean (`event`, `checkpoint`), who may decrypt them (`keys`), and the
//! order in which they are written (`seal`). Only this crate touches files.

mod direct;
mod disk;
mod error;
mod folder;
mod journal;
mod memory;

pub use disk::{CACHE_FOLDER, DiskFolder, TEMPORARY_SUFFIX};
pub use error::StoreError;
pub use folder::{BLOCK_BYTES, Folder, Lock, Scratch, WriteFile};
pub use journal::{
    FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, FileJournal, FrameBuffer, FrameFound, FrameHeader,
    JOURNAL_FOLDER, JOURNAL_HEADER_BYTES, Journal, JournalHeader, JournalReader, Located, Position,
    Reservation, TAG_BYTES, Tail, journal_path, parse_journal_path,
};
pub use memory::MemoryFolder;
