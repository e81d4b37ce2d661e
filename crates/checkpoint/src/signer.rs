//! Secret keys: from a seed to a signature line.
//!
//! The only place in the project that signs. Seeds are kept and wrapped by `keys`; nothing here
//! draws randomness or reads a clock.

use core::fmt;

use ml_dsa::signature::Signer;
use ml_dsa::{Keypair, MlDsa44};

use crate::cosignature::{MAX_TIMESTAMP_S, Statement};
use crate::head::CheckpointError;
use crate::note::{NoteError, NoteSignature};
use crate::verifier::{Algorithm, KeyError, VerifierKey};

/// The length of a seed in bytes, for every algorithm.
pub const SEED_BYTES: usize = 32;

/// A secret key with the name that it signs under. Its secret is wiped when it is dropped.
pub struct SigningKey {
    secret: SecretKey,
    public: VerifierKey,
}

/// Both kinds wipe themselves when dropped (the `zeroize` feature of their crates).
enum SecretKey {
    /// Boxed so that moving the key leaves no copy of the secret behind.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    MlDsa44(Box<ml_dsa::SigningKey<MlDsa44>>),
}

/// Why a text was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The text is not that of a note.
    #[error("this text cannot be signed: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not one.
    #[error("this checkpoint cannot be signed: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// No key was given.
    #[error("no key was given to sign with; a checkpoint needs at least the log's own")]
    NoKey,
    /// A cosignature is only made over a checkpoint, by ML-DSA-44 only without extension lines.
    #[error("key {name:?} makes {algorithm:?} signatures, which cannot state this text")]
    Statement {
        /// The key's name.
        name: String,
        /// What the key signs, and with what.
        algorithm: Algorithm,
    },
    /// The time is past 2^63 - 1 seconds.
    #[error("time {0} s cannot be stated by a cosignature; at most {MAX_TIMESTAMP_S} s can")]
    Timestamp(u64),
}

impl SigningKey {
    /// The key that `seed` gives; the caller wipes its own copy of the seed.
    ///
    /// # Errors
    /// When the name is not a key name.
    pub fn from_seed(
        name: impl Into<String>,
        algorithm: Algorithm,
        seed: &[u8; SEED_BYTES],
    ) -> Result<Self, KeyError> {
        let (secret, public) = match algorithm {
            Algorithm::Ed25519 | Algorithm::Ed25519Cosignature => {
                let key = Box::new(ed25519_dalek::SigningKey::from_bytes(seed));
                let public = key.verifying_key().to_bytes().to_vec();
                (SecretKey::Ed25519(key), public)
            }
            Algorithm::MlDsa44Cosignature => {
                let key = Box::new(ml_dsa::SigningKey::<MlDsa44>::from_seed(seed.into()));
                let public = Keypair::verifying_key(&*key).encode().to_vec();
                (SecretKey::MlDsa44(key), public)
            }
        };
        let public = VerifierKey::new(name, algorithm, &public)?;
        Ok(SigningKey { secret, public })
    }

    /// The public key.
    #[must_use]
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.public
    }

    /// The name that it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.public.name()
    }

    /// What it signs, and with what.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Signs the text of a note.
    ///
    /// `timestamp_s` is the time that a cosignature states, in seconds since the epoch, 0 for "no
    /// statement about time"; a plain Ed25519 signature has none and ignores it.
    ///
    /// # Errors
    /// When the algorithm cannot state this text, or the time is out of range.
    pub fn sign(&self, text: &str, timestamp_s: u64) -> Result<NoteSignature, SignError> {
        let statement = || {
            if timestamp_s > MAX_TIMESTAMP_S {
                return Err(SignError::Timestamp(timestamp_s));
            }
            Statement::new(text, timestamp_s).ok_or_else(|| self.cannot_state())
        };
        let signature = match (&self.secret, self.algorithm()) {
            (SecretKey::Ed25519(key), Algorithm::Ed25519) => {
                key.sign(text.as_bytes()).to_bytes().to_vec()
            }
            (SecretKey::Ed25519(key), _) => {
                let signature = key.sign(&statement()?.ed25519_message());
                [timestamp_s.to_be_bytes().as_slice(), &signature.to_bytes()].concat()
            }
            (SecretKey::MlDsa44(key), _) => {
                // The message leaves extension lines out: what is signed would not be what is read.
                let statement = statement()?;
                let message = if statement.has_extensions() {
                    None
                } else {
                    statement.ml_dsa_message(self.name())
                };
                let message = message.ok_or_else(|| self.cannot_state())?;
                let signature = key.try_sign(&message).map_err(|_| self.cannot_state())?;
                [timestamp_s.to_be_bytes().as_slice(), &signature.encode()].concat()
            }
        };
        Ok(NoteSignature::new(self.name(), self.public.key_id(), signature)?)
    }

    /// Signs a text that is no checkpoint. What keeps it apart from checkpoints is its first line,
    /// and for ML-DSA also `context`, which is empty there.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub(crate) fn sign_statement(
        &self,
        text: &str,
        context: &str,
    ) -> Result<NoteSignature, SignError> {
        let signature = match (&self.secret, self.algorithm()) {
            (SecretKey::Ed25519(key), Algorithm::Ed25519) => {
                key.sign(text.as_bytes()).to_bytes().to_vec()
            }
            // A cosigner states trees, and nothing else.
            (SecretKey::Ed25519(_), _) => return Err(self.cannot_state()),
            (SecretKey::MlDsa44(key), _) => {
                let key = key.expanded_key();
                let signature = key.sign_deterministic(text.as_bytes(), context.as_bytes());
                signature.map_err(|_| self.cannot_state())?.encode().to_vec()
            }
        };
        Ok(NoteSignature::new(self.name(), self.public.key_id(), signature)?)
    }

    fn cannot_state(&self) -> SignError {
        SignError::Statement { name: self.name().to_owned(), algorithm: self.algorithm() }
    }
}

impl fmt::Debug for SigningKey {
    /// Shows the public key only.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey")
            .field("public", &self.public)
            .field("secret", &"redacted")
            .finish()
    }
}
