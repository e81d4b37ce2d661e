//! The journal: the encrypted write-ahead file that makes an acknowledgement true.
//!
//! `frame` holds the bytes, `writer` appends them durably, `reader` finds them again after whatever
//! happened. What the records inside mean is none of its business: a frame's payload is opaque
//! here.

mod frame;
mod reader;
mod reserve;
mod writer;

pub use frame::{
    FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, FrameBuffer, FrameHeader, JOURNAL_HEADER_BYTES,
    JournalHeader, TAG_BYTES,
};
pub use reader::{FrameFound, JournalReader, Located, Tail};
pub use reserve::Reservation;
pub use writer::{FileJournal, Position};

use crate::error::StoreError;

/// The folder of the journal files.
pub const JOURNAL_FOLDER: &str = "journal";

/// The path of the journal file whose first record is `first_index`.
#[must_use]
pub fn journal_path(first_index: u64) -> String {
    format!("{JOURNAL_FOLDER}/{first_index:020}.journal")
}

/// The first index that a journal file's name announces; `None` for any other name.
#[must_use]
pub fn parse_journal_path(path: &str) -> Option<u64> {
    let digits = path.strip_prefix(JOURNAL_FOLDER)?.strip_prefix('/')?.strip_suffix(".journal")?;
    let index = digits.parse().ok()?;
    (journal_path(index) == path).then_some(index)
}

/// Where records become durable. One writer at a time: position n can be written once.
pub trait Journal: Send {
    /// Appends one frame holding `count` records from `first_index` on, encrypting the buffer in
    /// place. When it returns, the frame survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Ahead`] when `first_index` is not the next one; any other error is final: the
    /// journal must be dropped and reopened from what is really on disk.
    fn append(
        &mut self,
        first_index: u64,
        count: u32,
        frame: &mut FrameBuffer,
    ) -> Result<(), StoreError>;

    /// Bytes in the current file, which the caller compares with its roll size.
    fn bytes(&self) -> u64;

    /// Ends writing in good order: space reserved ahead is given back.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn close(&mut self) -> Result<(), StoreError>;
}
