//! A clock that the run moves, forwards and backwards.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where every simulated clock starts: 2026-01-01, two minutes before midnight, so that days
/// change.
pub(crate) const START_MS: u64 = 1_767_311_880_000;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Time as the run says; it stands still otherwise.
#[derive(Debug)]
pub struct SimulatedClock(AtomicU64);

impl Default for SimulatedClock {
    fn default() -> Self {
        Self(AtomicU64::new(START_MS))
    }
}

impl SimulatedClock {
    /// Moves the clock by so many milliseconds, in either direction.
    pub fn jump(&self, by_ms: i64) {
        let now_ms = self.0.load(Ordering::Relaxed);
        self.0.store(now_ms.saturating_add_signed(by_ms), Ordering::Relaxed);
    }
}

impl seal::Clock for SimulatedClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
