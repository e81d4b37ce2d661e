//! What a key may be used for. The codes are persisted: they are never renumbered or reused.

use std::fmt;

use thiserror::Error;

/// The one use of a key in a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Purpose {
    /// Ed25519 seed that signs checkpoints.
    LogSigning = 1,
    /// ML-DSA-44 seed that signs checkpoints when the second line is switched on.
    LogSigningMlDsa = 2,
    /// HMAC key that turns a session into a stream id.
    StreamSecret = 3,
    /// HMAC key for the pseudonyms that redaction leaves behind.
    RedactionSecret = 4,
    /// HMAC key of the idempotency window.
    IdempotencySecret = 5,
    /// Data key of one journal file.
    Journal = 6,
    /// Data key of one segment.
    Segment = 7,
}

/// A purpose code that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("key purpose {0} is unknown: a newer version wrote it; upgrade tacho")]
pub struct UnknownPurpose(pub u8);

impl Purpose {
    /// Every purpose, in the order of the codes.
    pub const ALL: [Self; 7] = [
        Self::LogSigning,
        Self::LogSigningMlDsa,
        Self::StreamSecret,
        Self::RedactionSecret,
        Self::IdempotencySecret,
        Self::Journal,
        Self::Segment,
    ];

    /// The persisted code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable lower-case name, for lists and log entries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogSigning => "log-signing",
            Self::LogSigningMlDsa => "log-signing-ml-dsa",
            Self::StreamSecret => "stream-secret",
            Self::RedactionSecret => "redaction-secret",
            Self::IdempotencySecret => "idempotency-secret",
            Self::Journal => "journal",
            Self::Segment => "segment",
        }
    }
}

impl TryFrom<u8> for Purpose {
    type Error = UnknownPurpose;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code).ok_or(UnknownPurpose(code))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_and_unknown_ones_are_refused() {
        let codes: Vec<u8> = Purpose::ALL.iter().map(|purpose| purpose.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7]);
        for code in 0..=u8::MAX {
            match Purpose::try_from(code) {
                Ok(purpose) => assert_eq!(purpose.code(), code),
                Err(error) => assert!(!codes.contains(&code), "{error}"),
            }
        }
    }
}
