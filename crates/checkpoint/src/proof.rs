//! An offline proof that an entry is logged: C2SP `tlog-proof`, file extension `.tlog-proof`.
//!
//! Index, inclusion proof and signed checkpoint in one text. The entry itself is not in it: the
//! verifier hashes what it has. Trust in the checkpoint's signers is `policy.rs`.

use core::fmt;
use core::str::FromStr;

use merkle::{Hash, InclusionError, MAX_PROOF_HASHES, verify_inclusion};

use crate::canonical::{decode_base64, decode_decimal, decode_hash, encode_base64, excerpt};
use crate::head::{CheckpointError, CheckpointText};
use crate::note::{MAX_NOTE_BYTES, Note, NoteError};
use crate::open::{OpenError, Verified, open_checkpoint};
use crate::verifier::VerifierKey;

/// The longest extra data that is read, in bytes.
pub const MAX_EXTRA_BYTES: usize = 64 * 1024;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest proof that is read: header, extra data, index, hashes and checkpoint.
const MAX_PROOF_BYTES: usize =
    MAX_NOTE_BYTES + MAX_EXTRA_BYTES * 4 / 3 + MAX_PROOF_HASHES * 45 + 128;

/// A parsed proof, not verified. Displaying it gives its text back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application. **Nobody signed it.**
    pub extra: Option<Vec<u8>>,
    /// The entry's index in the log, from 0.
    pub index: u64,
    /// The inclusion proof: the leaf's sibling first.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, cosignatures included.
    pub checkpoint: String,
}

/// Why a text is not a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// It is too long to be read.
    #[error("a proof of {0} bytes is not read; at most {MAX_PROOF_BYTES} are")]
    TooLong(usize),
    /// It does not begin with the name of the format.
    #[error("the proof does not begin with the line {HEADER:?}; it is something else or newer")]
    Header,
    /// The empty line between proof and checkpoint is missing.
    #[error("the proof has no empty line before its checkpoint; it was cut")]
    Shape,
    /// A line is wrong.
    #[error("{got:?} is not the {wanted} line of a proof")]
    Line {
        /// Which line it should be.
        wanted: &'static str,
        /// The beginning of the line.
        got: String,
    },
    /// There are too many hashes.
    #[error("the proof has {0} hashes; at most {MAX_PROOF_HASHES} make sense")]
    TooManyHashes(usize),
    /// The checkpoint is not a signed note.
    #[error("the checkpoint in the proof is not a signed note: {0}")]
    Note(#[from] NoteError),
    /// The text of the checkpoint is not that of one.
    #[error("the checkpoint in the proof is not one: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofOpenError {
    /// Its checkpoint does not open.
    #[error("the checkpoint in the proof does not open: {0}")]
    Checkpoint(#[from] OpenError),
    /// The entry is not in the tree of the checkpoint.
    #[error("the entry is not in the tree of the checkpoint: {0}")]
    Inclusion(#[from] InclusionError),
}

impl TlogProof {
    /// Checks that the entry with this leaf hash is in the log `origin`, as of a checkpoint that at
    /// least one of `keys` signed. Whether the signers are enough is
    /// [`crate::Policy::evaluate`]'s to say about the checkpoint returned.
    ///
    /// # Errors
    /// When the checkpoint does not open, or the entry is not in its tree.
    pub fn open(
        &self,
        leaf: &Hash,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Verified, ProofOpenError> {
        let verified = open_checkpoint(&self.checkpoint, origin, keys)?;
        let Verified { checkpoint, .. } = &verified;
        verify_inclusion(self.index, checkpoint.size, leaf, &self.hashes, &checkpoint.root)?;
        Ok(verified)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", encode_base64(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(out, "{}", encode_base64(hash)))?;
        write!(out, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(TlogProofError::TooLong(text.len()));
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(TlogProofError::Shape)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(TlogProofError::Header);
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = Some(decode_extra(encoded).ok_or_else(|| wrong("extra", line))?);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(decode_decimal);
        let index = index.ok_or_else(|| wrong("index", line))?;
        let count = lines.clone().count();
        if count > MAX_PROOF_HASHES {
            return Err(TlogProofError::TooManyHashes(count));
        }
        let decode = |line| decode_hash(line).ok_or_else(|| wrong("hash", line));
        let hashes = lines.map(decode).collect::<Result<_, _>>()?;
        CheckpointText::parse(Note::parse(checkpoint)?.text())?;
        Ok(TlogProof { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }
}

fn decode_extra(encoded: &str) -> Option<Vec<u8>> {
    decode_base64(encoded).filter(|extra| extra.len() <= MAX_EXTRA_BYTES)
}

fn wrong(wanted: &'static str, line: &str) -> TlogProofError {
    TlogProofError::Line { wanted, got: excerpt(line) }
}

#[cfg(test)]
#[path = "proof/tests.rs"]
mod tests;
