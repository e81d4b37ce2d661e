//! Whole checkpoints: signing one, opening one, cosigning one.
//!
//! The rules over all signature lines of a note (C2SP `signed-note`, "Signatures"). One line is
//! checked in `verifier.rs` and made in `signer.rs`; whether the signers are enough is `policy.rs`.

use crate::head::{Checkpoint, CheckpointError, CheckpointText, check_origin};
use crate::note::{Note, NoteError, NoteSignature};
use crate::signer::{SignError, SigningKey};
use crate::verifier::{Algorithm, VerifierKey};

/// A signature line that a known key made over the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key_id: [u8; 4],
    /// What the key signs, and with what.
    pub algorithm: Algorithm,
    /// The time that a cosignature states, in seconds since the epoch, 0 for "no statement about
    /// time"; `None` for a plain signature.
    pub timestamp_s: Option<u64>,
}

/// An opened checkpoint: at least one known key signed it, and no known key's line was false.
///
/// *Which* key is for the caller to judge: given witness keys too, a checkpoint opens with a
/// cosignature alone. See [`Verified::is_signed_by_origin`] and [`crate::Policy::evaluate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The tree head.
    pub checkpoint: Checkpoint,
    /// Extension lines, if a verified signature covers them; ML-DSA-44 cosignatures do not.
    pub extensions: Vec<String>,
    /// The signatures that hold, in the order of their lines.
    pub signatures: Vec<VerifiedSignature>,
    note: Note,
}

/// Why a note or a checkpoint does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not a signed note.
    #[error("not a signed note: {0}")]
    Note(#[from] NoteError),
    /// Its text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// It belongs to another log.
    #[error("this checkpoint is of log {got:?}, not of {wanted:?}; it was mixed up or swapped")]
    Origin {
        /// The log that was asked for.
        wanted: String,
        /// The log that the checkpoint names.
        got: String,
    },
    /// Two different keys given share a name and an id.
    #[error("two different keys are named {name:?} with id {id}; rename one of them",
        id = hex::encode(key_id))]
    AmbiguousKeys {
        /// The name that they share.
        name: String,
        /// The id that they share.
        key_id: [u8; 4],
    },
    /// A line claims a known key and does not hold.
    #[error("the signature by {name:?} ({id}) does not hold; the text or the line was altered",
        id = hex::encode(key_id))]
    BadSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: [u8; 4],
    },
    /// No line is by a known key.
    #[error("none of the {lines} signature lines is by a known key; pin the log's verifier key")]
    NoKnownSignature {
        /// How many lines there are.
        lines: usize,
    },
    /// Exactly the given keys were to sign, and another did.
    #[error("there is a signature by {name:?} ({id}), which is not a key of this log",
        id = hex::encode(key_id))]
    UnknownSigner {
        /// The name in the line.
        name: String,
        /// The id in the line.
        key_id: [u8; 4],
    },
    /// Exactly the given keys were to sign once each, and one signed otherwise.
    #[error("key {name:?} ({id}) signed {times} times instead of once", id = hex::encode(key_id))]
    SignerCount {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: [u8; 4],
        /// How often it signed.
        times: usize,
    },
    /// The checkpoint has extension lines where none are allowed.
    #[error("the checkpoint has extension lines; logs of this project write none")]
    Extensions,
}

/// Signs a text with every key, one line each, in that order.
///
/// `timestamp_s` is what cosignature keys state, in seconds since the epoch; 0 for "no statement".
///
/// # Errors
/// When the text does not end with a newline, or a key cannot sign it.
pub fn sign_note(text: &str, keys: &[&SigningKey], timestamp_s: u64) -> Result<Note, SignError> {
    let mut note = Note::new(text)?;
    for key in keys {
        note.add(key.sign(text, timestamp_s)?)?;
    }
    Ok(note)
}

/// Signs a checkpoint; ML-DSA-44 lines make no statement about time (timestamp 0).
///
/// # Errors
/// When the origin is not one, or a key cannot sign.
pub fn sign_checkpoint(checkpoint: &Checkpoint, keys: &[&SigningKey]) -> Result<String, SignError> {
    sign_checkpoint_at(checkpoint, keys, 0)
}

/// Signs a checkpoint; cosignature keys state the time `timestamp_s`, in seconds since the epoch.
///
/// # Errors
/// When the origin is not one, no key is given, or a key cannot sign.
pub fn sign_checkpoint_at(
    checkpoint: &Checkpoint,
    keys: &[&SigningKey],
    timestamp_s: u64,
) -> Result<String, SignError> {
    check_origin(&checkpoint.origin)?;
    if keys.is_empty() {
        return Err(SignError::NoKey);
    }
    sign_note(&checkpoint.to_string(), keys, timestamp_s).map(|note| note.to_string())
}

/// Cosigns an opened checkpoint. That it continues the last one cosigned is for the witness to
/// have checked and stored *before*.
///
/// # Errors
/// When the key makes plain signatures, or the time is out of range.
pub fn cosign(
    verified: &Verified,
    key: &SigningKey,
    timestamp_s: u64,
) -> Result<NoteSignature, SignError> {
    if !key.algorithm().is_cosignature() {
        let (name, algorithm) = (key.name().to_owned(), key.algorithm());
        return Err(SignError::Statement { name, algorithm });
    }
    key.sign(verified.note.text(), timestamp_s)
}

/// Checks every line of a note that names one of `keys`; lines by others are ignored.
///
/// # Errors
/// When a line by a known key does not hold, or no line is by a known key.
pub fn verify_note(note: &Note, keys: &[VerifierKey]) -> Result<Vec<VerifiedSignature>, OpenError> {
    check_keys(keys)?;
    let mut verified = Vec::new();
    for line in note.signatures() {
        let Some(key) = keys.iter().find(|key| made(key, line)) else { continue };
        let (name, key_id) = (key.name().to_owned(), key.key_id());
        let Some(timestamp_s) = key.verify(note.text(), line.signature()) else {
            return Err(OpenError::BadSignature { name, key_id });
        };
        let algorithm = key.algorithm();
        verified.push(VerifiedSignature { name, key_id, algorithm, timestamp_s });
    }
    if verified.is_empty() {
        return Err(OpenError::NoKnownSignature { lines: note.signatures().len() });
    }
    Ok(verified)
}

/// Opens a checkpoint of the log `origin`, signed or cosigned by at least one of `keys`.
///
/// # Errors
/// When it is malformed, of another log, or not signed as [`verify_note`] demands.
pub fn open_checkpoint(
    note: impl AsRef<[u8]>,
    origin: &str,
    keys: &[VerifierKey],
) -> Result<Verified, OpenError> {
    let note = Note::parse(note)?;
    let CheckpointText { checkpoint, mut extensions } = CheckpointText::parse(note.text())?;
    if checkpoint.origin != origin {
        let (wanted, got) = (origin.to_owned(), checkpoint.origin);
        return Err(OpenError::Origin { wanted, got });
    }
    let signatures = verify_note(&note, keys)?;
    let covers = |made: &VerifiedSignature| made.algorithm != Algorithm::MlDsa44Cosignature;
    if !signatures.iter().any(covers) {
        extensions.clear();
    }
    Ok(Verified { checkpoint, extensions, signatures, note })
}

/// Opens a checkpoint of one's own log: every one of `keys` signed it once, nobody else did, and
/// it has no extension lines. So no byte of it can change unnoticed.
///
/// # Errors
/// As [`open_checkpoint`], and when a line is by another key, missing or repeated.
pub fn open_checkpoint_exact(
    note: impl AsRef<[u8]>,
    origin: &str,
    keys: &[VerifierKey],
) -> Result<Verified, OpenError> {
    let verified = open_checkpoint(note, origin, keys)?;
    let lines = verified.note.signatures();
    if let Some(line) = lines.iter().find(|line| !keys.iter().any(|key| made(key, line))) {
        let (name, key_id) = (line.name().to_owned(), line.key_id());
        return Err(OpenError::UnknownSigner { name, key_id });
    }
    for key in keys {
        let times = lines.iter().filter(|line| made(key, line)).count();
        if times != 1 {
            let (name, key_id) = (key.name().to_owned(), key.key_id());
            return Err(OpenError::SignerCount { name, key_id, times });
        }
    }
    if verified.note.text() != verified.checkpoint.to_string() {
        return Err(OpenError::Extensions);
    }
    Ok(verified)
}

impl Verified {
    /// Whether a verified key that bears the log's origin as its name signed, as a log's own key
    /// does.
    #[must_use]
    pub fn is_signed_by_origin(&self) -> bool {
        self.signatures.iter().any(|signature| signature.name == self.checkpoint.origin)
    }

    /// The whole note, lines by unknown keys included.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }
}

/// Whether a line claims to be by a key.
fn made(key: &VerifierKey, line: &NoteSignature) -> bool {
    line.key_id() == key.key_id() && line.name() == key.name()
}

/// A line must point to one key; the same key given twice is one key.
fn check_keys(keys: &[VerifierKey]) -> Result<(), OpenError> {
    for (place, key) in keys.iter().enumerate() {
        let same = |other: &&VerifierKey| {
            other.key_id() == key.key_id() && other.name() == key.name() && *other != key
        };
        if keys.iter().skip(place + 1).any(|other| same(&other)) {
            let (name, key_id) = (key.name().to_owned(), key.key_id());
            return Err(OpenError::AmbiguousKeys { name, key_id });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "open/tests.rs"]
mod tests;
