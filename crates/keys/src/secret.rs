//! Secret bytes in memory: one heap allocation, zeroised on drop, silent in `Debug`.
//!
//! The box matters: a value that is moved leaves its bytes behind on the stack, a pointer does not.
//! Not a guard against a debugger or swap; the process must forbid core dumps itself.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{Entropy, EntropyError};

/// `N` secret bytes.
///
/// Compared in constant time, zeroised on drop, shown as `SecretKey(..)`. Not `Clone`: a second
/// copy is asked for by name, with [`Secret::duplicate`].
pub struct Secret<const N: usize>(Box<[u8; N]>);

/// A 256-bit key or seed: the size of every secret that a keyring holds.
pub type SecretKey = Secret<32>;

/// Secret text: a passphrase or the value of an environment variable.
pub struct SecretString(String);

impl<const N: usize> Secret<N> {
    /// Moves bytes in. The array passed by value may remain on the caller's stack; prefer
    /// [`Secret::generate`] or [`Secret::take`].
    #[must_use]
    pub fn new(mut bytes: [u8; N]) -> Self {
        Self::take(&mut bytes)
    }

    /// Copies the bytes in and zeroises where they came from.
    #[must_use]
    pub fn take(bytes: &mut [u8; N]) -> Self {
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(bytes);
        bytes.zeroize();
        secret
    }

    /// A fresh random secret, written straight to its final place.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut secret = Self(Box::new([0; N]));
        entropy.fill(secret.0.as_mut_slice())?;
        Ok(secret)
    }

    /// The bytes themselves. Do not copy them into anything that is not zeroised.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// A second copy, zeroised on its own drop.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let mut copy = Self(Box::new([0; N]));
        copy.0.copy_from_slice(self.0.as_slice());
        copy
    }
}

impl SecretString {
    /// Takes the text over without copying it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(..)")
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretString(..)")
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Drop for SecretString {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_zeroises_its_source() {
        let mut source = [7; 32];
        let secret = SecretKey::take(&mut source);
        assert_eq!(source, [0; 32]);
        assert_eq!(secret.expose(), &[7; 32]);
    }

    #[test]
    fn equality_looks_at_every_byte() {
        let secret = SecretKey::new([1; 32]);
        assert_eq!(secret, secret.duplicate());
        for position in 0..32 {
            let mut bytes = [1; 32];
            bytes[position] ^= 0x80;
            assert_ne!(secret, SecretKey::new(bytes), "byte {position}");
        }
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert_eq!(format!("{:?}", SecretKey::new([0xab; 32])), "SecretKey(..)");
        assert_eq!(format!("{:#?}", Secret::<16>::new([0xab; 16])), "SecretKey(..)");
        assert_eq!(format!("{:?}", SecretString::new("hunter2".into())), "SecretString(..)");
    }
}
