//! A record as it is kept for good: all of it but its place in a stream, which stands in the public
//! entry; and perhaps without its content, when that was erased.
//!
//! Journal frames hold whole records ([`event::Record`]), segments hold these. Whether a record in
//! either form is what its entry commits to is `record.rs`'s to say.

use event::record::{NO_CONTENT, SALT_BYTES, commitment, content_commitment, meta_commitment};
use event::{Kind, Record, Tier};

/// A record without its place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Who made it.
    pub kind: Kind,
    /// How long it must be kept.
    pub tier: Tier,
    /// Record time in Unix milliseconds.
    pub time_ms: u64,
    /// Hides the metadata in its commitment.
    pub meta_salt: [u8; SALT_BYTES],
    /// The metadata's bytes.
    pub meta: &'a [u8],
    /// The content, as far as it is there.
    pub content: KeptContent<'a>,
}

/// What became of a record's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptContent<'a> {
    /// There never was any.
    None,
    /// It is there.
    Present {
        /// Hides the content in its commitment.
        salt: [u8; SALT_BYTES],
        /// The bytes; never empty.
        bytes: &'a [u8],
    },
    /// It was erased with its salt; what committed to it is left, so that the metadata proves.
    Erased {
        /// The commitment to what was there.
        commitment: [u8; 32],
    },
}

impl<'a> KeptContent<'a> {
    /// The bytes; empty when there are none, for whatever reason.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Present { bytes, .. } => bytes,
            Self::None | Self::Erased { .. } => &[],
        }
    }

    /// The commitment to it.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        match self {
            Self::None => NO_CONTENT,
            Self::Present { salt, bytes } => content_commitment(salt, bytes),
            Self::Erased { commitment } => *commitment,
        }
    }
}

impl Kept<'_> {
    /// The commitment that the entry holds.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        commitment(&meta_commitment(&self.meta_salt, self.meta), &self.content.commitment())
    }

    /// Whether its content was erased.
    #[must_use]
    pub fn is_content_erased(&self) -> bool {
        matches!(self.content, KeptContent::Erased { .. })
    }
}

impl<'a> From<&Record<'a>> for Kept<'a> {
    fn from(record: &Record<'a>) -> Self {
        let content = match record.content {
            [] => KeptContent::None,
            bytes => KeptContent::Present { salt: record.content_salt, bytes },
        };
        Self {
            kind: record.kind,
            tier: record.tier,
            time_ms: record.time_ms,
            meta_salt: record.meta_salt,
            meta: record.meta,
            content,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_record_commits_to_what_the_record_committed_to() {
        for content in [&b""[..], b"{}"] {
            let record = Record {
                kind: Kind::Event,
                tier: Tier::Info,
                time_ms: 5,
                stream: [1; 16],
                sequence: 2,
                meta_salt: [3; 16],
                content_salt: [4; 16],
                meta: b"{\"a\":1}",
                content,
            };
            let kept = Kept::from(&record);
            assert_eq!(kept.commitment(), record.commitment());
            assert_eq!((kept.content.bytes(), kept.is_content_erased()), (content, false));
            let erased = KeptContent::Erased { commitment: record.content_commitment() };
            let kept = Kept { content: erased, ..kept };
            assert_eq!(kept.commitment(), record.commitment());
            assert_eq!((kept.content.bytes(), kept.is_content_erased()), (&b""[..], true));
        }
    }
}
