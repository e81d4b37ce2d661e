//! Randomness that repeats itself: salts, nonces and keys of a run follow from its seed.

use crate::random::Random;
use keys::{Entropy, EntropyError};
use std::sync::{Mutex, PoisonError};

/// Seeded randomness. Never for anything but a simulation.
#[derive(Debug)]
pub struct SimulatedEntropy(Mutex<Random>);

impl SimulatedEntropy {
    /// The randomness of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Random::new(seed)))
    }
}

impl Entropy for SimulatedEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            let next = random.bits().to_le_bytes();
            chunk.copy_from_slice(next.get(..chunk.len()).unwrap_or_default());
        }
        Ok(())
    }
}
