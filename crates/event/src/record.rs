//! The record: an event as sealed, its commitments, and its bytes inside a journal frame
//! (format.md, "Record" and "Journal file").
//!
//! Not here: encryption and framing (`store`), the tree (`merkle`).

use crate::entry::{Entry, Kind, array};
use crate::tier::Tier;
use crate::twin::{sha256, sha256_of_two};

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// Bytes of a record in a frame before its metadata and content.
pub const RECORD_HEADER_BYTES: usize = 76;

/// What commits to a missing content: 32 zero bytes.
pub const NO_CONTENT: [u8; 32] = [0; 32];

const META_LABEL: &[u8] = b"tachograph/meta/v1\0";
const CONTENT_LABEL: &[u8] = b"tachograph/content/v1\0";
const RECORD_LABEL: &[u8] = b"tachograph/record/v1\0";

/// A record's own fields and its two byte strings, borrowed from wherever they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Who made it.
    pub kind: Kind,
    /// How long it must be kept.
    pub tier: Tier,
    /// Record time in Unix milliseconds.
    pub time_ms: u64,
    /// The pseudonymous stream id.
    pub stream: [u8; 16],
    /// The position in the stream, from 1.
    pub sequence: u64,
    /// Hides the metadata in its commitment.
    pub meta_salt: [u8; SALT_BYTES],
    /// Hides the content in its commitment.
    pub content_salt: [u8; SALT_BYTES],
    /// The metadata's bytes.
    pub meta: &'a [u8],
    /// The content's bytes; empty when there is none.
    pub content: &'a [u8],
}

/// Bytes of a frame that are not whole records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Fewer bytes than the header or its lengths announce.
    #[error("the record is cut short: {0} bytes are left")]
    Short(usize),
    /// An undefined kind or tier, or a reserved byte that is not zero.
    #[error("byte {0} of the record has an undefined value")]
    Undefined(usize),
}

impl<'a> Record<'a> {
    /// The commitment to the metadata alone.
    #[must_use]
    pub fn meta_commitment(&self) -> [u8; 32] {
        meta_commitment(&self.meta_salt, self.meta)
    }

    /// The commitment to the content alone.
    #[must_use]
    pub fn content_commitment(&self) -> [u8; 32] {
        content_commitment(&self.content_salt, self.content)
    }

    /// The commitment that the entry holds.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        commitment_of(&self.meta_salt, self.meta, &self.content_salt, self.content)
    }

    /// The entry of this record after a leaf whose hash is `previous`.
    #[must_use]
    pub fn entry(&self, previous: [u8; 32]) -> Entry {
        Entry {
            kind: self.kind,
            tier: self.tier,
            time_ms: self.time_ms,
            stream: self.stream,
            sequence: self.sequence,
            previous,
            commitment: self.commitment(),
        }
    }

    /// Appends the record as it stands in a frame. Lengths over 4 GiB cannot occur: events are
    /// bounded by [`crate::limits::EVENT_BYTES_MAX`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        out.extend_from_slice(&[self.kind as u8, self.tier as u8, 0, 0]);
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.extend_from_slice(&self.stream);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.meta_salt);
        out.extend_from_slice(&self.content_salt);
        out.extend_from_slice(&length(self.meta));
        out.extend_from_slice(&length(self.content));
        out.extend_from_slice(self.meta);
        out.extend_from_slice(self.content);
    }

    /// Reads the first record of `bytes` and returns it with the bytes after it.
    ///
    /// # Errors
    /// [`RecordError`]; nothing is allocated whatever the lengths say.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), RecordError> {
        let short = RecordError::Short(bytes.len());
        let (header, rest) = bytes.split_first_chunk::<RECORD_HEADER_BYTES>().ok_or(short)?;
        let kind = Kind::from_number(header[0]).ok_or(RecordError::Undefined(0))?;
        let tier = Tier::from_number(header[1]).ok_or(RecordError::Undefined(1))?;
        if let Some(at) = header[2..4].iter().position(|b| *b != 0) {
            return Err(RecordError::Undefined(2 + at));
        }
        let meta_length = u32::from_be_bytes(array(&header[68..72])) as usize;
        let content_length = u32::from_be_bytes(array(&header[72..76])) as usize;
        let (meta, rest) = rest.split_at_checked(meta_length).ok_or(short)?;
        let (content, rest) = rest.split_at_checked(content_length).ok_or(short)?;
        let record = Self {
            kind,
            tier,
            time_ms: u64::from_be_bytes(array(&header[4..12])),
            stream: array(&header[12..28]),
            sequence: u64::from_be_bytes(array(&header[28..36])),
            meta_salt: array(&header[36..52]),
            content_salt: array(&header[52..68]),
            meta,
            content,
        };
        Ok((record, rest))
    }
}

/// `SHA-256("tachograph/meta/v1" || 0x00 || salt || bytes)`.
#[must_use]
pub fn meta_commitment(salt: &[u8; SALT_BYTES], meta: &[u8]) -> [u8; 32] {
    sha256(&[META_LABEL, salt], meta)
}

/// `SHA-256("tachograph/content/v1" || 0x00 || salt || bytes)`, or zeros for no content.
#[must_use]
pub fn content_commitment(salt: &[u8; SALT_BYTES], content: &[u8]) -> [u8; 32] {
    if content.is_empty() {
        return NO_CONTENT;
    }
    sha256(&[CONTENT_LABEL, salt], content)
}

/// `SHA-256("tachograph/record/v1" || 0x00 || meta commitment || content commitment)`.
#[must_use]
pub fn commitment(meta_commitment: &[u8; 32], content_commitment: &[u8; 32]) -> [u8; 32] {
    sha256(&[RECORD_LABEL, meta_commitment], content_commitment)
}

/// The commitment that the entry holds, of a record's salts and bytes.
#[must_use]
pub fn commitment_of(
    meta_salt: &[u8; SALT_BYTES],
    meta: &[u8],
    content_salt: &[u8; SALT_BYTES],
    content: &[u8],
) -> [u8; 32] {
    if content.is_empty() {
        return commitment(&meta_commitment(meta_salt, meta), &NO_CONTENT);
    }
    let (meta, content) =
        sha256_of_two((&[META_LABEL, meta_salt], meta), (&[CONTENT_LABEL, content_salt], content));
    commitment(&meta, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record<'static> {
        Record {
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 5,
            stream: [1; 16],
            sequence: 2,
            meta_salt: [3; 16],
            content_salt: [4; 16],
            meta: b"{\"a\":1}",
            content: b"{}",
        }
    }

    #[test]
    fn records_in_a_frame_read_back_one_after_the_other() {
        let (mut bytes, second) = (Vec::new(), Record { content: b"", ..record() });
        record().encode(&mut bytes);
        second.encode(&mut bytes);
        let (first, rest) = Record::decode(&bytes).unwrap();
        assert_eq!(first, record());
        assert_eq!(Record::decode(rest).unwrap(), (second, &[][..]));
        for length in 0..RECORD_HEADER_BYTES + 9 {
            assert!(Record::decode(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn the_commitment_is_that_of_both_parts() {
        for (meta, content) in
            [(&b"{}"[..], &b""[..]), (b"{\"a\":1}", b"{}"), (&[7; 500], &[8; 90])]
        {
            let record = Record { meta, content, ..record() };
            let parts = commitment(&record.meta_commitment(), &record.content_commitment());
            assert_eq!(record.commitment(), parts);
        }
    }

    #[test]
    fn every_committed_part_changes_the_commitment() {
        let base = record().commitment();
        assert_ne!(base, Record { meta: b"{\"a\":2}", ..record() }.commitment());
        assert_ne!(base, Record { content: b"{ }", ..record() }.commitment());
        assert_ne!(base, Record { content: b"", ..record() }.commitment());
        assert_ne!(base, Record { meta_salt: [5; 16], ..record() }.commitment());
        assert_ne!(base, Record { content_salt: [5; 16], ..record() }.commitment());
        assert_eq!(Record { content: b"", ..record() }.content_commitment(), NO_CONTENT);
    }
}
