//! Appending frames to the journal file, durably and one at a time.
//!
//! There is one writer, one file and one sync at a time: two files synced at once are 20 to 40
//! times slower here than one after the other. Any failure is final for this writer (a failed sync
//! may "succeed" when it is tried again although the data is gone): it refuses everything
//! afterwards, and the caller reopens from what is really on disk.

use super::frame::{
    FRAME_PAYLOAD_BYTES_MAX, FrameBuffer, JOURNAL_HEADER_BYTES, JournalHeader, associated_data,
};
use super::reserve::{Reservation, Reserve};
use super::{Journal, journal_path};
use crate::error::StoreError;
use crate::folder::{Folder, WriteFile};
use keys::{DataKey, Entropy, KeyId};
use std::sync::Arc;

/// The journal as a local file.
pub struct FileJournal {
    path: String,
    header: [u8; JOURNAL_HEADER_BYTES],
    first_index: u64,
    key_id: KeyId,
    key: DataKey,
    entropy: Arc<dyn Entropy>,
    file: Box<dyn WriteFile>,
    reserve: Reserve,
    /// Bytes written, all of them durable: the position of the next frame.
    durable: u64,
    next_index: u64,
    poisoned: bool,
}

/// Where to go on in an existing file.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Bytes of the file that are whole frames.
    pub bytes: u64,
    /// The index after the last record in them.
    pub next_index: u64,
    /// Where the last frame begins, 0 when there is none: only what lies from there on may have
    /// been written and never synced.
    pub last_frame: u64,
}

impl FileJournal {
    /// Creates a new journal file for records from `header.first_index` on.
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::Damaged`] when such a file is there already.
    pub fn create(
        folder: &Arc<dyn Folder>,
        header: JournalHeader,
        key: DataKey,
        entropy: Arc<dyn Entropy>,
        reservation: Reservation,
    ) -> Result<Self, StoreError> {
        let path = journal_path(header.first_index);
        if folder.size(&path)?.is_some_and(|bytes| bytes > 0) {
            let detail = "a journal file of this name is there already".to_owned();
            return Err(StoreError::Damaged { path, offset: 0, detail });
        }
        let mut file = folder.open(&path)?;
        file.write_at(0, &header.encode())?;
        file.sync()?;
        let position = Position {
            bytes: JOURNAL_HEADER_BYTES as u64,
            next_index: header.first_index,
            last_frame: 0,
        };
        let reserve = Reserve::new(folder, &path, position.bytes, reservation);
        Ok(Self::at(path, header, key, entropy, file, reserve, position))
    }

    /// Goes on writing a file that recovery has read: whatever lies behind `position` is cut off
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn resume(
        folder: &Arc<dyn Folder>,
        header: JournalHeader,
        key: DataKey,
        entropy: Arc<dyn Entropy>,
        position: Position,
        reservation: Reservation,
    ) -> Result<Self, StoreError> {
        let path = journal_path(header.first_index);
        let mut file = folder.open(&path)?;
        file.set_size(position.bytes)?;
        // What recovery read may be only in the page cache: of a process that died before its sync,
        // or clean although its sync failed, and then no later sync would write it. From here on it
        // counts as durable, so it is written again and synced, and so is its name.
        let length = position.bytes.saturating_sub(position.last_frame);
        let mut last = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let count = folder.read_at(&path, position.last_frame, &mut last)?;
        last.truncate(count);
        file.write_at(position.last_frame, &last)?;
        // The write may have filled its last block with zeros.
        file.set_size(position.bytes)?;
        file.sync()?;
        folder.sync(std::slice::from_ref(&path))?;
        let reserve = Reserve::new(folder, &path, position.bytes, reservation);
        Ok(Self::at(path, header, key, entropy, file, reserve, position))
    }

    /// The index of the file's first record.
    #[must_use]
    pub fn first_index(&self) -> u64 {
        self.first_index
    }

    /// The key that the file is encrypted with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    fn at(
        path: String,
        header: JournalHeader,
        key: DataKey,
        entropy: Arc<dyn Entropy>,
        file: Box<dyn WriteFile>,
        reserve: Reserve,
        position: Position,
    ) -> Self {
        Self {
            path,
            header: header.encode(),
            first_index: header.first_index,
            key_id: KeyId::from_bytes(header.key_id),
            key,
            entropy,
            file,
            reserve,
            durable: position.bytes,
            next_index: position.next_index,
            poisoned: false,
        }
    }

    fn encrypt(
        &self,
        first_index: u64,
        count: u32,
        frame: &mut FrameBuffer,
    ) -> Result<(), StoreError> {
        let crypto = |detail: String| StoreError::Crypto { path: self.path.clone(), detail };
        let mut nonce = [0; 12];
        self.entropy.fill(&mut nonce).map_err(|error| crypto(error.to_string()))?;
        frame.set_header(first_index, count, self.durable, nonce);
        let data = associated_data(&self.header, &frame.bytes);
        let payload = frame.bytes.get_mut(super::FRAME_HEADER_BYTES..).unwrap_or_default();
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, &data, payload)
            .map_err(|error| crypto(error.to_string()))?;
        frame.finish(tag);
        Ok(())
    }

    fn write(&mut self, frame: &FrameBuffer) -> Result<(), StoreError> {
        let end = self.durable + frame.bytes.len() as u64;
        self.reserve.before_write(end);
        self.file.write_at(self.durable, &frame.bytes)?;
        // A crash before the sync returns leaves a torn frame, or none, or a whole one that nobody
        // was told about: recovery cuts the first, and keeps the last (a retry finds it by its
        // event ids).
        self.file.sync()?;
        self.durable = end;
        self.reserve.after_write(end, frame.bytes.len() as u64);
        Ok(())
    }
}

impl Journal for FileJournal {
    fn append(
        &mut self,
        first_index: u64,
        count: u32,
        frame: &mut FrameBuffer,
    ) -> Result<(), StoreError> {
        if self.poisoned {
            let source = std::io::Error::other("an earlier write or sync of this file failed");
            return Err(StoreError::io("write", &self.path)(source));
        }
        if first_index != self.next_index {
            return Err(StoreError::Ahead { expected: first_index, actual: self.next_index });
        }
        // No reader would believe it: refused before a byte is written.
        if frame.payload_bytes() > FRAME_PAYLOAD_BYTES_MAX {
            let reason = format!(
                "a frame of {} bytes is over the limit of the format",
                frame.payload_bytes()
            );
            return Err(StoreError::io("write", &self.path)(std::io::Error::other(reason)));
        }
        self.poisoned = true;
        self.encrypt(first_index, count, frame)?;
        self.write(frame)?;
        self.next_index += u64::from(count);
        self.poisoned = false;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.durable
    }

    fn close(&mut self) -> Result<(), StoreError> {
        if self.poisoned {
            return Ok(());
        }
        self.poisoned = true;
        self.reserve.finish();
        self.file.set_size(self.durable)?;
        self.file.sync()
    }
}
