//! The bytes of a journal file (format.md, "Journal file"); all integers big-endian.
//!
//! ```text
//! file   = header (64) frame*                     then, in a file still open, zeros reserved ahead
//! header = "TACHOJNL" (8)  version u32  zero u32  log id (16)  key id (16)  first index u64
//!          zero u32  CRC-32C of the 60 bytes before u32
//! frame  = "TJF1" (4)  length u32  first index u64  count u32  durable u64  nonce (12)
//!          CRC-32C u32  ciphertext  tag (16)
//! ```
//!
//! `length` counts ciphertext and tag. `durable` is the length of the file through which everything
//! was synced when this frame was written: damage before it cannot be a torn write. The CRC covers
//! the frame without the CRC itself. The cipher is AES-256-GCM; its associated data is the file's
//! header followed by the frame's header without the CRC, so a frame can be moved neither within
//! nor between files.

use crate::error::StoreError;

/// Bytes of the file header.
pub const JOURNAL_HEADER_BYTES: usize = 64;
/// Bytes of a frame before the ciphertext.
pub const FRAME_HEADER_BYTES: usize = 44;
/// Bytes of the authentication tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of a frame's payload at most: a group stops growing at 4 MiB, and one batch more (32 MiB
/// as sent, about as much as stored) may have joined it by then.
pub const FRAME_PAYLOAD_BYTES_MAX: usize = 48 << 20;

pub(crate) const FILE_MAGIC: &[u8; 8] = b"TACHOJNL";
pub(crate) const FRAME_MAGIC: &[u8; 4] = b"TJF1";
const VERSION: u32 = 1;
/// Frame header bytes that are authenticated: all but the CRC.
const CRC_OFFSET: usize = 40;
/// Room for a frame is made in steps of this many bytes.
const ROOM_BYTES_STEP: usize = 1 << 20;

/// What a journal file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalHeader {
    /// The log it belongs to.
    pub log_id: [u8; 16],
    /// The key that its frames are encrypted with.
    pub key_id: [u8; 16],
    /// The index of its first record.
    pub first_index: u64,
}

impl JournalHeader {
    /// The 64 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; JOURNAL_HEADER_BYTES] {
        let mut bytes = [0; JOURNAL_HEADER_BYTES];
        bytes[..8].copy_from_slice(FILE_MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.log_id);
        bytes[32..48].copy_from_slice(&self.key_id);
        bytes[48..56].copy_from_slice(&self.first_index.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Reads the 64 bytes of the file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::FutureVersion`].
    pub fn decode(bytes: &[u8], path: &str) -> Result<Self, StoreError> {
        let damaged = |offset: u64, detail: &str| StoreError::Damaged {
            path: path.to_owned(),
            offset,
            detail: detail.to_owned(),
        };
        let bytes: &[u8; JOURNAL_HEADER_BYTES] =
            bytes.try_into().map_err(|_| damaged(bytes.len() as u64, "the header is cut short"))?;
        if &bytes[..8] != FILE_MAGIC {
            return Err(damaged(0, "this is not a journal file"));
        }
        let version = u32::from_be_bytes(array(&bytes[8..12]));
        let crc = u32::from_be_bytes(array(&bytes[60..]));
        let intact = crc == crc32c::crc32c(&bytes[..60]) || cfg!(fuzzing);
        if version != VERSION && intact {
            let path = path.to_owned();
            return Err(StoreError::FutureVersion { path, version, known: VERSION });
        }
        if !intact || version != VERSION || bytes[12..16] != [0; 4] || bytes[56..60] != [0; 4] {
            return Err(damaged(0, "the header's checksum does not match"));
        }
        Ok(Self {
            log_id: array(&bytes[16..32]),
            key_id: array(&bytes[32..48]),
            first_index: u64::from_be_bytes(array(&bytes[48..56])),
        })
    }
}

/// What a frame says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of ciphertext and tag.
    pub length: u32,
    /// The index of the first record inside.
    pub first_index: u64,
    /// How many records are inside.
    pub count: u32,
    /// Bytes of the file that were durable when this frame was written.
    pub durable: u64,
    /// The cipher's nonce, random.
    pub nonce: [u8; 12],
    /// CRC-32C of the frame without this field.
    pub crc: u32,
}

impl FrameHeader {
    /// Reads a frame's header; `None` when these bytes cannot be one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FRAME_HEADER_BYTES] = bytes.first_chunk()?;
        let header = Self {
            length: u32::from_be_bytes(array(&bytes[4..8])),
            first_index: u64::from_be_bytes(array(&bytes[8..16])),
            count: u32::from_be_bytes(array(&bytes[16..20])),
            durable: u64::from_be_bytes(array(&bytes[20..28])),
            nonce: array(&bytes[28..40]),
            crc: u32::from_be_bytes(array(&bytes[40..44])),
        };
        let plausible = &bytes[..4] == FRAME_MAGIC
            && header.count > 0
            && (TAG_BYTES..=FRAME_PAYLOAD_BYTES_MAX + TAG_BYTES)
                .contains(&(header.length as usize))
            && header.first_index.checked_add(u64::from(header.count)).is_some();
        plausible.then_some(header)
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.length)
    }

    /// The index after the last record inside.
    #[must_use]
    pub fn end_index(&self) -> u64 {
        self.first_index.saturating_add(u64::from(self.count))
    }
}

/// True when the checksum over a whole frame holds. Fuzzing goes past it, or it would test nothing
/// else.
pub(crate) fn checksum_holds(frame: &[u8], crc: u32) -> bool {
    cfg!(fuzzing) || checksum(frame) == Some(crc)
}

fn checksum(frame: &[u8]) -> Option<u32> {
    let (head, body) = (frame.get(..CRC_OFFSET)?, frame.get(FRAME_HEADER_BYTES..)?);
    Some(crc32c::crc32c_append(crc32c::crc32c(head), body))
}

/// The associated data of a frame: the file's header and the frame's, without its CRC.
pub(crate) fn associated_data(file: &[u8; JOURNAL_HEADER_BYTES], frame: &[u8]) -> [u8; 104] {
    let mut data = [0; JOURNAL_HEADER_BYTES + CRC_OFFSET];
    data[..JOURNAL_HEADER_BYTES].copy_from_slice(file);
    if let Some(head) = frame.get(..CRC_OFFSET) {
        data[JOURNAL_HEADER_BYTES..].copy_from_slice(head);
    }
    data
}

/// A frame being built: the payload is written behind room for its header, so that it is encrypted
/// and written without another copy. Reused from group to group.
#[derive(Debug)]
pub struct FrameBuffer {
    pub(crate) bytes: Vec<u8>,
}

impl Default for FrameBuffer {
    fn default() -> Self {
        Self { bytes: vec![0; FRAME_HEADER_BYTES] }
    }
}

impl FrameBuffer {
    /// Empties the payload.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(FRAME_HEADER_BYTES, 0);
    }

    /// Makes room for a payload of so many bytes, in steps, so that frames of about one size need
    /// it once.
    pub fn reserve(&mut self, payload_bytes: usize) {
        let bytes = FRAME_HEADER_BYTES + payload_bytes + TAG_BYTES;
        let wanted = bytes.next_multiple_of(ROOM_BYTES_STEP);
        self.bytes.reserve_exact(wanted.saturating_sub(self.bytes.len()));
    }

    /// Where to append the payload's bytes.
    pub fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes of payload so far.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(FRAME_HEADER_BYTES)
    }

    /// Writes the header in front of the payload, whose tag is not there yet.
    pub(crate) fn set_header(
        &mut self,
        first_index: u64,
        count: u32,
        durable: u64,
        nonce: [u8; 12],
    ) {
        let length = u32::try_from(self.payload_bytes() + TAG_BYTES).unwrap_or(u32::MAX);
        let head = &mut self.bytes[..FRAME_HEADER_BYTES];
        head[..4].copy_from_slice(FRAME_MAGIC);
        head[4..8].copy_from_slice(&length.to_be_bytes());
        head[8..16].copy_from_slice(&first_index.to_be_bytes());
        head[16..20].copy_from_slice(&count.to_be_bytes());
        head[20..28].copy_from_slice(&durable.to_be_bytes());
        head[28..40].copy_from_slice(&nonce);
    }

    /// Adds the tag and the checksum: the frame is complete.
    pub(crate) fn finish(&mut self, tag: [u8; TAG_BYTES]) {
        self.bytes.extend_from_slice(&tag);
        let crc = checksum(&self.bytes).unwrap_or_default();
        self.bytes[CRC_OFFSET..FRAME_HEADER_BYTES].copy_from_slice(&crc.to_be_bytes());
    }
}

/// A slice of known length as an array; the callers' ranges are constants.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_newer_version_says_so_and_a_torn_one_does_not() {
        let header = JournalHeader { log_id: [1; 16], key_id: [2; 16], first_index: 7 };
        let mut bytes = header.encode();
        assert_eq!(JournalHeader::decode(&bytes, "j").unwrap(), header);
        bytes[11] = 2;
        let torn = JournalHeader::decode(&bytes, "j");
        assert!(matches!(torn, Err(StoreError::Damaged { .. })), "{torn:?}");
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_be_bytes());
        let newer = JournalHeader::decode(&bytes, "j");
        assert!(matches!(newer, Err(StoreError::FutureVersion { version: 2, .. })), "{newer:?}");
    }
}
