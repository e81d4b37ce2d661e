//! The hashes that stamps are made of, and what they are called in DER.

use crate::der::Item;
use crate::error::StampError;
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use x509_cert::der::Tag;

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// Only to say which certificate is meant, where RFC 3161 before RFC 5816 has nothing else.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// The identifiers, as they stand in DER behind tag and length.
const NAMES: [(&[u8], Digest); 3] = [
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], Digest::Sha256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], Digest::Sha384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], Digest::Sha512),
];

impl Digest {
    /// The one that an `AlgorithmIdentifier` names.
    pub(crate) fn named(identifier: &Item<'_>) -> Result<Self, StampError> {
        let name = identifier.items("the name of a hash")?.expect(Tag::ObjectIdentifier)?.value;
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, digest)| *digest).ok_or(StampError::Algorithm("hash"))
    }

    /// The hash of these bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        digest::digest(algorithm, bytes)
    }
}
