//! Public keys: their text form and what they verify.
//!
//! C2SP `signed-note`, "Verifier keys" and "Signatures"; `tlog-cosignature`. Secret keys are in
//! `signer.rs`; the rules over all lines of a note are in `open.rs`.

use core::fmt;
use core::str::FromStr;

use ml_dsa::{EncodedVerifyingKey, KeyInit, MlDsa44};
use sha2::{Digest, Sha256};

use crate::canonical::{decode_base64, encode_base64, excerpt};
use crate::cosignature::{self, Statement};

/// The longest key name, in bytes: the ML-DSA-44 statement carries it behind one length byte.
pub const MAX_KEY_NAME_BYTES: usize = 255;

/// What a key signs, and with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Type 0x01: Ed25519 over the text of the note.
    Ed25519,
    /// Type 0x04: a timestamped Ed25519 cosignature, `cosignature/v1`.
    Ed25519Cosignature,
    /// Type 0x06: a timestamped ML-DSA-44 cosignature, `subtree/v1`.
    MlDsa44Cosignature,
}

/// A public key with the name that it signs under.
#[derive(Clone)]
pub struct VerifierKey {
    name: String,
    key_id: [u8; 4],
    public: PublicKey,
}

#[derive(Clone)]
enum PublicKey {
    Ed25519(ed25519_dalek::VerifyingKey),
    Ed25519Cosignature(ed25519_dalek::VerifyingKey),
    /// With its expanded matrix, which takes longer to make than a verification.
    MlDsa44Cosignature(Box<ml_dsa::VerifyingKey<MlDsa44>>),
}

/// Why text or bytes are not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long, or holds a space, a plus sign or a control character.
    #[error(
        "{0:?} is not a key name; use 1 to {MAX_KEY_NAME_BYTES} bytes without spaces and plus signs"
    )]
    Name(String),
    /// The text is not name, id and key joined by plus signs.
    #[error("{0:?} is not a verifier key; expected <name>+<8 hexadecimal digits>+<base64>")]
    Shape(String),
    /// The id is not that of this name and key.
    #[error(
        "verifier key {name:?} claims id {claimed}, but its id is {computed}; it was altered or \
         mistyped"
    )]
    KeyId {
        /// The key's name.
        name: String,
        /// The id in the text.
        claimed: String,
        /// The id computed from name and key.
        computed: String,
    },
    /// The signature type is none that is known.
    #[error("verifier key {name:?} has signature type 0x{kind:02x}; known are 0x01, 0x04 and 0x06")]
    Type {
        /// The key's name.
        name: String,
        /// The type byte.
        kind: u8,
    },
    /// The public key has the wrong length or is no point of the curve, or a weak one.
    #[error("verifier key {name:?} holds no valid public key; ask its owner for it again")]
    Key {
        /// The key's name.
        name: String,
    },
}

impl Algorithm {
    /// The signature type byte of C2SP `signed-note`.
    #[must_use]
    pub const fn type_byte(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 0x01,
            Algorithm::Ed25519Cosignature => 0x04,
            Algorithm::MlDsa44Cosignature => 0x06,
        }
    }

    /// Whether its signatures carry a time.
    #[must_use]
    pub const fn is_cosignature(self) -> bool {
        !matches!(self, Algorithm::Ed25519)
    }
}

impl VerifierKey {
    /// A key from its parts: `public` has 32 bytes for Ed25519, 1312 for ML-DSA-44.
    ///
    /// # Errors
    /// When the name or the public key is not valid; weak Ed25519 keys are not.
    pub fn new(
        name: impl Into<String>,
        algorithm: Algorithm,
        public: &[u8],
    ) -> Result<Self, KeyError> {
        let name = name.into();
        if !is_key_name(&name) {
            return Err(KeyError::Name(excerpt(&name)));
        }
        let decoded = match algorithm {
            Algorithm::Ed25519 => decode_ed25519(public).map(PublicKey::Ed25519),
            Algorithm::Ed25519Cosignature => {
                decode_ed25519(public).map(PublicKey::Ed25519Cosignature)
            }
            Algorithm::MlDsa44Cosignature => decode_ml_dsa(public),
        };
        let Some(decoded) = decoded else { return Err(KeyError::Key { name }) };
        let key_id = key_id(&name, algorithm, public);
        Ok(VerifierKey { name, key_id, public: decoded })
    }

    /// The name that it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of `SHA-256(name || "\n" || type || public key)`.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What it signs, and with what.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.public {
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
            PublicKey::Ed25519Cosignature(_) => Algorithm::Ed25519Cosignature,
            PublicKey::MlDsa44Cosignature(_) => Algorithm::MlDsa44Cosignature,
        }
    }

    /// The public key: 32 bytes for Ed25519, 1312 for ML-DSA-44.
    #[must_use]
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.public {
            PublicKey::Ed25519(key) | PublicKey::Ed25519Cosignature(key) => key.to_bytes().to_vec(),
            PublicKey::MlDsa44Cosignature(key) => key.encode().to_vec(),
        }
    }

    /// The SHA-256 of type and public key, for people to compare.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let hasher = Sha256::new().chain_update([self.algorithm().type_byte()]);
        hasher.chain_update(self.public_bytes()).finalize().into()
    }

    /// Checks a note signature over `text`; gives the time that a cosignature states, in seconds.
    ///
    /// `None`: the signature does not hold. A cosignature holds only over the text of a checkpoint.
    pub(crate) fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        match &self.public {
            PublicKey::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
                key.verify_strict(text.as_bytes(), &signature).ok()?;
                Some(None)
            }
            PublicKey::Ed25519Cosignature(key) => {
                let (timestamp_s, signature) = cosignature::split(signature)?;
                let statement = Statement::new(text, timestamp_s)?;
                let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
                key.verify_strict(&statement.ed25519_message(), &signature).ok()?;
                Some(Some(timestamp_s))
            }
            PublicKey::MlDsa44Cosignature(key) => {
                let (timestamp_s, signature) = cosignature::split(signature)?;
                let statement = Statement::new(text, timestamp_s)?;
                let message = statement.ml_dsa_message(&self.name)?;
                let signature = ml_dsa::Signature::<MlDsa44>::try_from(signature).ok()?;
                let holds = key.verify_with_context(&message, &[], &signature);
                holds.then_some(Some(timestamp_s))
            }
        }
    }

    /// Checks a signature over a text that is no checkpoint, as `SigningKey::sign_statement` makes
    /// it.
    pub(crate) fn verify_statement(&self, text: &str, context: &str, signature: &[u8]) -> bool {
        let holds = match &self.public {
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .ok()
                .map(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok()),
            PublicKey::Ed25519Cosignature(_) => None,
            PublicKey::MlDsa44Cosignature(key) => {
                let signature = ml_dsa::Signature::<MlDsa44>::try_from(signature).ok();
                let (text, context) = (text.as_bytes(), context.as_bytes());
                signature.map(|signature| key.verify_with_context(text, context, &signature))
            }
        };
        holds.unwrap_or(false)
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.key_id == other.key_id
            && self.name == other.name
            && self.algorithm() == other.algorithm()
            && self.public_bytes() == other.public_bytes()
    }
}

impl Eq for VerifierKey {}

impl fmt::Display for VerifierKey {
    /// The text form: `<name>+<id>+<base64 of type and key>`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.algorithm().type_byte()];
        typed.extend(self.public_bytes());
        write!(out, "{}+{}+{}", self.name, hex::encode(self.key_id), encode_base64(typed))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = hex::encode(self.key_id);
        write!(out, "VerifierKey({}+{id}, {:?})", self.name, self.algorithm())
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let shape = || KeyError::Shape(excerpt(text));
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(claimed), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(shape());
        };
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if claimed.len() != 8 || !claimed.bytes().all(is_hex) || encoded.len() > 4096 {
            return Err(shape());
        }
        let typed = decode_base64(encoded).ok_or_else(shape)?;
        let (kind, public) = typed.split_first().ok_or_else(shape)?;
        let algorithm = match kind {
            0x01 => Algorithm::Ed25519,
            0x04 => Algorithm::Ed25519Cosignature,
            0x06 => Algorithm::MlDsa44Cosignature,
            _ => return Err(KeyError::Type { name: excerpt(name), kind: *kind }),
        };
        let key = VerifierKey::new(name, algorithm, public)?;
        let computed = hex::encode(key.key_id);
        if computed != claimed {
            let (name, claimed) = (key.name, claimed.to_owned());
            return Err(KeyError::KeyId { name, claimed, computed });
        }
        Ok(key)
    }
}

/// Whether a text can name a key: not empty, no Unicode space, no plus sign, no control character.
pub(crate) fn is_key_name(name: &str) -> bool {
    let allowed =
        |character: char| !character.is_whitespace() && !character.is_control() && character != '+';
    !name.is_empty() && name.len() <= MAX_KEY_NAME_BYTES && name.chars().all(allowed)
}

fn key_id(name: &str, algorithm: Algorithm, public: &[u8]) -> [u8; 4] {
    let hasher = Sha256::new().chain_update(name).chain_update([b'\n', algorithm.type_byte()]);
    let digest: [u8; 32] = hasher.chain_update(public).finalize().into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

/// A key of small order would verify one signature for many messages, and a coordinate that is not
/// reduced would be a second spelling of a key.
fn decode_ed25519(public: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(public.try_into().ok()?).ok()?;
    let canonical = key.to_edwards().compress().to_bytes() == *public;
    (canonical && !key.is_weak()).then_some(key)
}

fn decode_ml_dsa(public: &[u8]) -> Option<PublicKey> {
    let encoded = EncodedVerifyingKey::<MlDsa44>::try_from(public).ok()?;
    let key = ml_dsa::VerifyingKey::<MlDsa44>::new(&encoded);
    Some(PublicKey::MlDsa44Cosignature(Box::new(key)))
}

#[cfg(test)]
#[path = "verifier/tests.rs"]
mod tests;
