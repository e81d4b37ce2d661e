//! A KEK from a passphrase: Argon2id (RFC 9106), version 0x13, 32-byte output, no secret and no
//! associated data.
//!
//! Salt and cost stand in the keyring's header, which is read *before* anything in it can be
//! authenticated; so they are bounded here, whoever they come from.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use super::KekError;
use crate::{Entropy, EntropyError, SecretKey, SecretString, random};

/// Salt and cost of a passphrase; always within the bounds below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseKdf {
    salt: [u8; 16],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseKdf {
    /// Least memory, in KiB: 8 MiB. Less is quick to guess against.
    pub const MEMORY_LEAST_KIB: u32 = 8 * 1024;
    /// Most memory, in KiB: 1 GiB. More is a way to bring a host down.
    pub const MEMORY_MOST_KIB: u32 = 1024 * 1024;
    /// Most passes over the memory.
    pub const PASSES_MOST: u32 = 16;
    /// Most lanes.
    pub const LANES_MOST: u32 = 16;

    /// A fresh salt with the default cost: 64 MiB, 3 passes, 1 lane, which is above the second
    /// recommendation of RFC 9106 for one lane and takes a fraction of a second.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self { salt: random(entropy)?, memory_kib: 64 * 1024, passes: 3, lanes: 1 })
    }

    /// These parameters, if they are sane.
    ///
    /// # Errors
    ///
    /// [`KekError::PassphraseCost`] names the parameter that is out of bounds.
    pub fn new(salt: [u8; 16], memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, KekError> {
        check("memory in KiB", memory_kib, Self::MEMORY_LEAST_KIB, Self::MEMORY_MOST_KIB)?;
        check("number of passes", passes, 1, Self::PASSES_MOST)?;
        check("number of lanes", lanes, 1, Self::LANES_MOST)?;
        Ok(Self { salt, memory_kib, passes, lanes })
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// Memory, in KiB.
    #[must_use]
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The key for `passphrase`.
    pub(super) fn derive(&self, passphrase: &SecretString) -> Result<SecretKey, KekError> {
        if passphrase.expose().is_empty() {
            return Err(KekError::PassphraseEmpty);
        }
        // The bounds make everything but a lack of memory impossible.
        let failed = |_| KekError::PassphraseMemory { memory_kib: self.memory_kib };
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
        let mut memory = WorkingMemory::allocate(params.block_count())
            .ok_or(KekError::PassphraseMemory { memory_kib: self.memory_kib })?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose().as_bytes(),
                &self.salt,
                key.as_mut_slice(),
                &mut memory.0,
            )
            .map_err(failed)?;
        Ok(SecretKey::take(&mut key))
    }
}

/// Argon2's memory, which depends on the passphrase: allocated without aborting, zeroised on drop.
struct WorkingMemory(Vec<Block>);

impl WorkingMemory {
    fn allocate(blocks: usize) -> Option<Self> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(blocks).ok()?;
        memory.resize(blocks, Block::default());
        Some(Self(memory))
    }
}

impl Drop for WorkingMemory {
    fn drop(&mut self) {
        for block in &mut self.0 {
            block.zeroize();
        }
    }
}

fn check(parameter: &'static str, value: u32, least: u32, most: u32) -> Result<(), KekError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(KekError::PassphraseCost { parameter, value, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    fn cheap(salt: u8) -> PassphraseKdf {
        PassphraseKdf::new([salt; 16], 8 * 1024, 1, 1).unwrap()
    }

    fn derive(kdf: &PassphraseKdf, passphrase: &str) -> SecretKey {
        kdf.derive(&SecretString::new(passphrase.to_owned())).unwrap()
    }

    #[test]
    fn key_depends_on_passphrase_salt_and_cost() {
        let key = derive(&cheap(1), "correct horse battery staple");
        assert_eq!(key, derive(&cheap(1), "correct horse battery staple"));
        assert_ne!(key, derive(&cheap(1), "correct horse battery stapl"));
        assert_ne!(key, derive(&cheap(2), "correct horse battery staple"));
        let dearer = PassphraseKdf::new([1; 16], 8 * 1024, 2, 1).unwrap();
        assert_ne!(key, derive(&dearer, "correct horse battery staple"));
    }

    /// Computed with another implementation (OpenSSL's).
    #[test]
    fn matches_another_implementation() {
        let salt = std::array::from_fn(|at| at as u8);
        for (memory_kib, passes, lanes, expected) in [
            (8192, 1, 1, "9aeef75313e585f492c33c5e12d82e9ad253b7dd78632d537e899cd4eddd789c"),
            (16384, 2, 4, "6a80c1a9a04072b180a5e72a637ad5431b93fa5d680af51155d502a324a66c1a"),
            (65536, 3, 1, "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd6838f2d52c3d8b6ef8ddc3c2e"),
        ] {
            let kdf = PassphraseKdf::new(salt, memory_kib, passes, lanes).unwrap();
            let key = derive(&kdf, "correct horse battery staple");
            assert_eq!(hex::encode(key.expose()), expected);
        }
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let kdf = PassphraseKdf::generate(&SystemEntropy::new()).unwrap();
        assert_eq!((kdf.memory_kib(), kdf.passes(), kdf.lanes()), (65_536, 3, 1));
        assert_ne!(kdf.salt(), &[0; 16]);
        let rebuilt = PassphraseKdf::new(*kdf.salt(), kdf.memory_kib(), kdf.passes(), kdf.lanes());
        assert_eq!(rebuilt.unwrap(), kdf);
    }

    #[test]
    fn absurd_cost_is_refused_before_any_memory_is_taken() {
        for (memory_kib, passes, lanes) in [
            (0, 3, 1),
            (8 * 1024 - 1, 3, 1),
            (1024 * 1024 + 1, 3, 1),
            (u32::MAX, 3, 1),
            (65_536, 0, 1),
            (65_536, 17, 1),
            (65_536, u32::MAX, 1),
            (65_536, 3, 0),
            (65_536, 3, 17),
        ] {
            let refused = PassphraseKdf::new([0; 16], memory_kib, passes, lanes);
            assert!(
                matches!(refused, Err(KekError::PassphraseCost { .. })),
                "{memory_kib} {passes} {lanes}"
            );
        }
        assert!(PassphraseKdf::new([0; 16], 1024 * 1024, 16, 16).is_ok());
    }

    #[test]
    fn empty_passphrase_is_refused() {
        let refused = cheap(1).derive(&SecretString::new(String::new()));
        assert!(matches!(refused, Err(KekError::PassphraseEmpty)));
    }
}
