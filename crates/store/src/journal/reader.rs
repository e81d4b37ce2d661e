//! Reading a journal file back: every whole frame in order, and what lies behind the last one.
//!
//! The reader never guesses. A frame that does not check is the end of the file when nothing valid
//! follows and nothing says that it was durable; otherwise it is damage, reported with its place.

use super::frame::{
    FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHeader, JOURNAL_HEADER_BYTES, JournalHeader, TAG_BYTES,
    associated_data, checksum_holds,
};
use crate::error::StoreError;
use crate::folder::Folder;
use keys::DataKey;

/// Bytes read at a time: large enough that the call does not matter, small enough to stay in cache.
const CHUNK_BYTES: usize = 1 << 20;
/// How often each byte behind damage is read at most, in search of good frames.
const TAIL_READS_MAX: u64 = 4;

/// Reads one journal file.
pub struct JournalReader<'f> {
    folder: &'f dyn Folder,
    path: String,
    header: JournalHeader,
    header_bytes: [u8; JOURNAL_HEADER_BYTES],
    /// A window of the file; `start` is its offset there.
    window: Vec<u8>,
    start: u64,
    offset: u64,
    file_bytes: u64,
    next_index: u64,
}

/// Where a frame lies and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its offset in the file.
    pub offset: u64,
    /// Its header.
    pub header: FrameHeader,
}

/// What the reader finds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameFound {
    /// A whole frame whose checksum holds; [`JournalReader::open_frame`] decrypts it.
    Frame(Located),
    /// The end, in good order or not.
    Tail(Tail),
}

/// What lies behind the last good frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Clean,
    /// Zeros, reserved ahead by a writer that did not close.
    Reserved {
        /// How many.
        bytes: u64,
    },
    /// An incomplete frame that was never acknowledged: a crash in the middle of a write.
    Torn {
        /// Where it begins.
        offset: u64,
        /// Bytes from there to the end.
        bytes: u64,
    },
    /// Damage to bytes that were durable, or good frames behind bad bytes.
    Damaged {
        /// Where it begins.
        offset: u64,
        /// The index of the first record that cannot be read.
        first_index: u64,
        /// The first record that can be read again behind it, with its offset, if any.
        resumes: Option<(u64, u64)>,
        /// The header at the damaged place, when it still reads as one.
        header: Option<FrameHeader>,
    },
}

impl<'f> JournalReader<'f> {
    /// Opens the journal file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the header does not check or contradicts the name, the file's
    /// own version or a read error.
    pub fn open(folder: &'f dyn Folder, path: &str, log_id: &[u8; 16]) -> Result<Self, StoreError> {
        let file_bytes =
            folder.size(path)?.ok_or_else(|| StoreError::Missing { path: path.to_owned() })?;
        let mut header_bytes = [0; JOURNAL_HEADER_BYTES];
        let count = folder.read_at(path, 0, &mut header_bytes)?;
        let header = JournalHeader::decode(header_bytes.get(..count).unwrap_or_default(), path)?;
        let damaged = |detail: &str| StoreError::Damaged {
            path: path.to_owned(),
            offset: 0,
            detail: detail.to_owned(),
        };
        if &header.log_id != log_id {
            return Err(damaged("it belongs to another log"));
        }
        if super::parse_journal_path(path) != Some(header.first_index) {
            return Err(damaged("its name does not fit its first record"));
        }
        Ok(Self {
            folder,
            path: path.to_owned(),
            header,
            header_bytes,
            window: Vec::new(),
            start: 0,
            offset: JOURNAL_HEADER_BYTES as u64,
            file_bytes,
            next_index: header.first_index,
        })
    }

    /// What the file says about itself.
    #[must_use]
    pub fn header(&self) -> &JournalHeader {
        &self.header
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The offset after the last good frame.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The index after the last record of the last good frame.
    #[must_use]
    pub fn next_index(&self) -> u64 {
        self.next_index
    }

    /// The next frame, or the end. Frames must follow each other without a gap in their indexes.
    ///
    /// # Errors
    /// [`StoreError::Io`]: the file could not be read, which says nothing about its bytes.
    pub fn next_frame(&mut self) -> Result<FrameFound, StoreError> {
        if self.offset >= self.file_bytes {
            return Ok(FrameFound::Tail(Tail::Clean));
        }
        match self.frame_at(self.offset)? {
            Some(header)
                if header.first_index == self.next_index && header.durable <= self.offset =>
            {
                let located = Located { offset: self.offset, header };
                self.offset += header.bytes();
                self.next_index = header.end_index();
                Ok(FrameFound::Frame(located))
            }
            _ => self.tail().map(FrameFound::Tail),
        }
    }

    /// Goes to a place behind damage that [`Tail::Damaged`] named.
    pub fn resume(&mut self, offset: u64, next_index: u64) {
        self.offset = offset;
        self.next_index = next_index;
    }

    /// Decrypts a frame that [`JournalReader::next_frame`] found into `payload`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not authenticate: it was changed, or moved from
    /// elsewhere.
    pub fn open_frame(
        &mut self,
        located: &Located,
        key: &DataKey,
        payload: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        let data = self.load(located, payload)?;
        let opened = key.open_in_place(located.header.nonce, &data, payload).map(|p| p.len());
        match opened {
            Ok(length) => {
                payload.truncate(length);
                Ok(())
            }
            Err(_) => Err(self.damaged(located.offset, "the frame does not authenticate")),
        }
    }

    /// Decrypts a damaged frame **without** authentication, only to find out which record changed.
    ///
    /// # Errors
    /// [`StoreError::Io`], or [`StoreError::Damaged`] when there are not enough bytes.
    pub fn open_damaged_frame(
        &mut self,
        located: &Located,
        key: &DataKey,
        payload: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        self.load(located, payload)?;
        payload.truncate(payload.len().saturating_sub(TAG_BYTES));
        key.decrypt_unauthenticated(located.header.nonce, payload)
            .map_err(|_| self.damaged(located.offset, "the frame cannot be decrypted"))
    }

    /// Copies the ciphertext and tag of a frame into `payload` and returns the associated data.
    fn load(&mut self, located: &Located, payload: &mut Vec<u8>) -> Result<[u8; 104], StoreError> {
        let frame = self.bytes(located.offset, located.header.bytes())?;
        payload.clear();
        payload.extend_from_slice(frame.get(FRAME_HEADER_BYTES..).unwrap_or_default());
        let head = frame.get(..FRAME_HEADER_BYTES).unwrap_or_default().to_vec();
        if payload.len() < TAG_BYTES {
            return Err(self.damaged(located.offset, "the frame is cut short"));
        }
        Ok(associated_data(&self.header_bytes, &head))
    }

    /// What reads as a frame's header at `offset`, checked no further.
    fn header_at(&mut self, offset: u64) -> Result<Option<FrameHeader>, StoreError> {
        Ok(FrameHeader::decode(self.bytes(offset, FRAME_HEADER_BYTES as u64)?))
    }

    /// The header of a whole frame at `offset` whose checksum holds.
    fn frame_at(&mut self, offset: u64) -> Result<Option<FrameHeader>, StoreError> {
        let Some(header) = self.header_at(offset)? else { return Ok(None) };
        if offset.checked_add(header.bytes()).is_none_or(|end| end > self.file_bytes) {
            return Ok(None);
        }
        let frame = self.bytes(offset, header.bytes())?;
        Ok(checksum_holds(frame, header.crc).then_some(header))
    }

    /// Judges what lies at the current offset, where no good frame begins.
    fn tail(&mut self) -> Result<Tail, StoreError> {
        let (offset, first_index) = (self.offset, self.next_index);
        let header = FrameHeader::decode(self.bytes(offset, FRAME_HEADER_BYTES as u64)?)
            .filter(|header| header.first_index == first_index);
        let (mut durable, mut resumes, mut zeros) = (0, None, true);
        // Bytes full of frame headers must not cost the square of their length.
        let mut budget = self.file_bytes.saturating_mul(TAIL_READS_MAX);
        let mut at = offset;
        while at < self.file_bytes {
            let chunk = self.bytes(at, CHUNK_BYTES as u64)?;
            zeros &= chunk.iter().all(|byte| *byte == 0);
            let candidates: Vec<u64> = memchr::memmem::find_iter(chunk, FRAME_MAGIC)
                .map(|found| at + found as u64)
                .collect();
            // The magic may straddle two chunks.
            let step = chunk.len().saturating_sub(FRAME_MAGIC.len() - 1).max(1) as u64;
            for candidate in candidates.into_iter().filter(|candidate| *candidate > offset) {
                let Some(announced) = self.header_at(candidate)? else { continue };
                let Some(left) = budget.checked_sub(announced.bytes()) else { continue };
                budget = left;
                if let Some(header) = self.frame_at(candidate)? {
                    durable = durable.max(header.durable);
                    if header.first_index >= first_index {
                        resumes.get_or_insert((candidate, header.first_index));
                    }
                }
            }
            if at + (step + FRAME_MAGIC.len() as u64 - 1) >= self.file_bytes {
                break;
            }
            at += step;
        }
        let bytes = self.file_bytes - offset;
        Ok(if zeros {
            Tail::Reserved { bytes }
        } else if durable > offset || resumes.is_some() {
            Tail::Damaged { offset, first_index, resumes, header }
        } else {
            Tail::Torn { offset, bytes }
        })
    }

    /// The bytes of the file from `offset` on: `length` of them, or fewer at the end of the file.
    fn bytes(&mut self, offset: u64, length: u64) -> Result<&[u8], StoreError> {
        let length = length.min(self.file_bytes.saturating_sub(offset));
        let end = self.start + self.window.len() as u64;
        if offset < self.start || offset + length > end {
            let left = self.file_bytes.saturating_sub(offset);
            let wanted =
                usize::try_from(length.max(CHUNK_BYTES as u64).min(left)).unwrap_or(usize::MAX);
            self.window.resize(wanted, 0);
            let count = self.folder.read_at(&self.path, offset, &mut self.window)?;
            self.window.truncate(count);
            self.start = offset;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let available = self.window.get(from..).unwrap_or_default();
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(available.len());
        Ok(available.get(..length).unwrap_or_default())
    }

    fn damaged(&self, offset: u64, detail: &str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), offset, detail: detail.to_owned() }
    }
}
