//! The entry: the public, fixed-size leaf that commits to a record (format.md, "Entry").
//!
//! Not here: its hash in the tree, which is `merkle::leaf_hash` of these bytes.

use crate::tier::Tier;

/// Bytes of an encoded entry.
pub const ENTRY_BYTES: usize = 104;

const VERSION: u8 = 1;

/// Who made the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A producer's event.
    Event = 0,
    /// The log's own life (`log.*`).
    Log = 1,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Event),
            1 => Some(Self::Log),
            _ => None,
        }
    }
}

/// One leaf of the tree: what the public log says about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who made the record.
    pub kind: Kind,
    /// How long it must be kept.
    pub tier: Tier,
    /// Record time in Unix milliseconds, never less than the previous entry's.
    pub time_ms: u64,
    /// The pseudonymous id of the stream.
    pub stream: [u8; 16],
    /// The position in the stream, from 1, without gaps.
    pub sequence: u64,
    /// The hash of the previous leaf; zeros at index 0.
    pub previous: [u8; 32],
    /// The commitment to the record.
    pub commitment: [u8; 32],
}

/// Bytes that are not an entry of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Another length than [`ENTRY_BYTES`].
    #[error("an entry has {ENTRY_BYTES} bytes, this one has {0}")]
    Length(usize),
    /// A version that this program does not know.
    #[error("entry version {0} is not known here; use a newer program to read it")]
    Version(u8),
    /// An undefined kind or tier, or a reserved byte that is not zero.
    #[error("byte {0} of the entry has an undefined value")]
    Undefined(usize),
}

impl Entry {
    /// The 104 bytes of the leaf.
    #[must_use]
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.kind as u8;
        bytes[2] = self.tier as u8;
        bytes[8..16].copy_from_slice(&self.time_ms.to_be_bytes());
        bytes[16..32].copy_from_slice(&self.stream);
        bytes[32..40].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[40..72].copy_from_slice(&self.previous);
        bytes[72..104].copy_from_slice(&self.commitment);
        bytes
    }

    /// Reads the 104 bytes of a leaf; every byte has one meaning, so decoding and encoding again
    /// gives the same bytes.
    ///
    /// # Errors
    /// [`EntryError`] when length, version, kind, tier or a reserved byte is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let bytes: &[u8; ENTRY_BYTES] =
            bytes.try_into().map_err(|_| EntryError::Length(bytes.len()))?;
        if bytes[0] != VERSION {
            return Err(EntryError::Version(bytes[0]));
        }
        let kind = Kind::from_number(bytes[1]).ok_or(EntryError::Undefined(1))?;
        let tier = Tier::from_number(bytes[2]).ok_or(EntryError::Undefined(2))?;
        if let Some(at) = bytes[3..8].iter().position(|b| *b != 0) {
            return Err(EntryError::Undefined(3 + at));
        }
        Ok(Self {
            kind,
            tier,
            time_ms: u64::from_be_bytes(array(&bytes[8..16])),
            stream: array(&bytes[16..32]),
            sequence: u64::from_be_bytes(array(&bytes[32..40])),
            previous: array(&bytes[40..72]),
            commitment: array(&bytes[72..104]),
        })
    }
}

/// A slice of known length as an array; the callers' ranges are constants.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_decodes_encodes_to_itself_and_every_flip_shows() {
        let entry = Entry {
            kind: Kind::Log,
            tier: Tier::Critical,
            time_ms: 1_767_225_600_123,
            stream: [7; 16],
            sequence: 42,
            previous: [8; 32],
            commitment: [9; 32],
        };
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes), Ok(entry));
        for position in 0..ENTRY_BYTES {
            for bit in 0..8 {
                let mut flipped = bytes;
                flipped[position] ^= 1 << bit;
                match Entry::decode(&flipped) {
                    Ok(other) => assert_eq!(other.encode(), flipped),
                    Err(_) => assert!(position < 8),
                }
            }
        }
        assert_eq!(Entry::decode(&bytes[..103]), Err(EntryError::Length(103)));
    }
}
