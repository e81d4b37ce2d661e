//! Randomness, and the one door it comes through.
//!
//! Not a generator: [`SystemEntropy`] hands on the operating system's, seeded and reseeded by
//! AWS-LC. A simulation brings its own seeded [`Entropy`].

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// A source of random bytes.
///
/// Everything random in a log (keys, nonces, salts, key ids) is asked of this trait and of nothing
/// else. Implementations used outside tests must be cryptographically secure.
pub trait Entropy: Send + Sync {
    /// Fills all of `bytes` with random bytes.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source has nothing to give; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the system gave no random bytes: keys and nonces cannot be made without them; \
     check that getrandom(2) is allowed in this sandbox, then start again"
)]
pub struct EntropyError;

/// The operating system's generator, through AWS-LC.
#[derive(Debug, Clone, Default)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The system's generator. Costs nothing to make.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(bytes).map_err(|_| EntropyError)
    }
}

/// `N` random bytes that need not be kept secret: a nonce, a salt, an id. For a secret use
/// [`Secret::generate`](crate::Secret::generate), which leaves no copy behind.
///
/// # Errors
///
/// [`EntropyError`] when the source fails.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_entropy_does_not_repeat_itself() {
        let entropy = SystemEntropy::new();
        let first: [u8; 32] = random(&entropy).unwrap();
        let second: [u8; 32] = random(&entropy).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }

    #[test]
    fn failing_entropy_is_reported_not_papered_over() {
        struct Dry;
        impl Entropy for Dry {
            fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
                Err(EntropyError)
            }
        }
        assert_eq!(random::<12>(&Dry), Err(EntropyError));
        assert_eq!(crate::SecretKey::generate(&Dry), Err(EntropyError));
    }
}
