//! A keyring with a key of every purpose, the same every time.

use keys::{Entropy, EntropyError, Kek, KekOrigin, Keyring, Purpose, SecretKey};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that look random and are the same in every run.
#[derive(Default)]
pub struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            chunk.copy_from_slice(&mixed[..chunk.len()]);
        }
        Ok(())
    }
}

/// The key-encryption key.
#[must_use]
pub fn kek() -> Kek {
    Kek::from_secret(SecretKey::new([3; 32]), KekOrigin::File)
}

/// The bytes of a keyring with `keys` keys.
#[must_use]
pub fn keyring(keys: usize) -> Vec<u8> {
    let entropy = Counted::default();
    let mut keyring = Keyring::create([5; 16], &kek());
    for (number, purpose) in Purpose::ALL.into_iter().cycle().take(keys).enumerate() {
        keyring
            .add(purpose, SecretKey::new([number as u8; 32]), number as u64, &entropy)
            .expect("the ids differ");
    }
    keyring.to_bytes(&kek(), &entropy).expect("the same key")
}
