//! The keys of agents: signing the statements about their events, and checking them.
//!
//! Bytes in, bytes out. What is stated, and whose key it is, is not known here (`event`); nor where
//! a seed is kept.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt;

/// The secret key of an agent; wiped when dropped.
pub struct AgentSigner(Box<SigningKey>);

impl AgentSigner {
    /// The key of a seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Box::new(SigningKey::from_bytes(seed)))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs a statement (RFC 8032).
    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> [u8; 64] {
        self.0.sign(statement).to_bytes()
    }
}

impl fmt::Debug for AgentSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentSigner(..)")
    }
}

/// Whether 32 bytes are a public key that can sign anything: one on the curve, not of small order.
#[must_use]
pub fn is_agent_key(public: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(public).is_ok_and(|key| !key.is_weak())
}

/// Whether a signature holds over a statement. Strict: keys of small order and encodings that are
/// not canonical are refused, so that no second signature passes for the first.
#[must_use]
pub fn verify_agent(public: &[u8; 32], statement: &[u8], signature: &[u8; 64]) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(statement, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_breaks_a_signature_and_debug_tells_no_secret() {
        let signer = AgentSigner::from_seed(&[7; 32]);
        let (public, statement) = (signer.public(), b"tachograph");
        let signature = signer.sign(statement);
        assert!(is_agent_key(&public) && verify_agent(&public, statement, &signature));
        assert!(!is_agent_key(&[0; 32]) && !verify_agent(&[0; 32], statement, &signature));
        for bit in 0..512 {
            let flipped = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                bytes.get_mut(bit / 8).map(|byte| *byte ^= 1 << (bit % 8)).map(|()| bytes)
            };
            let other: [u8; 64] = flipped(&signature).unwrap().try_into().unwrap();
            assert!(!verify_agent(&public, statement, &other), "{bit}");
            if let Some(other) = flipped(&public) {
                let other = other.try_into().unwrap();
                assert!(!verify_agent(&other, statement, &signature), "{bit}");
            }
            if let Some(other) = flipped(statement) {
                assert!(!verify_agent(&public, &other, &signature), "{bit}");
            }
        }
        assert_eq!(format!("{signer:?}"), "AgentSigner(..)");
    }
}
