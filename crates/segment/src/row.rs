//! One record as a segment holds it, owned: what comes out, and what goes in when a segment is
//! rewritten.
//!
//! Not the record itself ([`event::Record`]): stream and sequence stand in the public entry, and
//! the content may have been erased.

use event::{Kind, Record, Tier, record};

/// A record in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its index in the log.
    pub index: u64,
    /// Who made it.
    pub kind: Kind,
    /// How long it must be kept.
    pub tier: Tier,
    /// Record time in Unix milliseconds.
    pub time_ms: u64,
    /// The metadata's bytes.
    pub meta: Vec<u8>,
    /// Hides the metadata in its commitment.
    pub meta_salt: [u8; record::SALT_BYTES],
    /// The content, as far as it is there.
    pub content: ContentState,
}

/// What became of a record's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentState {
    /// The record never had any.
    None,
    /// It is here.
    Present {
        /// Hides the content in its commitment.
        salt: [u8; record::SALT_BYTES],
        /// The bytes; never empty.
        bytes: Vec<u8>,
    },
    /// It was erased, and so was its salt; what committed to it remains, so that the metadata still
    /// proves.
    Erased {
        /// The commitment to the content that was there.
        commitment: [u8; 32],
    },
    /// Only metadata was asked for.
    NotRead,
}

impl ContentState {
    /// The commitment to the content; `None` when it was not read.
    #[must_use]
    pub fn commitment(&self) -> Option<[u8; 32]> {
        match self {
            Self::None => Some(record::NO_CONTENT),
            Self::Present { salt, bytes } => Some(record::content_commitment(salt, bytes)),
            Self::Erased { commitment } => Some(*commitment),
            Self::NotRead => None,
        }
    }

    /// The bytes; empty when there are none, for whatever reason.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Present { bytes, .. } => bytes,
            _ => &[],
        }
    }
}

impl Row {
    /// The row that a record at `index` makes.
    #[must_use]
    pub fn of(index: u64, record: &Record<'_>) -> Self {
        let content = if record.content.is_empty() {
            ContentState::None
        } else {
            ContentState::Present { salt: record.content_salt, bytes: record.content.to_vec() }
        };
        Self {
            index,
            kind: record.kind,
            tier: record.tier,
            time_ms: record.time_ms,
            meta: record.meta.to_vec(),
            meta_salt: record.meta_salt,
            content,
        }
    }

    /// The commitment that the entry must hold, recomputed from the bytes; `None` when the content
    /// was not read.
    #[must_use]
    pub fn commitment(&self) -> Option<[u8; 32]> {
        let meta = record::meta_commitment(&self.meta_salt, &self.meta);
        self.content.commitment().map(|content| record::commitment(&meta, &content))
    }

    /// The record, given what only its public entry holds: `stream` and `sequence`. `None` when its
    /// content was erased or not read. The salt of a content that never was is zero: nothing
    /// depends on it.
    #[must_use]
    pub fn to_record(&self, stream: [u8; 16], sequence: u64) -> Option<Record<'_>> {
        let (content_salt, content) = match &self.content {
            ContentState::None => ([0; record::SALT_BYTES], &[][..]),
            ContentState::Present { salt, bytes } => (*salt, bytes.as_slice()),
            ContentState::Erased { .. } | ContentState::NotRead => return None,
        };
        Some(Record {
            kind: self.kind,
            tier: self.tier,
            time_ms: self.time_ms,
            stream,
            sequence,
            meta_salt: self.meta_salt,
            content_salt,
            meta: &self.meta,
            content,
        })
    }

    /// Erases the content and its salt and keeps their commitment. False when there was nothing to
    /// erase, or it was not read.
    pub fn erase_content(&mut self) -> bool {
        let ContentState::Present { salt, bytes } = &self.content else { return false };
        let commitment = record::content_commitment(salt, bytes);
        self.content = ContentState::Erased { commitment };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: &[u8]) -> Record<'_> {
        Record {
            kind: Kind::Event,
            tier: Tier::Info,
            time_ms: 5,
            stream: [1; 16],
            sequence: 2,
            meta_salt: [3; 16],
            content_salt: [4; 16],
            meta: b"{\"a\":1}",
            content,
        }
    }

    #[test]
    fn a_row_commits_to_what_its_record_committed_to() {
        for content in [&b""[..], b"{}"] {
            let record = record(content);
            let row = Row::of(9, &record);
            assert_eq!(row.commitment(), Some(record.commitment()));
            let back = row.to_record([1; 16], 2).unwrap();
            assert_eq!(back.commitment(), record.commitment());
            assert_eq!((back.meta, back.content), (record.meta, record.content));
        }
    }

    #[test]
    fn erasing_content_keeps_the_commitment_and_nothing_else() {
        let record = record(b"{\"params\":1}");
        let mut row = Row::of(9, &record);
        assert!(row.erase_content());
        assert_eq!(row.commitment(), Some(record.commitment()));
        assert_eq!(row.to_record([1; 16], 2), None);
        assert!(row.content.bytes().is_empty());
        assert!(!row.erase_content());
    }

    #[test]
    fn unread_content_commits_to_nothing() {
        let row = Row { content: ContentState::NotRead, ..Row::of(9, &record(b"{}")) };
        assert_eq!(row.commitment(), None);
    }
}
