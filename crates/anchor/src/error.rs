//! Why a stamp does not count.

use thiserror::Error;

/// Why it does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StampError {
    /// It is not what RFC 3161 says; with the part that does not read.
    #[error("{0} is not as RFC 3161 has it")]
    Malformed(&'static str),
    /// It is larger than any answer of an authority.
    #[error("it has {bytes} bytes, and an answer of a time-stamping authority at most {most}")]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// The authority did not stamp.
    #[error("the authority refused it with status {status}{}", if text.is_empty() { String::new() } else { format!(": {text}") })]
    Refused {
        /// `PKIStatus`.
        status: u64,
        /// What it said, short and printable.
        text: String,
    },
    /// Something else was stamped.
    #[error("it is a stamp of other bytes")]
    OtherMessage,
    /// Somebody else's question was answered.
    #[error("it answers another request: its nonce is not the one that was sent")]
    OtherNonce,
    /// An algorithm that is not known here.
    #[error("its {0} algorithm is not known here (SHA-256, 384, 512; RSA, ECDSA, Ed25519)")]
    Algorithm(&'static str),
    /// The certificate that signed is not there.
    #[error(
        "the certificate that signed it is neither in it nor in the file of authorities; ask with certReq"
    )]
    NoCertificate,
    /// The certificate is not one of an authority.
    #[error("the certificate that signed it is not for time stamping: {0}")]
    Purpose(&'static str),
    /// The certificate does not lead to one that is trusted.
    #[error("no authority that counts issued the certificate that signed it: {0}")]
    Chain(String),
    /// The signature does not hold.
    #[error("its signature does not hold: {0}")]
    Signature(&'static str),
    /// A file of authorities without any.
    #[error("the file of authorities cannot be used: {0}; it holds certificates in PEM")]
    Authorities(String),
}

impl StampError {
    /// Whether the stamp may be whole all the same: somebody else may trust whoever made it, or
    /// know how to check it.
    #[must_use]
    pub fn may_be_whole(&self) -> bool {
        matches!(self, Self::Chain(_) | Self::NoCertificate | Self::Purpose(_) | Self::Algorithm(_))
    }
}
